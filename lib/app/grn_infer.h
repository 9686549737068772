/* Between the files of grn.h. Genes are columns of the expression throughout. */
#ifndef GC_APP_GRN_INFER_H
#define GC_APP_GRN_INFER_H

#include "lib/app/grn.h"
#include "lib/base/file.h"
#include "lib/io/expression.h"

/* A known network, as far as it is measured: pairs are regulators x genes, row by row. */
struct grn_truth {
    char *name;          /* owned, as is all here */
    uint32_t *tf, *gene; /* [n_tfs], [n_genes] by name */
    size_t n_tfs, n_genes, n_edges, n_pairs;
    bool *edge;   /* [n_tfs, n_genes] */
    double *mean; /* the same: |A| over seeds */
};

struct grn_mark {
    double auprc, ratio, auroc, ep, epr;
    size_t n; /* pairs */
};

/* A row of metrics.tsv to be. */
struct grn_row {
    char method[96];
    const char *variant, *split;
    uint64_t seed;
    struct grn_mark mark;
    double chosen; /* a threshold or weight; NaN: none */
};
struct grn_rows {
    struct grn_row *row; /* owned */
    size_t n, room;
};

/* Vectors of genes on the genes of the expression. */
struct grn_vectors {
    char *name;
    size_t n;          /* genes with a vector */
    uint32_t *of;      /* [genes] place among these, UINT32_MAX: none */
    float *cos;        /* [n, n] */
    float *standing;   /* [n, n] share of pairs that are less alike */
    double top, share; /* cosine of the published number of pairs, and of the published share */
    size_t n_top;      /* that number, or all pairs */
    double mean, sd, least;
};

struct grn_seed {
    double *matrix;               /* |A| after the last pass, owned as is last, best */
    struct grn_mark *last, *best; /* [truths] */
    /* [truths, vectors] by the published rule: at the pass of the best AUPRC */
    struct grn_mark *best_top;
};

struct grn_job {
    const struct grn_options *o;
    struct expression x; /* z-scored */
    double *rank;        /* [cells, genes] z-scored ranks */
    struct grn_truth *truth;
    size_t n_truths;
    struct grn_vectors *vectors;
    size_t n_vectors;
    struct grn_seed *seed;
};

/* grn_truth.c: all of --truth. RC_INPUT: see grn.h. */
enum rc grn_truths_read(struct grn_job *j, struct err *e);
void grn_truth_release(struct grn_truth *t);
/* The regulators that choose thresholds: a share of them, drawn; at least one, and one is left.
 * False: there is one regulator only. tune [n_tfs]. */
bool grn_hold_out(const struct grn_truth *t, double share, uint64_t seed, bool *tune);
/* Scores of the pairs [n_tfs, n_genes], of regulators where use[i] == want (use NULL: all). */
enum rc grn_mark(const struct grn_truth *t, const double *score, const bool *use, bool want,
                 struct grn_mark *m, struct err *e);
/* |A[target, regulator]| of the pairs; -1 for a gene with itself and without an edge. */
void grn_take_matrix(const struct grn_truth *t, const double *a, size_t g, double *score);

/* grn_trees.c: importances of the truth's regulators for its genes; -1 for a gene with itself. */
enum rc grn_trees(const struct grn_job *j, const struct grn_truth *t, uint64_t seed, double *score,
                  struct err *e);

/* grn_vectors.c: all of --vectors, and the expression's own. RC_INPUT: a file breaks a promise, or
 * has too few of the genes. */
enum rc grn_vectors_read(struct grn_job *j, struct err *e);
void grn_vectors_release(struct grn_vectors *v);
/* grn_rules.c. The published rule on scores of the pairs: those of two genes with vectors are
 * deleted (-1) unless their cosine is at least `at`. shuffle [n], or NULL: whose vector a gene
 * takes. */
void grn_rule(const struct grn_truth *t, const struct grn_vectors *v, const uint32_t *shuffle,
              double at, const double *score, double *out);
/* grn_rules.c: everything that vectors do to the scores of one seed, on one truth. */
enum rc grn_integrate(const struct grn_job *j, size_t truth, const struct grn_seed *s,
                      uint64_t seed, struct grn_rows *rows, struct err *e);
/* grn_score.c: all rows of a truth, after the seeds; fills t->mean. */
enum rc grn_score_truth(const struct grn_job *j, size_t truth, struct outfile *to, struct err *e);
enum rc grn_rows_add(struct grn_rows *rows, const char *method, const char *variant,
                     const char *split, uint64_t seed, const struct grn_mark *m, double chosen,
                     struct err *e);

#endif
