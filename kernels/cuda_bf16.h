/* bf16 numbers of the cuda kernels: rounded to nearest, ties to even. */
#ifndef GC_KERNELS_CUDA_BF16_H
#define GC_KERNELS_CUDA_BF16_H

#include "kernels/cuda_kernel.h"

/* Inf stays; NaN stays NaN, also one whose upper mantissa is zero. */
static __device__ __forceinline__ uint16_t cuda_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x != x)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* Two numbers rounded, the first in the low half; one instruction. */
static __device__ __forceinline__ uint32_t cuda_bf16_pair(float low, float high)
{
#ifdef __CUDACC__
    uint32_t x;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(x) : "f"(high), "f"(low));
    return x;
#else
    return (uint32_t)cuda_bf16(low) | (uint32_t)cuda_bf16(high) << 16;
#endif
}

static __device__ __forceinline__ float cuda_of_bf16(uint32_t low_half)
{
    const uint32_t bits = low_half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Eight numbers that lie on 16 bytes: one load, one store. */
static __device__ __forceinline__ void cuda_get8(const uint16_t *from, float x[8])
{
    const uint4 a = *(const uint4 *)from;
    const uint32_t two[] = { a.x, a.y, a.z, a.w };
    for (int k = 0; k < 4; k++) {
        x[2 * k] = cuda_of_bf16(two[k] & 0xffff);
        x[2 * k + 1] = cuda_of_bf16(two[k] >> 16);
    }
}

/* Columns [at, at + 8) of a row of d numbers, zero beyond it. */
static __device__ __forceinline__ void cuda_load8(const uint16_t *row, size_t at, size_t d,
                                                  float x[8])
{
    if (at + 8 <= d && ((uintptr_t)(row + at) & 15) == 0) {
        cuda_get8(row + at, x);
        return;
    }
    for (size_t k = 0; k < 8; k++)
        x[k] = at + k < d ? cuda_of_bf16(row[at + k]) : 0;
}

/* The same of a matrix that is kept rounded, or not: rows begin at item `begin`. */
static __device__ __forceinline__ void cuda_load8(const void *x, const void *low, size_t begin,
                                                  size_t at, size_t d, float to[8])
{
    if (low)
        cuda_load8((const uint16_t *)low + begin, at, d, to);
    else
        cuda_load8((const float *)x + begin, at, d, to);
}

/* Sets, or adds to, columns col and col + 1 of what is there of a row of d numbers of such a matrix.
 * Where d is even, pairs of a rounded one lie on 4 bytes. */
static __device__ __forceinline__ void cuda_add2(void *x, void *low, size_t begin, size_t col,
                                                 size_t d, bool fresh, float a, float b)
{
    if (!low) {
        float *const to = (float *)x + begin;
        if (col < d)
            to[col] = a + (fresh ? 0 : to[col]);
        if (col + 1 < d)
            to[col + 1] = b + (fresh ? 0 : to[col + 1]);
        return;
    }
    uint16_t *const to = (uint16_t *)low + begin;
    if (!fresh && col < d)
        a += cuda_of_bf16(to[col]);
    if (!fresh && col + 1 < d)
        b += cuda_of_bf16(to[col + 1]);
    if (d % 2 == 0) {
        if (col < d)
            *(uint32_t *)(to + col) = cuda_bf16_pair(a, b);
        return;
    }
    if (col < d)
        to[col] = cuda_bf16(a);
    if (col + 1 < d)
        to[col + 1] = cuda_bf16(b);
}

static __device__ __forceinline__ void cuda_put8(uint16_t *to, const float x[8])
{
    *(uint4 *)to = { cuda_bf16_pair(x[0], x[1]), cuda_bf16_pair(x[2], x[3]),
                     cuda_bf16_pair(x[4], x[5]), cuda_bf16_pair(x[6], x[7]) };
}

#endif
