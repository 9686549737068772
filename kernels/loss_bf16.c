/* id_loss with bf16 products. Logits are made the other way round, a tile of CLASSES classes by the
 * rows of a chunk, l^T = e z^T + b, so that soft-max runs over 16 rows side by side and the
 * gradient g^T, as it is written, is the left side of de += g^T z and, in pairs, the right side of
 * dz^T += e^T g^T. Logits are never kept: they are computed again for the gradient, which costs a
 * product more and saves three ways of 4 V bytes a row through memory. 1 every group of tiles: row
 * maxima, sums, best class (parallel over groups) 2 groups joined in rising order to the
 * log-sum-exp of each row, in double 3 every group: de, db of its classes, its part of dz^T 4 parts
 * of dz^T added in rising order of groups (parallel over rows) GROUPS is fixed, so sums do not
 * depend on the number of threads. */
#include "kernels/loss.h"

#include <math.h>

#include "kernels/bf16.h"
#include "kernels/math_cpu.h"
#include "lib/base/thread.h"

enum { CHUNK = 512, CLASSES = 64, GROUPS = 32 };

/* Scratch of one worker: a tile of e both ways, its logits, their gradient both ways. */
struct tile_work {
    bf16 *e_rows, *e_columns, *g_rows, *g_pairs;
    float *l;
};

struct chunk {
    const struct op_id_loss *o;
    size_t at, rows, up, d_up, tiles; /* rows of z; up: rows in whole panels */
    bf16 *z_turned, *z_pairs;
    float *part;                      /* [GROUPS][d_up][up] of dz^T */
    float *max, *sum;                 /* [GROUPS][up] */
    uint32_t *best;                   /* [GROUPS][up] */
    float own[CHUNK], log_sum[CHUNK]; /* the label's logit; the log-sum-exp, in powers of 2 */
    char *work;
    size_t work_bytes;
};

static size_t chunk_rows(const struct op_id_loss *o)
{
    return bf16_up(smaller(CHUNK, o->n));
}

static size_t worker_bytes(const struct op_id_loss *o)
{
    const size_t d_up = bf16_up(o->d), up = chunk_rows(o);
    return 2 * CLASSES * d_up * sizeof(bf16) + CLASSES * up * (2 * sizeof(bf16) + sizeof(float));
}

size_t BF16(id_loss_work_bytes)(const struct op_id_loss *o)
{
    const size_t d_up = bf16_up(o->d), up = chunk_rows(o);
    return 2 * d_up * up * sizeof(bf16) + GROUPS * up * (d_up + 3) * sizeof(float) +
           (size_t)threads_count() * worker_bytes(o);
}

static struct tile_work work_of(const struct chunk *c, int worker)
{
    struct tile_work w;
    w.e_rows = (bf16 *)(void *)(c->work + (size_t)worker * c->work_bytes);
    w.e_columns = w.e_rows + CLASSES * c->d_up;
    w.g_rows = w.e_columns + CLASSES * c->d_up;
    w.g_pairs = w.g_rows + CLASSES * c->up;
    w.l = (float *)(void *)(w.g_pairs + CLASSES * c->up);
    return w;
}

/* l^T of classes [j, j + n). */
static void logits(const struct chunk *c, const struct tile_work *w, size_t j, size_t n)
{
    const struct op_id_loss *o = c->o;
    const float *b = o->b;
    bf16_rows((const float *)o->e + j * o->d, o->d, n, o->d, w->e_rows);
    for (size_t r = 0; r < n; r += BF16_SIDE)
        for (size_t i = 0; i < c->up; i += BF16_SIDE)
            bf16_block(c->d_up / BF16_SIDE, w->e_rows + r * c->d_up, c->d_up,
                       c->z_turned + i * c->d_up, false, w->l + r * c->up + i, c->up);
    for (size_t r = 0; b && r < n; r++)
        for (size_t i = 0; i < c->up; i++)
            w->l[r * c->up + i] += b[j + r];
}

/* Tiles [*first, returned) of a group. */
static size_t group_tiles(const struct chunk *c, size_t group, size_t *first)
{
    *first = c->tiles * group / GROUPS;
    return c->tiles * (group + 1) / GROUPS;
}

