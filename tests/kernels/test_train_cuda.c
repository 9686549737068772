/* Steps of training on the emulated device: what they ask of it, and that they are the steps of the cpu
 * backend within a bound. The memory of the emulation is closed to the host (tests/cuemu/memory.cpp), so a
 * step that ends at all has kept both apart. */
#include <stdlib.h>

#include "kernels/cuda_ops.h"
#include "tests/lib/nn/tiny.h"

extern size_t cuemu_allocations, cuemu_waits;

enum { STEPS = 6, BATCH = 20 };

struct course {
    double loss[STEPS], norm[STEPS];
    size_t allocations[STEPS], waits[STEPS];
    float *weights;
    size_t n;
};

/* The same cells in each step, so that every step has the same shapes; masks differ. */
static bool learn(const struct backend *b, struct course *k)
{
    struct model m;
    struct trainer t;
    struct train_result r;
    struct err e = { 0 };
    const struct train_options o = options();
    if (!make_model(&m, b))
        return false;
    trainer_init(&t, &m, &o);
    for (uint64_t s = 0; s < STEPS; s++) {
        const size_t before = cuemu_allocations, waited = cuemu_waits;
        if (!ok(!trainer_step(&t, cells, BATCH, s, 0, &r, &e), "%s: step %llu%s%s", b->name,
                (unsigned long long)s, e.rc ? ": " : "", e.text))
            return false;
        k->loss[s] = r.loss;
        k->norm[s] = r.grad_norm;
        k->allocations[s] = cuemu_allocations - before;
        k->waits[s] = cuemu_waits - waited;
    }
    k->n = m.params.n_items;
    k->weights = malloc(k->n * sizeof *k->weights);
    if (k->weights)
        reals_to_f32(b, k->weights, m.params.x, k->n);
    trainer_release(&t);
    model_release(&m);
    return k->weights != NULL;
}

/* cpu adds in another order, and rounds each sum by 2^-24: what test_ops asks of one operation, 2e-5, times
 * the square root of some 15 operations one after another, six steps in a row, would be 5e-4; a tenth of it is asked for.
 * bf16 rounds the inputs of those products by 2^-9: 15 of them, their root in a row, 0.01. */
static void compare(const struct course *a, const struct course *b, const char *name, double bound)
{
    double worst = 0, moved = 0;
    for (size_t s = 0; s < STEPS; s++) {
        const double l = fabs(a->loss[s] - b->loss[s]) / fabs(b->loss[s]);
        const double g = fabs(a->norm[s] - b->norm[s]) / b->norm[s];
        worst = l <= worst ? worst : l;
        worst = g <= worst ? worst : g;
    }
    for (size_t i = 0; i < a->n; i++)
        moved = fabs((double)a->weights[i] - (double)b->weights[i]) <= moved
                    ? moved
                    : fabs((double)a->weights[i] - (double)b->weights[i]);
    ok(worst <= bound, "%s: losses and gradient norms are those of cpu: %.2g of %.2g", name, worst,
       bound);
    /* Where a gradient is near zero Adam's step is its sign, so a weight may be off by two rates a step. */
    ok(moved <= 2 * STEPS * 1e-2, "%s: no weight is further off than two steps' rates: %.2g", name,
       moved);
}

/* Masks differ between epochs only, so shapes of later steps are those of the first one; gathered rows and
 * all else have equal sizes. */
static void quiet(const struct course *k, const char *name)
{
    size_t most = 0, waits = 0;
    for (size_t s = 2; s < STEPS; s++) {
        most += k->allocations[s];
        waits = k->waits[s] > waits ? k->waits[s] : waits;
    }
    ok(k->allocations[0] > 0 && most == 0,
       "%s: memory is asked for in the first steps (%zu, %zu times), never after", name,
       k->allocations[0], k->allocations[1]);
    ok(waits == 1, "%s: the host waits once a step, for the loss: %zu", name, waits);
}

/* A value that is no number: the step says so and the weights stay, though nobody waited for the norm. */
static void not_finite(const struct backend *b)
{
    struct model m;
    struct trainer t;
    struct train_result r;
    struct err e = { 0 };
    const struct train_options o = options();
    if (!make_model(&m, b))
        return;
    const size_t n = m.params.n_items;
    float *before = malloc(4 * n * sizeof *before), *after = before ? before + 2 * n : NULL;
    trainer_init(&t, &m, &o);
    ok(before && !trainer_step(&t, cells, 8, 1, 0, &r, &e), "%s: a step%s", b->name, e.text);
    reals_to_f32(b, before, m.params.x, n);
    reals_to_f32(b, before + n, m.params.m, n);
    const float was = value[3][1];
    value[3][1] = NAN;
    ok(trainer_step(&t, cells, 8, 2, 0, &r, &e) == RC_CHECK, "a value that is no number: %s", e.text);
    value[3][1] = was;
    reals_to_f32(b, after, m.params.x, n);
    reals_to_f32(b, after + n, m.params.m, n);
    ok(memcmp(before, after, 2 * n * sizeof *before) == 0, "weights and moments are as before");
    free(before);
    trainer_release(&t);
    model_release(&m);
}

int main(void)
{
    static const char *const name[] = { "cpu", "cuda", "cuda-bf16" };
    struct course k[3] = { 0 };
    const char *why;
    make_cells();
    for (size_t i = 0; i < 3; i++) {
        const struct backend *b = backend_find(name[i], &why);
        if (!b) {
            skip("%s: %s", name[i], why);
            return tap_end();
        }
        if (!learn(b, &k[i]))
            return tap_end();
    }
    for (size_t i = 1; i < 3; i++) {
        quiet(&k[i], name[i]);
        compare(&k[i], &k[0], name[i], i == 1 ? 5e-5 : 0.01);
        not_finite(backend_find(name[i], &why));
    }
    for (size_t i = 0; i < 3; i++)
        free(k[i].weights);
    return tap_end();
}
