/* The functions of kernels/cuda_mma.h on a CPU. Lanes hand each other their words: a warp that does
 * not call one of them as a whole ends the program, as at any barrier. Asynchronous copies happen
 * when they are waited for; until then their place holds NaN. */
#ifndef GC_TESTS_CUEMU_MMA_H
#define GC_TESTS_CUEMU_MMA_H

#include "tests/cuemu/cuemu.h"

static inline float cuemu_bf16(uint32_t word, int half)
{
    const uint32_t bits = half ? word & 0xffff0000u : word << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline void cuda_mma(float sum[4], const uint32_t a[4], const uint32_t b[2])
{
    const struct cuemu_words mine = { { a[0], a[1], a[2], a[3], b[0], b[1], 0, 0 } };
    const struct cuemu_words *w = cuemu_exchange(&mine, 0xffffffffu);
    const unsigned lane = threadIdx.x % 32, g = lane / 4, col = lane % 4 * 2;
    for (unsigned k = 0; k < 16; k++) {
        const unsigned from = k % 8 / 2, high = k / 8, half = k % 2;
        const float top = cuemu_bf16(w[g * 4 + from].w[2 * high], half);
        const float low = cuemu_bf16(w[g * 4 + from].w[2 * high + 1], half);
        const float left = cuemu_bf16(w[col * 4 + from].w[4 + high], half);
        const float right = cuemu_bf16(w[col * 4 + 4 + from].w[4 + high], half);
        sum[0] += top * left;
        sum[1] += top * right;
        sum[2] += low * left;
        sum[3] += low * right;
    }
}

/* The rows that all lanes name: 16 bytes each, read by the lane that names them. */
static inline const struct cuemu_words *cuemu_rows(const void *row)
{
    struct cuemu_words mine = {};
    if ((uintptr_t)row % 16)
        cuemu_die("a matrix row that does not begin on 16 bytes");
    memcpy(&mine, row, 16);
    return cuemu_exchange(&mine, 0xffffffffu);
}

static inline void cuda_matrix4(uint32_t to[4], const void *row)
{
    const struct cuemu_words *w = cuemu_rows(row);
    const unsigned lane = threadIdx.x % 32;
    for (unsigned j = 0; j < 4; j++)
        to[j] = w[8 * j + lane / 4].w[lane % 4];
}

static inline void cuda_matrix4_turned(uint32_t to[4], const void *row)
{
    const struct cuemu_words *w = cuemu_rows(row);
    const unsigned lane = threadIdx.x % 32, col = lane / 4, i = lane % 4 * 2;
    const unsigned shift = col % 2 * 16;
    for (unsigned j = 0; j < 4; j++)
        to[j] = (w[8 * j + i].w[col / 2] >> shift & 0xffffu) |
                (w[8 * j + i + 1].w[col / 2] >> shift & 0xffffu) << 16;
}

template <int N> void cuda_copy_start(void *to, const void *from, bool there)
{
    static_assert(N == 8 || N == 16, "what a kernel of ours copies");
    if ((uintptr_t)to % N || (uintptr_t)from % N)
        cuemu_die("a copy between places that do not begin on its size");
    cuemu_copy_start(to, there ? from : NULL, N);
}

static inline void cuda_copy_group(void)
{
    cuemu_copy_group();
}

template <int LEFT> void cuda_copy_wait(void)
{
    cuemu_copy_wait(LEFT);
}

static inline float cuda_exp2(float x)
{
    return exp2f(x);
}

#endif
