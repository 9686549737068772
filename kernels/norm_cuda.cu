/* norm and dropout on a device: a warp owns a row, a lane eight neighbouring columns of every 256,
 * so that one Philox block serves one load of a lane.
 *
 * forward    reads x and r, writes sum and y: 16 bytes an item, 2 more where y is kept rounded. Mean and variance in two passes
 * over the row (eps is 1e-12: E[s^2] - mean^2 would cancel); the second and third pass read what
 * the same lane wrote, 3 kB a row for D = 768, which the first-level cache holds. backward   reads
 * dy, sum, dx, dr, writes dx, dr: 24 bytes an item, the second pass out of the cache; then dgamma
 * and dbeta by columns: 8 bytes an item more. An x that is kept rounded alone: kernels/norm_low_cuda.cu. */
#include "kernels/cuda_ops.h"

#include "kernels/cuda_rows.h"
#include "kernels/cuda_sums.h"

struct norm_row {
    size_t d;
    const float *x, *r, *gamma, *beta;
    float *sum, *y;
    uint16_t *low;
};

/* sum = drop(x) + r; returns the row's mean. */
static __device__ float row_sums(const struct norm_row &w, const struct cuda_drop &drop, size_t i)
{
    float total = 0;
    for (size_t at = lane_column(); at < w.d; at += WARP_COLUMNS) {
        float s[8], r[8] = {};
        cuda_load8(w.x, at, w.d, s);
        drop8(drop, i, at, s);
        if (w.r)
            cuda_load8(w.r, at, w.d, r);
        for (size_t k = 0; k < 8; k++) {
            s[k] += r[k];
            total += at + k < w.d ? s[k] : 0;
        }
        cuda_store8(w.sum, at, w.d, s);
    }
    return cuda_warp_sum(total) / (float)w.d;
}

static __device__ float row_variance(const struct norm_row &w, float mean)
{
    float total = 0;
    for (size_t at = lane_column(); at < w.d; at += WARP_COLUMNS) {
        float s[8];
        cuda_load8(w.sum, at, w.d, s);
        for (size_t k = 0; k < 8; k++)
            total += at + k < w.d ? (s[k] - mean) * (s[k] - mean) : 0;
    }
    return cuda_warp_sum(total) / (float)w.d;
}

static __device__ void row_output(const struct norm_row &w, float mean, float rstd)
{
    for (size_t at = lane_column(); at < w.d; at += WARP_COLUMNS) {
        float s[8], gamma[8], beta[8];
        cuda_load8(w.sum, at, w.d, s);
        cuda_load8(w.gamma, at, w.d, gamma);
        cuda_load8(w.beta, at, w.d, beta);
        for (size_t k = 0; k < 8; k++)
            s[k] = (s[k] - mean) * rstd * gamma[k] + beta[k];
        cuda_store8(w.y, at, w.d, s);
        for (size_t k = 0; w.low && k < 8; k++)
            w.low[at + k] = cuda_bf16(s[k]);
    }
}

static __global__ void norm_rows(struct op_norm o, struct cuda_drop drop)
{
    const size_t i = warp_row(), d = o.d;
    if (i >= o.n)
        return;
    const struct norm_row w = { d,
                                (const float *)o.x + i * d,
                                o.r ? (const float *)o.r + i * d : NULL,
                                (const float *)o.gamma,
                                (const float *)o.beta,
                                (float *)o.sum + i * d,
                                (float *)o.y + i * d,
                                o.y_low ? (uint16_t *)o.y_low + i * d : NULL };
    const float mean = row_sums(w, drop, i);
    const float rstd = 1 / sqrtf(row_variance(w, mean) + (float)o.eps);
    if (threadIdx.x % CUDA_WARP == 0) {
        ((float *)o.mean)[i] = mean;
        ((float *)o.rstd)[i] = rstd;
    }
    row_output(w, mean, rstd);
}

static int forward(const struct cuda *c, const struct op_norm *o)
{
    int status = 0;
    CUDA_LAUNCH(status, c, norm_rows, cuda_blocks(o->n, NORM_WARPS), NORM_WARPS * CUDA_WARP, 0, *o,
                cuda_drop_of(&o->drop));
    return status;
}

struct slope_row {
    size_t d;
    const float *dy, *sum, *gamma;
    float mean, rstd;
};

/* h = dy gamma and xhat of columns [at, at + 8), zero beyond the row. */
static __device__ __forceinline__ void slope8(const struct slope_row &w, size_t at, float h[8],
                                              float xhat[8])
{
    float gamma[8];
    cuda_load8(w.dy, at, w.d, h);
    cuda_load8(w.gamma, at, w.d, gamma);
    cuda_load8(w.sum, at, w.d, xhat);
    for (size_t k = 0; k < 8; k++) {
        h[k] *= gamma[k];
        xhat[k] = (xhat[k] - w.mean) * w.rstd;
    }
}

