/* Who is first at a gradient (backend.gradient_first): whole models of a few operations on the
 * emulated device against the reference, which sets all gradients to zero beforehand. Memory of the
 * emulated device is NaN at first, so a place that nobody set, or that is added to before it was
 * written, makes the gradients of the weights behind it NaN.
 *
 * Bounds: op_case.h; of bf16 twice as much, for there are up to three rounded products in a row. */
#include "lib/tensor/tape_small.h"
#include "tests/kernels/op_case.h"

enum { N = 70, HALF = N / 2, D = 40, WIDE = 2 * D };

static struct tensor *times(struct tape *t, struct tensor *x, struct tensor *w)
{
    return tape_linear(t, x, w, NULL, ACT_NONE);
}

/* Parts of an output; c->extra: where they begin. */
static struct tensor *columns(struct tape *t, struct tensor **in, const struct fix *c, double *loss)
{
    (void)loss;
    struct tensor *h = times(t, in[0], in[1]);
    return times(t, tape_columns(t, h, c->extra, D), in[2]);
}

static struct tensor *some_rows(struct tape *t, struct tensor **in, const struct fix *c,
                                double *loss)
{
    (void)loss;
    struct tensor *h = times(t, in[0], in[1]);
    return times(t, tape_rows(t, h, c->extra, HALF), in[2]);
}

static struct tensor *norm_rows(struct tape *t, struct tensor **in, const struct fix *c,
                                double *loss)
{
    (void)loss;
    struct tensor *h = times(t, in[0], in[1]);
    return tape_norm(t, tape_rows(t, h, c->extra, HALF), NULL, in[2], in[3], 1e-5, NULL);
}

static struct tensor *residual_rows(struct tape *t, struct tensor **in, const struct fix *c,
                                    double *loss)
{
    (void)loss;
    struct tensor *h = times(t, in[0], in[1]), *x = tape_rows(t, in[0], 0, HALF);
    return tape_norm(t, x, tape_rows(t, h, c->extra, HALF), in[2], in[3], 1e-5, NULL);
}

static struct tensor *two_columns(struct tape *t, struct tensor **in, const struct fix *c,
                                  double *loss)
{
    (void)c;
    (void)loss;
    struct tensor *h = times(t, in[0], in[1]), *a = times(t, tape_columns(t, h, 0, D), in[2]);
    return tape_add(t, a, 1, times(t, tape_columns(t, h, D, D), in[3]));
}

/* A part and all of an output; c->extra: the part is the newer one, so the first backward. */
static struct tensor *part_and_all(struct tape *t, struct tensor **in, const struct fix *c,
                                   double *loss)
{
    (void)loss;
    struct tensor *h = times(t, in[0], in[1]), *all = NULL;
    if (c->extra)
        all = times(t, h, in[3]);
    struct tensor *part = times(t, tape_columns(t, h, D, D), in[2]);
    return tape_add(t, part, 1, all ? all : times(t, h, in[3]));
}

static struct tensor *seeded_rows(struct tape *t, struct tensor **in, const struct fix *c,
                                  double *loss)
{
    (void)loss;
    return tape_rows(t, times(t, times(t, in[0], in[1]), in[2]), c->extra, HALF);
}

/* What is seeded feeds an operation that nobody uses. */
static struct tensor *seeded_and_used(struct tape *t, struct tensor **in, const struct fix *c,
                                      double *loss)
{
    (void)c;
    (void)loss;
    struct tensor *h = times(t, in[0], in[1]);
    times(t, h, in[2]);
    return h;
}

static struct tensor *norm_self(struct tape *t, struct tensor **in, const struct fix *c,
                                double *loss)
{
    (void)c;
    (void)loss;
    struct tensor *h = times(t, in[0], in[1]);
    return tape_norm(t, h, h, in[2], in[3], 1e-5, NULL);
}

/* An output whose numbers are about 1, so that soft-max is far from its steps. */
static struct tensor *one(struct tape *t, struct tensor *x, struct tensor *w)
{
    return tape_add(t, tape_new(t, x->rows, w->rows), 1 / sqrt(D), times(t, x, w));
}

static const uint32_t first[] = { 0, 3, N };

static struct tensor *attend(struct tape *t, struct tensor *q, struct tensor *k, struct tensor *v)
{
    return tape_attention(t, q, k, v, 1, first, 2, NULL);
}

