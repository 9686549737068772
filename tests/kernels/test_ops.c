/* Every operation of lib/tensor/backend.h on small sizes, and cpu on sizes around the edges of its
 * tiles. Bounds: op_case.h. */
#include "tests/kernels/op_case.h"

static struct tensor *f_linear(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    return tape_linear(t, in[0], in[1], c->n_in > 2 ? in[2] : NULL, (enum act)c->extra);
}

/* Weights that are columns of a larger matrix, as in the embedding block. */
static struct tensor *f_linear_view(struct tape *t, struct tensor **in, const struct fix *c,
                                    double *l)
{
    (void)l;
    return tape_linear(t, in[0], tape_columns(t, in[1], 3, c->d), in[2], ACT_NONE);
}

/* Three on the same x, added up. */
static struct tensor *f_linears(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    (void)c;
    struct tensor *const w[] = { in[1], in[2], in[3] }, *const b[] = { in[4], NULL, in[5] };
    struct tensor *y[3];
    tape_linears(t, in[0], 3, w, b, y);
    return tape_add(t, tape_add(t, y[0], 0.5, y[1]), -2, y[2]);
}

/* Over its own input, which is a linear operation's output. */
static struct tensor *f_norm_over(struct tape *t, struct tensor **in, const struct fix *c,
                                  double *l)
{
    (void)l;
    struct dropout d = some_dropout(t, c, in[0]->rows);
    struct tensor *x = tape_linear(t, in[0], in[1], NULL, ACT_NONE);
    return tape_norm_over(t, x, in[0], in[2], in[3], 1e-5, c->rate > 0 ? &d : NULL);
}

static struct tensor *f_act(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    return tape_act(t, in[0], (enum act)c->extra);
}

static struct tensor *f_norm(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    struct dropout d = some_dropout(t, c, in[0]->rows);
    return tape_norm(t, in[0], c->n_in > 3 ? in[3] : NULL, in[1], in[2], 1e-5,
                     c->rate > 0 ? &d : NULL);
}

static struct tensor *f_dropout(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    struct dropout d = some_dropout(t, c, in[0]->rows);
    return tape_dropout(t, in[0], &d);
}

static struct tensor *f_add(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    (void)c;
    return tape_add(t, in[0], -0.7, in[1]);
}

static struct tensor *f_gather(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    return tape_gather(t, in[0], some_index(t, c->n, in[0]->rows, c->seed), c->n, SIZE_MAX);
}

static struct tensor *f_gather_axpy(struct tape *t, struct tensor **in, const struct fix *c,
                                    double *l)
{
    (void)l;
    float *v = tape_memory(t, (c->n + 1) * sizeof *v);
    for (size_t i = 0; i < c->n; i++)
        v[i] = (float)rng_normal(c->seed, RNG_TEST, 7, i);
    struct tensor *w = c->n_in > 1 ? tape_columns(t, in[1], 2, 1) : NULL;
    return tape_gather_axpy(t, in[0], some_index(t, c->n, in[0]->rows, c->seed), c->n,
                            tape_input(t, v, c->n, 1), w);
}

static struct tensor *f_position(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    return tape_add_position(t, in[0], in[1], in[2],
                             some_index(t, in[0]->rows, in[2]->rows, c->seed));
}

/* Ragged cells whose rows add up to n: lengths 1, 2, 3, ... and the rest. */
static uint32_t *some_cells(struct tape *t, size_t n, size_t *n_cells)
{
    uint32_t *first = tape_memory(t, (n + 2) * sizeof *first);
    size_t c = 0, at = 0;
    first[0] = 0;
    while (at < n) {
        size_t len = c + 1;
        if (n - at < 2 * len + 1)
            len = n - at;
        at += len;
        first[++c] = (uint32_t)at;
    }
    *n_cells = c;
    return first;
}

static struct tensor *f_species(struct tape *t, struct tensor **in, const struct fix *c, double *l)
{
    (void)l;
    size_t n_cells = c->extra;
    uint32_t *first = tape_memory(t, (n_cells + 1) * sizeof *first);
    uint8_t *species = tape_memory(t, n_cells);
    const size_t genes = in[0]->rows;
    for (size_t i = 0; i <= n_cells; i++) {
        first[i] = (uint32_t)(i + genes * i / n_cells);
        if (i < n_cells)
            species[i] = (uint8_t)(i % 2);
    }
    return tape_add_species(t, in[0], in[1], first, species, n_cells);
}

