/* Ragged attention on a device, in f32; contract in kernels/attention.h. With bf16 products heads
 * of usual width go elsewhere (kernels/attention_pick_cuda.cu).
 *
 * A block owns a tile of T query rows (or, for dk and dv, of key rows) of one cell and head; its
 * 256 threads stand in a 16 x 16 grid, and thread (ty, tx) owns rows ty + 16 i and columns tx + 16
 * k of every small matrix: R x R scores with R = T / 16, R x NC outputs with NC = head width / 16
 * rounded up. Tiles lie in shared memory with rows of 16 NC + 4 floats, so that the 16 rows a
 * half-warp reads 4 floats wide lie in different banks. A row's 16 threads are half a warp: row
 * maxima and sums are four shuffles.
 *
 * forward     over tiles of keys: s = q k^T, online soft-max (running maximum, sums rescaled when
 *             it rises), o += p v. Never T x T in memory; saved are maximum and sum of each row
 * backward    three kernels, none with atomics, so equal runs give equal bytes:
 *   delta     dy . y of each row and head, into c->work
 *   queries   a block owns queries, over tiles of keys: dq += ds k                    3 products
 *   keys      a block owns keys, over tiles of queries: dv += p~^T dy, dk += ds^T q   4 products
 *
 * Seven products where five would do with atomics: what equal bytes cost. Dropout bits of a tile
 * are made by all threads together, one Philox block for 8 keys of a row, one bit per score in
 * shared memory.
 *
 * Work of a full tile step at width 64: 2 x 64^3 multiply-adds forward. Bytes: q once, k and v once
 * per query tile out of the second-level cache. This is arithmetic on the plain cores (67 TFLOP/s
 * of f32 on an H100), see `make gpu-plan`. */
#include "kernels/cuda_ops.h"

#include "kernels/cuda_kernel.h"

constexpr int GRID = 16, WORD = 8;

/* What one launch needs of struct op_attention. */
struct heads {
    struct op_attention o;
    struct cuda_drop drop;
    const float *delta;
    size_t width;
    float scale;
};

/* Tile edge T, row strides of tiles of rows (LD) and of scores (SD). */
template <int NC, int R> struct tile {
    static constexpr int T = GRID * R, LD = GRID * NC + 4, SD = T + 4;
    static constexpr int ROWS = T * LD, SCORES = T * SD;
};

static __device__ __forceinline__ int ty(void)
{
    return (int)threadIdx.x / GRID;
}

static __device__ __forceinline__ int tx(void)
{
    return (int)threadIdx.x % GRID;
}

/* Rows [at, at + T) of a cell, columns of one head, zero beyond both. */
template <int NC, int R>
static __device__ void load_rows(const struct heads &a, const void *x, size_t first, size_t at,
                                 size_t rows, size_t head, float *to)
{
    using t = tile<NC, R>;
    const float *from = (const float *)x + (first + at) * a.o.d + head * a.width;
    for (int k = (int)threadIdx.x; k < t::T * GRID * NC; k += CUDA_THREADS) {
        const int i = k / (GRID * NC), j = k % (GRID * NC);
        const bool there = at + (size_t)i < rows && (size_t)j < a.width;
        to[i * t::LD + j] = there ? from[(size_t)i * a.o.d + (size_t)j] : 0;
    }
}

/* s[i][j] = row ty + 16 i of x times row tx + 16 j of y. */
template <int NC, int R>
static __device__ __forceinline__ void rows_by_rows(const float *x, const float *y, float s[R][R])
{
    using t = tile<NC, R>;
    for (int i = 0; i < R; i++)
        for (int j = 0; j < R; j++)
            s[i][j] = 0;
#pragma unroll 4
    for (int k = 0; k < GRID * NC; k += 4) {
        float4 a[R], b[R];
        for (int i = 0; i < R; i++)
            a[i] = *(const float4 *)(x + (ty() + GRID * i) * t::LD + k);
        for (int j = 0; j < R; j++)
            b[j] = *(const float4 *)(y + (tx() + GRID * j) * t::LD + k);
        for (int i = 0; i < R; i++)
            for (int j = 0; j < R; j++)
                s[i][j] += a[i].x * b[j].x + a[i].y * b[j].y + a[i].z * b[j].z + a[i].w * b[j].w;
    }
}

