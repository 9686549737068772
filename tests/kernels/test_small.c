/* Every operation of lib/tensor/small.h: gradients, cpu against ref, equal bytes for any number of
 * threads, a worked example where the gradient test could not tell a wrong formula. Bounds:
 * op_case.h. */
#include "lib/nn/links.h"
#include "lib/tensor/tape_small.h"
#include "tests/kernels/op_case.h"

static struct links *some_links(size_t n_to, size_t n_from, size_t n, bool mean)
{
    static struct links l; /* one at a time */
    uint32_t *to = calloc(n + 1, sizeof *to), *from = calloc(n + 1, sizeof *from);
    double *w = calloc(n + 1, sizeof *w);
    for (size_t k = 0; k < n; k++) {
        to[k] = (uint32_t)rng_below(1, RNG_TEST, 20, k, n_to);
        from[k] = (uint32_t)rng_below(1, RNG_TEST, 21, k, n_from);
        w[k] = rng_normal(1, RNG_TEST, 22, k);
    }
    links_release(&l);
    if (links_init(&l, n_to, n_from, to, from, mean ? NULL : w, n, mean, NULL))
        abort();
    free(to);
    free(from);
    free(w);
    return &l;
}

/* extra: bit 0 ta, bit 1 tb. */
static struct tensor *f_product(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    return tape_product(t, in[0], c->extra & 1, in[1], c->extra & 2);
}

static struct tensor *f_pair(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    return tape_pair(t, c->extra ? PAIR_MUL : PAIR_ADD, in[0], -0.7, in[1]);
}

/* c: 4, so that logarithms and roots of normals exist; MAP_FLOOR and MAP_LEAKY by their own. */
static struct tensor *f_map(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    const enum map_kind kind = (enum map_kind)c->extra;
    return tape_map(t, kind, in[0], kind == MAP_LEAKY ? 0.05 : kind == MAP_FLOOR ? 0.3 : 5);
}

static struct tensor *f_sum(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    return tape_sum(t, in[0], c->extra != 0, 0.3);
}

static struct tensor *f_softmax(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)c;
    (void)l;
    return tape_softmax(t, in[0]);
}

/* extra: train. Running statistics start at 0.2 and 1.2. */
static struct tensor *f_batch_norm(struct tape *t, struct tensor **in, const struct fix *c,
                                   double *l)
{
    (void)l;
    const size_t d = in[0]->cols;
    double *start = tape_memory(t, 2 * d * sizeof *start);
    for (size_t j = 0; j < 2 * d; j++)
        start[j] = j < d ? 0.2 : 1.2;
    const struct batch_norm n = { c->n_in > 1 ? in[1] : NULL,
                                  c->n_in > 2 ? in[2] : NULL,
                                  tape_input_f64(t, start, 1, d),
                                  tape_input_f64(t, start + d, 1, d),
                                  1e-5,
                                  0.1,
                                  c->extra != 0 };
    return tape_batch_norm(t, in[0], &n);
}

static struct tensor *f_spread(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    return tape_spread(t, in[0], &some_links(c->n, in[0]->rows, c->d, c->extra != 0)->e);
}

static struct tensor *f_edge_attention(struct tape *t, struct tensor **in, const struct fix *c,
                                       double *l)
{
    (void)l;
    struct dropout drop = some_dropout(t, c, c->d);
    return tape_edge_attention(t, in[0], in[1], in[2], in[3], c->extra, 0.2,
                               &some_links(in[1]->rows, in[0]->rows, c->d, true)->e,
                               c->rate > 0 ? &drop : NULL, NULL);
}

static struct tensor *f_cross_attention(struct tape *t, struct tensor **in, const struct fix *c,
                                        double *l)
{
    (void)l;
    uint32_t *first = tape_memory(t, 6 * sizeof *first);
    const uint32_t nq = (uint32_t)in[0]->rows, nk = (uint32_t)in[1]->rows;
    const uint32_t at[6] = { 0, nq / 3, nq, 0, nk / 2, nk };
    memcpy(first, at, sizeof at);
    struct dropout drop = some_dropout(t, c, nq);
    return tape_cross_attention(t, in[0], in[1], in[2], c->extra, 0.6, first, first + 3, 2,
                                c->rate > 0 ? &drop : NULL, NULL);
}

