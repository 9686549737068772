/* id_loss in chunks of CHUNK rows and tiles of CLASSES classes:
 *   1 logits of the chunk, each tile with its row maxima and sums (parallel over tiles)
 *   2 tiles joined in rising order to the log-sum-exp of each row
 *   3 gradient of each tile: de and db of the tile's classes (owned by one task), and its part of
 *     dz (parallel over tiles)
 *   4 parts of dz added in rising order of tiles (parallel over rows)
 * Scratch: logits [CHUNK,V], parts [tiles,CHUNK,D], maxima and sums [tiles,CHUNK] each. */
#include "kernels/loss.h"

#include <math.h>

#include "kernels/math_cpu.h"
#include "lib/base/thread.h"

enum { CHUNK = 256, CLASSES = 512 };

static size_t n_tiles(const struct op_id_loss *o)
{
    return (o->n_class + CLASSES - 1) / CLASSES;
}

size_t CPU(id_loss_work_bytes)(const struct op_id_loss *o)
{
    const size_t tiles = n_tiles(o), rows = smaller(CHUNK, o->n);
    return (rows * o->n_class + tiles * rows * (o->d + 2)) * sizeof(float);
}

struct chunk {
    const struct op_id_loss *o;
    size_t at, rows; /* rows of z */
    float *logits, *part, *max, *sum;
    float log_sum[CHUNK];
    double loss[CHUNK];
};

static void logits_tile(void *ctx, size_t tile, int worker)
{
    struct chunk *c = ctx;
    const struct op_id_loss *o = c->o;
    (void)worker;
    const size_t j = tile * CLASSES, n = smaller(CLASSES, o->n_class - j), V = o->n_class;
    const float *b = o->b;
    for (size_t i = 0; b && i < c->rows; i++)
        memcpy(c->logits + i * V + j, b + j, n * sizeof *b);
    product('N', 'T', c->rows, n, o->d, (const float *)o->z + c->at * o->d, o->d,
            (const float *)o->e + j * o->d, o->d, b ? 1 : 0, c->logits + j, V);
    for (size_t i = 0; i < c->rows; i++) {
        const float *l = c->logits + i * V + j;
        float max = -INFINITY, sum = 0;
#pragma omp simd reduction(max : max)
        for (size_t k = 0; k < n; k++)
            max = l[k] > max ? l[k] : max;
#pragma omp simd reduction(+ : sum)
        for (size_t k = 0; k < n; k++)
            sum += exp2_f32((l[k] - max) * LOG2_E);
        c->max[tile * c->rows + i] = max;
        c->sum[tile * c->rows + i] = sum;
    }
}

static void join_row(struct chunk *c, size_t i)
{
    const struct op_id_loss *o = c->o;
    double max = -INFINITY, sum = 0;
    for (size_t t = 0; t < n_tiles(o); t++)
        max = fmax(max, (double)c->max[t * c->rows + i]);
    for (size_t t = 0; t < n_tiles(o); t++)
        sum += (double)c->sum[t * c->rows + i] * exp((double)c->max[t * c->rows + i] - max);
    const double log_sum = max + log(sum);
    c->log_sum[i] = (float)log_sum;
    c->loss[i] = log_sum - (double)c->logits[i * o->n_class + o->label[c->at + i]];
}

static uint32_t best_of(const float *l, size_t n)
{
    size_t best = 0;
    for (size_t k = 1; k < n; k++)
        if (l[k] > l[best])
            best = k;
    return (uint32_t)best;
}

static void gradient_tile(void *ctx, size_t tile, int worker)
{
    struct chunk *c = ctx;
    const struct op_id_loss *o = c->o;
    (void)worker;
    const size_t j = tile * CLASSES, n = smaller(CLASSES, o->n_class - j), V = o->n_class;
    const float scale = (float)o->scale;
    float sum[CLASSES] = { 0 };
    for (size_t i = 0; i < c->rows; i++) {
        float *l = c->logits + i * V + j;
        for (size_t k = 0; k < n; k++)
            l[k] = scale * exp2_f32((l[k] - c->log_sum[i]) * LOG2_E);
        const size_t label = o->label[c->at + i];
        if (label >= j && label < j + n)
            l[label - j] -= scale;
        for (size_t k = 0; k < n; k++)
            sum[k] += l[k];
    }
    for (size_t k = 0; o->db && k < n; k++)
        ((float *)o->db)[j + k] += sum[k];
    if (o->de)
        product('T', 'N', n, o->d, c->rows, c->logits + j, V, (const float *)o->z + c->at * o->d,
                o->d, 1, (float *)o->de + j * o->d, o->d);
    if (o->dz)
        product('N', 'N', c->rows, o->d, n, c->logits + j, V, (const float *)o->e + j * o->d, o->d,
                0, c->part + tile * c->rows * o->d, o->d);
}

static void join_dz(void *ctx, size_t i, int worker)
{
    struct chunk *c = ctx;
    const struct op_id_loss *o = c->o;
    (void)worker;
    float *dz = (float *)o->dz + (c->at + i) * o->d;
    for (size_t t = 0; t < n_tiles(o); t++) {
        const float *part = c->part + (t * c->rows + i) * o->d;
        for (size_t k = 0; k < o->d; k++)
            dz[k] += part[k];
    }
}

void CPU(id_loss)(const struct op_id_loss *o)
{
    const size_t tiles = n_tiles(o), room = smaller(CHUNK, o->n);
    double total = 0;
    for (size_t at = 0; at < o->n; at += CHUNK) {
        struct chunk c = { .o = o, .at = at, .rows = smaller(CHUNK, o->n - at) };
        c.logits = o->work;
        c.part = c.logits + room * o->n_class;
        c.max = c.part + tiles * room * o->d;
        c.sum = c.max + tiles * room;
        threads_for(tiles, logits_tile, &c);
        for (size_t i = 0; i < c.rows; i++) {
            join_row(&c, i);
            total += c.loss[i];
            if (o->row_loss)
                o->row_loss[at + i] = c.loss[i];
            if (o->best)
                o->best[at + i] = best_of(c.logits + i * o->n_class, o->n_class);
        }
        if (o->logits)
            memcpy((float *)o->logits + at * o->n_class, c.logits,
                   c.rows * o->n_class * sizeof *c.logits);
        if (o->dz || o->de || o->db)
            threads_for(tiles, gradient_tile, &c);
        if (o->dz)
            threads_for(c.rows, join_dz, &c);
    }
    *o->loss = o->scale * total;
}

void CPU(square_loss)(const struct op_square_loss *o)
{
    const float *x = o->x;
    float *dx = o->dx;
    double total = 0;
    for (size_t i = 0; i < o->n; i++) {
        const double diff = (double)x[i] - (double)o->target[i];
        total += diff * diff;
        if (dx)
            dx[i] += (float)(2 * o->scale * diff);
    }
    *o->loss = o->scale * total;
}
