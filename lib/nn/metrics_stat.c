#include "lib/nn/metrics_stat.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double mean_of(const double *x, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += x[i];
    return n ? s / (double)n : NAN;
}

double variance_of(const double *x, size_t n, size_t less)
{
    if (n <= less)
        return NAN;
    double m = mean_of(x, n), s = 0;
    for (size_t i = 0; i < n; i++)
        s += (x[i] - m) * (x[i] - m);
    return s / (double)(n - less);
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median_of(const double *x, size_t n)
{
    double *s = n ? malloc(n * sizeof *s) : NULL;
    if (!s)
        return NAN;
    memcpy(s, x, n * sizeof *s);
    qsort(s, n, sizeof *s, rising);
    double m = n % 2 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
    free(s);
    return m;
}

struct ranked {
    double x;
    size_t at;
};

static int ranked_rising(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->x != y->x)
        return x->x < y->x ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

enum rc ranks_of(const double *x, size_t n, double *rank, double *ties, struct err *e)
{
    struct ranked *s = malloc((n ? n : 1) * sizeof *s);
    if (!s)
        return err_set(e, RC_FAIL, "no memory to rank %zu numbers", n);
    for (size_t i = 0; i < n; i++)
        s[i] = (struct ranked){ x[i], i };
    qsort(s, n, sizeof *s, ranked_rising);
    double sum = 0;
    for (size_t i = 0; i < n;) {
        size_t j = i + 1;
        while (j < n && s[j].x == s[i].x)
            j++;
        double t = (double)(j - i);
        sum += t * t * t - t;
        for (size_t k = i; k < j; k++)
            rank[s[k].at] = (double)(i + j + 1) / 2; /* mean of i + 1 .. j */
        i = j;
    }
    if (ties)
        *ties = sum;
    free(s);
    return RC_OK;
}

static double t_two_sided(double t, double df)
{
    return isnan(t) || !(df > 0) ? NAN : fmin(1, 2 * gsl_cdf_tdist_Q(fabs(t), df));
}

static double z_two_sided(double z)
{
    return isnan(z) ? NAN : fmin(1, 2 * gsl_cdf_ugaussian_Q(fabs(z)));
}

struct test_result pearson(const double *x, const double *y, size_t n)
{
    double mx = mean_of(x, n), my = mean_of(y, n), xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
    }
    struct test_result r = { .statistic = xy / (sqrt(xx) * sqrt(yy)), .df = (double)n - 2 };
    if (!isnan(r.statistic))
        r.statistic = fmax(-1, fmin(1, r.statistic));
    r.p = t_two_sided(r.statistic * sqrt(r.df / ((1 - r.statistic) * (1 + r.statistic))), r.df);
    return r;
}

enum rc spearman(const double *x, const double *y, size_t n, struct test_result *out, struct err *e)
{
    *out = (struct test_result){ NAN, NAN, NAN };
    double *rank = malloc((n ? 2 * n : 1) * sizeof *rank);
    if (!rank)
        return err_set(e, RC_FAIL, "no memory to rank %zu numbers", n);
    enum rc rc = ranks_of(x, n, rank, NULL, e);
    if (!rc)
        rc = ranks_of(y, n, rank + n, NULL, e);
    if (!rc)
        *out = pearson(rank, rank + n, n);
    free(rank);
    return rc;
}

double kendall_tau_b(const double *x, const double *y, size_t n)
{
    double s = 0, untied_x = 0, untied_y = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            int a = (x[i] > x[j]) - (x[i] < x[j]), b = (y[i] > y[j]) - (y[i] < y[j]);
            s += a * b;
            untied_x += a != 0;
            untied_y += b != 0;
        }
    return s / sqrt(untied_x * untied_y);
}

double r2_score(const double *truth, const double *predicted, size_t n)
{
    double m = mean_of(truth, n), left = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        left += (truth[i] - predicted[i]) * (truth[i] - predicted[i]);
        all += (truth[i] - m) * (truth[i] - m);
    }
    return all > 0 ? 1 - left / all : NAN;
}

