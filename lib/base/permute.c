#include "lib/base/permute.h"

#include <assert.h>

#include "lib/base/rng.h"

enum { N_ROUNDS = 4 };

struct permute permute_of(uint64_t seed, uint64_t epoch, uint64_t n)
{
    struct permute p = { .seed = seed, .epoch = epoch, .n = n, .half_bits = 1 };
    assert(n > 0);
    while (p.half_bits < 32 && (uint64_t)1 << 2 * p.half_bits < n)
        p.half_bits++;
    return p;
}

static uint64_t once(const struct permute *p, uint64_t x)
{
    const uint64_t mask = ((uint64_t)1 << p->half_bits) - 1;
    uint64_t left = x >> p->half_bits, right = x & mask;
    for (uint64_t round = 0; round < N_ROUNDS; round++) {
        /* Positions of rng have 48 bits: 32 of the half, and the round above them. */
        uint64_t f = rng_u64(p->seed, RNG_SHUFFLE, p->epoch, round << 40 | right);
        uint64_t next = (left ^ f) & mask;
        left = right;
        right = next;
    }
    return left << p->half_bits | right;
}

uint64_t permute_at(const struct permute *p, uint64_t i)
{
    assert(i < p->n);
    do
        i = once(p, i);
    while (i >= p->n);
    return i;
}
