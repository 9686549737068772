/* Forward: one (cell, head) per task. Keys are packed once in tiles turned over, values once in
 * panels, so that scores come a tile of queries at a time from registers. Of KEYS keys at a time
 * the scores of QUERIES queries (48 x 192 floats) become probabilities against the largest score so
 * far, and are multiplied with the values at once: a tile of keys or values meets four tiles of
 * queries while it is in the first-level cache. When a larger score comes, what was summed before
 * is scaled down (the soft-max of Milakov and Gimelshein 2018). No row of T scores exists.
 *
 * Flow of a block of queries, for each block of keys:
 *   scores -> new maximum -> probabilities and their sum -> y = y * shrink + probabilities * values
 */
#include "kernels/attention_cpu.h"

#include "lib/base/thread.h"

enum { SLACK = 16 };

/* Sums of a block of queries so far. */
struct soft {
    tile_vec sum[QUERIES]; /* in as many parts as a register has numbers */
    float max[QUERIES];
    float *y; /* [QUERIES, W_up] */
    float *s; /* [QUERIES, KEYS] scores, then probabilities */
};

/* 2^x as exp2_f32, of a register: the exponent is added to that of the polynomial. */
static inline tile_vec exp2_vec(tile_vec x)
{
    typedef uint32_t bits __attribute__((vector_size(sizeof(tile_vec))));
    const float shift = 12582912.0f;
    x = tile_max((tile_vec){ 0 } - 126.0f, x); /* in this order what is no number stays none */
    const tile_vec k = x + shift, f = x - (k - shift);
    tile_vec p = f * 0.00132764718f + 0.00967554133f;
    p = p * f + 0.0555071327f;
    p = p * f + 0.240221197f;
    p = p * f + 0.693146967f;
    p = p * f + 1.0f;
    return (tile_vec)((bits)p + ((bits)k << 23));
}

/* What was summed so far, against a new maximum. */
static void soft_shrink(const struct part *p, struct soft *f, size_t r, tile_vec top)
{
    float max = f->max[r], *y = f->y + r * p->W_up;
    for (size_t k = 0; k < CPU_FLOATS; k++)
        max = top[k] > max ? top[k] : max;
    const float shrink = exp2_f32((f->max[r] - max) * p->scale * LOG2_E);
    f->sum[r] *= shrink;
    for (size_t k = 0; k < p->W_up; k++)
        y[k] *= shrink;
    f->max[r] = max;
}

/* Scores s[0..n) of one query to probabilities without their last scale. The maximum is left as it
 * is until a score stands 2^SLACK above it: floats have the room, and the next row need not wait.
 */
static void soft_row(const struct part *p, struct soft *f, size_t r, float *s, size_t n)
{
    tile_load *x = (tile_load *)s;
    const size_t vecs = (n + CPU_FLOATS - 1) / CPU_FLOATS;
    const float by = p->scale * LOG2_E;
    for (size_t j = n; j < vecs * CPU_FLOATS; j++)
        s[j] = -INFINITY;
    tile_vec top = x[0];
    for (size_t j = 1; j < vecs; j++)
        top = tile_max(top, x[j]);
    if (tile_any_above(top, f->max[r] + SLACK / by))
        soft_shrink(p, f, r, top);
    const float shift = f->max[r] * by;
    tile_vec sum = f->sum[r];
    for (size_t j = 0; j < vecs; j++) {
        const tile_vec e = exp2_vec(x[j] * by - shift);
        x[j] = e;
        sum += e;
    }
    f->sum[r] = sum;
}

static float soft_sum(const struct soft *f, size_t r)
{
    float sum = 0;
    for (size_t k = 0; k < CPU_FLOATS; k++)
        sum += f->sum[r][k];
    return sum;
}

static void drop_row(const struct op_attention *o, const struct part *p, size_t row, size_t from,
                     float *restrict s, size_t n)
{
    float f[KEYS];
    dropout_row_from(&o->drop, o->drop.row_key[row], (uint32_t)p->head, from, tile_up(n, 64), f);
    for (size_t j = 0; j < n; j++)
        s[j] *= f[j];
}

/* Queries [i, i + n) against all keys. */
static void forward_block(const struct op_attention *o, const struct part *p, const float *q,
                          const float *keys, const float *values, struct soft *f, size_t i,
                          size_t n)
{
    for (size_t r = 0; r < n; r++) {
        f->max[r] = -INFINITY;
        f->sum[r] = (tile_vec){ 0 };
    }
    memset(f->y, 0, QUERIES * p->W_up * sizeof *f->y);
    for (size_t j = 0; j < p->T; j += KEYS) {
        const size_t m = smaller(KEYS, p->T - j);
        part_scores(p, q, n, keys + j * p->W, m, f->s);
        for (size_t r = 0; r < n; r++) {
            soft_row(p, f, r, f->s + r * KEYS, m);
            if (o->drop.threshold)
                drop_row(o, p, p->a + i + r, j, f->s + r * KEYS, m);
        }
        for (size_t c = 0; c < p->W_up; c += TILE_COLS)
            for (size_t r = 0; r < n; r += TILE_ROWS)
                tile(m, f->s + r * KEYS, KEYS, 1, part_panel(p, values, j, c), TILE_COLS, true,
                     f->y + r * p->W_up + c, p->W_up);
    }
}

static void forward_part(void *ctx, size_t task, int worker)
{
    const struct op_attention *o = ctx;
    struct part p = part_of(o, task, worker);
    const float *q = part_turned_from(o, &p, o->q, p.q_at, p.n_q, TILE_ROWS);
    const float *k = part_turned(o, &p, o->k, TILE_COLS), *v = part_panels(o, &p, o->v);
    struct soft f = { .y = part_take(&p, QUERIES * p.W_up), .s = part_take(&p, QUERIES * KEYS) };
    for (size_t i = 0; i < p.n_q; i += QUERIES) {
        const size_t n = smaller(QUERIES, p.n_q - i);
        forward_block(o, &p, q + i * p.W, k, v, &f, i, n);
        for (size_t r = 0; r < n; r++) {
            float *y = (float *)o->y + p.q_at + (i + r) * o->d;
            const float sum = soft_sum(&f, r), one_over = 1 / sum;
            for (size_t m = 0; m < p.W; m++)
                y[m] = f.y[r * p.W_up + m] * one_over;
            if (o->first_only)
                continue;
            ((float *)o->row_max)[(p.a + i + r) * o->heads + p.head] = f.max[r];
            ((float *)o->row_sum)[(p.a + i + r) * o->heads + p.head] = sum;
        }
    }
}

void CPU(attention_forward)(const struct op_attention *o)
{
    threads_for(o->n_cells * o->heads, forward_part, (void *)(uintptr_t)o);
}
