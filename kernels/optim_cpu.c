#include "kernels/optim.h"

#include <math.h>

#include "kernels/math_cpu.h"
#include "lib/base/thread.h"

enum { OPTIM_BLOCK = 1 << 14, MAX_LEAVES = 1 << 10 };

static void axpy_task(void *ctx, size_t i, int worker)
{
    const struct op_axpy *o = ctx;
    (void)worker;
    const size_t at = i * OPTIM_BLOCK, n = smaller(OPTIM_BLOCK, o->n - at);
    const float a = (float)o->a, *x = (const float *)o->x + at;
    float *y = (float *)o->y + at;
    for (size_t k = 0; k < n; k++)
        y[k] += a * x[k];
}

void CPU(axpy)(const struct op_axpy *o)
{
    threads_for((o->n + OPTIM_BLOCK - 1) / OPTIM_BLOCK, axpy_task, (void *)(uintptr_t)o);
}

static double sum_block(const float *x, size_t n)
{
    double s = 0;
#pragma omp simd reduction(+ : s)
    for (size_t i = 0; i < n; i++)
        s += (double)x[i] * (double)x[i];
    return s;
}

static double sum_tree(const float *x, size_t n)
{
    if (n <= OPTIM_BLOCK)
        return sum_block(x, n);
    const size_t blocks = (n + OPTIM_BLOCK - 1) / OPTIM_BLOCK, left = blocks / 2 * OPTIM_BLOCK;
    return sum_tree(x, left) + sum_tree(x + left, n - left);
}

/* The upper part of the tree is cut into at most MAX_LEAVES sub-trees that workers take. */
struct leaves {
    const float *x;
    size_t begin[MAX_LEAVES], n[MAX_LEAVES], count;
    double sum[MAX_LEAVES];
};

static void cut(struct leaves *l, size_t begin, size_t n, size_t parts)
{
    if (parts == 1 || n <= OPTIM_BLOCK) {
        l->begin[l->count] = begin;
        l->n[l->count++] = n;
        return;
    }
    const size_t blocks = (n + OPTIM_BLOCK - 1) / OPTIM_BLOCK, left = blocks / 2 * OPTIM_BLOCK;
    cut(l, begin, left, parts / 2);
    cut(l, begin + left, n - left, parts / 2);
}

static void leaf_task(void *ctx, size_t i, int worker)
{
    struct leaves *l = ctx;
    (void)worker;
    l->sum[i] = sum_tree(l->x + l->begin[i], l->n[i]);
}

static double join(const struct leaves *l, size_t *next, size_t n, size_t parts)
{
    if (parts == 1 || n <= OPTIM_BLOCK)
        return l->sum[(*next)++];
    const size_t blocks = (n + OPTIM_BLOCK - 1) / OPTIM_BLOCK, left = blocks / 2 * OPTIM_BLOCK;
    const double a = join(l, next, left, parts / 2);
    return a + join(l, next, n - left, parts / 2);
}

double CPU(sum_squares)(const void *x, size_t n)
{
    struct leaves l = { .x = x };
    size_t next = 0;
    cut(&l, 0, n, MAX_LEAVES);
    threads_for(l.count, leaf_task, &l);
    return join(&l, &next, n, MAX_LEAVES);
}

struct adam {
    const struct op_adamw *o;
    size_t begin, end;
    float rate, decay;
};

static void adam_task(void *ctx, size_t i, int worker)
{
    const struct adam *a = ctx;
    const struct op_adamw *o = a->o;
    (void)worker;
    const size_t at = a->begin + i * OPTIM_BLOCK, n = smaller(OPTIM_BLOCK, a->end - at);
    float *p = (float *)o->p + at, *m = (float *)o->m + at, *v = (float *)o->v + at;
    const float *g = (const float *)o->g + at;
    const float b1 = (float)o->beta1, b2 = (float)o->beta2, eps = (float)o->eps;
    const float c1 = (float)(1 - o->beta1), c2 = (float)(1 - o->beta2);
    const float scale = (float)o->grad_scale;
    for (size_t k = 0; k < n; k++) {
        const float gk = g[k] * scale;
        m[k] = b1 * m[k] + c1 * gk;
        v[k] = b2 * v[k] + c2 * gk * gk;
        p[k] -= a->rate * m[k] / (sqrtf(v[k]) + eps);
        p[k] -= a->decay * p[k];
    }
}

void CPU(adamw)(const struct op_adamw *o)
{
    const double t = (double)o->step;
    for (size_t s = 0; s < o->n_segments; s++) {
        struct adam a = { .o = o, .begin = o->begin[s], .end = o->begin[s + 1] };
        a.rate = (float)(o->lr * sqrt(1 - pow(o->beta2, t)) / (1 - pow(o->beta1, t)));
        a.decay = o->decay[s] ? (float)(o->lr * o->weight_decay) : 0;
        threads_for((a.end - a.begin + OPTIM_BLOCK - 1) / OPTIM_BLOCK, adam_task, &a);
    }
}
