/* The 16-bit numbers behind dropout (contract: struct dropout in lib/tensor/backend.h).
 * One Philox block serves 8 neighbouring columns: lane c mod 8 of block c / 8, low half first. */
#ifndef GC_KERNELS_DROPOUT_BITS_H
#define GC_KERNELS_DROPOUT_BITS_H

#include "lib/base/rng.h"
#include "lib/tensor/backend.h"

/* bits[8] for columns 8*block .. 8*block+7; plane: a head, or 0. */
static inline void dropout_bits(const struct dropout *d, uint64_t row_key, uint32_t plane,
                                uint64_t block, uint16_t bits[8])
{
    struct rng_word4 w = rng_block(d->seed, RNG_DROPOUT, row_key, (uint64_t)plane << 32 | block);
    for (int i = 0; i < 4; i++) {
        bits[2 * i] = (uint16_t)w.w[i];
        bits[2 * i + 1] = (uint16_t)(w.w[i] >> 16);
    }
}

/* Philox on DROP_LANES counters side by side, so that the rounds vectorise; words 0 to 3 of each,
 * changed to what rng_block gives. */
enum { DROP_LANES = 8 };
static inline void dropout_rounds(const struct dropout *d, uint32_t c0[DROP_LANES],
                                  uint32_t c1[DROP_LANES], uint32_t c2[DROP_LANES],
                                  uint32_t c3[DROP_LANES])
{
    uint32_t k0 = (uint32_t)d->seed, k1 = (uint32_t)(d->seed >> 32);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < DROP_LANES; i++) {
            const uint64_t p0 = (uint64_t)0xD2511F53u * c0[i], p1 = (uint64_t)0xCD9E8D57u * c2[i];
            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c1[i] = (uint32_t)p1;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c3[i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

static inline double dropout_scale(const struct dropout *d)
{
    return 65536.0 / (65536.0 - d->threshold);
}

/* The factor of element (row, col): 0 or the scale. For references; slow. */
static inline double dropout_factor(const struct dropout *d, size_t row, uint32_t plane,
                                    uint64_t col)
{
    if (!d->threshold)
        return 1;
    uint16_t bits[8];
    dropout_bits(d, d->row_key[row], plane, col / 8, bits);
    return bits[col % 8] < d->threshold ? 0 : dropout_scale(d);
}

#endif
