/* linear with bf16 products: y = act(x W^T + b), the sums and everything but the two sides of a
 * product in f32. Forward: W is packed once (turned over), rows of x as they are taken. Backward:
 * dx = g W with W in pairs; dw = g^T x over DEPTH rows at a time, g as columns and x in pairs, both
 * packed once. Scratch: linear_scratch_bytes. A row's bits depend on that row alone. */
#include "kernels/linear.h"

#include "kernels/bf16.h"
#include "kernels/linear_act_cpu.h"
#include "lib/base/thread.h"

enum { ROWS = 64, DEPTH = 2048 };

/* Operations on the same x. Scratch: the weights of each, packed; then a block of rows for each
 * worker. Or, of DEPTH rows, x in pairs and the gradients of each as columns. */
struct many {
    const struct op_linear *o;
    size_t ops, n, in_up, out_up; /* out_up: of all together */
    size_t rows_size;             /* of a worker */
    bf16 *scratch;
};

static struct many many_of(const struct op_linear *o, size_t ops)
{
    struct many l = {
        .o = o, .ops = ops, .n = o->n, .in_up = bf16_up(o->in), .scratch = o->scratch
    };
    size_t widest = l.in_up;
    for (size_t i = 0; i < ops; i++) {
        l.out_up += bf16_up(o[i].out);
        widest = bf16_up(o[i].out) > widest ? bf16_up(o[i].out) : widest;
    }
    l.rows_size = ROWS * widest;
    return l;
}

size_t BF16(linear_scratch_bytes)(const struct op_linear *o, size_t ops)
{
    const struct many l = many_of(o, ops);
    const size_t deep = bf16_up(smaller(o->n, DEPTH)) * (l.in_up + l.out_up);
    const size_t rows = l.in_up * l.out_up + (size_t)threads_count() * l.rows_size;
    return (deep > rows ? deep : rows) * sizeof(bf16);
}

size_t BF16(linear_packed_bytes)(const struct op_linear *o)
{
    return bf16_up(o->in) * bf16_up(o->out) * sizeof(bf16);
}

/* Where the packed weights of operation i begin. */
static bf16 *weights_of(const struct many *l, size_t i)
{
    bf16 *at = l->scratch;
    for (size_t k = 0; k < i; k++)
        at += l->in_up * bf16_up(l->o[k].out);
    return at;
}

static bf16 *rows_of(const struct many *l, int worker)
{
    return l->scratch + l->in_up * l->out_up + (size_t)worker * l->rows_size;
}

/* Operation of panel *panel of the outputs, which then counts within it. */
static size_t panel_of(const struct many *l, size_t *panel)
{
    size_t i = 0;
    for (; *panel >= bf16_up(l->o[i].out) / BF16_SIDE; i++)
        *panel -= bf16_up(l->o[i].out) / BF16_SIDE;
    return i;
}

struct packing {
    const struct op_linear *o;
    bf16 *to;
};

static void pack_forward(void *ctx, size_t panel, int worker)
{
    const struct packing *p = ctx;
    const struct op_linear *o = p->o;
    const size_t at = panel * BF16_SIDE;
    (void)worker;
    bf16_turned_panel((const float *)o->w + at * o->ld_w, o->ld_w, smaller(BF16_SIDE, o->out - at),
                      o->in, p->to + at * bf16_up(o->in));
}

void BF16(linear_pack)(const struct op_linear *o, void *to)
{
    struct packing p = { o, to };
    threads_for(bf16_up(o->out) / BF16_SIDE, pack_forward, &p);
}

/* Columns [c, c + n) of `rows` rows from `at` on get the sums of a block, with bias and activation.
 */
