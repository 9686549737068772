/* Forward: weights are packed in panels of TILE_COLS outputs; a tile of rows takes its sums over
 * DEPTH inputs in registers, beginning with the bias, x read as it lies, and gets its activation as
 * it is stored.
 * A row's bits depend on that row alone (tests/kernels/test_rows.c). Backward: oneDNN. */
#include "kernels/linear.h"

#include "kernels/linear_act_cpu.h"
#include "kernels/tile_cpu.h"
#include "lib/base/thread.h"

enum { LINEAR_ROWS = 128, LINEAR_OUT = 64, LINEAR_IN = 128, ACT_BLOCK = 1 << 14 };
/* Forward: rows of a task, whole tiles, and how deep a panel of weights is taken at a time. Such a
 * piece (32 KiB) meets all rows of the task while it is in the first-level cache. Weights of more
 * than WIDE bytes come from beyond the second-level cache: more rows share them, and the next piece
 * is asked for ahead. */
enum { ROWS = 48, ROWS_WIDE = 96, DEPTH = 256, WIDE = 1 << 20 };

/* Operations on the same x: a tile of it goes through all of them while it is in the cache. */
struct many {
    const struct op_linear *o;
    size_t ops;
    size_t rows; /* forward: of a task */
};

static size_t panels_of(const struct op_linear *o)
{
    return tile_up(o->out, TILE_COLS) / TILE_COLS;
}

size_t CPU(linear_packed_bytes)(const struct op_linear *o)
{
    return panels_of(o) * TILE_COLS * o->in * sizeof(float);
}

size_t CPU(linear_scratch_bytes)(const struct op_linear *o, size_t ops)
{
    size_t bytes = 0;
    for (size_t i = 0; i < ops; i++)
        bytes += CPU(linear_packed_bytes)(&o[i]);
    return bytes;
}

struct packing {
    const struct op_linear *o;
    float *to;
};

static void pack_panel(void *ctx, size_t panel, int worker)
{
    const struct packing *p = ctx;
    const struct op_linear *o = p->o;
    const size_t at = panel * TILE_COLS;
    (void)worker;
    tile_turn((const float *)o->w + at * o->ld_w, o->ld_w, smaller(TILE_COLS, o->out - at), o->in,
              TILE_COLS, p->to + at * o->in);
}

void CPU(linear_pack)(const struct op_linear *o, void *to)
{
    struct packing p = { o, to };
    threads_for(panels_of(o), pack_panel, &p);
}

/* The panels of operation i: packed before, or in the scratch of all. */
static float *panels_at(const struct op_linear *o, size_t i)
{
    float *to = o->scratch;
    for (size_t k = 0; k < i; k++)
        to += panels_of(&o[k]) * TILE_COLS * o[k].in;
    return to;
}

/* A share of the piece of weights after this one into the second-level cache, with each tile of
 * rows. Pieces lie one behind the other, those of the next panel too. */
static void fetch_next(const float *piece, size_t reals, size_t row)
{
    enum { LINE = 16 };
    const size_t share = tile_up(reals * TILE_ROWS / ROWS_WIDE, LINE),
                 from = share * (row / TILE_ROWS);
    for (size_t i = from; i < from + share; i += LINE)
        __builtin_prefetch((const void *)((uintptr_t)(piece + reals) + i * sizeof *piece), 0, 2);
}

/* A piece of weights, `depth` inputs from k on, for the rows of a task. */
struct piece {
    const struct op_linear *o;
    size_t j, k, depth;
    const float *w;
    bool wide;
    float *sums; /* [rows][TILE_COLS] of the pieces before; only where there are several */
    float start[TILE_COLS]; /* the bias, where this piece is the first */
};

/* Columns [j, j + n) of rows of y. */
static void store(const struct op_linear *o, const float *sums, size_t rows, size_t n, float *y)
{
    for (size_t r = 0; r < rows; r++, sums += TILE_COLS, y += o->out)
        if (n == TILE_COLS)
            memcpy(y, sums, TILE_COLS * sizeof *y);
        else
            memcpy(y, sums, n * sizeof *y);
}

