/* Activations and their slopes over rows, for the cpu and bf16 fillings of linear. */
#ifndef GC_KERNELS_LINEAR_ACT_CPU_H
#define GC_KERNELS_LINEAR_ACT_CPU_H

#include "kernels/linear.h"
#include "kernels/math_cpu.h"

/* Against the scalar functions of kernels/act_ref.h: a few units in the last place of float. */
static inline void act_block(enum act a, const float *x, float *y, size_t n)
{
    switch (a) {
    case ACT_GELU:
#pragma omp simd
        for (size_t i = 0; i < n; i++) {
            float density;
            y[i] = x[i] * phi_f32(x[i], &density);
        }
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
