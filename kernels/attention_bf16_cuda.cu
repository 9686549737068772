/* Ragged attention on the tensor cores; contract in kernels/attention.h. Products of bf16 numbers,
 * sums, soft-max and dropout in f32. Heads up to 64 wide, padded with zeros to 16, 32 or 64.
 *
 * A block owns MMA_OWN rows of one cell and head, each of its four warps 32 of them, and goes over
 * tiles of rows of the other side: copied to shared memory while the tile before is worked on. Rows
 * lie there in pieces of 16 bytes, turned by the row's number, so that the eight rows of one
 * ldmatrix lie in different banks. Scores stay in registers: what one product leaves is, rounded,
 * what the next one takes (kernels/cuda_mma.h). Never T x T in memory.
 *
 * pack       q, k, v (backward: dy too) to bf16 in c->work; backward: of each row and head also
 *            log2 of the soft-max's divisor and dy . y
 * forward    a block owns queries: s = q k^T, online soft-max, o += p v
 * queries    a block owns queries: s, dp = dy v^T, dq += ds k                      3 products
 * keys       a block owns keys: s^T, dp^T, dv += p~^T dy, dk += ds^T q             4 products
 * No atomics, and each sum is one thread's in rising order of tiles: equal runs, equal bytes. It
 * costs seven products backward where five would do.
 *
 * Dropout: one Philox block serves 8 keys of a query. The lanes that need a word share the work of
 * making them (8 blocks a lane for 32 x 64 scores) and hand them round by shuffles.
 *
 * Two 16-row matrices a warp, so that what is read from shared memory serves twice; shares of peak
 * and what bounds them: `make gpu-plan`. */
#include "kernels/cuda_ops.h"

#include "kernels/attention_tiles.h"
#include "kernels/cuda_kernel.h"
#include "kernels/cuda_mma.h"

constexpr int MMA_THREADS = MMA_WARPS * CUDA_WARP, M = MMA_M, PIECE = 8, WORD = 8;
constexpr unsigned WHOLE_WARP = 0xffffffffu;
constexpr float LOG2_E = 1.44269504088896340736f;

struct packed {
    struct op_attention o;
    struct cuda_drop drop;
    const uint16_t *q, *k, *v, *dy; /* [n][heads][padded width] */
    float *stat;                    /* [heads][n][2]: log2 of what divides 2^s, dy . y */
    size_t width, ld;
    float scale; /* of scores */
};

/* The rows of a cell and the tile of them that this block owns. */
struct place {
    size_t first, rows, begin, head;
    int warp, lane, g, t; /* g, t: row and pair of columns of this lane's sums */
};

static __device__ __forceinline__ struct place place_of(const struct packed &a)
{
    struct place p;
    const size_t cell = blockIdx.x / a.o.heads;
    p.head = blockIdx.x % a.o.heads;
    p.first = a.o.first[cell];
    p.rows = a.o.first[cell + 1] - p.first;
    p.begin = (size_t)blockIdx.y * MMA_OWN;
    p.warp = (int)threadIdx.x / CUDA_WARP;
    p.lane = (int)threadIdx.x % CUDA_WARP;
    p.g = p.lane / 4;
    p.t = p.lane % 4;
    return p;
}

/* Row of the cell that holds this lane's sums m, half. */
static __device__ __forceinline__ size_t own_row(const struct place &p, int m, int half)
{
    return p.begin + (size_t)(p.warp * 16 * M + 16 * m + 8 * half + p.g);
}

/* Where a piece of a row lies in a tile. Rows of 128 bytes are turned by their number, of 64 by
 * half of it, of 32 by a quarter. */
template <int W> static __device__ __forceinline__ int piece_at(int row, int piece)
{
    constexpr int PIECES = W / PIECE, ROWS = 8 / PIECES;
    return row * W + (piece ^ (row / ROWS % PIECES)) * PIECE;
}

/* Starts to copy rows [at, at + ROWS) of the cell, zeros beyond it. */
template <int W, int ROWS>
static __device__ __forceinline__ void start_rows(const struct packed &a, const struct place &p,
                                                  const uint16_t *x, size_t at, uint16_t *to)
{
    constexpr int PIECES = W / PIECE;
    for (int k = (int)threadIdx.x; k < ROWS * PIECES; k += MMA_THREADS) {
        const int row = k / PIECES, piece = k % PIECES;
        const bool there = at + (size_t)row < p.rows;
        const size_t from = p.first + (there ? at + (size_t)row : 0);
        cuda_copy_start<16>(to + piece_at<W>(row, piece),
                            x + from * a.ld + p.head * W + (size_t)piece * PIECE, there);
    }
}

