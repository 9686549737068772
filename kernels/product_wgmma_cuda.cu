/* Products with GELU in them, by warpgroups (sm_90a); rounding as in docs/gpu.md, "Rounded forms".
 *
 *   forward    pre = a b^T + bias rounded, y = GELU(pre) rounded      a [m,k], b [n,k]
 *   backward   g = GELU'(pre) * (a b rounded) rounded, and column     a [m,k], b [k,n]
 *              sums of what g is before it is rounded
 *
 * GELU takes some 20 instructions a sum, of 768 terms in the Base model: half of the slots in which
 * a multiprocessor can issue while its tensor cores make the sums. So the two go on beside each
 * other, in different warps. A block (one a multiprocessor, going over tiles) has
 *
 *   copying      1 warp   fills stages with tiles of a and b, one instruction each by a map of the
 *                         matrix, with zeros beyond its edges; the bias with a tile's last stage
 *   multiplying  2 groups each 64 rows x 256 columns of sums in registers: m64n128k16 twice, a and b
 *                         from shared memory; rounds the sums to bf16, which is all that the rest
 *                         wants, into a tile there, and goes on with its next tile
 *   finishing    2 groups each takes one multiplying group's rows from there: rows of 512 bytes, 16
 *                         a lane, so that what it reads and writes of memory are whole lines
 *
 * Multiplying stands still only while 128 sums a thread are rounded, some 500 of 12,300 cycles.
 * Where two groups take turns, one multiplying while the other finishes, a scheduler has one warp
 * for the 20 instructions, and they read and write 16 bytes of a row at a time. Tiles of 128 x 256
 * because of what a multiprocessor gets from the L2 cache: 48 bytes a cycle at the peak rate, where
 * 128 x 128 would want 64. Three stages of 48 KB, each 1,024 cycles of products, are what has room.
 * m64n256k16 would read a once, but ptxas wants 154 registers at launch for it, where 640 threads
 * have 96.
 *
 * Column sums: a warp has 16 rows, four of them OP_ROW_BLOCK; added in rising order, then blocks as
 * in kernels/cuda_sums.h. No atomics: equal runs, equal bytes. 4 bytes a sum of memory besides a
 * and b, backward 4. Compiled for sm_90a and run emulated, never run on a device. */
#include "kernels/cuda_ops.h"

#include "kernels/cuda_act.h"
#include "kernels/cuda_tiles.h"
#include "kernels/product_tiles.h"

constexpr int ROWS = PRODUCT_ROWS, COLUMNS = PRODUCT_COLUMNS, DEPTH = PRODUCT_DEPTH;
constexpr int STAGES = PRODUCT_STAGES, MULTIPLY = PRODUCT_MULTIPLY, GROUP_ROWS = ROWS / MULTIPLY;
constexpr int THREADS = PRODUCT_GROUPS * CUDA_GROUP, GROUP_WARPS = CUDA_GROUP / CUDA_WARP;
constexpr int WARP_ROWS = GROUP_ROWS / GROUP_WARPS, HALVES = 2;
constexpr int AHEAD = 4; /* loads that are under way together */
constexpr unsigned A_BYTES = ROWS * DEPTH * 2, B_BYTES = COLUMNS * DEPTH * 2;
constexpr unsigned HALF_BYTES = B_BYTES / HALVES, STAGE_BYTES = A_BYTES + B_BYTES;
constexpr unsigned TILE = 64, TILE_BYTES = TILE * TILE * 2;
/* Of a row of rounded sums: so that 8 rows of 4 lanes each lie in different banks. */
constexpr unsigned LINE_BYTES = COLUMNS * 2 + 16, BIAS_BYTES = COLUMNS * 2;

static_assert(DEPTH == TILE && GROUP_ROWS == TILE && COLUMNS == HALVES * CUDA_WIDE,
              "what a product takes");
static_assert(GROUP_ROWS == OP_ROW_BLOCK, "a finishing group sums a block of rows");
static_assert(CUDA_WARP * 8 == COLUMNS, "a lane has 8 columns");
static_assert(WARP_ROWS * LINE_BYTES >= COLUMNS * sizeof(float), "sums fit in a warp's rows");

/* Registers of a thread of each kind. A block is launched with 96 for each, the most that as many
 * threads can have, and no more may be given than are given away. */
