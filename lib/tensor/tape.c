#include "lib/tensor/tape.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"
#include "lib/tensor/tape_node.h"

enum { ARENA_BLOCK = 1 << 22 };

struct tape_there {
    struct tape_there *before;
    const void *host;
    void *there;
    size_t bytes;
};

struct tape_table {
    struct tape_table *before;
    const float *host;
    void *there;
};

void tape_init(struct tape *t, const struct backend *b, bool training)
{
    *t = (struct tape){ .b = b, .training = training };
    arena_init(&t->arena, ARENA_BLOCK);
    arena_init(&t->scratch_arena, 1);
    arena_init(&t->device, ARENA_BLOCK);
    if (b->memory) {
        t->device.get = t->scratch_arena.get = b->memory->get;
        t->device.give = t->scratch_arena.give = b->memory->give;
    }
}

void tape_reset(struct tape *t)
{
    arena_reset(&t->arena);
    arena_reset(&t->scratch_arena);
    arena_reset(&t->device);
    t->there = NULL;
    t->scratch = NULL;
    t->scratch_bytes = 0;
    t->last = NULL;
    t->failed = false;
}

void tape_release(struct tape *t)
{
    arena_release(&t->arena);
    arena_release(&t->scratch_arena);
    arena_release(&t->device);
    for (struct tape_table *p = t->tables, *before; p; p = before) {
        before = p->before;
        backend_give(t->b, p->there);
        free(p);
    }
    if (t->b)
        backend_give(t->b, t->later);
    t->tables = NULL;
    t->there = NULL;
    t->later = NULL;
    t->n_later = 0;
    tape_keep_weights(t, 0);
    t->scratch = NULL;
    t->scratch_bytes = 0;
    t->last = NULL;
}

enum rc tape_check(const struct tape *t, struct err *e)
{
    const char *why = t->b && t->b->memory ? t->b->memory->trouble() : NULL;
    if (why)
        return err_set(e, RC_FAIL, "%s: %s", t->b->name, why);
    if (!t->failed)
        return RC_OK;
    return err_set(e, RC_FAIL, "no memory for this batch (%zu MiB were in use)",
                   (t->arena.peak_bytes + t->device.peak_bytes) >> 20);
}

/* Before something reads or adds to a gradient. */
static void meet(const struct backend *b, struct tape_slope *s, bool *first)
{
    if (s->set)
        return;
    s->set = true;
    if (first)
        *first = true;
    else
        backend_zero(b, s->g, s->n_bytes);
}

void tape_meets_now(struct tape *t, const struct tensor *x)
{
    if (!t->failed && x && x->g && x->slope)
        meet(t->b, x->slope, NULL);
}

void tape_seed(struct tape *t, struct tensor *x, const double *g)
{
    const size_t n = x->rows * x->cols;
    void *reals = tape_reals(t, n);
    if (t->failed || !x->g)
        return;
    assert(x->ld == x->cols);
    reals_from_f64(t->b, reals, g, n);
    tape_meets_now(t, x);
    t->b->axpy(&(struct op_axpy){ n, 1, reals, x->g });
}

void tape_meets(struct tape *t, const struct tensor *x, bool *first)
{
    if (t->failed || !x || !x->slope || (!x->g && !x->g_low))
        return;
    /* What is not all of it has fewer numbers, and would leave the others unset. */
    const bool whole = x->g_low || x->rows * x->cols * t->b->real_bytes == x->slope->n_bytes;
    struct tape_meeting *m = tape_memory(t, sizeof *m);
    if (t->failed)
        return;
    *m = (struct tape_meeting){ NULL, x->slope, whole ? first : NULL };
    *t->last->last_meets = m;
    t->last->last_meets = &m->next;
}

void tape_backward(struct tape *t)
{
    assert(t->training);
    for (struct tape_node *n = t->failed ? NULL : t->last; n; n = n->before) {
        for (const struct tape_meeting *m = n->meets; m; m = m->next)
            meet(t->b, m->slope, m->first);
        n->backward(t->b, n->op);
    }
}

struct on_return {
    void (*reached)(void *ctx, size_t k);
    void *ctx;
    size_t k;
};

static void return_back(const struct backend *b, const void *op)
{
    const struct on_return *o = op;
    (void)b;
    o->reached(o->ctx, o->k);
}

void tape_on_return(struct tape *t, void (*reached)(void *ctx, size_t k), void *ctx, size_t k)
{
    const struct on_return o = { reached, ctx, k };
    if (t->training && !t->failed)
        tape_record(t, &o, sizeof o, return_back);
}

void *tape_memory(struct tape *t, size_t n_bytes)
{
    void *p = t->failed ? NULL : arena_get(&t->arena, n_bytes);
    t->failed = !p;
    return p;
}

void *tape_reals(struct tape *t, size_t n)
{
    if (!t->b->memory)
        return tape_memory(t, n * t->b->real_bytes);
    void *p = t->failed ? NULL : arena_get(&t->device, n * t->b->real_bytes);
    t->failed = !p;
    return p;
}

