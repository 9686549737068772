/* Like tests/cuemu/broken.cpp, of what kernels/cuda_tiles.h adds: a warpgroup multiplies tiles that
 * are copied out of matrices which end within them. */
#include "tests/cuemu/broken.h"

#include "lib/tensor/cuda_device.h"
#include "tests/cuemu/cuemu.h"

#include "kernels/cuda_tiles.h"

constexpr int ROWS = 50, DEPTH = 60, COLUMNS = 100, LD = 64, LD_C = 104;
constexpr int TILE_BYTES = 64 * 64 * 2;

/* a [ROWS,DEPTH], b [COLUMNS,DEPTH], c [DEPTH,COLUMNS] of small whole numbers. */
static uint16_t a[ROWS * LD], b[COLUMNS * LD], c[DEPTH * LD_C];
static struct cuda_tile_map map_a, map_b, map_c;

static int number(int matrix, int i, int j)
{
    return (i * (5 + matrix) + j * (3 + 2 * matrix)) % 17 - 8;
}

static void fill(uint16_t *x, int matrix, int rows, int cols, int ld)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < ld; j++) {
            const float f = j < cols ? (float)number(matrix, i, j) : NAN; /* nobody's */
            uint32_t bits;
            memcpy(&bits, &f, sizeof bits);
            x[i * ld + j] = (uint16_t)(bits >> 16);
        }
}

/* Shared memory: a as a tile; b as two below each other; c as two behind each other. */
struct place {
    char *a, *b, *c;
    uint64_t *gate;
};

static struct place copied(int at)
{
    char *const base = cuda_tile_aligned(cuemu_shared());
    const struct place p = { base + at, base + TILE_BYTES, base + 3 * TILE_BYTES,
                             (uint64_t *)(void *)(base + 5 * TILE_BYTES) };
    if (threadIdx.x == 0) {
        cuda_gate_make(p.gate, 1);
        cuda_gate_fence();
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        cuda_gate_expect(p.gate, 5 * TILE_BYTES);
        cuda_tile_copy(p.a, &map_a, 0, 0, p.gate);
        cuda_tile_copy(p.b, &map_b, 0, 0, p.gate);
        cuda_tile_copy(p.c, &map_c, 0, 0, p.gate);
        cuda_tile_copy(p.c + TILE_BYTES, &map_c, 64, 0, p.gate);
    }
    __syncwarp();
    return p;
}

template <bool TURNED> static void multiply(const struct place &p, float sum[CUDA_WIDE_SUMS])
{
    const uint64_t left = cuda_tiles_of(p.a), right = cuda_tiles_of(TURNED ? p.c : p.b);
    cuda_group_fence();
    for (int k = 0; k < 4; k++)
        cuda_group_wide<TURNED>(sum, cuda_tile_columns(left, k),
                                TURNED ? cuda_tile_rows(right, k) : cuda_tile_columns(right, k),
                                TURNED || k);
    cuda_group_commit();
}

/* a b^T, and 1 + a c: the number of wrong sums. */
static void tiles(float *out)
{
    const struct place p = copied(0);
    float sum[2][CUDA_WIDE_SUMS], wrong = 0;
    for (int i = 0; i < CUDA_WIDE_SUMS; i++)
        sum[1][i] = 1;
    cuda_gate_wait(p.gate, 0);
    multiply<false>(p, sum[0]);
    multiply<true>(p, sum[1]);
    cuda_group_wait<0>();
    const int lane = (int)threadIdx.x % 32;
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < CUDA_WIDE_SUMS; i++) {
            const int r = (int)threadIdx.x / 32 * 16 + lane / 4 + i / 2 % 2 * 8;
            const int col = i / 4 * 8 + lane % 4 * 2 + i % 2;
            int want = turn;
            for (int k = 0; k < DEPTH && r < ROWS && col < COLUMNS; k++)
                want += number(0, r, k) * (turn ? number(2, k, col) : number(1, col, k));
            wrong += (float)(sum[turn][i] != (float)want);
        }
    for (int i = 0; i < 32; i++)
        wrong += __shfl_sync(0xffffffffu, wrong, i) != 0;
    if (threadIdx.x < BROKEN_ITEMS)
        out[threadIdx.x] = wrong;
}

/* A product of tiles that have not come yet. */
static void tile_early(float *)
{
    const struct place p = copied(0);
    float sum[CUDA_WIDE_SUMS] = {};
    multiply<false>(p, sum);
    cuda_gate_wait(p.gate, 0);
    cuda_group_wait<0>();
}

/* The next tile is copied to where a product still reads; which: a or b. */
static void tile_over(bool left)
{
    const struct place p = copied(0);
    float sum[CUDA_WIDE_SUMS] = {};
    cuda_gate_wait(p.gate, 0);
    multiply<false>(p, sum);
    __syncthreads();
    if (threadIdx.x == 0) {
        cuda_gate_expect(p.gate, left ? TILE_BYTES : 2 * TILE_BYTES);
        cuda_tile_copy(left ? p.a : p.b, left ? &map_a : &map_b, 0, 8, p.gate);
    }
    __syncwarp();
    cuda_group_wait<0>();
    cuda_gate_wait(p.gate, 1);
}

static void left_over(float *)
{
    tile_over(true);
}

static void right_over(float *)
{
    tile_over(false);
}

/* A tile where no swizzle begins. */
static void tile_beside(float *)
{
    const struct place p = copied(512);
    cuda_gate_wait(p.gate, 0);
}

int broken_tiles_run(enum broken which, float *out)
{
    static void (*const kernel[])(float *) = { tiles, tile_early, left_over, right_over,
                                               tile_beside };
    fill(a, 0, ROWS, DEPTH, LD);
    fill(b, 1, COLUMNS, DEPTH, LD);
    fill(c, 2, DEPTH, COLUMNS, LD_C);
    const int status = cuda_tile_map(&map_a, a, ROWS, DEPTH, LD, 64) ||
                       cuda_tile_map(&map_b, b, COLUMNS, DEPTH, LD, 128) ||
                       cuda_tile_map(&map_c, c, DEPTH, COLUMNS, LD_C, 64);
    return status || cuemu_run(1, CUDA_GROUP, 1024 + 5 * TILE_BYTES + sizeof(uint64_t),
                               [=] { kernel[which - TILES](out); });
}
