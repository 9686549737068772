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

#endif
