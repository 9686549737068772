/* A tree is not kept: what its splits are worth is added up while it grows.
 *
 *   forest_importance -> grow_tree -> split -> best_cut -> try_best or try_drawn, some features
 * Example: one feature 0 0 3 1 for y = 2 2 8 2. The cut behind 1 leaves 8 alone: n var falls from
 * 27 to 0, so with N = 4 this split adds 27 / 4 to the importance. */
#include "lib/nn/forest_regression.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"

struct cut {
    double gain, at; /* samples with value <= at go left */
    size_t feature;
    bool found;
};

struct grower {
    const struct forest_ground *g;
    const struct forest_regression_options *o;
    const double *y;
    double *importance;
    uint64_t id, draws;
    size_t n_features, n_try, least_split;
    uint32_t *sample, *spare; /* [n] */
    uint32_t *feature;        /* [n_features] in the order they are drawn */
    uint64_t *key;            /* [n] rank above sample */
};

/* ---- ground ---- */

struct placed {
    double value;
    uint32_t sample;
};

static int by_value(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->sample > y->sample) - (x->sample < y->sample);
}

void forest_ground_release(struct forest_ground *g)
{
    free(g->value);
    free(g->rank);
    *g = (struct forest_ground){ 0 };
}

enum rc forest_ground_init(struct forest_ground *g, const double *x, size_t n, size_t stride,
                           const uint32_t *column, size_t d, struct err *e)
{
    *g = (struct forest_ground){ .n = n, .d = d };
    if (!n || !d || n >= UINT32_MAX || d >= UINT32_MAX)
        return err_set(e, RC_INPUT, "a forest on %zu rows of %zu features cannot grow", n, d);
    g->value = malloc(n * d * sizeof *g->value);
    g->rank = malloc(n * d * sizeof *g->rank);
    struct placed *p = malloc(n * sizeof *p);
    if (!g->value || !g->rank || !p) {
        free(p);
        forest_ground_release(g);
        return err_set(e, RC_FAIL, "no memory for %zu features of %zu rows", d, n);
    }
    for (size_t j = 0; j < d; j++) {
        double *value = g->value + j * n;
        uint32_t *rank = g->rank + j * n, m = 0;
        for (size_t i = 0; i < n; i++) {
            value[i] = x[i * stride + column[j]];
            p[i] = (struct placed){ value[i], (uint32_t)i };
        }
        qsort(p, n, sizeof *p, by_value);
        for (size_t i = 0; i < n; i++) {
            m += i && p[i].value > p[i - 1].value;
            rank[p[i].sample] = m;
        }
    }
    free(p);
    return RC_OK;
}

/* ---- one tree ---- */

static uint64_t draw_below(struct grower *w, uint64_t n)
{
    return rng_below(w->o->seed, RNG_FOREST, w->id, w->draws++, n);
}

static void offer(struct cut *best, double gain, size_t feature, double at)
{
    if (!best->found || gain > best->gain)
        *best = (struct cut){ gain, at, feature, true };
}

/* Insertion for few, else Shell's gaps: keys are distinct. */
static void sort_keys(uint64_t *key, size_t n)
{
    static const size_t gap[] = { 8858, 3937, 1750, 701, 301, 132, 57, 23, 10, 4, 1 };
    for (size_t k = 0; k < sizeof gap / sizeof *gap; k++)
        for (size_t i = gap[k]; i < n; i++) {
            const uint64_t v = key[i];
            size_t j = i;
            for (; j >= gap[k] && key[j - gap[k]] > v; j -= gap[k])
                key[j] = key[j - gap[k]];
            key[j] = v;
        }
}

/* All cuts of a feature. Samples of the least value, mostly zeros, are not sorted. False: the
 * feature is the same in all samples. */
static bool try_best(struct grower *w, size_t feature, const uint32_t *sample, size_t n, double sum,
                     struct cut *best)
{
    const uint32_t *rank = w->g->rank + feature * w->g->n;
    const double *value = w->g->value + feature * w->g->n;
    uint32_t least = UINT32_MAX, most = 0;
    double l = 0, before = 0; /* sum of the left side, its largest value */
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        least = rank[sample[i]] < least ? rank[sample[i]] : least;
        most = rank[sample[i]] > most ? rank[sample[i]] : most;
    }
    if (least == most)
        return false;
    for (size_t i = 0; i < n; i++)
        if (rank[sample[i]] == least) {
            l += w->y[sample[i]];
            before = value[sample[i]];
        } else {
            w->key[m++] = (uint64_t)rank[sample[i]] << 32 | sample[i];
        }
    sort_keys(w->key, m);
    uint32_t at = least;
    for (size_t i = 0; i < m; i++) {
        const uint32_t s = (uint32_t)w->key[i], next = (uint32_t)(w->key[i] >> 32);
        const size_t n_left = n - m + i;
        if (next != at) {
            double cut = before + (value[s] - before) / 2;
            if (!(cut < value[s])) /* neighbours among doubles */
                cut = before;
            offer(best, l * l / (double)n_left + (sum - l) * (sum - l) / (double)(n - n_left),
                  feature, cut);
        }
        at = next;
        before = value[s];
        l += w->y[s];
    }
    return true;
}

