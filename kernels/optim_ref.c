#include "kernels/optim.h"

#include <math.h>

enum { OPTIM_BLOCK = 4096 };

void axpy_ref(const struct op_axpy *o)
{
    const double *x = o->x;
    double *y = o->y;
    for (size_t i = 0; i < o->n; i++)
        y[i] += o->a * x[i];
}

/* Halves at a multiple of the block, so that the tree is a function of n alone. */
double sum_squares_ref(const void *x, size_t n)
{
    const double *a = x;
    if (n <= OPTIM_BLOCK) {
        double s = 0;
        for (size_t i = 0; i < n; i++)
            s += a[i] * a[i];
        return s;
    }
    size_t blocks = (n + OPTIM_BLOCK - 1) / OPTIM_BLOCK, left = blocks / 2 * OPTIM_BLOCK;
    return sum_squares_ref(a, left) + sum_squares_ref(a + left, n - left);
}

void adamw_ref(const struct op_adamw *o)
{
    double *p = o->p, *m = o->m, *v = o->v;
    const double *g = o->g;
    const double t = (double)o->step;
    const double rate = o->lr * sqrt(1 - pow(o->beta2, t)) / (1 - pow(o->beta1, t));
    for (size_t s = 0; s < o->n_segments; s++)
        for (size_t i = o->begin[s]; i < o->begin[s + 1]; i++) {
            double gi = g[i] * o->grad_scale;
            m[i] = o->beta1 * m[i] + (1 - o->beta1) * gi;
            v[i] = o->beta2 * v[i] + (1 - o->beta2) * gi * gi;
            p[i] -= rate * m[i] / (sqrt(v[i]) + o->eps);
            if (o->decay[s])
                p[i] -= o->lr * o->weight_decay * p[i];
        }
}
