/* Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), 32-bit output, seeded as its authors'
 * init_genrand does. Only where another program's numbers must be met: what we draw for ourselves
 * is keyed by what it is for (lib/base/rng.h). */
#ifndef GC_BASE_MT19937_H
#define GC_BASE_MT19937_H

#include <stddef.h>
#include <stdint.h>

struct mt19937 {
    uint32_t word[624];
    int at;
};

struct mt19937 mt19937_of(uint32_t seed);
uint32_t mt19937_next(struct mt19937 *m);
/* torch.randperm(n) on the CPU with a generator of that seed, n < 2^32. */
void mt19937_randperm(uint32_t seed, uint32_t *item, size_t n);

#endif