void *tape_low(struct tape *t, size_t rows, size_t cols)
{
    const size_t n_bytes = rows * low_ld(cols) * sizeof(uint16_t);
    void *p = t->failed ? NULL : arena_get(t->b->memory ? &t->device : &t->arena, n_bytes);
    t->failed = !p;
    return p;
}

const void *tape_there(struct tape *t, const void *x, size_t n_bytes)
{
    if (!t->b->memory || !x || t->failed)
        return x;
    for (const struct tape_there *p = t->there; p; p = p->before)
        if (p->host == x && p->bytes == n_bytes)
            return p->there;
    struct tape_there *p = tape_memory(t, sizeof *p);
    void *there = t->failed ? NULL : arena_get(&t->device, n_bytes);
    t->failed = !there;
    if (t->failed)
        return NULL;
    *p = (struct tape_there){ t->there, x, there, n_bytes };
    t->b->memory->write(there, x, n_bytes);
    t->there = p;
    return there;
}

double *tape_later(struct tape *t, double *to)
{
    if (!t->b->memory)
        return to;
    if (!t->later)
        t->later = t->b->memory->get(TAPE_LATER * sizeof *t->later);
    t->failed = t->failed || !t->later;
    if (t->failed)
        return NULL;
    if (t->n_later == TAPE_LATER)
        tape_settle(t);
    t->later_to[t->n_later] = to;
    return t->later + t->n_later++;
}

void tape_settle(struct tape *t)
{
    double x[TAPE_LATER];
    if (t->n_later)
        backend_read(t->b, x, t->later, t->n_later * sizeof *x);
    for (size_t i = 0; i < t->n_later; i++)
        *t->later_to[i] = x[i];
    t->n_later = 0;
}

struct tape_mark tape_mark(const struct tape *t)
{
    return (struct tape_mark){ arena_mark(&t->arena), arena_mark(&t->device), t->there };
}

void tape_rewind(struct tape *t, struct tape_mark m)
{
    arena_rewind(&t->arena, m.host);
    arena_rewind(&t->device, m.device);
    t->there = m.there;
}

/* A larger block leaves the smaller one where it is, because recorded operations point to it; the
 * next round begins with the largest. */
void *tape_scratch(struct tape *t, size_t n_bytes)
{
    if (t->failed || n_bytes <= t->scratch_bytes)
        return t->failed ? NULL : t->scratch;
    if (n_bytes > t->scratch_most)
        t->scratch_most = n_bytes;
    t->scratch = arena_get(&t->scratch_arena, t->scratch_most);
    t->scratch_bytes = t->scratch ? t->scratch_most : 0;
    t->failed = !t->scratch;
    return t->scratch;
}

/* Nodes without a gradient to hand on are not remembered by their callers. */
void *tape_record(struct tape *t, const void *op, size_t n_bytes, tape_backward_fn *backward)
{
    struct tape_node *n = tape_memory(t, sizeof *n);
    void *copy = tape_memory(t, n_bytes);
    if (t->failed)
        return NULL;
    memcpy(copy, op, n_bytes);
    *n = (struct tape_node){ .before = t->last, .backward = backward, .op = copy };
    n->last_meets = &n->meets;
    t->last = n;
    return copy;
}

static struct tensor *tensor_in(struct tape *t, struct tensor x)
{
    struct tensor *p = tape_memory(t, sizeof *p);
    if (t->failed)
        return &t->nothing;
    *p = x;
    return p;
}

/* Values not set; gradients zero, or not set either where who is first there writes them. */
struct tensor *tape_output(struct tape *t, size_t rows, size_t cols)
{
    struct tensor x = { .rows = rows, .cols = cols, .ld = cols };
    x.x = tape_reals(t, rows * cols);
    if (t->training)
        x.g = tape_reals(t, rows * cols);
    if (x.g && t->b->gradient_first)
        x.slope = tape_memory(t, sizeof *x.slope);
    if (t->failed)
        return &t->nothing;
    if (x.slope)
        *x.slope = (struct tape_slope){ x.g, rows * cols * t->b->real_bytes, false };
    else if (x.g)
        backend_zero(t->b, x.g, rows * cols * t->b->real_bytes);
    return tensor_in(t, x);
}

bool tape_rounds(const struct tape *t, size_t cols)
{
    return t->training && t->b->round && t->b->gradient_first && cols % 8 == 0;
}

struct tape_slope *tape_slope_low(struct tape *t, size_t rows, size_t cols)
{
    void *g = tape_low(t, rows, cols);
    struct tape_slope *s = tape_memory(t, sizeof *s);
    if (t->failed)
        return NULL;
    *s = (struct tape_slope){ g, rows * cols * sizeof(uint16_t), false };
    return s;
}

