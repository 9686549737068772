/* Is a matrix raw counts? Each value that a reader meets goes through counts_take; the verdict is
 * spoken at the end, when it is known whether one value is odd or all are.
 *
 * A value within COUNTS_TOLERANCE (relative, absolute below 1) of a whole number is that number:
 * tools that divide and multiply back leave 524.9999999999999 for 525. Anything else that is no
 * whole number from 0 to 2^31 - 1 makes the matrix not raw counts. */
#ifndef GC_IO_COUNTS_H
#define GC_IO_COUNTS_H

#include <math.h>
#include <stdint.h>

#include "lib/base/err.h"

#define COUNTS_TOLERANCE 1e-6
#define COUNTS_MAX 2147483647.0

struct counts_check {
    uint64_t n;         /* values that are not 0 */
    uint64_t n_rounded; /* whole only within the tolerance */
    uint64_t n_fraction, n_negative, n_nan, n_inf, n_big;
    double low, high;          /* of the finite values; 0 when none was met */
    double bad;                /* the first value that is no count */
    uint64_t bad_row, bad_col; /* its place: cell and feature, from 0 */
};

/* The slow path: a value that is not a small whole number. */
uint32_t counts_take_odd(struct counts_check *c, double v, uint64_t row, uint64_t col);

/* The count, 0 for what is none. */
static inline uint32_t counts_take(struct counts_check *c, double v, uint64_t row, uint64_t col)
{
    if (v == 0)
        return 0;
    if (v > 0 && v <= COUNTS_MAX && v == (double)(uint32_t)v) {
        c->n++;
        if (v > c->high)
            c->high = v;
        return (uint32_t)v;
    }
    return counts_take_odd(c, v, row, col);
}

static inline int counts_bad(const struct counts_check *c)
{
    return (c->n_fraction | c->n_negative | c->n_nan | c->n_inf | c->n_big) != 0;
}

/* RC_INPUT with a sentence that says what the values look like, unless all are counts. */
enum rc counts_verdict(const struct counts_check *c, struct err *e);

/* The same for files of ours, in which no odd value is expected: only the first is told. */
enum rc counts_refuse(const struct counts_check *c, struct err *e);

#endif
