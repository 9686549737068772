/* Losses of tape.h: they compute their gradients at once, so nothing is recorded. */
#include <assert.h>

#include "lib/tensor/tape_node.h"

/* What a loss tells of its rows, from where it was computed; waits. */
static void rows_here(struct tape *t, const struct op_id_loss *o, const struct id_loss *out)
{
    if (out->row_loss)
        backend_read(t->b, out->row_loss, o->row_loss, o->n * sizeof *out->row_loss);
    if (out->best)
        backend_read(t->b, out->best, o->best, o->n * sizeof *out->best);
    if (out->logits)
        backend_read(t->b, out->logits, o->logits, o->n * o->n_class * t->b->real_bytes);
}

/* Memory there for an array that is wanted here. */
static void *wanted(struct tape *t, void *here, size_t n_bytes)
{
    return here && t->b->memory ? tape_reals(t, n_bytes / t->b->real_bytes + 1) : here;
}

void tape_id_loss_later(struct tape *t, struct tensor *z, struct tensor *e, struct tensor *b,
                        const uint32_t *label, double scale, struct id_loss *out, double *to)
{
    *to = 0;
    if (t->failed)
        return;
    assert(z->cols == e->cols && z->ld == z->cols && e->ld == e->cols);
    struct op_id_loss o = { .n = z->rows,
                            .d = z->cols,
                            .n_class = e->rows,
                            .z = z->x,
                            .e = e->x,
                            .b = b ? b->x : NULL,
                            .label = tape_there(t, label, z->rows * sizeof *label),
                            .scale = scale,
                            .loss = tape_later(t, to) };
    o.row_loss = wanted(t, out->row_loss, o.n * sizeof *o.row_loss);
    o.best = wanted(t, out->best, o.n * sizeof *o.best);
    o.logits = wanted(t, out->logits, o.n * o.n_class * t->b->real_bytes);
    if (t->training) {
        tape_meets_now(t, z);
        tape_meets_now(t, e);
        tape_meets_now(t, b);
        o.dz = z->g;
        o.de = e->g;
        o.db = b ? b->g : NULL;
    }
    o.work = tape_scratch(t, t->b->id_loss_work_bytes(&o));
    if (t->failed)
        return;
    t->b->id_loss(&o);
    if (t->b->memory)
        rows_here(t, &o, out);
}

void tape_id_loss(struct tape *t, struct tensor *z, struct tensor *e, struct tensor *b,
                  const uint32_t *label, double scale, struct id_loss *out)
{
    tape_id_loss_later(t, z, e, b, label, scale, out, &out->loss);
    tape_settle(t);
}

void tape_square_loss_later(struct tape *t, struct tensor *x, const float *target, double scale,
                            double *to)
{
    *to = 0;
    if (t->failed)
        return;
    struct op_square_loss o = { .n = x->rows * x->cols,
                                .x = x->x,
                                .target = tape_there(t, target, x->rows * x->cols * sizeof *target),
                                .scale = scale,
                                .loss = tape_later(t, to),
                                .dx = t->training ? x->g : NULL };
    if (t->training)
        tape_meets_now(t, x);
    if (!t->failed)
        t->b->square_loss(&o);
}

double tape_square_loss(struct tape *t, struct tensor *x, const float *target, double scale)
{
    double loss;
    tape_square_loss_later(t, x, target, scale, &loss);
    tape_settle(t);
    return loss;
}