struct tensor *tape_output_low(struct tape *t, size_t rows, size_t cols, struct tape_slope *slope,
                               size_t at)
{
    assert(tape_rounds(t, cols));
    struct tensor x = { .rows = rows, .cols = cols, .ld = cols, .ld_g = cols };
    if (slope && rows)
        x.ld_g = slope->n_bytes / sizeof(uint16_t) / rows;
    x.low = tape_low(t, rows, cols);
    x.slope = slope ? slope : tape_slope_low(t, rows, cols);
    if (t->failed)
        return &t->nothing;
    x.g_low = (uint16_t *)x.slope->g + at;
    return tensor_in(t, x);
}

struct tensor *tape_new(struct tape *t, size_t rows, size_t cols)
{
    struct tensor *x = tape_output(t, rows, cols);
    tape_meets_now(t, x);
    if (!t->failed)
        backend_zero(t->b, x->x, rows * cols * t->b->real_bytes);
    return x;
}

struct tensor *tape_input(struct tape *t, const float *x, size_t rows, size_t cols)
{
    void *to = tape_reals(t, rows * cols);
    if (!t->failed)
        reals_from_f32(t->b, to, x, rows * cols);
    return tensor_in(t, (struct tensor){ .rows = rows, .cols = cols, .ld = cols, .x = to });
}

struct input_rows {
    const struct backend *b;
    const float *table;
    const struct mapped *file;
    size_t cols, n;
    const uint32_t *index;
    char *to;
};

/* A piece at a time: a read of the file has to end somewhere. */
static void input_row(const struct input_rows *r, const float *row, char *to)
{
    enum { PIECE = 1024 };
    float piece[PIECE];
    if (!r->file) {
        reals_from_f32(r->b, to, row, r->cols);
        return;
    }
    for (size_t k = 0; k < r->cols; k += PIECE) {
        const size_t n = r->cols - k < PIECE ? r->cols - k : PIECE;
        mapped_copy(r->file, row + k, n * sizeof *row, piece);
        reals_from_f32(r->b, to + k * r->b->real_bytes, piece, n);
    }
}

static void input_block(void *ctx, size_t block, int worker)
{
    const struct input_rows *r = ctx;
    (void)worker;
    for (size_t i = block * OP_ROW_BLOCK; i < r->n && i < (block + 1) * OP_ROW_BLOCK; i++)
        input_row(r, r->table + (size_t)r->index[i] * r->cols,
                  r->to + i * r->cols * r->b->real_bytes);
}

/* The copy of a table that is kept there, made now if it is not yet. */
static const void *table_there(struct tape *t, const float *table, size_t n_bytes)
{
    struct tape_table *p = t->tables;
    while (p && p->host != table)
        p = p->before;
    if (p)
        return p->there;
    p = malloc(sizeof *p);
    void *there = p ? t->b->memory->get(n_bytes) : NULL;
    t->failed = !there;
    if (t->failed) {
        free(p);
        return NULL;
    }
    t->b->memory->write(there, table, n_bytes);
    *p = (struct tape_table){ t->tables, table, there };
    t->tables = p;
    return there;
}

static struct tensor *rows_there(struct tape *t, const float *table, size_t rows, size_t cols,
                                 const uint32_t *index, size_t n)
{
    if (t->failed)
        return &t->nothing;
    struct op_gather o = { .n = n, .d = cols, .n_table = rows, .ld = cols, .no_grad_row = SIZE_MAX };
    o.table = table_there(t, table, rows * cols * sizeof *table);
    o.index = tape_there(t, index, n * sizeof *index);
    o.y = tape_reals(t, n * cols);
    if (t->failed)
        return &t->nothing;
    t->b->gather_forward(&o);
    return tensor_in(t, (struct tensor){ .rows = n, .cols = cols, .ld = cols, .x = o.y });
}

struct tensor *tape_input_rows(struct tape *t, const float *table, const struct mapped *file,
                               size_t rows, size_t cols, const uint32_t *index, size_t n)
{
    if (t->b->memory)
        return rows_there(t, table, rows, cols, index, n);
    void *to = tape_reals(t, n * cols);
    struct input_rows r = { t->b, table, file, cols, n, index, to };
    if (!t->failed)
        threads_for((n + OP_ROW_BLOCK - 1) / OP_ROW_BLOCK, input_block, &r);
    return tensor_in(t, (struct tensor){ .rows = n, .cols = cols, .ld = cols, .x = to });
}

struct tensor *tape_columns(struct tape *t, const struct tensor *x, size_t at, size_t n)
{
    if (t->failed)
        return &t->nothing;
    assert(at <= x->cols && n <= x->cols - at && x->x);
    struct tensor v = *x;
    v.cols = n;
    v.low = NULL;
    v.x = (char *)x->x + at * t->b->real_bytes;
    if (x->g)
        v.g = (char *)x->g + at * t->b->real_bytes;
    return tensor_in(t, v);
}