static struct tensor *f_attention(struct tape *t, struct tensor **in, const struct fix *c,
                                  double *l)
{
    (void)l;
    size_t n_cells;
    uint32_t *first;
    struct dropout d = some_dropout(t, c, in[0]->rows);
    if (c->n) { /* one long cell */
        n_cells = 1;
        first = tape_memory(t, 2 * sizeof *first);
        first[0] = 0;
        first[1] = (uint32_t)in[0]->rows;
    } else {
        first = some_cells(t, in[0]->rows, &n_cells);
    }
    return tape_attention(t, in[0], in[1], in[2], c->extra, first, n_cells,
                          c->rate > 0 ? &d : NULL);
}

static struct tensor *f_id_loss(struct tape *t, struct tensor **in, const struct fix *c,
                                double *loss)
{
    struct id_loss out = { 0 };
    tape_id_loss(t, in[0], in[1], c->n_in > 2 ? in[2] : NULL,
                 some_index(t, in[0]->rows, in[1]->rows, c->seed), 0.2 / 7, &out);
    *loss += out.loss;
    return NULL;
}

static struct tensor *f_square_loss(struct tape *t, struct tensor **in, const struct fix *c,
                                    double *loss)
{
    float *v = tape_memory(t, (in[0]->rows + 1) * sizeof *v);
    for (size_t i = 0; i < in[0]->rows; i++)
        v[i] = (float)rng_normal(c->seed, RNG_TEST, 8, i);
    *loss += tape_square_loss(t, in[0], v, 0.3);
    return NULL;
}

static void linears(void)
{
    static const char *const names[] = { "linear", "linear with gelu", "linear with quick gelu",
                                         "linear with tanh", "linear with relu" };
    for (size_t a = ACT_NONE; a <= ACT_RELU; a++)
        both((struct fix){
            names[a], 3, { 5, 4, 1 }, { 7, 7, 4 }, .extra = a, .seed = a, .f = f_linear });
    both((struct fix){
        "three linear on one x", 6, { 5, 4, 4, 4, 1, 1 }, { 7, 7, 7, 7, 4, 4 }, .f = f_linears });
    check_cpu(&(struct fix){ "three linear over tiles",
                             6,
                             { 300, 100, 100, 100, 1, 1 },
                             { 70, 70, 70, 70, 100, 100 },
                             .f = f_linears });
    /* More rows than are packed at a time for dw, more outputs than a piece is deep. */
    check_cpu(&(struct fix){ "three linear over blocks of rows",
                             6,
                             { 1100, 50, 50, 50, 1, 1 },
                             { 35, 35, 35, 35, 50, 50 },
                             .f = f_linears });
    both((struct fix){ "linear without bias", 2, { 5, 4 }, { 7, 7 }, .f = f_linear });
    both((struct fix){ "linear with a view of weights",
                       3,
                       { 5, 4, 1 },
                       { 6, 11, 4 },
                       .d = 6,
                       .f = f_linear_view });
    static const size_t edge[][3] = { { 0, 8, 8 },      { 1, 1, 1 },      { 127, 31, 33 },
                                      { 128, 64, 128 }, { 129, 65, 129 }, { 300, 130, 200 },
                                      { 513, 33, 300 }, { 770, 300, 49 }, { 600, 1, 1 } };
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
        char name[64];
        snprintf(name, sizeof name, "linear %zu x %zu -> %zu", edge[i][0], edge[i][1], edge[i][2]);
        check_cpu(&(struct fix){ name,
                                 3,
                                 { edge[i][0], edge[i][2], 1 },
                                 { edge[i][1], edge[i][1], edge[i][2] },
                                 .extra = ACT_GELU,
                                 .seed = i,
                                 .f = f_linear });
    }
    for (size_t a = ACT_GELU; a <= ACT_RELU; a++)
        both((struct fix){ "activation alone", 1, { 30 }, { 11 }, .extra = a, .f = f_act });
    check_cpu(&(struct fix){
        "activation over blocks", 1, { 300 }, { 100 }, .extra = ACT_GELU, .f = f_act });
}

