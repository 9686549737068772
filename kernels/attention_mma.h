/* Ragged attention on the tensor cores, what kernels/attention_bf16_cuda.cu (forward) and
 * attention_bf16_back_cuda.cu share; contract in kernels/attention.h. Products of bf16 numbers,
 * sums, soft-max and dropout in f32. Heads up to 64 wide, padded with zeros to 16, 32 or 64.
 *
 * A block owns MMA_OWN rows of one cell and head, each of its four warps 32 of them, and goes over
 * tiles of rows of the other side: copied to shared memory while the tile before is worked on. Rows
 * lie there in pieces of 16 bytes, turned by the row's number, so that the eight rows of one
 * ldmatrix lie in different banks. Scores stay in registers: what one product leaves is, rounded,
 * what the next one takes (kernels/cuda_mma.h). Never T x T in memory.
 *
 * pack       q, k, v (backward: dy too) to bf16 in c->work (or op.kept); backward: of each row and head also
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
#ifndef GC_KERNELS_ATTENTION_MMA_H
#define GC_KERNELS_ATTENTION_MMA_H

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
        cuda_matrix4(a[m],
                     x + piece_at<W>(p.warp * 16 * M + 16 * m + p.lane % 16, 2 * c + p.lane / 16));
}

/* s += those columns times the same columns of N rows of y, transposed. */
template <int W, int N>
static __device__ __forceinline__ void add_columns(const struct place &p, const uint32_t a[M][4],
                                                   const uint16_t *y, int c, float s[M][N / 8][4])
{
#pragma unroll
    for (int n = 0; n < N / 16; n++) {
        uint32_t b[4];
        cuda_matrix4(
            b, y + piece_at<W>(16 * n + p.lane % 8 + p.lane / 16 * 8, 2 * c + p.lane / 8 % 2));
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
                                                      const float s[M][N / 8][4], const uint16_t *x,
                                                      float out[M][W / 8][4])
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
            cuda_matrix4_turned(b, x + piece_at<W>(16 * j + p.lane % 16, 2 * n + p.lane / 16));
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

/* A thread owns 8 columns of a row and head. 6 bytes an item, 4 where it is kept rounded. */
template <int W>
static __global__ void attention_pack(const void *x, const void *low, size_t n, size_t d,
                                      size_t heads, size_t width, uint16_t *to)
{
    const size_t k = cuda_item(), piece = k % (W / PIECE), at = k / (W / PIECE);
    float v[PIECE];
    if (at >= n * heads)
        return;
    cuda_load8(x, low, at / heads * d + at % heads * width, piece * PIECE, width, v);
    for (int i = 0; i < PIECE; i += 2)
        *(uint32_t *)(to + k * PIECE + i) = cuda_bf16_pair(v[i], v[i + 1]);
}

static inline size_t padded(size_t width)
{
    return width <= 16 ? 16 : width <= 32 ? 32 : 64;
}

/* One packed matrix, and the two numbers of each row and head. */
static inline size_t matrix_bytes(const struct op_attention *o)
{
    return o->n * o->heads * padded(o->d / o->heads) * sizeof(uint16_t);
}

static inline struct packed packed_of(const struct cuda *c, const struct op_attention *o)
{
    const size_t width = o->d / o->heads, bytes = matrix_bytes(o);
    const char *const at = o->kept ? (const char *)o->kept : c->work;
    const char *const dy = o->kept ? c->work : c->work + 3 * bytes;
    return { *o,
             cuda_drop_of(&o->drop),
             (const uint16_t *)at,
             (const uint16_t *)(at + bytes),
             (const uint16_t *)(at + 2 * bytes),
             (const uint16_t *)dy,
             (float *)(dy + bytes),
             width,
             o->heads * padded(width),
             (float)(1 / sqrt((double)width)) };
}

static inline dim3 blocks_of(const struct op_attention *o)
{
    return dim3((unsigned)(o->n_cells * o->heads), cuda_blocks(o->longest, MMA_OWN));
}

template <int W> static int pack(int status, const struct cuda *c, const struct packed &a)
{
    const auto kernel = attention_pack<W>;
    const void *const from[] = { a.o.q, a.o.k, a.o.v };
    const void *const low[] = { a.o.q_low, a.o.k_low, a.o.v_low };
    const uint16_t *const to[] = { a.q, a.k, a.v };
    const size_t items = a.o.n * a.o.heads * (W / PIECE);
    for (size_t i = 0; i < sizeof from / sizeof *from; i++)
        CUDA_LAUNCH(status, c, kernel, cuda_blocks(items, CUDA_THREADS), CUDA_THREADS, 0,
                    from[i], low[i], a.o.n, a.o.d, a.o.heads, a.width, (uint16_t *)to[i]);
    return status;
}

#define FOR_WIDTH(f, c, a) (a.width <= 16 ? f<16>(c, a) : a.width <= 32 ? f<32>(c, a) : f<64>(c, a))

#endif
