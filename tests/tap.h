/* Test Anything Protocol in one header. A test reads as a sentence about behaviour:
 *     ok(n == 3, "three cells are left");
 *     return tap_end();
 * The last line is `N passed, N failed, N skipped`; the status is 4 when anything failed. */
#ifndef GC_TESTS_TAP_H
#define GC_TESTS_TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int tap_n, tap_failed, tap_skipped;

__attribute__((format(printf, 2, 3), unused)) static bool ok(bool good, const char *fmt, ...)
{
    va_list ap;
    printf("%sok %d - ", good ? "" : "not ", ++tap_n);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    fflush(stdout);
    tap_failed += !good;
    return good;
}

/* NaN fails. */
__attribute__((unused)) static bool near(double got, double want, double abs_tol, double rel_tol)
{
    return fabs(got - want) <= abs_tol + rel_tol * fabs(want);
}

/* The larger error; NaN, once seen, stays. */
__attribute__((unused)) static double worse(double a, double b)
{
    return isnan(a) || b <= a ? a : b;
}

__attribute__((format(printf, 1, 2), unused)) static void skip(const char *fmt, ...)
{
    va_list ap;
    printf("ok %d # SKIP ", ++tap_n);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    tap_skipped++;
}

__attribute__((format(printf, 1, 2), unused)) static void note(const char *fmt, ...)
{
    va_list ap;
    printf("# ");
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
}

__attribute__((unused)) static int tap_end(void)
{
    printf("1..%d\n%d passed, %d failed, %d skipped\n", tap_n, tap_n - tap_failed - tap_skipped,
           tap_failed, tap_skipped);
    return tap_failed || fflush(stdout) != 0 ? 4 : 0;
}

#endif
