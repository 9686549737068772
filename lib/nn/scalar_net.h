/* A small network of one number, x -> tanh -> tanh -> k heads, read from a table.
 *
 * DeepSEM sends every entry of the expression matrix through the same two networks of one number.
 * Such a network is a smooth curve, so it is worked out at the multiples of SCALAR_STEP that the
 * entries span and read between them by the polynomial of degree 5 through six of these nodes. The
 * way back is the exact derivative of that reading: gradients are gathered at the nodes, and the
 * network is differentiated there. With weights below 1 the error is about 1e-9 (measured in
 * tests/lib/nn/test_deepsem_fit.c); 300,000 entries cost what a thousand do.
 *
 * Where we differ: the release sends each entry through the network. M nodes, d width, k heads. */
#ifndef GC_NN_SCALAR_NET_H
#define GC_NN_SCALAR_NET_H

#include <stddef.h>

#include "lib/base/err.h"

#define SCALAR_STEP (1.0 / 32)
enum { SCALAR_HEADS = 2, SCALAR_FAR = 8192 }; /* entries beyond +-SCALAR_FAR are refused */

/* Borrowed parameters or their gradients, row-major as in a state dict. The second input of a first
 * layer that has one is the constant 1. */
struct scalar_weights {
    double *first, *first_bias;   /* [d, n_in], [d] */
    double *second, *second_bias; /* [d, d], [d] */
    double *head[SCALAR_HEADS], *head_bias[SCALAR_HEADS]; /* [d], [1] */
    size_t d, n_in, n_heads;                              /* n_in 1 or 2 */
};

struct scalar_net {
    long first;                      /* of the nodes: x = (first + i) SCALAR_STEP */
    size_t n, room, d;               /* nodes */
    double *h1, *h2, *back;          /* [M, d], owned */
    double *value[SCALAR_HEADS], *g[SCALAR_HEADS]; /* [M], owned: of the heads, and gradients */
};

/* Works out the nodes that x[0..n) needs; *net is empty or was tabled before. RC_CHECK: an entry is
 * no number or too large. RC_FAIL: memory. */
enum rc scalar_net_table(struct scalar_net *net, const struct scalar_weights *w, const double *x,
                         size_t n, struct err *e);
void scalar_net_release(struct scalar_net *net);
/* y[i] of head k at x[i]; slope[i] its derivative, may be NULL. */
void scalar_net_read(const struct scalar_net *net, size_t k, const double *x, size_t n, double *y,
                     double *slope);
/* Gathers dloss/dy[i] of head k at the nodes. */
void scalar_net_gather(struct scalar_net *net, size_t k, const double *x, size_t n,
                       const double *gy);
/* Adds the gradients of the weights; the gathered ones are cleared. */
void scalar_net_backward(struct scalar_net *net, const struct scalar_weights *w,
                         const struct scalar_weights *g);

#endif
