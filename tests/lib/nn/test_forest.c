/* Random forests on made data: rules that one tree finds, shares of trees, equal bytes for any
 * number of threads.
 *
 *   test_forest                 the tests
 *   test_forest --fit FILE N    for tests/bin-src/forest-sklearn.t.sh. FILE: n, d, C and n_fit as
 * u64, classes [n] as u32, x [n,d] as doubles. N trees on the first n_fit rows; prints the class of
 * each other row */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/nn/forest.h"
#include "tests/tap.h"

enum { N = 300, D = 10 };

/* Class 0, 1 or 2 by two of the features, of which one alone tells little. */
static void make(struct mat *x, uint32_t *class_of, uint64_t seed)
{
    mat_alloc(x, N, D, NULL);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < D; j++)
            mat_row(x, i)[j] = rng_unit(seed, RNG_TEST, i, j);
        const bool a = mat_row(x, i)[3] > 0.5, b = mat_row(x, i)[7] > 0.5;
        class_of[i] = a && b ? 2 : a || b ? 1 : 0;
    }
}

static double accuracy(const struct forest *f, const struct mat *x, const uint32_t *class_of,
                       double *least)
{
    uint32_t said[N];
    double share[N], right = 0;
    struct err e = { 0 };
    *least = 1;
    forest_predict(f, x, said, share, &e);
    for (size_t i = 0; i < x->n; i++) {
        right += said[i] == class_of[i];
        *least = share[i] < *least ? share[i] : *least;
    }
    return right / (double)x->n;
}

static void learns(void)
{
    struct mat x, other;
    uint32_t y[N], z[N];
    struct forest f, one;
    struct err e = { 0 };
    double least;
    make(&x, y, 1);
    make(&other, z, 2);
    struct forest_options o = { .n_trees = 60, .seed = 5 };
    ok(!forest_fit(&x, y, 3, &o, &f, &e), "60 trees%s", e.text);
    const double seen = accuracy(&f, &x, y, &least);
    ok(near(seen, 1, 0, 0), "cells that most trees have seen are told without an error: %g", seen);
    const double unseen = accuracy(&f, &other, z, &least);
    ok(unseen > 0.9 && least >= 1.0 / 3, "others in %.3f, with shares of trees from %.3f", unseen,
       least);
    o.n_trees = 1;
    ok(!forest_fit(&x, y, 3, &o, &one, &e), "one tree");
    const double alone = accuracy(&one, &other, z, &least);
    ok(alone < unseen && alone > 0.5, "is worse than 60: %.3f", alone);
    forest_release(&one);
    o.min_leaf = N;
    ok(!forest_fit(&x, y, 3, &o, &one, &e), "a leaf of all cells");
    const double guess = accuracy(&one, &other, z, &least);
    ok(guess > 0.4 && guess < 0.6 && least < 0.6, "is the commonest class: %.3f", guess);
    forest_release(&one);
    forest_release(&f);
    mat_release(&x);
    mat_release(&other);
}

static void threads(void)
{
    struct mat x;
    uint32_t y[N], said[2][N];
    double share[2][N];
    struct forest f;
    struct err e = { 0 };
    const struct forest_options o = { .n_trees = 20, .seed = 3 };
    make(&x, y, 4);
    for (int k = 0; k < 2; k++) {
        threads_stop();
        threads_init(k ? 3 : 1);
        forest_fit(&x, y, 3, &o, &f, &e);
        forest_predict(&f, &x, said[k], share[k], &e);
        forest_release(&f);
    }
    ok(memcmp(said[0], said[1], sizeof said[0]) == 0 &&
           memcmp(share[0], share[1], sizeof share[0]) == 0,
       "three threads give the bytes of one");
    mat_release(&x);
}

static void edges(void)
{
    double same[6] = { 1, 1, 1, 1, 1, 1 }, line[4] = { 0, 0, 3, 1 }, at[2] = { 1.9, 2.1 }, share[6];
    const uint32_t two[6] = { 0, 1, 0, 1, 0, 0 }, steps[4] = { 0, 0, 1, 0 };
    uint32_t said[6];
    struct forest f;
    struct err e = { 0 };
    const struct forest_options o = { .n_trees = 30, .seed = 1 };
    ok(!forest_fit(&(struct mat){ 3, 2, same }, two, 2, &o, &f, &e), "features without spread");
    forest_predict(&f, &(struct mat){ 3, 2, same }, said, share, &e);
    ok(said[0] == 0 && share[0] > 0.5 && share[0] < 1, "give the shares of the classes: %.3f",
       share[0]);
    forest_release(&f);
    ok(!forest_fit(&(struct mat){ 4, 1, line }, steps, 2, &o, &f, &e), "a step");
    forest_predict(&f, &(struct mat){ 2, 1, at }, said, share, &e);
    ok(said[0] == 0 && said[1] == 1, "is cut half-way between its sides");
    forest_release(&f);
    ok(forest_fit(&(struct mat){ 0, 1, line }, steps, 2, &o, &f, &e) == RC_INPUT,
       "no rows are refused: %s", e.text);
}

static int fit(const char *path, size_t n_trees)
{
    uint64_t head[4];
    struct err e = { 0 };
    FILE *in = fopen(path, "rb");
    if (!in || fread(head, sizeof *head, 4, in) != 4)
        return 1;
    const size_t n = head[0], d = head[1], n_fit = head[3];
    uint32_t *y = calloc(n + 1, sizeof *y), *said = calloc(n + 1, sizeof *said);
    double *x = calloc(n * d + 1, sizeof *x), *share = calloc(n + 1, sizeof *share);
    struct forest f;
    const struct forest_options o = { .n_trees = n_trees, .seed = 1 };
    if (!y || !said || !x || !share || fread(y, sizeof *y, n, in) != n ||
        fread(x, sizeof *x, n * d, in) != n * d || n_fit > n ||
        forest_fit(&(struct mat){ n_fit, d, x }, y, head[2], &o, &f, &e) ||
        forest_predict(&f, &(struct mat){ n - n_fit, d, x + n_fit * d }, said, share, &e))
        return 1;
    for (size_t i = 0; i < n - n_fit; i++)
        printf("%u\n", said[i]);
    forest_release(&f);
    free(x);
    free(y);
    free(said);
    free(share);
    fclose(in);
    return 0;
}

int main(int argc, char **argv)
{
    threads_init(2);
    if (argc == 4 && strcmp(argv[1], "--fit") == 0) {
        const int status = fit(argv[2], strtoul(argv[3], NULL, 10));
        threads_stop();
        return status;
    }
    learns();
    threads();
    edges();
    threads_stop();
    return tap_end();
}