/* What a tile of rows comes to, in the first-level cache still. */
static void finish(const struct op_linear *o, float *sums, size_t rows, size_t to, size_t n)
{
    if (o->pre)
        store(o, sums, rows, n, (float *)o->pre + to);
    if (o->act != ACT_NONE)
        act_block(o->act, sums, sums, TILE_ROWS * TILE_COLS);
    store(o, sums, rows, n, (float *)o->y + to);
}

/* `rows` rows of x, from row `at` of the operation and row r of the task: a tile at most. The last
 * piece writes y, at once where nothing else is to be done. */
static void piece_rows(const struct piece *p, const float *a, size_t ld, size_t at, size_t r,
                       size_t rows)
{
    const struct op_linear *o = p->o;
    const size_t n = smaller(TILE_COLS, o->out - p->j), to = at * o->out + p->j;
    const bool last = p->k + p->depth == o->in;
    float *sums = p->sums + r * TILE_COLS;
    if (last && o->act == ACT_NONE && n == TILE_COLS && rows == TILE_ROWS) {
        tile_onto(p->depth, a, ld, 1, p->w, TILE_COLS, p->start, p->k ? sums : NULL, TILE_COLS,
                  (float *)o->y + to, o->out);
        return;
    }
    tile_onto(p->depth, a, ld, 1, p->w, TILE_COLS, p->start, p->k ? sums : NULL, TILE_COLS, sums,
              TILE_COLS);
    if (last)
        finish(o, sums, rows, to, n);
}

/* Rows [at, at + rows) of the operation. Rows beyond the last are noughts. */
static void piece_task(const struct piece *p, size_t at, size_t rows)
{
    const struct op_linear *o = p->o;
    float pad[TILE_ROWS * DEPTH];
    for (size_t r = 0; r < rows; r += TILE_ROWS) {
        const float *a = (const float *)o->x + (at + r) * o->ld_x + p->k;
        if (p->wide)
            fetch_next(p->w, p->depth * TILE_COLS, r);
        if (rows - r >= TILE_ROWS) {
            piece_rows(p, a, o->ld_x, at + r, r, TILE_ROWS);
            continue;
        }
        memset(pad, 0, sizeof pad);
        for (size_t i = 0; i < rows - r; i++)
            memcpy(pad + i * DEPTH, a + i * o->ld_x, p->depth * sizeof *a);
        piece_rows(p, pad, DEPTH, at + r, r, rows - r);
    }
}

static void forward_rows(void *ctx, size_t task, int worker)
{
    const struct many *l = ctx;
    const size_t at = task * l->rows, rows = smaller(l->rows, l->o->n - at);
    _Alignas(64) float sums[ROWS_WIDE * TILE_COLS];
    (void)worker;
    for (const struct op_linear *o = l->o; o < l->o + l->ops; o++) {
        const float *panel = o->packed ? o->packed : panels_at(l->o, (size_t)(o - l->o));
        struct piece p = { .o = o, .wide = l->rows == ROWS_WIDE, .sums = sums };
        for (p.j = 0; p.j < o->out; p.j += TILE_COLS, panel += TILE_COLS * o->in)
            for (p.k = 0; p.k < o->in; p.k += DEPTH) {
                const size_t n = smaller(TILE_COLS, o->out - p.j);
                memset(p.start, 0, sizeof p.start);
                if (o->b && !p.k)
                    memcpy(p.start, (const float *)o->b + p.j, n * sizeof *p.start);
                p.depth = smaller(DEPTH, o->in - p.k);
                p.w = panel + p.k * TILE_COLS;
                piece_task(&p, at, rows);
            }
    }
}

void CPU(linears_forward)(const struct op_linear *o, size_t ops)
{
    const bool wide = CPU(linear_scratch_bytes)(o, ops) > WIDE;
    struct many l = { o, ops, wide ? ROWS_WIDE : ROWS };
    if (!o->n)
        return;
    for (size_t i = 0; i < ops; i++)
        if (!o[i].packed)
            CPU(linear_pack)(&o[i], panels_at(o, i));
    threads_for((o->n + l.rows - 1) / l.rows, forward_rows, &l);
}

void CPU(linear_forward)(const struct op_linear *o)
{
    CPU(linears_forward)(o, 1);
}

static const float *slope_of(const struct op_linear *o)
{
    return o->act == ACT_NONE ? o->dy : o->work;
}

