/* The simple methods of cell annotation, each with its one setting chosen on the validation cells
 * by macro-F1 (first best of a fixed list), without a refit (spec 05 section 13; the procedure of
 * the reference values in golden/downstream/annotation).
 *
 *   logistic   c of 0.001, 0.01, 0.1, 1, 10
 *   svm        c of 0.0001, 0.001, 0.01, 0.1
 *   knn        k of 5, 15, 30
 *   forest     nothing to choose
 *   majority   the commonest class of the training cells, first of equals */
#ifndef GC_NN_PROBE_H
#define GC_NN_PROBE_H

#include "lib/data/csr.h"
#include "lib/nn/mat.h"
#include "lib/nn/split.h"

/* Labelled cells and where each one belongs. All borrowed. */
struct probe_cells {
    size_t n, n_classes;
    const uint32_t *class_of;
    const enum part *part;
};

/* What one method said about the cells outside training (others: class 0, score 0). */
struct probe_result {
    const char *setting; /* "c", "k", "epoch" or "-": what was chosen; static */
    double chosen;
    double rate; /* the learning rate that was chosen, too; 0: none was */
    double val_macro_f1;
    uint32_t *predicted; /* [n], owned, as is score */
    double *score;       /* probability, share of neighbours or training cells, or margin */
};

/* For n cells; setting is static. On failure *r is empty. */
enum rc probe_result_alloc(struct probe_result *r, size_t n, const char *setting, struct err *e);
void probe_result_release(struct probe_result *r);

/* x [cells->n, d]: features of all cells, already scaled by the training cells. On failure *r is
 * empty. */
enum rc probe_logistic(const struct probe_cells *cells, const struct mat *x, struct probe_result *r,
                       struct err *e);
enum rc probe_svm(const struct probe_cells *cells, const struct mat *x, struct probe_result *r,
                  struct err *e);
enum rc probe_knn(const struct probe_cells *cells, const struct mat *x, struct probe_result *r,
                  struct err *e);
/* A random forest (lib/nn/forest.h); its scores are shares of trees. */
enum rc probe_forest(const struct probe_cells *cells, const struct mat *x, size_t n_trees,
                     uint64_t seed, struct probe_result *r, struct err *e);
enum rc probe_majority(const struct probe_cells *cells, struct probe_result *r, struct err *e);

/* Features from raw counts: n_genes variable genes of the training cells, z-scored, cut at +-10;
 * pcs (may be NULL) their first n_pcs principal components, axes from the training cells. */
enum rc probe_count_features(const struct csr *count, const struct probe_cells *cells,
                             size_t n_genes, size_t n_pcs, struct mat *genes, struct mat *pcs,
                             struct err *e);
/* Features from an embedding: z-scored by the training cells, cut at +-10. */
enum rc probe_embedding_features(const float *x, size_t d, const struct probe_cells *cells,
                                 struct mat *out, struct err *e);

#endif
