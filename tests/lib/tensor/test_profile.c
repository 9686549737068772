/* The timing backend counts what it passes on, and changes nothing of it; the yardstick beside it. */
#include "lib/tensor/profile.h"

#include <math.h>
#include <string.h>

#include "lib/tensor/product_rate.h"
#include "lib/tensor/tape.h"
#include "tests/tap.h"

enum { ROWS = 3, IN = 5, OUT = 2 };

static void compute(const struct backend *b, float y[ROWS * OUT], float dx[ROWS * IN])
{
    static const float w[OUT * IN] = { 1, 2, 3, 4, 5, -1, -2, -3, -4, -5 };
    static const float x[ROWS * IN] = { 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 1, 0, 1, 0, 1 };
    static const double seed[ROWS * OUT] = { 1, 1, 2, 3, 5, 8 };
    struct tape t;
    tape_init(&t, b, true);
    struct tensor *in = tape_new(&t, ROWS, IN), *weights = tape_new(&t, OUT, IN);
    reals_from_f32(b, in->x, x, ROWS * IN);
    reals_from_f32(b, weights->x, w, OUT * IN);
    struct tensor *out = tape_linear(&t, in, weights, NULL, ACT_NONE);
    reals_to_f32(b, y, out->x, ROWS * OUT);
    tape_seed(&t, out, seed);
    tape_backward(&t);
    reals_to_f32(b, dx, in->g, ROWS * IN);
    tape_release(&t);
}

static const struct profile_row *find(const char *name)
{
    size_t n;
    const struct profile_row *r = profile_rows(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(r[i].name, name) == 0)
            return &r[i];
    return NULL;
}

static void yardstick(void)
{
    const char *why;
    ok(!(product_rate(&backend_ref, RATE_CPU) > 0), "products in double are no yardstick");
    static const char *const name[] = { "cpu", "cpu-bf16", "cpu-avx2" };
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        const struct backend *b = backend_find(name[i], &why);
        if (!b) {
            skip("%s: %s", name[i], why);
            continue;
        }
        const double wall = product_rate(b, RATE_WALL), cpu = product_rate(b, RATE_CPU);
        ok(isfinite(wall) && wall > 1e6 && isfinite(cpu) && cpu > 1e6, "%s: %.1f GFLOP/s of products",
           name[i], cpu * 1e-9);
    }
}

int main(void)
{
    float y[2][ROWS * OUT], dx[2][ROWS * IN];
    compute(&backend_ref, y[0], dx[0]);
    const struct backend *b = profile_backend(&backend_ref);
    compute(b, y[1], dx[1]);
    compute(b, y[1], dx[1]);
    ok(memcmp(y[0], y[1], sizeof y[0]) == 0 && memcmp(dx[0], dx[1], sizeof dx[0]) == 0,
       "results are those of the backend inside");
    const struct profile_row *f = find("linear_forward"), *g = find("linear_backward");
    ok(f && f->calls == 2 && f->p == IN && f->q == OUT, "two calls of one shape make one row");
    ok(f && f->cost.flop == 2 * 2 * ROWS * IN * OUT, "two operations a multiply-add");
    ok(g && g->cost.flop == 2 * f->cost.flop, "twice that in backward");
    ok(f && f->cost.bytes == 2.0 * sizeof(double) * (ROWS * IN + IN * OUT + ROWS * OUT),
       "bytes: operands once, the result once");
    ok(f && f->seconds > 0 && f->least > 0 && f->least <= f->seconds, "seconds are counted");
    profile_reset();
    ok(!find("linear_forward"), "nothing is left after a reset");
    yardstick();
    return tap_end();
}
