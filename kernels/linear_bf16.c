/* linear with bf16 products: y = act(x W^T + b), the sums and everything but the two sides of a
 * product in f32. Forward: W is packed once (turned over), rows of x as they are taken. Backward:
 * dx = g W with W in pairs; dw = g^T x over DEPTH rows at a time, g as columns and x in pairs, both
 * packed once. Scratch: linear_scratch_bytes. A row's bits depend on that row alone. */
#include "kernels/linear.h"

#include "kernels/bf16.h"
#include "kernels/linear_act_cpu.h"
#include "lib/base/thread.h"

enum { ROWS = 64, DEPTH = 2048 };

/* bf16 numbers of each part of the scratch: one matrix of weights, a block of rows for each worker;
 * or g and x of DEPTH rows. */
static size_t weights_size(const struct op_linear *o)
{
    return bf16_up(o->in) * bf16_up(o->out);
}

static size_t rows_size(const struct op_linear *o)
{
    return ROWS * (bf16_up(o->in) > bf16_up(o->out) ? bf16_up(o->in) : bf16_up(o->out));
}

size_t BF16(linear_scratch_bytes)(const struct op_linear *o)
{
    const size_t deep = bf16_up(smaller(o->n, DEPTH)) * (bf16_up(o->in) + bf16_up(o->out));
    const size_t rows = weights_size(o) + (size_t)threads_count() * rows_size(o);
    return (deep > rows ? deep : rows) * sizeof(bf16);
}

static bf16 *rows_of(const struct op_linear *o, int worker)
{
    return (bf16 *)o->scratch + weights_size(o) + (size_t)worker * rows_size(o);
}

static void pack_forward(void *ctx, size_t panel, int worker)
{
    const struct op_linear *o = ctx;
    (void)worker;
    const size_t i = panel * BF16_SIDE;
    bf16_turned_panel((const float *)o->w + i * o->ld_w, o->ld_w, smaller(BF16_SIDE, o->out - i),
                      o->in, (bf16 *)o->scratch + i * bf16_up(o->in));
}

static void forward_rows(void *ctx, size_t task, int worker)
{
    const struct op_linear *o = ctx;
    const size_t at = task * ROWS, rows = smaller(ROWS, o->n - at), wide = bf16_up(o->in);
    bf16 *x = rows_of(o, worker);
    float *y = (float *)o->y + at * o->out, *pre = o->pre ? (float *)o->pre + at * o->out : y;
    const float *b = o->b;
    bf16_start();
    bf16_rows((const float *)o->x + at * o->ld_x, o->ld_x, rows, o->in, x);
    for (size_t c = 0; c < o->out; c += BF16_SIDE)
        for (size_t r = 0; r < rows; r += BF16_SIDE)
            bf16_corner(wide / BF16_SIDE, x + r * wide, wide, (const bf16 *)o->scratch + c * wide,
                        false, pre + r * o->out + c, o->out, rows - r, o->out - c);
    for (size_t r = 0; b && r < rows; r++)
        for (size_t k = 0; k < o->out; k++)
            pre[r * o->out + k] += b[k];
    if (o->act != ACT_NONE)
        act_block(o->act, pre, y, rows * o->out);
}

void BF16(linear_forward)(const struct op_linear *o)
{
    void *op = (void *)(uintptr_t)o;
    threads_for((o->out + BF16_SIDE - 1) / BF16_SIDE, pack_forward, op);
    threads_for((o->n + ROWS - 1) / ROWS, forward_rows, op);
}

static const float *slope_of(const struct op_linear *o)
{
    return o->act == ACT_NONE ? o->dy : o->work;
}

static void pack_backward(void *ctx, size_t panel, int worker)
{
    const struct op_linear *o = ctx;
    (void)worker;
    const size_t k = panel * BF16_SIDE;
    bf16_pairs((const float *)o->w + k, o->ld_w, o->out, smaller(BF16_SIDE, o->in - k),
               bf16_up(o->out), (bf16 *)o->scratch + k * bf16_up(o->out));
}

