/* Ragged attention by warpgroups (sm_90a), what kernels/attention_wgmma_cuda.cu (forward) and
 * attention_wgmma_back_cuda.cu share; contract in kernels/attention.h, rounding as in
 * kernels/attention_mma.h. Heads of 33 to 64 columns, padded with zeros to 64.
 *
 * pack       q, k, v (backward: dy too) to bf16 in c->work (or op.kept), as tiles of 64 rows of one cell and
 *            head, each as it will lie in shared memory (kernels/cuda_wgmma.h); rows beyond the
 *            cell are zeros. Backward: notes of each row beside
 * forward    a warpgroup owns 64 queries: s = q k^T, online soft-max, o += p v     2 products
 * queries    a warpgroup owns 64 queries: s, dp = dy v^T, dq += ds k               3 products
 * keys       a warpgroup owns 64 keys: s^T, dp^T, dv += p~^T dy, dk += ds^T q      4 products
 *
 * One warp of a block copies: a tile is one instruction, and gates tell it when a place is free and
 * the warpgroups when a tile is there. While a warpgroup makes soft-max, the tensor cores have the
 * products of the others; and while its own next scores are computed, it makes the random numbers
 * for them. Own rows stay in registers as the left matrix of the products.
 *
 * Dropout: one Philox block serves 8 keys of a query. Keys lie in their tile in an order in which
 * the eight belong to one lane (key_row), so forward and queries pass no bits around. What a
 * block's first two rounds owe to the row is made once (struct drop_row), and the keys of the
 * rounds on the host: 17 wide products and 19 xors are left of 20 and 40.
 *
 * No atomics, each sum is one thread's in rising order of tiles: equal runs, equal bytes. Shares of
 * the peak: `make gpu-plan`. Compiled for sm_90a and run emulated, never run on a device. */
#ifndef GC_KERNELS_ATTENTION_WGMMA_H
#define GC_KERNELS_ATTENTION_WGMMA_H

#include "kernels/attention_tiles.h"
#include "kernels/cuda_kernel.h"
#include "kernels/cuda_wgmma.h"

constexpr int ROWS = WG_ROWS, PIECE = 8, PIECES = ROWS / PIECE, WORD = 8, K_STEPS = ROWS / 16;
constexpr int ROUNDS = 10, TILE_ITEMS = ROWS * ROWS, PACK_THREADS = 256;
constexpr unsigned TILE_BYTES = TILE_ITEMS * sizeof(uint16_t), WHOLE_WARP = 0xffffffffu;
constexpr float LOG2_E = 1.44269504088896340736f;

/* What backward needs of the rows of a tile: log2 of what divides 2^s, and dy . y; keys of
 * dropout. */
struct notes {
    float stat[ROWS][2];
    uint64_t row_key[ROWS];
};

struct tiles {
    struct op_attention o;
    struct cuda_drop drop;
    uint32_t round_key[2 * ROUNDS];
    uint16_t *q, *k, *v, *dy; /* [heads][n_tiles][64][64] */
    struct notes *notes;      /* [heads][n_tiles] */
    size_t width, n_tiles;
    float scale; /* of scores */
};

/* The cell and head of a block, and this thread in it. */
struct spot {
    size_t first, rows, head;
    size_t tile;    /* first one of this cell and head */
    unsigned tiles; /* of them */
    unsigned begin; /* the first that the block owns, in the cell */
    int group, warp, lane, g, t;
};

static __device__ __forceinline__ struct spot spot_of(const struct tiles &a, int groups)
{
    struct spot p;
    const size_t cell = blockIdx.x / a.o.heads;
    p.head = blockIdx.x % a.o.heads;
    p.first = a.o.first[cell];
    p.rows = a.o.first[cell + 1] - p.first;
    p.tile = p.head * a.n_tiles + p.first / ROWS + cell;
    p.tiles = (unsigned)((p.rows + ROWS - 1) / ROWS);
    p.begin = blockIdx.y * (unsigned)groups;
    p.group = (int)threadIdx.x / CUDA_GROUP;
    p.warp = (int)threadIdx.x / CUDA_WARP % 4;
    p.lane = (int)threadIdx.x % CUDA_WARP;
    p.g = p.lane / 4;
    p.t = p.lane % 4;
    return p;
}

