/* A shuffle without a state: which item comes at place i, as a pure function of (seed, epoch, n, i).
 *
 * Four rounds of a Feistel network over the least even number of bits that holds n, each with a
 * keyed round function (Philox, lib/base/rng.h); a result of n or more goes through again until it is
 * below n (cycle walking, Black and Rogaway 2002): fewer than four times on average. So a run that is
 * stopped has nothing to save but its place, and no list of 10^8 numbers is ever made. */
#ifndef GC_BASE_PERMUTE_H
#define GC_BASE_PERMUTE_H

#include <stdint.h>

struct permute {
    uint64_t seed, epoch, n;
    unsigned half_bits;
};

/* n at least 1. */
struct permute permute_of(uint64_t seed, uint64_t epoch, uint64_t n);
/* i < n; each of [0, n) is the result for exactly one i. */
uint64_t permute_at(const struct permute *p, uint64_t i);

#endif
