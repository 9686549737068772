/* Random numbers of many positions: those of rng_u64, bit for bit. */
#include "lib/base/rng.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

enum { VECTORS = 4, AT_ONCE = 8 * VECTORS };

#define LANES 4
#define V __m256i
#define SPLAT _mm256_set1_epi64x
#define OP(name) _mm256_##name
#define BITS(name) _mm256_##name##_si256
#define ROW row_avx2
#define TARGET "avx2"
#include "lib/base/rng_lanes.h"

#define LANES 8
#define V __m512i
#define SPLAT _mm512_set1_epi64
#define OP(name) _mm512_##name
#define BITS(name) _mm512_##name##_si512
#define ROW row_avx512
#define TARGET "avx512f"
#include "lib/base/rng_lanes.h"

/* AT_ONCE numbers. */
static bool vectors(uint64_t seed, enum rng_purpose purpose, uint64_t id, const uint64_t *pos,
                    uint64_t *out)
{
    if (__builtin_cpu_supports("avx512f")) {
        row_avx512(seed, purpose, id, pos, out);
        return true;
    }
    if (!__builtin_cpu_supports("avx2"))
        return false;
    row_avx2(seed, purpose, id, pos, out);
    row_avx2(seed, purpose, id, pos + AT_ONCE / 2, out + AT_ONCE / 2);
    return true;
}
#else
enum { AT_ONCE = 32 };
static bool vectors(uint64_t seed, enum rng_purpose purpose, uint64_t id, const uint64_t *pos,
                    uint64_t *out)
{
    (void)seed, (void)purpose, (void)id, (void)pos, (void)out;
    return false;
}
#endif

void rng_u64_row(uint64_t seed, enum rng_purpose purpose, uint64_t id, uint64_t pos,
                 const uint32_t *offset, uint64_t *out, size_t n)
{
    uint64_t at[AT_ONCE] = { 0 }, u[AT_ONCE];
    for (size_t first = 0; first < n; first += AT_ONCE) {
        const size_t k = n - first < AT_ONCE ? n - first : AT_ONCE;
        for (size_t i = 0; i < k; i++)
            at[i] = pos + (offset ? offset[first + i] : first + i);
        uint64_t *to = k == AT_ONCE ? out + first : u;
        if (!vectors(seed, purpose, id, at, to))
            for (size_t i = 0; i < k; i++)
                to[i] = rng_u64(seed, purpose, id, at[i]);
        if (to == u)
            memcpy(out + first, u, k * sizeof *u);
    }
}
