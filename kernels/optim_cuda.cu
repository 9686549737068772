/* axpy, sums of squares and AdamW on a device: a thread owns one item. AdamW reads p, g, m, v and
 * writes p, m, v: 28 bytes an item, 2 more where p is kept rounded. Sums in double over blocks of SUM_ITEMS items. */
#include "kernels/cuda_ops.h"

#include "kernels/cuda_bf16.h"
#include "kernels/cuda_tree.h"

static __global__ void axpy_items(size_t n, float a, const float *x, float *y)
{
    const size_t i = cuda_item();
    if (i < n)
        y[i] += a * x[i];
}

int axpy_cuda(const struct cuda *c, const struct op_axpy *o)
{
    int status = 0;
    if (o->n)
        CUDA_LAUNCH(status, c, axpy_items, cuda_blocks(o->n, CUDA_THREADS), CUDA_THREADS, 0, o->n,
                    (float)o->a, (const float *)o->x, (float *)o->y);
    return status;
}

struct square {
    const float *x;
    __device__ double operator()(size_t i) const
    {
        return (double)x[i] * (double)x[i];
    }
};

size_t sum_squares_work_cuda(size_t n)
{
    return cuda_tree_bytes(n);
}

int square_parts_cuda(const struct cuda *c, const void *x, size_t n, double *part)
{
    return cuda_tree_parts(0, c, square{ (const float *)x }, n, part);
}

int join_parts_cuda(const struct cuda *c, const double *part, size_t n_parts, double *sum)
{
    return cuda_tree_join(0, c, part, n_parts, 1, sum);
}

int sum_squares_cuda(const struct cuda *c, const void *x, size_t n, double *sum)
{
    return cuda_tree_sum(0, c, square{ (const float *)x }, n, 1, (double *)c->work, sum);
}

static __global__ void round_items(size_t n, const float *x, uint16_t *low)
{
    const size_t i = cuda_item();
    if (i < n)
        low[i] = cuda_bf16(x[i]);
}

int round_cuda(const struct cuda *c, const void *x, size_t n, void *low)
{
    int status = 0;
    if (n)
        CUDA_LAUNCH(status, c, round_items, cuda_blocks(n, CUDA_THREADS), CUDA_THREADS, 0, n,
                    (const float *)x, (uint16_t *)low);
    return status;
}

struct adam {
    float *p, *m, *v;
    const float *g, *clip; /* clip: a factor of g that the device found, NaN: touch nothing */
    uint16_t *low;
    float rate, decay, b1, b2, c1, c2, eps, scale;
};

static __global__ void adam_items(size_t n, struct adam a)
{
    const size_t i = cuda_item();
    if (i >= n)
        return;
    const float clip = a.clip ? *a.clip : 1;
    if (clip != clip)
        return;
    const float g = a.g[i] * a.scale * clip;
    const float m = a.b1 * a.m[i] + a.c1 * g, v = a.b2 * a.v[i] + a.c2 * g * g;
    float p = a.p[i];
    p -= a.rate * m / (sqrtf(v) + a.eps);
    p -= a.decay * p;
    a.m[i] = m;
    a.v[i] = v;
    a.p[i] = p;
    if (a.low)
        a.low[i] = cuda_bf16(p);
}

/* As optim_step has it. One thread of a warp. */
static __global__ void adam_clip(const double *square_sum, double max_norm, float *clip)
{
    if (threadIdx.x)
        return;
    const double norm = sqrt(*square_sum), scale = max_norm / (norm + 1e-6);
    *clip = !(norm <= 1.7e308) ? NAN : max_norm > 0 && !(scale >= 1) ? (float)scale : 1.0f;
}

int adamw_cuda(const struct cuda *c, const struct op_adamw *o)
{
    const double t = (double)o->step;
    int status = 0;
    float *const clip = o->square_sum ? (float *)c->work : NULL;
    if (clip)
        CUDA_LAUNCH(status, c, adam_clip, 1, CUDA_WARP, 0, o->square_sum, o->max_norm, clip);
    for (size_t s = 0; s < o->n_segments; s++) {
        const size_t at = o->begin[s], n = o->begin[s + 1] - at;
        const struct adam a = {
            (float *)o->p + at,
            (float *)o->m + at,
            (float *)o->v + at,
            (const float *)o->g + at,
            clip,
            o->low ? (uint16_t *)o->low + at : NULL,
            (float)(o->lr * sqrt(1 - pow(o->beta2, t)) / (1 - pow(o->beta1, t))),
            o->decay[s] ? (float)(o->lr * o->weight_decay) : 0,
            (float)o->beta1,
            (float)o->beta2,
            (float)(1 - o->beta1),
            (float)(1 - o->beta2),
            (float)o->eps,
            (float)o->grad_scale,
        };
        if (n)
            CUDA_LAUNCH(status, c, adam_items, cuda_blocks(n, CUDA_THREADS), CUDA_THREADS, 0, n, a);
    }
    return status;
}
