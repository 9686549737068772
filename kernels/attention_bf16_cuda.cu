/* Attention on the tensor cores, forward: see kernels/attention_mma.h. */
#include "kernels/cuda_ops.h"

#include "kernels/attention_mma.h"

static __device__ __forceinline__ float quad_max(float x)
{
    x = fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, 1));
    return fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, 2));
}

/* Scores of one row become 2^(scale (s - max)); the row's maximum and this lane's part of its sum
 * go on, and what was summed before is multiplied. fmaxf leaves NaN out, 2^(NaN - max) brings it
 * back. */
template <int W, int N>
static __device__ __forceinline__ void soften(int half, float scale, float s[N / 8][4], float *max,
                                              float *sum, float out[W / 8][4])
{
    float top = -INFINITY, total = 0;
#pragma unroll
    for (int n = 0; n < N / 8; n++)
        top = fmaxf(top, fmaxf(s[n][2 * half], s[n][2 * half + 1]));
    top = fmaxf(quad_max(top), *max);
    const float shrink = cuda_exp2((*max - top) * scale), less = top * scale;
#pragma unroll
    for (int n = 0; n < N / 8; n++)
#pragma unroll
        for (int e = 2 * half; e < 2 * half + 2; e++) {
            s[n][e] = cuda_exp2(s[n][e] * scale - less);
            total += s[n][e];
        }
#pragma unroll
    for (int n = 0; n < W / 8; n++) {
        out[n][2 * half] *= shrink;
        out[n][2 * half + 1] *= shrink;
    }
    *sum = *sum * shrink + total;
    *max = top;
}

template <int W>
static __global__ void __launch_bounds__(MMA_THREADS, MMA_BLOCKS)
    attention_rows_mma(struct packed a)
{
    constexpr int N = MMA_FORWARD, TILE = N * W;
    CUDA_SHARED_FLOATS(shared);
    uint16_t *const q = (uint16_t *)shared, *const kv = q + MMA_OWN * W;
    const struct place p = place_of(a);
    const float scale = a.scale * LOG2_E;
    float out[M][W / 8][4] = {}, max[M][2], sum[M][2] = {};
    if (p.begin >= p.rows)
        return;
    for (int m = 0; m < M; m++)
        max[m][0] = max[m][1] = -INFINITY;
    start_rows<W, MMA_OWN>(a, p, a.q, p.begin, q);
    start_rows<W, N>(a, p, a.k, 0, kv);
    start_rows<W, N>(a, p, a.v, 0, kv + TILE);
    cuda_copy_group();
    for (size_t at = 0, turn = 0; at < p.rows; at += N, turn ^= 1) {
        uint16_t *const k = kv + turn * 2 * TILE, *const next = kv + (turn ^ 1) * 2 * TILE;
        float s[M][N / 8][4];
        uint32_t word[N / 32];
        if (at + N < p.rows) {
            start_rows<W, N>(a, p, a.k, at + N, next);
            start_rows<W, N>(a, p, a.v, at + N, next + TILE);
        }
        cuda_copy_group();
        cuda_copy_wait<1>();
        __syncthreads();
        rows_by_rows<W, N>(p, q, k, s);
        hide<N>(p, p.rows - at, s);
#pragma unroll
        for (int m = 0; m < M; m++)
#pragma unroll
            for (int half = 0; half < 2; half++)
                soften<W, N>(half, scale, s[m], &max[m][half], &sum[m][half], out[m]);
        if (a.drop.threshold) {
            query_bits<N>(a, p, at, word);
#pragma unroll
            for (int n = 0; n < N / 8; n++) {
                const uint32_t bits = query_word(p, word, n) >> (2 * p.t);
#pragma unroll
                for (int m = 0; m < M; m++)
#pragma unroll
                    for (int k4 = 0; k4 < 4; k4++)
                        s[m][n][k4] = bits >> (8 * (2 * m + k4 / 2) + k4 % 2) & 1 ? s[m][n][k4] : 0;
            }
        }
        scores_by_rows<W, N>(p, s, k + TILE, out);
        __syncthreads(); /* the tile is read: the next turn copies over it */
    }
    cuda_copy_wait<0>();
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const size_t row = own_row(p, m, half), at = p.first + row;
            float all = sum[m][half];
            all += __shfl_xor_sync(WHOLE_WARP, all, 1);
            all += __shfl_xor_sync(WHOLE_WARP, all, 2);
            if (row >= p.rows)
                continue;
            const size_t begin = at * a.o.d + p.head * a.width;
#pragma unroll
            for (int n = 0; n < W / 8; n++)
                cuda_add2(a.o.y, a.o.y_low, begin, (size_t)(8 * n + 2 * p.t), a.width, true,
                          out[m][n][2 * half] * a.drop.scale / all,
                          out[m][n][2 * half + 1] * a.drop.scale / all);
            if (p.t == 0) {
                ((float *)a.o.row_max)[at * a.o.heads + p.head] = max[m][half] * a.scale;
                ((float *)a.o.row_sum)[at * a.o.heads + p.head] = all;
            }
        }
}

size_t attention_bf16_work_cuda(const struct op_attention *o)
{
    return 4 * matrix_bytes(o) + 2 * o->n * o->heads * sizeof(float);
}

size_t attention_bf16_kept_cuda(const struct op_attention *o)
{
    return 3 * matrix_bytes(o);
}

template <int W> static int forward(const struct cuda *c, const struct packed &a)
{
    const auto kernel = attention_rows_mma<W>;
    const size_t shared = (MMA_OWN + MMA_STAGES * 2 * MMA_FORWARD) * W * sizeof(uint16_t);
    int status = pack<W>(0, c, a);
    CUDA_LAUNCH(status, c, kernel, blocks_of(&a.o), MMA_THREADS, shared, a);
    return status;
}

int attention_bf16_forward_cuda(const struct cuda *c, const struct op_attention *o)
{
    const struct packed a = packed_of(c, o);
    return FOR_WIDTH(forward, c, a);
}
