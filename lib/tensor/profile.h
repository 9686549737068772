/* Where the time goes: a backend whose slots time those of another and count calls, seconds, FLOPs
 * and bytes (lib/tensor/op_cost.h). One at a time in a program; made for --profile, so it costs
 * nothing where it is not asked for.
 *
 *   if (profile)
 *       b = profile_backend(b);
 *   ... all work ...
 *   profile_print(stderr);
 *
 * Seconds are of the wall, "cpu s" the processor time of all workers: on a machine that others use
 * too, GFLOP per cpu second is the figure to compare. Linear products are kept apart by their shape
 * (in x out), attention by heads and width, other operations by name alone. Time outside of the
 * slots (batches, masks, tape) is the last line. */
#ifndef GC_TENSOR_PROFILE_H
#define GC_TENSOR_PROFILE_H

#include <stdio.h>

#include "lib/tensor/op_cost.h"

struct profile_row {
    const char *name;
    size_t p, q; /* the shape; 0: none */
    size_t calls;
    double seconds, cpu;     /* of the wall; of all workers together */
    double least, least_cpu; /* of the shortest call */
    struct op_cost cost;     /* of all calls */
};

/* Starts the clock anew; the table lives until the program ends. */
const struct backend *profile_backend(const struct backend *b);
/* Counts from here on. */
void profile_reset(void);
/* In the order of their first calls; borrowed until the next call of anything here. */
const struct profile_row *profile_rows(size_t *n);
/* Rows by falling seconds: op, shape, calls, seconds, share of the time since the start, cpu s,
 * GFLOP/s, GB/s, GFLOP per cpu second. Nothing where profile_backend was not called. */
void profile_print(FILE *f);

#endif