static struct tensor *f_invert(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)c;
    (void)l;
    const size_t n = in[0]->rows;
    double *one = tape_memory(t, n * n * sizeof *one);
    bool *singular = tape_memory(t, sizeof *singular);
    for (size_t i = 0; i < n * n; i++)
        one[i] = i % (n + 1) ? 0 : 3; /* away from singular */
    return tape_invert(t, tape_pair(t, PAIR_ADD, tape_input_f64(t, one, n, n), 0.3, in[0]),
                       singular);
}

static struct tensor *f_join(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    return tape_shape(t, tape_join(t, in, c->n_in), 3, in[0]->rows * c->d / 3);
}

static void dense_cases(void)
{
    static const char *const names[] = { "product", "product, first transposed",
                                         "product, second transposed", "product, both transposed" };
    for (size_t k = 0; k < 4; k++) {
        const bool ta = k & 1, tb = k & 2;
        both((struct fix){ names[k],
                           2,
                           { ta ? 4 : 5, tb ? 6 : 4 },
                           { ta ? 5 : 4, tb ? 4 : 6 },
                           .extra = k,
                           .f = f_product });
        check_cpu(&(struct fix){ names[k],
                                 2,
                                 { ta ? 70 : 130, tb ? 65 : 70 },
                                 { ta ? 130 : 70, tb ? 70 : 65 },
                                 .extra = k,
                                 .f = f_product });
    }
    for (size_t k = 0; k < 2; k++) {
        both((struct fix){ "pair, a row for all", 2, { 6, 1 }, { 5, 5 }, .extra = k, .f = f_pair });
        both((struct fix){ "pair, a column", 2, { 6, 6 }, { 5, 1 }, .extra = k, .f = f_pair });
        both((struct fix){ "pair, a number", 2, { 6, 1 }, { 5, 1 }, .extra = k, .f = f_pair });
        both((struct fix){
            "pair, a table under blocks", 2, { 6, 3 }, { 5, 5 }, .extra = k, .f = f_pair });
        both((struct fix){
            "pair, of one column", 2, { 130, 65 }, { 1, 1 }, .extra = k, .f = f_pair });
    }
    static const char *const map[] = { "tanh", "relu",  "sigmoid", "leaky",   "softplus",
                                       "log",  "exp",   "rsqrt",   "inverse", "square",
                                       "abs",  "floor", "step" };
    for (size_t k = MAP_TANH; k <= MAP_STEP; k++)
        both((struct fix){ map[k], 1, { 7 }, { 9 }, .extra = k, .seed = k, .f = f_map });
    both((struct fix){ "sum over rows", 1, { 7 }, { 9 }, .extra = 1, .f = f_sum });
    both((struct fix){ "sum over columns", 1, { 7 }, { 9 }, .f = f_sum });
    both((struct fix){ "soft-max", 1, { 7 }, { 9 }, .f = f_softmax });
    both((struct fix){
        "batch norm in training", 3, { 7, 1, 1 }, { 9, 9, 9 }, .extra = 1, .f = f_batch_norm });
    both((struct fix){
        "batch norm with running statistics", 3, { 7, 1, 1 }, { 9, 9, 9 }, .f = f_batch_norm });
    both((struct fix){
        "batch norm without weights", 1, { 7 }, { 9 }, .extra = 1, .f = f_batch_norm });
    check_cpu(&(struct fix){ "batch norm over blocks",
                             3,
                             { 300, 1, 1 },
                             { 130, 130, 130 },
                             .extra = 1,
                             .f = f_batch_norm });
    both((struct fix){ "inverse", 1, { 6 }, { 6 }, .f = f_invert });
    both((struct fix){ "join and reshape", 3, { 6, 6, 6 }, { 2, 3, 1 }, .d = 6, .f = f_join });
}