constexpr int LAUNCHED = 65536 / THREADS / 8 * 8;
constexpr int REGISTERS_MULTIPLY = 160, REGISTERS_FINISH = 64, REGISTERS_COPY = 32;
static_assert(MULTIPLY * (REGISTERS_MULTIPLY + REGISTERS_FINISH) + REGISTERS_COPY <=
                  PRODUCT_GROUPS * LAUNCHED,
              "registers go round");

struct product {
    struct cuda_tile_map a, b;
    size_t rows, cols;
    unsigned steps, across, tiles; /* of a sum; tiles in a row of them; all tiles */
    const uint16_t *bias;          /* forward; may be NULL */
    uint16_t *pre, *y;             /* backward: y is g, pre is read */
    float *part;                   /* backward: sums of each OP_ROW_BLOCK rows */
};

struct gates {
    uint64_t full[STAGES], empty[STAGES];
    uint64_t rounded[MULTIPLY], taken[MULTIPLY]; /* rows of sums stand there, and may be replaced */
    uint64_t summed[MULTIPLY];                   /* each warp's column sums do */
};

/* Shared memory. */
struct places {
    char *stage, *line, *bias;
    struct gates *gate;
};
constexpr size_t SHARED_BYTES =
    1024 + STAGES * (STAGE_BYTES + BIAS_BYTES) + ROWS * LINE_BYTES + sizeof(struct gates);
static_assert(SHARED_BYTES <= 227 << 10, "a multiprocessor has room");

static __device__ __forceinline__ struct places places_of(void *shared)
{
    struct places at;
    at.stage = cuda_tile_aligned(shared);
    at.line = at.stage + STAGES * STAGE_BYTES;
    at.bias = at.line + ROWS * LINE_BYTES;
    at.gate = (struct gates *)(at.bias + STAGES * BIAS_BYTES);
    if (threadIdx.x == 0) {
        for (int s = 0; s < STAGES; s++) {
            cuda_gate_make(&at.gate->full[s], 1);
            cuda_gate_make(&at.gate->empty[s], MULTIPLY * GROUP_WARPS);
        }
        for (int g = 0; g < MULTIPLY; g++) {
            cuda_gate_make(&at.gate->rounded[g], GROUP_WARPS);
            cuda_gate_make(&at.gate->taken[g], GROUP_WARPS);
            cuda_gate_make(&at.gate->summed[g], GROUP_WARPS);
        }
        cuda_gate_fence();
    }
    __syncthreads();
    return at;
}

/* This thread, in its kind's group. */
struct who {
    int group, warp, lane;
};

/* The whole warp has done what the gate is about. */
static __device__ __forceinline__ void warp_arrives(const struct who &me, uint64_t *gate)
{
    __syncwarp();
    if (me.lane == 0)
        cuda_gate_arrive(gate);
}

static __device__ __forceinline__ unsigned row_of(const struct product &p, unsigned tile)
{
    return tile / p.across * ROWS;
}

static __device__ __forceinline__ unsigned column_of(const struct product &p, unsigned tile)
{
    return tile % p.across * COLUMNS;
}

template <bool BACK>
static __device__ __forceinline__ void copy_step(const struct product &p, const struct places &at,
                                                 unsigned row, unsigned col, unsigned k, unsigned s)
{
    char *const a = at.stage + s * STAGE_BYTES, *const b = a + A_BYTES;
    uint64_t *const gate = &at.gate->full[s];
    const size_t left = p.cols - col;
    const unsigned bias = BACK || !p.bias || k + 1 < p.steps ? 0
                          : left < COLUMNS                   ? (unsigned)left * 2
                                                             : BIAS_BYTES;
    cuda_gate_expect(gate, STAGE_BYTES + bias);
    cuda_tile_copy(a, &p.a, k * DEPTH, row, gate);
    if (!BACK)
        cuda_tile_copy(b, &p.b, k * DEPTH, col, gate);
    for (unsigned j = 0; BACK && j < COLUMNS / TILE; j++)
        cuda_tile_copy(b + j * TILE_BYTES, &p.b, col + j * TILE, k * DEPTH, gate);
    if (bias)
        cuda_bulk_copy(at.bias + s * BIAS_BYTES, p.bias + col, bias, gate);
}

