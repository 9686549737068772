/* norm of an x that is kept rounded alone (op_norm.x_low): a row stays in registers.
 *
 * forward    reads x and r, writes y, y rounded and the normalised row rounded: 14 bytes an item
 * backward   reads dy and the normalised row, writes dr and dx rounded: 12 bytes an item. A block
 * has OP_ROW_BLOCK rows, each of its warps every fourth; dgamma, dbeta and the sums of dx grow in
 * registers, then warps are added in rising order: no pass by columns. */
#include "kernels/cuda_ops.h"

#include "kernels/cuda_rows.h"
#include "kernels/cuda_sums.h"

/* CHUNKS: of WARP_COLUMNS columns that a row has. */
template <int CHUNKS> static __global__ void norm_rows_low(struct op_norm o, struct cuda_drop drop)
{
    const size_t i = warp_row(), d = o.d;
    float s[CHUNKS][8], total = 0;
    if (i >= o.n)
        return;
#pragma unroll
    for (int c = 0; c < CHUNKS; c++) {
        const size_t at = lane_column() + (size_t)c * WARP_COLUMNS;
        float r[8] = {};
        for (int k = 0; k < 8; k++)
            s[c][k] = 0;
        if (at >= d)
            continue;
        cuda_get8((const uint16_t *)o.x_low + i * d + at, s[c]);
        drop8(drop, i, at, s[c]);
        if (o.r)
            cuda_load8((const float *)o.r + i * d, at, d, r);
        for (int k = 0; k < 8; k++) {
            s[c][k] += r[k];
            total += s[c][k];
        }
    }
    const float mean = cuda_warp_sum(total) / (float)d;
    total = 0;
#pragma unroll
    for (int c = 0; c < CHUNKS; c++)
        for (int k = 0; k < 8; k++) {
            s[c][k] -= mean;
            total += lane_column() + (size_t)c * WARP_COLUMNS < d ? s[c][k] * s[c][k] : 0;
        }
    const float rstd = 1 / sqrtf(cuda_warp_sum(total) / (float)d + (float)o.eps);
    if (threadIdx.x % CUDA_WARP == 0) {
        ((float *)o.mean)[i] = mean;
        ((float *)o.rstd)[i] = rstd;
    }
#pragma unroll
    for (int c = 0; c < CHUNKS; c++) {
        const size_t at = lane_column() + (size_t)c * WARP_COLUMNS;
        float gamma[8], beta[8];
        if (at >= d)
            continue;
        for (int k = 0; k < 8; k++)
            s[c][k] *= rstd;
        cuda_put8((uint16_t *)o.xhat_low + i * d + at, s[c]);
        cuda_load8((const float *)o.gamma, at, d, gamma);
        cuda_load8((const float *)o.beta, at, d, beta);
        for (int k = 0; k < 8; k++)
            s[c][k] = s[c][k] * gamma[k] + beta[k];
        cuda_store8((float *)o.y + i * d, at, d, s[c]);
        if (o.y_low)
            cuda_put8((uint16_t *)o.y_low + i * d + at, s[c]);
    }
}

enum { SUM_GAMMA, SUM_BETA, SUM_DX, NORM_SUMS };

/* One row of the block's: its gradients, and what it adds to the sums of this lane's columns. */
template <int CHUNKS>
static __device__ __forceinline__ void slope_row_low(const struct op_norm &o,
                                                     const struct cuda_drop &drop, size_t i,
                                                     float sum[NORM_SUMS][CHUNKS][8])
{
    const size_t d = o.d;
    const uint16_t *const row = (const uint16_t *)o.xhat_low + i * d;
    float h[CHUNKS][8], mh = 0, mhx = 0;
#pragma unroll
    for (int c = 0; c < CHUNKS; c++) {
        const size_t at = lane_column() + (size_t)c * WARP_COLUMNS;
        float gamma[8], xhat[8];
        for (int k = 0; k < 8; k++)
            h[c][k] = 0;
        if (at >= d)
            continue;
        cuda_load8((const float *)o.dy + i * d, at, d, h[c]);
        cuda_get8(row + at, xhat);
        cuda_load8((const float *)o.gamma, at, d, gamma);
        for (int k = 0; k < 8; k++) {
            sum[SUM_BETA][c][k] += h[c][k];
            sum[SUM_GAMMA][c][k] += h[c][k] * xhat[k];
            h[c][k] *= gamma[k];
            mh += h[c][k];
            mhx += h[c][k] * xhat[k];
        }
    }
    mh = cuda_warp_sum(mh) / (float)d;
    mhx = cuda_warp_sum(mhx) / (float)d;
    const float rstd = ((const float *)o.rstd)[i];
#pragma unroll
    for (int c = 0; c < CHUNKS; c++) {
        const size_t at = lane_column() + (size_t)c * WARP_COLUMNS;
        uint16_t *const dx = (uint16_t *)o.dx_low + i * d;
        float g[8] = {}, xhat[8];
        if (at >= d)
            continue;
        cuda_get8(row + at, xhat); /* out of the cache: registers are short */
        for (int k = 0; k < 8; k++)
            h[c][k] = rstd * (h[c][k] - mh - xhat[k] * mhx);
        if (o.dr) {
            float *const dr = (float *)o.dr + i * d;
            if (!o.dr_first)
                cuda_load8(dr, at, d, g);
            for (int k = 0; k < 8; k++)
                g[k] += h[c][k];
            cuda_store8(dr, at, d, g);
        }
        drop8(drop, i, at, h[c]);
        for (int k = 0; k < 8; k++) {
            sum[SUM_DX][c][k] += h[c][k];
            g[k] = 0;
        }
        if (!o.dx_first)
            cuda_get8(dx + at, g);
        for (int k = 0; k < 8; k++)
            g[k] += h[c][k];
        cuda_put8(dx + at, g);
    }
}

