/* Importances of regression forests: worked examples, what a feature without use gets, shares.
 *
 *   test_forest_regression                      the tests
 *   test_forest_regression --fit FILE N KIND    for tests/bin-src/forest-regression-sklearn.t.sh.
 * FILE: n, d as u64, y [n], x [n,d] as doubles. N trees, KIND extra or forest; a line per feature
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/forest_regression.h"
#include "tests/tap.h"

enum { N = 300, D = 6 };

static void examples(void)
{
    const double step[4] = { 0, 0, 3, 0 }, y[4] = { 2, 2, 8, 2 }, flat[4] = { 5, 5, 5, 5 };
    const uint32_t first = 0;
    struct forest_ground g;
    struct err e = { 0 };
    double worth = -1;
    struct forest_regression_options o = { .n_trees = 3, .extra = true, .seed = 1 };
    ok(!forest_ground_init(&g, step, 4, 1, &first, 1, &e), "four samples");
    const enum rc rc = forest_importance(&g, y, SIZE_MAX, 0, &o, &worth, &e);
    ok(!rc && near(worth, 27.0 / 4, 1e-12, 0),
       "a split that explains all is worth the variance: %g", worth);
    o.least_split = 5;
    ok(!forest_importance(&g, y, SIZE_MAX, 0, &o, &worth, &e) && near(worth, 0, 0, 0),
       "nodes of four samples are not split when five are wanted");
    o.least_split = 0;
    ok(!forest_importance(&g, flat, SIZE_MAX, 0, &o, &worth, &e) && near(worth, 0, 0, 0),
       "a target without spread gives nothing away");
    ok(!forest_importance(&g, y, 0, 0, &o, &worth, &e) && near(worth, 0, 0, 0),
       "a target is not explained by itself");
    forest_ground_release(&g);
    ok(!forest_ground_init(&g, flat, 4, 1, &first, 1, &e) &&
           !forest_importance(&g, y, SIZE_MAX, 0, &o, &worth, &e) && near(worth, 0, 0, 0),
       "nor by a constant feature");
    forest_ground_release(&g);
    ok(forest_ground_init(&g, flat, 0, 1, &first, 1, &e) == RC_INPUT && !g.rank,
       "no rows are refused: %s", e.text);
}

/* y = 2 x3 + x1 with some noise; the other four are of no use. */
static void learns(bool extra)
{
    double *x = malloc(N * D * sizeof *x), y[N], worth[D], again[D], other[D];
    const uint32_t column[D] = { 0, 1, 2, 3, 4, 5 };
    struct forest_ground g;
    struct err e = { 0 };
    struct forest_regression_options o = { .n_trees = 60, .n_try = 3, .extra = extra, .seed = 5 };
    double sum = 0, mean = 0, var = 0;
    if (!x)
        exit(1);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < D; j++)
            x[i * D + j] = rng_unit(1, RNG_TEST, i, j);
        y[i] = 2 * x[i * D + 3] + x[i * D + 1] + 0.1 * rng_unit(1, RNG_TEST, i, D);
        mean += y[i] / N;
    }
    for (size_t i = 0; i < N; i++)
        var += (y[i] - mean) * (y[i] - mean) / N;
    ok(!forest_ground_init(&g, x, N, D, column, D, &e) &&
           !forest_importance(&g, y, SIZE_MAX, 7, &o, worth, &e),
       "60 trees%s", e.text);
    for (size_t j = 0; j < D; j++)
        sum += worth[j];
    ok(worth[3] > 2 * worth[1] && worth[1] > 2 * worth[0] && worth[1] > 2 * worth[5],
       "the stronger feature leads, useless ones stay behind: %.3f %.3f %.3f", worth[3], worth[1],
       worth[0]);
    ok(extra ? near(sum, var, 0, 1e-9) : near(sum, var, 0, 0.1),
       "trees grown to the end explain the whole variance: %.4f of %.4f", sum, var);
    ok(!forest_importance(&g, y, SIZE_MAX, 7, &o, again, &e) &&
           memcmp(worth, again, sizeof worth) == 0,
       "the same once more");
    ok(!forest_importance(&g, y, SIZE_MAX, 8, &o, other, &e) &&
           memcmp(worth, other, sizeof worth) != 0,
       "another target, other numbers");
    ok(!forest_importance(&g, y, 3, 7, &o, other, &e) && near(other[3], 0, 0, 0) &&
           other[1] > worth[1],
       "without the best feature the second one has more to say");
    forest_ground_release(&g);
    free(x);
}

static int fit(const char *path, size_t n_trees, bool extra)
{
    uint64_t head[2];
    struct err e = { 0 };
    struct forest_ground g;
    FILE *in = fopen(path, "rb");
    if (!in || fread(head, sizeof *head, 2, in) != 2)
        return 1;
    const size_t n = head[0], d = head[1];
    const struct forest_regression_options o = { .n_trees = n_trees, .extra = extra, .seed = 1 };
    double *y = calloc(n + 1, sizeof *y), *x = calloc(n * d + 1, sizeof *x);
    double *worth = calloc(d + 1, sizeof *worth);
    uint32_t *column = calloc(d + 1, sizeof *column);
    if (!y || !x || !worth || !column || fread(y, sizeof *y, n, in) != n ||
        fread(x, sizeof *x, n * d, in) != n * d)
        return 1;
    for (uint32_t j = 0; j < d; j++)
        column[j] = j;
    if (forest_ground_init(&g, x, n, d, column, d, &e) ||
        forest_importance(&g, y, SIZE_MAX, 0, &o, worth, &e))
        return 1;
    for (size_t j = 0; j < d; j++)
        printf("%.9g\n", worth[j]);
    forest_ground_release(&g);
    free(y);
    free(x);
    free(worth);
    free(column);
    fclose(in);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--fit") == 0)
        return fit(argv[2], strtoul(argv[3], NULL, 10), strcmp(argv[4], "extra") == 0);
    examples();
    learns(true);
    learns(false);
    return tap_end();
}
