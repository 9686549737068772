#include "lib/tensor/tape_small.h"

#include <assert.h>
#include <string.h>

#include "lib/tensor/tape_node.h"

#define BACKWARD(name)                                                                             \
    static void name##_back(const struct backend *b, const void *op)                               \
    {                                                                                              \
        b->small->name##_backward(op);                                                             \
    }
BACKWARD(product)
BACKWARD(pair)
BACKWARD(map)
BACKWARD(sum)
BACKWARD(softmax)
BACKWARD(batch_norm)
BACKWARD(spread)
BACKWARD(edge_attention)
BACKWARD(cross_attention)
BACKWARD(invert)
#undef BACKWARD

enum rc tape_small_check(const struct backend *b, struct err *e)
{
    if (b->small)
        return RC_OK;
    return err_set(e, RC_SKIP, "backend '%s' has no operations for this network", b->name);
}

static bool dense(const struct tensor *x)
{
    return x->ld == x->cols;
}

struct tensor *tape_input_f64(struct tape *t, const double *x, size_t rows, size_t cols)
{
    struct tensor *y = tape_output(t, rows, cols);
    if (t->failed)
        return &t->nothing;
    reals_from_f64(t->b, y->x, x, rows * cols);
    y->g = NULL;
    return y;
}

struct tensor *tape_shape(struct tape *t, const struct tensor *x, size_t rows, size_t cols)
{
    struct tensor *y = tape_memory(t, sizeof *y);
    if (t->failed)
        return &t->nothing;
    assert(x->x && dense(x) && rows * cols == x->rows * x->cols);
    *y = (struct tensor){
        .rows = rows, .cols = cols, .ld = cols, .x = x->x, .g = x->g, .slope = x->slope
    };
    return y;
}

struct tensor *tape_rows(struct tape *t, const struct tensor *x, size_t at, size_t n)
{
    struct tensor *y = tape_memory(t, sizeof *y);
    if (t->failed)
        return &t->nothing;
    assert(x->x && at <= x->rows && n <= x->rows - at);
    const size_t bytes = at * x->ld * t->b->real_bytes;
    *y = (struct tensor){ .rows = n,
                          .cols = x->cols,
                          .ld = x->ld,
                          .x = (char *)x->x + bytes,
                          .g = x->g ? (char *)x->g + bytes : NULL,
                          .slope = x->slope };
    return y;
}

double *tape_values(struct tape *t, const struct tensor *x)
{
    const size_t n = x->rows * x->cols;
    double *y = tape_memory(t, n * sizeof *y);
    if (t->failed)
        return NULL;
    assert(dense(x));
    reals_to_f64(t->b, y, x->x, n);
    return y;
}

struct tensor *tape_product(struct tape *t, struct tensor *a, bool ta, struct tensor *b, bool tb)
{
    if (t->failed)
        return &t->nothing;
    struct op_product o = { .n = ta ? a->cols : a->rows,
                            .k = ta ? a->rows : a->cols,
                            .m = tb ? b->rows : b->cols,
                            .a = a->x,
                            .b = b->x,
                            .ta = ta,
                            .tb = tb,
                            .da = a->g,
                            .db = b->g };
    assert(dense(a) && dense(b) && o.k == (tb ? b->cols : b->rows));
    struct tensor *y = tape_output(t, o.n, o.m);
    if (t->failed)
        return &t->nothing;
    o.y = y->x;
    o.dy = y->g;
    t->b->small->product_forward(&o);
    if (t->training)
        tape_record(t, &o, sizeof o, product_back);
    return y;
}

struct tensor *tape_pair(struct tape *t, enum pair_kind kind, struct tensor *x, double c,
                         struct tensor *z)
{
    if (t->failed)
        return &t->nothing;
    assert(dense(x) && dense(z) && (z->cols == x->cols || z->cols == 1) && z->rows);
    assert(x->rows % z->rows == 0);
    struct tensor *y = tape_output(t, x->rows, x->cols);
    if (t->failed)
        return &t->nothing;
    struct op_pair o = { x->rows, x->cols, z->rows, z->cols, kind, c,
                         x->x,    z->x,    y->x,    y->g,    x->g, z->g };
    t->b->small->pair_forward(&o);
    if (t->training)
        tape_record(t, &o, sizeof o, pair_back);
    return y;
}

struct tensor *tape_map(struct tape *t, enum map_kind kind, struct tensor *x, double c)
{
    if (t->failed)
        return &t->nothing;
    assert(dense(x));
    struct tensor *y = tape_output(t, x->rows, x->cols);
    if (t->failed)
        return &t->nothing;
    struct op_map o = { x->rows * x->cols, kind, c, x->x, y->x, y->g, x->g };
    t->b->small->map_forward(&o);
    if (t->training && o.dx)
        tape_record(t, &o, sizeof o, map_back);
    return y;
}

