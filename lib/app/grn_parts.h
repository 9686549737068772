/* Between the files of grn_recognition.h. Genes are numbers in `names` of Ensembl ids throughout.
 */
#ifndef GC_APP_GRN_PARTS_H
#define GC_APP_GRN_PARTS_H

#include "lib/app/grn_recognition.h"
#include "lib/base/file.h"
#include "lib/data/names.h"
#include "lib/data/vocab.h"

/* What one regulator's deletion did, by one method. */
struct grn_scores {
    uint32_t regulator, partner; /* UINT32_MAX: deleted alone */
    size_t n;
    uint32_t *gene; /* [n] owned, as is score */
    double *score;
};

struct grn_method {
    char *name; /* owned */
    const char *variant;
    struct grn_scores *of; /* [n] by falling order of predictions.tsv; owned */
    size_t n;
};

/* A list of regulators and targets, or of genes (regulator UINT32_MAX). */
struct grn_list {
    char *name; /* owned */
    struct grn_link {
        uint32_t regulator, target, class;
    } * link; /* [n] by regulator, target, class, each once; owned */
    size_t n;
    struct names class; /* "targets" where the file has no classes */
};

/* Ensembl ids by symbol or id, from a vocabulary; UINT32_MAX: none. */
struct grn_genes {
    struct names id;
    struct map by_name;  /* symbol or id to number in id */
    const char **symbol; /* [id.n] the id where there is none; owned, texts in `text` */
    struct arena text;
};

enum rc grn_genes_read(struct grn_genes *g, const char *vocab, struct err *e);
void grn_genes_release(struct grn_genes *g);
uint32_t grn_gene(const struct grn_genes *g, const char *name);

/* NAME=FILE. n_left: lines of genes that the vocabulary does not have. RC_INPUT: no line is left.
 */
enum rc grn_list_read(struct grn_list *l, const char *arg, bool links, const char *levels,
                      const struct grn_genes *g, size_t *n_left, struct err *e);
void grn_list_release(struct grn_list *l);

/* NAME=DIR: two methods, the shift and its z. Regulators deleted one at a time only. */
enum rc grn_effects_read(struct grn_method m[2], const char *arg, const struct grn_genes *g,
                         struct err *e);
/* NAME=DIR: the pairs that were deleted together, m->n of them, perhaps none. */
enum rc grn_pairs_read(struct grn_method *m, const char *arg, const struct grn_genes *g,
                       struct err *e);
/* The genes of `like`, scored by counts: |Pearson| of log counts, and how often both are detected.
 */
enum rc grn_baselines(struct grn_method m[2], const struct grn_method *like,
                      const struct opt_list *counts, const struct grn_genes *g, struct err *e);
void grn_method_release(struct grn_method *m);

enum grn_number {
    GRN_AUROC,
    GRN_AP,
    GRN_AP_RATIO,
    GRN_PRECISION,
    GRN_RANDOM_LISTED,
    GRN_RANDOM_VOCABULARY,
    GRN_TARGETS,
    GRN_OTHERS,
    GRN_WILCOXON_P,
    GRN_WILCOXON_Q,
    GRN_WELCH_P,
    GRN_N_NUMBERS
};

struct grn_of_regulator {
    uint32_t regulator;
    size_t n_targets, n_others;
    double x[GRN_N_NUMBERS];
};

/* What targets of a class are compared with. */
struct grn_comparison {
    const struct grn_list *list;
    uint32_t class;
    const struct grn_list *against; /* NULL: the next */
    uint32_t other;                 /* a class, or UINT32_MAX: all genes without a link */
};

/* Room for one regulator's genes. */
struct grn_room {
    size_t n_genes, least_targets;
    unsigned char *role; /* [n_genes] 0 other, 1 target, 2 compared with, 3 neither */
    double *score;       /* [most genes of a regulator], as is positive */
    bool *positive;
};

/* grn_regulator.c. *fits is false when there are too few genes on one side. */
enum rc grn_regulator(const struct grn_room *j, const struct grn_comparison *k,
                      const struct grn_scores *s, struct grn_of_regulator *r, bool *fits,
                      struct err *e);

/* grn_together.c: genes that both of a pair regulate, when both are deleted and when one is, beside
 * a regulator of other genes (spec 05 section 2, Figures 2d and 2g). Rows into `metrics`, and
 * o->out/together.tsv, when there are o->pairs. */
enum rc grn_together(const struct grn_options *o, const struct grn_genes *g,
                     const struct grn_list *list, size_t n_lists, struct outfile *metrics,
                     struct err *e);

#endif
