/* Activations and their derivatives in float on the device; formulas of kernels/act_ref.h. */
#ifndef GC_KERNELS_CUDA_ACT_H
#define GC_KERNELS_CUDA_ACT_H

#include "kernels/cuda_kernel.h"

static __device__ __forceinline__ float cuda_sigmoid(float x)
{
    return 1 / (1 + expf(-x));
}

static __device__ __forceinline__ float cuda_phi(float x)
{
    return 0.5f * erfcf(-0.70710678f * x); /* keeps its digits where 1 + erf cancels */
}

static __device__ __forceinline__ float cuda_act(enum act a, float x)
{
    switch (a) {
    case ACT_GELU:
        return x * cuda_phi(x);
    case ACT_QUICK_GELU:
        return x * cuda_sigmoid(1.702f * x);
    case ACT_TANH:
        return tanhf(x);
    case ACT_RELU:
        return x > 0 ? x : 0;
    case ACT_NONE:
        break;
    }
    return x;
}

static __device__ __forceinline__ float cuda_act_slope(enum act a, float x)
{
    switch (a) {
    case ACT_GELU:
        return cuda_phi(x) + x * 0.39894228f * expf(-0.5f * x * x);
    case ACT_QUICK_GELU: {
        const float s = cuda_sigmoid(1.702f * x);
        return s + 1.702f * x * s * (1 - s);
    }
    case ACT_TANH: {
        const float t = tanhf(x);
        return 1 - t * t;
    }
    case ACT_RELU:
        return x > 0 ? 1 : 0;
    case ACT_NONE:
        break;
    }
    return 1;
}

#endif
