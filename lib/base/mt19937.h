/* NumPy's legacy generator (numpy.random.seed, .permutation, .choice without replacement) and
 * PyTorch's, for splits and orders that must equal published ones. What we draw for ourselves is
 * keyed by what it is for (lib/base/rng.h).
 *
 * Mersenne Twister MT19937 (Matsumoto & Nishimura 1998), seeded from 32 bits. A number in 0..t is a
 * 32-bit output under the smallest mask 2^k - 1 >= t, drawn again while it is above t. */
#ifndef GC_BASE_MT19937_H
#define GC_BASE_MT19937_H

#include <stddef.h>
#include <stdint.h>

enum { MT19937_WORDS = 624 };

struct mt19937 {
    uint32_t word[MT19937_WORDS];
    int next;
};

void mt19937_seed(struct mt19937 *m, uint32_t seed);
uint32_t mt19937_next(struct mt19937 *m);
/* item[0..n) = 0..n-1 shuffled: for i from n - 1 down to 1, i and a number in 0..i change places.
 * numpy.random.choice(a, k, replace=False) is a at item[0..k). */
void mt19937_permutation(struct mt19937 *m, uint32_t *item, size_t n);
/* torch.randperm(n) on the CPU with a generator of that seed, n < 2^32. */
void mt19937_randperm(uint32_t seed, uint32_t *item, size_t n);

#endif
