/* L-BFGS (Liu and Nocedal 1989): minimises a smooth function with a known gradient, from ten
 * remembered steps. Deterministic: the order of all sums is fixed. */
#ifndef GC_NN_LBFGS_H
#define GC_NN_LBFGS_H

#include <stddef.h>

#include "lib/base/err.h"

/* Value at x [n]; fills gradient [n]. (The one function type in the project.) */
typedef double lbfgs_fn(void *ctx, const double *x, double *gradient);

struct lbfgs_end {
    int n_steps, n_calls;
    double value, gradient_max; /* largest absolute entry */
};

/* Stops when no entry of the gradient is above gradient_tol, after max_steps, or when rounding lets
 * no step descend any further. x holds the start, then the end. RC_FAIL: memory; RC_INPUT: the
 * function is not finite at the start. */
enum rc lbfgs_minimise(lbfgs_fn *fn, void *ctx, size_t n, double *x, double gradient_tol,
                       int max_steps, struct lbfgs_end *end, struct err *e);

#endif