double mean_squared_error(const double *x, const double *y, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += (x[i] - y[i]) * (x[i] - y[i]);
    return n ? s / (double)n : NAN;
}

double mean_absolute_error(const double *x, const double *y, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += fabs(x[i] - y[i]);
    return n ? s / (double)n : NAN;
}

double cosine_of(const double *x, const double *y, size_t n)
{
    double xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        xx += x[i] * x[i];
        yy += y[i] * y[i];
        xy += x[i] * y[i];
    }
    return xy / (sqrt(xx) * sqrt(yy));
}

struct test_result welch_t_from(double mean_a, double var_a, size_t n_a, double mean_b,
                                double var_b, size_t n_b)
{
    double a = var_a / (double)n_a, b = var_b / (double)n_b;
    struct test_result r;
    r.statistic = (mean_a - mean_b) / sqrt(a + b);
    r.df = (a + b) * (a + b) / (a * a / ((double)n_a - 1) + b * b / ((double)n_b - 1));
    r.p = t_two_sided(r.statistic, r.df);
    return r;
}

struct test_result welch_t(const double *a, size_t n_a, const double *b, size_t n_b)
{
    return welch_t_from(mean_of(a, n_a), variance_of(a, n_a, 1), n_a, mean_of(b, n_b),
                        variance_of(b, n_b, 1), n_b);
}

struct test_result student_t(const double *a, size_t n_a, const double *b, size_t n_b)
{
    struct test_result r = { .df = (double)(n_a + n_b) - 2 };
    double pooled =
        (variance_of(a, n_a, 0) * (double)n_a + variance_of(b, n_b, 0) * (double)n_b) / r.df;
    r.statistic =
        (mean_of(a, n_a) - mean_of(b, n_b)) / sqrt(pooled * (1 / (double)n_a + 1 / (double)n_b));
    r.p = t_two_sided(r.statistic, r.df);
    return r;
}

/* Rank sum of a among a and b together. */
static enum rc rank_sum(const double *a, size_t n_a, const double *b, size_t n_b, double *sum,
                        double *ties, struct err *e)
{
    size_t n = n_a + n_b;
    double *x = malloc((n ? 2 * n : 1) * sizeof *x);
    if (!x)
        return err_set(e, RC_FAIL, "no memory to rank %zu numbers", n);
    memcpy(x, a, n_a * sizeof *x);
    memcpy(x + n_a, b, n_b * sizeof *x);
    enum rc rc = ranks_of(x, n, x + n, ties, e);
    *sum = 0;
    for (size_t i = 0; !rc && i < n_a; i++)
        *sum += x[n + i];
    free(x);
    return rc;
}

enum rc mann_whitney(const double *a, size_t n_a, const double *b, size_t n_b,
                     struct test_result *out, struct err *e)
{
    double sum, ties, p = (double)n_a, q = (double)n_b, n = p + q;
    *out = (struct test_result){ NAN, NAN, NAN };
    if (rank_sum(a, n_a, b, n_b, &sum, &ties, e))
        return RC_FAIL;
    out->statistic = sum - p * (p + 1) / 2;
    double larger = fmax(out->statistic, p * q - out->statistic);
    double sd = sqrt(p * q / 12 * (n + 1 - ties / (n * (n - 1))));
    /* One-sided for the larger U, doubled; below its mean after the correction it stays at 1. */
    out->p = fmin(1, 2 * gsl_cdf_ugaussian_Q((larger - p * q / 2 - 0.5) / sd));
    return RC_OK;
}

enum rc rank_sum_z(const double *a, size_t n_a, const double *b, size_t n_b,
                   struct test_result *out, struct err *e)
{
    double sum, p = (double)n_a, q = (double)n_b;
    *out = (struct test_result){ NAN, NAN, NAN };
    if (rank_sum(a, n_a, b, n_b, &sum, NULL, e))
        return RC_FAIL;
    out->statistic = (sum - p * (p + q + 1) / 2) / sqrt(p * q * (p + q + 1) / 12);
    out->p = z_two_sided(out->statistic);
    return RC_OK;
}

