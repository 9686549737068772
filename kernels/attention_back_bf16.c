/* Backward attention, products in bf16. Scores are made the other way round, a block of ROWS keys
 * by KEYS queries, s^T = k q^T and dp^T = v dy^T, so that
 *   - the row maxima and sums of the soft-max are vectors beside 16 neighbouring scores,
 *   - p^T and ds^T, as they are written, are the left sides (A) of dv += p^T dy and dk += ds^T q,
 *   - ds^T in pairs of rows is the right side (B) of dq^T += k^T ds^T:
 * no block is turned over. dk and dv of a block of keys are summed over all queries, rising; dq^T
 * of the cell over the blocks of keys; all in f32, added to the gradients of the batch once. */
#include "kernels/attention_bf16.h"

#include "lib/base/thread.h"

enum { ROWS = 64 };

/* Blocks of scores and what becomes of them. */
struct block {
    float s[ROWS * KEYS], dp[ROWS * KEYS];
    bf16 p[ROWS * KEYS], ds[ROWS * KEYS], ds_pairs[ROWS * KEYS];
    float factor[ROWS * KEYS]; /* dropout */
};

struct back {
    struct part p;
    size_t T_up;
    bf16 *k_rows, *v_rows, *k_columns;               /* A */
    bf16 *q_turned, *dy_turned, *q_pairs, *dy_pairs; /* B */
    float *dq, *dk, *dv;                             /* [W_up, T_up], [ROWS, W_up] */
    float *max, *one_over, *mean_dp;                 /* [T_up + KEYS] of each query */
    struct block *b;
};

static struct back back_of(const struct op_attention *o, size_t task, int worker)
{
    struct back b = { .p = part_of(o, task, worker) };
    struct part *p = &b.p;
    const size_t T_up = b.T_up = bf16_up(p->T), all = T_up * p->W_up;
    bf16 **const of[] = { &b.k_rows,    &b.v_rows,  &b.k_columns, &b.q_turned,
                          &b.dy_turned, &b.q_pairs, &b.dy_pairs };
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        *of[i] = part_take(p, all);
    b.dq = part_take(p, 2 * all);
    b.dk = part_take(p, 2 * ROWS * p->W_up);
    b.dv = part_take(p, 2 * ROWS * p->W_up);
    b.max = part_take(p, 2 * (T_up + KEYS));
    b.one_over = part_take(p, 2 * (T_up + KEYS));
    b.mean_dp = part_take(p, 2 * (T_up + KEYS));
    b.b = part_take(p, sizeof *b.b / sizeof(bf16));
    bf16_rows(part_of_matrix(p, o->k), o->d, p->T, p->W, b.k_rows);
    bf16_rows(part_of_matrix(p, o->v), o->d, p->T, p->W, b.v_rows);
    bf16_columns(part_of_matrix(p, o->k), o->d, p->T, p->W, b.k_columns, T_up);
    bf16_turned(part_of_matrix(p, o->q), o->d, p->T, p->W, b.q_turned);
    bf16_turned(part_of_matrix(p, o->dy), o->d, p->T, p->W, b.dy_turned);
    bf16_pairs(part_of_matrix(p, o->q), o->d, p->T, p->W, T_up, b.q_pairs);
    bf16_pairs(part_of_matrix(p, o->dy), o->d, p->T, p->W, T_up, b.dy_pairs);
    memset(b.dq, 0, all * sizeof *b.dq);
    return b;
}

/* Of each query the maximum, 1 / sum, and y . dy; nought beyond the last, so that p and ds are too.
 */
static void query_numbers(const struct op_attention *o, const struct back *b)
{
    const struct part *p = &b->p;
    for (size_t i = 0; i < b->T_up + KEYS; i++) {
        b->max[i] = b->one_over[i] = b->mean_dp[i] = 0;
        if (i >= p->T)
            continue;
        const size_t row = (p->a + i) * o->heads + p->head;
        const float *g = part_of_matrix(p, o->dy) + i * o->d,
                    *y = part_of_matrix(p, o->y) + i * o->d;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t m = 0; m < p->W; m++)
            sum += g[m] * y[m];
        b->max[i] = ((const float *)o->row_max)[row] * p->scale * LOG2_E;
        b->one_over[i] = 1 / ((const float *)o->row_sum)[row];
        b->mean_dp[i] = sum;
    }
}

/* Dropout factors of keys [j, j + ROWS) x queries [i, i + n), from rows of queries. */
static void block_factors(const struct op_attention *o, const struct back *b, size_t i, size_t n,
                          size_t j)
{
    float f[ROWS];
    for (size_t q = 0; q < n; q++) {
        dropout_row_from(&o->drop, o->drop.row_key[b->p.a + i + q], (uint32_t)b->p.head, j, ROWS,
                         f);
        for (size_t r = 0; r < ROWS; r++)
            b->b->factor[r * KEYS + q] = f[r];
    }
}

static __m512 prob_of(const struct back *b, const float *s, size_t i)
{
    const __m512 scale = _mm512_set1_ps(b->p.scale * LOG2_E);
    const __m512 x = _mm512_fmsub_ps(_mm512_loadu_ps(s), scale, _mm512_loadu_ps(b->max + i));
    return _mm512_mul_ps(bf16_exp2(x), _mm512_loadu_ps(b->one_over + i));
}

