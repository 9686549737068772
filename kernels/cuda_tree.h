/* One sum of n terms, in double, in an order that n alone decides: a block of 256 threads takes
 * TREE_ITEMS items, thread t the items t, t + 256, ... in rising order, threads are joined in a
 * tree; then the blocks' sums likewise by one block. */
#ifndef GC_KERNELS_CUDA_TREE_H
#define GC_KERNELS_CUDA_TREE_H

#include "kernels/cuda_kernel.h"

enum { TREE_ITEMS = 1 << 12 };

static inline size_t cuda_tree_bytes(size_t n)
{
    return (n / TREE_ITEMS + 1) * sizeof(double);
}

/* out[block] = scale * sum of f(i) over the block's items. */
template <class F>
static __global__ void cuda_tree_block(F f, size_t n, size_t items, double scale, double *out)
{
    __shared__ double sum[CUDA_THREADS];
    const size_t from = blockIdx.x * items, to = from + items < n ? from + items : n;
    double s = 0;
    for (size_t i = from + threadIdx.x; i < to; i += CUDA_THREADS)
        s += f(i);
    sum[threadIdx.x] = s;
    for (unsigned half = CUDA_THREADS / 2; half; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            sum[threadIdx.x] += sum[threadIdx.x + half];
    }
    if (threadIdx.x == 0)
        out[blockIdx.x] = scale * sum[0];
}

struct cuda_tree_part {
    const double *part;
    __device__ double operator()(size_t i) const
    {
        return part[i];
    }
};

/* *out = scale * sum of f(i), i < n; n = 0 gives 0. part: cuda_tree_bytes(n) of device memory. */
template <class F>
static int cuda_tree_sum(int status, const struct cuda *c, const F &f, size_t n, double scale,
                         double *part, double *out)
{
    const auto first = cuda_tree_block<F>;
    const auto last = cuda_tree_block<cuda_tree_part>;
    const size_t n_parts = (n + TREE_ITEMS - 1) / TREE_ITEMS;
    if (n_parts)
        CUDA_LAUNCH(status, c, first, (unsigned)n_parts, CUDA_THREADS, 0, f, n, (size_t)TREE_ITEMS,
                    1.0, part);
    CUDA_LAUNCH(status, c, last, 1, CUDA_THREADS, 0, cuda_tree_part{ part }, n_parts, n_parts,
                scale, out);
    return status;
}

#endif