template <bool BACK>
static __device__ __forceinline__ void copy(const struct product &p, const struct places &at,
                                            const struct who &me)
{
    unsigned step = 0;
    for (unsigned tile = blockIdx.x; tile < p.tiles; tile += gridDim.x) {
        const unsigned row = row_of(p, tile), col = column_of(p, tile);
        for (unsigned k = 0; k < p.steps; k++, step++) {
            const unsigned s = step % STAGES, turn = step / STAGES;
            __syncwarp();
            if (turn)
                cuda_gate_wait(&at.gate->empty[s], (turn - 1) % 2);
            if (me.lane == 0)
                copy_step<BACK>(p, at, row, col, k, s);
        }
    }
}

/* A thread's sums, of the left and the right columns. */
typedef float sums[HALVES][CUDA_WIDE_SUMS];

/* Queues a step's products. */
template <bool BACK>
static __device__ __forceinline__ void add_step(const struct places &at, const struct who &me,
                                                unsigned step, bool add, sums &sum)
{
    const unsigned s = step % STAGES;
    const char *const stage = at.stage + s * STAGE_BYTES;
    const uint64_t a = cuda_tiles_of(stage + me.group * TILE_BYTES);
    const uint64_t b = cuda_tiles_of(stage + A_BYTES);
    cuda_gate_wait(&at.gate->full[s], step / STAGES % 2);
    cuda_group_fence();
#pragma unroll
    for (int c = 0; c < DEPTH / 16; c++)
#pragma unroll
        for (int h = 0; h < HALVES; h++) {
            const uint64_t half = b + (uint64_t)h * (HALF_BYTES >> 4);
            cuda_group_wide<BACK>(sum[h], cuda_tile_columns(a, c),
                                  BACK ? cuda_tile_rows(half, c) : cuda_tile_columns(half, c),
                                  add || c);
        }
    cuda_group_commit();
}

/* bias: of the tile's columns, or NULL; read a few columns ahead of what is written. */
static __device__ __forceinline__ void round_sums(const struct places &at, const struct who &me,
                                                  const char *bias, const sums &sum)
{
    const int g = me.lane / 4, t = me.lane % 4;
    char *const to = at.line + (me.group * GROUP_ROWS + me.warp * 16 + g) * LINE_BYTES + 4 * t;
#pragma unroll
    for (int n = 0; n < COLUMNS / 8; n += AHEAD) {
        uint32_t two[AHEAD];
#pragma unroll
        for (int i = 0; i < AHEAD; i++)
            two[i] = bias ? *(const uint32_t *)(bias + 16 * (n + i) + 4 * t) : 0;
#pragma unroll
        for (int i = 0; i < 2 * AHEAD; i++) {
            const int m = n + i / 2, half = i % 2;
            const float *const s = sum[m / (CUDA_WIDE / 8)] + 4 * (m % (CUDA_WIDE / 8)) + 2 * half;
            const float left = bias ? cuda_of_bf16(two[i / 2] & 0xffff) : 0;
            const float right = bias ? cuda_of_bf16(two[i / 2] >> 16) : 0;
            *(uint32_t *)(to + half * 8 * LINE_BYTES + 16 * m) =
                cuda_bf16_pair(s[0] + left, s[1] + right);
        }
    }
}

template <bool BACK>
static __device__ __forceinline__ void multiply(const struct product &p, const struct places &at,
                                                const struct who &me)
{
    sums sum;
    unsigned step = 0, turn = 0;
    for (unsigned tile = blockIdx.x; tile < p.tiles; tile += gridDim.x, turn++) {
        add_step<BACK>(at, me, step++, false, sum);
        for (unsigned k = 1; k < p.steps; k++, step++) {
            add_step<BACK>(at, me, step, true, sum);
            cuda_group_wait<1>();
            warp_arrives(me, &at.gate->empty[(step - 1) % STAGES]);
        }
        cuda_group_wait<0>();
        for (int h = 0; h < HALVES; h++)
            cuda_wide_done(sum[h]);
        if (turn)
            cuda_gate_wait(&at.gate->taken[me.group], (turn - 1) % 2);
        const unsigned last = (step - 1) % STAGES;
        round_sums(at, me, !BACK && p.bias ? at.bias + last * BIAS_BYTES : NULL, sum);
        warp_arrives(me, &at.gate->rounded[me.group]);
        if (me.lane == 0)
            cuda_gate_arrive(&at.gate->empty[last]);
    }
}

/* Where a finishing thread stands: its warp's rows, its 8 columns. */
struct spot {
    size_t row, col, at; /* at: the first item */
    int rows;            /* that there are, of WARP_ROWS; 0 where the columns end before */
    char *line;
};

