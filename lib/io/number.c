#include "lib/io/number.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

static const char *skip_digits(const char *s)
{
    while (*s >= '0' && *s <= '9')
        s++;
    return s;
}

bool number_whole(const char *s, uint64_t *v, const char **end)
{
    const char *from = s;
    uint64_t x = 0;
    for (; *s >= '0' && *s <= '9'; s++) {
        unsigned d = (unsigned)(*s - '0');
        if (x > (UINT64_MAX - d) / 10)
            return false;
        x = 10 * x + d;
    }
    *v = x;
    if (end)
        *end = s;
    return s > from && (end || !*s);
}

/* strtod is asked only about what has the right form, so that it can mean nothing else. */
static bool has_form(const char *s)
{
    s += *s == '+' || *s == '-';
    const char *whole = skip_digits(s);
    bool digits = whole > s;
    s = whole;
    if (*s == '.') {
        const char *part = skip_digits(s + 1);
        digits = digits || part > s + 1;
        s = part;
    }
    if (digits && (*s == 'e' || *s == 'E')) {
        s++;
        s += *s == '+' || *s == '-';
        const char *power = skip_digits(s);
        digits = power > s;
        s = power;
    }
    return digits && !*s;
}

bool number_parse(const char *text, double *v)
{
    uint64_t n = 0;
    const char *s = text;
    for (; *s >= '0' && *s <= '9' && s - text < 15; s++)
        n = 10 * n + (unsigned)(*s - '0');
    if (!*s && s > text) {
        *v = (double)n;
        return true;
    }
    if (!has_form(text))
        return false;
    const double x = strtod(text, NULL);
    if (!isfinite(x)) /* beyond the largest double */
        return false;
    *v = x;
    return true;
}
