/* Forward: one (cell, head) per task. Keys are packed once in tiles turned over, so that scores
 * come a tile of queries at a time from registers; of KEYS keys at a time the scores of one tile of
 * queries (12 x 192 floats) stay in the first-level cache, become probabilities against the largest
 * score so far, and are multiplied with the values at once. When a larger score comes, what was
 * summed before is scaled down (the soft-max of Milakov and Gimelshein 2018). No row of T scores
 * exists.
 *
 * Flow of a tile of queries, for each block of keys:
 *   scores -> new maximum -> probabilities and their sum -> y = y * shrink + probabilities * values
 */
#include "kernels/attention_cpu.h"

#include "lib/base/thread.h"

/* Sums of a tile of queries so far. */
struct soft {
    float max[TILE_ROWS], sum[TILE_ROWS];
    float *y; /* [TILE_ROWS, W_up] */
};

/* Scores s[0..n) of one query to probabilities without their last scale. */
static void soft_row(const struct part *p, struct soft *f, size_t r, float *restrict s, size_t n)
{
    float max = f->max[r], sum = 0;
#pragma omp simd reduction(max : max)
    for (size_t j = 0; j < n; j++)
        max = s[j] > max ? s[j] : max;
    const float scale = p->scale * LOG2_E, shift = max * scale;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < n; j++) {
        s[j] = exp2_f32(s[j] * scale - shift);
        sum += s[j];
    }
    if (max > f->max[r]) {
        const float shrink = exp2_f32((f->max[r] - max) * scale);
        float *y = f->y + r * p->W_up;
        f->sum[r] *= shrink;
        for (size_t k = 0; k < p->W_up; k++)
            y[k] *= shrink;
    }
    f->max[r] = max;
    f->sum[r] += sum;
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
static void forward_tile(const struct op_attention *o, const struct part *p, const float *q,
                         const float *keys, struct part_rows values, struct soft *f, size_t i,
                         size_t n)
{
    _Alignas(64) float s[TILE_ROWS * KEYS];
    for (size_t r = 0; r < TILE_ROWS; r++) {
        f->max[r] = -INFINITY;
        f->sum[r] = 0;
    }
    memset(f->y, 0, TILE_ROWS * p->W_up * sizeof *f->y);
    for (size_t j = 0; j < p->T; j += KEYS) {
        const size_t m = smaller(KEYS, p->T - j);
        part_scores(p, q, keys + j * p->W, m, s);
        for (size_t r = 0; r < n; r++) {
            soft_row(p, f, r, s + r * KEYS, m);
            if (o->drop.threshold)
                drop_row(o, p, p->a + i + r, j, s + r * KEYS, m);
        }
        for (size_t k = 0; k < p->W_up; k += TILE_COLS)
            tile(m, s, KEYS, 1, values.x + j * values.ld + k, values.ld, true, f->y + k, p->W_up);
    }
}

static void forward_part(void *ctx, size_t task, int worker)
{
    const struct op_attention *o = ctx;
    struct part p = part_of(o, task, worker);
    const float *q = part_turned(o, &p, o->q, TILE_ROWS), *k = part_turned(o, &p, o->k, TILE_COLS);
    const struct part_rows v = part_rows(o, &p, o->v);
    struct soft f = { .y = part_take(&p, TILE_ROWS * p.W_up) };
    for (size_t i = 0; i < p.T; i += TILE_ROWS) {
        const size_t n = smaller(TILE_ROWS, p.T - i);
        forward_tile(o, &p, q + i * p.W, k, v, &f, i, n);
        for (size_t r = 0; r < n; r++) {
            float *y = (float *)o->y + p.at + (i + r) * o->d;
            const float one_over = 1 / f.sum[r];
            for (size_t m = 0; m < p.W; m++)
                y[m] = f.y[r * p.W_up + m] * one_over;
            ((float *)o->row_max)[(p.a + i + r) * o->heads + p.head] = f.max[r];
            ((float *)o->row_sum)[(p.a + i + r) * o->heads + p.head] = f.sum[r];
        }
    }
}

void CPU(attention_forward)(const struct op_attention *o)
{
    threads_for(o->n_cells * o->heads, forward_part, (void *)(uintptr_t)o);
}
