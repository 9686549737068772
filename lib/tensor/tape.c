#include "lib/tensor/tape.h"

#include <assert.h>
#include <string.h>

#include "lib/base/thread.h"
#include "lib/tensor/tape_node.h"

enum { ARENA_BLOCK = 1 << 22 };

void tape_init(struct tape *t, const struct backend *b, bool training)
{
    *t = (struct tape){ .b = b, .training = training };
    arena_init(&t->arena, ARENA_BLOCK);
    arena_init(&t->scratch_arena, 1);
}

void tape_reset(struct tape *t)
{
    arena_reset(&t->arena);
    arena_reset(&t->scratch_arena);
    t->scratch = NULL;
    t->scratch_bytes = 0;
    t->last = NULL;
    t->failed = false;
}

void tape_release(struct tape *t)
{
    arena_release(&t->arena);
    arena_release(&t->scratch_arena);
    tape_keep_weights(t, 0);
    t->scratch = NULL;
    t->scratch_bytes = 0;
    t->last = NULL;
}

enum rc tape_check(const struct tape *t, struct err *e)
{
    if (!t->failed)
        return RC_OK;
    return err_set(e, RC_FAIL, "no memory for this batch (%zu MiB were in use)",
                   t->arena.peak_bytes >> 20);
}

void tape_backward(struct tape *t)
{
    assert(t->training);
    for (struct tape_node *n = t->failed ? NULL : t->last; n; n = n->before)
        n->backward(t->b, n->op);
}

void *tape_memory(struct tape *t, size_t n_bytes)
{
    void *p = t->failed ? NULL : arena_get(&t->arena, n_bytes);
    t->failed = !p;
    return p;
}

void *tape_reals(struct tape *t, size_t n)
{
    return tape_memory(t, n * t->b->real_bytes);
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

/* Values not set; gradients zero. */
struct tensor *tape_output(struct tape *t, size_t rows, size_t cols)
{
    struct tensor x = { .rows = rows, .cols = cols, .ld = cols };
    x.x = tape_reals(t, rows * cols);
    if (t->training)
        x.g = tape_reals(t, rows * cols);
    if (!t->failed && x.g)
        memset(x.g, 0, rows * cols * t->b->real_bytes);
    return tensor_in(t, x);
}

struct tensor *tape_new(struct tape *t, size_t rows, size_t cols)
{
    struct tensor *x = tape_output(t, rows, cols);
    if (!t->failed)
        memset(x->x, 0, rows * cols * t->b->real_bytes);
    return x;
}

struct tensor *tape_input(struct tape *t, const float *x, size_t rows, size_t cols)
{
    void *to = tape_reals(t, rows * cols);
    if (!t->failed)
        reals_from_f32(t->b, to, x, rows * cols);
    return tensor_in(t, (struct tensor){ rows, cols, cols, to, NULL });
}

struct input_rows {
    const struct backend *b;
    const float *table;
    size_t cols, n;
    const uint32_t *index;
    char *to;
};

static void input_block(void *ctx, size_t block, int worker)
{
    const struct input_rows *r = ctx;
    (void)worker;
    for (size_t i = block * OP_ROW_BLOCK; i < r->n && i < (block + 1) * OP_ROW_BLOCK; i++)
        reals_from_f32(r->b, r->to + i * r->cols * r->b->real_bytes,
                       r->table + (size_t)r->index[i] * r->cols, r->cols);
}

struct tensor *tape_input_rows(struct tape *t, const float *table, size_t cols,
                               const uint32_t *index, size_t n)
{
    void *to = tape_reals(t, n * cols);
    struct input_rows r = { t->b, table, cols, n, index, to };
    if (!t->failed)
        threads_for((n + OP_ROW_BLOCK - 1) / OP_ROW_BLOCK, input_block, &r);
    return tensor_in(t, (struct tensor){ n, cols, cols, to, NULL });
}

struct tensor *tape_columns(struct tape *t, const struct tensor *x, size_t at, size_t n)
{
    if (t->failed)
        return &t->nothing;
    assert(at <= x->cols && n <= x->cols - at);
    struct tensor v = *x;
    v.cols = n;
    v.x = (char *)x->x + at * t->b->real_bytes;
    if (x->g)
        v.g = (char *)x->g + at * t->b->real_bytes;
    return tensor_in(t, v);
}