static void finish(const struct op_linear *o, size_t at, size_t rows, size_t c, float *sums)
{
    const size_t n = smaller(BF16_SIDE, o->out - c), to = at * o->out + c;
    float b[BF16_SIDE] = { 0 };
    if (o->b)
        memcpy(b, (const float *)o->b + c, n * sizeof *b);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < BF16_SIDE; k++)
            sums[r * BF16_SIDE + k] += b[k];
    for (size_t r = 0; o->pre && r < rows; r++)
        memcpy((float *)o->pre + to + r * o->out, sums + r * BF16_SIDE, n * sizeof *sums);
    if (o->act != ACT_NONE)
        act_block(o->act, sums, sums, BF16_SIDE * BF16_SIDE);
    float *y = (float *)o->y + to;
    for (size_t r = 0; r < rows; r++, y += o->out)
        if (n == BF16_SIDE)
            memcpy(y, sums + r * BF16_SIDE, BF16_SIDE * sizeof *y);
        else
            memcpy(y, sums + r * BF16_SIDE, n * sizeof *y);
}

/* y of packed rows. A panel of weights meets all of them while it is in the first-level cache, and
 * so do the sums of a block what is done to them. */
static void forward_of(const struct op_linear *o, size_t at, size_t rows, const bf16 *x,
                       const bf16 *w)
{
    const size_t wide = bf16_up(o->in);
    _Alignas(64) float sums[BF16_SIDE * BF16_SIDE];
    for (size_t c = 0; c < o->out; c += BF16_SIDE)
        for (size_t r = 0; r < rows; r += BF16_SIDE) {
            bf16_block(wide / BF16_SIDE, x + r * wide, wide, w + c * wide, false, sums, BF16_SIDE);
            finish(o, at + r, smaller(BF16_SIDE, rows - r), c, sums);
        }
}

static void forward_rows(void *ctx, size_t task, int worker)
{
    const struct many *l = ctx;
    const size_t at = task * ROWS, rows = smaller(ROWS, l->n - at);
    bf16 *x = rows_of(l, worker);
    bf16_start();
    bf16_rows((const float *)l->o->x + at * l->o->ld_x, l->o->ld_x, rows, l->o->in, x);
    for (size_t i = 0; i < l->ops; i++)
        forward_of(&l->o[i], at, rows, x, l->o[i].packed ? l->o[i].packed : weights_of(l, i));
}

void BF16(linears_forward)(const struct op_linear *o, size_t ops)
{
    struct many l = many_of(o, ops);
    for (size_t i = 0; i < ops; i++)
        if (!o[i].packed)
            BF16(linear_pack)(&o[i], weights_of(&l, i));
    threads_for((o->n + ROWS - 1) / ROWS, forward_rows, &l);
}

void BF16(linear_forward)(const struct op_linear *o)
{
    BF16(linears_forward)(o, 1);
}

static const float *slope_of(const struct op_linear *o)
{
    return o->act == ACT_NONE ? o->dy : o->work;
}

static void pack_backward(void *ctx, size_t task, int worker)
{
    const struct many *l = ctx;
    const size_t across = l->in_up / BF16_SIDE, i = task / across, k = task % across * BF16_SIDE;
    const struct op_linear *o = &l->o[i];
    (void)worker;
    bf16_pairs((const float *)o->w + k, o->ld_w, o->out, smaller(BF16_SIDE, o->in - k),
               bf16_up(o->out), weights_of(l, i) + k * bf16_up(o->out));
}

static void backward_of(const struct op_linear *o, size_t at, size_t rows, bf16 *g, const bf16 *w)
{
    const size_t wide = bf16_up(o->out);
    if (o->act != ACT_NONE)
        slope_block(o->act, (const float *)o->pre + at * o->out, (const float *)o->dy + at * o->out,
                    (float *)o->work + at * o->out, rows * o->out);
    if (!o->dx)
        return;
    float *dx = (float *)o->dx + at * o->ld_x;
    bf16_rows(slope_of(o) + at * o->out, o->out, rows, o->out, g);
    for (size_t r = 0; r < rows; r += BF16_SIDE)
        for (size_t c = 0; c < o->in; c += BF16_SIDE)
            bf16_corner(wide / BF16_SIDE, g + r * wide, wide, w + c * wide, true,
                        dx + r * o->ld_x + c, o->ld_x, rows - r, o->in - c);
}

