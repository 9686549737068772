/* Attention of tape.h. */
#include <assert.h>

#include "lib/base/thread.h"
#include "lib/tensor/tape_node.h"

static void attention_back(const struct backend *b, const void *op)
{
    b->attention_backward(op);
}

/* n rows of keys; of queries as many, or one a cell. */
static struct op_attention attention_of(const struct tensor *q, const struct tensor *k,
                                        const struct tensor *v, const struct tensor *y,
                                        size_t heads, const uint32_t *first, size_t n_cells)
{
    return (struct op_attention){ .n_cells = n_cells,
                                  .n = k->rows,
                                  .d = q->cols,
                                  .heads = heads,
                                  .first = first,
                                  .q = q->x,
                                  .k = k->x,
                                  .v = v->x,
                                  .y = y->x };
}

static void attention_scratch(struct tape *t, struct op_attention *o)
{
    for (size_t c = 0; c < o->n_cells; c++)
        if (o->first[c + 1] - o->first[c] > o->longest)
            o->longest = o->first[c + 1] - o->first[c];
    o->first = tape_there(t, o->first, (o->n_cells + 1) * sizeof *o->first);
    o->work_reals = op_attention_work(o->longest, o->d / o->heads);
    o->work = tape_scratch(t, o->work_reals * (size_t)threads_count() * t->b->real_bytes);
}

/* What is kept rounded alone. */
static void attention_low(struct tape *t, struct op_attention *o, const struct tensor *q,
                          const struct tensor *k, const struct tensor *v, const struct tensor *y)
{
    o->q_low = q->low;
    o->k_low = k->low;
    o->v_low = v->low;
    o->y_low = y->low;
    o->dy_low = y->g_low;
    o->dq_low = q->g_low;
    o->dk_low = k->g_low;
    o->dv_low = v->g_low;
    o->ld_slopes = q->ld_g;
    assert(q->slope == k->slope && q->slope == v->slope);
    o->kept = tape_low(t, 1, t->b->attention_kept_bytes(o) / sizeof(uint16_t));
}

struct tensor *tape_attention(struct tape *t, struct tensor *q, struct tensor *k, struct tensor *v,
                              size_t heads, const uint32_t *first, size_t n_cells,
                              const struct dropout *drop)
{
    if (t->failed)
        return &t->nothing;
    assert(q->cols % heads == 0 && q->rows == first[n_cells]);
    assert(q->ld == q->cols && k->ld == q->ld && v->ld == q->ld);
    assert(!q->x == !k->x && !q->x == !v->x);
    const bool low = !q->x;
    struct tensor *y =
        low ? tape_output_low(t, q->rows, q->cols, NULL, 0) : tape_output(t, q->rows, q->cols);
    struct op_attention o = attention_of(q, k, v, y, heads, first, n_cells);
    o.dy = y->g;
    o.dq = q->g;
    o.dk = k->g;
    o.dv = v->g;
    if (drop)
        o.drop = tape_drop_there(t, drop, o.n);
    o.row_max = tape_reals(t, o.n * heads);
    o.row_sum = tape_reals(t, o.n * heads);
    attention_scratch(t, &o);
    if (low)
        attention_low(t, &o, q, k, v, y);
    if (t->failed)
        return &t->nothing;
    t->b->attention_forward(&o);
    if (t->training) {
        struct op_attention *kept = tape_record(t, &o, sizeof o, attention_back);
        tape_meets(t, y, NULL);
        tape_meets(t, q, kept ? &kept->dq_first : NULL);
        const bool apart =
            kept && k->g != v->g; /* which of the two is first is the filling's affair */
        tape_meets(t, k, apart ? &kept->dk_first : NULL);
        tape_meets(t, v, apart ? &kept->dv_first : NULL);
    }
    return y;
}

struct tensor *tape_attention_first(struct tape *t, struct tensor *q, struct tensor *k,
                                    struct tensor *v, size_t heads, const uint32_t *first,
                                    size_t n_cells)
{
    if (t->failed)
        return &t->nothing;
    assert(!t->training && t->b->attention_first && q->rows == n_cells && q->cols % heads == 0);
    assert(k->rows == first[n_cells] && q->ld == q->cols && k->ld == q->ld && v->ld == q->ld);
    struct tensor *y = tape_output(t, n_cells, q->cols);
    struct op_attention o = attention_of(q, k, v, y, heads, first, n_cells);
    o.first_only = true;
    attention_scratch(t, &o);
    if (!t->failed)
        t->b->attention_forward(&o);
    return y;
}
