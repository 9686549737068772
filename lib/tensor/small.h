/* Operations of the small networks of spec 05 (CAME, GEARS, DeepSEM, CPA, DeepCE): a second table
 * beside lib/tensor/backend.h, under the same rules. Matrices are dense here (row stride = columns)
 * unless an ld is named. A filling that lacks them has backend->small NULL; the models say so.
 *
 * Both fillings come from one text, kernels/small_body.h: ref with REAL double, cpu with float,
 * where sums longer than a row are still double. */
#ifndef GC_TENSOR_SMALL_H
#define GC_TENSOR_SMALL_H

#include "lib/tensor/backend.h"

/* y [n,m] = A B; A [n,k] is a or, with ta, the transposed of a; B [k,m] likewise. */
struct op_product {
    size_t n, k, m;
    const void *a, *b;
    bool ta, tb;
    void *y;
    const void *dy;
    void *da, *db;
};

/* y[i,j] = x[i,j] + c z  or  c x[i,j] z, with z = z[i mod n_z, j or, when d_z is 1, 0]. So n_z = 1
 * is a row for all, n_z = n an equal shape, anything between a table laid under every block. */
enum pair_kind { PAIR_ADD, PAIR_MUL };
struct op_pair {
    size_t n, d, n_z, d_z;
    enum pair_kind kind;
    double c;
    const void *x, *z;
    void *y;
    const void *dy;
    void *dx, *dz;
};

/* y = f(x), element by element.
 * LEAKY x > 0 ? x : c x    SOFTPLUS ln(1 + e^x)   LOG ln(x + c)   RSQRT 1 / sqrt(x + c)
 * INVERSE 1 / (x + c)      FLOOR max(x, c), no gradient where x < c
 * STEP x > 0, no gradient  ABS |x|, slope 0 at 0 */
enum map_kind {
    MAP_TANH,
    MAP_RELU,
    MAP_SIGMOID,
    MAP_LEAKY,
    MAP_SOFTPLUS,
    MAP_LOG,
    MAP_EXP,
    MAP_RSQRT,
    MAP_INVERSE,
    MAP_SQUARE,
    MAP_ABS,
    MAP_FLOOR,
    MAP_STEP
};
struct op_map {
    size_t m;
    enum map_kind kind;
    double c;
    const void *x;
    void *y;
    const void *dy;
    void *dx;
};

/* over_rows: y [1,d] = c sum_i x[i,j];  else y [n,1] = c sum_j x[i,j] */
struct op_sum {
    size_t n, d;
    bool over_rows;
    double c;
    const void *x;
    void *y;
    const void *dy;
    void *dx;
};

/* y[i,:] = soft-max of x[i,:] */
struct op_softmax {
    size_t n, d;
    const void *x;
    void *y;
    const void *dy;
    void *dx;
};

/* y = (x - mean) rstd gamma + beta by column; gamma and beta may be NULL. train: mean and biased
 * variance of the n rows, and the running ones move: r += momentum (new - r), the variance there
 * with n / (n - 1). Else mean and variance are the running ones. Ioffe & Szegedy 2015. */
struct op_batch_norm {
    size_t n, d;
    bool train;
    double eps, momentum;
    const void *x, *gamma, *beta;
    void *running_mean, *running_var;
    void *y;
    double *mean, *rstd; /* [d] saved */
    const void *dy;
    void *dx, *dgamma, *dbeta;
};

/* Edges of a graph by destination, and the same by source, which backward needs. Borrowed. */
struct edges {
    size_t n_to, n_from, n_edges;
    const uint32_t *first, *from;                     /* [n_to + 1], [n_edges] */
    const double *weight;                             /* [n_edges]; NULL: 1 */
    const double *scale;                              /* [n_to]; NULL: 1 */
    const uint32_t *back_first, *back_to, *back_edge; /* [n_from + 1], [n_edges] twice */
};

/* y[i,:] = scale[i] sum over edges k of i: weight[k] x[from[k],:];  x [n_from,d], y [n_to,d] */
struct op_spread {
    const struct edges *e;
    size_t d;
    const void *x;
    void *y;
    const void *dy;
    void *dx;
};