/* Columns 16 c .. 16 c + 15 of this warp's 16 M rows of x. */
template <int W>
static __device__ __forceinline__ void own_columns(const struct place &p, const uint16_t *x, int c,
                                                   uint32_t a[M][4])
{
    for (int m = 0; m < M; m++)
        cuda_matrix4(a[m], x + piece_at<W>(p.warp * 16 * M + 16 * m + p.lane % 16,
                                           2 * c + p.lane / 16));
}

/* s += those columns times the same columns of N rows of y, transposed. */
template <int W, int N>
static __device__ __forceinline__ void add_columns(const struct place &p, const uint32_t a[M][4],
                                                   const uint16_t *y, int c, float s[M][N / 8][4])
{
#pragma unroll
    for (int n = 0; n < N / 16; n++) {
        uint32_t b[4];
        cuda_matrix4(b, y + piece_at<W>(16 * n + p.lane % 8 + p.lane / 16 * 8,
                                        2 * c + p.lane / 8 % 2));
#pragma unroll
        for (int m = 0; m < M; m++) {
            cuda_mma(s[m][2 * n], a[m], b);
            cuda_mma(s[m][2 * n + 1], a[m], b + 2);
        }
    }
}

template <int W, int N>
static __device__ __forceinline__ void rows_by_rows(const struct place &p, const uint16_t *x,
                                                    const uint16_t *y, float s[M][N / 8][4])
{
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
        for (int n = 0; n < N / 8; n++)
            s[m][n][0] = s[m][n][1] = s[m][n][2] = s[m][n][3] = 0;
#pragma unroll
    for (int c = 0; c < W / 16; c++) {
        uint32_t a[M][4];
        own_columns<W>(p, x, c, a);
        add_columns<W, N>(p, a, y, c, s);
    }
}

/* out += s, rounded, times the N rows of x. */
template <int W, int N>
static __device__ __forceinline__ void scores_by_rows(const struct place &p,
                                                      const float s[M][N / 8][4],
                                                      const uint16_t *x, float out[M][W / 8][4])
{
#pragma unroll
    for (int j = 0; j < N / 16; j++) {
        uint32_t a[M][4];
#pragma unroll
        for (int m = 0; m < M; m++)
#pragma unroll
            for (int k = 0; k < 4; k++) {
                const float *two = s[m][2 * j + k / 2] + k % 2 * 2;
                a[m][k] = cuda_bf16_pair(two[0], two[1]);
            }
#pragma unroll
        for (int n = 0; n < W / 16; n++) {
            uint32_t b[4];
            cuda_matrix4_turned(
                b, x + piece_at<W>(16 * j + p.lane % 16, 2 * n + p.lane / 16));
#pragma unroll
            for (int m = 0; m < M; m++) {
                cuda_mma(out[m][2 * n], a[m], b);
                cuda_mma(out[m][2 * n + 1], a[m], b + 2);
            }
        }
    }
}

/* Bits of this warp's queries and keys [at, at + N), 8 keys a byte. Lane t of the four that share
 * rows makes those of every fourth 8 keys: byte 2 m + half of word[j] is row m, half, keys 32 j + 8
 * t. */
template <int N>
static __device__ __forceinline__ void query_bits(const struct packed &a, const struct place &p,
                                                  size_t at, uint32_t word[N / 32])
{
#pragma unroll
    for (int j = 0; j < N / 32; j++)
        word[j] = 0;
    for (int r = 0; r < 2 * M; r++) {
        const size_t row = own_row(p, r / 2, r % 2);
        const uint64_t key = a.drop.row_key[p.first + (row < p.rows ? row : 0)];
#pragma unroll
        for (int j = 0; j < N / 32; j++)
            word[j] |= cuda_keep8(a.drop, key, (uint32_t)p.head,
                                  (uint32_t)(at / WORD) + (uint32_t)(4 * j + p.t))
                       << (8 * r);
    }
}

/* Bytes of all rows for 8-key tile n: bit 8 (2 m + half) + (key mod 8). */
static __device__ __forceinline__ uint32_t query_word(const struct place &p, const uint32_t *word,
                                                      int n)
{
    return __shfl_sync(WHOLE_WARP, word[n / 4], p.lane / 4 * 4 + n % 4);
}

