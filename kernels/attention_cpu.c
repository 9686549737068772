/* One (cell, head) per task. Forward, for each tile of query rows: scores with all keys (tile x T,
 * in the worker's scratch), soft-max row by row, product with the values. Keys are taken KEYS at a
 * time because the product library is fastest on that shape. Backward recomputes the probabilities
 * from the saved row maxima and sums, KEYS at a time from the scores to the three gradients, so
 * that both tiles (64 x 512 floats each) stay in the second-level cache. */
#include "kernels/attention.h"

#include <math.h>

#include "kernels/dropout_cpu.h"
#include "kernels/math_cpu.h"
#include "lib/base/thread.h"

enum { KEYS = 512 };

/* One cell and head: T rows, W columns of the matrices, and this worker's scratch. */
struct part {
    size_t a, T, W, head, at; /* a: first row; at: offset of (row a, head's column) */
    float scale;
    float *s, *ds, *drop; /* [tile, ld], [tile, ld], [ld] */
    size_t ld, ld_tile;   /* of all keys, of KEYS at most */
};

static struct part part_of(const struct op_attention *o, size_t task, int worker)
{
    struct part p;
    const size_t c = task / o->heads;
    p.head = task % o->heads;
    p.a = o->first[c];
    p.T = o->first[c + 1] - p.a;
    p.W = o->d / o->heads;
    p.at = p.a * o->d + p.head * p.W;
    p.scale = (float)(1 / sqrt((double)p.W));
    p.ld = (p.T + 15) / 16 * 16;
    p.ld_tile = smaller(KEYS, p.ld);
    p.s = (float *)o->work + (size_t)worker * o->work_reals;
    p.ds = p.s + OP_QUERY_TILE * p.ld;
    p.drop = p.ds + OP_QUERY_TILE * p.ld;
    return p;
}

/* out[n, T] = x[n, W] (rows of y)^T, y [T, W]; both inside [.., d]. */
static void rows_times_rows(const struct op_attention *o, const struct part *p, const float *x,
                            size_t n, const float *y, float *out)
{
    for (size_t j = 0; j < p->T; j += KEYS)
        product('N', 'T', n, smaller(KEYS, p->T - j), p->W, x, o->d, y + j * o->d, o->d, 0, out + j,
                p->ld);
}

/* out[n, W] (+)= s[n, T] y[T, W] */
static void weights_times_rows(const struct op_attention *o, const struct part *p, const float *s,
                               size_t n, const float *y, float beta, float *out)
{
    for (size_t j = 0; j < p->T; j += KEYS)
        product('N', 'N', n, p->W, smaller(KEYS, p->T - j), s + j, p->ld, y + j * o->d, o->d,
                j ? 1 : beta, out, o->d);
}

/* Factors of keys [from, from + n), from a multiple of 64, into the front of the scratch row. */
static void drop_factors(const struct op_attention *o, const struct part *p, size_t row,
                         size_t from, size_t n)
{
    /* The scratch row has room for T rounded up to 16; Philox fills 64 at a time. */
    float f[64];
    for (size_t j = 0; j < n; j += 64) {
        dropout_row_from(&o->drop, o->drop.row_key[row], (uint32_t)p->head, from + j, 64, f);
        memcpy(p->drop + j, f, smaller(64, n - j) * sizeof *f);
    }
}

/* Scores to probabilities (without the division by the sum) in place. */
static void soft_max_row(const struct op_attention *o, const struct part *p, float *s, size_t row)
{
    float max = -INFINITY, sum = 0;
#pragma omp simd reduction(max : max)
    for (size_t j = 0; j < p->T; j++)
        max = s[j] > max ? s[j] : max;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < p->T; j++) {
        s[j] = exp_f32((s[j] - max) * p->scale);
        sum += s[j];
    }
    ((float *)o->row_max)[row * o->heads + p->head] = max;
    ((float *)o->row_sum)[row * o->heads + p->head] = sum;
    if (o->drop.threshold) {
        drop_factors(o, p, row, 0, p->T);
        for (size_t j = 0; j < p->T; j++)
            s[j] *= p->drop[j];
    }
}