/* Graph attention of the kind 'add' (Velickovic et al. 2018), heads averaged.
 * s [n_from, H C], d [n_to, H C], a_s and a_d [1, H C], head outer.
 *   score of edge j -> i, head h: leaky(sum_c s[j,h,c] a_s[h,c] + sum_c d[i,h,c] a_d[h,c])
 *   y[i,c] = 1/H sum_h sum_j p[i,j,h] s[j,h,c], p the soft-max over the edges of i; 0 without edges
 * share [n_edges,H] = p is saved; drop acts on p, row = edge, col = head. */
struct op_edge_attention {
    const struct edges *e;
    size_t heads, c;
    double slope;
    struct dropout drop;
    const void *s, *d, *a_s, *a_d;
    void *y;
    void *share, *sum_s, *sum_d; /* saved: [n_edges,H], [n_from,H], [n_to,H] */
    void *weight; /* saved: [n_edges,H], share after dropout / H */
    void *turned; /* saved: [n_from,C,H], s with its heads inside */
    const void *dy;
    void *ds, *dd, *da_s, *da_d;
    void *work; /* backward: [n_edges,H], [n_from,H], [n_to,H] one behind another */
};

/* Attention of query rows to key rows of the same group; head h owns columns h (D/heads) .. .
 * Queries of group g: rows q_first[g] .. q_first[g+1]; keys k_first likewise, at least one each.
 * share: for each group [heads, queries, keys], groups one behind another, saved; drop acts on it,
 * row = query, col = head * 2^32 + key. */
struct op_cross_attention {
    size_t n_groups, d, heads;
    const uint32_t *q_first, *k_first;
    double scale; /* of the scores */
    struct dropout drop;
    const void *q, *k, *v;
    void *y, *share;
    const void *dy;
    void *dq, *dk, *dv;
    void *work; /* backward: as many reals as the group with most keys has */
};

/* y = x^-1, [n,n]; *singular is set (and y NaN) when there is none. */
struct op_invert {
    size_t n;
    const void *x;
    void *y;
    bool *singular;
    const void *dy;
    void *dx;
    void *work; /* backward: [n,n] twice */
    int *pivot; /* [n] */
};

/* One step on n numbers. g is clipped to [-clip, clip] element by element first (0: not), then
 * decay * p is added to it (L2 kind; not ADAMW). As in PyTorch:
 *   SGD     m = momentum m + g;  p -= rate m
 *   ADAM    m, v moments, eps beside the root of the corrected v; step counts from 1
 *   ADAMW   the same with decay * rate taken off p first, g left alone (Loshchilov & Hutter 2019)
 *   RMSPROP v = beta2 v + (1 - beta2) g^2;  p -= rate g / (sqrt(v) + eps) */
enum descent_kind { DESCENT_SGD, DESCENT_ADAM, DESCENT_ADAMW, DESCENT_RMSPROP };
struct op_descend {
    size_t n;
    enum descent_kind kind;
    double rate, decay, clip, momentum, beta1, beta2, eps;
    uint64_t step;
    void *p, *m, *v;
    const void *g;
};

struct small_ops {
    void (*product_forward)(const struct op_product *);
    void (*product_backward)(const struct op_product *);
    void (*pair_forward)(const struct op_pair *);
    void (*pair_backward)(const struct op_pair *);
    void (*map_forward)(const struct op_map *);
    void (*map_backward)(const struct op_map *);
    void (*sum_forward)(const struct op_sum *);
    void (*sum_backward)(const struct op_sum *);
    void (*softmax_forward)(const struct op_softmax *);
    void (*softmax_backward)(const struct op_softmax *);
    void (*batch_norm_forward)(const struct op_batch_norm *);
    void (*batch_norm_backward)(const struct op_batch_norm *);
    void (*spread_forward)(const struct op_spread *);
    void (*spread_backward)(const struct op_spread *);
    void (*edge_attention_forward)(const struct op_edge_attention *);
    void (*edge_attention_backward)(const struct op_edge_attention *);
    void (*cross_attention_forward)(const struct op_cross_attention *);
    void (*cross_attention_backward)(const struct op_cross_attention *);
    void (*invert_forward)(const struct op_invert *);
    void (*invert_backward)(const struct op_invert *);
    void (*descend)(const struct op_descend *);
};

extern const struct small_ops small_ref, small_cpu, small_cpu512;

#endif
