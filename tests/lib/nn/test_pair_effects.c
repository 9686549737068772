/* The additive model of pairs: what a pair is said to be without it is what a fit without it says.
 */
#include <math.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/pair_effects.h"
#include "tests/tap.h"

enum { N = 9 };

static void make(double *y, double noise)
{
    double gene[N];
    for (size_t a = 0; a < N; a++)
        gene[a] = rng_unit(1, RNG_TEST, a, 0) - 0.5;
    for (size_t a = 0; a < N; a++)
        for (size_t b = 0; b <= a; b++)
            y[a * N + b] = y[b * N + a] =
                gene[a] + gene[b] + noise * (rng_unit(1, RNG_TEST, a, 1 + b) - 0.5);
    y[2 * N + 5] = y[5 * N + 2] = NAN;
}

static void without_noise(void)
{
    double y[N * N], effect[N], out[N * N], worst = 0;
    struct err e = { 0 };
    size_t n = 0;
    make(y, 0);
    ok(!pair_effects(y, N, effect, out, &e), "effects: %s", e.text);
    for (size_t a = 0; a < N; a++)
        for (size_t b = 0; b < N; b++)
            if (!isnan(out[a * N + b])) {
                worst = fmax(worst, fabs(out[a * N + b] - y[a * N + b]));
                n++;
            }
    ok(n == N * (N - 1) - 2 && worst < 1e-12, "sums come back, %zu numbers, off by %.3g", n, worst);
    ok(isnan(out[2 * N + 5]) && isnan(out[0]),
       "a pair that was not measured, and a gene with itself, are none");
    ok(near(effect[3] + effect[4], y[3 * N + 4], 1e-12, 0), "effects add up");
}

static void left_out(void)
{
    double y[N * N], effect[N], out[N * N], other[N], ignored[N * N], worst = 0, moved = 0;
    struct err e = { 0 };
    enum rc rc = RC_OK;
    make(y, 0.4);
    rc = pair_effects(y, N, effect, out, &e);
    for (size_t a = 0; !rc && a < N; a++)
        for (size_t b = 0; !rc && b < a; b++) {
            double less[N * N];
            if (isnan(y[a * N + b]))
                continue;
            memcpy(less, y, sizeof less);
            less[a * N + b] = less[b * N + a] = NAN;
            rc = pair_effects(less, N, other, ignored, &e);
            worst = fmax(worst, fabs(out[a * N + b] - other[a] - other[b]));
            moved = fmax(moved, fabs(out[a * N + b] - effect[a] - effect[b]));
        }
    ok(!rc && worst < 1e-12 && moved > 1e-3,
       "each pair as a fit without it has it, off by %.3g; with it they were off by %.3g", worst,
       moved);
}

static void refused(void)
{
    /* A path of three genes: any number may be taken from its ends and given to its middle. */
    const double path[9] = { NAN, 1, NAN, 1, NAN, 2, NAN, 2, NAN };
    const double all[9] = { NAN, 1, 3, 1, NAN, 2, 3, 2, NAN };
    double effect[3], out[9];
    struct err e = { 0 };
    ok(pair_effects(path, 3, effect, out, &e) == RC_INPUT && strstr(e.text, "apart"),
       "a path tells no effects: %s", e.text);
    ok(!pair_effects(all, 3, effect, out, &e) && near(effect[0], 1, 1e-12, 0) && isnan(out[1]),
       "a triangle tells effects, but no pair without itself");
}

int main(void)
{
    without_noise();
    left_out();
    refused();
    return tap_end();
}