/* Maxima, sums and best classes of 16 rows from i on, over the n classes of a tile from j on. */
static void soft_rows(const struct chunk *c, const struct tile_work *w, size_t group, size_t j,
                      size_t n, size_t i)
{
    float *to_max = c->max + group * c->up + i, *to_sum = c->sum + group * c->up + i;
    uint32_t *to_best = c->best + group * c->up + i;
    const __m512 before = _mm512_loadu_ps(to_max), by = _mm512_set1_ps(LOG2_E);
    __m512 max = before;
    __m512i best = _mm512_loadu_si512(to_best);
    for (size_t r = 0; r < n; r++) {
        const __m512 l = _mm512_loadu_ps(w->l + r * c->up + i);
        const __mmask16 more = _mm512_cmp_ps_mask(l, max, _CMP_GT_OQ);
        max = _mm512_mask_mov_ps(max, more, l);
        best = _mm512_mask_mov_epi32(best, more, _mm512_set1_epi32((int)(j + r)));
    }
    const __m512 shift = _mm512_mul_ps(max, by);
    __m512 sum =
        _mm512_mul_ps(_mm512_loadu_ps(to_sum), bf16_exp2(_mm512_fmsub_ps(before, by, shift)));
    for (size_t r = 0; r < n; r++) {
        const __m512 l = _mm512_loadu_ps(w->l + r * c->up + i);
        sum = _mm512_add_ps(sum, bf16_exp2(_mm512_fmsub_ps(l, by, shift)));
    }
    _mm512_storeu_ps(to_max, max);
    _mm512_storeu_ps(to_sum, sum);
    _mm512_storeu_si512(to_best, best);
}

static void soft_group(void *ctx, size_t group, int worker)
{
    struct chunk *c = ctx;
    const struct op_id_loss *o = c->o;
    const struct tile_work w = work_of(c, worker);
    size_t t, end = group_tiles(c, group, &t);
    bf16_start();
    for (size_t i = 0; i < c->up; i++) {
        c->max[group * c->up + i] = -1e30f; /* below any logit, and finite: see bf16_exp2 */
        c->sum[group * c->up + i] = 0;
        c->best[group * c->up + i] = 0;
    }
    for (; t < end; t++) {
        const size_t j = t * CLASSES, n = smaller(CLASSES, o->n_class - j);
        logits(c, &w, j, n);
        for (size_t i = 0; i < c->up; i += 16)
            soft_rows(c, &w, group, j, n, i);
        for (size_t i = 0; i < c->rows; i++) {
            const size_t label = o->label[c->at + i];
            if (label >= j && label < j + n)
                c->own[i] = w.l[(label - j) * c->up + i];
        }
        float *out = o->logits ? (float *)o->logits + c->at * o->n_class + j : NULL;
        for (size_t i = 0; out && i < c->rows; i++)
            for (size_t r = 0; r < n; r++)
                out[i * o->n_class + r] = w.l[r * c->up + i];
    }
}

/* -log softmax of row i at its label. */
static double join_row(struct chunk *c, size_t i, uint32_t *best)
{
    double max = -INFINITY, sum = 0;
    for (size_t g = 0; g < GROUPS; g++)
        if ((double)c->max[g * c->up + i] > max) {
            max = (double)c->max[g * c->up + i];
            *best = c->best[g * c->up + i];
        }
    for (size_t g = 0; g < GROUPS; g++)
        sum += (double)c->sum[g * c->up + i] * exp((double)c->max[g * c->up + i] - max);
    const double log_sum = max + log(sum);
    c->log_sum[i] = (float)(log_sum * 1.4426950408889634);
    return log_sum - (double)c->own[i];
}

/* g^T of classes j + r and j + r + 1, of which those from n on are nought. */
static void gradient_rows(const struct chunk *c, const struct tile_work *w, size_t j, size_t n,
                          size_t r)
{
    const struct op_id_loss *o = c->o;
    const __m512 scale = _mm512_set1_ps((float)o->scale), by = _mm512_set1_ps(LOG2_E);
    __m512 total[2] = { _mm512_setzero_ps(), _mm512_setzero_ps() };
    for (size_t i = 0; i < c->up; i += 16) {
        const __m512 shift = _mm512_loadu_ps(c->log_sum + i);
        __m512 g[2] = { _mm512_setzero_ps(), _mm512_setzero_ps() };
        for (size_t k = 0; k < 2; k++) {
            float *l = w->l + (r + k) * c->up + i;
            if (r + k < n) {
                /* What is there at a label already, less the scale: set by gradient_tile. */
                g[k] =
                    _mm512_mul_ps(bf16_exp2(_mm512_fmsub_ps(_mm512_loadu_ps(l), by, shift)), scale);
                _mm512_storeu_ps(l, g[k]);
                total[k] = _mm512_add_ps(total[k], g[k]);
            }
            _mm256_storeu_si256((__m256i *)(void *)(w->g_rows + (r + k) * c->up + i),
                                (__m256i)_mm512_cvtneps_pbh(g[k]));
        }
        _mm512_storeu_si512(w->g_pairs + i / 32 * 32 * CLASSES + r * 32 + i % 32 * 2,
                            bf16_zip(g[0], g[1]));
    }
    for (size_t k = 0; o->db && k < 2 && r + k < n; k++)
        ((float *)o->db)[j + r + k] += _mm512_reduce_add_ps(total[k]);
}

static bf16 bf16_of(float x)
{
    return (bf16)_mm_extract_epi16((__m128i)_mm_cvtneps_pbh(_mm_set_ss(x)), 0);
}

