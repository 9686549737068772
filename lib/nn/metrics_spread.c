#include "lib/nn/metrics_spread.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

struct test_result variance_ratio(const double *a, size_t n_a, const double *b, size_t n_b)
{
    struct test_result r = { NAN, NAN, NAN };
    if (n_a < 2 || n_b < 2)
        return r;
    const double low = variance_of(b, n_b, 1);
    if (!(low > 0))
        return r;
    r.statistic = variance_of(a, n_a, 1) / low;
    r.df = (double)(n_b - 1);
    const double below = gsl_cdf_fdist_P(r.statistic, (double)(n_a - 1), r.df),
                 above = gsl_cdf_fdist_Q(r.statistic, (double)(n_a - 1), r.df);
    r.p = fmin(1, 2 * fmin(below, above));
    return r;
}

/* to[i] = |x[i] - median|. */
static void distances(const double *x, size_t n, double *to)
{
    const double m = median_of(x, n);
    for (size_t i = 0; i < n; i++)
        to[i] = fabs(x[i] - m);
}

enum rc brown_forsythe(const double *a, size_t n_a, const double *b, size_t n_b,
                       struct test_result *out, struct err *e)
{
    const size_t n = n_a + n_b;
    double *d = malloc((n + 1) * sizeof *d);
    *out = (struct test_result){ NAN, NAN, n > 2 ? (double)(n - 2) : NAN };
    if (!d)
        return err_set(e, RC_FAIL, "no memory for %zu numbers", n);
    if (n_a > 1 && n_b > 1) {
        distances(a, n_a, d);
        distances(b, n_b, d + n_a);
        const double all = mean_of(d, n), of_a = mean_of(d, n_a), of_b = mean_of(d + n_a, n_b);
        const double between = (double)n_a * (of_a - all) * (of_a - all) +
                               (double)n_b * (of_b - all) * (of_b - all),
                     within = (double)n_a * variance_of(d, n_a, 0) +
                              (double)n_b * variance_of(d + n_a, n_b, 0);
        if (within > 0) {
            out->statistic = between / (within / out->df);
            out->p = gsl_cdf_fdist_Q(out->statistic, 1, out->df);
        }
    }
    free(d);
    return RC_OK;
}

enum rc pitman_morgan(const double *x, const double *y, size_t n, struct test_result *out,
                      struct err *e)
{
    double *sum = malloc((2 * n + 1) * sizeof *sum), *off = sum ? sum + n : NULL;
    if (!sum)
        return err_set(e, RC_FAIL, "no memory for %zu pairs", n);
    for (size_t i = 0; i < n; i++) {
        sum[i] = x[i] + y[i];
        off[i] = x[i] - y[i];
    }
    *out = pearson(sum, off, n);
    free(sum);
    return RC_OK;
}
