/* Gradients of linear, both on the tile of kernels/tile_cpu.h:
 *   dx += g W    rows of g as they lie, W in panels of TILE_COLS inputs, as the forward product
 *   dw += g^T x  over BLOCK rows at a time, packed once for all: x in panels of TILE_COLS columns,
 *                g in strips of TILE_ROWS columns. A tile of dw is added to every DEPTH rows.
 * Read from the matrices themselves, both sides of dw lie a row apart, often a power of two: they
 * share a few sets of the first-level cache. Scratch, one after the other: panels of W of all
 * operations; or sums for db, then x and g of a block. */
#include "kernels/linear.h"

#include "kernels/linear_rows_cpu.h"
#include "lib/base/thread.h"

/* A task of dw: OUT x IN of it, whole strips and panels of either tile. BLOCK rows take less room
 * than the panels of the widest weights of Base. */
enum { BLOCK = 2 * DEPTH, OUT = 48, IN = 128, STRIPS = OUT / TILE_ROWS };

struct back {
    const struct op_linear *o; /* operations on the same x */
    size_t ops;
    size_t rows;  /* dx: of a task */
    size_t at, n; /* dw: rows of the block */
    bool weights; /* dw of any operation */
    double *sum;  /* [strips] of all operations: db so far */
    float *x, *g; /* packed; g: of all operations, one behind the other */
};