/* Bits of this warp's keys and queries [at, at + N). Lane (g, t) makes those of tile g (m = g / (N
 * / 8), n the rest), queries 8 n + 2 t and the next: byte 2 half + query. */
template <int N>
static __device__ __forceinline__ uint32_t key_bits(const struct packed &a, const struct place &p,
                                                    size_t at)
{
    static_assert(M * N == 64, "a tile for each of the eight g");
    const int m = p.g / (N / 8), n = p.g % (N / 8);
    const size_t block = (p.begin + (size_t)(p.warp * 16 * M + 16 * m)) / WORD;
    uint32_t word = 0;
    for (int e = 0; e < 2; e++) {
        const size_t row = at + (size_t)(8 * n + 2 * p.t + e);
        const uint64_t key = a.drop.row_key[p.first + (row < p.rows ? row : 0)];
        for (int half = 0; half < 2; half++)
            word |= cuda_keep8(a.drop, key, (uint32_t)p.head, (uint32_t)block + (uint32_t)half)
                    << (8 * (2 * half + e));
    }
    return word;
}

/* Bit 8 (2 half + query) of what lane g gets belongs to its key. */
template <int N>
static __device__ __forceinline__ uint32_t key_word(const struct place &p, uint32_t word, int m,
                                                    int n)
{
    return __shfl_sync(WHOLE_WARP, word, 4 * (m * (N / 8) + n) + p.t) >> p.g;
}

/* x += factor out, rows and columns that there are. */
template <int W>
static __device__ __forceinline__ void add_rows(const struct packed &a, const struct place &p,
                                                void *x, float factor, const float out[M][W / 8][4])
{
    if (!x)
        return;
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const size_t row = own_row(p, m, half);
            float *to = (float *)x + (p.first + row) * a.o.d + p.head * a.width;
            if (row >= p.rows)
                continue;
#pragma unroll
            for (int n = 0; n < W / 8; n++)
#pragma unroll
                for (int e = 0; e < 2; e++)
                    if ((size_t)(8 * n + 2 * p.t + e) < a.width)
                        to[8 * n + 2 * p.t + e] += factor * out[m][n][2 * half + e];
        }
}

/* A thread owns 8 columns of a row and head. 6 bytes an item. */
template <int W>
static __global__ void attention_pack(const float *x, size_t n, size_t d, size_t heads,
                                      size_t width, uint16_t *to)
{
    const size_t k = cuda_item(), piece = k % (W / PIECE), at = k / (W / PIECE);
    float v[PIECE];
    if (at >= n * heads)
        return;
    cuda_load8(x + at / heads * d + at % heads * width, piece * PIECE, width, v);
    for (int i = 0; i < PIECE; i += 2)
        *(uint32_t *)(to + k * PIECE + i) = cuda_bf16_pair(v[i], v[i + 1]);
}

/* The same of dy, with the two numbers backward needs of a row and head. 10 bytes an item. */
template <int W> static __global__ void attention_slopes(struct packed a, uint16_t *to)
{
    constexpr int PIECES = W / PIECE;
    const size_t k = cuda_item(), piece = k % PIECES, at = k / PIECES;
    const bool there = at < a.o.n * a.o.heads;
    const size_t row = there ? at / a.o.heads : 0, head = there ? at % a.o.heads : 0;
    const size_t begin = row * a.o.d + head * a.width;
    float y[PIECE], dy[PIECE], sum = 0;
    cuda_load8((const float *)a.o.y + begin, piece * PIECE, a.width, y);
    cuda_load8((const float *)a.o.dy + begin, piece * PIECE, a.width, dy);
    for (int i = 0; i < PIECE; i++)
        sum += y[i] * dy[i];
    for (int turn = PIECES / 2; turn; turn /= 2)
        sum += __shfl_xor_sync(WHOLE_WARP, sum, turn);
    if (!there)
        return;
    for (int i = 0; i < PIECE; i += 2)
        *(uint32_t *)(to + k * PIECE + i) = cuda_bf16_pair(dy[i], dy[i + 1]);
    if (piece)
        return;
    const float max = ((const float *)a.o.row_max)[at], all = ((const float *)a.o.row_sum)[at];
    float *stat = a.stat + 2 * (head * a.o.n + row);
    stat[0] = max * LOG2_E + log2f(all);
    stat[1] = sum;
}

