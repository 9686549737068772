#include "lib/base/rng.h"

#include <math.h>

struct rng_word4 rng_block(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos)
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    uint32_t c0 = (uint32_t)id, c1 = (uint32_t)(id >> 32), c2 = (uint32_t)pos;
    uint32_t c3 = (uint32_t)(pos >> 32) << 16 | (uint32_t)purpose;
    for (int i = 0; i < 10; i++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return (struct rng_word4){ { c0, c1, c2, c3 } };
}

uint64_t rng_u64(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos)
{
    struct rng_word4 b = rng_block(seed, purpose, id, pos);
    return (uint64_t)b.w[1] << 32 | b.w[0];
}

double rng_unit(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos)
{
    return (double)(rng_u64(seed, purpose, id, pos) >> 11) * 0x1p-53;
}

/* unit = (u >> 11) * 2^-53, and x * 2^53 is exact. */
uint64_t rng_threshold(double x)
{
    return (uint64_t)ceil(x * 0x1p53) << 11;
}

uint64_t rng_below(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos, uint64_t n)
{
    __extension__ typedef unsigned __int128 u128;
    return (uint64_t)((u128)rng_u64(seed, purpose, id, pos) * n >> 64);
}

double rng_normal(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos)
{
    struct rng_word4 b = rng_block(seed, purpose, id, pos);
    uint64_t a = (uint64_t)b.w[1] << 32 | b.w[0], c = (uint64_t)b.w[3] << 32 | b.w[2];
    double u = ((double)(a >> 11) + 0.5) * 0x1p-53; /* never 0: the log is finite */
    double v = (double)(c >> 11) * 0x1p-53;
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

void rng_shuffle(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint32_t *item, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)rng_below(seed, purpose, id, i, i);
        uint32_t t = item[i - 1];
        item[i - 1] = item[j];
        item[j] = t;
    }
}

uint64_t hash_text(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    return h;
}