static void norms(void)
{
    both((struct fix){ "norm", 3, { 4, 1, 1 }, { 9, 9, 9 }, .f = f_norm });
    both(
        (struct fix){ "norm over its input", 4, { 4, 9, 1, 1 }, { 9, 9, 9, 9 }, .f = f_norm_over });
    both((struct fix){ "norm over its input with dropout",
                       4,
                       { 4, 9, 1, 1 },
                       { 9, 9, 9, 9 },
                       .rate = 0.3,
                       .f = f_norm_over });
    both((struct fix){ "norm with residual and dropout",
                       4,
                       { 6, 1, 1, 6 },
                       { 9, 9, 9, 9 },
                       .rate = 0.3,
                       .f = f_norm });
    both((struct fix){ "dropout", 1, { 6 }, { 19 }, .rate = 0.4, .f = f_dropout });
    static const size_t widths[] = { 1, 31, 32, 33, 255, 256, 257, 768, 1000 };
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        char name[64];
        const size_t d = widths[i], n = 63 + i;
        if (d == 1)
            continue; /* a norm of one number is constant: its gradient is rounding alone */
        snprintf(name, sizeof name, "norm of width %zu", d);
        check_cpu(&(struct fix){
            name, 4, { n, 1, 1, n }, { d, d, d, d }, .rate = 0.1, .seed = i, .f = f_norm });
    }
    check_cpu(
        &(struct fix){ "dropout over blocks", 1, { 130 }, { 300 }, .rate = 0.02, .f = f_dropout });
}

static void look_ups(void)
{
    both((struct fix){ "add", 2, { 5, 5 }, { 7, 7 }, .f = f_add });
    both((struct fix){ "gather", 1, { 6 }, { 5 }, .n = 13, .f = f_gather });
    both((struct fix){ "gather and axpy", 2, { 6, 5 }, { 5, 4 }, .n = 13, .f = f_gather_axpy });
    both((struct fix){ "gather without values", 1, { 6 }, { 5 }, .n = 13, .f = f_gather_axpy });
    both((struct fix){ "add position", 3, { 9, 2, 4 }, { 5, 5, 5 }, .f = f_position });
    both((struct fix){ "add species", 2, { 12, 2 }, { 5, 5 }, .extra = 3, .f = f_species });
    check_cpu(&(struct fix){ "gather over blocks", 1, { 200 }, { 33 }, .n = 500, .f = f_gather });
    check_cpu(&(struct fix){
        "gather and axpy over blocks", 2, { 130, 33 }, { 33, 5 }, .n = 500, .f = f_gather_axpy });
    check_cpu(&(struct fix){
        "add position over blocks", 3, { 500, 2, 70 }, { 33, 33, 33 }, .f = f_position });
    check_cpu(&(struct fix){
        "add species to 40 cells", 2, { 400, 2 }, { 33, 33 }, .extra = 40, .f = f_species });
}

static void attentions(void)
{
    both((struct fix){ "attention over ragged cells",
                       3,
                       { 11, 11, 11 },
                       { 8, 8, 8 },
                       .extra = 2,
                       .f = f_attention });
    both((struct fix){ "attention with dropout",
                       3,
                       { 11, 11, 11 },
                       { 8, 8, 8 },
                       .extra = 2,
                       .rate = 0.3,
                       .f = f_attention });
    static const size_t rows[] = { 1, 11, 12, 13, 63, 64, 65, 130, 191, 193, 511, 513 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[64];
        const size_t n = rows[i];
        snprintf(name, sizeof name, "attention over a cell of %zu rows", n);
        check_cpu(&(struct fix){ name,
                                 3,
                                 { n, n, n },
                                 { 24, 24, 24 },
                                 .n = 1,
                                 .extra = 3,
                                 .rate = i % 2 ? 0.1 : 0,
                                 .seed = i,
                                 .f = f_attention });
    }
    check_cpu(&(struct fix){ "attention over many cells",
                             3,
                             { 300, 300, 300 },
                             { 32, 32, 32 },
                             .extra = 2,
                             .rate = 0.02,
                             .f = f_attention });
}

