/* The median of positive doubles that can be streamed again, exact, in 2 MiB whatever their number.
 *
 * A positive double read as a whole number keeps its order. While the values fit in the room for
 * them they are kept and sorted: one pass. Otherwise the pass counts them by their next 16 bits,
 * which tells those bits of the two middle values, and the next pass looks only at values that
 * begin like one of them. So four passes are enough for any values, and each value that is found is
 * one that came, to the last bit.
 *
 *   median_pick_start(&p);
 *   do
 *       for each value x that stands there n times: median_pick_add(&p, x, n);
 *   while (median_pick_next(&p));
 *   if (p.n) median_pick_get(&p); */
#ifndef GC_CELL_MEDIAN_PICK_H
#define GC_CELL_MEDIAN_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum { MEDIAN_PICK_ROOM = 65536 };

struct median_value {
    uint64_t key; /* the bits of the value */
    uint64_t n;
};

struct median_pick {
    uint64_t n;  /* values in all; known after the first pass */
    int pass;    /* passes done */
    size_t room; /* values to keep; a test may lower it */
    /* [0] the lower middle value, [1] the upper one; the same for an odd n. */
    uint64_t rank[2];
    uint64_t below[2];         /* values that are smaller than all that begin like it */
    uint64_t prefix[2];        /* its first bits, */
    unsigned open;             /* all but this many */
    struct median_value *kept; /* owned, as bin */
    size_t n_kept;
    uint64_t *bin[2];
    bool counting;
};

enum rc median_pick_init(struct median_pick *p, struct err *e);
void median_pick_release(struct median_pick *p);
/* Forgets the last values. */
void median_pick_start(struct median_pick *p);
/* n times the value x, x > 0. In every pass the same values, in any order. */
void median_pick_add(struct median_pick *p, double x, uint64_t n);
/* Ends a pass. True: stream all values once more. */
bool median_pick_next(struct median_pick *p);
/* The middle value, for an even number the mean of the two; p->n > 0. */
double median_pick_get(const struct median_pick *p);

#endif