template <int CHUNKS>
static __global__ void __launch_bounds__(NORM_WARPS *CUDA_WARP, CHUNKS < 4 ? 3 : 2)
    norm_slopes_low(struct op_norm o, struct cuda_drop drop)
{
    __shared__ float of_warp[NORM_WARPS][OP_LOW_COLUMNS];
    const size_t warp = threadIdx.x / CUDA_WARP, d = o.d;
    float sum[NORM_SUMS][CHUNKS][8] = {};
    for (size_t row = warp; row < OP_ROW_BLOCK; row += NORM_WARPS) {
        const size_t i = (size_t)blockIdx.x * OP_ROW_BLOCK + row;
        if (i < o.n)
            slope_row_low<CHUNKS>(o, drop, i, sum);
    }
#pragma unroll
    for (int k = 0; k < NORM_SUMS; k++) {
        __syncthreads(); /* the sums before were read */
#pragma unroll
        for (int c = 0; c < CHUNKS; c++)
            cuda_store8(of_warp[warp], lane_column() + (size_t)c * WARP_COLUMNS, d, sum[k][c]);
        __syncthreads();
        for (size_t j = threadIdx.x; j < d; j += NORM_WARPS * CUDA_WARP) {
            float all = 0;
            for (int w = 0; w < NORM_WARPS; w++)
                all += of_warp[w][j];
            ((float *)o.work)[(blockIdx.x * (size_t)NORM_SUMS + (size_t)k) * d + j] = all;
        }
    }
}

template <int CHUNKS> static int forward(const struct cuda *c, const struct op_norm *o)
{
    const auto kernel = norm_rows_low<CHUNKS>;
    int status = 0;
    CUDA_LAUNCH(status, c, kernel, cuda_blocks(o->n, NORM_WARPS), NORM_WARPS * CUDA_WARP, 0, *o,
                cuda_drop_of(&o->drop));
    return status;
}

template <int CHUNKS> static int backward(const struct cuda *c, const struct op_norm *o)
{
    const auto kernel = norm_slopes_low<CHUNKS>;
    float *const to[NORM_SUMS] = { (float *)o->dgamma, (float *)o->dbeta, (float *)o->dx_sums };
    int status = 0;
    CUDA_LAUNCH(status, c, kernel, cuda_blocks(o->n, OP_ROW_BLOCK), NORM_WARPS * CUDA_WARP, 0, *o,
                cuda_drop_of(&o->drop));
    return cuda_join_parts<NORM_SUMS>(status, c, (const float *)o->work, o->n, o->d, to, 1);
}

static_assert((int)OP_LOW_COLUMNS == 4 * WARP_COLUMNS, "the widest rows have four chunks");
#define FOR_CHUNKS(f, c, o)                                                                        \
    ((o)->d <= WARP_COLUMNS       ? f<1>(c, o)                                                     \
     : (o)->d <= 2 * WARP_COLUMNS ? f<2>(c, o)                                                     \
     : (o)->d <= 3 * WARP_COLUMNS ? f<3>(c, o)                                                     \
                                  : f<4>(c, o))

int norm_low_forward_cuda(const struct cuda *c, const struct op_norm *o)
{
    return FOR_CHUNKS(forward, c, o);
}

int norm_low_backward_cuda(const struct cuda *c, const struct op_norm *o)
{
    return FOR_CHUNKS(backward, c, o);
}