static __device__ __forceinline__ float quad_max(float x)
{
    x = fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, 1));
    return fmaxf(x, __shfl_xor_sync(WHOLE_WARP, x, 2));
}

/* -Inf for keys beyond the cell. */
template <int N>
static __device__ __forceinline__ void hide(const struct place &p, size_t keys,
                                            float s[M][N / 8][4])
{
    if (keys >= (size_t)N)
        return;
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
        for (int n = 0; n < N / 8; n++)
#pragma unroll
            for (int k = 0; k < 4; k++)
                if ((size_t)(8 * n + 2 * p.t + k % 2) >= keys)
                    s[m][n][k] = -INFINITY;
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
static __global__ void __launch_bounds__(MMA_THREADS, MMA_BLOCKS) attention_rows_mma(struct packed a)
{
    constexpr int N = MMA_FORWARD, TILE = N * W;
    CUDA_SHARED_FLOATS(shared);
    uint16_t *const q = (uint16_t *)shared, *const kv = q + MMA_OWN * W;
    const struct place p = place_of(a);
    const float scale = a.scale * LOG2_E;
    float out[M][W / 8][4] = {}, max[M][2], sum[M][2] = {};
    uint32_t mine[W / 16][M][4];
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
        float s[M][N / 8][4] = {};
        uint32_t word[N / 32];
        if (at + N < p.rows) {
            start_rows<W, N>(a, p, a.k, at + N, next);
            start_rows<W, N>(a, p, a.v, at + N, next + TILE);
        }
        cuda_copy_group();
        cuda_copy_wait<1>();
        __syncthreads();
#pragma unroll
        for (int c = 0; c < W / 16; c++) {
            if (at == 0)
                own_columns<W>(p, q, c, mine[c]);
            add_columns<W, N>(p, mine[c], k, c, s);
        }
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
            float *y = (float *)a.o.y + at * a.o.d + p.head * a.width;
#pragma unroll
            for (int n = 0; n < W / 8; n++)
#pragma unroll
                for (int e = 0; e < 2; e++)
                    if ((size_t)(8 * n + 2 * p.t + e) < a.width)
                        y[8 * n + 2 * p.t + e] = out[m][n][2 * half + e] * a.drop.scale / all;
            if (p.t == 0) {
                ((float *)a.o.row_max)[at * a.o.heads + p.head] = max[m][half] * a.scale;
                ((float *)a.o.row_sum)[at * a.o.heads + p.head] = all;
            }
        }
}

/* From a score and dy . v: the kept probability (its factor left out) and the score's gradient
 * (without the scores' scale). */
static __device__ __forceinline__ void slope(const struct packed &a, float scale, float divisor,
                                             float delta, uint32_t kept, float *s, float *dp)
{
    const float prob = cuda_exp2(*s * scale - divisor);
    *s = kept ? prob : 0;
    *dp = prob * ((kept ? a.drop.scale * *dp : 0) - delta);
}

template <int W>
static __global__ void __launch_bounds__(MMA_THREADS, MMA_BLOCKS)
    attention_queries_mma(struct packed a)
{
    constexpr int N = MMA_BACKWARD, TILE = N * W;
    CUDA_SHARED_FLOATS(shared);
    uint16_t *const q = (uint16_t *)shared, *const dy = q + MMA_OWN * W, *const kv = dy + MMA_OWN * W;
    const struct place p = place_of(a);
    const float scale = a.scale * LOG2_E;
    float out[M][W / 8][4] = {}, divisor[M][2], delta[M][2];
    if (p.begin >= p.rows)
        return;
    for (int m = 0; m < M; m++)
        for (int half = 0; half < 2; half++) {
            const size_t row = own_row(p, m, half);
            const float *stat =
                a.stat + 2 * (p.head * a.o.n + p.first + (row < p.rows ? row : 0));
            divisor[m][half] = stat[0];
            delta[m][half] = stat[1];
        }
    start_rows<W, MMA_OWN>(a, p, a.q, p.begin, q);
    start_rows<W, MMA_OWN>(a, p, a.dy, p.begin, dy);
    start_rows<W, N>(a, p, a.k, 0, kv);
    start_rows<W, N>(a, p, a.v, 0, kv + TILE);
    cuda_copy_group();
    for (size_t at = 0, turn = 0; at < p.rows; at += N, turn ^= 1) {
        uint16_t *const k = kv + turn * 2 * TILE, *const next = kv + (turn ^ 1) * 2 * TILE;
        float s[M][N / 8][4], dp[M][N / 8][4];
        uint32_t word[N / 32] = {};
        if (at + N < p.rows) {
            start_rows<W, N>(a, p, a.k, at + N, next);
            start_rows<W, N>(a, p, a.v, at + N, next + TILE);
        }
        cuda_copy_group();
        cuda_copy_wait<1>();
        __syncthreads();
        rows_by_rows<W, N>(p, q, k, s);
        rows_by_rows<W, N>(p, dy, k + TILE, dp);
        hide<N>(p, p.rows - at, s);
        if (a.drop.threshold)
            query_bits<N>(a, p, at, word);
#pragma unroll
        for (int n = 0; n < N / 8; n++) {
            const uint32_t bits =
                a.drop.threshold ? query_word(p, word, n) >> (2 * p.t) : WHOLE_WARP;
#pragma unroll
            for (int m = 0; m < M; m++)
#pragma unroll
                for (int e = 0; e < 4; e++)
                    slope(a, scale, divisor[m][e / 2], delta[m][e / 2],
                          bits >> (8 * (2 * m + e / 2) + e % 2) & 1, &s[m][n][e], &dp[m][n][e]);
        }
        scores_by_rows<W, N>(p, dp, k, out);
        __syncthreads();
    }
    cuda_copy_wait<0>();
    add_rows<W>(a, p, a.o.dq, a.scale, out);
}

