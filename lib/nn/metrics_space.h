/* How cells of one label lie in an embedding, and how batches mix there. */
#ifndef GC_NN_METRICS_SPACE_H
#define GC_NN_METRICS_SPACE_H

#include "lib/nn/knn.h"

/* Per cell (b - a) / max(a, b): a mean distance to its own label, b the least mean distance to
 * another; 0 for a label of one cell. value [x->n]. RC_INPUT when fewer than 2 labels occur. */
enum rc silhouette(const struct mat *x, const uint32_t *label, size_t n_labels,
                   enum distance_kind kind, double *value, struct err *e);

/* Local inverse Simpson index (Korsunsky et al. 2019): effective number of labels near each cell.
 * near: 3 x perplexity nearest others by plain distance; weights exp(-beta d) with beta so that
 * their entropy is ln perplexity (beta from 1 by doubling, halving, bisecting; 50 steps at most,
 * until within 1e-5); 1 / sum of squared shares. As in harmonypy. */
enum rc lisi(const struct knn *near, double perplexity, const uint32_t *label, size_t n_labels,
             double *value, struct err *e);

/* Share of a cell's neighbours with its own label, mean over cells. */
double neighbour_same_share(const struct knn *near, const uint32_t *label);

/* Between over within spread, Calinski and Harabasz 1974; mean over labels of the worst ratio of
 * spread to distance of centres, Davies and Bouldin 1979. */
enum rc cluster_shape(const struct mat *x, const uint32_t *label, size_t n_labels,
                      double *calinski_harabasz, double *davies_bouldin, struct err *e);

/* A map y of the cells x: 1 minus the rank-weighted share of neighbours in y that are none in x
 * (Venna and Kaski 2001), and the share of x's k nearest that are also y's k nearest. */
enum rc map_quality(const struct mat *x, const struct mat *y, size_t k, double *trustworthiness,
                    double *overlap, struct err *e);

#endif
