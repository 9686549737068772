/* The arithmetic of one step: a reference in double and the version that runs.
 *
 * The fast version adds a dot product into 32 sums (4 vectors of 8) and folds them in one order,
 * without fused multiply-add, so a machine with AVX2 and one with SSE2 only give the same bits. At
 * 768 numbers a row is 3 KiB and the matrices do not fit in the second-level cache: the rows of the
 * next step are asked for, a line at a time, while this one is computed. */
#include <math.h>
#include <string.h>

#include "lib/cell/sgns.h"
#include "lib/cell/sgns_training.h"

enum { TABLE = 1000, PER_UNIT = 83, LANES = 32 };
#define LIMIT 6

static double sigma(double x)
{
    return 1 / (1 + exp(-x));
}

static double table_at(int i)
{
    return sigma(((double)i / TABLE * 2 - 1) * LIMIT);
}

void sgns_take_step_ref(double *in, double *out, size_t dim, const struct sgns_step *step,
                        double rate, uint32_t n_negative, int exact, double *work)
{
    double *v = in + step->context * dim;
    memset(work, 0, dim * sizeof *work);
    for (uint32_t k = 0; k <= n_negative; k++) {
        const uint32_t row = k ? step->negative[k - 1] : step->predicted;
        if (k && row == step->predicted)
            continue;
        double *u = out + row * dim, f = 0;
        for (size_t i = 0; i < dim; i++)
            f += u[i] * v[i];
        if (!exact && !(fabs(f) < LIMIT))
            continue;
        const double s = exact ? sigma(f) : table_at((int)((f + LIMIT) * PER_UNIT));
        const double g = ((k == 0) - s) * rate;
        for (size_t i = 0; i < dim; i++) {
            work[i] += g * u[i];
            u[i] += g * v[i];
        }
    }
    for (size_t i = 0; i < dim; i++)
        v[i] += work[i];
}

typedef float vec8 __attribute__((vector_size(32), may_alias));
#define INLINE static inline __attribute__((always_inline))

INLINE float dot(const float *a, const float *b, size_t n)
{
    vec8 s0 = { 0 }, s1 = { 0 }, s2 = { 0 }, s3 = { 0 };
    for (size_t i = 0; i < n; i += LANES) {
        const vec8 *x = (const vec8 *)(a + i), *y = (const vec8 *)(b + i);
        s0 += x[0] * y[0];
        s1 += x[1] * y[1];
        s2 += x[2] * y[2];
        s3 += x[3] * y[3];
    }
    const vec8 s = (s0 + s1) + (s2 + s3);
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* e += g u, then u += g v; asks for the lines of `next`, which is written too, on the way. */
INLINE void move(float *u, const float *v, float *e, float g, const float *next, size_t n)
{
    for (size_t i = 0; i < n; i += LANES) {
        __builtin_prefetch(next + i, 1);
        __builtin_prefetch(next + i + LANES / 2, 1);
        for (int k = 0; k < 4; k++) {
            vec8 *x = (vec8 *)(u + i) + k, *sum = (vec8 *)(e + i) + k;
            const vec8 *y = (const vec8 *)(v + i) + k;
            const vec8 old = *x;
            *sum += g * old;
            *x = old + g * *y;
        }
    }
}

static float table[TABLE];

__attribute__((constructor)) static void fill_table(void)
{
    for (int i = 0; i < TABLE; i++)
        table[i] = (float)table_at(i);
}

float sgns_pull(float f, float label)
{
    return f > -LIMIT && f < LIMIT ? label - table[(int)((f + LIMIT) * PER_UNIT)] : 0;
}

INLINE void take_step(const struct sgns *s, const struct sgns_step *step, uint32_t n_negative,
                      const struct sgns_step *next, float *e)
{
    const size_t n = s->stride;
    float *v = s->in + step->context * n;
    memset(e, 0, n * sizeof *e);
    for (uint32_t k = 0; k <= n_negative; k++) {
        const uint32_t row = k ? step->negative[k - 1] : step->predicted;
        if (k && row == step->predicted)
            continue;
        float *u = s->out + row * n;
        const float f = dot(u, v, n);
        if (!(f > -LIMIT && f < LIMIT))
            continue;
        const float g =
            ((k == 0 ? 1.0f : 0.0f) - table[(int)((f + LIMIT) * PER_UNIT)]) * step->rate;
        move(u, v, e, g, s->out + (k ? next->negative[k - 1] : next->predicted) * n, n);
    }
    const float *ahead = s->in + next->context * n;
    for (size_t i = 0; i < n; i += LANES) {
        __builtin_prefetch(ahead + i, 1);
        __builtin_prefetch(ahead + i + LANES / 2, 1);
        for (int k = 0; k < 4; k++)
            ((vec8 *)(v + i))[k] += ((const vec8 *)(e + i))[k];
    }
}

__attribute__((target("avx2"))) static void take_step_avx2(const struct sgns *s,
                                                           const struct sgns_step *step,
                                                           uint32_t n_negative,
                                                           const struct sgns_step *next, float *e)
{
    take_step(s, step, n_negative, next, e);
}

static void take_step_any(const struct sgns *s, const struct sgns_step *step, uint32_t n_negative,
                          const struct sgns_step *next, float *e)
{
    take_step(s, step, n_negative, next, e);
}

void sgns_take_step(const struct sgns *s, const struct sgns_step *step, uint32_t n_negative,
                    const struct sgns_step *next, float *work)
{
    if (__builtin_cpu_supports("avx2"))
        take_step_avx2(s, step, n_negative, next ? next : step, work);
    else
        take_step_any(s, step, n_negative, next ? next : step, work);
}
