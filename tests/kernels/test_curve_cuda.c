/* A hundred steps of training with the cuda kernels beside those of the cpu backend: losses and
 * gradient norms of every step. test_curve_cuda [STEPS [STEPS]]. Two models of the same cells:
 * narrow heads, and heads of 64, which on a device of capability 9.0 take the kernels of
 * warpgroups; the second takes fewer steps, since warpgroups are slow to emulate. On a device `make
 * gpu-check` runs it with a hundred of each. Without one: 77. */
#include <stdlib.h>

#include "tests/lib/nn/tiny.h"

enum { STEPS = 100, WIDE_STEPS = 6, BATCH = 3, MODELS = 2 };

struct curve {
    double loss[STEPS], norm[STEPS];
};

static struct model_config config_of(int which)
{
    struct model_config c = tiny();
    if (which == 1) {
        c.d = 64;
        c.n_heads = 1;
    }
    return c;
}

static bool learn(const struct backend *b, int which, size_t steps, struct curve *k)
{
    struct model m;
    struct trainer t;
    struct train_result r;
    struct err e = { 0 };
    const struct model_config c = config_of(which);
    struct train_options o = options();
    o.optim.total_steps = STEPS;
    o.optim.peak_lr = 1e-3;
    o.optim.warmup_steps = 10;
    if (!ok(!model_init(&m, &c, b, true, 0, &e), "a model on %s%s", b->name, e.text))
        return false;
    model_randomise(&m, 3);
    trainer_init(&t, &m, &o);
    bool good = true;
    for (uint64_t s = 0; s < steps && good; s++) {
        good = !trainer_step(&t, cells + s % 3 * BATCH, BATCH, s, s / 3, &r, &e);
        k->loss[s] = r.loss;
        k->norm[s] = r.grad_norm;
    }
    ok(good, "%s: %zu steps%s%s", b->name, steps, e.rc ? ": " : "", e.text);
    trainer_release(&t);
    model_release(&m);
    return good;
}

static double mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* Bounds of tests/kernels/test_train_cuda.c, for as many steps: rounding does not grow along this curve, whose rate
 * falls (emulated: 2.2e-7 in f32, 0.0026 with products of bf16). A device adds in yet another order. */
static void compare(const struct curve *a, const struct curve *b, size_t steps, const char *name,
                    double loss_bound, double norm_bound)
{
    double loss = 0, norm = 0;
    for (size_t s = 0; s < steps; s++) {
        loss = worse(loss, fabs(a->loss[s] - b->loss[s]) / fabs(b->loss[s]));
        norm = worse(norm, fabs(a->norm[s] - b->norm[s]) / b->norm[s]);
    }
    ok(loss <= loss_bound, "%s: losses of %zu steps are those of cpu: %.2g of %.2g", name, steps,
       loss, loss_bound);
    ok(norm <= norm_bound, "%s: so are norms of gradients: %.2g of %.2g", name, norm, norm_bound);
}

int main(int argc, char **argv)
{
    static const char *const name[] = { "cpu", "cuda", "cuda-bf16" };
    const size_t wish[MODELS] = { argc > 1 ? strtoul(argv[1], NULL, 10) : STEPS,
                                  argc > 2 ? strtoul(argv[2], NULL, 10) : WIDE_STEPS };
    const struct backend *b[3];
    const char *why;
    if (wish[0] < 1 || wish[0] > STEPS || wish[1] < 1 || wish[1] > STEPS) {
        fprintf(stderr, "test_curve_cuda: 1 to %d steps\n", STEPS);
        return 2;
    }
    for (size_t i = 0; i < 3; i++)
        if (!(b[i] = backend_find(name[i], &why))) {
            fprintf(stderr, "test_curve_cuda: %s: %s\n", name[i], why);
            return 77;
        }
    make_cells();
    for (int which = 0; which < MODELS; which++) {
        const size_t steps = wish[which];
        struct curve k[3] = { 0 };
        bool good = true;
        for (size_t i = 0; i < 3 && good; i++)
            good = learn(backend_find(name[i], &why), which, steps, &k[i]);
        if (!good)
            break;
        for (size_t i = 1; i < 3; i++)
            compare(&k[i], &k[0], steps, name[i], i == 1 ? 5e-5 : 0.01, i == 1 ? 5e-5 : 0.01);
        if (steps == STEPS)
            ok(mean(k[0].loss + STEPS - 9, 9) < 0.9 * mean(k[0].loss, 9),
               "the curve falls: %.3f to %.3f", mean(k[0].loss, 9), k[0].loss[STEPS - 1]);
    }
    return tap_end();
}
