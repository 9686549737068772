/* How alike the vectors of genes are: cosines of all pairs, and what they are worth as a rule.
 * Source: spec 05 sections 5 and 7; torch.cosine_similarity with eps 1e-6.
 *
 *   cos(a, b) = a.b / max(|a| |b|, 1e-6)
 *   n vectors have n^2 pairs: both orders, and each with itself, as the published code counts */
#ifndef GC_NN_GENE_COSINES_H
#define GC_NN_GENE_COSINES_H

#include <stddef.h>

#include "lib/base/err.h"

/* x [n, d] to cos [n, n], symmetric. RC_FAIL: memory. */
enum rc gene_cosines(const float *x, size_t n, size_t d, float *cos, struct err *e);

/* x [n, d] less the mean of its rows: raw vectors share a good part of their direction. */
void gene_vectors_centre(float *x, size_t n, size_t d);

struct cosine_facts {
    size_t n_pairs;
    double mean, sd, least;
    size_t n_top;                  /* min(top, n_pairs) */
    double at_top;                 /* the n_top-th largest */
    double share_top, share_above; /* of pairs: at least at_top; at least `threshold` */
};

/* standing [n, n], or NULL: the share of all pairs whose cosine is smaller, plus half of those that
 * are equal. RC_FAIL: memory. */
enum rc cosine_facts_get(const float *cos, size_t n, size_t top, double threshold,
                         struct cosine_facts *f, float *standing, struct err *e);

#endif