static struct tensor *apart(struct tape *t, struct tensor **in, const struct fix *c, double *loss)
{
    (void)c;
    (void)loss;
    struct tensor *q = one(t, in[0], in[1]), *k = one(t, in[0], in[2]);
    return attend(t, q, k, one(t, in[0], in[3]));
}

/* Of c->extra heads: queries, keys, values and what attention makes of them are between. */
static struct tensor *attend_between(struct tape *t, struct tensor **in, const struct fix *c,
                                     double *loss)
{
    (void)loss;
    struct fix dropped = *c;
    dropped.rate = 0.1;
    const struct dropout drop = some_dropout(t, &dropped, N);
    struct tensor *w[3], *b[3], *x[3];
    for (size_t i = 0; i < 3; i++) {
        b[i] = in[4];
        w[i] = tape_add(t, tape_new(t, in[1 + i]->rows, D), 1 / sqrt(D), in[1 + i]);
    }
    tape_linears_between(t, in[0], 3, w, b, c->extra, x);
    struct tensor *y = tape_attention(t, x[0], x[1], x[2], c->extra, first, 2, &drop);
    return tape_add(t, times(t, y, in[5]), 1, in[0]); /* at the gradient before them */
}

/* Queries, keys and values are rows of one output, in this order and others. */
static struct tensor *blocks(struct tape *t, struct tensor **in, const struct fix *c, double *loss)
{
    (void)loss;
    struct tensor *h = one(t, in[0], in[1]), *x[3];
    for (size_t i = 0; i < 3; i++)
        x[i] = tape_rows(t, h, (i + c->extra) % 3 * N, N);
    return attend(t, x[0], x[1], x[2]);
}

/* Of q, k and v two or three are one; c->extra: which of two outputs each is, a bit of each. */
static struct tensor *shared(struct tape *t, struct tensor **in, const struct fix *c, double *loss)
{
    (void)loss;
    struct tensor *h[] = { one(t, in[0], in[1]), one(t, in[0], in[2]) };
    return attend(t, h[c->extra & 1], h[c->extra >> 1 & 1], h[c->extra >> 2 & 1]);
}

/* An output that nobody uses, and one more behind it; c->extra: made last. */
static struct tensor *nobodys(struct tape *t, struct tensor **in, const struct fix *c, double *loss)
{
    (void)loss;
    struct tensor *h = times(t, in[0], in[1]), *y = c->extra ? times(t, h, in[3]) : NULL;
    tape_act(t, times(t, h, in[2]), ACT_GELU);
    return y ? y : times(t, h, in[3]);
}

static struct tensor *twice(struct tape *t, struct tensor **in, const struct fix *c, double *loss)
{
    (void)c;
    (void)loss;
    struct tensor *h = times(t, in[0], in[1]), *a = times(t, h, in[2]);
    return tape_add(t, a, 0.5, times(t, h, in[3]));
}

static struct tensor *together(struct tape *t, struct tensor **in, const struct fix *c,
                               double *loss)
{
    (void)c;
    (void)loss;
    static struct tensor *const no_bias[3];
    struct tensor *h = times(t, in[0], in[1]), *y[3];
    tape_linears(t, h, 3, in + 1, no_bias, y);
    return tape_add(t, tape_add(t, y[0], 0.5, y[1]), -1, y[2]);
}

/* Two products and the norm behind them, all between; the second one's bias is the norm's affair.
 */
static struct tensor *feed_forward(struct tape *t, struct tensor **in, const struct fix *c,
                                   double *loss)
{
    (void)c;
    (void)loss;
    struct tensor *h = tape_linear_between(t, in[0], in[1], in[2], ACT_GELU);
    h = tape_linear_between(t, h, in[3], in[4], ACT_NONE);
    return tape_norm_over(t, h, in[0], in[5], in[4], 1e-5, NULL);
}

/* A row of c->extra numbers, with a residual that is somebody else's output, and dropout. */
static struct tensor *norm_between(struct tape *t, struct tensor **in, const struct fix *c,
                                   double *loss)
{
    (void)loss;
    struct fix dropped = *c;
    dropped.rate = 0.25;
    const struct dropout drop = some_dropout(t, &dropped, N);
    struct tensor *r = tape_linear(t, in[0], in[2], NULL, ACT_TANH);
    struct tensor *h = tape_linear_between(t, in[0], in[1], in[3], ACT_NONE);
    return tape_norm_over(t, h, r, in[4], in[5], 1e-5, &drop);
}