/* Queries [at, at + N) with their two numbers: zeros beyond the cell make p = 1, dy = 0, ds = 0. */
template <int W, int N>
static __device__ __forceinline__ void start_queries(const struct packed &a, const struct place &p,
                                                     size_t at, uint16_t *to)
{
    start_rows<W, N>(a, p, a.q, at, to);
    start_rows<W, N>(a, p, a.dy, at, to + N * W);
    for (size_t i = threadIdx.x; i < (size_t)N; i += MMA_THREADS) {
        const bool there = at + i < p.rows;
        cuda_copy_start<8>(to + 2 * N * W + 4 * i,
                           a.stat + 2 * (p.head * a.o.n + p.first + (there ? at + i : 0)), there);
    }
}

template <int W>
static __global__ void __launch_bounds__(MMA_THREADS, MMA_BLOCKS) attention_keys_mma(struct packed a)
{
    constexpr int N = MMA_BACKWARD, TILE = N * W, STEP = 2 * TILE + 4 * N;
    CUDA_SHARED_FLOATS(shared);
    uint16_t *const k = (uint16_t *)shared, *const v = k + MMA_OWN * W, *const steps = v + MMA_OWN * W;
    const struct place p = place_of(a);
    const float scale = a.scale * LOG2_E;
    float dk[M][W / 8][4] = {}, dv[M][W / 8][4] = {};
    if (p.begin >= p.rows)
        return;
    start_rows<W, MMA_OWN>(a, p, a.k, p.begin, k);
    start_rows<W, MMA_OWN>(a, p, a.v, p.begin, v);
    start_queries<W, N>(a, p, 0, steps);
    cuda_copy_group();
    for (size_t at = 0, turn = 0; at < p.rows; at += N, turn ^= 1) {
        uint16_t *const q = steps + turn * STEP, *const dy = q + TILE;
        const float *const stat = (const float *)(dy + TILE);
        float s[M][N / 8][4], dp[M][N / 8][4];
        uint32_t word = 0;
        if (at + N < p.rows)
            start_queries<W, N>(a, p, at + N, steps + (turn ^ 1) * STEP);
        cuda_copy_group();
        cuda_copy_wait<1>();
        __syncthreads();
        rows_by_rows<W, N>(p, k, q, s); /* s[key][query] */
        rows_by_rows<W, N>(p, v, dy, dp);
        if (a.drop.threshold)
            word = key_bits<N>(a, p, at);
#pragma unroll
        for (int n = 0; n < N / 8; n++) {
            const float4 two = *(const float4 *)(stat + 2 * (8 * n + 2 * p.t));
#pragma unroll
            for (int m = 0; m < M; m++) {
                const uint32_t bits = a.drop.threshold ? key_word<N>(p, word, m, n) : WHOLE_WARP;
#pragma unroll
                for (int e = 0; e < 4; e++)
                    slope(a, scale, e % 2 ? two.z : two.x, e % 2 ? two.w : two.y,
                          bits >> (8 * e) & 1, &s[m][n][e], &dp[m][n][e]);
            }
        }
        scores_by_rows<W, N>(p, s, dy, dv);
        scores_by_rows<W, N>(p, dp, q, dk);
        __syncthreads();
    }
    cuda_copy_wait<0>();
    add_rows<W>(a, p, a.o.dv, a.drop.scale, dv);
    add_rows<W>(a, p, a.o.dk, a.scale, dk);
}

