/* What vectors say of cell types that nothing was trained on: k nearest cells vote, out of fold; how
 * the types lie; how batches mix. Everything on the vectors as they are, by plain distance. */
#ifndef GC_NN_ZERO_SHOT_H
#define GC_NN_ZERO_SHOT_H

#include "lib/nn/mat.h"
#include "lib/nn/metrics_class.h"

struct zero_shot_cells {
    size_t n, n_classes, n_batches; /* n_batches below 2: there are none to mix */
    const uint32_t *class_of;       /* [n] below n_classes */
    const uint32_t *batch_of;       /* [n] below n_batches, or NULL */
    const uint64_t *cell_id;        /* [n] */
};

/* Five folds, stratified and drawn by seed: each cell is named by the k nearest cells (all, when there
 * are fewer) of the other four. x [n, d]; NULL: by the commonest class there. */
enum rc zero_shot_knn(const struct zero_shot_cells *c, const struct mat *x, size_t k, uint64_t seed,
                      struct class_metrics *out, struct err *e);
/* The same with the cells of the other batches in place of folds. */
enum rc zero_shot_transfer(const struct zero_shot_cells *c, const struct mat *x, size_t k,
                           struct class_metrics *out, struct err *e);

struct zero_shot_space {
    double silhouette;  /* of the classes, mean */
    double same_label;  /* share of the k nearest with the cell's class, mean */
    double other_batch; /* share of the k nearest of another batch, mean; NaN without batches */
    double batch_lisi;  /* batches near a cell, 1 to n_batches, mean; perplexity min(30, (n - 1) / 3) */
};
/* RC_INPUT: fewer than 4 cells, fewer than two classes. */
enum rc zero_shot_space_get(const struct zero_shot_cells *c, const struct mat *x, size_t k,
                            struct zero_shot_space *out, struct err *e);
/* other_batch where batches do not matter: cells lie as they were shuffled. */
double zero_shot_mixed(const struct zero_shot_cells *c);

#endif