/* out[i][c] += row ty + 16 i of p [T,T] times column tx + 16 c of x. */
template <int NC, int R>
static __device__ __forceinline__ void scores_by_rows(const float *p, const float *x,
                                                      float out[R][NC])
{
    using t = tile<NC, R>;
#pragma unroll 4
    for (int k = 0; k < t::T; k++) {
        float a[R], b[NC];
        for (int i = 0; i < R; i++)
            a[i] = p[(ty() + GRID * i) * t::SD + k];
        for (int c = 0; c < NC; c++)
            b[c] = x[k * t::LD + tx() + GRID * c];
        for (int i = 0; i < R; i++)
            for (int c = 0; c < NC; c++)
                out[i][c] += a[i] * b[c];
    }
}

template <int R> static __device__ __forceinline__ void store_scores(const float s[R][R], float *to)
{
    constexpr int SD = GRID * R + 4;
    for (int i = 0; i < R; i++)
        for (int j = 0; j < R; j++)
            to[(ty() + GRID * i) * SD + tx() + GRID * j] = s[i][j];
}

/* Bits of queries [q, q + T) and keys [k, k + T): keep[query][key / 8]. */
template <int R>
static __device__ void keep_bits(const struct heads &a, size_t first, size_t rows, size_t head,
                                 size_t q, size_t k, uint8_t *keep)
{
    constexpr int T = GRID * R, WORDS = T / WORD;
    if (!a.drop.threshold)
        return;
    for (int w = (int)threadIdx.x; w < T * WORDS; w += CUDA_THREADS) {
        const size_t i = q + (size_t)(w / WORDS), block = k / WORD + (size_t)(w % WORDS);
        if (i < rows)
            keep[w] = (uint8_t)cuda_keep8(a.drop, a.drop.row_key[first + i], (uint32_t)head,
                                          (uint32_t)block);
    }
}

template <int R>
static __device__ __forceinline__ float factor(const struct heads &a, const uint8_t *keep, int q,
                                               int k)
{
    constexpr int WORDS = GRID * R / WORD;
    if (!a.drop.threshold)
        return 1;
    return keep[q * WORDS + k / WORD] >> (k % WORD) & 1 ? a.drop.scale : 0;
}

/* Over the 16 threads of a row. fmaxf leaves NaN out, but exp(NaN - max) brings it back. */
static __device__ __forceinline__ float row_max(float x)
{
    for (int turn = GRID / 2; turn; turn /= 2)
        x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, turn));
    return x;
}

static __device__ __forceinline__ float row_sum(float x)
{
    for (int turn = GRID / 2; turn; turn /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, turn);
    return x;
}

/* One row's scores of a tile of keys join its running maximum and sum; s becomes the
 * factor-weighted exponentials, what was summed before must be multiplied by the result. */
template <int R>
static __device__ __forceinline__ float soften(const struct heads &a, const uint8_t *keep, int q,
                                               size_t keys, float s[R], float *max, float *sum)
{
    float top = -INFINITY, total = 0;
    for (int j = 0; j < R; j++)
        if ((size_t)(tx() + GRID * j) < keys)
            top = fmaxf(top, s[j] * a.scale);
    top = fmaxf(row_max(top), *max);
    const float shrink = expf(*max - top);
    for (int j = 0; j < R; j++) {
        const int k = tx() + GRID * j;
        const float e = (size_t)k < keys ? expf(s[j] * a.scale - top) : 0;
        total += e;
        s[j] = e * factor<R>(a, keep, q, k);
    }
    *sum = *sum * shrink + row_sum(total);
    *max = top;
    return shrink;
}

