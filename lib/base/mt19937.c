#include "lib/base/mt19937.h"

void mt19937_seed(struct mt19937 *m, uint32_t seed)
{
    m->word[0] = seed;
    for (uint32_t i = 1; i < MT19937_WORDS; i++)
        m->word[i] = 1812433253u * (m->word[i - 1] ^ m->word[i - 1] >> 30) + i;
    m->next = MT19937_WORDS;
}

static void twist(struct mt19937 *m)
{
    for (int i = 0; i < MT19937_WORDS; i++) {
        const uint32_t y =
            (m->word[i] & 0x80000000u) | (m->word[(i + 1) % MT19937_WORDS] & 0x7fffffffu);
        m->word[i] = m->word[(i + 397) % MT19937_WORDS] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
    }
    m->next = 0;
}

uint32_t mt19937_next(struct mt19937 *m)
{
    if (m->next == MT19937_WORDS)
        twist(m);
    uint32_t y = m->word[m->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

static uint32_t up_to(struct mt19937 *m, uint32_t most)
{
    uint32_t mask = most, x;
    for (int k = 1; k < 32; k *= 2)
        mask |= mask >> k;
    do
        x = mt19937_next(m) & mask;
    while (x > most);
    return x;
}

void mt19937_permutation(struct mt19937 *m, uint32_t *item, size_t n)
{
    for (size_t i = 0; i < n; i++)
        item[i] = (uint32_t)i;
    for (size_t i = n; i-- > 1;) {
        const uint32_t j = up_to(m, (uint32_t)i), x = item[i];
        item[i] = item[j];
        item[j] = x;
    }
}

/* ATen's randperm_cpu: from the front, with the remainder of one draw. */
void mt19937_randperm(uint32_t seed, uint32_t *item, size_t n)
{
    struct mt19937 m;
    mt19937_seed(&m, seed);
    for (size_t i = 0; i < n; i++)
        item[i] = (uint32_t)i;
    for (size_t i = 0; i + 1 < n; i++) {
        const size_t j = i + mt19937_next(&m) % (n - i);
        const uint32_t t = item[i];
        item[i] = item[j];
        item[j] = t;
    }
}