static __device__ __forceinline__ struct spot
spot_of(const struct product &p, const struct places &at, const struct who &me, unsigned tile)
{
    const int first = me.group * GROUP_ROWS + me.warp * WARP_ROWS;
    struct spot o;
    o.row = row_of(p, tile) + (unsigned)first;
    o.col = column_of(p, tile) + (unsigned)me.lane * 8;
    o.at = o.row * p.cols + o.col;
    o.rows = o.col >= p.cols || o.row >= p.rows   ? 0
             : p.rows - o.row < (size_t)WARP_ROWS ? (int)(p.rows - o.row)
                                                  : WARP_ROWS;
    o.line = at.line + first * LINE_BYTES;
    return o;
}

static __device__ __forceinline__ void finish_forward(const struct product &p,
                                                      const struct places &at, const struct who &me)
{
    unsigned turn = 0;
    for (unsigned tile = blockIdx.x; tile < p.tiles; tile += gridDim.x, turn++) {
        const struct spot o = spot_of(p, at, me, tile);
        cuda_gate_wait(&at.gate->rounded[me.group], turn % 2);
#pragma unroll 2
        for (int r = 0; r < o.rows; r++) {
            const uint16_t *const from = (const uint16_t *)(o.line + r * LINE_BYTES) + me.lane * 8;
            const size_t to = o.at + (size_t)r * p.cols;
            float v[8];
            *(uint4 *)(p.pre + to) = *(const uint4 *)from;
            cuda_get8(from, v);
            for (int k = 0; k < 8; k++)
                v[k] = cuda_quick_act<ACT_GELU>(v[k]);
            cuda_put8(p.y + to, v);
        }
        warp_arrives(me, &at.gate->taken[me.group]);
    }
}

/* AHEAD rows of pre, those that there are. */
static __device__ __forceinline__ void get_ahead(const struct product &p, const struct spot &o,
                                                 int from, uint4 x[AHEAD])
{
#pragma unroll
    for (int i = 0; i < AHEAD; i++)
        if (from + i < o.rows)
            x[i] = *(const uint4 *)(p.pre + o.at + (size_t)(from + i) * p.cols);
}

/* g of a row; adds to the column sums what it is before it is rounded. */
static __device__ __forceinline__ void slope_row(const uint4 *pre, const uint16_t *from,
                                                 uint16_t *to, float sum[8])
{
    float x[8], v[8];
    cuda_get8((const uint16_t *)pre, x);
    cuda_get8(from, v);
    for (int k = 0; k < 8; k++) {
        v[k] *= cuda_quick_slope<ACT_GELU>(x[k]);
        sum[k] += v[k];
    }
    cuda_put8(to, v);
}

/* The four warps' sums, added in rising order; they stand where the warps' rows were. */
static __device__ __forceinline__ void join_warps(const struct product &p, const struct places &at,
                                                  const struct who &me, unsigned tile)
{
    const size_t row = row_of(p, tile) + (size_t)me.group * GROUP_ROWS;
    for (int i = 0; row < p.rows && i < COLUMNS / CUDA_GROUP; i++) {
        const int j = i * CUDA_GROUP + me.warp * CUDA_WARP + me.lane;
        const size_t col = column_of(p, tile) + (unsigned)j;
        float sum = 0;
        for (int w = 0; w < GROUP_WARPS; w++)
            sum += ((const float *)(at.line +
                                    (me.group * GROUP_ROWS + w * WARP_ROWS) * LINE_BYTES))[j];
        if (col < p.cols)
            p.part[row / OP_ROW_BLOCK * p.cols + col] = sum;
    }
}

