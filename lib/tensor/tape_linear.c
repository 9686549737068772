/* Linear operations of tape.h, alone and several on one x. */
#include <assert.h>
#include <stdlib.h>

#include "lib/tensor/tape_node.h"

/* Weights in packed form, one entry each. */
struct tape_packed {
    struct tape_packed *before;
    const void *w;
    size_t in, out, ld_w;
    void *data;
};

void tape_keep_weights(struct tape *t, size_t most_bytes)
{
    for (struct tape_packed *p = t->packed, *before; p; p = before) {
        before = p->before;
        free(p->data);
        free(p);
    }
    t->packed = NULL;
    t->packed_left = most_bytes;
}

/* The packed form that is kept, made now if there is room. */
static const void *packed_of(struct tape *t, const struct op_linear *o)
{
    struct tape_packed *p = t->packed;
    if (t->training || !t->b->linear_pack)
        return NULL;
    for (; p; p = p->before)
        if (p->w == o->w && p->in == o->in && p->out == o->out && p->ld_w == o->ld_w)
            return p->data;
    const size_t bytes = t->b->linear_packed_bytes(o);
    if (bytes > t->packed_left || !(p = malloc(sizeof *p)))
        return NULL;
    *p = (struct tape_packed){ t->packed, o->w, o->in, o->out, o->ld_w, memory_pages(bytes) };
    if (!p->data) { /* it goes without */
        free(p);
        return NULL;
    }
    t->b->linear_pack(o, p->data);
    t->packed = p;
    t->packed_left -= bytes;
    return p->data;
}

static void linear_back(const struct backend *b, const void *op)
{
    b->linear_backward(op);
}

static struct op_linear linear_of(const struct tensor *x, const struct tensor *w,
                                  const struct tensor *b, enum act act, const struct tensor *y)
{
    assert(x->cols == w->cols && (!b || b->cols == w->rows));
    return (struct op_linear){ .n = x->rows,
                               .in = x->cols,
                               .out = w->rows,
                               .x = x->x,
                               .w = w->x,
                               .b = b ? b->x : NULL,
                               .ld_x = x->ld,
                               .ld_w = w->ld,
                               .act = act,
                               .y = y->x,
                               .dy = y->g,
                               .dx = x->g,
                               .dw = w->g,
                               .db = b ? b->g : NULL };
}

static void linear_meets(struct tape *t, const struct tensor *x, const struct tensor *w,
                         const struct tensor *b, const struct tensor *y, struct op_linear *kept)
{
    tape_meets(t, y, NULL);
    tape_meets(t, x, kept ? &kept->dx_first : NULL);
    tape_meets(t, w, NULL);
    tape_meets(t, b, NULL);
}

/* Rounded forms: of w where they are kept, of x from its first product to its last, of a y that
 * products may follow. Without gradients rounds are too short for it: memory is given back before
 * the next use. */
static void keep_low(struct tape *t, struct op_linear *o, struct tensor *x, const struct tensor *w,
                     struct tensor *y)
{
    if (!t->b->round)
        return;
    o->w_low = w->low;
    if (!t->training)
        return;
    o->x_low_made = x->low != NULL;
    if (!x->low)
        x->low = tape_low(t, o->n, o->in);
    o->x_low = x->low;
    if (o->act != ACT_NONE && o->out % 8 == 0)
        o->y_low = y->low = tape_low(t, o->n, o->out);
}

struct tensor *tape_linear(struct tape *t, struct tensor *x, struct tensor *w, struct tensor *b,
                           enum act act)
{
    if (t->failed)
        return &t->nothing;
    struct tensor *y = tape_output(t, x->rows, w->rows);
    struct op_linear o = linear_of(x, w, b, act, y);
    keep_low(t, &o, x, w, y);
    if (act != ACT_NONE && t->training)
        o.pre = tape_reals(t, o.n * o.out);
    const size_t packed = t->b->linear_scratch_bytes ? t->b->linear_scratch_bytes(&o, 1) : 0;
    const size_t at = (packed + 63) / 64 * 64, slope = o.pre ? o.n * o.out * t->b->real_bytes : 0;
    o.scratch = at + slope ? tape_scratch(t, at + slope) : NULL;
    o.work = slope && o.scratch ? (char *)o.scratch + at : NULL;
    if (t->failed)
        return &t->nothing;
    o.packed = packed_of(t, &o);
    t->b->linear_forward(&o);
    if (t->training) {
        struct op_linear *kept = tape_record(t, &o, sizeof o, linear_back);
        linear_meets(t, x, w, b, y, kept);
    }
    return y;
}

struct op_linears {
    size_t ops;
    struct op_linear o[TAPE_LINEARS];
};

/* Newest first, as the tape runs single ones. */
static void linears_back(const struct backend *b, const void *op)
{
    const struct op_linears *l = op;
    if (b->linears_backward)
        b->linears_backward(l->o, l->ops);
    for (size_t i = b->linears_backward ? 0 : l->ops; i-- > 0;)
        b->linear_backward(&l->o[i]);
}

void tape_linears(struct tape *t, struct tensor *x, size_t ops, struct tensor *const w[],
                  struct tensor *const b[], struct tensor *y[])
{
    struct op_linears l = { .ops = ops };
    assert(ops > 0 && ops <= TAPE_LINEARS);
    for (size_t i = 0; i < ops; i++) {
        y[i] = t->failed ? &t->nothing : tape_output(t, x->rows, w[i]->rows);
        if (!t->failed)
            l.o[i] = linear_of(x, w[i], b[i], ACT_NONE, y[i]);
        if (!t->failed)
            keep_low(t, &l.o[i], x, w[i], y[i]);
    }
    if (!t->failed && t->b->linear_scratch_bytes) {
        void *scratch = tape_scratch(t, t->b->linear_scratch_bytes(l.o, ops));
        for (size_t i = 0; i < ops; i++)
            l.o[i].scratch = scratch;
    }
    if (t->failed)
        return;
    for (size_t i = 0; i < ops; i++)
        l.o[i].packed = packed_of(t, &l.o[i]);
    if (t->b->linears_forward)
        t->b->linears_forward(l.o, ops);
    for (size_t i = 0; i < ops && !t->b->linears_forward; i++)
        t->b->linear_forward(&l.o[i]);
    struct op_linears *kept = t->training ? tape_record(t, &l, sizeof l, linears_back) : NULL;
    for (size_t i = kept ? ops : 0; i-- > 0;)
        linear_meets(t, x, w[i], b[i], y[i], &kept->o[i]);
}
