/* Activations and their derivatives in double; for the references. */
#ifndef GC_KERNELS_ACT_REF_H
#define GC_KERNELS_ACT_REF_H

#include <math.h>

#include "lib/tensor/backend.h"

static inline double act_value(enum act a, double x)
{
    switch (a) {
    case ACT_GELU:
        return 0.5 * x * (1 + erf(x * 0.70710678118654752440));
    case ACT_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    case ACT_TANH:
        return tanh(x);
    case ACT_RELU:
        return x > 0 ? x : 0;
    case ACT_NONE:
        break;
    }
    return x;
}

static inline double act_slope(enum act a, double x)
{
    switch (a) {
    case ACT_GELU: /* Phi(x) + x phi(x) */
        return 0.5 * (1 + erf(x * 0.70710678118654752440)) +
               x * 0.39894228040143267794 * exp(-0.5 * x * x);
    case ACT_QUICK_GELU: {
        double s = 1 / (1 + exp(-1.702 * x));
        return s + 1.702 * x * s * (1 - s);
    }
    case ACT_TANH: {
        double t = tanh(x);
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
