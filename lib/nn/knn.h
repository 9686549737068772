/* Exact nearest neighbours, and the classifier that votes with them. */
#ifndef GC_NN_KNN_H
#define GC_NN_KNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/nn/mat.h"

enum distance_kind {
    DISTANCE_EUCLID,
    DISTANCE_COSINE /* 1 - cosine; a row of zeros is at 1 from every other */
};

double distance_squared(const double *x, const double *y, size_t d);

/* k nearest per query, nearest first, equal distances by rising index. */
struct knn {
    size_t n, k;
    uint32_t *index;  /* [n, k] rows of base, owned, as is the next */
    double *distance; /* [n, k] */
};

/* base NULL: neighbours among the queries themselves, each leaving out itself. RC_INPUT when k is 0
 * or there are fewer than k candidates. On failure *out is empty. */
enum rc knn_find(const struct mat *query, const struct mat *base, size_t k, enum distance_kind kind,
                 struct knn *out, struct err *e);
void knn_release(struct knn *k);

/* Votes of the first k of near (neighbours among cells of class[...]): the commonest class, equal
 * votes to the smallest class number. share[i]: votes of the winner / k; may be NULL. */
enum rc knn_vote(const struct knn *near, size_t k, const uint32_t *class_of, size_t n_classes,
                 uint32_t *predicted, double *share, struct err *e);

#endif