static __device__ __forceinline__ const uint16_t *tile_at(const uint16_t *x, const struct spot &p,
                                                          unsigned k)
{
    return x + (p.tile + k) * TILE_ITEMS;
}

static __device__ __forceinline__ int piece_at(int row, int piece)
{
    return row * ROWS + (piece ^ row % PIECES) * PIECE;
}

/* Row of its tile where key lies: lane t of the product finds the 8 keys 32 h + 8 t and on in its
 * columns 8 (4 h + i) + 2 t + e, of the 32 that begin at h. */
static __device__ __forceinline__ int key_row(int key)
{
    return key / 32 * 32 + key / 2 % 4 * 8 + key / 8 % 4 * 2 + key % 2;
}

/* The key of column 8 n + 2 t + e. */
static __device__ __forceinline__ int key_of(int n, int t, int e)
{
    return n / 4 * 32 + 8 * t + n % 4 * 2 + e;
}

/* Matrix a of this warp's 16 rows of a tile: columns 16 c and on in a[c]. row: of lane mod 16. */
static __device__ __forceinline__ void own_rows(const struct spot &p, const uint16_t *tile, int row,
                                                uint32_t a[K_STEPS][4])
{
#pragma unroll
    for (int c = 0; c < K_STEPS; c++)
        cuda_matrix4(a[c], tile + piece_at(row, 2 * c + p.lane / 16));
}

/* sum = a tile^T, queued. */
static __device__ __forceinline__ void by_columns(const uint32_t a[K_STEPS][4], uint64_t tile,
                                                  float sum[CUDA_GROUP_SUMS])
{
#pragma unroll
    for (int c = 0; c < K_STEPS; c++)
        cuda_group_mma<false>(sum, a[c], cuda_tile_columns(tile, c), c > 0);
}

/* sum += a tile, queued. */
static __device__ __forceinline__ void add_by_rows(const uint32_t a[K_STEPS][4], uint64_t tile,
                                                   float sum[CUDA_GROUP_SUMS])
{
#pragma unroll
    for (int c = 0; c < K_STEPS; c++)
        cuda_group_mma<true>(sum, a[c], cuda_tile_rows(tile, c), true);
}

/* Sums, rounded, as matrix a of the next product. */
static __device__ __forceinline__ void rounded(const float s[CUDA_GROUP_SUMS],
                                               uint32_t a[K_STEPS][4])
{
#pragma unroll
    for (int c = 0; c < K_STEPS; c++)
#pragma unroll
        for (int k = 0; k < 4; k++)
            a[c][k] = cuda_bf16_pair(s[8 * c + 2 * k], s[8 * c + 2 * k + 1]);
}

/* The tile i of a row of tiles in shared memory, of which base is the first. */
static __device__ __forceinline__ uint64_t tile_number(uint64_t base, unsigned i)
{
    return base + i * (TILE_BYTES >> 4);
}

/* One thread makes the gates: `own` for what a block copies once, and of each stage one that says a
 * tile is there and one that says the warps have read it. */
struct pipe {
    uint64_t *own, *full, *empty;
};
constexpr size_t PIPE_BYTES = (1 + 2 * WG_STAGES) * sizeof(uint64_t);

static __device__ __forceinline__ struct pipe pipe_of(void *at, int groups)
{
    uint64_t *const gate = (uint64_t *)at;
    const struct pipe pipe = { gate, gate + 1, gate + 1 + WG_STAGES };
    if (threadIdx.x == 0) {
        cuda_gate_make(pipe.own, 1);
        for (int s = 0; s < WG_STAGES; s++) {
            cuda_gate_make(&pipe.full[s], 1);
            cuda_gate_make(&pipe.empty[s], (unsigned)groups * 4);
        }
        cuda_gate_fence();
    }
    __syncthreads();
    return pipe;
}

static __device__ __forceinline__ void wait_full(const struct pipe &pipe, unsigned step)
{
    cuda_gate_wait(&pipe.full[step % WG_STAGES], step / WG_STAGES % 2);
}

