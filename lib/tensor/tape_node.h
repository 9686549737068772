/* Inside of the tape; for lib/tensor/tape*.c only. */
#ifndef GC_TENSOR_TAPE_NODE_H
#define GC_TENSOR_TAPE_NODE_H

#include "lib/tensor/tape.h"

typedef void tape_backward_fn(const struct backend *b, const void *op);

/* A gradient that an operation's backward reads or adds to. */
struct tape_meeting {
    struct tape_meeting *next;
    struct tape_slope *slope;
    bool *first; /* of the operation, told when it is the first there; NULL: zeros are put there */
};

struct tape_node {
    struct tape_node *before;
    struct tape_meeting *meets, **last_meets;
    tape_backward_fn *backward;
    const void *op; /* its struct op_..., in the arena */
};

/* Memory for n reals of the tape's backend, not set. */
void *tape_reals(struct tape *t, size_t n);
/* Room for rows rounded to bf16, low_ld(cols) apart, not set. */
void *tape_low(struct tape *t, size_t rows, size_t cols);
/* An array of the host where the backend's slots can read it: itself, or a copy of this round. */
const void *tape_there(struct tape *t, const void *x, size_t n_bytes);
/* *drop with its keys, of n rows, there. */
struct dropout tape_drop_there(struct tape *t, const struct dropout *drop, size_t n);
/* Where a slot may leave a loss for *to. */
double *tape_later(struct tape *t, double *to);
/* Memory that an operation uses only while it runs, forward or backward: the next one may get the same.
 * Valid until tape_reset. */
void *tape_scratch(struct tape *t, size_t n_bytes);
/* A tensor whose values are not set yet. In training its gradient is zero, or, on a backend with
 * gradient_first, not set either: who is first there writes it (tape_meets). */
struct tensor *tape_output(struct tape *t, size_t rows, size_t cols);
/* The same for an output that is kept rounded alone. cols is a multiple of 8. slope: NULL, or that of
 * outputs of equal rows whose gradients lie side by side, this one's from column `at` on; whoever
 * reads them writes all of them together. */
struct tensor *tape_output_low(struct tape *t, size_t rows, size_t cols, struct tape_slope *slope,
                               size_t at);
/* For them: so many columns together. NULL when short. */
struct tape_slope *tape_slope_low(struct tape *t, size_t rows, size_t cols);
/* Not so x, or an empty one: for operations that take no other. */
static inline bool tape_whole(const struct tensor *x)
{
    return x->x || !x->low;
}
/* Whether an operation's output of this width may be. */
bool tape_rounds(const struct tape *t, size_t cols);
/* The newest operation's backward reads or adds to the gradient of x (NULL is allowed), in the
 * order of these calls; first: the d_first of its copy that belongs to it, or NULL. An operation
 * that leaves one out reads or adds to what was never set where the backend has gradient_first. */
void tape_meets(struct tape *t, const struct tensor *x, bool *first);
/* The gradient of x is read or added to now. */
void tape_meets_now(struct tape *t, const struct tensor *x);
/* Copies op into the arena and puts it on the tape; NULL when the tape failed. */
void *tape_record(struct tape *t, const void *op, size_t n_bytes, tape_backward_fn *backward);

#endif
