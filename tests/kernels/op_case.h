/* A test case of one or more operations on a tape: gradients of ref by central differences in
 * double, and cpu against ref. Bounds: differences with step 1e-5 in double are good to about 1e-9
 * of the function's scale, 1e-6 is asked; cpu is float, 2e-5 of the largest value is asked (a few
 * hundred units in the last place, for sums over some hundred products). The bf16 fillings round both
 * sides of every product by up to 2^-9, so each term of a sum is off by up to 2^-8 of itself; gradients
 * pass two such sums one after the other (of the scores or of what goes into the activation, then
 * their own), and a sum may be half as large as its terms: 2^-6. Both fillings of one format err
 * alike, which tells rounding from a wrong kernel. */
#ifndef GC_TESTS_KERNELS_OP_CASE_H
#define GC_TESTS_KERNELS_OP_CASE_H

#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/tensor/tape.h"
#include "tests/tap.h"

enum { MAX_IN = 6 };

/* A case: input matrices (filled with normals) and a function that puts them through operations. */
struct fix {
    const char *name;
    size_t n_in, rows[MAX_IN], cols[MAX_IN];
    size_t n, d, extra; /* free for the function */
    double rate;        /* of dropout */
    uint64_t seed;
    /* Returns the output; adds losses to *loss itself when it returns NULL. */
    struct tensor *(*f)(struct tape *t, struct tensor **in, const struct fix *c, double *loss);
};

