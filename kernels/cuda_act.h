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

/* 2^x and 1/x of normal numbers, one instruction each: no care for what is below 2^-126. */
static __device__ __forceinline__ float cuda_quick_exp2(float x)
{
#ifdef __CUDACC__
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return exp2f(x);
#endif
}

static __device__ __forceinline__ float cuda_quick_reciprocal(float x)
{
#ifdef __CUDACC__
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return 1 / x;
#endif
}

/* Phi(x), and exp(-x^2 / 2) beside it, for numbers that are rounded to bf16: within 2^-22 (Abramowitz and
 * Stegun, Handbook of Mathematical Functions, 7.1.26), in a third of the instructions of erfcf. */
static __device__ __forceinline__ float cuda_quick_phi(float x, float *bell)
{
    const float t = cuda_quick_reciprocal(1 + 0.3275911f * 0.70710678f * fabsf(x));
    const float sum = 0.254829592f +
                      t * (-0.284496736f +
                           t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f)));
    *bell = cuda_quick_exp2(-0.5f * 1.44269504f * (x * x));
    const float tail = 0.5f * *bell * t * sum;
    return x < 0 ? tail : 1 - tail;
}

/* cuda_act and cuda_act_slope for such numbers. */
template <enum act A> static __device__ __forceinline__ float cuda_quick_act(float x)
{
    float bell;
    return A == ACT_GELU ? x * cuda_quick_phi(x, &bell) : cuda_act(A, x);
}

template <enum act A> static __device__ __forceinline__ float cuda_quick_slope(float x)
{
    if (A != ACT_GELU)
        return cuda_act_slope(A, x);
    float bell;
    const float phi = cuda_quick_phi(x, &bell);
    return phi + x * 0.39894228f * bell;
}

#endif
