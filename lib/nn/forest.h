/* A random forest (Breiman 2001) as scikit-learn's RandomForestClassifier grows it by default:
 * trees on bootstrap samples, split by Gini impurity, floor(sqrt d) features tried at each node
 * (more only while all of them were constant), grown until a leaf is of one class; a prediction is
 * the mean over the trees of the shares in the leaf, the first of equals.
 *
 *   node of n samples with n_c of class c: impurity 1 - sum (n_c / n)^2
 *   best split: largest sum_c l_c^2 / l + sum_c r_c^2 / r, the first of equals; threshold half-way
 *   between the neighbouring values
 * Where we differ: random numbers are Philox of (seed, tree, draw), so equal inputs give equal
 * trees whatever the threads; single trees are not those of scikit-learn. */
#ifndef GC_NN_FOREST_H
#define GC_NN_FOREST_H

#include <stdint.h>

#include "lib/nn/mat.h"

struct forest_options {
    size_t n_trees;
    size_t n_try;    /* features at a node; 0: floor(sqrt d) */
    size_t min_leaf; /* samples of a leaf, at least 1 */
    uint64_t seed;
};

struct forest_tree;

struct forest {
    size_t n_trees, n_classes, d;
    struct forest_tree *tree; /* [n_trees], owned */
};

/* x [n,d] without NaN, n below 2^32; class_of [n]. RC_INPUT: no rows or no columns. On failure *f
 * is empty. */
enum rc forest_fit(const struct mat *x, const uint32_t *class_of, size_t n_classes,
                   const struct forest_options *o, struct forest *f, struct err *e);
void forest_release(struct forest *f);
/* said, share [x->n]: the class and its mean share. RC_FAIL: memory. */
enum rc forest_predict(const struct forest *f, const struct mat *x, uint32_t *said, double *share,
                       struct err *e);

#endif