template <int NC, int R>
static __global__ void __launch_bounds__(CUDA_THREADS) attention_rows(struct heads a)
{
    using t = tile<NC, R>;
    CUDA_SHARED_FLOATS(shared);
    float *const q = shared, *const k = q + t::ROWS, *const v = k + t::ROWS, *const p = v + t::ROWS;
    uint8_t *const keep = (uint8_t *)(p + t::SCORES);
    const size_t cell = blockIdx.x / a.o.heads, head = blockIdx.x % a.o.heads;
    const size_t first = a.o.first[cell], rows = a.o.first[cell + 1] - first;
    const size_t begin = (size_t)blockIdx.y * t::T;
    float out[R][NC] = {}, max[R], sum[R] = {};
    if (begin >= rows)
        return;
    for (int i = 0; i < R; i++)
        max[i] = -INFINITY;
    load_rows<NC, R>(a, a.o.q, first, begin, rows, head, q);
    for (size_t at = 0; at < rows; at += t::T) {
        float s[R][R];
        __syncthreads(); /* the tile before is read */
        load_rows<NC, R>(a, a.o.k, first, at, rows, head, k);
        load_rows<NC, R>(a, a.o.v, first, at, rows, head, v);
        keep_bits<R>(a, first, rows, head, begin, at, keep);
        __syncthreads();
        rows_by_rows<NC, R>(q, k, s);
        for (int i = 0; i < R; i++) {
            const float shrink =
                soften<R>(a, keep, ty() + GRID * i, rows - at, s[i], &max[i], &sum[i]);
            for (int c = 0; c < NC; c++)
                out[i][c] *= shrink;
        }
        store_scores<R>(s, p);
        __syncwarp(); /* a row of p is written and read by the same half warp */
        scores_by_rows<NC, R>(p, v, out);
    }
    for (int i = 0; i < R; i++) {
        const size_t row = begin + (size_t)(ty() + GRID * i);
        if (row >= rows)
            continue;
        float *y = (float *)a.o.y + (first + row) * a.o.d + head * a.width;
        for (int c = 0; c < NC; c++)
            if ((size_t)(tx() + GRID * c) < a.width)
                y[tx() + GRID * c] = out[i][c] / sum[i];
        if (tx() == 0) {
            ((float *)a.o.row_max)[(first + row) * a.o.heads + head] = max[i];
            ((float *)a.o.row_sum)[(first + row) * a.o.heads + head] = sum[i];
        }
    }
}

/* A thread owns a row and head. 8 bytes an item. */
static __global__ void attention_delta(struct heads a, float *delta)
{
    const size_t k = cuda_item(), i = k / a.o.heads, head = k % a.o.heads;
    if (i >= a.o.n)
        return;
    const float *y = (const float *)a.o.y + i * a.o.d + head * a.width;
    const float *dy = (const float *)a.o.dy + i * a.o.d + head * a.width;
    float sum = 0;
    for (size_t j = 0; j < a.width; j++)
        sum += y[j] * dy[j];
    delta[k] = sum;
}

/* What backward needs of query rows [at, at + T): maximum, 1 / sum, delta. */
template <int R>
static __device__ void load_stats(const struct heads &a, size_t first, size_t at, size_t rows,
                                  size_t head, float *stat)
{
    constexpr int T = GRID * R;
    for (int i = (int)threadIdx.x; i < T; i += CUDA_THREADS) {
        const bool there = at + (size_t)i < rows;
        const size_t k = (first + at + (size_t)i) * a.o.heads + head;
        stat[i] = there ? ((const float *)a.o.row_max)[k] : 0;
        stat[T + i] = there ? 1 / ((const float *)a.o.row_sum)[k] : 0;
        stat[2 * T + i] = there ? a.delta[k] : 0;
    }
}

/* From a score and dy . v of one query and key (tile rows): the dropped probability and ds. */
template <int R>
static __device__ __forceinline__ void slope(const struct heads &a, const float *stat,
                                             const uint8_t *keep, int q, int k, bool there,
                                             float *s, float *dp)
{
    constexpr int T = GRID * R;
    const float p = there ? expf(*s * a.scale - stat[q]) * stat[T + q] : 0;
    const float f = factor<R>(a, keep, q, k);
    *s = p * f;
    *dp = there ? p * (f * *dp - stat[2 * T + q]) * a.scale : 0;
}