static __device__ __forceinline__ void
finish_backward(const struct product &p, const struct places &at, const struct who &me)
{
    unsigned turn = 0;
    for (unsigned tile = blockIdx.x; tile < p.tiles; tile += gridDim.x, turn++) {
        const struct spot o = spot_of(p, at, me, tile);
        float sum[8] = {};
        uint4 x[AHEAD];
        get_ahead(p, o, 0, x); /* beside the products */
        cuda_gate_wait(&at.gate->rounded[me.group], turn % 2);
        for (int r = 0; r < o.rows; r += AHEAD) {
#pragma unroll
            for (int i = 0; i < AHEAD; i++)
                if (r + i < o.rows)
                    slope_row(&x[i],
                              (const uint16_t *)(o.line + (r + i) * LINE_BYTES) + me.lane * 8,
                              p.y + o.at + (size_t)(r + i) * p.cols, sum);
            get_ahead(p, o, r + AHEAD, x);
        }
        __syncwarp(); /* all of it has been read */
        float4 *const to = (float4 *)(o.line + me.lane * 8 * sizeof(float));
        to[0] = { sum[0], sum[1], sum[2], sum[3] };
        to[1] = { sum[4], sum[5], sum[6], sum[7] };
        warp_arrives(me, &at.gate->summed[me.group]);
        __syncwarp(); /* all lanes find the gate alike */
        cuda_gate_wait(&at.gate->summed[me.group], turn % 2);
        join_warps(p, at, me, tile);
        warp_arrives(me, &at.gate->taken[me.group]);
    }
}

template <bool BACK>
static __global__ void __launch_bounds__(THREADS, 1)
    product_wgmma(const __grid_constant__ struct product p)
{
    CUDA_SHARED_FLOATS(shared);
    const struct places at = places_of(shared);
    const int kind = (int)threadIdx.x / CUDA_GROUP;
    const struct who me = { kind % MULTIPLY, (int)threadIdx.x / CUDA_WARP % GROUP_WARPS,
                            (int)threadIdx.x % CUDA_WARP };
    if (kind < MULTIPLY) {
        cuda_group_more_registers<REGISTERS_MULTIPLY>();
        multiply<BACK>(p, at, me);
    } else if (kind < 2 * MULTIPLY) {
        cuda_group_fewer_registers<REGISTERS_FINISH>();
        if (BACK)
            finish_backward(p, at, me);
        else
            finish_forward(p, at, me);
    } else {
        cuda_group_fewer_registers<REGISTERS_COPY>();
        if (me.warp == 0)
            copy<BACK>(p, at, me);
    }
}

static bool on_16(const void *x)
{
    return (uintptr_t)x % 16 == 0;
}

bool product_wgmma_fits_cuda(const struct cuda *c, enum act act, const struct cuda_product *p)
{
    const size_t down = (p->m + ROWS - 1) / ROWS, across = (p->n + COLUMNS - 1) / COLUMNS;
    return c->capability == 90 && c->bf16 && p->bf16 && act == ACT_GELU && p->n % 8 == 0 && p->k &&
           p->ld_a % 8 == 0 && p->ld_b % 8 == 0 && on_16(p->a) && on_16(p->b) && on_16(p->bias) &&
           p->m < (size_t)1 << 31 && p->n < (size_t)1 << 31 && p->k < (size_t)1 << 31 &&
           down <= (((size_t)1 << 31) - 1) / (across ? across : 1);
}

template <bool BACK>
static int launch(const struct cuda *c, const struct cuda_product *p, uint16_t *pre, uint16_t *y,
                  float *part)
{
    struct product o = {};
    o.rows = p->m;
    o.cols = p->n;
    o.steps = cuda_blocks(p->k, DEPTH);
    o.across = cuda_blocks(p->n, COLUMNS);
    o.tiles = o.across * cuda_blocks(p->m, ROWS);
    o.bias = (const uint16_t *)p->bias;
    o.pre = pre;
    o.y = y;
    o.part = part;
    if (!o.tiles)
        return 0;
    int status = cuda_tile_map(&o.a, p->a, p->m, p->k, p->ld_a, ROWS);
    if (!status && BACK)
        status = cuda_tile_map(&o.b, p->b, p->k, p->n, p->ld_b, TILE);
    else if (!status)
        status = cuda_tile_map(&o.b, p->b, p->n, p->k, p->ld_b, COLUMNS);
    const unsigned most = (unsigned)c->multiprocessors;
    const auto kernel = product_wgmma<BACK>;
    CUDA_LAUNCH(status, c, kernel, o.tiles < most ? o.tiles : most, THREADS, SHARED_BYTES, o);
    return status;
}

int product_gelu_cuda(const struct cuda *c, const struct cuda_product *p, void *pre, void *y)
{
    return launch<false>(c, p, (uint16_t *)pre, (uint16_t *)y, NULL);
}

int product_gelu_slope_cuda(const struct cuda *c, const struct cuda_product *p, const void *pre,
                            void *g, float *part)
{
    return launch<true>(c, p, (uint16_t *)pre, (uint16_t *)g, part);
}
