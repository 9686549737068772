/* bench-ops: each operation of the table (lib/tensor/backend.h), forward and backward, at the shapes
 * of the small and the base model, beside this machine's product rate.
 *   bench-ops [OP] [--config small|base] [--rows N] [--cell N] [--classes N] [--repeat N]
 *       [--dropout R] [--threads N] [--forward-only] [--backend B] [--json]
 * One line for each slot and shape: milliseconds of the shortest call, GFLOP/s, GB/s (what the
 * operation must move: lib/tensor/op_cost.h), and GFLOP/s by processor time as if every worker had
 * a core to itself, with its share of the product rate measured the same way. Products in f32
 * always, in bf16 where the processor has them. OP: a name of the table ops below, as attention, or
 * layer for all of a layer's as they follow each other in the model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/base/tool.h"
#include "lib/tensor/product_rate.h"
#include "lib/tensor/profile.h"
#include "lib/tensor/tape.h"

static struct {
    const char *config;
    int64_t rows, cell, repeat, classes;
    double dropout;
    bool forward_only, json;
} opt = { .config = "small", .rows = 4096, .cell = 1024, .repeat = 5, .classes = 50558 };

static const struct opt opts[] = {
    OPT_CHOICE("config", &opt.config, "small|base", "width, heads and feed-forward of the model"),
    OPT_I64("rows", &opt.rows, "N", "rows of a batch"),
    OPT_I64("cell", &opt.cell, "N", "rows of a cell"),
    OPT_I64("classes", &opt.classes, "N", "tokens of the vocabulary"),
    OPT_I64("repeat", &opt.repeat, "N", "calls; the shortest counts"),
    OPT_F64("dropout", &opt.dropout, "NUM", "rate where an operation takes one"),
    OPT_FLAG("forward-only", &opt.forward_only,
             "as where nothing is learned: no backward, nothing kept for it, weights stay packed"),
    OPT_FLAG("json", &opt.json, "a JSON object a line: milliseconds and rates, no heading"),
    OPT_END,
};

struct shape {
    size_t n, d, heads, ffn, know, classes, cell;
};

/* A matrix of normal numbers with a gradient. */
static struct tensor *some(struct tape *t, size_t rows, size_t cols)
{
    struct tensor *x = tape_new(t, rows, cols);
    float *f = tape_memory(t, (rows * cols + 1) * sizeof *f);
    for (size_t i = 0; !t->failed && i < rows * cols; i++)
        f[i] = (float)((double)(i * 2654435761u % 2001) / 10000 - 0.1);
    if (!t->failed) {
        reals_from_f32(t->b, x->x, f, rows * cols);
        if (x->g)
            reals_from_f32(t->b, x->g, f, rows * cols);
    }
    return x;
}

static uint32_t *indices(struct tape *t, size_t n, size_t below)
{
    uint32_t *k = tape_memory(t, (n + 1) * sizeof *k);
    for (size_t i = 0; k && i < n; i++)
        k[i] = (uint32_t)(i * 2654435761u % below);
    return k;
}

static struct dropout drop(struct tape *t, size_t n)
{
    struct dropout d = { .threshold = (uint32_t)(opt.dropout * 65536 + 0.5), .seed = 5 };
    uint64_t *key = tape_memory(t, (n + 1) * sizeof *key);
    for (size_t i = 0; key && i < n; i++)
        key[i] = i;
    d.row_key = key;
    return d;
}

static void linear_of(struct tape *t, size_t n, size_t in, size_t out, enum act act)
{
    tape_linear(t, some(t, n, in), some(t, out, in), some(t, 1, out), act);
}

/* Weights and biases of queries, keys and values. */
static void some_weights(struct tape *t, const struct shape *s, struct tensor *w[3],
                         struct tensor *b[3])
{
    for (int i = 0; i < 3; i++) {
        w[i] = some(t, s->d, s->d);
        b[i] = some(t, 1, s->d);
    }
}

static void do_linear(struct tape *t, const struct shape *s)
{
    struct tensor *w[3], *b[3], *y[3];
    some_weights(t, s, w, b);
    tape_linears(t, some(t, s->n, s->d), 3, w, b, y);
    linear_of(t, s->n, s->d, s->d, ACT_NONE);
    linear_of(t, s->n, s->d, s->ffn, ACT_GELU);
    linear_of(t, s->n, s->ffn, s->d, ACT_NONE);
    linear_of(t, s->n, s->know, s->d, ACT_NONE);
}

static void do_act(struct tape *t, const struct shape *s)
{
    tape_act(t, some(t, s->n, s->d), ACT_QUICK_GELU);
}

static void do_norm(struct tape *t, const struct shape *s)
{
    const struct dropout d = drop(t, s->n);
    tape_norm(t, some(t, s->n, s->d), some(t, s->n, s->d), some(t, 1, s->d), some(t, 1, s->d),
              1e-12, &d);
}