/* Adds to the rows of the cell that this block owns. */
template <int NC, int R>
static __device__ void add_rows(const struct heads &a, void *to, bool fresh, size_t first,
                                size_t begin, size_t rows, size_t head, const float out[R][NC])
{
    if (!to)
        return;
    for (int i = 0; i < R; i++) {
        const size_t row = begin + (size_t)(ty() + GRID * i);
        float *x = (float *)to + (first + row) * a.o.d + head * a.width;
        for (int c = 0; c < NC && row < rows; c++)
            if ((size_t)(tx() + GRID * c) < a.width)
                x[tx() + GRID * c] = out[i][c] + (fresh ? 0 : x[tx() + GRID * c]);
    }
}

template <int NC, int R>
static __global__ void __launch_bounds__(CUDA_THREADS) attention_queries(struct heads a)
{
    using t = tile<NC, R>;
    CUDA_SHARED_FLOATS(shared);
    float *const q = shared, *const dy = q + t::ROWS, *const k = dy + t::ROWS;
    float *const v = k + t::ROWS, *const ds = v + t::ROWS, *const stat = ds + t::SCORES;
    uint8_t *const keep = (uint8_t *)(stat + 3 * t::T);
    const size_t cell = blockIdx.x / a.o.heads, head = blockIdx.x % a.o.heads;
    const size_t first = a.o.first[cell], rows = a.o.first[cell + 1] - first;
    const size_t begin = (size_t)blockIdx.y * t::T;
    float out[R][NC] = {};
    if (begin >= rows)
        return;
    load_rows<NC, R>(a, a.o.q, first, begin, rows, head, q);
    load_rows<NC, R>(a, a.o.dy, first, begin, rows, head, dy);
    load_stats<R>(a, first, begin, rows, head, stat);
    for (size_t at = 0; at < rows; at += t::T) {
        float s[R][R], dp[R][R];
        __syncthreads();
        load_rows<NC, R>(a, a.o.k, first, at, rows, head, k);
        load_rows<NC, R>(a, a.o.v, first, at, rows, head, v);
        keep_bits<R>(a, first, rows, head, begin, at, keep);
        __syncthreads();
        rows_by_rows<NC, R>(q, k, s);
        rows_by_rows<NC, R>(dy, v, dp);
        for (int i = 0; i < R; i++)
            for (int j = 0; j < R; j++) {
                const int qi = ty() + GRID * i, kj = tx() + GRID * j;
                slope<R>(a, stat, keep, qi, kj, at + (size_t)kj < rows, &s[i][j], &dp[i][j]);
            }
        store_scores<R>(dp, ds);
        __syncwarp();
        scores_by_rows<NC, R>(ds, k, out);
    }
    add_rows<NC, R>(a, a.o.dq, a.o.dq_first, first, begin, rows, head, out);
}

template <int NC, int R>
static __global__ void __launch_bounds__(CUDA_THREADS) attention_keys(struct heads a)
{
    using t = tile<NC, R>;
    CUDA_SHARED_FLOATS(shared);
    float *const k = shared, *const v = k + t::ROWS, *const q = v + t::ROWS;
    float *const dy = q + t::ROWS, *const p = dy + t::ROWS, *const ds = p + t::SCORES;
    float *const stat = ds + t::SCORES;
    uint8_t *const keep = (uint8_t *)(stat + 3 * t::T);
    const size_t cell = blockIdx.x / a.o.heads, head = blockIdx.x % a.o.heads;
    const size_t first = a.o.first[cell], rows = a.o.first[cell + 1] - first;
    const size_t begin = (size_t)blockIdx.y * t::T;
    float dk[R][NC] = {}, dv[R][NC] = {};
    if (begin >= rows)
        return;
    load_rows<NC, R>(a, a.o.k, first, begin, rows, head, k);
    load_rows<NC, R>(a, a.o.v, first, begin, rows, head, v);
    for (size_t at = 0; at < rows; at += t::T) {
        float s[R][R], dp[R][R];
        __syncthreads();
        load_rows<NC, R>(a, a.o.q, first, at, rows, head, q);
        load_rows<NC, R>(a, a.o.dy, first, at, rows, head, dy);
        load_stats<R>(a, first, at, rows, head, stat);
        keep_bits<R>(a, first, rows, head, at, begin, keep);
        __syncthreads();
        rows_by_rows<NC, R>(k, q, s); /* s[key][query] */
        rows_by_rows<NC, R>(v, dy, dp);
        for (int i = 0; i < R; i++)
            for (int j = 0; j < R; j++) {
                const int ki = ty() + GRID * i, qj = tx() + GRID * j;
                const bool there = at + (size_t)qj < rows && begin + (size_t)ki < rows;
                slope<R>(a, stat, keep, qj, ki, there, &s[i][j], &dp[i][j]);
            }
        store_scores<R>(s, p);
        store_scores<R>(dp, ds);
        __syncwarp();
        scores_by_rows<NC, R>(p, dy, dv);
        scores_by_rows<NC, R>(ds, q, dk);
    }
    add_rows<NC, R>(a, a.o.dk, a.o.dk_first, first, begin, rows, head, dk);
    add_rows<NC, R>(a, a.o.dv, a.o.dv_first, first, begin, rows, head, dv);
}