static void graph_cases(void)
{
    both((struct fix){ "spread with weights", 1, { 6 }, { 5 }, .n = 9, .d = 20, .f = f_spread });
    both((struct fix){
        "mean of neighbours", 1, { 6 }, { 5 }, .n = 9, .d = 20, .extra = 1, .f = f_spread });
    check_cpu(&(struct fix){
        "spread over blocks", 1, { 150 }, { 33 }, .n = 130, .d = 900, .f = f_spread });
    both((struct fix){ "edge attention",
                       4,
                       { 6, 7, 1, 1 },
                       { 6, 6, 6, 6 },
                       .d = 19,
                       .extra = 2,
                       .f = f_edge_attention });
    both((struct fix){ "edge attention with dropout",
                       4,
                       { 6, 7, 1, 1 },
                       { 6, 6, 6, 6 },
                       .d = 19,
                       .extra = 2,
                       .rate = 0.4,
                       .f = f_edge_attention });
    check_cpu(&(struct fix){ "edge attention over blocks",
                             4,
                             { 150, 130, 1, 1 },
                             { 24, 24, 24, 24 },
                             .d = 900,
                             .extra = 3,
                             .f = f_edge_attention });
    check_cpu(&(struct fix){
        "spread of whole lanes", 1, { 30 }, { 130 }, .n = 20, .d = 200, .f = f_spread });
    check_cpu(&(struct fix){
        "mean over whole lanes", 1, { 30 }, { 64 }, .n = 20, .d = 200, .extra = 1, .f = f_spread });
    check_cpu(&(struct fix){ "edge attention, eight heads of five, dropout",
                             4,
                             { 40, 9, 1, 1 },
                             { 40, 40, 40, 40 },
                             .d = 300,
                             .extra = 8,
                             .rate = 0.6,
                             .f = f_edge_attention });
    check_cpu(&(struct fix){ "edge attention, eleven heads of nine, dropout",
                             4,
                             { 40, 9, 1, 1 },
                             { 99, 99, 99, 99 },
                             .d = 300,
                             .extra = 11,
                             .rate = 0.6,
                             .f = f_edge_attention });
    both((struct fix){
        "cross attention", 3, { 7, 5, 5 }, { 6, 6, 6 }, .extra = 2, .f = f_cross_attention });
    both((struct fix){ "cross attention with dropout",
                       3,
                       { 7, 5, 5 },
                       { 6, 6, 6 },
                       .extra = 2,
                       .rate = 0.3,
                       .f = f_cross_attention });
}

enum { SPREAD_TO = 40, SPREAD_FROM = 30, SPREAD_WIDEST = 200 };

/* Forward, and backward into zeros, of the first d columns from `at` on of x and dy, whose rows are
 * SPREAD_WIDEST wide; y and dx are [.., d]. */
static void spread_columns(const struct small_ops *b, const struct edges *e, const float *x,
                           const float *dy, size_t at, size_t d, float *y, float *dx)
{
    static float part[SPREAD_FROM * SPREAD_WIDEST], d_part[SPREAD_TO * SPREAD_WIDEST];
    for (size_t i = 0; i < SPREAD_FROM; i++)
        memcpy(part + i * d, x + i * SPREAD_WIDEST + at, d * sizeof *x);
    for (size_t i = 0; i < SPREAD_TO; i++)
        memcpy(d_part + i * d, dy + i * SPREAD_WIDEST + at, d * sizeof *dy);
    memset(dx, 0, SPREAD_FROM * d * sizeof *dx);
    const struct op_spread o = { .e = e, .d = d, .x = part, .y = y, .dy = d_part, .dx = dx };
    b->spread_forward(&o);
    b->spread_backward(&o);
}

/* A column alone against itself within d columns, for both ways. */
static bool columns_alone(const struct small_ops *b, const struct edges *e, const float *x,
                          const float *dy, size_t d)
{
    static float y[SPREAD_TO * SPREAD_WIDEST], dx[SPREAD_FROM * SPREAD_WIDEST], one_y[SPREAD_TO],
        one_dx[SPREAD_FROM];
    bool same = true;
    spread_columns(b, e, x, dy, 0, d, y, dx);
    for (size_t j = 0; j < d; j++) {
        spread_columns(b, e, x, dy, j, 1, one_y, one_dx);
        for (size_t i = 0; i < SPREAD_TO; i++)
            same = same && memcmp(y + i * d + j, one_y + i, sizeof *y) == 0;
        for (size_t i = 0; i < SPREAD_FROM; i++)
            same = same && memcmp(dx + i * d + j, one_dx + i, sizeof *dx) == 0;
    }
    return same;
}