static void backward_rows(void *ctx, size_t task, int worker)
{
    const struct many *l = ctx;
    const size_t at = task * ROWS, rows = smaller(ROWS, l->n - at);
    bf16_start();
    for (size_t i = l->ops; i-- > 0;)
        backward_of(&l->o[i], at, rows, rows_of(l, worker), weights_of(l, i));
}

/* dw over rows [at, at + n). */
struct deep {
    const struct many *l;
    size_t at, n, n_up;
    bf16 *x, *g; /* g: of all operations, one below the other */
};

static void pack_deep(void *ctx, size_t task, int worker)
{
    const struct deep *d = ctx;
    size_t panel = task;
    (void)worker;
    if (task >= d->l->out_up / BF16_SIDE) {
        const struct op_linear *o = d->l->o;
        const size_t k = (task - d->l->out_up / BF16_SIDE) * BF16_SIDE;
        bf16_pairs((const float *)o->x + d->at * o->ld_x + k, o->ld_x, d->n,
                   smaller(BF16_SIDE, o->in - k), d->n_up, d->x + k * d->n_up);
        return;
    }
    const struct op_linear *o = &d->l->o[panel_of(d->l, &panel)];
    const size_t k = panel * BF16_SIDE;
    bf16_columns(slope_of(o) + d->at * o->out + k, o->out, d->n, smaller(BF16_SIDE, o->out - k),
                 d->g + task * BF16_SIDE * d->n_up, d->n_up);
}

static void multiply_deep(void *ctx, size_t task, int worker)
{
    const struct deep *d = ctx;
    size_t panel = task;
    const struct op_linear *o = &d->l->o[panel_of(d->l, &panel)];
    const size_t j = panel * BF16_SIDE;
    float *dw = (float *)o->dw + j * o->ld_w;
    (void)worker;
    bf16_start();
    for (size_t k = 0; k < o->in; k += BF16_SIDE)
        bf16_corner(d->n_up / BF16_SIDE, d->g + task * BF16_SIDE * d->n_up, d->n_up,
                    d->x + k * d->n_up, true, dw + k, o->ld_w, o->out - j, o->in - k);
}

static void sum_bias(void *ctx, size_t task, int worker)
{
    const struct op_linear *o = ctx;
    (void)worker;
    enum { WIDE = 64 };
    const size_t j = task * WIDE, n = smaller(WIDE, o->out - j);
    const float *g = slope_of(o) + j;
    double sum[WIDE] = { 0 };
    for (size_t i = 0; i < o->n; i++)
        for (size_t m = 0; m < n; m++)
            sum[m] += (double)g[i * o->out + m];
    for (size_t m = 0; m < n; m++)
        ((float *)o->db)[j + m] += (float)sum[m];
}

void BF16(linears_backward)(const struct op_linear *o, size_t ops)
{
    struct many l = many_of(o, ops);
    if (!o->n)
        return;
    if (o->dx)
        threads_for(ops * (l.in_up / BF16_SIDE), pack_backward, &l);
    if (o->dx || o->act != ACT_NONE)
        threads_for((o->n + ROWS - 1) / ROWS, backward_rows, &l);
    for (size_t at = 0; o->dw && at < o->n; at += DEPTH) {
        struct deep d = { .l = &l, .at = at, .n = smaller(DEPTH, o->n - at), .x = l.scratch };
        d.n_up = bf16_up(d.n);
        d.g = d.x + l.in_up * d.n_up;
        threads_for((l.out_up + l.in_up) / BF16_SIDE, pack_deep, &d);
        threads_for(l.out_up / BF16_SIDE, multiply_deep, &d);
    }
    for (size_t i = 0; i < ops; i++)
        if (o[i].db)
            threads_for((o[i].out + 63) / 64, sum_bias, (void *)(uintptr_t)&o[i]);
}

void BF16(linear_backward)(const struct op_linear *o)
{
    BF16(linears_backward)(o, 1);
}