static size_t groups_of(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

static size_t groups_of_all(const struct op_linear *o, size_t ops)
{
    size_t groups = 0;
    for (size_t i = 0; i < ops; i++)
        groups += groups_of(o[i].out, OUT);
    return groups;
}

/* Any of the operations may stand still while others learn. */
static bool any_dw(const struct op_linear *o, size_t ops)
{
    for (size_t i = 0; i < ops; i++)
        if (o[i].dw)
            return true;
    return false;
}

static bool any_db(const struct op_linear *o, size_t ops)
{
    for (size_t i = 0; i < ops; i++)
        if (o[i].db)
            return true;
    return false;
}

size_t CPU(linear_back_bytes)(const struct op_linear *o, size_t ops)
{
    const size_t groups = groups_of_all(o, ops), in_up = tile_up(o->in, TILE_COLS);
    size_t panels = 0;
    for (size_t i = 0; i < ops; i++)
        panels += in_up * o[i].out * sizeof(float);
    const bool weights = any_dw(o, ops) || any_db(o, ops);
    const size_t block = groups * OUT * sizeof(double) +
                         smaller(o->n, BLOCK) * (in_up + groups * OUT) * sizeof(float);
    return weights && block > panels ? block : panels;
}

static const float *slope_of(const struct op_linear *o)
{
    return o->act == ACT_NONE ? o->dy : o->work;
}

/* Panels of W of operation i. */
static float *panels_at(const struct back *b, size_t i)
{
    float *to = b->o->scratch;
    for (size_t k = 0; k < i; k++)
        to += tile_up(b->o->in, TILE_COLS) * b->o[k].out;
    return to;
}

static void pack_weights(void *ctx, size_t task, int worker)
{
    const struct back *b = ctx;
    const size_t panels = panels_of(b->o->in), i = task / panels, k = task % panels * TILE_COLS;
    const struct op_linear *o = &b->o[i];
    (void)worker;
    tile_widen((const float *)o->w + k, o->ld_w, o->out, smaller(TILE_COLS, o->in - k),
               panels_at(b, i) + k * o->out);
}

/* The newest first, which is the order of their sums in dx when they come one by one. */
static void backward_rows(void *ctx, size_t task, int worker)
{
    const struct back *b = ctx;
    const size_t at = task * b->rows, rows = smaller(b->rows, b->o->n - at);
    (void)worker;
    for (size_t i = b->ops; i-- > 0;) {
        const struct op_linear *o = &b->o[i];
        const size_t first = at * o->out;
        if (o->act != ACT_NONE)
            slope_block(o->act, (const float *)o->pre + first, (const float *)o->dy + first,
                        (float *)o->work + first, rows * o->out);
        if (o->dx)
            rows_multiply(&(struct rows_product){ .rows = rows,
                                                  .deep = o->out,
                                                  .cols = o->in,
                                                  .a = slope_of(o) + first,
                                                  .ld_a = o->out,
                                                  .panels = panels_at(b, i),
                                                  .add = true,
                                                  .wide = b->rows == ROWS_WIDE,
                                                  .c = (float *)o->dx + at * o->ld_x,
                                                  .ld_c = o->ld_x });
    }
}

/* Of OUT columns of the gradient: strips for dw, and their sums for db, in double: of many rows
 * whose sum may be nought, as a key bias's is. */
static void pack_gradient(const struct back *b, const struct op_linear *o, size_t j, size_t group)
{
    const size_t out = smaller(OUT, o->out - j);
    const float *g = slope_of(o) + b->at * o->out + j;
    float *to = b->g + group * OUT * b->n;
    double sum[OUT] = { 0 };
    if (b->at)
        memcpy(sum, b->sum + group * OUT, sizeof sum);
    for (size_t i = 0; i < b->n; i++, g += o->out) {
        float row[OUT] = { 0 };
        enum { AHEAD = 12 };
        if (i + AHEAD < b->n)
            tile_fetch(g + AHEAD * o->out, out);
        if (out == OUT)
            memcpy(row, g, sizeof row);
        else
            memcpy(row, g, out * sizeof *row);
        for (size_t s = 0; o->dw && s < STRIPS; s++)
            memcpy(to + (s * b->n + i) * TILE_ROWS, row + s * TILE_ROWS, TILE_ROWS * sizeof *to);
        for (size_t m = 0; o->db && m < OUT; m++)
            sum[m] += (double)row[m];
    }
    memcpy(b->sum + group * OUT, sum, sizeof sum);
    for (size_t m = 0; o->db && b->at + b->n == o->n && m < out; m++)
        ((float *)o->db)[j + m] += (float)sum[m];
}

static void pack_block(void *ctx, size_t task, int worker)
{
    const struct back *b = ctx;
    const struct op_linear *o = b->o;
    const size_t panels = b->weights ? panels_of(o->in) : 0;
    (void)worker;
    if (task < panels) {
        const size_t k = task * TILE_COLS;
        tile_widen((const float *)o->x + b->at * o->ld_x + k, o->ld_x, b->n,
                   smaller(TILE_COLS, o->in - k), b->x + k * b->n);
        return;
    }
    size_t group = task - panels;
    for (; group >= groups_of(o->out, OUT); o++)
        group -= groups_of(o->out, OUT);
    pack_gradient(b, o, group * OUT, task - panels);
}

/* A tile of dw, `out` x `in` of it there, over `depth` rows of the block. */
static void add_tile(size_t depth, const float *g, const float *x, float *dw, size_t ld, size_t out,
                     size_t in)
{
    const bool whole = out >= TILE_ROWS && in >= TILE_COLS;
    float edge[TILE_ROWS * TILE_COLS];
    float *c = whole ? dw : edge;
    const size_t ld_c = whole ? ld : TILE_COLS, rows = smaller(out, TILE_ROWS);
    if (!whole)
        load_rows(edge, rows, smaller(in, TILE_COLS), dw, ld);
    tile(depth, g, 1, TILE_ROWS, x, TILE_COLS, true, c, ld_c);
    if (!whole)
        store_rows(edge, rows, smaller(in, TILE_COLS), dw, ld);
}

/* OUT x IN of the dw of one operation. */
static void multiply_block(void *ctx, size_t task, int worker)
{
    const struct back *b = ctx;
    const struct op_linear *o = b->o;
    const size_t across = groups_of(o->in, IN), from = task % across * IN;
    size_t group = task / across;
    const float *strips = b->g + group * OUT * b->n;
    (void)worker;
    for (; group >= groups_of(o->out, OUT); o++)
        group -= groups_of(o->out, OUT);
    if (!o->dw)
        return;
    const size_t j = group * OUT, end_j = smaller(j + OUT, o->out), end = smaller(from + IN, o->in);
    for (size_t at = 0; at < b->n; at += DEPTH)
        for (size_t k = from; k < end; k += TILE_COLS)
            for (size_t r = j; r < end_j; r += TILE_ROWS) {
                float *dw = (float *)o->dw + r * o->ld_w + k;
                if (r + TILE_ROWS < end_j)
                    fetch_tile(dw + TILE_ROWS * o->ld_w, o->ld_w, end_j - r - TILE_ROWS);
                add_tile(smaller(DEPTH, b->n - at), strips + (r - j) * b->n + at * TILE_ROWS,
                         b->x + k * b->n + at * TILE_COLS, dw, o->ld_w, end_j - r, o->in - k);
            }
}

static void backward_weights(struct back *b)
{
    const struct op_linear *o = b->o;
    const size_t groups = groups_of_all(o, b->ops);
    b->sum = o->scratch;
    b->weights = any_dw(o, b->ops);
    for (b->at = 0; b->at < o->n; b->at += BLOCK) {
        b->n = smaller(BLOCK, o->n - b->at);
        b->x = (float *)(b->sum + groups * OUT);
        b->g = b->x + tile_up(o->in, TILE_COLS) * b->n;
        threads_for(groups + (b->weights ? panels_of(o->in) : 0), pack_block, b);
        if (b->weights)
            threads_for(groups * groups_of(o->in, IN), multiply_block, b);
    }
}

void CPU(linears_backward)(const struct op_linear *o, size_t ops)
{
    struct back b = { .o = o, .ops = ops };
    size_t out = 0;
    if (!o->n)
        return;
    for (size_t i = 0; i < ops; i++)
        out += o[i].out;
    b.rows = out * tile_up(o->in, TILE_COLS) * sizeof(float) > WIDE ? ROWS_WIDE : ROWS;
    if (o->dx)
        threads_for(ops * panels_of(o->in), pack_weights, &b);
    if (o->dx || o->act != ACT_NONE)
        threads_for((o->n + b.rows - 1) / b.rows, backward_rows, &b);
    if (any_dw(o, ops) || any_db(o, ops))
        backward_weights(&b);
}

void CPU(linear_backward)(const struct op_linear *o)
{
    CPU(linears_backward)(o, 1);
}
