/* One sum of n terms, in double, in an order that n alone decides: a block of 256 threads takes
 * TREE_ITEMS items, thread t the items t, t + 256, ... in rising order, threads are joined in a
 * tree; then the blocks' sums likewise by one block. */
#ifndef GC_KERNELS_CUDA_TREE_H
#define GC_KERNELS_CUDA_TREE_H

#include "kernels/cuda_kernel.h"

enum { TREE_ITEMS = OP_SUM_ITEMS };

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

/* The two halves: a number of each TREE_ITEMS items, and *out = scale * their sum. */
template <class F>
static int cuda_tree_parts(int status, const struct cuda *c, const F &f, size_t n, double *part)
{
    const auto kernel = cuda_tree_block<F>;
    if (n)
        CUDA_LAUNCH(status, c, kernel, cuda_blocks(n, TREE_ITEMS), CUDA_THREADS, 0, f, n,
                    (size_t)TREE_ITEMS, 1.0, part);
    return status;
}

static int cuda_tree_join(int status, const struct cuda *c, const double *part, size_t n_parts,
                          double scale, double *out)
{
    const auto kernel = cuda_tree_block<cuda_tree_part>;
    CUDA_LAUNCH(status, c, kernel, 1, CUDA_THREADS, 0, cuda_tree_part{ part }, n_parts, n_parts,
                scale, out);
    return status;
}

/* *out = scale * sum of f(i), i < n; n = 0 gives 0. part: cuda_tree_bytes(n) of device memory. */
template <class F>
static int cuda_tree_sum(int status, const struct cuda *c, const F &f, size_t n, double scale,
                         double *part, double *out)
{
    status = cuda_tree_parts(status, c, f, n, part);
    return cuda_tree_join(status, c, part, (n + TREE_ITEMS - 1) / TREE_ITEMS, scale, out);
}

#endif
