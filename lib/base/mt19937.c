#include "lib/base/mt19937.h"

enum { N = 624, M = 397 };

struct mt19937 mt19937_of(uint32_t seed)
{
    struct mt19937 m = { .at = N };
    m.word[0] = seed;
    for (uint32_t i = 1; i < N; i++)
        m.word[i] = 1812433253u * (m.word[i - 1] ^ m.word[i - 1] >> 30) + i;
    return m;
}

static void refill(struct mt19937 *m)
{
    for (int i = 0; i < N; i++) {
        const uint32_t y = (m->word[i] & 0x80000000u) | (m->word[(i + 1) % N] & 0x7fffffffu);
        m->word[i] = m->word[(i + M) % N] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
    }
    m->at = 0;
}

uint32_t mt19937_next(struct mt19937 *m)
{
    if (m->at == N)
        refill(m);
    uint32_t y = m->word[m->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

/* ATen's randperm_cpu: from the front, with the remainder of one draw. */
void mt19937_randperm(uint32_t seed, uint32_t *item, size_t n)
{
    struct mt19937 m = mt19937_of(seed);
    for (size_t i = 0; i < n; i++)
        item[i] = (uint32_t)i;
    for (size_t i = 0; i + 1 < n; i++) {
        const size_t j = i + mt19937_next(&m) % (n - i);
        const uint32_t t = item[i];
        item[i] = item[j];
        item[j] = t;
    }
}
