/* Activations and their slopes over rows, for the cpu and bf16 fillings of linear. */
#ifndef GC_KERNELS_LINEAR_ACT_CPU_H
#define GC_KERNELS_LINEAR_ACT_CPU_H

#include "kernels/linear.h"
#include "kernels/math_cpu.h"

/* x Phi(x) within 2e-7 of its value or of 1: Phi(-u) = 2^q(u), q a fit of our own (weighted minimax
 * over 0 <= u <= 8, by the error that x Phi(x) gets; beyond, Phi is below 1e-15). No division. */
static inline float gelu_f32(float x)
{
    float u = x < 0 ? -x : x;
    u = u < 8.0f ? u : 8.0f;
    float q = 3.70246021e-08f;
    q = q * u - 1.12578778e-06f;
    q = q * u + 1.23033469e-05f;
    q = q * u - 3.27936614e-05f;
    q = q * u - 0.000570533331f;
    q = q * u + 0.00772161549f;
    q = q * u - 0.0530225411f;
    q = q * u - 0.459008455f;
    q = q * u - 1.1511327f;
    q = q * u - 0.999999404f;
    const float tail = exp2_f32(q);
    return x * (x < 0 ? tail : 1 - tail);
}

/* Against the scalar functions of kernels/act_ref.h: a few units in the last place of float. */
static inline void act_block(enum act a, const float *x, float *y, size_t n)
{
    switch (a) {
    case ACT_GELU:
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            y[i] = gelu_f32(x[i]);
        break;
    case ACT_QUICK_GELU:
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] / (1 + exp_f32(-1.702f * x[i]));
        break;
    case ACT_TANH: /* of -2|x|, so that nothing overflows */
#pragma omp simd
        for (size_t i = 0; i < n; i++) {
            float u = exp_f32(x[i] < 0 ? 2 * x[i] : -2 * x[i]), t = (1 - u) / (1 + u);
            y[i] = x[i] < 0 ? -t : t;
        }
        break;
    case ACT_RELU:
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] > 0 ? x[i] : 0;
        break;
    case ACT_NONE:
        memcpy(y, x, n * sizeof *y);
        break;
    }
}

/* g = dy * act'(x) */
static inline void slope_block(enum act a, const float *x, const float *dy, float *g, size_t n)
{
    switch (a) {
    case ACT_GELU:
        for (size_t i = 0; i < n; i++) {
            float density, phi = phi_f32(x[i], &density);
            g[i] = dy[i] * (phi + x[i] * 0.398942280f * density);
        }
        break;
    case ACT_QUICK_GELU:
        for (size_t i = 0; i < n; i++) {
            float s = 1 / (1 + exp_f32(-1.702f * x[i]));
            g[i] = dy[i] * (s + 1.702f * x[i] * s * (1 - s));
        }
        break;
    case ACT_TANH:
        for (size_t i = 0; i < n; i++) {
            float u = exp_f32(x[i] < 0 ? 2 * x[i] : -2 * x[i]), t = (1 - u) / (1 + u);
            g[i] = dy[i] * (1 - t * t);
        }
        break;
    case ACT_RELU:
        for (size_t i = 0; i < n; i++)
            g[i] = x[i] > 0 ? dy[i] : 0;
        break;
    case ACT_NONE:
        memcpy(g, dy, n * sizeof *g);
        break;
    }
}

#endif
