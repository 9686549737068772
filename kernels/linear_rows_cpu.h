/* Rows of a matrix times one that is packed in panels of TILE_COLS columns, each [deep][TILE_COLS]:
 * forward linear, and the gradient of its input. A tile of rows takes its sums
 * over DEPTH numbers in registers, rows read as they lie, beginning with the bias or what c holds.
 * A row's bits depend on that row and the panels alone. */
#ifndef GC_KERNELS_LINEAR_ROWS_CPU_H
#define GC_KERNELS_LINEAR_ROWS_CPU_H

#include "kernels/linear_act_cpu.h"
#include "kernels/tile_cpu.h"

/* Rows of a task, whole tiles, and how deep a panel is taken at a time. Such a piece (AVX-512:
 * 32 KiB) meets all rows of the task while it is in the first-level cache. Panels of more than WIDE
 * bytes come from beyond the second-level cache: more rows share them, and the next piece is asked
 * for ahead. */
enum { ROWS = 48, ROWS_WIDE = 96, DEPTH = 256, WIDE = 1 << 20 };

struct rows_product {
    size_t rows, deep, cols; /* rows <= ROWS_WIDE */
    const float *a;          /* [rows, deep], ld_a from one to the next */
    size_t ld_a;
    const float *panels;
    const float *bias; /* [cols] or NULL */
    bool add;          /* to what c holds; neither bias, pre nor act then */
    bool wide;
    float *c; /* [rows, cols] */
    size_t ld_c;
    float *pre; /* like c: before the activation; or NULL */
    enum act act;
};

static inline size_t panels_of(size_t cols)
{
    return tile_up(cols, TILE_COLS) / TILE_COLS;
}

/* A share of the piece after this one into the second-level cache, with each tile of rows. Pieces
 * lie one behind the other, those of the next panel too. */
static inline void fetch_next(const float *piece, size_t reals, size_t row)
{
    enum { LINE = 16 };
    const size_t share = tile_up(reals * TILE_ROWS / ROWS_WIDE, LINE),
                 from = share * (row / TILE_ROWS);
    for (size_t i = from; i < from + share; i += LINE)
        __builtin_prefetch((const void *)((uintptr_t)(piece + reals) + i * sizeof *piece), 0, 2);
}

/* What the next tile will be added to: rows far apart are foreseen by nobody but us. */
static inline void fetch_tile(const float *c, size_t ld_c, size_t rows)
{
    for (size_t r = 0; r < smaller(rows, TILE_ROWS); r++)
        for (size_t v = 0; v < TILE_COLS; v += 16)
            __builtin_prefetch(c + r * ld_c + v, 1);
}

/* Columns [j, j + n) of the product, [k, k + depth) of each sum. */
struct piece {
    size_t j, n, k, depth;
    const float *w;
    float start[TILE_COLS]; /* the bias, where this piece is the first */
    float *sums;            /* [ROWS_WIDE][TILE_COLS] of the pieces before */
};

/* n columns of rows of c. */
static inline void store_rows(const float *sums, size_t rows, size_t n, float *c, size_t ld_c)
{
    for (size_t r = 0; r < rows; r++, sums += TILE_COLS, c += ld_c)
        if (n == TILE_COLS)
            memcpy(c, sums, TILE_COLS * sizeof *c);
        else
            memcpy(c, sums, n * sizeof *c);
}

static inline void load_rows(float *sums, size_t rows, size_t n, const float *c, size_t ld_c)
{
    memset(sums, 0, TILE_ROWS * TILE_COLS * sizeof *sums);
    for (size_t r = 0; r < rows; r++)
        memcpy(sums + r * TILE_COLS, c + r * ld_c, n * sizeof *c);
}

/* `rows` rows of a, from row r on: a tile at most. The first piece reads c, the last writes it, at
 * once where the tile is whole and nothing else is to be done. */
static inline void piece_rows(const struct rows_product *p, const struct piece *e, const float *a,
                              size_t ld_a, size_t r, size_t rows)
{
    const bool whole = rows == TILE_ROWS && e->n == TILE_COLS && p->act == ACT_NONE;
    const bool first = e->k == 0, last = e->k + e->depth == p->deep;
    const size_t at = r * p->ld_c + e->j;
    float *sums = e->sums + r * TILE_COLS, *c = p->c + at;
    const bool from_c = whole && first && p->add, to_c = whole && last && !p->pre;
    if (first && p->add && !whole)
        load_rows(sums, rows, e->n, c, p->ld_c);
    const float *before = from_c ? c : sums;
    tile_onto(e->depth, a, ld_a, 1, e->w, TILE_COLS, e->start, first && !p->add ? NULL : before,
              from_c ? p->ld_c : TILE_COLS, to_c ? c : sums, to_c ? p->ld_c : TILE_COLS);
    if (!last || to_c)
        return;
    if (p->pre)
        store_rows(sums, rows, e->n, p->pre + at, p->ld_c);
    if (p->act != ACT_NONE)
        act_block(p->act, sums, sums, TILE_ROWS * TILE_COLS);
    store_rows(sums, rows, e->n, c, p->ld_c);
}

/* Rows beyond the last are noughts. */
static inline void piece_task(const struct rows_product *p, const struct piece *e)
{
    float pad[TILE_ROWS * DEPTH];
    for (size_t r = 0; r < p->rows; r += TILE_ROWS) {
        const size_t rows = smaller(p->rows - r, TILE_ROWS);
        const float *a = p->a + r * p->ld_a + e->k;
        if (p->wide)
            fetch_next(e->w, e->depth * TILE_COLS, r);
        if (p->add && !e->k && r + TILE_ROWS < p->rows)
            fetch_tile(p->c + (r + TILE_ROWS) * p->ld_c + e->j, p->ld_c, p->rows - r - TILE_ROWS);
        if (rows < TILE_ROWS) {
            memset(pad, 0, sizeof pad);
            for (size_t i = 0; i < rows; i++)
                memcpy(pad + i * DEPTH, a + i * p->ld_a, e->depth * sizeof *a);
        }
        piece_rows(p, e, rows < TILE_ROWS ? pad : a, rows < TILE_ROWS ? DEPTH : p->ld_a, r, rows);
    }
}

static inline void rows_multiply(const struct rows_product *p)
{
    _Alignas(64) float sums[ROWS_WIDE * TILE_COLS];
    struct piece e = { .sums = sums };
    const float *panel = p->panels;
    for (e.j = 0; e.j < p->cols; e.j += TILE_COLS, panel += TILE_COLS * p->deep)
        for (e.k = 0; e.k < p->deep; e.k += DEPTH) {
            e.n = smaller(TILE_COLS, p->cols - e.j);
            memset(e.start, 0, sizeof e.start);
            if (p->bias && !e.k)
                memcpy(e.start, p->bias + e.j, e.n * sizeof *e.start);
            e.depth = smaller(DEPTH, p->deep - e.k);
            e.w = panel + e.k * TILE_COLS;
            piece_task(p, &e);
        }
}

#endif