static size_t padded(size_t width)
{
    return width <= 16 ? 16 : width <= 32 ? 32 : 64;
}

/* One packed matrix, and the two numbers of each row and head. */
static size_t matrix_bytes(const struct op_attention *o)
{
    return o->n * o->heads * padded(o->d / o->heads) * sizeof(uint16_t);
}

size_t attention_bf16_work_cuda(const struct op_attention *o)
{
    return 4 * matrix_bytes(o) + 2 * o->n * o->heads * sizeof(float);
}

static struct packed packed_of(const struct cuda *c, const struct op_attention *o)
{
    const size_t width = o->d / o->heads, bytes = matrix_bytes(o);
    const char *at = c->work;
    return { *o,
             cuda_drop_of(&o->drop),
             (const uint16_t *)at,
             (const uint16_t *)(at + bytes),
             (const uint16_t *)(at + 2 * bytes),
             (const uint16_t *)(at + 3 * bytes),
             (float *)(at + 4 * bytes),
             width,
             o->heads * padded(width),
             (float)(1 / sqrt((double)width)) };
}

static dim3 blocks_of(const struct op_attention *o)
{
    return dim3((unsigned)(o->n_cells * o->heads), cuda_blocks(o->longest, MMA_OWN));
}

template <int W> static int pack(int status, const struct cuda *c, const struct packed &a)
{
    const auto kernel = attention_pack<W>;
    const void *const from[] = { a.o.q, a.o.k, a.o.v };
    const uint16_t *const to[] = { a.q, a.k, a.v };
    const size_t items = a.o.n * a.o.heads * (W / PIECE);
    for (size_t i = 0; i < sizeof from / sizeof *from; i++)
        CUDA_LAUNCH(status, c, kernel, cuda_blocks(items, CUDA_THREADS), CUDA_THREADS, 0,
                    (const float *)from[i], a.o.n, a.o.d, a.o.heads, a.width, (uint16_t *)to[i]);
    return status;
}

template <int W> static int forward(const struct cuda *c, const struct packed &a)
{
    const auto kernel = attention_rows_mma<W>;
    const size_t shared = (MMA_OWN + MMA_STAGES * 2 * MMA_FORWARD) * W * sizeof(uint16_t);
    int status = pack<W>(0, c, a);
    CUDA_LAUNCH(status, c, kernel, blocks_of(&a.o), MMA_THREADS, shared, a);
    return status;
}

template <int W> static int backward(const struct cuda *c, const struct packed &a)
{
    const auto slopes = attention_slopes<W>;
    const auto queries = attention_queries_mma<W>;
    const auto keys = attention_keys_mma<W>;
    const size_t rows = (2 * MMA_OWN + MMA_STAGES * 2 * MMA_BACKWARD) * W * sizeof(uint16_t);
    const size_t stats = MMA_STAGES * MMA_BACKWARD * 2 * sizeof(float);
    const size_t items = a.o.n * a.o.heads * (W / PIECE);
    int status = pack<W>(0, c, a);
    CUDA_LAUNCH(status, c, slopes, cuda_blocks(items, CUDA_THREADS), CUDA_THREADS, 0, a,
                (uint16_t *)a.dy);
    if (a.o.dq)
        CUDA_LAUNCH(status, c, queries, blocks_of(&a.o), MMA_THREADS, rows, a);
    if (a.o.dk || a.o.dv)
        CUDA_LAUNCH(status, c, keys, blocks_of(&a.o), MMA_THREADS, rows + stats, a);
    return status;
}

#define FOR_WIDTH(f, c, a) (a.width <= 16 ? f<16>(c, a) : a.width <= 32 ? f<32>(c, a) : f<64>(c, a))

int attention_bf16_forward_cuda(const struct cuda *c, const struct op_attention *o)
{
    const struct packed a = packed_of(c, o);
    return FOR_WIDTH(forward, c, a);
}

int attention_bf16_backward_cuda(const struct cuda *c, const struct op_attention *o)
{
    const struct packed a = packed_of(c, o);
    return FOR_WIDTH(backward, c, a);
}