struct tensor *tape_sum(struct tape *t, struct tensor *x, bool over_rows, double c)
{
    if (t->failed)
        return &t->nothing;
    assert(dense(x));
    struct tensor *y = tape_output(t, over_rows ? 1 : x->rows, over_rows ? x->cols : 1);
    if (t->failed)
        return &t->nothing;
    struct op_sum o = { x->rows, x->cols, over_rows, c, x->x, y->x, y->g, x->g };
    t->b->small->sum_forward(&o);
    if (t->training && o.dx)
        tape_record(t, &o, sizeof o, sum_back);
    return y;
}

struct tensor *tape_softmax(struct tape *t, struct tensor *x)
{
    if (t->failed)
        return &t->nothing;
    assert(dense(x) && x->cols);
    struct tensor *y = tape_output(t, x->rows, x->cols);
    if (t->failed)
        return &t->nothing;
    struct op_softmax o = { x->rows, x->cols, x->x, y->x, y->g, x->g };
    t->b->small->softmax_forward(&o);
    if (t->training && o.dx)
        tape_record(t, &o, sizeof o, softmax_back);
    return y;
}

struct tensor *tape_batch_norm(struct tape *t, struct tensor *x, const struct batch_norm *n)
{
    if (t->failed)
        return &t->nothing;
    assert(dense(x) && n->running_mean->cols == x->cols);
    struct tensor *y = tape_output(t, x->rows, x->cols);
    struct op_batch_norm o = { .n = x->rows,
                               .d = x->cols,
                               .train = n->train,
                               .eps = n->eps,
                               .momentum = n->momentum,
                               .x = x->x,
                               .gamma = n->gamma ? n->gamma->x : NULL,
                               .beta = n->beta ? n->beta->x : NULL,
                               .running_mean = n->running_mean->x,
                               .running_var = n->running_var->x,
                               .y = y->x,
                               .mean = tape_memory(t, x->cols * sizeof(double)),
                               .rstd = tape_memory(t, x->cols * sizeof(double)),
                               .dy = y->g,
                               .dx = x->g,
                               .dgamma = n->gamma ? n->gamma->g : NULL,
                               .dbeta = n->beta ? n->beta->g : NULL };
    if (t->failed)
        return &t->nothing;
    t->b->small->batch_norm_forward(&o);
    if (t->training)
        tape_record(t, &o, sizeof o, batch_norm_back);
    return y;
}

struct tensor *tape_spread(struct tape *t, struct tensor *x, const struct edges *e)
{
    if (t->failed)
        return &t->nothing;
    assert(dense(x) && x->rows == e->n_from);
    struct tensor *y = tape_output(t, e->n_to, x->cols);
    if (t->failed)
        return &t->nothing;
    struct op_spread o = { e, x->cols, x->x, y->x, y->g, x->g };
    t->b->small->spread_forward(&o);
    if (t->training && o.dx)
        tape_record(t, &o, sizeof o, spread_back);
    return y;
}

struct tensor *tape_edge_attention(struct tape *t, struct tensor *s, struct tensor *d,
                                   struct tensor *a_s, struct tensor *a_d, size_t heads,
                                   double slope, const struct edges *e, const struct dropout *drop,
                                   struct tensor **share)
{
    if (t->failed)
        return &t->nothing;
    assert(heads && s->cols % heads == 0 && d->cols == s->cols && a_s->cols == s->cols);
    assert(a_d->cols == s->cols && s->rows == e->n_from && d->rows == e->n_to);
    const size_t c = s->cols / heads;
    struct tensor *y = tape_output(t, e->n_to, c), *p = tape_output(t, e->n_edges, heads);
    struct op_edge_attention o = { .e = e,
                                   .heads = heads,
                                   .c = c,
                                   .slope = slope,
                                   .s = s->x,
                                   .d = d->x,
                                   .a_s = a_s->x,
                                   .a_d = a_d->x,
                                   .y = y->x,
                                   .share = p->x,
                                   .sum_s = tape_reals(t, e->n_from * heads),
                                   .sum_d = tape_reals(t, e->n_to * heads),
                                   .weight = tape_reals(t, e->n_edges * heads),
                                   .turned = tape_reals(t, e->n_from * s->cols),
                                   .dy = y->g,
                                   .ds = s->g,
                                   .dd = d->g,
                                   .da_s = a_s->g,
                                   .da_d = a_d->g };
    if (drop)
        o.drop = *drop;
    if (t->training)
        o.work = tape_reals(t, (e->n_edges + e->n_from + e->n_to) * heads);
    if (t->failed)
        return &t->nothing;
    t->b->small->edge_attention_forward(&o);
    if (t->training)
        tape_record(t, &o, sizeof o, edge_attention_back);
    if (share)
        *share = p;
    return y;
}

