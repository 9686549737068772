/* How much each of some features tells of a number: the importance of a feature in a forest of
 * regression trees, as GENIE3 (Huynh-Thu et al. 2010) takes it for a regulator and its target.
 *
 *   forest: trees on bootstrap samples (Breiman 2001), the best cut of each feature that is tried
 *   extra:  trees on all samples, one cut drawn evenly between a feature's least and largest value
 *           in the node (Geurts et al. 2006); some ten times as fast
 *   node of n samples with sum s: n var = sum y^2 - s^2 / n
 *   best split: largest l^2 / n_l + r^2 / n_r (sums l and r of the sides), the first of equals
 *   importance: the fall of n var at each split of the feature, over N samples, mean over trees
 * As in scikit-learn, more than n_try features are tried only while all were constant in the node.
 * Random numbers are Philox of (seed, id, draw): equal inputs give equal numbers whatever the
 * threads; single trees are not those of scikit-learn. */
#ifndef GC_NN_FOREST_REGRESSION_H
#define GC_NN_FOREST_REGRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct forest_regression_options {
    size_t n_trees;
    size_t n_try;       /* features at a node; 0: floor(sqrt d), at least 1 */
    size_t least_split; /* samples of a node that is split; at least 2, 0 is 2 */
    bool extra;
    uint64_t seed;
};

/* What the forests of many targets share. */
struct forest_ground {
    size_t n, d;
    double *value;  /* [d, n] owned */
    uint32_t *rank; /* [d, n] place among the feature's distinct values, rising; owned */
};

/* x [n, stride], of which column[0..d) are the features; without NaN. RC_INPUT: no rows, no
 * columns. On failure *g is empty. */
enum rc forest_ground_init(struct forest_ground *g, const double *x, size_t n, size_t stride,
                           const uint32_t *column, size_t d, struct err *e);
void forest_ground_release(struct forest_ground *g);

/* importance [d] of the features for y [n]. skip: a feature that is not used (the target itself),
 * or SIZE_MAX. id: a number of the target's own, for its random numbers. Runs on the calling
 * thread. RC_FAIL: memory. */
enum rc forest_importance(const struct forest_ground *g, const double *y, size_t skip, uint64_t id,
                          const struct forest_regression_options *o, double *importance,
                          struct err *e);

#endif
