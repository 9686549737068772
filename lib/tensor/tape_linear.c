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
    const struct op_linear *o = op;
    assert(!o->x_pre_low || o->dx_first); /* nobody else takes what is between */
    b->linear_backward(o);
}

static struct op_linear linear_of(const struct tensor *x, const struct tensor *w,
                                  const struct tensor *b, enum act act, const struct tensor *y)
{
    assert(x->cols == w->cols && (!b || b->cols == w->rows));
    assert(!x->g_low || x->ld_g == low_ld(x->cols)); /* q, k and v are attention's alone */
    return (struct op_linear){ .n = x->rows,
                               .in = x->cols,
                               .out = w->rows,
                               .x = x->x,
                               .w = w->x,
                               .b = b ? b->x : NULL,
                               .b_low = b ? b->low : NULL,
                               .ld_x = x->ld,
                               .ld_w = w->ld,
                               .act = act,
                               .y = y->x,
                               .dy = y->g,
                               .dx = x->g,
                               .dw = w->g,
                               .db = b ? b->g : NULL,
                               .dx_low = x->g_low,
                               .dy_low = y->g_low,
                               .ld_dy = y->ld_g };
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
    if (o->act != ACT_NONE && o->out % 8 == 0 && !y->low)
        y->low = tape_low(t, o->n, o->out);
    o->y_low = y->low;
}

/* between: y may be kept rounded alone. */
static struct tensor *output(struct tape *t, size_t rows, size_t cols, enum act act, bool between)
{
    if (between && tape_rounds(t, cols) && (act != ACT_NONE || cols <= OP_LOW_COLUMNS))
        return tape_output_low(t, rows, cols, NULL, 0);
    return tape_output(t, rows, cols);
}

/* An x that is kept rounded alone and comes from an activation: the gradient of what went into that
 * is made where the gradient of x is, if the backend can. */
static void take_slope(struct tape *t, struct op_linear *o, const struct tensor *x)
{
    struct op_linear *const made = x->from;
    if (!made || made->act == ACT_NONE || !t->b->linear_takes_slope)
        return;
    assert(!made->slope_made); /* one operation takes x */
    struct op_linear with = *o;
    with.x_act = made->act;
    with.x_pre_low = made->pre_low;
    with.x_db = made->db;
    made->slope_made = t->b->linear_takes_slope(&with);
    if (made->slope_made)
        *o = with;
}

static struct tensor *linear(struct tape *t, struct tensor *x, struct tensor *w, struct tensor *b,
                             enum act act, bool between)
{
    if (t->failed)
        return &t->nothing;
    struct tensor *y = output(t, x->rows, w->rows, act, between);
    struct op_linear o = linear_of(x, w, b, act, y);
    keep_low(t, &o, x, w, y);
    if (act != ACT_NONE && t->training && o.y)
        o.pre = tape_reals(t, o.n * o.out);
    else if (act != ACT_NONE && t->training)
        o.pre_low = tape_low(t, o.n, o.out);
    const size_t packed = t->b->linear_scratch_bytes ? t->b->linear_scratch_bytes(&o, 1) : 0;
    const size_t at = (packed + 63) / 64 * 64, slope = o.pre ? o.n * o.out * t->b->real_bytes : 0;
    o.scratch = at + slope ? tape_scratch(t, at + slope) : NULL;
    o.work = slope && o.scratch ? (char *)o.scratch + at : NULL;
    if (t->failed)
        return &t->nothing;
    o.packed = packed_of(t, &o);
    t->b->linear_forward(&o);
    if (t->training) {
        take_slope(t, &o, x);
        struct op_linear *kept = tape_record(t, &o, sizeof o, linear_back);
        linear_meets(t, x, w, b, y, kept);
        /* What takes y may add up db, where that holds a sum: an operation's output may not. */
        if (!t->failed && !y->x && (!b || !b->slope))
            y->from = kept;
    }
    return y;
}

struct tensor *tape_linear(struct tape *t, struct tensor *x, struct tensor *w, struct tensor *b,
                           enum act act)
{
    return linear(t, x, w, b, act, false);
}

struct tensor *tape_linear_between(struct tape *t, struct tensor *x, struct tensor *w,
                                   struct tensor *b, enum act act)
{
    return linear(t, x, w, b, act, true);
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

/* heads: of the attention that takes all of them and nobody else; 0: not known. */
static void linears(struct tape *t, struct tensor *x, size_t ops, struct tensor *const w[],
                    struct tensor *const b[], size_t heads, struct tensor *y[])
{
    struct op_linears l = { .ops = ops };
    assert(ops > 0 && ops <= TAPE_LINEARS);
    size_t cols = 0, at = 0;
    bool low = !t->failed && heads;
    for (size_t i = 0; low && i < ops; i++) {
        low = tape_rounds(t, w[i]->rows) && w[i]->rows / heads <= t->b->attention_low;
        cols += w[i]->rows;
    }
    struct tape_slope *slope = low ? tape_slope_low(t, x->rows, cols) : NULL;
    for (size_t i = 0; i < ops; i++, at += low ? w[i - 1]->rows : 0) {
        y[i] = t->failed ? &t->nothing
               : low     ? tape_output_low(t, x->rows, w[i]->rows, slope, at)
                         : tape_output(t, x->rows, w[i]->rows);
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

void tape_linears(struct tape *t, struct tensor *x, size_t ops, struct tensor *const w[],
                  struct tensor *const b[], struct tensor *y[])
{
    linears(t, x, ops, w, b, 0, y);
}

void tape_linears_between(struct tape *t, struct tensor *x, size_t ops, struct tensor *const w[],
                          struct tensor *const b[], size_t heads, struct tensor *y[])
{
    linears(t, x, ops, w, b, heads, y);
}
