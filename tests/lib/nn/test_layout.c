/* 2-d layout of a graph, and what vectors say of named cells. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/nn/layout.h"
#include "lib/nn/metrics_space.h"
#include "lib/nn/neighbourhood.h"
#include "lib/nn/pca.h"
#include "tests/tap.h"

enum { N = 600, D = 20, GROUPS = 4, K = 14 };

/* Four clouds far apart, each spread along a line of its own. */
static void clouds(struct mat *x)
{
    mat_alloc(x, N, D, NULL);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < D; j++)
            mat_row(x, i)[j] = rng_normal(3, RNG_TEST, i, j) + (j == i % GROUPS ? 12 : 0) +
                               (j == 10 + i % GROUPS ? 6 * rng_normal(4, RNG_TEST, i, 0) : 0);
}

/* The sum of squares that umap-learn's curve_fit makes small, by a search of its own. */
static double curve_error(double a, double b, double min_dist, double spread)
{
    double sum = 0;
    for (int i = 0; i < 300; i++) {
        const double d = 3 * spread * i / 299;
        const double want = d < min_dist ? 1 : exp(-(d - min_dist) / spread);
        const double r = want - 1 / (1 + a * pow(d, 2 * b));
        sum += r * r;
    }
    return sum;
}

static void curve(void)
{
    static const double min_dist[] = { 0.001, 0.1, 0.5, 0.99 };
    for (size_t k = 0; k < sizeof min_dist / sizeof *min_dist; k++) {
        double a, b, best;
        bool lowest = true;
        layout_curve(min_dist[k], 1, &a, &b);
        best = curve_error(a, b, min_dist[k], 1);
        for (int step = 1; step <= 3; step++)
            for (int way = 0; way < 8; way++) {
                const double f = pow(10, -step), s = way & 1 ? f : -f, t = way & 2 ? f : -f;
                lowest = lowest && best <= curve_error(a * (1 + (way & 4 ? 0 : s)), b * (1 + t),
                                                       min_dist[k], 1);
            }
        ok(lowest, "no other a and b nearby fit better (min-dist %g: %.4f %.4f)", min_dist[k], a,
           b);
    }
}

static void lay_out(const struct mat *x, uint64_t seed, struct mat *y)
{
    struct knn near = { 0 };
    struct graph g = { 0 };
    struct pca p = { 0 };
    struct mat start = { 0 };
    struct layout_options o = layout_defaults();
    o.seed = seed;
    knn_find(x, NULL, K, DISTANCE_EUCLID, &near, NULL);
    graph_umap(&near, &g, NULL);
    pca_fit(x, 2, &p, NULL);
    pca_apply(&p, x, &start, NULL);
    ok(layout_umap(&g, &start, &o, y, NULL) == RC_OK, "%d cells are laid out", N);
    mat_release(&start);
    pca_release(&p);
    graph_release(&g);
    knn_release(&near);
}

static void quality(void)
{
    struct mat x = { 0 }, y = { 0 }, again = { 0 }, one = { 0 };
    double trust = 0, overlap = 0, random = 0;
    clouds(&x);
    threads_init(3);
    lay_out(&x, 1, &y);
    lay_out(&x, 2, &again);
    ok(memcmp(y.x, again.x, N * 2 * sizeof(double)) != 0, "another seed gives another map");
    threads_stop();
    threads_init(1);
    lay_out(&x, 1, &one);
    ok(memcmp(y.x, one.x, N * 2 * sizeof(double)) == 0, "one thread gives the same bytes");
    bool finite = true;
    for (size_t i = 0; i < 2 * N; i++)
        finite = finite && isfinite(y.x[i]);
    ok(finite, "all positions are numbers");
    map_quality(&x, &y, K, &trust, &overlap, NULL);
    for (size_t i = 0; i < 2 * N; i++)
        one.x[i] = rng_normal(9, RNG_TEST, 0, i);
    map_quality(&x, &one, K, &random, &overlap, NULL);
    ok(trust > 0.9 && random < 0.6,
       "near dots are near cells: trustworthiness %.3f (at random %.3f)", trust, random);
    mat_release(&x);
    mat_release(&y);
    mat_release(&again);
    mat_release(&one);
}

static void refused(void)
{
    struct graph g = { .n = 5 };
    struct mat start = { 0 }, out = { 0 };
    struct layout_options o = layout_defaults();
    struct err e = { 0 };
    mat_alloc(&start, 4, 2, NULL);
    ok(layout_umap(&g, &start, &o, &out, &e) == RC_INPUT && !out.x,
       "positions for other cells are refused: %s", e.text);
    mat_release(&start);
    graph_alloc(&g, 3, 0, NULL);
    mat_alloc(&start, 3, 2, NULL);
    ok(layout_umap(&g, &start, &o, &out, NULL) == RC_OK && out.n == 3,
       "cells without neighbours stay where they are");
    bool near_start = true;
    for (int i = 0; i < 6; i++)
        near_start = near_start && fabs(out.x[i]) <= 0.001;
    ok(near_start, "apart by less than a thousandth");
    mat_release(&out);
    mat_release(&start);
    graph_release(&g);
}

/* Six cells: a a b b and two without a name; neighbours given by hand. */
static void named(void)
{
    static const char *const name[] = { "a", "a", "b", "b", NULL, "" };
    uint32_t near_index[] = { 1, 2, 0, 4, 0, 1, 2, 4, 0, 5, 1, 2 };
    const struct knn near_all = { .n = 6, .k = 2, .index = near_index };
    const uint32_t group[] = { 0, 0, 1, 1, 1, 0 };
    struct table obs;
    struct naming s;
    struct naming_fit fit;
    struct mat x = { 0 };
    table_init(&obs, 6);
    struct column *c = table_add(&obs, "label", COLUMN_TEXT);
    for (size_t i = 0; i < 6; i++)
        if (name[i])
            table_set_text(&obs, c, i, name[i], NULL);
    ok(naming_init(&s, &obs, "label", NULL) == RC_OK && s.n_named == 4 && s.names.n == 2,
       "four cells have one of two names");
    /* cell 0: 1 of 2; cell 1: 1 of 1 named; cell 2: 0 of 2; cell 3: 1 of 1 named */
    ok(near(naming_same_share(&s, &near_all), (0.5 + 1 + 0 + 1) / 4, 1e-15, 0),
       "neighbours without a name do not count");
    mat_alloc(&x, 6, 1, NULL);
    for (size_t i = 0; i < 6; i++)
        x.x[i] = (double)(i / 2 * 10 + i % 2);
    ok(naming_fit(&s, &x, group, 2, &fit, NULL) == RC_OK && near(fit.ari, 1, 1e-12, 0) &&
           near(fit.nmi, 1, 1e-12, 0),
       "groups equal to the names agree with them");
    /* a = 1 everywhere; b: mean distance to the other two, 10.5, 9.5, 9.5, 10.5 */
    ok(near(fit.silhouette, (2 * (9.5 / 10.5) + 2 * (8.5 / 9.5)) / 4, 1e-12, 0),
       "the silhouette is that of the named cells");
    naming_release(&s);
    ok(naming_init(&s, &obs, "tissue", NULL) == RC_OK && s.n_named == 0 &&
           isnan(naming_same_share(&s, &near_all)),
       "a column that is not there names no cell");
    naming_release(&s);
    mat_release(&x);
    table_release(&obs);
}

int main(void)
{
    threads_init(2);
    curve();
    quality();
    refused();
    named();
    threads_stop();
    return tap_end();
}