/* Around the columns that are added up side by side; some nodes have no edge, or none has. */
static void spread_widths(void)
{
    static const size_t width[] = { 1, 16, 33, 64, 96, 127, 128, SPREAD_WIDEST };
    static float x[SPREAD_FROM * SPREAD_WIDEST], dy[SPREAD_TO * SPREAD_WIDEST];
    const char *why, *const how[] = { "weights", "means" };
    const struct backend *b = backend_find("cpu", &why);
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = (float)rng_normal(1, RNG_TEST, 23, i);
    for (size_t i = 0; i < sizeof dy / sizeof *dy; i++)
        dy[i] = (float)rng_normal(1, RNG_TEST, 24, i);
    for (size_t k = 0; k < 4 * sizeof width / sizeof *width; k++) {
        const size_t d = width[k / 4], n_edges = k & 2 ? 60 : 0;
        const bool mean = k & 1;
        char name[64];
        snprintf(name, sizeof name, "spread of %zu columns by %s, %zu edges", d, how[mean],
                 n_edges);
        check_cpu(&(struct fix){ name,
                                 1,
                                 { SPREAD_FROM },
                                 { d },
                                 .n = SPREAD_TO,
                                 .d = n_edges,
                                 .extra = mean,
                                 .f = f_spread });
        if (b)
            ok(columns_alone(b->small, &some_links(SPREAD_TO, SPREAD_FROM, n_edges, mean)->e, x, dy,
                             d),
               "%s: each as if it were alone", name);
    }
}

/* Running statistics of two rows: mean 2, unbiased variance 2. */
static void running(void)
{
    struct tape t;
    tape_init(&t, &backend_ref, true);
    const double x[2] = { 1, 3 }, zero = 0, one = 1;
    struct batch_norm n = {
        NULL, NULL, tape_input_f64(&t, &zero, 1, 1), tape_input_f64(&t, &one, 1, 1), 0, 0.1, true
    };
    struct tensor *y = tape_batch_norm(&t, tape_input_f64(&t, x, 2, 1), &n);
    const double *v = y->x, *mean = n.running_mean->x, *var = n.running_var->x;
    ok(near(v[0], -1, 1e-15, 0) && near(v[1], 1, 1e-15, 0), "a batch is normalised by its own");
    ok(near(*mean, 0.2, 1e-15, 0) && near(*var, 1.1, 1e-15, 0),
       "running statistics move by a tenth, the variance unbiased");
    tape_release(&t);
}

/* Against the formulas of PyTorch's optimisers by hand, two steps of rate 0.1 on p = 1, g = 2. */
static void descents(void)
{
    const double sgd = 1 - 0.1 * 2.5, sgd2 = sgd - 0.1 * (0.9 * 2.5 + 2 + 0.5 * sgd);
    double p = 1, m = 0, v = 0, g = 2;
    struct op_descend o = { .n = 1,
                            .kind = DESCENT_SGD,
                            .rate = 0.1,
                            .decay = 0.5,
                            .momentum = 0.9,
                            .step = 1,
                            .p = &p,
                            .m = &m,
                            .v = &v,
                            .g = &g };
    small_ref.descend(&o);
    const double first = p;
    small_ref.descend(&o);
    ok(near(first, sgd, 1e-15, 0) && near(p, sgd2, 1e-15, 0), "SGD with momentum and decay");
    p = 1;
    m = v = 0;
    o = (struct op_descend){ .n = 1,
                             .kind = DESCENT_ADAM,
                             .rate = 0.1,
                             .clip = 1,
                             .beta1 = 0.9,
                             .beta2 = 0.999,
                             .eps = 1e-8,
                             .step = 1,
                             .p = &p,
                             .m = &m,
                             .v = &v,
                             .g = &g };
    small_ref.descend(&o);
    ok(near(p, 0.9, 1e-8, 0) && near(m, 0.1, 1e-15, 0),
       "the first step of Adam is the rate; a gradient of 2 is clipped to 1");
    p = 1;
    v = 0;
    o = (struct op_descend){ .n = 1,
                             .kind = DESCENT_RMSPROP,
                             .rate = 0.1,
                             .beta2 = 0.99,
                             .eps = 1e-8,
                             .step = 1,
                             .p = &p,
                             .m = &m,
                             .v = &v,
                             .g = &g };
    small_ref.descend(&o);
    ok(near(p, 1 - 0.1 * 2 / (sqrt(0.04) + 1e-8), 1e-15, 0), "RMSprop");
}