struct tensor *tape_cross_attention(struct tape *t, struct tensor *q, struct tensor *k,
                                    struct tensor *v, size_t heads, double scale,
                                    const uint32_t *q_first, const uint32_t *k_first,
                                    size_t n_groups, const struct dropout *drop,
                                    struct tensor **share)
{
    if (t->failed)
        return &t->nothing;
    assert(dense(q) && dense(k) && dense(v) && heads && q->cols % heads == 0);
    assert(q->rows == q_first[n_groups] && k->rows == k_first[n_groups] && v->rows == k->rows);
    size_t n_share = 0, most = 0;
    for (size_t g = 0; g < n_groups; g++) {
        const size_t n_keys = k_first[g + 1] - k_first[g];
        assert(n_keys);
        n_share += heads * (q_first[g + 1] - q_first[g]) * n_keys;
        most = n_keys > most ? n_keys : most;
    }
    struct tensor *y = tape_output(t, q->rows, q->cols), *p = tape_output(t, n_share, 1);
    struct op_cross_attention o = { .n_groups = n_groups,
                                    .d = q->cols,
                                    .heads = heads,
                                    .q_first = q_first,
                                    .k_first = k_first,
                                    .scale = scale,
                                    .q = q->x,
                                    .k = k->x,
                                    .v = v->x,
                                    .y = y->x,
                                    .share = p->x,
                                    .dy = y->g,
                                    .dq = q->g,
                                    .dk = k->g,
                                    .dv = v->g,
                                    .work = tape_reals(t, most) };
    if (drop)
        o.drop = *drop;
    if (t->failed)
        return &t->nothing;
    t->b->small->cross_attention_forward(&o);
    if (t->training)
        tape_record(t, &o, sizeof o, cross_attention_back);
    if (share)
        *share = p;
    return y;
}

struct tensor *tape_invert(struct tape *t, struct tensor *x, bool *singular)
{
    if (t->failed)
        return &t->nothing;
    assert(dense(x) && x->rows == x->cols);
    const size_t n = x->rows;
    struct tensor *y = tape_output(t, n, n);
    struct op_invert o = { n,    x->x, y->x, singular,
                           y->g, x->g, NULL, tape_memory(t, n * sizeof(int)) };
    if (t->training)
        o.work = tape_reals(t, 2 * n * n);
    if (t->failed)
        return &t->nothing;
    t->b->small->invert_forward(&o);
    if (t->training && o.dx)
        tape_record(t, &o, sizeof o, invert_back);
    return y;
}

enum { MOST_JOINED = 8 };

struct op_join {
    size_t n, rows, cols;
    size_t width[MOST_JOINED];
    char *dy, *dx[MOST_JOINED];
};

static void join_back(const struct backend *b, const void *op)
{
    const struct op_join *o = op;
    for (size_t k = 0, at = 0; k < o->n; at += o->width[k++])
        for (size_t i = 0; o->dx[k] && i < o->rows; i++)
            b->axpy(&(struct op_axpy){ o->width[k], 1, o->dy + (i * o->cols + at) * b->real_bytes,
                                       o->dx[k] + i * o->width[k] * b->real_bytes });
}

struct tensor *tape_join(struct tape *t, struct tensor *const *x, size_t n)
{
    if (t->failed)
        return &t->nothing;
    assert(n && n <= MOST_JOINED);
    struct op_join o = { .n = n, .rows = x[0]->rows };
    const size_t bytes = t->b->real_bytes;
    for (size_t k = 0; k < n; k++) {
        assert(dense(x[k]) && x[k]->rows == o.rows);
        o.width[k] = x[k]->cols;
        o.cols += x[k]->cols;
        o.dx[k] = x[k]->g;
    }
    struct tensor *y = tape_output(t, o.rows, o.cols);
    if (t->failed)
        return &t->nothing;
    for (size_t k = 0, at = 0; k < n; at += o.width[k++])
        for (size_t i = 0; i < o.rows; i++)
            memcpy((char *)y->x + (i * o.cols + at) * bytes,
                   (const char *)x[k]->x + i * o.width[k] * bytes, o.width[k] * bytes);
    o.dy = y->g;
    if (t->training)
        tape_record(t, &o, sizeof o, join_back);
    return y;
}