/* One cut, drawn. */
static bool try_drawn(struct grower *w, size_t feature, const uint32_t *sample, size_t n,
                      double sum, struct cut *best)
{
    const double *value = w->g->value + feature * w->g->n;
    double least = value[sample[0]], most = least, l = 0;
    size_t n_left = 0;
    for (size_t i = 1; i < n; i++) {
        least = value[sample[i]] < least ? value[sample[i]] : least;
        most = value[sample[i]] > most ? value[sample[i]] : most;
    }
    if (!(least < most))
        return false;
    double cut = least + rng_unit(w->o->seed, RNG_FOREST, w->id, w->draws++) * (most - least);
    if (!(cut < most))
        cut = least;
    for (size_t i = 0; i < n; i++)
        if (value[sample[i]] <= cut) {
            l += w->y[sample[i]];
            n_left++;
        }
    offer(best, l * l / (double)n_left + (sum - l) * (sum - l) / (double)(n - n_left), feature,
          cut);
    return true;
}

static struct cut best_cut(struct grower *w, const uint32_t *sample, size_t n, double sum)
{
    struct cut best = { 0 };
    bool any = false;
    for (size_t k = 0; k < w->n_features && (k < w->n_try || !any); k++) {
        const size_t at = k + draw_below(w, w->n_features - k);
        const uint32_t feature = w->feature[at];
        w->feature[at] = w->feature[k];
        w->feature[k] = feature;
        any = (w->o->extra ? try_drawn(w, feature, sample, n, sum, &best)
                           : try_best(w, feature, sample, n, sum, &best)) ||
              any;
    }
    return best;
}

static size_t part(struct grower *w, uint32_t *sample, size_t n, const struct cut *c)
{
    const double *value = w->g->value + c->feature * w->g->n;
    size_t l = 0, r = 0;
    for (size_t i = 0; i < n; i++)
        if (value[sample[i]] <= c->at)
            sample[l++] = sample[i];
        else
            w->spare[r++] = sample[i];
    memcpy(sample + l, w->spare, r * sizeof *sample);
    return l;
}

/* The smaller side by a call, the larger one in the loop: at most log2 n calls stand. */
static void split(struct grower *w, uint32_t *sample, size_t n)
{
    for (;;) {
        double sum = 0;
        bool same = true;
        for (size_t i = 0; i < n; i++) {
            sum += w->y[sample[i]];
            same = same && w->y[sample[i]] == w->y[sample[0]];
        }
        struct cut c = { 0 };
        if (!same && n >= w->least_split)
            c = best_cut(w, sample, n, sum);
        if (!c.found)
            return;
        /* Rounding may leave a useless cut a little below 0. */
        w->importance[c.feature] += fmax(c.gain - sum * sum / (double)n, 0) / (double)w->g->n;
        const size_t l = part(w, sample, n, &c);
        const bool left_small = l <= n - l;
        split(w, left_small ? sample : sample + l, left_small ? l : n - l);
        sample = left_small ? sample + l : sample;
        n = left_small ? n - l : l;
    }
}

enum rc forest_importance(const struct forest_ground *g, const double *y, size_t skip, uint64_t id,
                          const struct forest_regression_options *o, double *importance,
                          struct err *e)
{
    struct grower w = { .g = g, .o = o, .y = y, .importance = importance };
    w.least_split = o->least_split > 2 ? o->least_split : 2;
    w.sample = malloc(g->n * sizeof *w.sample);
    w.spare = malloc(g->n * sizeof *w.spare);
    w.feature = malloc(g->d * sizeof *w.feature);
    w.key = malloc(g->n * sizeof *w.key);
    memset(importance, 0, g->d * sizeof *importance);
    const bool room = w.sample && w.spare && w.feature && w.key;
    for (size_t t = 0; room && t < o->n_trees; t++) {
        w.id = id * o->n_trees + t;
        w.draws = 0;
        w.n_features = 0;
        for (size_t j = 0; j < g->d; j++)
            if (j != skip)
                w.feature[w.n_features++] = (uint32_t)j;
        w.n_try = o->n_try ? o->n_try : (size_t)sqrt((double)w.n_features);
        w.n_try = w.n_try ? w.n_try : 1;
        for (size_t i = 0; i < g->n; i++)
            w.sample[i] = (uint32_t)(o->extra ? i : draw_below(&w, g->n));
        split(&w, w.sample, g->n);
    }
    for (size_t j = 0; j < g->d && o->n_trees; j++)
        importance[j] /= (double)o->n_trees;
    free(w.sample);
    free(w.spare);
    free(w.feature);
    free(w.key);
    return room ? RC_OK : err_set(e, RC_FAIL, "no memory for trees on %zu rows", g->n);
}
