/* Sums over rows in a fixed order (ENGINE: "blocks joined in a fixed tree"). A block of
 * OP_ROW_BLOCK rows is added in rising order by one thread per column into part[block][k][column];
 * then a column's blocks are cut into JOIN_PARTS runs, each added in rising order, and the runs are
 * joined in a tree. Used for the gradients of biases, norms, the value column and the type row.
 *
 * A thread owns one column; of rows in bf16 eight neighbouring ones, that is 16 bytes a load.
 *
 * Bytes: what f reads, once; the parts are 1/64 of it. */
#ifndef GC_KERNELS_CUDA_SUMS_H
#define GC_KERNELS_CUDA_SUMS_H

#include "kernels/cuda_kernel.h"

enum { SUM_COLUMNS = 128, JOIN_PARTS = 8 };

/* f(i, j, v) sets v[0..K) to what row i adds to column j of the K sums. */
template <int K, class F>
static __global__ void cuda_block_sums(F f, size_t n, size_t d, float *part)
{
    const size_t j = (size_t)blockIdx.y * SUM_COLUMNS + threadIdx.x;
    const size_t from = (size_t)blockIdx.x * OP_ROW_BLOCK;
    const size_t to = from + OP_ROW_BLOCK < n ? from + OP_ROW_BLOCK : n;
    if (j >= d)
        return;
    float sum[K] = {};
    for (size_t i = from; i < to; i++) {
        float v[K];
        f(i, j, v);
        for (int k = 0; k < K; k++)
            sum[k] += v[k];
    }
    for (int k = 0; k < K; k++)
        part[(blockIdx.x * (size_t)K + (size_t)k) * d + j] = sum[k];
}

/* The same for columns [j, j + 8): f(i, j, v) sets v[0..8), also where they end behind d, as rows that
 * are padded to a multiple of 8 let it. */
template <class F>
static __global__ void cuda_block_sums8(F f, size_t n, size_t d, float *part)
{
    const size_t j = ((size_t)blockIdx.y * SUM_COLUMNS + threadIdx.x) * 8;
    const size_t from = (size_t)blockIdx.x * OP_ROW_BLOCK;
    const size_t to = from + OP_ROW_BLOCK < n ? from + OP_ROW_BLOCK : n;
    if (j >= d)
        return;
    float sum[8] = {};
#pragma unroll 4
    for (size_t i = from; i < to; i++) {
        float v[8];
        f(i, j, v);
        for (int k = 0; k < 8; k++)
            sum[k] += v[k];
    }
    cuda_store8(part + blockIdx.x * d, j, d, sum);
}

/* out[j ld] += sum over blocks b of part[b stride + j]. Block: 32 columns x JOIN_PARTS runs. */
static __global__ void cuda_join_sums(const float *part, size_t n_blocks, size_t stride, size_t d,
                                      float *out, size_t ld)
{
    __shared__ float run[JOIN_PARTS][CUDA_WARP];
    const size_t lane = threadIdx.x % CUDA_WARP, p = threadIdx.x / CUDA_WARP;
    const size_t j = (size_t)blockIdx.x * CUDA_WARP + lane;
    const size_t each = (n_blocks + JOIN_PARTS - 1) / JOIN_PARTS;
    float sum = 0;
    for (size_t b = p * each; b < (p + 1) * each && b < n_blocks && j < d; b++)
        sum += part[b * stride + j];
    run[p][lane] = sum;
    for (size_t half = JOIN_PARTS / 2; half; half /= 2) {
        __syncthreads();
        if (p < half)
            run[p][lane] += run[p + half][lane];
    }
    if (p == 0 && j < d)
        out[j * ld] += run[0][lane];
}

/* What K block sums of width d left in part, each added to out[k]; NULL: not wanted. */
template <int K>
static int cuda_join_parts(int status, const struct cuda *c, const float *part, size_t n, size_t d,
                           float *const (&out)[K], size_t ld)
{
    for (size_t k = 0; k < K; k++)
        if (out[k])
            CUDA_LAUNCH(status, c, cuda_join_sums, cuda_blocks(d, CUDA_WARP), CUDA_THREADS, 0,
                        part + k * d, cuda_blocks(n, OP_ROW_BLOCK), K * d, d, out[k], ld);
    return status;
}

/* work: op_row_work(n, d) floats (K at most 2). out[k] NULL: not wanted. */
template <int K, class F>
static int cuda_column_sums(int status, const struct cuda *c, const F &f, size_t n, size_t d,
                            void *work, float *const (&out)[K], size_t ld)
{
    if (status || !n || !d)
        return status;
    const unsigned n_blocks = cuda_blocks(n, OP_ROW_BLOCK);
    const auto sums = cuda_block_sums<K, F>;
    float *part = (float *)work;
    CUDA_LAUNCH(status, c, sums, dim3(n_blocks, cuda_blocks(d, SUM_COLUMNS)), SUM_COLUMNS, 0, f, n,
                d, part);
    return cuda_join_parts<K>(status, c, part, n, d, out, ld);
}

/* One sum, by cuda_block_sums8. */
template <class F>
static int cuda_column_sums8(int status, const struct cuda *c, const F &f, size_t n, size_t d,
                             void *work, float *out)
{
    if (status || !n || !d)
        return status;
    const auto sums = cuda_block_sums8<F>;
    float *const to[1] = { out };
    float *part = (float *)work;
    CUDA_LAUNCH(status, c, sums,
                dim3(cuda_blocks(n, OP_ROW_BLOCK), cuda_blocks(d, SUM_COLUMNS * 8)), SUM_COLUMNS, 0,
                f, n, d, part);
    return cuda_join_parts<1>(status, c, part, n, d, to, 1);
}

#endif