/* Rows r and r + 1 of the block: p and ds from scores and dp. Rows from `rows` on become nought. */
static void two_rows(const struct back *b, size_t r, size_t rows, size_t i, size_t n, bool drop)
{
    struct block *t = b->b;
    const __m512 scale = _mm512_set1_ps(b->p.scale);
    for (size_t c = 0; c < n; c += 16) {
        __m512 p[2], ds[2];
        const __m512 mean = _mm512_loadu_ps(b->mean_dp + i + c);
        for (size_t k = 0; k < 2; k++) {
            const size_t at = (r + k) * KEYS + c;
            const __mmask16 keep = r + k < rows ? 0xffff : 0;
            __m512 dp = _mm512_loadu_ps(t->dp + at);
            p[k] = _mm512_maskz_mov_ps(keep, prob_of(b, t->s + at, i + c));
            if (drop)
                dp = _mm512_mul_ps(dp, _mm512_loadu_ps(t->factor + at));
            ds[k] = _mm512_mul_ps(_mm512_mul_ps(p[k], _mm512_sub_ps(dp, mean)), scale);
            ds[k] = _mm512_maskz_mov_ps(keep, ds[k]);
            if (drop)
                p[k] = _mm512_mul_ps(p[k], _mm512_loadu_ps(t->factor + at));
            _mm256_storeu_si256((__m256i *)(void *)(t->p + at), (__m256i)_mm512_cvtneps_pbh(p[k]));
            _mm256_storeu_si256((__m256i *)(void *)(t->ds + at),
                                (__m256i)_mm512_cvtneps_pbh(ds[k]));
        }
        _mm512_storeu_si512(t->ds_pairs + c / 32 * 32 * ROWS + r * 32 + c % 32 * 2,
                            bf16_zip(ds[0], ds[1]));
    }
}

/* Keys [j, j + rows) against queries [i, i + n), n a multiple of 32 but for what is nought. */
static void back_block(const struct op_attention *o, const struct back *b, size_t i, size_t n,
                       size_t j, size_t rows)
{
    const size_t W_up = b->p.W_up, deep = W_up / BF16_SIDE, down = bf16_up(rows);
    struct block *t = b->b;
    for (size_t r = 0; r < down; r += BF16_SIDE)
        for (size_t c = 0; c < n; c += BF16_SIDE) {
            bf16_block(deep, b->k_rows + (j + r) * W_up, W_up, b->q_turned + (i + c) * W_up, false,
                       t->s + r * KEYS + c, KEYS);
            bf16_block(deep, b->v_rows + (j + r) * W_up, W_up, b->dy_turned + (i + c) * W_up, false,
                       t->dp + r * KEYS + c, KEYS);
        }
    if (o->drop.threshold)
        block_factors(o, b, i, smaller(n, b->p.T - i), j);
    for (size_t r = 0; r < down; r += 2)
        two_rows(b, r, rows, i, n, o->drop.threshold != 0);
    for (size_t c = 0; c < W_up; c += BF16_SIDE) {
        const size_t panel = c * b->T_up + i * BF16_SIDE;
        for (size_t r = 0; r < down; r += BF16_SIDE) {
            bf16_block(n / BF16_SIDE, t->p + r * KEYS, KEYS, b->dy_pairs + panel, true,
                       b->dv + r * W_up + c, W_up);
            bf16_block(n / BF16_SIDE, t->ds + r * KEYS, KEYS, b->q_pairs + panel, true,
                       b->dk + r * W_up + c, W_up);
        }
        for (size_t q = 0; q < n; q += BF16_SIDE)
            bf16_block(down / BF16_SIDE, b->k_columns + c * b->T_up + j, b->T_up,
                       t->ds_pairs + q * ROWS, true, b->dq + c * b->T_up + i + q, b->T_up);
    }
}

/* Rows [j, j + n) of the cell in `to` += from[n, W_up] */
static void add_rows(const struct op_attention *o, const struct part *p, const float *from,
                     size_t j, size_t n, void *to)
{
    for (size_t r = 0; r < n; r++) {
        float *x = (float *)to + p->at + (j + r) * o->d;
        for (size_t k = 0; k < p->W; k++)
            x[k] += from[r * p->W_up + k];
    }
}

/* dq += dq^T turned over, 16 rows at a time so that what is read stays in the cache. */
static void add_turned(const struct op_attention *o, const struct back *b)
{
    const struct part *p = &b->p;
    float *to = (float *)o->dq + p->at;
    for (size_t i = 0; i < p->T; i += 16)
        for (size_t k = 0; k < p->W; k++)
            for (size_t r = i; r < smaller(i + 16, p->T); r++)
                to[r * o->d + k] += b->dq[k * b->T_up + r];
}

static void back_part(void *ctx, size_t task, int worker)
{
    const struct op_attention *o = ctx;
    bf16_start();
    const struct back b = back_of(o, task, worker);
    const struct part *p = &b.p;
    query_numbers(o, &b);
    if (o->drop.threshold)
        memset(b.b->factor, 0, sizeof b.b->factor);
    for (size_t j = 0; j < p->T; j += ROWS) {
        const size_t rows = smaller(ROWS, p->T - j);
        memset(b.dk, 0, ROWS * p->W_up * sizeof *b.dk);
        memset(b.dv, 0, ROWS * p->W_up * sizeof *b.dv);
        for (size_t i = 0; i < b.T_up; i += KEYS)
            back_block(o, &b, i, smaller(KEYS, b.T_up - i), j, rows);
        add_rows(o, p, b.dk, j, rows, o->dk);
        add_rows(o, p, b.dv, j, rows, o->dv);
    }
    add_turned(o, &b);
}

void BF16(attention_backward)(const struct op_attention *o)
{
    threads_for(o->n_cells * o->heads, back_part, (void *)(uintptr_t)o);
}
