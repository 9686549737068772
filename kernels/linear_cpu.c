/* Forward: weights are packed in panels of TILE_COLS outputs, rows of x read as they lie
 * (kernels/linear_rows_cpu.h); a tile gets its activation as it is stored. Several operations on
 * one x: a task's rows go through all of them while they are in the cache.
 * A row's bits depend on that row alone (tests/kernels/test_rows.c). */
#include "kernels/linear.h"

#include "kernels/linear_rows_cpu.h"
#include "lib/base/thread.h"

enum { ACT_BLOCK = 1 << 14 };

struct many {
    const struct op_linear *o;
    size_t ops;
    size_t rows; /* of a task */
};

size_t CPU(linear_packed_bytes)(const struct op_linear *o)
{
    return panels_of(o->out) * TILE_COLS * o->in * sizeof(float);
}

/* Panels of all operations, one behind the other. */
static size_t panels_bytes(const struct op_linear *o, size_t ops)
{
    size_t bytes = 0;
    for (size_t i = 0; i < ops; i++)
        bytes += CPU(linear_packed_bytes)(&o[i]);
    return bytes;
}

size_t CPU(linear_scratch_bytes)(const struct op_linear *o, size_t ops)
{
    const size_t forward = panels_bytes(o, ops), back = CPU(linear_back_bytes)(o, ops);
    return forward > back ? forward : back;
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
    threads_for(panels_of(o->out), pack_panel, &p);
}

/* The panels of operation i: packed before, or in the scratch of all. */
static float *panels_at(const struct op_linear *o, size_t i)
{
    float *to = o->scratch;
    for (size_t k = 0; k < i; k++)
        to += panels_of(o[k].out) * TILE_COLS * o[k].in;
    return to;
}

static void forward_rows(void *ctx, size_t task, int worker)
{
    const struct many *l = ctx;
    const size_t at = task * l->rows;
    (void)worker;
    for (const struct op_linear *o = l->o; o < l->o + l->ops; o++)
        rows_multiply(&(struct rows_product){
            .rows = smaller(l->rows, o->n - at),
            .deep = o->in,
            .cols = o->out,
            .a = (const float *)o->x + at * o->ld_x,
            .ld_a = o->ld_x,
            .panels = o->packed ? o->packed : panels_at(l->o, (size_t)(o - l->o)),
            .bias = o->b,
            .wide = l->rows == ROWS_WIDE,
            .c = (float *)o->y + at * o->out,
            .ld_c = o->out,
            .pre = o->pre ? (float *)o->pre + at * o->out : NULL,
            .act = o->act });
}

void CPU(linears_forward)(const struct op_linear *o, size_t ops)
{
    const bool wide = panels_bytes(o, ops) > WIDE;
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
