/* The operations of tape.h: shapes are checked, outputs and scratch made, the slot called, the
 * backward call recorded. Linear ones, attention and losses: tape_linear.c, tape_attention.c,
 * tape_loss.c. */
#include <assert.h>
#include <string.h>

#include "lib/tensor/tape_node.h"

/* Positions 0..n-1 sorted by (index, position) and where each index ends (counting sort). */
static const uint32_t *order_of(struct tape *t, const uint32_t *index, size_t n, size_t n_table,
                                const uint32_t **end)
{
    uint32_t *order = tape_memory(t, n * sizeof *order);
    uint32_t *at = tape_memory(t, (n_table + 1) * sizeof *at);
    if (t->failed)
        return NULL;
    memset(at, 0, (n_table + 1) * sizeof *at);
    for (size_t i = 0; i < n; i++) {
        assert(index[i] < n_table);
        at[index[i] + 1]++;
    }
    for (size_t k = 0; k < n_table; k++)
        at[k + 1] += at[k];
    for (size_t i = 0; i < n; i++)
        order[at[index[i]]++] = (uint32_t)i;
    *end = tape_there(t, at, (n_table + 1) * sizeof *at);
    return tape_there(t, order, n * sizeof *order);
}

struct dropout tape_drop_there(struct tape *t, const struct dropout *drop, size_t n)
{
    struct dropout d = *drop;
    d.row_key = d.threshold ? tape_there(t, d.row_key, n * sizeof *d.row_key) : NULL;
    return d;
}

#define BACKWARD(name)                                                                             \
    static void name##_back(const struct backend *b, const void *op)                               \
    {                                                                                              \
        b->name##_backward(op);                                                                    \
    }
BACKWARD(act)
BACKWARD(norm)
BACKWARD(dropout)
BACKWARD(gather)
BACKWARD(gather_axpy)
BACKWARD(add_position)
BACKWARD(add_species)
#undef BACKWARD

struct tensor *tape_act(struct tape *t, struct tensor *x, enum act act)
{
    if (t->failed)
        return &t->nothing;
    assert(x->ld == x->cols && tape_whole(x));
    struct tensor *y = tape_output(t, x->rows, x->cols);
    struct op_act o = {
        .m = x->rows * x->cols, .act = act, .x = x->x, .y = y->x, .dy = y->g, .dx = x->g
    };
    if (t->failed)
        return &t->nothing;
    t->b->act_forward(&o);
    if (t->training && o.dx) {
        tape_record(t, &o, sizeof o, act_back);
        tape_meets(t, y, NULL);
        tape_meets(t, x, NULL);
    }
    return y;
}

/* An x that is kept rounded alone. The sums of its gradient are its bias's, if it is a product: they
 * cost nothing where the gradient is made. */
static void norm_low(struct tape *t, struct op_norm *o, const struct tensor *x)
{
    assert(o->d % 8 == 0 && o->d <= OP_LOW_COLUMNS);
    o->x_low = x->low;
    o->dx_low = x->g_low;
    o->xhat_low = tape_low(t, o->n, o->d);
    if (t->failed || !x->from || x->from->act != ACT_NONE || !x->from->db)
        return;
    o->dx_sums = x->from->db;
    x->from->db_made = true;
}

static struct tensor *norm(struct tape *t, struct tensor *x, struct tensor *r, struct tensor *gamma,
                           struct tensor *beta, double eps, const struct dropout *drop, void *sum,
                           struct tensor *y)
{
    if (t->failed)
        return &t->nothing;
    assert(x->ld == x->cols && gamma->cols == x->cols && beta->cols == x->cols);
    assert(!r || (r->rows == x->rows && r->cols == x->cols && r->ld == r->cols && tape_whole(r)));
    assert(!x->g_low || x->ld_g == low_ld(x->cols));
    const bool fresh = !y;
    if (!y)
        y = tape_output(t, x->rows, x->cols);
    struct op_norm o = { .n = x->rows,
                         .d = x->cols,
                         .x = x->x,
                         .r = r ? r->x : NULL,
                         .gamma = gamma->x,
                         .beta = beta->x,
                         .eps = eps,
                         .y = y->x,
                         .dy = y->g,
                         .dx = x->g,
                         .dr = r ? r->g : NULL,
                         .dgamma = gamma->g,
                         .dbeta = beta->g };
    if (drop)
        o.drop = tape_drop_there(t, drop, o.n);
    o.mean = tape_reals(t, o.n);
    o.rstd = tape_reals(t, o.n);
    if (x->x)
        o.sum = !t->training ? y->x : sum ? sum : tape_reals(t, o.n * o.d);
    else
        norm_low(t, &o, x);
    if (t->training)
        o.work = tape_scratch(t, op_norm_work(o.n, o.d, !x->x) * t->b->real_bytes);
    if (t->training && t->b->round && fresh && o.d % 8 == 0)
        o.y_low = y->low = tape_low(t, o.n, o.d);
    if (t->failed)
        return &t->nothing;
    t->b->norm_forward(&o);
    if (t->training) {
        struct op_norm *kept = tape_record(t, &o, sizeof o, norm_back);
        tape_meets(t, y, NULL);
        tape_meets(t, r, kept ? &kept->dr_first : NULL);
        tape_meets(t, x, kept ? &kept->dx_first : NULL);
    }
    return y;
}

