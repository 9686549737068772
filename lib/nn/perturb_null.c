#include "lib/nn/perturb_null.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/rng.h"

double running_sd(const struct running *r)
{
    return r->n < 2 ? NAN : sqrt(r->square / (r->n - 1));
}

double empirical_p(double x, const double *control, size_t n)
{
    size_t known = 0, as_far = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(control[i]))
            continue;
        known++;
        if (control[i] >= x)
            as_far++;
    }
    return isnan(x) || !known ? NAN : (double)(1 + as_far) / (double)(1 + known);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum rc bootstrap_mean(const double *x, size_t n, uint64_t seed, uint64_t id, size_t n_draws,
                       double *low, double *high, struct err *e)
{
    *low = *high = n == 1 ? x[0] : NAN;
    if (n < 2 || !n_draws)
        return RC_OK;
    double *mean = malloc(n_draws * sizeof *mean);
    if (!mean)
        return err_set(e, RC_FAIL, "no memory for %zu draws", n_draws);
    for (size_t b = 0; b < n_draws; b++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += x[rng_below(seed, RNG_BOOTSTRAP, id, b * n + i, n)];
        mean[b] = sum / (double)n;
    }
    qsort(mean, n_draws, sizeof *mean, by_size);
    const size_t tail = (size_t)(0.025 * (double)n_draws);
    *low = mean[tail];
    *high = mean[n_draws - 1 - tail];
    free(mean);
    return RC_OK;
}

/* ---- matching ---- */

struct near {
    double distance;
    uint64_t draw;
    uint32_t at;
};

static int by_distance(const void *a, const void *b)
{
    const struct near *x = a, *y = b;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static int by_draw(const void *a, const void *b)
{
    const struct near *x = a, *y = b;
    if (x->draw != y->draw)
        return x->draw < y->draw ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static double feature(const struct matched_gene *g, int k)
{
    return k == 0 ? log((double)g->n_cells + 1) : k == 1 ? g->mean_rank : g->mean_value;
}

enum rc match_controls(const struct matched_gene *gene, size_t n, size_t which, const bool *skip,
                       size_t want, uint64_t seed, uint32_t *to, size_t *n_found, struct err *e)
{
    double sd[3];
    *n_found = 0;
    struct near *near = malloc((n + 1) * sizeof *near);
    if (!near)
        return err_set(e, RC_FAIL, "no memory to match %zu genes", n);
    for (int k = 0; k < 3; k++) {
        struct running r = { 0 };
        for (size_t i = 0; i < n; i++)
            if (!skip[i])
                running_add(&r, feature(&gene[i], k));
        sd[k] = running_sd(&r) > 0 ? running_sd(&r) : 1;
    }
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == which || skip[i])
            continue;
        double d = 0;
        for (int k = 0; k < 3; k++) {
            const double off = (feature(&gene[i], k) - feature(&gene[which], k)) / sd[k];
            d += off * off;
        }
        near[m++] = (struct near){ d, rng_u64(seed, RNG_SAMPLE, gene[which].token, gene[i].token),
                                   (uint32_t)i };
    }
    qsort(near, m, sizeof *near, by_distance);
    m = m < 3 * want ? m : 3 * want;
    qsort(near, m, sizeof *near, by_draw);
    for (size_t i = 0; i < m && i < want; i++)
        to[(*n_found)++] = near[i].at;
    free(near);
    return RC_OK;
}
