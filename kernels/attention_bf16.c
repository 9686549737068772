/* Forward attention, products in bf16: the way of kernels/attention_cpu.c with blocks of 32 queries
 * by KEYS keys. Queries are A (rows), keys B (turned), probabilities A as the soft-max writes them,
 * values B (pairs). Scores, maxima, sums and y are f32. */
#include "kernels/attention_bf16.h"

#include "lib/base/thread.h"

enum { SLACK = 16 };

struct soft {
    __m512 sum[BF16_SIDE]; /* in 16 parts */
    float max[BF16_SIDE];
    float *y; /* [32, W_up] */
};

/* What was summed so far, against a new maximum. */
static void soft_shrink(const struct part *p, struct soft *f, size_t r, float max)
{
    const float shrink = exp_f32((f->max[r] - max) * p->scale);
    float *y = f->y + r * p->W_up;
    f->sum[r] = _mm512_mul_ps(f->sum[r], _mm512_set1_ps(shrink));
    for (size_t k = 0; k < p->W_up; k++)
        y[k] *= shrink;
    f->max[r] = max;
}

/* Scores of one query to probabilities (without their last scale) in bf16, those beyond n nought.
 * The maximum moves only when a score stands 2^SLACK above it, as in kernels/attention_cpu.c. */
static void soft_row(const struct part *p, struct soft *f, size_t r, const float *s, bf16 *out,
                     size_t n, const float *factor)
{
    const float scale = p->scale * LOG2_E;
    __m512 top = _mm512_set1_ps(-INFINITY), sum = f->sum[r];
    for (size_t j = 0; j < n; j += 16)
        top = _mm512_mask_max_ps(top, part_mask(j, n), top, _mm512_loadu_ps(s + j));
    if (_mm512_cmp_ps_mask(top, _mm512_set1_ps(f->max[r] + SLACK / scale), _CMP_GT_OQ)) {
        soft_shrink(p, f, r, _mm512_reduce_max_ps(top));
        sum = f->sum[r];
    }
    const __m512 shift = _mm512_set1_ps(f->max[r] * scale), by = _mm512_set1_ps(scale);
    for (size_t j = 0; j < bf16_up(n); j += 16) {
        const __m512 x = _mm512_fmsub_ps(_mm512_loadu_ps(s + j), by, shift);
        __m512 e = _mm512_maskz_mov_ps(part_mask(j, n), bf16_exp2(x));
        sum = _mm512_add_ps(sum, e);
        if (factor)
            e = _mm512_mul_ps(e, _mm512_loadu_ps(factor + j));
        _mm256_storeu_si256((__m256i *)(void *)(out + j), (__m256i)_mm512_cvtneps_pbh(e));
    }
    f->sum[r] = sum;
}

/* Queries [i, i + n) of `q` against all keys. */
static void forward_tile(const struct op_attention *o, const struct part *p, const bf16 *q,
                         const bf16 *keys, const bf16 *values, struct soft *f, size_t i, size_t n)
{
    _Alignas(64) float s[BF16_SIDE * KEYS];
    _Alignas(64) bf16 prob[BF16_SIDE * KEYS];
    const size_t T_up = bf16_up(p->T);
    float factor[KEYS];
    for (size_t r = 0; r < BF16_SIDE; r++) {
        f->max[r] = -INFINITY;
        f->sum[r] = _mm512_setzero_ps();
    }
    memset(f->y, 0, BF16_SIDE * p->W_up * sizeof *f->y);
    memset(prob, 0, sizeof prob);
    for (size_t j = 0; j < p->T; j += KEYS) {
        const size_t m = smaller(KEYS, p->T - j);
        for (size_t k = 0; k < m; k += BF16_SIDE)
            bf16_block(p->W_up / BF16_SIDE, q, p->W_up, keys + (j + k) * p->W_up, false, s + k,
                       KEYS);
        for (size_t r = 0; r < n; r++) {
            if (o->drop.threshold)
                dropout_row_from(&o->drop, o->drop.row_key[p->a + i + r], (uint32_t)p->head, j,
                                 (m + 63) / 64 * 64, factor);
            soft_row(p, f, r, s + r * KEYS, prob + r * KEYS, m, o->drop.threshold ? factor : NULL);
        }
        for (size_t k = 0; k < p->W_up; k += BF16_SIDE)
            bf16_block(bf16_up(m) / BF16_SIDE, prob, KEYS, values + k * T_up + j * BF16_SIDE, true,
                       f->y + k, p->W_up);
    }
}

static void forward_part(void *ctx, size_t task, int worker)
{
    const struct op_attention *o = ctx;
    struct part p = part_of(o, task, worker);
    const size_t T_up = bf16_up(p.T);
    bf16 *q = part_take(&p, T_up * p.W_up), *k = part_take(&p, T_up * p.W_up);
    bf16 *v = part_take(&p, T_up * p.W_up);
    struct soft f = { .y = part_take(&p, 2 * BF16_SIDE * p.W_up) };
    bf16_start();
    bf16_rows((const float *)o->q + p.q_at, o->d, p.n_q, p.W, q);
    bf16_turned(part_of_matrix(&p, o->k), o->d, p.T, p.W, k);
    bf16_pairs(part_of_matrix(&p, o->v), o->d, p.T, p.W, T_up, v);
    for (size_t i = 0; i < p.n_q; i += BF16_SIDE) {
        const size_t n = smaller(BF16_SIDE, p.n_q - i);
        forward_tile(o, &p, q + i * p.W_up, k, v, &f, i, n);
        for (size_t r = 0; r < n; r++) {
            float *y = (float *)o->y + p.q_at + (i + r) * o->d;
            const float sum = _mm512_reduce_add_ps(f.sum[r]), one_over = 1 / sum;
            for (size_t m = 0; m < p.W; m++)
                y[m] = f.y[r * p.W_up + m] * one_over;
            if (o->first_only)
                continue;
            ((float *)o->row_max)[(p.a + i + r) * o->heads + p.head] = f.max[r];
            ((float *)o->row_sum)[(p.a + i + r) * o->heads + p.head] = sum;
        }
    }
}

void BF16(attention_forward)(const struct op_attention *o)
{
    threads_for(o->n_cells * o->heads, forward_part, (void *)(uintptr_t)o);
}
