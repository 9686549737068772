/* All from the table of counts n_ij with margins a_i, b_j, total n.
 *
 *   pairs together in both: sum n_ij (n_ij - 1) / 2       -> Rand, ARI, Fowlkes-Mallows
 *   I = sum n_ij/n ln(n n_ij / (a_i b_j))                 -> NMI, homogeneity, completeness
 *   E[I] over tables with these margins (Vinh, Epps, Bailey 2010, equation 24a):
 *     sum_ij sum_k k/n ln(n k / (a_i b_j)) * hypergeometric(k; a_i, b_j, n)   -> AMI */
#include "lib/nn/metrics_cluster.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static double pairs(double n)
{
    return n * (n - 1) / 2;
}

static double entropy(const double *count, size_t k, double n)
{
    double h = 0;
    for (size_t i = 0; i < k; i++)
        if (count[i] > 0)
            h -= count[i] / n * log(count[i] / n);
    return h;
}

/* The part of E[I] of one cell of the table. */
static double expected_cell(double a, double b, double n)
{
    double from = fmax(1, a + b - n), to = fmin(a, b), sum = 0;
    double fixed =
        lgamma(a + 1) + lgamma(b + 1) + lgamma(n - a + 1) + lgamma(n - b + 1) - lgamma(n + 1);
    for (double k = from; k <= to; k++) {
        double ln_p = fixed - lgamma(k + 1) - lgamma(a - k + 1) - lgamma(b - k + 1) -
                      lgamma(n - a - b + k + 1);
        sum += k / n * (log(n * k) - log(a * b)) * exp(ln_p);
    }
    return sum;
}

static double expected_information(const double *a, size_t n_a, const double *b, size_t n_b,
                                   double n)
{
    double sum = 0;
    for (size_t i = 0; i < n_a; i++)
        for (size_t j = 0; j < n_b; j++)
            if (a[i] > 0 && b[j] > 0)
                sum += expected_cell(a[i], b[j], n);
    return sum;
}

static size_t used(const double *count, size_t k)
{
    size_t n = 0;
    for (size_t i = 0; i < k; i++)
        n += count[i] > 0;
    return n;
}

static void pair_scores(const double *t, const double *a, size_t n_a, const double *b, size_t n_b,
                        double n, struct partition_metrics *m)
{
    double both = 0, in_a = 0, in_b = 0, all = pairs(n);
    for (size_t i = 0; i < n_a * n_b; i++)
        both += pairs(t[i]);
    for (size_t i = 0; i < n_a; i++)
        in_a += pairs(a[i]);
    for (size_t j = 0; j < n_b; j++)
        in_b += pairs(b[j]);
    double chance = in_a * in_b / all, most = (in_a + in_b) / 2;
    /* Both one group or both all singletons: nothing to agree by chance, and they agree. */
    m->ari = most == chance ? 1 : (both - chance) / (most - chance);
    m->rand = (all + 2 * both - in_a - in_b) / all;
    m->fowlkes_mallows = both > 0 ? sqrt(both / in_a) * sqrt(both / in_b) : 0;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void information_scores(const double *t, const double *a, size_t n_a, const double *b,
                               size_t n_b, double n, struct partition_metrics *m)
{
    double i_ab = 0, h_a = entropy(a, n_a, n), h_b = entropy(b, n_b, n);
    for (size_t i = 0; i < n_a; i++)
        for (size_t j = 0; j < n_b; j++) {
            double k = t[i * n_b + j];
            if (k > 0)
                i_ab += k / n * (log(k) - log(n) - log(a[i] / n) - log(b[j] / n));
        }
    i_ab = fmax(i_ab, 0);
    m->mutual_info = i_ab;
    m->entropy_a = h_a;
    m->entropy_b = h_b;
    m->homogeneity = h_a > 0 ? i_ab / h_a : 1;
    m->completeness = h_b > 0 ? i_ab / h_b : 1;
    m->v_measure = share(2 * m->homogeneity * m->completeness, m->homogeneity + m->completeness);
    if (used(a, n_a) == 1 && used(b, n_b) == 1) {
        m->nmi_arithmetic = m->nmi_geometric = m->nmi_min = m->nmi_max = m->ami_arithmetic = 1;
        return;
    }
    m->nmi_arithmetic = share(2 * i_ab, h_a + h_b);
    m->nmi_geometric = share(i_ab, sqrt(h_a * h_b));
    m->nmi_min = share(i_ab, fmin(h_a, h_b));
    m->nmi_max = share(i_ab, fmax(h_a, h_b));
    double chance = expected_information(a, n_a, b, n_b, n), room = (h_a + h_b) / 2 - chance;
    /* Rounding may leave no room, or a little of the wrong sign. */
    m->ami_arithmetic =
        (i_ab - chance) / (room < 0 ? fmin(room, -DBL_EPSILON) : fmax(room, DBL_EPSILON));
}

enum rc partition_metrics_get(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b,
                              size_t n, struct partition_metrics *m, struct err *e)
{
    *m = (struct partition_metrics){ 0 };
    if (!n || !n_a || !n_b)
        return err_set(e, RC_INPUT, "two partitions of nothing cannot be compared");
    double *t = calloc(n_a * n_b + n_a + n_b, sizeof *t);
    if (!t)
        return err_set(e, RC_FAIL, "no memory to compare %zu with %zu groups", n_a, n_b);
    double *in_a = t + n_a * n_b, *in_b = in_a + n_a;
    for (size_t i = 0; i < n; i++) {
        t[a[i] * n_b + b[i]]++;
        in_a[a[i]]++;
        in_b[b[i]]++;
    }
    pair_scores(t, in_a, n_a, in_b, n_b, (double)n, m);
    information_scores(t, in_a, n_a, in_b, n_b, (double)n, m);
    free(t);
    return RC_OK;
}
