/* Is one sample more spread than another? Three tests, because none is right for all samples:
 * the F test wants normal numbers, Brown and Forsythe's does not, and Pitman and Morgan's is for
 * pairs (the same conditions under two methods). p values are two-sided; what is undefined is NaN.
 */
#ifndef GC_NN_METRICS_SPREAD_H
#define GC_NN_METRICS_SPREAD_H

#include "lib/nn/metrics_stat.h"

/* statistic = variance of a / variance of b (n - 1). */
struct test_result variance_ratio(const double *a, size_t n_a, const double *b, size_t n_b);
/* Levene's test about medians (Brown & Forsythe 1974) of two samples; df is the second one, N - 2.
 */
enum rc brown_forsythe(const double *a, size_t n_a, const double *b, size_t n_b,
                       struct test_result *out, struct err *e);
/* Pitman 1939, Morgan 1939: correlation of x + y with x - y, above 0 where x is more spread. */
enum rc pitman_morgan(const double *x, const double *y, size_t n, struct test_result *out,
                      struct err *e);

#endif