__attribute__((unused)) static uint32_t *some_index(struct tape *t, size_t n, size_t below,
                                                    uint64_t seed)
{
    uint32_t *x = tape_memory(t, (n + 1) * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (uint32_t)rng_below(seed, RNG_TEST, 5, i, below);
    return x;
}

__attribute__((unused)) static struct dropout some_dropout(struct tape *t, const struct fix *c,
                                                           size_t n)
{
    uint64_t *key = tape_memory(t, (n + 1) * sizeof *key);
    for (size_t i = 0; i < n; i++)
        key[i] = rng_u64(c->seed, RNG_TEST, 6, i);
    return (struct dropout){ (uint32_t)(c->rate * 65536), 99, key };
}

static size_t items(const struct fix *c, size_t i)
{
    return c->rows[i] * c->cols[i];
}

/* One run: loss = sum of output * fixed normals (or the operation's own loss). grad: per input. */
static double run(const struct fix *c, const struct backend *b, double *const *x, double **grad,
                  double *out)
{
    struct tape t;
    struct tensor in[MAX_IN], *p[MAX_IN];
    double loss = 0;
    tape_init(&t, b, true);
    for (size_t i = 0; i < c->n_in; i++) {
        in[i] = *tape_new(&t, c->rows[i], c->cols[i]);
        reals_from_f64(b, in[i].x, x[i], items(c, i));
        p[i] = &in[i];
    }
    struct tensor *y = c->f(&t, p, c, &loss);
    if (y) {
        const size_t n = y->rows * y->cols;
        double *v = calloc(n + 1, sizeof *v), *g = calloc(n + 1, sizeof *g);
        reals_to_f64(b, v, y->x, n);
        for (size_t k = 0; k < n; k++) {
            g[k] = rng_normal(c->seed, RNG_TEST, 9, k);
            loss += g[k] * v[k];
        }
        if (out)
            memcpy(out, v, n * sizeof *v);
        tape_seed(&t, y, g);
        free(v);
        free(g);
        if (y != p[0])
            tape_backward(&t);
    }
    for (size_t i = 0; grad && i < c->n_in; i++)
        reals_to_f64(b, grad[i], in[i].g, items(c, i));
    if (tape_check(&t, NULL))
        loss = NAN;
    tape_release(&t);
    return loss;
}

static double largest(const double *x, size_t n)
{
    double m = 0;
    for (size_t i = 0; i < n; i++)
        m = fabs(x[i]) > m ? fabs(x[i]) : m;
    return m;
}

static void make_inputs(const struct fix *c, double **x, double **g)
{
    for (size_t i = 0; i < c->n_in; i++) {
        x[i] = calloc(items(c, i) + 1, sizeof **x);
        g[i] = calloc(items(c, i) + 1, sizeof **g);
        for (size_t k = 0; k < items(c, i); k++) /* through float: both backends start equal */
            x[i][k] = (double)(float)rng_normal(c->seed, RNG_TEST, i, k);
    }
}

static void free_inputs(const struct fix *c, double **x, double **g)
{
    for (size_t i = 0; i < c->n_in; i++) {
        free(x[i]);
        free(g[i]);
    }
}

/* Central differences at up to 40 entries of each input. */
static void check_gradient(const struct fix *c)
{
    double *x[MAX_IN], *g[MAX_IN], worst = 0;
    const double step = 1e-5;
    make_inputs(c, x, g);
    run(c, &backend_ref, x, g, NULL);
    for (size_t i = 0; i < c->n_in; i++) {
        const size_t n = items(c, i), every = n / 40 + 1;
        const double scale = largest(g[i], n) + 1e-3;
        for (size_t k = 0; k < n; k += every) {
            const double at = x[i][k];
            x[i][k] = at + step;
            const double up = run(c, &backend_ref, x, NULL, NULL);
            x[i][k] = at - step;
            const double down = run(c, &backend_ref, x, NULL, NULL);
            x[i][k] = at;
            worst = worse(worst, fabs((up - down) / (2 * step) - g[i][k]) / scale);
        }
    }
    ok(worst <= 1e-6, "%s: gradient of ref against differences, largest error %.2g", c->name,
       worst);
    free_inputs(c, x, g);
}

/* Every filling of the table that a processor may get, by the name that asks for it. */
static const struct filling {
    const char *name;
    double bound;
} fillings[] = {
    { "cpu", 2e-5 },
    { "cpu-avx2", 2e-5 },
    { "cpu-bf16", 0x1p-6 },
    { "cpu-avx512bf16", 0x1p-6 },
};
enum { N_FILLINGS = sizeof fillings / sizeof *fillings };

static void check_filling(const struct fix *c, const struct filling *f)
{
    const char *why;
    const struct backend *cpu = backend_find(f->name, &why);
    if (!cpu) {
        skip("%s: %s", c->name, why);
        return;
    }
    double *x[MAX_IN], *g[MAX_IN], *h[MAX_IN], *unused[MAX_IN], worst = 0;
    enum { ROOM = 1 << 20 };
    double *y = calloc(ROOM, sizeof *y), *z = calloc(ROOM, sizeof *z);
    make_inputs(c, x, g);
    make_inputs(c, unused, h);
    const double a = run(c, &backend_ref, x, g, y), b = run(c, cpu, x, h, z);
    worst = fabs(a - b) / (fabs(a) + sqrt(largest(y, ROOM) + 1) * 10);
    const double scale_y = largest(y, ROOM) + 1e-3;
    for (size_t k = 0; k < ROOM; k++)
        worst = worse(worst, fabs(y[k] - z[k]) / scale_y);
    /* One scale for all inputs: the gradient of one may be zero in exact arithmetic (the query of
     * a cell of one row), and then only rounding is left of it. */
    double scale = 1e-3;
    for (size_t i = 0; i < c->n_in; i++)
        scale = fmax(scale, largest(g[i], items(c, i)));
    for (size_t i = 0; i < c->n_in; i++) {
        for (size_t k = 0; k < items(c, i); k++)
            worst = worse(worst, fabs(g[i][k] - h[i][k]) / scale);
    }
    ok(worst <= f->bound, "%s: %s against ref, largest error %.2g", c->name, f->name, worst);
    free_inputs(c, x, g);
    free_inputs(c, unused, h);
    free(y);
    free(z);
}

static void check_cpu(const struct fix *c)
{
    for (size_t i = 0; i < N_FILLINGS; i++)
        check_filling(c, &fillings[i]);
}

/* Gradients on small sizes; cpu also on sizes around its tiles. */
__attribute__((unused)) static void both(struct fix c)
{
    check_gradient(&c);
    check_cpu(&c);
}

#endif
