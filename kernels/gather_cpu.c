#include "kernels/gather.h"

#include <string.h>

#include "lib/base/thread.h"

enum { TABLE_ROWS = 64 };

static size_t blocks(size_t n, size_t of)
{
    return (n + of - 1) / of;
}

static size_t block_end(size_t block, size_t of, size_t n)
{
    return (block + 1) * of < n ? (block + 1) * of : n;
}

static void add_to(float *to, const float *x, size_t n)
{
    for (size_t j = 0; j < n; j++)
        to[j] += x[j];
}

/* What the three look-ups share in their backward pass: sums of dy rows by table row. */
struct scatter {
    size_t d, n_table, ld, skip; /* skip: the table row without gradient */
    const uint32_t *order, *end;
    const float *dy;
    float *dtable;
};

static void scatter_block(void *ctx, size_t block, int worker)
{
    const struct scatter *s = ctx;
    (void)worker;
    const size_t last = block_end(block, TABLE_ROWS, s->n_table);
    for (size_t k = block * TABLE_ROWS; k < last; k++)
        for (uint32_t at = k ? s->end[k - 1] : 0; at < s->end[k] && k != s->skip; at++)
            add_to(s->dtable + k * s->ld, s->dy + s->order[at] * s->d, s->d);
}

static void scatter(struct scatter s)
{
    threads_for(blocks(s.n_table, TABLE_ROWS), scatter_block, &s);
}

static void gather_block(void *ctx, size_t block, int worker)
{
    const struct op_gather *o = ctx;
    (void)worker;
    const float *table = o->table;
    float *y = o->y;
    for (size_t i = block * OP_ROW_BLOCK; i < block_end(block, OP_ROW_BLOCK, o->n); i++)
        memcpy(y + i * o->d, table + o->index[i] * o->ld, o->d * sizeof *y);
}

void CPU(gather_forward)(const struct op_gather *o)
{
    threads_for(blocks(o->n, OP_ROW_BLOCK), gather_block, (void *)(uintptr_t)o);
}

void CPU(gather_backward)(const struct op_gather *o)
{
    scatter((struct scatter){ o->d, o->n_table, o->ld, o->no_grad_row, o->order, o->end, o->dy,
                              o->dtable });
}

static void axpy_block(void *ctx, size_t block, int worker)
{
    const struct op_gather_axpy *o = ctx;
    (void)worker;
    const float *table = o->table, *value = o->value, *w = o->w;
    for (size_t i = block * OP_ROW_BLOCK; i < block_end(block, OP_ROW_BLOCK, o->n); i++) {
        const float *from = table + o->index[i] * o->d;
        float *y = (float *)o->y + i * o->d;
        if (!w) {
            memcpy(y, from, o->d * sizeof *y);
            continue;
        }
        for (size_t j = 0; j < o->d; j++)
            y[j] = from[j] + value[i] * w[j * o->ld_w];
    }
}

void CPU(gather_axpy_forward)(const struct op_gather_axpy *o)
{
    threads_for(blocks(o->n, OP_ROW_BLOCK), axpy_block, (void *)(uintptr_t)o);
}

/* dw of one block of rows, into work. */
static void axpy_sum_block(void *ctx, size_t block, int worker)
{
    const struct op_gather_axpy *o = ctx;
    (void)worker;
    float *sum = (float *)o->work + block * o->d;
    const float *value = o->value;
    memset(sum, 0, o->d * sizeof *sum);
    for (size_t i = block * OP_ROW_BLOCK; i < block_end(block, OP_ROW_BLOCK, o->n); i++) {
        const float *dy = (const float *)o->dy + i * o->d;
        for (size_t j = 0; j < o->d; j++)
            sum[j] += value[i] * dy[j];
    }
}

void CPU(gather_axpy_backward)(const struct op_gather_axpy *o)
{
    if (o->dtable)
        scatter((struct scatter){ o->d, o->n_table, o->d, SIZE_MAX, o->order, o->end, o->dy,
                                  o->dtable });
    if (!o->dw)
        return;
    threads_for(blocks(o->n, OP_ROW_BLOCK), axpy_sum_block, (void *)(uintptr_t)o);
    float *dw = o->dw;
    for (size_t b = 0; b < blocks(o->n, OP_ROW_BLOCK); b++)
        for (size_t j = 0; j < o->d; j++)
            dw[j * o->ld_w] += ((const float *)o->work)[b * o->d + j];
}

static void position_block(void *ctx, size_t block, int worker)
{
    const struct op_add_position *o = ctx;
    (void)worker;
    const float *type = o->type;
    for (size_t i = block * OP_ROW_BLOCK; i < block_end(block, OP_ROW_BLOCK, o->n); i++) {
        const float *x = (const float *)o->x + i * o->d;
        const float *p = (const float *)o->position + o->rank[i] * o->d;
        float *y = (float *)o->y + i * o->d;
        for (size_t j = 0; j < o->d; j++)
            y[j] = x[j] + type[j] + p[j];
    }
}

void CPU(add_position_forward)(const struct op_add_position *o)
{
    threads_for(blocks(o->n, OP_ROW_BLOCK), position_block, (void *)(uintptr_t)o);
}

static void position_back_block(void *ctx, size_t block, int worker)
{
    const struct op_add_position *o = ctx;
    (void)worker;
    float *sum = (float *)o->work + block * o->d;
    memset(sum, 0, o->d * sizeof *sum);
    for (size_t i = block * OP_ROW_BLOCK; i < block_end(block, OP_ROW_BLOCK, o->n); i++) {
        const float *dy = (const float *)o->dy + i * o->d;
        if (o->dx)
            add_to((float *)o->dx + i * o->d, dy, o->d);
        add_to(sum, dy, o->d);
    }
}

void CPU(add_position_backward)(const struct op_add_position *o)
{
    threads_for(blocks(o->n, OP_ROW_BLOCK), position_back_block, (void *)(uintptr_t)o);
    for (size_t b = 0; o->dtype && b < blocks(o->n, OP_ROW_BLOCK); b++)
        add_to(o->dtype, (const float *)o->work + b * o->d, o->d);
    if (o->dposition)
        scatter((struct scatter){ o->d, o->n_position, o->d, SIZE_MAX, o->order, o->end, o->dy,
                                  o->dposition });
}

static void species_cell(void *ctx, size_t c, int worker)
{
    const struct op_add_species *o = ctx;
    (void)worker;
    const size_t a = o->first[c], n = o->first[c + 1] - a - 1, row = o->d * sizeof(float);
    float *y = (float *)o->y + a * o->d;
    memcpy(y, (const float *)o->cls + o->species[c] * o->d, row);
    if (n)
        memcpy(y + o->d, (const float *)o->x + (a - c) * o->d, n * row);
}

void CPU(add_species_forward)(const struct op_add_species *o)
{
    threads_for(o->n_cells, species_cell, (void *)(uintptr_t)o);
}

static void species_back_cell(void *ctx, size_t c, int worker)
{
    const struct op_add_species *o = ctx;
    (void)worker;
    const size_t a = o->first[c], n = o->first[c + 1] - a - 1;
    add_to((float *)o->dx + (a - c) * o->d, (const float *)o->dy + (a + 1) * o->d, n * o->d);
}

void CPU(add_species_backward)(const struct op_add_species *o)
{
    if (o->dx)
        threads_for(o->n_cells, species_back_cell, (void *)(uintptr_t)o);
    for (size_t c = 0; o->dcls && c < o->n_cells; c++)
        add_to((float *)o->dcls + o->species[c] * o->d,
               (const float *)o->dy + o->first[c] * o->d, o->d);
}