enum rc kolmogorov_smirnov_d(const double *a, size_t n_a, const double *b, size_t n_b, double *d,
                             struct err *e)
{
    double *s = malloc((n_a + n_b + 1) * sizeof *s);
    *d = NAN;
    if (!s)
        return err_set(e, RC_FAIL, "no memory to sort %zu numbers", n_a + n_b);
    memcpy(s, a, n_a * sizeof *s);
    memcpy(s + n_a, b, n_b * sizeof *s);
    qsort(s, n_a, sizeof *s, rising);
    qsort(s + n_a, n_b, sizeof *s, rising);
    double most = 0;
    for (size_t i = 0, j = 0; i < n_a && j < n_b;) {
        double x = fmin(s[i], s[n_a + j]);
        while (i < n_a && s[i] <= x)
            i++;
        while (j < n_b && s[n_a + j] <= x)
            j++;
        most = fmax(most, fabs((double)i / (double)n_a - (double)j / (double)n_b));
    }
    free(s);
    *d = n_a && n_b ? most : NAN;
    return RC_OK;
}

struct test_result paired_t(const double *x, const double *y, size_t n)
{
    double m = 0, s = 0;
    for (size_t i = 0; i < n; i++)
        m += (x[i] - y[i]) / (double)n;
    for (size_t i = 0; i < n; i++)
        s += (x[i] - y[i] - m) * (x[i] - y[i] - m);
    struct test_result r = { .df = (double)n - 1 };
    r.statistic = m / sqrt(s / r.df / (double)n);
    r.p = t_two_sided(r.statistic, r.df);
    return r;
}

enum rc wilcoxon_signed(const double *x, const double *y, size_t n, struct test_result *out,
                        struct err *e)
{
    *out = (struct test_result){ NAN, NAN, NAN };
    double *size = calloc(3 * n + 1, sizeof *size), ties = 0, up = 0, down = 0;
    if (!size)
        return err_set(e, RC_FAIL, "no memory to rank %zu pairs", n);
    double *sign = size + n, *rank = size + 2 * n;
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i]) {
            size[m] = fabs(x[i] - y[i]);
            sign[m++] = x[i] > y[i] ? 1 : -1;
        }
    enum rc rc = ranks_of(size, m, rank, &ties, e);
    for (size_t i = 0; !rc && i < m; i++)
        *(sign[i] > 0 ? &up : &down) += rank[i];
    free(size);
    if (rc)
        return rc;
    double k = (double)m;
    out->statistic = fmin(up, down);
    out->p = z_two_sided((out->statistic - k * (k + 1) / 4) /
                         sqrt((k * (k + 1) * (2 * k + 1) - ties / 2) / 24));
    return RC_OK;
}

enum rc benjamini_hochberg(const double *p, size_t n, double *adjusted, struct err *e)
{
    struct ranked *s = malloc((n ? n : 1) * sizeof *s);
    if (!s)
        return err_set(e, RC_FAIL, "no memory to sort %zu p values", n);
    for (size_t i = 0; i < n; i++)
        s[i] = (struct ranked){ p[i], i };
    qsort(s, n, sizeof *s, ranked_rising);
    double least = 1;
    for (size_t i = n; i-- > 0;) {
        least = fmin(least, s[i].x * (double)n / (double)(i + 1));
        adjusted[s[i].at] = least;
    }
    free(s);
    return RC_OK;
}

double t_quantile(double probability, double df)
{
    return gsl_cdf_tdist_Pinv(probability, df);
}

double mean_ci95(const double *x, size_t n)
{
    if (n < 2)
        return NAN;
    size_t same = 1;
    while (same < n && x[same] == x[0])
        same++;
    if (same == n) /* not the rounding of their mean */
        return 0;
    return t_quantile(0.975, (double)n - 1) * sqrt(variance_of(x, n, 1) / (double)n);
}