static void singular(void)
{
    struct tape t;
    bool none = false;
    tape_init(&t, &backend_ref, false);
    const double x[4] = { 1, 2, 2, 4 };
    struct tensor *y = tape_invert(&t, tape_input_f64(&t, x, 2, 2), &none);
    ok(none && isnan(*(double *)y->x), "a singular matrix is told, and its inverse is NaN");
    tape_release(&t);
}

static void graphs(void)
{
    const uint32_t to[] = { 1, 0, 1 }, from[] = { 0, 1, 1 };
    const double w[] = { 0.5, 0.5, 0.5 };
    struct links l;
    struct err e = { 0 };
    ok(!links_convolution(&l, 2, to, from, w, 3, &e) && l.e.n_edges == 4,
       "a node without a loop gets one");
    /* node 0: loop 1 and 0.5 arrive; node 1: 0.5 and its own loop 0.5 */
    ok(near(l.e.weight[l.place[0]], 0.5 / sqrt(1.5), 1e-15, 0) &&
           near(l.e.weight[l.place[2]], 0.5, 1e-15, 0),
       "weights are divided by the roots of both degrees");
    links_release(&l);
    const uint32_t out[] = { 2 };
    ok(links_init(&l, 2, 2, out, from, NULL, 1, true, &e) == RC_INPUT && !l.index,
       "an edge to no node is refused: %s", e.text);
}

static void threads(void)
{
    static const struct fix cases[] = {
        { "product", 2, { 300, 90 }, { 90, 70 }, .f = f_product },
        { "sum of pairs", 2, { 300, 1 }, { 70, 70 }, .extra = 1, .f = f_pair },
        { "product of pairs with a table", 2, { 300, 100 }, { 70, 70 }, .f = f_pair },
        { "spread", 1, { 300 }, { 33 }, .n = 200, .d = 2000, .f = f_spread },
        { "edge attention",
          4,
          { 150, 230, 1, 1 },
          { 24, 24, 24, 24 },
          .d = 1900,
          .extra = 3,
          .f = f_edge_attention },
        { "batch norm", 3, { 300, 1, 1 }, { 330, 330, 330 }, .extra = 1, .f = f_batch_norm },
    };
    const char *why;
    for (size_t k = 0; k < sizeof cases / sizeof *cases && backend_find("cpu", &why); k++) {
        const struct fix *c = &cases[k];
        double *x[MAX_IN], *g[MAX_IN], *h[MAX_IN], *unused[MAX_IN];
        make_inputs(c, x, g);
        make_inputs(c, unused, h);
        threads_init(1);
        const double a = run(c, &backend_cpu, x, g, NULL);
        threads_init(5);
        const double b = run(c, &backend_cpu, x, h, NULL);
        bool same = memcmp(&a, &b, sizeof a) == 0;
        for (size_t i = 0; i < c->n_in; i++)
            same = same && memcmp(g[i], h[i], items(c, i) * sizeof **g) == 0;
        ok(same, "%s: 1 and 5 threads give the same bytes", c->name);
        free_inputs(c, x, g);
        free_inputs(c, unused, h);
    }
    threads_init(0);
}

int main(void)
{
    dense_cases();
    graph_cases();
    spread_widths();
    running();
    descents();
    singular();
    graphs();
    threads();
    links_release(some_links(1, 1, 1, true));
    threads_stop();
    return tap_end();
}