/* The product's bias is somebody's output, too: its gradient is not set when the norm is there. */
static struct tensor *made_bias(struct tape *t, struct tensor **in, const struct fix *c,
                                double *loss)
{
    (void)c;
    (void)loss;
    struct tensor *b = tape_add(t, in[2], 0.5, in[3]);
    return tape_norm(t, tape_linear_between(t, in[0], in[1], b, ACT_NONE), NULL, in[2], in[3], 1e-5,
                     NULL);
}

/* Nobody takes the second of them. */
static struct tensor *between_nobodys(struct tape *t, struct tensor **in, const struct fix *c,
                                      double *loss)
{
    (void)c;
    (void)loss;
    tape_linear_between(t, in[0], in[2], NULL, ACT_QUICK_GELU);
    return times(t, tape_linear_between(t, in[0], in[1], NULL, ACT_GELU), in[3]);
}

/* The loss is at its gradient before any operation's backward. */
static struct tensor *lost(struct tape *t, struct tensor **in, const struct fix *c, double *loss)
{
    static const float target[N * D];
    (void)c;
    struct tensor *h = times(t, in[0], in[1]);
    *loss += tape_square_loss(t, h, target, 0.01);
    return times(t, h, in[2]);
}

#define NORM_BETWEEN(width)                                                                        \
    {                                                                                              \
        "norm of a between, " #width " wide", norm_between, 6,                                     \
            { { N, D }, { width, D }, { width, D }, { 1, width }, { 1, width }, { 1, width } }, 0  \
    }

#define ATTEND_BETWEEN(width, heads)                                                               \
    {                                                                                              \
        "attention between, " #heads " heads in " #width, attend_between, 6,                       \
            { { N, D }, { width, D }, { width, D }, { width, D }, { 1, width }, { D, width } },    \
            heads                                                                                  \
    }

/* What the cases stand on: an output's gradient is NaN until somebody is there. */
static void not_set(const struct backend *b)
{
    struct tape t;
    double g[N * D];
    size_t before = 0, after = 0;
    tape_init(&t, b, true);
    struct tensor *h = times(&t, tape_new(&t, N, D), tape_new(&t, D, D));
    reals_to_f64(b, g, h->g, N * D);
    for (size_t k = 0; k < N * D; k++)
        before += isnan(g[k]) != 0;
    static const double seed[D] = { 3 };
    tape_seed(&t, tape_rows(&t, h, 1, 1), seed);
    reals_to_f64(b, g, h->g, N * D);
    for (size_t k = 0; k < N * D; k++)
        after += near(g[k], k == D ? 3 : 0, 0, 0);
    ok(before == N * D && after == N * D,
       "%s: a gradient holds nothing, and what is beside its seed holds zeros", b->name);
    tape_release(&t);
}

/* What stands between is kept rounded alone by the filling that rounds, and by no other. */
static void between(const struct backend *b)
{
    struct tape t;
    tape_init(&t, b, true);
    struct tensor *w = tape_new(&t, D, D);
    const struct tensor *y = tape_linear_between(&t, tape_new(&t, N, D), w, NULL, ACT_GELU);
    const struct tensor *z = tape_linear_between(&t, tape_new(&t, N, D), w, NULL, ACT_NONE);
    const bool rounded = b->round != NULL;
    ok(!y->x == rounded && !y->g == rounded && !z->x == rounded && !y->g_low == !rounded,
       "%s: what stands between products is kept %s", b->name,
       rounded ? "rounded alone" : "as it is");
    tape_release(&t);
}

