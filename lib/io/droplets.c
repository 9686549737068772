#include "lib/io/droplets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"

enum { LEAST_BARCODES = 1000, FIRST_RANK = 20, LEAST_TOTAL = 100 };

static int falling(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

/* The geometric mean of the totals at both ends of the steepest fall; 0 when nothing falls. */
static uint64_t find_threshold(const uint64_t *sorted, size_t n)
{
    double best = 1;
    uint64_t threshold = 0;
    for (size_t r = FIRST_RANK; r + r / 4 < n && sorted[r] >= LEAST_TOTAL; r++) {
        spill_step(r);
        uint64_t low = sorted[r + r / 4] ? sorted[r + r / 4] : 1;
        double ratio = (double)sorted[r] / (double)low;
        if (ratio > best) {
            best = ratio;
            threshold = (uint64_t)ceil(sqrt((double)sorted[r] * (double)low));
        }
    }
    return threshold;
}

enum rc droplets_call(const uint64_t *total, size_t n, unsigned char *keep, size_t *n_keep,
                      uint64_t *threshold, struct err *e)
{
    *n_keep = n;
    *threshold = 0;
    memset(keep, 1, n);
    if (n < LEAST_BARCODES)
        return RC_OK;
    uint64_t *sorted = spill_alloc(n * sizeof *sorted);
    if (sorted)
        spill_copy(sorted, total, n * sizeof *total);
    if (!sorted || spill_sort(sorted, n, sizeof *sorted, falling)) {
        spill_free(sorted);
        return err_set(e, RC_FAIL, "no memory for %zu totals", n);
    }
    uint64_t t = find_threshold(sorted, n);
    if (t && sorted[n / 2] * 20 < t) {
        *threshold = t;
        *n_keep = 0;
        for (size_t r = 0; r < n; r++) {
            *n_keep += keep[r] = total[r] >= t;
            spill_step(r);
        }
    }
    spill_free(sorted);
    return RC_OK;
}
