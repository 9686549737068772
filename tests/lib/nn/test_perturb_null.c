/* Matched controls, empirical p and bootstrap intervals. */
#include "lib/nn/perturb_null.h"

#include "lib/base/rng.h"
#include "tests/tap.h"

static void runs(void)
{
    static const double x[] = { 4, 7, 13, 16 };
    struct running r = { 0 };
    for (size_t i = 0; i < 4; i++)
        running_add(&r, x[i]);
    ok(r.mean == 10 && r.n == 4 && near(running_sd(&r), sqrt(30), 1e-15, 1e-15),
       "mean and spread of numbers that come one by one");
    const struct running one = { 3, 0, 1 };
    ok(isnan(running_sd(&one)), "one number has no spread");
}

static void p_values(void)
{
    static const double c[] = { 0.1, 0.2, NAN, 0.3 };
    ok(empirical_p(0.25, c, 4) == 0.5, "one of three controls shifts as far: 2 / 4");
    ok(empirical_p(0.9, c, 4) == 0.25 && empirical_p(0.3, c, 4) == 0.5, "never 0, and ties count");
    ok(isnan(empirical_p(NAN, c, 4)) && isnan(empirical_p(1, c + 2, 1)),
       "without a number or a control there is none");
}

/* The interval holds the true mean about as often as it says. */
static void intervals(void)
{
    enum { N = 40, ROUNDS = 400 };
    struct err e = { 0 };
    int held = 0;
    double x[N], low, high;
    for (uint64_t k = 0; k < ROUNDS; k++) {
        for (size_t i = 0; i < N; i++)
            x[i] = rng_normal(3, RNG_TEST, k, i);
        if (bootstrap_mean(x, N, 1, k, 200, &low, &high, &e))
            break;
        held += low <= 0 && high >= 0;
    }
    note("%d of %d", held, ROUNDS);
    /* 95 % less what 40 cells cost; five standard deviations of 400 trials at 0.93 are 0.064 */
    ok(fabs((double)held / ROUNDS - 0.93) < 0.064, "95 %% intervals hold the mean");
    ok(!bootstrap_mean(x, 1, 1, 1, 200, &low, &high, &e) && low == x[0] && high == x[0],
       "one cell has an interval without width");
    ok(!bootstrap_mean(x, N, 1, 1, 0, &low, &high, &e) && isnan(low) && isnan(high),
       "without draws there is no interval");
    ok(!bootstrap_mean(x, 0, 1, 1, 200, &low, &high, &e) && isnan(low), "no cell has none");
}

static void controls(void)
{
    enum { N = 200, WANT = 10 };
    struct err e = { 0 };
    struct matched_gene g[N];
    bool skip[N] = { false };
    uint32_t to[N], again[N];
    size_t n, m;
    for (uint16_t i = 0; i < N; i++)
        g[i] = (struct matched_gene){ (uint16_t)(2 + i), 10u + i, i / 200.0, 2 - i / 200.0 };
    skip[101] = true;
    ok(!match_controls(g, N, 100, skip, WANT, 1, to, &n, &e) && n == WANT, "ten controls");
    bool good = true, same = true;
    for (size_t i = 0; i < n; i++) {
        good = good && to[i] != 100 && to[i] != 101 && to[i] >= 80 && to[i] <= 120;
        for (size_t j = 0; j < i; j++)
            good = good && to[i] != to[j];
    }
    ok(good, "each another gene, near, and none of those to skip");
    match_controls(g, N, 100, skip, WANT, 1, again, &m, &e);
    for (size_t i = 0; i < n; i++)
        same = same && to[i] == again[i];
    match_controls(g, N, 100, skip, WANT, 2, again, &m, &e);
    bool other = false;
    for (size_t i = 0; i < n; i++)
        other = other || to[i] != again[i];
    ok(same && other, "the same for a seed, others for another");
    ok(!match_controls(g, 4, 0, skip, WANT, 1, to, &n, &e) && n == 3,
       "all there are, when they are few");
}

int main(void)
{
    runs();
    p_values();
    intervals();
    controls();
    return tap_end();
}
