/* exp, Phi and products in float for the cpu kernels. Written so that loops over them vectorise.
 * The polynomials are minimax fits of our own (Chebyshev, 30 digits); errors are relative to the
 * exact function, before float rounding. */
#ifndef GC_KERNELS_MATH_CPU_H
#define GC_KERNELS_MATH_CPU_H

#include <dnnl.h>
#include <stdint.h>
#include <string.h>

/* e^x, 2e-9 over |r| <= ln 2 / 2; 0-like (1e-38) below -87.3, at most 2.4e38 above 88. */
static inline float exp_f32(float x)
{
    x = x < -87.3f ? -87.3f : x;
    x = x > 88.3f ? 88.3f : x;
    const float shift = 12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number */
    float k = x * 1.44269504f + shift;
    uint32_t bits;
    memcpy(&bits, &k, 4);
    k -= shift;
    float r = (x - k * 0.693359375f) + k * 2.12194440e-4f; /* ln 2 in two parts */
    float p = 0.0013941108434f;
    p = p * r + 0.00837512639815f;
    p = p * r + 0.0416663528968f;
    p = p * r + 0.166664155147f;
    p = p * r + 0.500000004712f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    uint32_t scale = (bits - 0x4B400000u + 127u) << 23;
    float two_k;
    memcpy(&two_k, &scale, 4);
    return p * two_k;
}

/* 2^x for x below 127, 8e-8; 0-like (1e-38) below -126. What a soft-max needs, in fewer steps than
 * e^x: the caller's scale takes the logarithm of 2 in. */
static inline float exp2_f32(float x)
{
    x = x < -126.0f ? -126.0f : x;
    const float shift = 12582912.0f;
    float k = x + shift;
    uint32_t bits;
    memcpy(&bits, &k, 4);
    const float f = x - (k - shift);
    float p = 0.00132764718f;
    p = p * f + 0.00967554133f;
    p = p * f + 0.0555071327f;
    p = p * f + 0.240221197f;
    p = p * f + 0.693146967f;
    p = p * f + 1.0f;
    uint32_t scale = (bits - 0x4B400000u + 127u) << 23;
    float two_k;
    memcpy(&two_k, &scale, 4);
    return p * two_k;
}
#define LOG2_E 1.44269504f

/* Phi(x) of the normal distribution; *density gets e^(-x^2/2). erfcx(z) = e^(z^2) erfc(z) is a
 * polynomial in 2 / (2 + z), within 6.5e-9 for 0 <= z <= 7. */
static inline float phi_f32(float x, float *density)
{
    float z = (x < 0 ? -x : x) * 0.70710678f;
    float g = exp_f32(-z * z);
    float t = 2 / (2 + z);
    float p = -0.0374002925558f;
    p = p * t + 0.169064867717f;
    p = p * t - 0.22103480842f;
    p = p * t - 0.0691614404951f;
    p = p * t + 0.255409888866f;
    p = p * t + 0.0550649767984f;
    p = p * t + 0.292809273985f;
    p = p * t + 0.27200716437f;
    p = p * t + 0.283301288605f;
    p = p * t - 6.09248532512e-5f;
    float tail = 0.5f * g * p;
    *density = g;
    return x < 0 ? tail : 1 - tail;
}

/* oneDNN would start a team of its own in each of our workers. */
extern void omp_set_num_threads(int n);

/* C[m,n] = op(A) op(B) + beta C, row-major, on the calling thread alone. */
static inline void product(char ta, char tb, size_t m, size_t n, size_t k, const float *a,
                           size_t ld_a, const float *b, size_t ld_b, float beta, float *c,
                           size_t ld_c)
{
    static _Thread_local int alone;
    if (!alone) {
        omp_set_num_threads(1);
        alone = 1;
    }
    dnnl_sgemm(ta, tb, (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1, a, (dnnl_dim_t)ld_a, b,
               (dnnl_dim_t)ld_b, beta, c, (dnnl_dim_t)ld_c);
}

static inline size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

#endif