static void forward_part(void *ctx, size_t task, int worker)
{
    const struct op_attention *o = ctx;
    const struct part p = part_of(o, task, worker);
    const float *q = (const float *)o->q + p.at, *k = (const float *)o->k + p.at;
    const float *v = (const float *)o->v + p.at;
    float *y = (float *)o->y + p.at;
    for (size_t i = 0; i < p.T; i += OP_QUERY_TILE) {
        const size_t n = smaller(OP_QUERY_TILE, p.T - i);
        rows_times_rows(o, &p, q + i * o->d, n, k, p.s);
        for (size_t r = 0; r < n; r++)
            soft_max_row(o, &p, p.s + r * p.ld, p.a + i + r);
        weights_times_rows(o, &p, p.s, n, v, 0, y + i * o->d);
        for (size_t r = 0; r < n; r++) {
            const float sum = ((const float *)o->row_sum)[(p.a + i + r) * o->heads + p.head];
            for (size_t m = 0; m < p.W; m++)
                y[(i + r) * o->d + m] /= sum;
        }
    }
}

void attention_forward_cpu(const struct op_attention *o)
{
    threads_for(o->n_cells * o->heads, forward_part, (void *)(uintptr_t)o);
}

/* y . dy of a row: the sum over keys of p dp. */
static float mean_of(const struct op_attention *o, const struct part *p, size_t row)
{
    const size_t at = row * o->d + p->head * p->W;
    const float *g = (const float *)o->dy + at, *y = (const float *)o->y + at;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t m = 0; m < p->W; m++)
        sum += g[m] * y[m];
    return sum;
}

/* From scores s and dp = dy . v_j of keys [from, from + n): s becomes p f (for dv), ds the gradient
 * of the score. */
static void backward_row(const struct op_attention *o, const struct part *p, size_t row,
                         float mean_dp, size_t from, size_t n, float *restrict s,
                         float *restrict ds)
{
    const float max = ((const float *)o->row_max)[row * o->heads + p->head];
    const float one_over = 1 / ((const float *)o->row_sum)[row * o->heads + p->head];
    const float scale = p->scale;
    if (o->drop.threshold) {
        const float *drop = p->drop;
        drop_factors(o, p, row, from, n);
        for (size_t j = 0; j < n; j++) {
            const float prob = exp_f32((s[j] - max) * scale) * one_over;
            ds[j] = prob * (ds[j] * drop[j] - mean_dp) * scale;
            s[j] = prob * drop[j];
        }
        return;
    }
    for (size_t j = 0; j < n; j++) {
        s[j] = exp_f32((s[j] - max) * scale) * one_over;
        ds[j] = s[j] * (ds[j] - mean_dp) * scale;
    }
}

/* A tile of n query rows (from row i of the cell) against keys [j, j + keys). */
static void backward_tile(const struct op_attention *o, const struct part *p, const float *mean_dp,
                          size_t i, size_t n, size_t j, size_t keys)
{
    const size_t d = o->d, W = p->W, at = p->at + i * d, to = p->at + j * d;
    const float *q = (const float *)o->q + at, *dy = (const float *)o->dy + at;
    const float *k = (const float *)o->k + to, *v = (const float *)o->v + to;
    product('N', 'T', n, keys, W, q, d, k, d, 0, p->s, p->ld_tile);
    product('N', 'T', n, keys, W, dy, d, v, d, 0, p->ds, p->ld_tile);
    for (size_t r = 0; r < n; r++)
        backward_row(o, p, p->a + i + r, mean_dp[r], j, keys, p->s + r * p->ld_tile,
                     p->ds + r * p->ld_tile);
    product('T', 'N', keys, W, n, p->s, p->ld_tile, dy, d, 1, (float *)o->dv + to, d);
    product('T', 'N', keys, W, n, p->ds, p->ld_tile, q, d, 1, (float *)o->dk + to, d);
    product('N', 'N', n, W, keys, p->ds, p->ld_tile, k, d, 1, (float *)o->dq + at, d);
}

static void backward_part(void *ctx, size_t task, int worker)
{
    const struct op_attention *o = ctx;
    const struct part p = part_of(o, task, worker);
    float mean_dp[OP_QUERY_TILE];
    for (size_t i = 0; i < p.T; i += OP_QUERY_TILE) {
        const size_t n = smaller(OP_QUERY_TILE, p.T - i);
        for (size_t r = 0; r < n; r++)
            mean_dp[r] = mean_of(o, &p, p.a + i + r);
        for (size_t j = 0; j < p.T; j += KEYS)
            backward_tile(o, &p, mean_dp, i, n, j, smaller(KEYS, p.T - j));
    }
}

void attention_backward_cpu(const struct op_attention *o)
{
    threads_for(o->n_cells * o->heads, backward_part, (void *)(uintptr_t)o);
}