static void losses(void)
{
    both((struct fix){ "id loss", 3, { 5, 13, 1 }, { 4, 4, 13 }, .f = f_id_loss });
    both((struct fix){ "id loss without bias", 2, { 5, 13 }, { 4, 4 }, .f = f_id_loss });
    both((struct fix){ "square loss", 1, { 9 }, { 1 }, .f = f_square_loss });
    static const size_t edge[][2] = { { 1, 2 },      { 127, 511 },  { 128, 512 },
                                      { 129, 1025 }, { 513, 2049 }, { 33, 65 } };
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
        char name[64];
        snprintf(name, sizeof name, "id loss of %zu rows, %zu classes", edge[i][0], edge[i][1]);
        check_cpu(&(struct fix){ name,
                                 3,
                                 { edge[i][0], edge[i][1], 1 },
                                 { 16, 16, edge[i][1] },
                                 .seed = i,
                                 .f = f_id_loss });
    }
}

/* The row without gradient (the <pad> row) gets none, the others all of theirs. */
static void pad_row(void)
{
    const char *why;
    for (size_t i = 0; i <= N_FILLINGS; i++) {
        const char *name = i < N_FILLINGS ? fillings[i].name : "ref";
        const struct backend *b = backend_find(name, &why);
        if (!b)
            continue;
        struct tape t;
        tape_init(&t, b, true);
        const uint32_t index[] = { 0, 2, 0, 1, 2 };
        struct tensor *table = tape_new(&t, 3, 2), *y = tape_gather(&t, table, index, 5, 0);
        const double ones[10] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
        double g[6];
        tape_seed(&t, y, ones);
        tape_backward(&t);
        reals_to_f64(b, g, table->g, 6);
        ok(near(g[0], 0, 0, 0) && near(g[2], 1, 0, 0) && near(g[4], 2, 0, 0),
           "%s: the row without gradient stays without", name);
        tape_release(&t);
    }
}

/* NaN in, NaN out: no soft-max or norm may hide it. */
static void not_a_number(void)
{
    const char *why;
    for (size_t i = 0; i <= N_FILLINGS; i++) {
        const char *name = i < N_FILLINGS ? fillings[i].name : "ref";
        const struct backend *b = backend_find(name, &why);
        if (!b)
            continue;
        struct tape t;
        struct id_loss out = { 0 };
        double nan = NAN;
        const uint32_t label[2] = { 0, 1 };
        tape_init(&t, b, true);
        struct tensor *z = tape_new(&t, 2, 3), *e = tape_new(&t, 4, 3);
        reals_from_f64(b, (char *)z->x + 4 * b->real_bytes, &nan, 1);
        tape_id_loss(&t, z, e, NULL, label, 1, &out);
        ok(isnan(out.loss), "%s: a NaN in a hidden row makes the loss NaN", name);
        ok(isnan(b->sum_squares(z->x, 6)), "%s: and the norm", name);
        tape_release(&t);
    }
}

enum { STEEP_ROWS = 600, STEEP_D = 8 };

/* y of one cell whose scores, the same for every query, go from 0 to 160 (up) or from 160 to 0. */
static void steep_attention(const struct backend *b, bool up, double odd, double *y)
{
    struct tape t;
    static const uint32_t first[2] = { 0, STEEP_ROWS };
    enum { N = STEEP_ROWS * STEEP_D };
    static double q[N], k[N], v[N];
    for (size_t i = 0; i < N; i++) {
        const size_t row = i / STEEP_D, step = up ? row : STEEP_ROWS - 1 - row;
        q[i] = 1;
        k[i] = 160 / sqrt(STEEP_D) * (double)step / STEEP_ROWS;
        v[i] = rng_normal(3, RNG_TEST, 7, i);
    }
    q[STEEP_D] = odd;
    tape_init(&t, b, false);
    struct tensor *in[3];
    const double *const from[3] = { q, k, v };
    for (size_t i = 0; i < 3; i++) {
        in[i] = tape_new(&t, STEEP_ROWS, STEEP_D);
        reals_from_f64(b, in[i]->x, from[i], N);
    }
    const struct tensor *out = tape_attention(&t, in[0], in[1], in[2], 1, first, 1, NULL);
    for (size_t i = 0; i < N; i++)
        y[i] = b->real_bytes == sizeof(double) ? ((const double *)out->x)[i]
                                               : (double)((const float *)out->x)[i];
    tape_release(&t);
}