struct tensor *tape_norm(struct tape *t, struct tensor *x, struct tensor *r, struct tensor *gamma,
                         struct tensor *beta, double eps, const struct dropout *drop)
{
    return norm(t, x, r, gamma, beta, eps, drop, NULL, NULL);
}

struct tensor *tape_norm_over(struct tape *t, struct tensor *x, struct tensor *r,
                              struct tensor *gamma, struct tensor *beta, double eps,
                              const struct dropout *drop)
{
    return norm(t, x, r, gamma, beta, eps, drop, x->x, NULL);
}

void tape_norm_into(struct tape *t, struct tensor *x, struct tensor *r, struct tensor *gamma,
                    struct tensor *beta, double eps, const struct dropout *drop, struct tensor *y)
{
    assert(t->failed || (!t->training && y->rows == x->rows && y->cols == x->cols));
    norm(t, x, r, gamma, beta, eps, drop, NULL, y);
}

struct tensor *tape_dropout(struct tape *t, struct tensor *x, const struct dropout *drop)
{
    if (t->failed)
        return &t->nothing;
    if (!drop || !drop->threshold)
        return x;
    assert(x->ld == x->cols && tape_whole(x));
    struct tensor *y = tape_output(t, x->rows, x->cols);
    struct op_dropout o = { .n = x->rows,
                            .d = x->cols,
                            .x = x->x,
                            .drop = tape_drop_there(t, drop, x->rows),
                            .y = y->x,
                            .dy = y->g,
                            .dx = x->g };
    if (t->failed)
        return &t->nothing;
    t->b->dropout_forward(&o);
    if (t->training && o.dx) {
        tape_record(t, &o, sizeof o, dropout_back);
        tape_meets(t, y, NULL);
        tape_meets(t, x, NULL);
    }
    return y;
}

struct op_add {
    size_t n;
    double a;
    void *dy, *dx1, *dx2;
};

static void add_back(const struct backend *b, const void *op)
{
    const struct op_add *o = op;
    if (o->dx1)
        b->axpy(&(struct op_axpy){ o->n, 1, o->dy, o->dx1 });
    if (o->dx2)
        b->axpy(&(struct op_axpy){ o->n, o->a, o->dy, o->dx2 });
}

struct tensor *tape_add(struct tape *t, struct tensor *x, double a, struct tensor *y)
{
    if (t->failed)
        return &t->nothing;
    assert(x->rows == y->rows && x->cols == y->cols && x->ld == x->cols && y->ld == y->cols);
    assert(tape_whole(x) && tape_whole(y));
    const size_t n = x->rows * x->cols;
    struct tensor *z = tape_output(t, x->rows, x->cols);
    if (t->failed)
        return &t->nothing;
    backend_copy(t->b, z->x, x->x, n * t->b->real_bytes);
    t->b->axpy(&(struct op_axpy){ n, a, y->x, z->x });
    struct op_add o = { n, a, z->g, x->g, y->g };
    if (t->training) {
        tape_record(t, &o, sizeof o, add_back);
        tape_meets(t, z, NULL);
        tape_meets(t, x, NULL);
        tape_meets(t, y, NULL);
    }
    return z;
}

