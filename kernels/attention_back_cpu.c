/* Backward: one (cell, head) per task. The probabilities are computed again from the saved maxima
 * and sums, QUERIES x KEYS of them at a time (48 x 192 floats, and as many gradients of scores),
 * and all three gradients are taken from such a block before it leaves the second-level cache: s =
 * q k^T, dp = dy v^T;  p and ds of them;  dv += p^T dy, dk += ds^T q, dq += ds k Blocks of keys
 * outside, of queries inside, both rising: dk and dv of a block of keys are summed in scratch over
 * all queries, dq of the whole cell over the blocks of keys. Sums are added to the gradients of the
 * batch once, at the end. */
#include "kernels/attention_cpu.h"

#include "lib/base/thread.h"

struct back {
    struct part p;
    const float *q_turned, *dy_turned, *k_turned, *v_turned;
    const float *q, *dy, *k; /* panels */
    float *dq;               /* [T up to whole QUERIES, W_up] */
    float *dk, *dv;          /* [KEYS, W_up] */
    float *s, *ds;           /* [QUERIES, KEYS] */
    float *mean_dp;          /* [T] y . dy of a row: the sum over keys of p dp */
};

static struct back back_of(const struct op_attention *o, size_t task, int worker)
{
    struct back b = { .p = part_of(o, task, worker) };
    struct part *p = &b.p;
    b.q_turned = part_turned(o, p, o->q, TILE_ROWS);
    b.dy_turned = part_turned(o, p, o->dy, TILE_ROWS);
    b.k_turned = part_turned(o, p, o->k, TILE_COLS);
    b.v_turned = part_turned(o, p, o->v, TILE_COLS);
    b.q = part_panels(o, p, o->q);
    b.dy = part_panels(o, p, o->dy);
    b.k = part_panels(o, p, o->k);
    const size_t rows = tile_up(p->T, QUERIES);
    b.dq = part_take(p, rows * p->W_up);
    b.dk = part_take(p, KEYS * p->W_up);
    b.dv = part_take(p, KEYS * p->W_up);
    b.s = part_take(p, QUERIES * KEYS);
    b.ds = part_take(p, QUERIES * KEYS);
    b.mean_dp = part_take(p, p->T);
    memset(b.dq, 0, rows * p->W_up * sizeof *b.dq);
    /* Tiles reach beyond the last key; what they read there meets no sum that is kept. */
    memset(b.s, 0, QUERIES * KEYS * sizeof *b.s);
    memset(b.ds, 0, QUERIES * KEYS * sizeof *b.ds);
    return b;
}

static float mean_of(const struct op_attention *o, const struct part *p, size_t i)
{
    const float *g = (const float *)o->dy + p->at + i * o->d;
    const float *y = (const float *)o->y + p->at + i * o->d;
    double sum = 0; /* what ds is measured from: its sum over keys should be nought */
#pragma omp simd reduction(+ : sum)
    for (size_t m = 0; m < p->W; m++)
        sum += (double)g[m] * (double)y[m];
    return (float)sum;
}

/* From scores s and dp = dy . v_j of n keys from `from`: s becomes p f (for dv), ds the gradient of
 * the score. */
static void back_row(const struct op_attention *o, const struct back *b, size_t i, size_t from,
                     size_t n, float *restrict s, float *restrict ds)
{
    const struct part *p = &b->p;
    const size_t row = p->a + i;
    const float max = ((const float *)o->row_max)[row * o->heads + p->head];
    const float one_over = 1 / ((const float *)o->row_sum)[row * o->heads + p->head];
    const float scale = p->scale, by = scale * LOG2_E, shift = max * by;
    const float mean_dp = b->mean_dp[i];
    if (o->drop.threshold) {
        float f[KEYS];
        dropout_row_from(&o->drop, o->drop.row_key[row], (uint32_t)p->head, from, tile_up(n, 64),
                         f);
#pragma omp simd
        for (size_t j = 0; j < n; j++) {
            const float prob = exp2_f32(s[j] * by - shift) * one_over;
            ds[j] = prob * (ds[j] * f[j] - mean_dp) * scale;
            s[j] = prob * f[j];
        }
        return;
    }
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        s[j] = exp2_f32(s[j] * by - shift) * one_over;
        ds[j] = s[j] * (ds[j] - mean_dp) * scale;
    }
}

/* Queries [i, i + n) against keys [j, j + m). */
static void back_block(const struct op_attention *o, const struct back *b, size_t i, size_t n,
                       size_t j, size_t m)
{
    const struct part *p = &b->p;
    part_scores(p, b->q_turned + i * p->W, n, b->k_turned + j * p->W, m, b->s);
    part_scores(p, b->dy_turned + i * p->W, n, b->v_turned + j * p->W, m, b->ds);
    for (size_t r = 0; r < n; r++)
        back_row(o, b, i + r, j, m, b->s + r * KEYS, b->ds + r * KEYS);
    for (size_t c = 0; c < p->W_up; c += TILE_COLS) {
        for (size_t k = 0; k < m; k += TILE_ROWS) {
            tile(n, b->s + k, 1, KEYS, part_panel(p, b->dy, i, c), TILE_COLS, true,
                 b->dv + k * p->W_up + c, p->W_up);
            tile(n, b->ds + k, 1, KEYS, part_panel(p, b->q, i, c), TILE_COLS, true,
                 b->dk + k * p->W_up + c, p->W_up);
        }
        for (size_t r = 0; r < n; r += TILE_ROWS)
            tile(m, b->ds + r * KEYS, KEYS, 1, part_panel(p, b->k, j, c), TILE_COLS, true,
                 b->dq + (i + r) * p->W_up + c, p->W_up);
    }
}

/* Rows [i, i + n) of the cell in `to` += from[n, W_up] */
static void add_rows(const struct op_attention *o, const struct part *p, const float *from,
                     size_t i, size_t n, void *to)
{
    for (size_t r = 0; r < n; r++) {
        float *x = (float *)to + p->at + (i + r) * o->d;
        for (size_t k = 0; k < p->W; k++)
            x[k] += from[r * p->W_up + k];
    }
}

static void back_part(void *ctx, size_t task, int worker)
{
    const struct op_attention *o = ctx;
    const struct back b = back_of(o, task, worker);
    const struct part *p = &b.p;
    for (size_t i = 0; i < p->T; i++)
        b.mean_dp[i] = mean_of(o, p, i);
    for (size_t j = 0; j < p->T; j += KEYS) {
        const size_t m = smaller(KEYS, p->T - j);
        memset(b.dk, 0, KEYS * p->W_up * sizeof *b.dk);
        memset(b.dv, 0, KEYS * p->W_up * sizeof *b.dv);
        for (size_t i = 0; i < p->T; i += QUERIES)
            back_block(o, &b, i, smaller(QUERIES, p->T - i), j, m);
        add_rows(o, p, b.dk, j, m, o->dk);
        add_rows(o, p, b.dv, j, m, o->dv);
    }
    add_rows(o, p, b.dq, 0, p->T, o->dq);
}

void CPU(attention_backward)(const struct op_attention *o)
{
    threads_for(o->n_cells * o->heads, back_part, (void *)(uintptr_t)o);
}