static __global__ void norm_slopes(struct op_norm o, struct cuda_drop drop)
{
    const size_t i = warp_row(), d = o.d;
    if (i >= o.n)
        return;
    const struct slope_row w = { d,
                                 (const float *)o.dy + i * d,
                                 (const float *)o.sum + i * d,
                                 (const float *)o.gamma,
                                 ((const float *)o.mean)[i],
                                 ((const float *)o.rstd)[i] };
    float h[8], xhat[8], mh = 0, mhx = 0;
    for (size_t at = lane_column(); at < d; at += WARP_COLUMNS) {
        slope8(w, at, h, xhat);
        for (size_t k = 0; k < 8; k++) { /* beyond the row h is zero */
            mh += h[k];
            mhx += h[k] * xhat[k];
        }
    }
    mh = cuda_warp_sum(mh) / (float)d;
    mhx = cuda_warp_sum(mhx) / (float)d;
    for (size_t at = lane_column(); at < d; at += WARP_COLUMNS) {
        float ds[8], g[8] = {};
        slope8(w, at, h, xhat);
        for (size_t k = 0; k < 8; k++)
            ds[k] = w.rstd * (h[k] - mh - xhat[k] * mhx);
        if (o.dr) {
            float *const dr = (float *)o.dr + i * d;
            if (!o.dr_first)
                cuda_load8(dr, at, d, g);
            for (size_t k = 0; k < 8; k++)
                g[k] += ds[k];
            cuda_store8(dr, at, d, g);
        }
        if (o.dx) {
            float *const dx = (float *)o.dx + i * d;
            drop8(drop, i, at, ds);
            if (o.dx_first)
                for (size_t k = 0; k < 8; k++)
                    g[k] = 0;
            else
                cuda_load8(dx, at, d, g);
            for (size_t k = 0; k < 8; k++)
                g[k] += ds[k];
            cuda_store8(dx, at, d, g);
        }
    }
}

struct norm_column {
    size_t d;
    const float *dy, *sum, *mean, *rstd;

    __device__ void operator()(size_t i, size_t j, float v[2]) const
    {
        v[1] = dy[i * d + j];
        v[0] = v[1] * (sum[i * d + j] - mean[i]) * rstd[i];
    }
};

static int backward(const struct cuda *c, const struct op_norm *o)
{
    const struct norm_column f = { o->d, (const float *)o->dy, (const float *)o->sum,
                                   (const float *)o->mean, (const float *)o->rstd };
    float *const to[2] = { (float *)o->dgamma, (float *)o->dbeta };
    int status = 0;
    if (o->dx || o->dr)
        CUDA_LAUNCH(status, c, norm_slopes, cuda_blocks(o->n, NORM_WARPS), NORM_WARPS * CUDA_WARP,
                    0, *o, cuda_drop_of(&o->drop));
    if (o->dgamma || o->dbeta)
        status = cuda_column_sums<2>(status, c, f, o->n, o->d, o->work, to, 1);
    return status;
}

int norm_forward_cuda(const struct cuda *c, const struct op_norm *o)
{
    return !o->n ? 0 : o->x_low ? norm_low_forward_cuda(c, o) : forward(c, o);
}

int norm_backward_cuda(const struct cuda *c, const struct op_norm *o)
{
    return !o->n ? 0 : o->x_low ? norm_low_backward_cuda(c, o) : backward(c, o);
}

/* to = factor x, or to += factor x. 8 bytes an item, or 12. */
template <bool ADD>
static __global__ void drop_rows(size_t n, size_t d, struct cuda_drop drop, const float *x,
                                 float *to)
{
    const size_t i = warp_row();
    if (i >= n)
        return;
    for (size_t at = lane_column(); at < d; at += WARP_COLUMNS) {
        float v[8], g[8] = {};
        cuda_load8(x + i * d, at, d, v);
        drop8(drop, i, at, v);
        if (ADD)
            cuda_load8(to + i * d, at, d, g);
        for (size_t k = 0; k < 8; k++)
            v[k] += g[k];
        cuda_store8(to + i * d, at, d, v);
    }
}

int dropout_forward_cuda(const struct cuda *c, const struct op_dropout *o)
{
    const auto kernel = drop_rows<false>;
    int status = 0;
    if (o->n)
        CUDA_LAUNCH(status, c, kernel, cuda_blocks(o->n, NORM_WARPS), NORM_WARPS * CUDA_WARP, 0,
                    o->n, o->d, cuda_drop_of(&o->drop), (const float *)o->x, (float *)o->y);
    return status;
}

int dropout_backward_cuda(const struct cuda *c, const struct op_dropout *o)
{
    const auto kernel = drop_rows<true>;
    int status = 0;
    if (o->n && o->dx)
        CUDA_LAUNCH(status, c, kernel, cuda_blocks(o->n, NORM_WARPS), NORM_WARPS * CUDA_WARP, 0,
                    o->n, o->d, cuda_drop_of(&o->drop), (const float *)o->dy, (float *)o->dx);
    return status;
}