/* Takes the scale from the gradient at the labels of this tile. */
static void gradient_labels(const struct chunk *c, const struct tile_work *w, size_t j, size_t n)
{
    const struct op_id_loss *o = c->o;
    for (size_t i = 0; i < c->rows; i++) {
        const size_t label = o->label[c->at + i], r = label - j;
        if (label < j || label >= j + n)
            continue;
        const bf16 g = bf16_of(w->l[r * c->up + i] - (float)o->scale);
        w->g_rows[r * c->up + i] = g;
        w->g_pairs[i / 32 * 32 * CLASSES + r / 2 * 64 + i % 32 * 2 + r % 2] = g;
        if (o->db)
            ((float *)o->db)[label] -= (float)o->scale;
    }
}

static void gradient_group(void *ctx, size_t group, int worker)
{
    struct chunk *c = ctx;
    const struct op_id_loss *o = c->o;
    const struct tile_work w = work_of(c, worker);
    float *part = c->part + group * c->d_up * c->up;
    size_t t, end = group_tiles(c, group, &t);
    bf16_start();
    memset(part, 0, c->d_up * c->up * sizeof *part);
    for (; t < end; t++) {
        const size_t j = t * CLASSES, n = smaller(CLASSES, o->n_class - j);
        logits(c, &w, j, n);
        for (size_t r = 0; r < CLASSES; r += 2)
            gradient_rows(c, &w, j, n, r);
        gradient_labels(c, &w, j, n);
        for (size_t k = 0; o->de && k < o->d; k += BF16_SIDE)
            for (size_t r = 0; r < n; r += BF16_SIDE)
                bf16_corner(c->up / BF16_SIDE, w.g_rows + r * c->up, c->up, c->z_pairs + k * c->up,
                            true, (float *)o->de + (j + r) * o->d + k, o->d, n - r, o->d - k);
        if (!o->dz)
            continue;
        bf16_columns((const float *)o->e + j * o->d, o->d, n, o->d, w.e_columns, CLASSES);
        for (size_t k = 0; k < c->d_up; k += BF16_SIDE)
            for (size_t i = 0; i < c->up; i += BF16_SIDE)
                bf16_block(bf16_up(n) / BF16_SIDE, w.e_columns + k * CLASSES, CLASSES,
                           w.g_pairs + i * CLASSES, true, part + k * c->up + i, c->up);
    }
}

/* Rows [16 task, + 16) of dz. */
static void join_dz(void *ctx, size_t task, int worker)
{
    const struct chunk *c = ctx;
    const struct op_id_loss *o = c->o;
    (void)worker;
    const size_t i = 16 * task;
    for (size_t k = 0; k < o->d; k++) {
        float sum[16] = { 0 };
        for (size_t g = 0; g < GROUPS; g++) {
            const float *part = c->part + (g * c->d_up + k) * c->up + i;
            for (size_t r = 0; r < 16; r++)
                sum[r] += part[r];
        }
        for (size_t r = 0; r < 16 && i + r < c->rows; r++)
            ((float *)o->dz)[(c->at + i + r) * o->d + k] += sum[r];
    }
}

static void lay_out(struct chunk *c)
{
    const struct op_id_loss *o = c->o;
    c->d_up = bf16_up(o->d);
    c->up = bf16_up(c->rows);
    c->tiles = (o->n_class + CLASSES - 1) / CLASSES;
    c->z_turned = o->work;
    c->z_pairs = c->z_turned + c->d_up * c->up;
    c->part = (float *)(void *)(c->z_pairs + c->d_up * c->up);
    c->max = c->part + GROUPS * c->d_up * c->up;
    c->sum = c->max + GROUPS * c->up;
    c->best = (uint32_t *)(void *)(c->sum + GROUPS * c->up);
    c->work = (char *)(c->best + GROUPS * c->up);
    c->work_bytes = worker_bytes(o);
    for (size_t i = 0; i < CHUNK; i++)
        c->log_sum[i] = 1e30f; /* rows beyond the last: no gradient */
}

void BF16(id_loss)(const struct op_id_loss *o)
{
    double total = 0;
    for (size_t at = 0; at < o->n; at += CHUNK) {
        struct chunk c = { .o = o, .at = at, .rows = smaller(CHUNK, o->n - at) };
        const float *z = (const float *)o->z + at * o->d;
        lay_out(&c);
        bf16_turned(z, o->d, c.rows, o->d, c.z_turned);
        bf16_pairs(z, o->d, c.rows, o->d, c.up, c.z_pairs);
        threads_for(GROUPS, soft_group, &c);
        for (size_t i = 0; i < c.rows; i++) {
            uint32_t best = 0;
            const double loss = join_row(&c, i, &best);
            total += loss;
            if (o->row_loss)
                o->row_loss[at + i] = loss;
            if (o->best)
                o->best[at + i] = best;
        }
        if (o->dz || o->de || o->db)
            threads_for(GROUPS, gradient_group, &c);
        if (o->dz)
            threads_for((c.rows + 15) / 16, join_dz, &c);
    }
    *o->loss = o->scale * total;
}
