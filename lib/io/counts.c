#include "lib/io/counts.h"

#include <stddef.h>

static uint64_t n_bad(const struct counts_check *c)
{
    return c->n_fraction + c->n_negative + c->n_nan + c->n_inf + c->n_big;
}

uint32_t counts_take_odd(struct counts_check *c, double v, uint64_t row, uint64_t col)
{
    double whole = round(v), off = fabs(v - whole);
    c->n++;
    if (isfinite(v)) {
        c->low = v < c->low ? v : c->low;
        c->high = v > c->high ? v : c->high;
    }
    if (isfinite(v) && whole >= 0 && whole <= COUNTS_MAX &&
        off <= COUNTS_TOLERANCE * (whole > 1 ? whole : 1)) {
        c->n_rounded++;
        c->n -= whole == 0;
        return (uint32_t)whole;
    }
    if (n_bad(c) == 0) {
        c->bad = v;
        c->bad_row = row;
        c->bad_col = col;
    }
    if (isnan(v))
        c->n_nan++;
    else if (isinf(v))
        c->n_inf++;
    else if (v < 0)
        c->n_negative++;
    else if (v > COUNTS_MAX)
        c->n_big++;
    else
        c->n_fraction++;
    return 0;
}

/* What the values look like when many are no counts; NULL when only a few are odd. */
static const char *looks(const struct counts_check *c)
{
    if ((c->n_fraction + c->n_negative) * 10 <= c->n)
        return NULL;
    if (c->n_negative * 10 > c->n)
        return "scaled or centred";
    /* ln(1 + 1e6) is 13.8, log2(1 + 1e6) is 19.9: logarithms of any usual depth stay below 20. */
    return c->high <= 20 ? "log-normalised" : "normalised or corrected";
}

enum rc counts_verdict(const struct counts_check *c, struct err *e)
{
    unsigned long long bad = n_bad(c), n = c->n, row = c->bad_row + 1, col = c->bad_col + 1;
    if (!bad)
        return RC_OK;
    const char *what = looks(c);
    if (what)
        return err_set(e, RC_INPUT,
                       "values look %s, not raw counts: %llu of %llu are negative or no whole "
                       "number, from %g to %g (the first is %.9g, cell %llu, feature %llu)",
                       what, bad, n, c->low, c->high, c->bad, row, col);
    const char *why = isnan(c->bad)         ? "is not a number"
                      : isinf(c->bad)       ? "is infinite"
                      : c->bad < 0          ? "is negative"
                      : c->bad > COUNTS_MAX ? "does not fit in 31 bits"
                                            : "is no whole number";
    return err_set(e, RC_INPUT,
                   "not raw counts: the value %.9g of cell %llu, feature %llu %s (%llu of %llu "
                   "values are no counts)",
                   c->bad, row, col, why, bad, n);
}

enum rc counts_refuse(const struct counts_check *c, struct err *e)
{
    return counts_bad(c)
               ? err_set(e, RC_INPUT, "the value of row %llu, column %llu is %.9g, not a count",
                         (unsigned long long)c->bad_row, (unsigned long long)c->bad_col, c->bad)
               : RC_OK;
}