static void backward_rows(const struct op_linear *o, size_t tile)
{
    const size_t at = tile * LINEAR_ROWS, rows = smaller(LINEAR_ROWS, o->n - at);
    if (o->act != ACT_NONE)
        slope_block(o->act, (const float *)o->pre + at * o->out, (const float *)o->dy + at * o->out,
                    (float *)o->work + at * o->out, rows * o->out);
    if (o->dx)
        product('N', 'N', rows, o->in, o->out, slope_of(o) + at * o->out, o->out, o->w, o->ld_w, 1,
                (float *)o->dx + at * o->ld_x, o->ld_x);
}

/* The newest first, which is the order of their sums in dx when they come one by one. */
static void backward_tile(void *ctx, size_t tile, int worker)
{
    const struct many *l = ctx;
    (void)worker;
    for (size_t i = l->ops; i-- > 0;)
        backward_rows(&l->o[i], tile);
}

static size_t weight_tiles(const struct op_linear *o)
{
    return ((o->out + LINEAR_OUT - 1) / LINEAR_OUT) * ((o->in + LINEAR_IN - 1) / LINEAR_IN);
}

static void backward_weights(void *ctx, size_t tile, int worker)
{
    const struct many *l = ctx;
    const struct op_linear *o = l->o;
    (void)worker;
    for (; tile >= weight_tiles(o); o++)
        tile -= weight_tiles(o);
    const size_t across = (o->in + LINEAR_IN - 1) / LINEAR_IN;
    const size_t j = tile / across * LINEAR_OUT, k = tile % across * LINEAR_IN;
    const size_t out = smaller(LINEAR_OUT, o->out - j), in = smaller(LINEAR_IN, o->in - k);
    const float *g = slope_of(o) + j;
    if (o->dw)
        product('T', 'N', out, in, o->n, g, o->out, (const float *)o->x + k, o->ld_x, 1,
                (float *)o->dw + j * o->ld_w + k, o->ld_w);
    if (!o->db || k)
        return;
    double sum[LINEAR_OUT] = { 0 }; /* of many rows whose sum may be nought, as a key bias's is */
    for (size_t i = 0; i < o->n; i++)
        for (size_t m = 0; m < out; m++)
            sum[m] += (double)g[i * o->out + m];
    for (size_t m = 0; m < out; m++)
        ((float *)o->db)[j + m] += (float)sum[m];
}

void CPU(linears_backward)(const struct op_linear *o, size_t ops)
{
    struct many l = { .o = o, .ops = ops };
    size_t tiles = 0;
    if (!o->n)
        return;
    if (o->dx || o->act != ACT_NONE)
        threads_for((o->n + LINEAR_ROWS - 1) / LINEAR_ROWS, backward_tile, &l);
    for (size_t i = 0; i < ops; i++)
        tiles += weight_tiles(&o[i]);
    if (o->dw || o->db)
        threads_for(tiles, backward_weights, &l);
}

void CPU(linear_backward)(const struct op_linear *o)
{
    CPU(linears_backward)(o, 1);
}

static void act_forward_task(void *ctx, size_t i, int worker)
{
    const struct op_act *o = ctx;
    (void)worker;
    const size_t at = i * ACT_BLOCK;
    act_block(o->act, (const float *)o->x + at, (float *)o->y + at, smaller(ACT_BLOCK, o->m - at));
}

void CPU(act_forward)(const struct op_act *o)
{
    threads_for((o->m + ACT_BLOCK - 1) / ACT_BLOCK, act_forward_task, (void *)(uintptr_t)o);
}

static void act_backward_task(void *ctx, size_t i, int worker)
{
    const struct op_act *o = ctx;
    (void)worker;
    float g[256];
    const size_t end = smaller((i + 1) * ACT_BLOCK, o->m);
    for (size_t at = i * ACT_BLOCK; at < end; at += 256) {
        const size_t n = smaller(256, end - at);
        slope_block(o->act, (const float *)o->x + at, (const float *)o->dy + at, g, n);
        float *dx = (float *)o->dx + at;
        for (size_t k = 0; k < n; k++)
            dx[k] += g[k];
    }
}

void CPU(act_backward)(const struct op_act *o)
{
    threads_for((o->m + ACT_BLOCK - 1) / ACT_BLOCK, act_backward_task, (void *)(uintptr_t)o);
}