/* The warp has read what step's stage holds. */
static __device__ __forceinline__ void release(const struct pipe &pipe, const struct spot &p,
                                               unsigned step)
{
    __syncwarp();
    if (p.lane == 0)
        cuda_gate_arrive(&pipe.empty[step % WG_STAGES]);
}

/* The copying warp, for a step: waits until its stage is free. True in the lane that then copies.
 */
static __device__ __forceinline__ bool claim(const struct pipe &pipe, const struct spot &p,
                                             unsigned step, unsigned n_bytes)
{
    const unsigned s = step % WG_STAGES, turn = step / WG_STAGES;
    __syncwarp();
    if (turn)
        cuda_gate_wait(&pipe.empty[s], (turn - 1) % 2);
    if (p.lane == 0)
        cuda_gate_expect(&pipe.full[s], n_bytes);
    return p.lane == 0;
}

/* What of Philox's first two rounds (kernels/cuda_kernel.h) depends on the row alone. */
struct drop_row {
    uint32_t x0, x1, x2, x3;
};

constexpr uint32_t PHILOX_0 = 0xD2511F53u, PHILOX_1 = 0xCD9E8D57u;

static __device__ __forceinline__ struct drop_row drop_row_of(const struct tiles &a,
                                                              uint64_t row_key, size_t head)
{
    const uint32_t *k = a.round_key;
    const uint64_t p0 = (uint64_t)PHILOX_0 * (uint32_t)row_key;
    const uint32_t plane = (uint32_t)head << 16 | (uint32_t)RNG_DROPOUT;
    const uint64_t p1 = (uint64_t)PHILOX_1 * ((uint32_t)(p0 >> 32) ^ plane ^ k[1]);
    return { (uint32_t)(row_key >> 32) ^ k[0], (uint32_t)p0 ^ k[3], (uint32_t)(p1 >> 32) ^ k[2],
             (uint32_t)p1 };
}

/* The four words of columns 8 block .. 8 block + 7; of = PHILOX_1 * block. */
static __device__ __forceinline__ void drop_words(const struct tiles &a, const struct drop_row &row,
                                                  uint64_t of, uint32_t c[4])
{
    const uint32_t *k = a.round_key;
    const uint64_t p = (uint64_t)PHILOX_0 * ((uint32_t)(of >> 32) ^ row.x0);
    c[0] = row.x2 ^ (uint32_t)of;
    c[1] = row.x3;
    c[2] = (uint32_t)(p >> 32) ^ row.x1;
    c[3] = (uint32_t)p;
#pragma unroll
    for (int r = 2; r < ROUNDS; r++) {
        const uint64_t p0 = (uint64_t)PHILOX_0 * c[0], p1 = (uint64_t)PHILOX_1 * c[2];
        c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k[2 * r];
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k[2 * r + 1];
        c[3] = (uint32_t)p0;
    }
}

/* Whether the number in half e of a word keeps its column. */
static __device__ __forceinline__ bool keeps(const struct tiles &a, uint32_t word, int e)
{
    return e ? word >= a.drop.threshold << 16 : word << 16 >= a.drop.threshold << 16;
}

/* Words of this lane's rows g and g + 8 and its columns of a tile of keys: of column 8 n + 2 t + e
 * half e of word[half][n]. */
static __device__ __forceinline__ void query_words(const struct tiles &a, const struct spot &p,
                                                   const struct drop_row row[2], unsigned step,
                                                   uint32_t word[2][PIECES])
{
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const uint32_t block = step * PIECES + (unsigned)(4 * h + p.t);
        const uint64_t of = (uint64_t)PHILOX_1 * block;
#pragma unroll
        for (int half = 0; half < 2; half++)
            drop_words(a, row[half], of, word[half] + 4 * h);
    }
}

/* -Inf for keys of a step that lie beyond the cell. */
static __device__ __forceinline__ void hide(const struct spot &p, unsigned step,
                                            float s[CUDA_GROUP_SUMS])
{
    if (step + 1 < p.tiles)
        return;
    const int keys = (int)(p.rows - (size_t)step * ROWS);
#pragma unroll
    for (int i = 0; i < CUDA_GROUP_SUMS; i++)
        if (key_of(i / 4, p.t, i % 2) >= keys)
            s[i] = -INFINITY;
}