static dim3 blocks_of(const struct op_attention *o, int tile_rows)
{
    return dim3((unsigned)(o->n_cells * o->heads), cuda_blocks(o->longest, (size_t)tile_rows));
}

template <int NC, int R> static int forward(const struct cuda *c, const struct heads &a)
{
    using t = tile<NC, R>;
    const auto kernel = attention_rows<NC, R>;
    const size_t shared = (3 * t::ROWS + t::SCORES) * sizeof(float) + t::T * t::T / WORD;
    int status = 0;
    CUDA_LAUNCH(status, c, kernel, blocks_of(&a.o, t::T), CUDA_THREADS, shared, a);
    return status;
}

template <int NC, int R> static int backward(const struct cuda *c, const struct heads &a)
{
    using t = tile<NC, R>;
    const auto queries = attention_queries<NC, R>;
    const auto keys = attention_keys<NC, R>;
    const size_t shared = (4 * t::ROWS + t::SCORES + 3 * t::T) * sizeof(float) + t::T * t::T / WORD;
    int status = 0;
    CUDA_LAUNCH(status, c, attention_delta, cuda_blocks(a.o.n * a.o.heads, CUDA_THREADS),
                CUDA_THREADS, 0, a, (float *)c->work);
    if (a.o.dq)
        CUDA_LAUNCH(status, c, queries, blocks_of(&a.o, t::T), CUDA_THREADS, shared, a);
    if (a.o.dk || a.o.dv)
        CUDA_LAUNCH(status, c, keys, blocks_of(&a.o, t::T), CUDA_THREADS,
                    shared + t::SCORES * sizeof(float), a);
    return status;
}

static struct heads heads_of(const struct cuda *c, const struct op_attention *o)
{
    const size_t width = o->d / o->heads;
    return { *o, cuda_drop_of(&o->drop), (const float *)c->work, width,
             (float)(1 / sqrt((double)width)) };
}

/* Wide heads have smaller tiles: 227 KB of shared memory is what an H100 gives a block, 163 an
 * A100. */
#define FOR_WIDTH(f, c, a)                                                                         \
    (a.width <= 16    ? f<1, 4>(c, a)                                                              \
     : a.width <= 32  ? f<2, 4>(c, a)                                                              \
     : a.width <= 64  ? f<4, 4>(c, a)                                                              \
     : a.width <= 128 ? f<8, 2>(c, a)                                                              \
                      : f<16, 2>(c, a))

int attention_f32_forward_cuda(const struct cuda *c, const struct op_attention *o)
{
    const struct heads a = heads_of(c, o);
    if (a.width > CUDA_HEAD_WIDTH)
        return 1; /* cudaErrorInvalidValue */
    return FOR_WIDTH(forward, c, a);
}

size_t attention_f32_work_cuda(const struct op_attention *o)
{
    return o->n * o->heads * sizeof(float);
}

int attention_f32_backward_cuda(const struct cuda *c, const struct op_attention *o)
{
    const struct heads a = heads_of(c, o);
    if (a.width > CUDA_HEAD_WIDTH)
        return 1;
    return FOR_WIDTH(backward, c, a);
}