/* The maximum so far moves many times within a cell, or never; against the first one the last
 * probabilities would be no floats. Scores of 160 are floats to 8e-6, and a few such errors add up
 * in the exponent. bf16 cannot tell such scores apart. */
static void steep_scores(void)
{
    const char *why;
    static double want[STEEP_ROWS * STEEP_D], got[STEEP_ROWS * STEEP_D];
    for (size_t f = 0; f < N_FILLINGS; f++) {
        const struct backend *b = backend_find(fillings[f].name, &why);
        if (!b || strstr(b->name, "bf16"))
            continue;
        for (int up = 0; up < 2; up++) {
            double worst = 0;
            steep_attention(&backend_ref, up, 1, want);
            steep_attention(b, up, 1, got);
            bool numbers = true;
            for (size_t i = 0; i < STEEP_ROWS * STEEP_D; i++) {
                numbers = numbers && isfinite(got[i]);
                worst = fmax(worst, fabs(got[i] - want[i]));
            }
            ok(numbers && worst <= 5e-5, "%s: attention where scores go %s 160: off by %.1e",
               fillings[f].name, up ? "up to" : "down from", worst);
        }
        steep_attention(b, true, NAN, got);
        ok(isnan(got[STEEP_D]) && !isnan(got[0]) && !isnan(got[2 * STEEP_D]),
           "%s: a NaN in a query makes its row NaN and no other", fillings[f].name);
    }
}

static void threads_of(const struct backend *b, const char *name, const struct fix *c)
{
    double *x[MAX_IN], *g[MAX_IN], *h[MAX_IN], *unused[MAX_IN];
    bool same = true;
    make_inputs(c, x, g);
    make_inputs(c, unused, h);
    threads_init(1);
    const double first = run(c, b, x, g, NULL);
    for (int n = 2; n <= 7; n = n == 2 ? 3 : 7 + (n == 7)) {
        threads_init(n);
        const double next = run(c, b, x, h, NULL);
        same = same && memcmp(&first, &next, sizeof first) == 0;
        for (size_t i = 0; i < c->n_in; i++)
            same = same && memcmp(g[i], h[i], items(c, i) * sizeof **g) == 0;
    }
    ok(same, "%s, %s: 1, 2, 3 and 7 threads give the same bytes", c->name, name);
    free_inputs(c, x, g);
    free_inputs(c, unused, h);
}

/* Equal bytes for any number of threads, operation by operation. */
static void threads(void)
{
    static const struct fix cases[] = {
        { "linear", 3, { 300, 200, 1 }, { 130, 130, 200 }, .extra = ACT_GELU, .f = f_linear },
        { "linear over blocks of rows", 3, { 700, 270, 1 }, { 140, 140, 270 }, .f = f_linear },
        { "three linear",
          6,
          { 300, 100, 100, 100, 1, 1 },
          { 70, 70, 70, 70, 100, 100 },
          .f = f_linears },
        { "norm", 4, { 300, 1, 1, 300 }, { 64, 64, 64, 64 }, .rate = 0.1, .f = f_norm },
        { "attention",
          3,
          { 300, 300, 300 },
          { 32, 32, 32 },
          .extra = 2,
          .rate = 0.1,
          .f = f_attention },
        { "id loss", 3, { 200, 1500, 1 }, { 16, 16, 1500 }, .f = f_id_loss },
        { "gather and axpy", 2, { 130, 33 }, { 33, 5 }, .n = 500, .f = f_gather_axpy },
        { "add position", 3, { 500, 2, 70 }, { 33, 33, 33 }, .f = f_position },
    };
    for (size_t f = 0; f < N_FILLINGS; f++) {
        const char *why;
        const struct backend *b = backend_find(fillings[f].name, &why);
        for (size_t k = 0; b && k < sizeof cases / sizeof *cases; k++)
            threads_of(b, fillings[f].name, &cases[k]);
        if (!b)
            skip("equal bytes for any number of threads: %s", why);
    }
    threads_init(0);
}

int main(void)
{
    linears();
    norms();
    look_ups();
    attentions();
    losses();
    pad_row();
    not_a_number();
    steep_scores();
    threads();
    threads_stop();
    return tap_end();
}