static void backward_rows(void *ctx, size_t task, int worker)
{
    const struct op_linear *o = ctx;
    const size_t at = task * ROWS, rows = smaller(ROWS, o->n - at), wide = bf16_up(o->out);
    if (o->act != ACT_NONE)
        slope_block(o->act, (const float *)o->pre + at * o->out, (const float *)o->dy + at * o->out,
                    (float *)o->work + at * o->out, rows * o->out);
    if (!o->dx)
        return;
    bf16 *g = rows_of(o, worker);
    float *dx = (float *)o->dx + at * o->ld_x;
    bf16_start();
    bf16_rows(slope_of(o) + at * o->out, o->out, rows, o->out, g);
    for (size_t c = 0; c < o->in; c += BF16_SIDE)
        for (size_t r = 0; r < rows; r += BF16_SIDE)
            bf16_corner(wide / BF16_SIDE, g + r * wide, wide, (const bf16 *)o->scratch + c * wide,
                        true, dx + r * o->ld_x + c, o->ld_x, rows - r, o->in - c);
}

/* dw over rows [at, at + n). */
struct deep {
    const struct op_linear *o;
    size_t at, n, n_up;
    bf16 *g, *x;
};

static void pack_deep(void *ctx, size_t task, int worker)
{
    const struct deep *d = ctx;
    const struct op_linear *o = d->o;
    (void)worker;
    const size_t panels = (o->out + BF16_SIDE - 1) / BF16_SIDE;
    const size_t k = (task < panels ? task : task - panels) * BF16_SIDE;
    if (task < panels)
        bf16_columns(slope_of(o) + d->at * o->out + k, o->out, d->n, smaller(BF16_SIDE, o->out - k),
                     d->g + k * d->n_up, d->n_up);
    else
        bf16_pairs((const float *)o->x + d->at * o->ld_x + k, o->ld_x, d->n,
                   smaller(BF16_SIDE, o->in - k), d->n_up, d->x + k * d->n_up);
}

static void multiply_deep(void *ctx, size_t task, int worker)
{
    const struct deep *d = ctx;
    const struct op_linear *o = d->o;
    (void)worker;
    const size_t j = task * BF16_SIDE;
    float *dw = (float *)o->dw + j * o->ld_w;
    bf16_start();
    for (size_t k = 0; k < o->in; k += BF16_SIDE)
        bf16_corner(d->n_up / BF16_SIDE, d->g + j * d->n_up, d->n_up, d->x + k * d->n_up, true,
                    dw + k, o->ld_w, o->out - j, o->in - k);
}

static void sum_bias(void *ctx, size_t task, int worker)
{
    const struct op_linear *o = ctx;
    (void)worker;
    enum { WIDE = 64 };
    const size_t j = task * WIDE, n = smaller(WIDE, o->out - j);
    const float *g = slope_of(o) + j;
    float sum[WIDE] = { 0 };
    for (size_t i = 0; i < o->n; i++)
        for (size_t m = 0; m < n; m++)
            sum[m] += g[i * o->out + m];
    for (size_t m = 0; m < n; m++)
        ((float *)o->db)[j + m] += sum[m];
}

void BF16(linear_backward)(const struct op_linear *o)
{
    void *op = (void *)(uintptr_t)o;
    const size_t down = (o->out + BF16_SIDE - 1) / BF16_SIDE;
    const size_t across = (o->in + BF16_SIDE - 1) / BF16_SIDE;
    if (!o->n)
        return;
    if (o->dx)
        threads_for(across, pack_backward, op);
    if (o->dx || o->act != ACT_NONE)
        threads_for((o->n + ROWS - 1) / ROWS, backward_rows, op);
    for (size_t at = 0; o->dw && at < o->n; at += DEPTH) {
        struct deep d = { .o = o, .at = at, .n = smaller(DEPTH, o->n - at), .g = o->scratch };
        d.n_up = bf16_up(d.n);
        d.x = d.g + bf16_up(o->out) * d.n_up;
        threads_for(down + across, pack_deep, &d);
        threads_for(down, multiply_deep, &d);
    }
    if (o->db)
        threads_for((o->out + 63) / 64, sum_bias, op);
}
