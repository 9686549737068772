/* A row of Philox blocks. The ten rounds of one block wait for each other; those of different
 * positions do not, so four vectors of four blocks go through together. The numbers are those of
 * rng_u64, bit for bit. */
#include "lib/base/rng.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { VECTORS = 4, ROW = 4 * VECTORS };

/* 64-bit lanes of which the low halves count: multiplication reads nothing else, and what the
 * others hold is cut off at the end. */
__attribute__((target("avx2"))) static void row_avx2(uint64_t seed, enum rng_purpose purpose,
                                                     uint64_t id, uint64_t pos, uint64_t *out)
{
    const __m256i m0 = _mm256_set1_epi64x(0xD2511F53), m1 = _mm256_set1_epi64x(0xCD9E8D57);
    const __m256i low = _mm256_set1_epi64x(0xffffffff);
    __m256i c0[VECTORS], c1[VECTORS], c2[VECTORS], c3[VECTORS];
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int v = 0; v < VECTORS; v++) {
        const uint64_t p[4] = { pos, pos + 1, pos + 2, pos + 3 };
        c0[v] = _mm256_set1_epi64x((int64_t)(id & 0xffffffff));
        c1[v] = _mm256_set1_epi64x((int64_t)(id >> 32));
        c2[v] = _mm256_loadu_si256((const __m256i *)(const void *)p);
        c3[v] = _mm256_or_si256(_mm256_slli_epi64(_mm256_srli_epi64(c2[v], 32), 16),
                                _mm256_set1_epi64x(purpose));
        pos += 4;
    }
    for (int r = 0; r < 10; r++) {
        const __m256i key0 = _mm256_set1_epi64x(k0), key1 = _mm256_set1_epi64x(k1);
        for (int v = 0; v < VECTORS; v++) {
            const __m256i p0 = _mm256_mul_epu32(c0[v], m0), p1 = _mm256_mul_epu32(c2[v], m1);
            c0[v] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), c1[v]), key0);
            c2[v] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), c3[v]), key1);
            c1[v] = p1;
            c3[v] = p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int v = 0; v < VECTORS; v++) {
        const __m256i u =
            _mm256_or_si256(_mm256_slli_epi64(c1[v], 32), _mm256_and_si256(c0[v], low));
        _mm256_storeu_si256((__m256i *)(void *)(out + 4 * v), u);
    }
}

static size_t rows_here(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos,
                        uint64_t *out, size_t n)
{
    size_t i = 0;
    if (__builtin_cpu_supports("avx2"))
        for (; i + ROW <= n; i += ROW)
            row_avx2(seed, purpose, id, pos + i, out + i);
    return i;
}
#else
static size_t rows_here(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos,
                        uint64_t *out, size_t n)
{
    (void)seed, (void)purpose, (void)id, (void)pos, (void)out, (void)n;
    return 0;
}
#endif

void rng_u64_row(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos, uint64_t *out,
                 size_t n)
{
    for (size_t i = rows_here(seed, purpose, id, pos, out, n); i < n; i++)
        out[i] = rng_u64(seed, purpose, id, pos + i);
}
