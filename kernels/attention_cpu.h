/* What forward and backward attention of the cpu filling share: one cell and head at a time. */
#ifndef GC_KERNELS_ATTENTION_CPU_H
#define GC_KERNELS_ATTENTION_CPU_H

#include <math.h>

#include "kernels/attention.h"
#include "kernels/dropout_cpu.h"
#include "kernels/math_cpu.h"
#include "kernels/tile_cpu.h"

/* Keys at a time: tiles of TILE_ROWS and of TILE_COLS fit, and blocks of 64 dropout numbers. A
 * block of keys, values and their gradients (192 x 64 floats each) stays in the second-level cache.
 */
enum { KEYS = 192 };

/* One cell and head: T rows, W columns of the matrices, W_up columns of padded copies. */
struct part {
    size_t a, T, W, W_up, head, at; /* a: first row; at: offset of (row a, head's column) */
    float scale;
    float *work;
};

static inline struct part part_of(const struct op_attention *o, size_t task, int worker)
{
    struct part p;
    const size_t c = task / o->heads;
    p.head = task % o->heads;
    p.a = o->first[c];
    p.T = o->first[c + 1] - p.a;
    p.W = o->d / o->heads;
    p.W_up = tile_up(p.W, TILE_COLS);
    p.at = p.a * o->d + p.head * p.W;
    p.scale = (float)(1 / sqrt((double)p.W));
    p.work = (float *)o->work + (size_t)worker * o->work_reals;
    return p;
}

/* Takes n floats from the worker's scratch, on a cache line. */
static inline float *part_take(struct part *p, size_t n)
{
    float *x = p->work;
    p->work += tile_up(n, 16);
    return x;
}

/* Rows that may be the right side of a tile: those of the matrix where a head's width is whole
 * tiles, else a padded copy. */
struct part_rows {
    const float *x;
    size_t ld;
};

static inline struct part_rows part_rows(const struct op_attention *o, struct part *p,
                                         const void *matrix)
{
    const float *x = (const float *)matrix + p->at;
    if (p->W == p->W_up)
        return (struct part_rows){ x, o->d };
    float *copy = part_take(p, p->T * p->W_up);
    tile_widen(x, o->d, p->T, p->W, p->W_up, copy);
    return (struct part_rows){ copy, p->W_up };
}

/* Rows turned over, `height` at a time. */
static inline const float *part_turned(const struct op_attention *o, struct part *p,
                                       const void *matrix, size_t height)
{
    float *copy = part_take(p, tile_up(p->T, height) * p->W);
    tile_turn((const float *)matrix + p->at, o->d, p->T, p->W, height, copy);
    return copy;
}

/* s[TILE_ROWS][KEYS] = a tile of rows (turned over) times `keys` keys (turned over, from one that
 * begins a tile). */
static inline void part_scores(const struct part *p, const float *rows, const float *turned,
                               size_t keys, float *s)
{
    for (size_t j = 0; j < keys; j += TILE_COLS)
        tile(p->W, rows, 1, TILE_ROWS, turned + j * p->W, TILE_COLS, false, s + j, KEYS);
}

#endif