/* Row of the cell that holds this lane's sums of a half. */
static __device__ __forceinline__ size_t own_query(const struct spot &p, int half)
{
    return (size_t)(p.begin + (unsigned)p.group) * ROWS + (size_t)(16 * p.warp + 8 * half + p.g);
}

static __device__ __forceinline__ struct drop_row own_drop(const struct tiles &a,
                                                           const struct spot &p, int half)
{
    const size_t row = own_query(p, half);
    const bool there = a.drop.threshold && row < p.rows;
    return drop_row_of(a, there ? a.drop.row_key[p.first + row] : 0, p.head);
}

/* How many warpgroups of a block have a tile. */
static __device__ __forceinline__ int groups_at(const struct spot &p, int groups)
{
    return p.tiles - p.begin < (unsigned)groups ? (int)(p.tiles - p.begin) : groups;
}

static __device__ __forceinline__ void store_piece(uint16_t *tile, int row, int piece,
                                                   const float x[PIECE])
{
    uint32_t *const to = (uint32_t *)(tile + piece_at(row, piece));
#pragma unroll
    for (int i = 0; i < PIECE / 2; i++)
        to[i] = cuda_bf16_pair(x[2 * i], x[2 * i + 1]);
}

/* A block packs a tile of q, k or v (z); a thread takes 8 columns of a row at a time. 6 bytes an
 * item, 4 where they are kept rounded. */
static __global__ void attention_tiles(struct tiles a)
{
    const struct spot p = spot_of(a, 1);
    if (p.begin >= p.tiles)
        return;
    const unsigned z = blockIdx.z;
    const void *const x = z == 0 ? a.o.q : z == 1 ? a.o.k : a.o.v;
    const void *const low = z == 0 ? a.o.q_low : z == 1 ? a.o.k_low : a.o.v_low;
    uint16_t *const to = (z == 0 ? a.q : z == 1 ? a.k : a.v) + (p.tile + p.begin) * TILE_ITEMS;
    for (int k = (int)threadIdx.x; k < ROWS * PIECES; k += PACK_THREADS) {
        const int row = k / PIECES, piece = k % PIECES;
        const size_t from = (size_t)p.begin * ROWS + (size_t)row;
        float v[PIECE] = {};
        if (from < p.rows)
            cuda_load8(x, low, (p.first + from) * a.o.d + p.head * a.width, (size_t)piece * PIECE,
                       a.width, v);
        store_piece(to, z ? key_row(row) : row, piece, v);
    }
}

/* A cell of n rows begins at tile first / 64 + its number: there is room for a last tile that is
 * not full. */
static inline size_t tiles_of(const struct op_attention *o)
{
    return o->n / ROWS + o->n_cells;
}

static inline struct tiles tiles_at(const struct cuda *c, const struct op_attention *o)
{
    const size_t width = o->d / o->heads, items = o->heads * tiles_of(o) * TILE_ITEMS;
    uint16_t *const work = (uint16_t *)c->work;
    uint16_t *const at = o->kept ? (uint16_t *)o->kept : work;
    uint16_t *const dy = o->kept ? work : work + 3 * items;
    struct tiles a = { *o,
                       cuda_drop_of(&o->drop),
                       {},
                       at,
                       at + items,
                       at + 2 * items,
                       dy,
                       (struct notes *)(dy + items),
                       width,
                       tiles_of(o),
                       (float)(1 / sqrt((double)width)) };
    for (int r = 0; r < ROUNDS; r++) {
        a.round_key[2 * r] = (uint32_t)o->drop.seed + (uint32_t)r * 0x9E3779B9u;
        a.round_key[2 * r + 1] = (uint32_t)(o->drop.seed >> 32) + (uint32_t)r * 0xBB67AE85u;
    }
    return a;
}

static inline dim3 blocks_of(const struct op_attention *o, int groups, unsigned z)
{
    return dim3((unsigned)(o->n_cells * o->heads), cuda_blocks(o->longest, (size_t)groups * ROWS),
                z);
}

static inline int pack(int status, const struct cuda *c, const struct tiles &a)
{
    CUDA_LAUNCH(status, c, attention_tiles, blocks_of(&a.o, 1, 3), PACK_THREADS, 0, a);
    return status;
}

#endif
