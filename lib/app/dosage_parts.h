/* What the files of dosage.h share; nobody else includes it. G genes with a label, D width. */
#ifndef GC_APP_DOSAGE_PARTS_H
#define GC_APP_DOSAGE_PARTS_H

#include "lib/app/dosage.h"
#include "lib/app/embedder.h"
#include "lib/base/file.h"
#include "lib/nn/mat.h"

struct dosage_gene {
    const char *id, *name; /* in the arena of the set */
    uint32_t class_of;     /* 1: sensitive */
    int32_t token;         /* of the model; -1: it does not know the gene */
    double length;         /* bases from start to end; 0: not known */
    bool listed;           /* its name stands in --list */
    uint32_t n_train, n_test; /* cells of the two halves that show it */
};

struct dosage_genes {
    struct dosage_gene *gene; /* [n] in the order of the file; owned */
    size_t n, n_sensitive, n_unlabelled, n_twice, n_without_length;
    bool has_lengths, has_list;
    struct arena text;
};

/* ---- dosage_labels.c: tables. On failure *g is empty. ---- */
enum rc dosage_genes_read(struct dosage_genes *g, const char *path, struct err *e);
void dosage_genes_release(struct dosage_genes *g);
/* RC_INPUT: no number, an end before its start. */
enum rc dosage_lengths_read(struct dosage_genes *g, const char *path, struct err *e);
enum rc dosage_list_read(struct dosage_genes *g, const char *path, struct err *e);

/* ---- dosage_features.c: numbers of a gene that need no model ---- */
enum { DOSAGE_STATISTICS = 3 };
extern const char *const dosage_statistic[DOSAGE_STATISTICS];
/* out [G, 3 n]: of each file the share of cells that show the gene, the mean of log(1 + counts per 10,000)
 * over all cells and over those that show it; 0 where the file lacks the gene. A gene is found by its id,
 * else by its name. */
enum rc dosage_statistics(const struct dosage_genes *g, const char *const *path, size_t n,
                          enum species s, struct mat *out, struct err *e);

/* ---- dosage_fit.c: a linear classifier of genes ---- */
/* x [G, d]. Learns from the rows with train[i] and scores all: score [G], log-odds of class 1. Columns are z-scored
 * by the training genes. shift, w [d]: score = shift + w x. c: as scikit-learn's C for two classes. */
enum rc dosage_fit(const struct mat *x, const uint32_t *class_of, const unsigned char *train, double c,
                   double *w, double *shift, struct err *e);
/* The c of a fixed list with the best AUC over four folds of the training genes; the first of equals. With too few
 * genes of a class one that is always the same. */
enum rc dosage_choose_c(const struct mat *x, const uint32_t *class_of, const unsigned char *train,
                        const uint64_t *id, uint64_t seed, double *c, struct err *e);
double dosage_linear(const double *w, double shift, const double *x, size_t d);
/* Of the rows where in[i] (NULL: all). NaN: a class lacks. points: of the ROC curve, may be NULL. */
enum rc dosage_auc(const double *score, const uint32_t *class_of, const unsigned char *in, size_t n,
                   double *auc, size_t *n_in, size_t *points, struct err *e);

/* ---- dosage_cells.c, dosage_model.c ---- */
/* Occurrences of a half of the cells. */
struct dosage_half {
    const struct batch_cell *cell; /* [n] borrowed */
    size_t n, n_rows;
    uint32_t *cell_of, *gene_of; /* [n_rows] gene: of the genes in play; owned, as is the next */
    float *x;                    /* [n_rows, D] */
};

/* Genes in play: known to the model and seen in both halves. */
struct dosage_play {
    size_t *row;        /* [n] in dosage_genes; owned, as are all */
    uint32_t *class_of; /* [n] */
    uint64_t *id;       /* [n] */
    size_t n, n_sensitive;
    int8_t *every; /* [V] 0 for their tokens, else GENE_NO_CLASS */
    uint32_t *at;  /* [V] number among them */
};

/* A number of one fold of one seed. */
struct dosage_row {
    char method[64], metric[40];
    uint64_t seed;
    uint32_t fold; /* from 1 */
    double value;
    size_t n;
};

struct dosage_job {
    const struct dosage_options *o;
    const char *variant;
    struct embedder m;
    struct cell_tokens tokens;
    struct dosage_genes genes;
    struct dosage_play play;
    struct batch_cell *cell;    /* of both halves; owned */
    struct dosage_half half[2]; /* to learn from, to judge in */
    struct mat statistics;      /* [G, 3 files] */
    struct dosage_row *row;     /* owned */
    size_t n_rows, room;
    size_t n_folds, n_empty;
    struct outfile predictions;
};

/* Draws two halves of the cells and finds the genes in play. */
enum rc dosage_halves(struct dosage_job *j, struct err *e);
/* One linear method over all seeds and folds of the genes in play. x [play.n, d]; of_test [half[1].n_rows, d] or
 * NULL: an occurrence has its gene's row. c: DOSAGE_CHOOSE, or fixed; DOSAGE_AS_IS: column 0 is the score. */
#define DOSAGE_CHOOSE 0
#define DOSAGE_AS_IS (-1)
enum rc dosage_linear_runs(struct dosage_job *j, const char *method, const struct mat *x,
                           const float *of_test, double c, bool shuffled, struct err *e);
/* All that reads vectors of the model. */
enum rc dosage_frozen(struct dosage_job *j, struct err *e);
enum rc dosage_tuned(struct dosage_job *j, struct err *e);
/* Class of each gene in play, dealt out anew where shuffled: the number of each class stays. */
void dosage_classes(const struct dosage_job *j, bool shuffled, uint64_t seed, uint32_t *class_of);
/* Scores of the occurrences of a fold's genes to two AUCs and predictions; score [half[1].n_rows]. */
enum rc dosage_judge(struct dosage_job *j, const char *method, uint64_t seed, uint32_t fold,
                     const uint32_t *fold_of, const uint32_t *class_of, const double *score,
                     struct err *e);
enum rc dosage_add(struct dosage_job *j, const char *method, const char *metric, uint64_t seed,
                   uint32_t fold, double value, size_t n, struct err *e);

/* ---- dosage_report.c: metrics.tsv, summary.tsv, report.json ---- */
enum rc dosage_write(struct dosage_job *j, struct err *e);

#endif
