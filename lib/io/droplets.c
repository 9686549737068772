#include "lib/io/droplets.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_BARCODES = 1000, LEAST_CELLS = 20 };

static int falling(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

/* A tenth of the 99th percentile of the x largest totals; at least 1. */
static uint64_t threshold_for(const uint64_t *sorted, size_t x)
{
    uint64_t t = sorted[x / 100] / 10;
    return t ? t : 1;
}

/* Totals fall: how many are at least t. */
static size_t n_at_least(const uint64_t *sorted, size_t n, uint64_t t)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (sorted[mid] >= t)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static uint64_t best_threshold(const uint64_t *sorted, size_t n)
{
    double best = -1;
    uint64_t threshold = 1;
    for (size_t x = LEAST_CELLS; x < n; x += x / 20 + 1) {
        uint64_t t = threshold_for(sorted, x);
        double off = (double)n_at_least(sorted, n, t) - (double)x;
        double loss = off * off / (double)x;
        if (best < 0 || loss < best) {
            best = loss;
            threshold = t;
        }
    }
    return threshold;
}

enum rc droplets_call(const struct csr *c, unsigned char *keep, size_t *n_keep, uint64_t *threshold,
                      struct err *e)
{
    size_t n = c->n_rows;
    uint64_t *total = calloc(n + 1, 2 * sizeof *total), *sorted = total + n;
    *n_keep = n;
    *threshold = 0;
    if (!total)
        return err_set(e, RC_FAIL, "no memory for %zu totals", n);
    memset(keep, 1, n);
    for (size_t r = 0; r < n; r++)
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++)
            total[r] += c->value[k];
    if (n >= LEAST_BARCODES) {
        memcpy(sorted, total, n * sizeof *total);
        qsort(sorted, n, sizeof *sorted, falling);
        uint64_t t = best_threshold(sorted, n);
        size_t cells = n_at_least(sorted, n, t);
        if (cells < n / 5) {
            *threshold = t;
            *n_keep = cells;
            for (size_t r = 0; r < n; r++)
                keep[r] = total[r] >= t;
        }
    }
    free(total);
    return RC_OK;
}