static void do_dropout(struct tape *t, const struct shape *s)
{
    struct dropout d = drop(t, s->n);
    if (!d.threshold)
        d.threshold = 1311; /* 0.02 */
    tape_dropout(t, some(t, s->n, s->d), &d);
}

static void do_gather(struct tape *t, const struct shape *s)
{
    tape_gather(t, some(t, s->classes, s->d), indices(t, s->n, s->classes), s->n, 0);
}

static void do_gather_axpy(struct tape *t, const struct shape *s)
{
    const size_t pairs = s->n * 2 / 3 + 1;
    tape_gather_axpy(t, some(t, pairs, s->d), indices(t, s->n, pairs), s->n, some(t, s->n, 1),
                     tape_columns(t, some(t, s->d, 5), 2, 1));
}

static void do_add_position(struct tape *t, const struct shape *s)
{
    tape_add_position(t, some(t, s->n, s->d), some(t, 2, s->d), some(t, 2048, s->d),
                      indices(t, s->n, 2048));
}

/* Cells of s->cell rows, the last one with what is left. */
static uint32_t *cells(struct tape *t, const struct shape *s, size_t *n)
{
    *n = (s->n + s->cell - 1) / s->cell;
    uint32_t *first = tape_memory(t, (*n + 1) * sizeof *first);
    for (size_t c = 0; first && c <= *n; c++)
        first[c] = (uint32_t)(c < *n ? c * s->cell : s->n);
    return first;
}

static void do_add_species(struct tape *t, const struct shape *s)
{
    size_t n;
    uint32_t *first = cells(t, s, &n);
    uint8_t *species = tape_memory(t, n + 1);
    if (t->failed)
        return;
    memset(species, 1, n);
    tape_add_species(t, some(t, s->n - n, s->d), some(t, 2, s->d), first, species, n);
}

static void do_attention(struct tape *t, const struct shape *s)
{
    size_t n;
    const struct dropout d = drop(t, s->n);
    const uint32_t *first = cells(t, s, &n);
    if (!t->failed)
        tape_attention(t, some(t, s->n, s->d), some(t, s->n, s->d), some(t, s->n, s->d), s->heads,
                       first, n, &d);
}

/* A layer as the model has it. With cuda-bf16 what stands between its operations is kept rounded
 * alone, which those above, whose inputs are of nobody, are not. */
static void do_layer(struct tape *t, const struct shape *s)
{
    struct tensor *h = some(t, s->n, s->d), *w[3], *b[3], *y[3];
    const struct dropout d = drop(t, s->n);
    size_t n;
    const uint32_t *first = cells(t, s, &n);
    some_weights(t, s, w, b);
    tape_linears_between(t, h, 3, w, b, s->heads, y);
    if (t->failed)
        return;
    struct tensor *a = tape_attention(t, y[0], y[1], y[2], s->heads, first, n, &d);
    a = tape_linear_between(t, a, some(t, s->d, s->d), some(t, 1, s->d), ACT_NONE);
    a = tape_norm(t, a, h, some(t, 1, s->d), some(t, 1, s->d), 1e-12, &d);
    struct tensor *f =
        tape_linear_between(t, a, some(t, s->ffn, s->d), some(t, 1, s->ffn), ACT_GELU);
    f = tape_linear_between(t, f, some(t, s->d, s->ffn), some(t, 1, s->d), ACT_NONE);
    tape_norm(t, f, a, some(t, 1, s->d), some(t, 1, s->d), 1e-12, &d);
}

static void do_id_loss(struct tape *t, const struct shape *s)
{
    const size_t n = s->n * 15 / 100 + 1;
    struct id_loss out = { 0 };
    tape_id_loss(t, some(t, n, s->d), some(t, s->classes, s->d), some(t, 1, s->classes),
                 indices(t, n, s->classes), 1.0 / (double)n, &out);
}

static void do_square_loss(struct tape *t, const struct shape *s)
{
    float *target = tape_memory(t, (s->n + 1) * sizeof *target);
    struct tensor *x = some(t, s->n, 1);
    if (t->failed)
        return;
    memset(target, 0, s->n * sizeof *target);
    tape_square_loss(t, x, target, 1);
}

