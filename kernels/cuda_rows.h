/* Rows of norm and dropout on a device, as kernels/norm_cuda.cu and norm_low_cuda.cu divide them: a
 * warp owns a row, a lane eight neighbouring columns of every 256. */
#ifndef GC_KERNELS_CUDA_ROWS_H
#define GC_KERNELS_CUDA_ROWS_H

#include "kernels/cuda_bf16.h"

constexpr int NORM_WARPS = 4, LANE_COLUMNS = 8, WARP_COLUMNS = CUDA_WARP * LANE_COLUMNS;

static __device__ __forceinline__ size_t warp_row(void)
{
    return (size_t)blockIdx.x * NORM_WARPS + threadIdx.x / CUDA_WARP;
}

static __device__ __forceinline__ size_t lane_column(void)
{
    return threadIdx.x % CUDA_WARP * LANE_COLUMNS;
}

/* x times the dropout factors of columns [at, at + 8) of row i. */
static __device__ __forceinline__ void drop8(const struct cuda_drop &d, size_t i, size_t at,
                                             float x[8])
{
    if (!d.threshold)
        return;
    const unsigned keep = cuda_keep8(d, d.row_key[i], 0, (uint32_t)(at / 8));
    for (unsigned k = 0; k < 8; k++)
        x[k] *= keep >> k & 1 ? d.scale : 0;
}

/* norm of an op with x_low and at least one row. */
int norm_low_forward_cuda(const struct cuda *c, const struct op_norm *o);
int norm_low_backward_cuda(const struct cuda *c, const struct op_norm *o);

#endif
