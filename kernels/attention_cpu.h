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
 * QUERIES at a time: whole tiles. */
enum { KEYS = 192, QUERIES = 48 };

/* One cell and head: T rows, W columns of the matrices, W_up columns of padded copies. */
struct part {
    size_t a, T, W, W_up, head, at; /* a: first row; at: offset of (row a, head's column) */
    size_t n_q, q_at;               /* queries, where the first of them is in q and y */
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
    p.n_q = o->first_only ? 1 : p.T;
    p.q_at = o->first_only ? c * o->d + p.head * p.W : p.at;
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

/* Rows as the right side of a tile: columns in panels of TILE_COLS, each row of a panel behind the
 * one before. Read from the matrix itself, rows lie a power of two apart: they share a few sets of
 * the first-level cache and push each other out. */
static inline const float *part_panels(const struct op_attention *o, struct part *p,
                                       const void *matrix)
{
    float *copy = part_take(p, p->T * p->W_up);
    for (size_t c = 0; c < p->W; c += TILE_COLS)
        tile_widen((const float *)matrix + p->at + c, o->d, p->T, smaller(TILE_COLS, p->W - c),
                   copy + c * p->T);
    return copy;
}

/* Row j of the panel that begins with column c. */
static inline const float *part_panel(const struct part *p, const float *panels, size_t j, size_t c)
{
    return panels + c * p->T + j * TILE_COLS;
}

/* n rows from offset `at` on turned over, `height` at a time. */
static inline const float *part_turned_from(const struct op_attention *o, struct part *p,
                                            const void *matrix, size_t at, size_t n, size_t height)
{
    float *copy = part_take(p, tile_up(n, height) * p->W);
    tile_turn((const float *)matrix + at, o->d, n, p->W, height, copy);
    return copy;
}

static inline const float *part_turned(const struct op_attention *o, struct part *p,
                                       const void *matrix, size_t height)
{
    return part_turned_from(o, p, matrix, p->at, p->T, height);
}

/* s[n][KEYS] = n rows (turned over, whole tiles) times `keys` keys (turned over, from one that
 * begins a tile). A tile of keys meets all rows while it is in the first-level cache. */
static inline void part_scores(const struct part *p, const float *rows, size_t n,
                               const float *turned, size_t keys, float *s)
{
    for (size_t j = 0; j < keys; j += TILE_COLS)
        for (size_t r = 0; r < n; r += TILE_ROWS)
            tile(p->W, rows + r * p->W, 1, TILE_ROWS, turned + j * p->W, TILE_COLS, false,
                 s + r * KEYS + j, KEYS);
}

#endif
