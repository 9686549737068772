/* Correlations, errors, tests and intervals on plain arrays. Distributions come from GSL.
 *
 * p values are two-sided. What is undefined (no spread, too few numbers) is NaN, never a guess.
 * Sums run in the order of the array, means before squares. */
#ifndef GC_NN_METRICS_STAT_H
#define GC_NN_METRICS_STAT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

/* A statistic, its p value, and degrees of freedom where the test has some. */
struct test_result {
    double statistic, p, df;
};

double mean_of(const double *x, size_t n);
/* Sum of squared deviations / (n - less); less is 1 for a sample, 0 for a population. */
double variance_of(const double *x, size_t n, size_t less);
double median_of(const double *x, size_t n); /* NaN when n is 0 or memory is short */

/* Ranks from 1, equal numbers share the mean of their ranks. Returns the sum of t^3 - t over
 * groups of t equal numbers in *ties (may be NULL). */
enum rc ranks_of(const double *x, size_t n, double *rank, double *ties, struct err *e);

/* statistic = r; p from Student's t with n - 2 degrees of freedom. */
struct test_result pearson(const double *x, const double *y, size_t n);
enum rc spearman(const double *x, const double *y, size_t n, struct test_result *out,
                 struct err *e);
double kendall_tau_b(const double *x, const double *y, size_t n); /* O(n^2) */

double r2_score(const double *truth, const double *predicted, size_t n);
double mean_squared_error(const double *x, const double *y, size_t n);
double mean_absolute_error(const double *x, const double *y, size_t n);
double cosine_of(const double *x, const double *y, size_t n);

/* Two samples. */
struct test_result welch_t(const double *a, size_t n_a, const double *b, size_t n_b);
struct test_result student_t(const double *a, size_t n_a, const double *b, size_t n_b);
/* From means and variances (n - 1), as a test over thousands of genes needs it. */
struct test_result welch_t_from(double mean_a, double var_a, size_t n_a, double mean_b,
                                double var_b, size_t n_b);
/* Mann-Whitney: statistic = U of a; normal approximation with tie and continuity correction. */
enum rc mann_whitney(const double *a, size_t n_a, const double *b, size_t n_b,
                     struct test_result *out, struct err *e);
/* The same ranks as a z value without either correction (scipy's ranksums). */
enum rc rank_sum_z(const double *a, size_t n_a, const double *b, size_t n_b,
                   struct test_result *out, struct err *e);
/* Largest gap between the two distribution functions. */
enum rc kolmogorov_smirnov_d(const double *a, size_t n_a, const double *b, size_t n_b, double *d,
                             struct err *e);

/* Pairs. */
struct test_result paired_t(const double *x, const double *y, size_t n);
/* Signed ranks: zeros dropped, statistic = smaller of the two rank sums, normal approximation with
 * tie correction, no continuity correction. */
enum rc wilcoxon_signed(const double *x, const double *y, size_t n, struct test_result *out,
                        struct err *e);

/* Benjamini-Hochberg: adjusted[i] for p[i]. */
enum rc benjamini_hochberg(const double *p, size_t n, double *adjusted, struct err *e);
/* Half-width of the 95 % interval of the mean by Student's t; NaN for n < 2. */
double mean_ci95(const double *x, size_t n);
double t_quantile(double probability, double df);

#endif
