#include "lib/report/format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char unknown[] = "not known";

const char *format_count(char to[FORMAT_MAX], double n)
{
    char digits[FORMAT_MAX];
    if (!isfinite(n) || fabs(n) >= 1e18) {
        snprintf(to, FORMAT_MAX, unknown);
        return to;
    }
    snprintf(digits, sizeof digits, "%.0f", fabs(n));
    size_t len = strlen(digits), k = 0;
    if (n < 0 && strcmp(digits, "0") != 0)
        to[k++] = '-';
    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            to[k++] = ',';
        to[k++] = digits[i];
    }
    to[k] = '\0';
    return to;
}

const char *format_number(char to[FORMAT_MAX], double x)
{
    double a = fabs(x);
    if (!isfinite(x))
        snprintf(to, FORMAT_MAX, unknown);
    else if (a >= 1000 && a < 1e15)
        format_count(to, x);
    else if (a == 0)
        snprintf(to, FORMAT_MAX, "0");
    else if (a >= 100)
        snprintf(to, FORMAT_MAX, "%.1f", x);
    else if (a >= 10)
        snprintf(to, FORMAT_MAX, "%.1f", x);
    else if (a >= 1)
        snprintf(to, FORMAT_MAX, "%.2f", x);
    else if (a >= 0.0005)
        snprintf(to, FORMAT_MAX, "%.3f", x);
    else
        snprintf(to, FORMAT_MAX, "%.2g", x);
    return to;
}

const char *format_bytes(char to[FORMAT_MAX], double n)
{
    static const char *const unit[] = { "bytes", "kB", "MB", "GB", "TB", "PB" };
    int u = 0;
    if (!isfinite(n) || n < 0) {
        snprintf(to, FORMAT_MAX, unknown);
        return to;
    }
    while (n >= 999.5 && u < 5) {
        n /= 1000;
        u++;
    }
    snprintf(to, FORMAT_MAX, u && n < 9.95 ? "%.1f %s" : "%.0f %s", n, unit[u]);
    return to;
}

const char *format_large(char to[FORMAT_MAX], double n)
{
    if (!isfinite(n) || n < 0)
        snprintf(to, FORMAT_MAX, unknown);
    else if (n >= 1e9)
        snprintf(to, FORMAT_MAX, "%.3g billion", n / 1e9);
    else if (n >= 999.5e3)
        snprintf(to, FORMAT_MAX, n < 99.95e6 ? "%.3g million" : "%.1f million", n / 1e6);
    else
        format_count(to, n);
    return to;
}

const char *format_share(char to[FORMAT_MAX], double part, double whole)
{
    if (!isfinite(part) || !isfinite(whole) || whole <= 0)
        snprintf(to, FORMAT_MAX, unknown);
    else
        snprintf(to, FORMAT_MAX, "%.1f %%", 100 * part / whole);
    return to;
}
