/* Attention on the tensor cores, backward: see kernels/attention_mma.h. */
#include "kernels/cuda_ops.h"

#include "kernels/attention_mma.h"

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

/* x, or what is kept rounded, += factor out, rows and columns that there are. */
template <int W>
static __device__ __forceinline__ void add_rows(const struct packed &a, const struct place &p,
                                                void *x, void *low, bool fresh, float factor,
                                                const float out[M][W / 8][4])
{
    if (!x && !low)
        return;
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const size_t row = own_row(p, m, half);
            const size_t ld = low ? a.o.ld_slopes : a.o.d;
            const size_t begin = (p.first + row) * ld + p.head * a.width;
            if (row >= p.rows)
                continue;
#pragma unroll
            for (int n = 0; n < W / 8; n++)
                cuda_add2(x, low, begin, (size_t)(8 * n + 2 * p.t), a.width, fresh,
                          factor * out[m][n][2 * half], factor * out[m][n][2 * half + 1]);
        }
}

/* attention_pack of dy, with the two numbers backward needs of a row and head. 10 bytes an item, 6
 * where it is kept rounded. */
template <int W> static __global__ void attention_slopes(struct packed a, uint16_t *to)
{
    constexpr int PIECES = W / PIECE;
    const size_t k = cuda_item(), piece = k % PIECES, at = k / PIECES;
    const bool there = at < a.o.n * a.o.heads;
    const size_t row = there ? at / a.o.heads : 0, head = there ? at % a.o.heads : 0;
    const size_t begin = row * a.o.d + head * a.width;
    float y[PIECE], dy[PIECE], sum = 0;
    cuda_load8(a.o.y, a.o.y_low, begin, piece * PIECE, a.width, y);
    cuda_load8(a.o.dy, a.o.dy_low, begin, piece * PIECE, a.width, dy);
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
    uint16_t *const q = (uint16_t *)shared, *const dy = q + MMA_OWN * W,
                    *const kv = dy + MMA_OWN * W;
    const struct place p = place_of(a);
    const float scale = a.scale * LOG2_E;
    float out[M][W / 8][4] = {}, divisor[M][2], delta[M][2];
    if (p.begin >= p.rows)
        return;
    for (int m = 0; m < M; m++)
        for (int half = 0; half < 2; half++) {
            const size_t row = own_row(p, m, half);
            const float *stat = a.stat + 2 * (p.head * a.o.n + p.first + (row < p.rows ? row : 0));
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
    add_rows<W>(a, p, a.o.dq, a.o.dq_low, a.o.dq_first, a.scale, out);
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
static __global__ void __launch_bounds__(MMA_THREADS, MMA_BLOCKS)
    attention_keys_mma(struct packed a)
{
    constexpr int N = MMA_BACKWARD, TILE = N * W, STEP = 2 * TILE + 4 * N;
    CUDA_SHARED_FLOATS(shared);
    uint16_t *const k = (uint16_t *)shared, *const v = k + MMA_OWN * W,
                    *const steps = v + MMA_OWN * W;
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
    add_rows<W>(a, p, a.o.dv, a.o.dv_low, a.o.dv_low ? a.o.dq_first : a.o.dv_first, a.drop.scale, dv);
    add_rows<W>(a, p, a.o.dk, a.o.dk_low, a.o.dk_low ? a.o.dq_first : a.o.dk_first, a.scale, dk);
}

template <int W> static int backward(const struct cuda *c, const struct packed &a)
{
    const auto slopes = attention_slopes<W>;
    const auto queries = attention_queries_mma<W>;
    const auto keys = attention_keys_mma<W>;
    const size_t rows = (2 * MMA_OWN + MMA_STAGES * 2 * MMA_BACKWARD) * W * sizeof(uint16_t);
    const size_t stats = MMA_STAGES * MMA_BACKWARD * 2 * sizeof(float);
    const size_t items = a.o.n * a.o.heads * (W / PIECE);
    int status = a.o.kept ? 0 : pack<W>(0, c, a);
    CUDA_LAUNCH(status, c, slopes, cuda_blocks(items, CUDA_THREADS), CUDA_THREADS, 0, a,
                (uint16_t *)a.dy);
    if (a.o.dq || a.o.dq_low)
        CUDA_LAUNCH(status, c, queries, blocks_of(&a.o), MMA_THREADS, rows, a);
    if (a.o.dk || a.o.dv || a.o.dk_low || a.o.dv_low)
        CUDA_LAUNCH(status, c, keys, blocks_of(&a.o), MMA_THREADS, rows + stats, a);
    return status;
}

int attention_bf16_backward_cuda(const struct cuda *c, const struct op_attention *o)
{
    const struct packed a = packed_of(c, o);
    return FOR_WIDTH(backward, c, a);
}
