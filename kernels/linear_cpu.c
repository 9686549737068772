#include "kernels/linear.h"

#include <stdlib.h>

#include "kernels/linear_act_cpu.h"
#include "lib/base/thread.h"

enum { LINEAR_ROWS = 128, LINEAR_OUT = 64, LINEAR_IN = 128, ACT_BLOCK = 1 << 14 };
enum {
    FEW_ROWS = 16,
    PAD_FLOATS = 1 << 16
}; /* 256 KiB of stack hold rows of 4,096 numbers in all */

/* y[rows,out] += x[rows,in] w^T (or = when not added to). With fewer than 16 rows oneDNN adds in
 * another order on processors with AVX-512, and a cell's vector would depend on the cells beside
 * it: such a tile is computed as one of 16 rows, the others nought. tests/kernels/test_rows.c holds
 * it. */
static void product_of_rows(const struct op_linear *o, size_t rows, const float *x, bool add,
                            float *y)
{
    const size_t in = o->in, out = o->out, need = FEW_ROWS * (in + out);
    float stack[PAD_FLOATS], *heap = NULL, *pad = stack;
    if (rows < FEW_ROWS && need > PAD_FLOATS)
        pad = heap = malloc(need * sizeof *heap);
    if (rows >= FEW_ROWS || !pad) { /* no memory: a right result, perhaps not to the last bit */
        product('N', 'T', rows, out, in, x, o->ld_x, o->w, o->ld_w, add ? 1 : 0, y, out);
        return;
    }
    float *sums = pad + FEW_ROWS * in;
    memset(pad, 0, need * sizeof *pad);
    for (size_t i = 0; i < rows; i++)
        memcpy(pad + i * in, x + i * o->ld_x, in * sizeof *x);
    if (add)
        memcpy(sums, y, rows * out * sizeof *y);
    product('N', 'T', FEW_ROWS, out, in, pad, in, o->w, o->ld_w, add ? 1 : 0, sums, out);
    memcpy(y, sums, rows * out * sizeof *y);
    free(heap);
}

static void forward_rows(const struct op_linear *o, size_t tile)
{
    const size_t at = tile * LINEAR_ROWS, rows = smaller(LINEAR_ROWS, o->n - at), out = o->out;
    float *y = (float *)o->y + at * out;
    float *pre = o->pre ? (float *)o->pre + at * out : y;
    const float *b = o->b;
    for (size_t i = 0; b && i < rows; i++)
        memcpy(pre + i * out, b, out * sizeof *b);
    product_of_rows(o, rows, (const float *)o->x + at * o->ld_x, b, pre);
    if (o->act != ACT_NONE)
        act_block(o->act, pre, y, rows * out);
}

/* Operations on the same x: a tile of it goes through all of them while it is in the cache. */
struct many {
    const struct op_linear *o;
    size_t ops;
};

static void forward_tile(void *ctx, size_t tile, int worker)
{
    const struct many *l = ctx;
    (void)worker;
    for (size_t i = 0; i < l->ops; i++)
        forward_rows(&l->o[i], tile);
}

void CPU(linears_forward)(const struct op_linear *o, size_t ops)
{
    struct many l = { o, ops };
    threads_for((o->n + LINEAR_ROWS - 1) / LINEAR_ROWS, forward_tile, &l);
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
    struct many l = { o, ops };
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