/* A block as large as the word table. */
static void do_optim(struct tape *t, const struct shape *s)
{
    const size_t n = s->classes * s->d, begin[2] = { 0, n };
    const bool decay = true;
    struct tensor *a = some(t, 1, n), *b = some(t, 1, n);
    if (t->failed)
        return;
    t->b->axpy(&(struct op_axpy){ n, 1, a->x, b->x });
    t->b->sum_squares(a->x, n);
    if (!b->g)
        return;
    backend_zero(t->b, b->g, n * t->b->real_bytes);
    t->b->adamw(&(struct op_adamw){ .n_segments = 1,
                                    .begin = begin,
                                    .decay = &decay,
                                    .p = a->x,
                                    .g = a->g,
                                    .m = b->x,
                                    .v = b->g,
                                    .lr = 1e-5,
                                    .beta1 = 0.9,
                                    .beta2 = 0.999,
                                    .eps = 1e-8,
                                    .weight_decay = 0.01,
                                    .grad_scale = 1,
                                    .step = 3 });
}

static const struct {
    const char *name;
    void (*call)(struct tape *, const struct shape *);
} ops[] = {
    { "linear", do_linear },
    { "act", do_act },
    { "norm", do_norm },
    { "dropout", do_dropout },
    { "gather", do_gather },
    { "gather_axpy", do_gather_axpy },
    { "add_position", do_add_position },
    { "add_species", do_add_species },
    { "attention", do_attention },
    { "layer", do_layer },
    { "id_loss", do_id_loss },
    { "square_loss", do_square_loss },
    { "optim", do_optim },
};

/* of: what the rows are a part of, "" or "layer ". */
static void print_rows(const char *of, double rate)
{
    size_t n;
    const struct profile_row *r = profile_rows(&n);
    for (size_t i = 0; i < n; i++, r++) {
        const double calls = (double)r->calls, flop = r->cost.flop / calls * 1e-9;
        const double cpu = flop / (r->least_cpu / threads_count());
        char shape[48] = "", name[64];
        if (r->p)
            snprintf(shape, sizeof shape, "%zu x %zu", r->p, r->q);
        if (opt.json) {
            printf("{\"op\": \"%s%s\", \"shape\": \"%s\", \"config\": \"%s\", \"rows\": %lld, \"ms\": %.6f, "
                   "\"gflop_per_s\": %.6g, \"gb_per_s\": %.6g}\n",
                   of, r->name, shape, opt.config, (long long)opt.rows, r->least * 1e3, flop / r->least,
                   r->cost.bytes / calls / r->least * 1e-9);
            continue;
        }
        snprintf(name, sizeof name, "%s%s", of, r->name);
        printf("%-26s %12s %10.3f %9.1f %8.2f %11.1f %9.1f%%\n", name, shape, r->least * 1e3,
               flop / r->least, r->cost.bytes / calls / r->least * 1e-9, cpu, 100 * cpu / rate);
    }
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    const char *why, *only = a->arg.n ? a->arg.item[0] : NULL;
    const struct backend *b = backend_find(a->backend, &why);
    const bool small = strcmp(opt.config, "small") == 0;
    struct shape s = {
        (size_t)opt.rows, small ? 256 : 768, small ? 4 : 12, small ? 512 : 3072, 768, (size_t)opt.classes,
        (size_t)opt.cell
    };
    if (!b)
        return err_set(e, RC_SKIP, "%s", why);
    if (opt.rows < 2 || opt.cell < 2 || opt.repeat < 1 || opt.classes < 1)
        return err_set(e, RC_USAGE, "--rows and --cell are at least 2, --repeat and --classes 1");
    const double rate = opt.json ? 0 : product_rate(b, RATE_CPU) * 1e-9;
    if (!opt.json) {
        printf("backend %s, %d threads: products at %.1f GFLOP/s\n", b->name, threads_count(),
               rate);
        printf("%-26s %12s %10s %9s %8s %11s %10s\n", "op", "shape", "ms", "GFLOP/s", "GB/s",
               "GFLOP/cpu s", "of products");
    }
    struct tape t;
    tape_init(&t, profile_backend(b), !opt.forward_only);
    tape_keep_weights(&t, opt.forward_only ? SIZE_MAX : 0);
    bool any = false;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < sizeof ops / sizeof *ops; i++) {
        if (only && strcmp(only, ops[i].name) != 0)
            continue;
        any = true;
        profile_reset();
        for (int64_t k = 0; !rc && k <= opt.repeat; k++) {
            tape_reset(&t);
            ops[i].call(&t, &s);
            if (!opt.forward_only)
                tape_backward(&t);
            rc = tape_check(&t, e);
            if (k == 0)
                profile_reset();
        }
        print_rows(ops[i].call == do_layer ? "layer " : "", rate);
    }
    tape_release(&t);
    if (!any)
        return err_set(e, RC_USAGE, "'%s' is no operation; --help names the columns", only);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "bench-ops",
        "[OP]",
        "speed of each operation",
        "OP: linear act norm dropout gather gather_axpy add_position add_species attention\n"
        "id_loss square_loss optim (axpy, sum_squares and adamw); all without it.",
        opts,
        0,
        1
    };
    return tool_main(&tool, run, argc, argv);
}
