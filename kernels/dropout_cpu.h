/* A row of dropout factors, for the cpu kernels: the numbers of kernels/dropout_bits.h, eight
 * Philox blocks side by side so that the rounds vectorise. */
#ifndef GC_KERNELS_DROPOUT_CPU_H
#define GC_KERNELS_DROPOUT_CPU_H

#include "kernels/dropout_bits.h"

/* factor[c - from] = 0 or the scale for columns c in [from, from + n); from is a multiple of 64, and
 * factor has room for n rounded up to one. */
static inline void dropout_row_from(const struct dropout *d, uint64_t row_key, uint32_t plane,
                                    size_t from, size_t n, float *factor)
{
    const float scale = (float)dropout_scale(d);
    for (size_t at = 0; at < n; at += 8 * DROP_LANES) {
        uint32_t c0[DROP_LANES], c1[DROP_LANES], c2[DROP_LANES], c3[DROP_LANES];
        for (int i = 0; i < DROP_LANES; i++) {
            c0[i] = (uint32_t)row_key;
            c1[i] = (uint32_t)(row_key >> 32);
            c2[i] = (uint32_t)((from + at) / 8) + (uint32_t)i;
            c3[i] = plane << 16 | (uint32_t)RNG_DROPOUT;
        }
        dropout_rounds(d, c0, c1, c2, c3);
        for (int i = 0; i < DROP_LANES; i++) {
            const uint32_t w[4] = { c0[i], c1[i], c2[i], c3[i] };
            float *f = factor + at + 8 * (size_t)i;
            for (int k = 0; k < 4; k++) {
                f[2 * k] = (w[k] & 0xffff) < d->threshold ? 0 : scale;
                f[2 * k + 1] = w[k] >> 16 < d->threshold ? 0 : scale;
            }
        }
    }
}

#endif