static const struct {
    const char *name;
    struct tensor *(*f)(struct tape *t, struct tensor **in, const struct fix *c, double *loss);
    size_t n_in, shape[MAX_IN][2], extra;
} cases[] = {
    { "left columns of an output", columns, 3, { { N, D }, { WIDE, D }, { D, D } }, 0 },
    { "right columns of an output", columns, 3, { { N, D }, { WIDE, D }, { D, D } }, D },
    { "upper rows of an output", some_rows, 3, { { N, D }, { D, D }, { D, D } }, 0 },
    { "lower rows of an output", some_rows, 3, { { N, D }, { D, D }, { D, D } }, HALF },
    { "norm of upper rows", norm_rows, 4, { { N, D }, { D, D }, { 1, D }, { 1, D } }, 0 },
    { "norm of lower rows", norm_rows, 4, { { N, D }, { D, D }, { 1, D }, { 1, D } }, HALF },
    { "upper rows as residual", residual_rows, 4, { { N, D }, { D, D }, { 1, D }, { 1, D } }, 0 },
    { "lower rows as residual",
      residual_rows,
      4,
      { { N, D }, { D, D }, { 1, D }, { 1, D } },
      HALF },
    { "left and right columns", two_columns, 4, { { N, D }, { WIDE, D }, { D, D }, { D, D } }, 0 },
    { "columns, then all", part_and_all, 4, { { N, D }, { WIDE, D }, { D, D }, { D, WIDE } }, 0 },
    { "all, then columns", part_and_all, 4, { { N, D }, { WIDE, D }, { D, D }, { D, WIDE } }, 1 },
    { "upper rows are seeded", seeded_rows, 3, { { N, D }, { D, D }, { D, D } }, 0 },
    { "lower rows are seeded", seeded_rows, 3, { { N, D }, { D, D }, { D, D } }, HALF },
    { "a seeded output is used", seeded_and_used, 3, { { N, D }, { D, D }, { D, D } }, 0 },
    { "norm of x and x", norm_self, 4, { { N, D }, { D, D }, { 1, D }, { 1, D } }, 0 },
    { "attention, q, k and v apart", apart, 4, { { N, D }, { D, D }, { D, D }, { D, D } }, 0 },
    { "attention of rows q, k, v", blocks, 2, { { 3 * N, D }, { D, D } }, 0 },
    { "attention of rows v, q, k", blocks, 2, { { 3 * N, D }, { D, D } }, 1 },
    { "attention of rows k, v, q", blocks, 2, { { 3 * N, D }, { D, D } }, 2 },
    { "attention, all are one", shared, 3, { { N, D }, { D, D }, { D, D } }, 0 },
    { "attention, k is v", shared, 3, { { N, D }, { D, D }, { D, D } }, 6 },
    { "attention, q is k", shared, 3, { { N, D }, { D, D }, { D, D } }, 4 },
    { "attention, q is v", shared, 3, { { N, D }, { D, D }, { D, D } }, 2 },
    { "an older output is unused", nobodys, 4, { { N, D }, { D, D }, { D, D }, { D, D } }, 0 },
    { "the newest output is unused", nobodys, 4, { { N, D }, { D, D }, { D, D }, { D, D } }, 1 },
    { "an output is used twice", twice, 4, { { N, D }, { D, D }, { D, D }, { D, D } }, 0 },
    { "three linear operations on one",
      together,
      4,
      { { N, D }, { D, D }, { D, D }, { D, D } },
      0 },
    { "a feed-forward between",
      feed_forward,
      6,
      { { N, D }, { WIDE, D }, { 1, WIDE }, { D, WIDE }, { 1, D }, { 1, D } },
      0 },
    ATTEND_BETWEEN(40, 1), /* by warpgroups */
    ATTEND_BETWEEN(264, 8),
    ATTEND_BETWEEN(72, 3), /* by mma.sync */
    ATTEND_BETWEEN(40, 8),
    ATTEND_BETWEEN(72, 1), /* on plain cores: nothing is rounded alone */
    NORM_BETWEEN(8),
    NORM_BETWEEN(256),
    NORM_BETWEEN(264),
    NORM_BETWEEN(776),
    NORM_BETWEEN(1024),
    { "norm of a between whose bias was made",
      made_bias,
      4,
      { { N, D }, { WIDE, D }, { 1, WIDE }, { 1, WIDE } },
      0 },
    { "a between that nobody takes",
      between_nobodys,
      4,
      { { N, D }, { D, D }, { D, D }, { D, D } },
      0 },
    { "a loss and an operation", lost, 3, { { N, D }, { D, D }, { D, D } }, 0 },
};

int main(void)
{
    static const struct filling on[] = { { "cuda", 2e-5 }, { "cuda-bf16", 0x1p-5 } };
    const char *why;
    for (size_t k = 0; k < sizeof on / sizeof *on; k++) {
        const struct backend *b = backend_find(on[k].name, &why);
        if (!b) {
            skip("%s: %s", on[k].name, why);
            continue;
        }
        not_set(b);
        between(b);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct fix c = { .name = cases[i].name, .n_in = cases[i].n_in, .seed = 7 };
            for (size_t j = 0; j < c.n_in; j++) {
                c.rows[j] = cases[i].shape[j][0];
                c.cols[j] = cases[i].shape[j][1];
            }
            c.extra = cases[i].extra;
            c.f = cases[i].f;
            check_filling(&c, &on[k]);
        }
    }
    return tap_end();
}
