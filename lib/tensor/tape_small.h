/* The small operations (lib/tensor/small.h) on a tape. The tape's backend must have them. */
#ifndef GC_TENSOR_TAPE_SMALL_H
#define GC_TENSOR_TAPE_SMALL_H

#include "lib/tensor/small.h"
#include "lib/tensor/tape.h"

/* RC_SKIP with a sentence when the filling lacks these operations. */
enum rc tape_small_check(const struct backend *b, struct err *e);

/* Constants of the batch from doubles. */
struct tensor *tape_input_f64(struct tape *t, const double *x, size_t rows, size_t cols);
/* The same numbers in another shape; gradients go to x. Dense. */
struct tensor *tape_shape(struct tape *t, const struct tensor *x, size_t rows, size_t cols);
/* Rows [at, at + n) of x: no copy, gradients go to x. */
struct tensor *tape_rows(struct tape *t, const struct tensor *x, size_t at, size_t n);
/* The values of x as doubles in the memory of this batch; NULL when short. */
double *tape_values(struct tape *t, const struct tensor *x);

struct tensor *tape_product(struct tape *t, struct tensor *a, bool ta, struct tensor *b, bool tb);
struct tensor *tape_pair(struct tape *t, enum pair_kind kind, struct tensor *x, double c,
                         struct tensor *z);
struct tensor *tape_map(struct tape *t, enum map_kind kind, struct tensor *x, double c);
struct tensor *tape_sum(struct tape *t, struct tensor *x, bool over_rows, double c);
struct tensor *tape_softmax(struct tape *t, struct tensor *x);

/* Views of parameters; gamma and beta may be NULL. train: see struct op_batch_norm. */
struct batch_norm {
    struct tensor *gamma, *beta, *running_mean, *running_var;
    double eps, momentum;
    bool train;
};
struct tensor *tape_batch_norm(struct tape *t, struct tensor *x, const struct batch_norm *n);

/* e lives until tape_reset. */
struct tensor *tape_spread(struct tape *t, struct tensor *x, const struct edges *e);
/* share [n_edges, heads] (may be NULL) gets what every edge weighed. */
struct tensor *tape_edge_attention(struct tape *t, struct tensor *s, struct tensor *d,
                                   struct tensor *a_s, struct tensor *a_d, size_t heads,
                                   double slope, const struct edges *e, const struct dropout *drop,
                                   struct tensor **share);
/* share as in struct op_cross_attention, may be NULL. The lists live until tape_reset. */
struct tensor *tape_cross_attention(struct tape *t, struct tensor *q, struct tensor *k,
                                    struct tensor *v, size_t heads, double scale,
                                    const uint32_t *q_first, const uint32_t *k_first,
                                    size_t n_groups, const struct dropout *drop,
                                    struct tensor **share);
/* singular lives until tape_reset. */
struct tensor *tape_invert(struct tape *t, struct tensor *x, bool *singular);
/* [x[0] | x[1] | ...], equal rows, n at most 8. */
struct tensor *tape_join(struct tape *t, struct tensor *const *x, size_t n);

#endif