struct tensor *tape_gather(struct tape *t, struct tensor *table, const uint32_t *index, size_t n,
                           size_t no_grad_row)
{
    if (t->failed)
        return &t->nothing;
    assert(tape_whole(table));
    struct tensor *y = tape_output(t, n, table->cols);
    struct op_gather o = { .n = n,
                           .d = table->cols,
                           .n_table = table->rows,
                           .table = table->x,
                           .ld = table->ld,
                           .index = tape_there(t, index, n * sizeof *index),
                           .no_grad_row = no_grad_row,
                           .y = y->x,
                           .dy = y->g,
                           .dtable = table->g };
    if (t->training && o.dtable)
        o.order = order_of(t, index, n, table->rows, &o.end);
    if (t->failed)
        return &t->nothing;
    t->b->gather_forward(&o);
    if (t->training && o.dtable) {
        tape_record(t, &o, sizeof o, gather_back);
        tape_meets(t, y, NULL);
        tape_meets(t, table, NULL);
    }
    return y;
}

struct tensor *tape_gather_axpy(struct tape *t, struct tensor *table, const uint32_t *index,
                                size_t n, struct tensor *value, struct tensor *w)
{
    if (t->failed)
        return &t->nothing;
    assert(table->ld == table->cols && value->rows == n && (!w || w->rows == table->cols));
    assert(tape_whole(table) && tape_whole(value));
    struct tensor *y = tape_output(t, n, table->cols);
    struct op_gather_axpy o = { .n = n,
                                .d = table->cols,
                                .n_table = table->rows,
                                .table = table->x,
                                .index = tape_there(t, index, n * sizeof *index),
                                .value = value->x,
                                .w = w ? w->x : NULL,
                                .ld_w = w ? w->ld : 0,
                                .y = y->x,
                                .dy = y->g,
                                .dtable = table->g,
                                .dw = w ? w->g : NULL };
    if (t->training) {
        o.order = order_of(t, index, n, table->rows, &o.end);
        o.work = tape_scratch(t, op_row_work(n, o.d) * t->b->real_bytes);
    }
    if (t->failed)
        return &t->nothing;
    t->b->gather_axpy_forward(&o);
    if (t->training) {
        tape_record(t, &o, sizeof o, gather_axpy_back);
        tape_meets(t, y, NULL);
        tape_meets(t, table, NULL);
        tape_meets(t, w, NULL);
    }
    return y;
}

struct tensor *tape_add_position(struct tape *t, struct tensor *x, struct tensor *type,
                                 struct tensor *position, const uint32_t *rank)
{
    if (t->failed)
        return &t->nothing;
    assert(type->cols == x->cols && position->cols == x->cols && x->ld == x->cols);
    struct tensor *y = tape_output(t, x->rows, x->cols);
    struct op_add_position o = { .n = x->rows,
                                 .d = x->cols,
                                 .n_position = position->rows,
                                 .x = x->x,
                                 .type = type->x,
                                 .position = position->x,
                                 .rank = tape_there(t, rank, x->rows * sizeof *rank),
                                 .y = y->x,
                                 .dy = y->g,
                                 .dx = x->g,
                                 .dtype = type->g,
                                 .dposition = position->g };
    if (t->training)
        o.work = tape_scratch(t, op_row_work(o.n, o.d) * t->b->real_bytes);
    if (t->training)
        o.order = order_of(t, rank, o.n, o.n_position, &o.end);
    if (t->failed)
        return &t->nothing;
    t->b->add_position_forward(&o);
    if (t->training) {
        tape_record(t, &o, sizeof o, add_position_back);
        tape_meets(t, y, NULL);
        tape_meets(t, x, NULL);
        tape_meets(t, type, NULL);
        tape_meets(t, position, NULL);
    }
    return y;
}

struct tensor *tape_add_species(struct tape *t, struct tensor *x, struct tensor *cls,
                                const uint32_t *first, const uint8_t *species, size_t n_cells)
{
    if (t->failed)
        return &t->nothing;
    assert(first[n_cells] == x->rows + n_cells && cls->cols == x->cols && x->ld == x->cols);
    struct tensor *y = tape_output(t, first[n_cells], x->cols);
    struct op_add_species o = { .n_cells = n_cells,
                                .d = x->cols,
                                .first = tape_there(t, first, (n_cells + 1) * sizeof *first),
                                .species = tape_there(t, species, n_cells),
                                .x = x->x,
                                .cls = cls->x,
                                .y = y->x,
                                .dy = y->g,
                                .dx = x->g,
                                .dcls = cls->g };
    if (t->failed)
        return &t->nothing;
    t->b->add_species_forward(&o);
    if (t->training) {
        tape_record(t, &o, sizeof o, add_species_back);
        tape_meets(t, y, NULL);
        tape_meets(t, x, NULL);
        tape_meets(t, cls, NULL);
    }
    return y;
}
