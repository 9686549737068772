/* Kernels with one bug each, and one without, so that a test can see the emulation notice. */
#include "tests/cuemu/broken.h"

#include "tests/cuemu/cuemu.h"

#include "kernels/cuda_wgmma.h"

constexpr int N = 64;

/* Every thread adds its number to the sum of the threads behind it. */
static void whole(float *out)
{
    __shared__ float x[N];
    x[threadIdx.x] = (float)threadIdx.x;
    __syncthreads();
    float sum = 0;
    for (unsigned i = threadIdx.x; i < N; i++)
        sum += x[i];
    out[threadIdx.x] = sum + __shfl_xor_sync(0xffffffffu, sum, 1);
}

/* The same without the barrier: what is read depends on who ran before. */
static void no_barrier(float *out)
{
    __shared__ float x[N];
    x[threadIdx.x] = -(float)threadIdx.x;
    float sum = 0;
    for (unsigned i = 0; i < N; i++)
        sum += x[i];
    out[threadIdx.x] = sum;
    __syncthreads();
    x[threadIdx.x] = 0;
}

/* All threads write one place. */
static void last_wins(float *out)
{
    *out = (float)threadIdx.x;
}

/* Half of the warp waits, half is gone. */
static void half_waits(float *out)
{
    if (threadIdx.x % 2)
        __syncthreads();
    out[threadIdx.x] = 1;
}

/* One warp waits for the other, which is gone. */
static void warp_gone(float *out)
{
    if (threadIdx.x < 32)
        return;
    __syncthreads();
    out[threadIdx.x] = 1;
}

static void part_of_a_warp(float *out)
{
    out[threadIdx.x] = __shfl_xor_sync(0xffffu, 1.0f, 1);
}

static void unset_shared(float *out)
{
    out[threadIdx.x] = ((const float *)cuemu_shared())[threadIdx.x];
}

static void beyond_shared(float *out)
{
    ((float *)cuemu_shared())[threadIdx.x + 1] = out[threadIdx.x];
}

/* Two groups of copies of 16 bytes, the first one waited for. */
static void copies(float *out)
{
    alignas(16) static float from[2 * 4 * N], x[2 * 4 * N];
    const unsigned i = threadIdx.x;
    for (unsigned k = 0; k < 4; k++) {
        from[4 * i + k] = (float)(4 * i + k);
        from[4 * (N + i) + k] = -1;
    }
    cuda_copy_start<16>(x + 4 * i, from + 4 * i, i < N - 1);
    cuda_copy_group();
    cuda_copy_start<16>(x + 4 * (N + i), from + 4 * (N + i), true);
    cuda_copy_group();
    cuda_copy_wait<1>();
    __syncthreads();
    const float early = x[4 * (N + i) + 1];
    out[i] = early == early ? -1 : x[4 * ((i + 1) % N) + 2]; /* a NaN until it has arrived */
    cuda_copy_wait<0>();
    out[i] += x[4 * (N + i) + 3];
}

static void never_waits(float *out)
{
    alignas(16) static float x[4 * N];
    cuda_copy_start<16>(x + 4 * threadIdx.x, x, false);
    cuda_copy_group();
    out[threadIdx.x] = 0;
}

static uint16_t small_bf16(int x)
{
    const float f = (float)x;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return (uint16_t)(bits >> 16);
}

/* a [16,16] times the transpose of b [8,16] and times c [16,8], against sums of whole numbers:
 * out is the number of sums that are wrong. */
static void products(float *out)
{
    alignas(16) static uint16_t a[16 * 16], b[16 * 16], c[16 * 16];
    const auto of = [](int m, int i, int j) { return (i * (5 + m) + j * (3 + 2 * m)) % 17 - 8; };
    for (int k = (int)threadIdx.x; k < 16 * 16; k += N) {
        a[k] = small_bf16(of(0, k / 16, k % 16));
        b[k] = small_bf16(of(1, k / 16, k % 16));
        c[k] = small_bf16(of(2, k / 16, k % 16));
    }
    __syncthreads();
    const int lane = (int)threadIdx.x % 32;
    uint32_t wa[4], wb[4], wc[4];
    float sum[4] = {}, turned[4] = {};
    cuda_matrix4(wa, a + lane % 16 * 16 + lane / 16 * 8);
    cuda_matrix4(wb, b + (lane % 8 + lane / 16 * 8) * 16 + lane / 8 % 2 * 8);
    cuda_matrix4_turned(wc, c + lane % 16 * 16 + lane / 16 * 8);
    cuda_mma(sum, wa, wb + 2); /* rows 8 to 15 of b */
    cuda_mma(turned, wa, wc + 2);
    float wrong = 0;
    for (int e = 0; e < 4; e++) {
        const int i = lane / 4 + e / 2 * 8, j = 8 + lane % 4 * 2 + e % 2;
        int want = 0, want_turned = 0;
        for (int k = 0; k < 16; k++) {
            want += of(0, i, k) * of(1, j, k);
            want_turned += of(0, i, k) * of(2, k, j);
        }
        wrong += (float)((sum[e] != (float)want) + (turned[e] != (float)want_turned));
    }
    out[threadIdx.x] = wrong;
}

/* A matrix instruction that half of a warp calls. */
static void half_multiplies(float *out)
{
    const uint32_t a[4] = {}, b[2] = {};
    float sum[4] = {};
    if (threadIdx.x % 2)
        cuda_mma(sum, a, b);
    out[threadIdx.x] = sum[0];
}

/* Two tiles of small whole numbers as kernels/cuda_wgmma.h wants them, 128 threads of two
 * warpgroups each, by all threads. */
constexpr int TILE = 64 * 64, GROUPS = 2;
static int number(int tile, int i, int j)
{
    return (i * (5 + tile) + j * (3 + 2 * tile)) % 17 - 8;
}

static char *two_tiles(void)
{
    char *const base = cuda_tile_aligned(cuemu_shared());
    uint16_t *const x = (uint16_t *)(void *)base;
    for (int k = (int)threadIdx.x; k < 2 * TILE; k += GROUPS * CUDA_GROUP) {
        const int tile = k / TILE, i = k / 64 % 64, j = k % 64;
        x[tile * TILE + i * 64 + (j / 8 ^ i % 8) * 8 + j % 8] = small_bf16(number(tile, i, j));
    }
    __syncthreads();
    return base;
}

/* This warp's 16 rows of the first tile. */
static void first_rows(const char *base, uint32_t a[4][4])
{
    const int lane = (int)threadIdx.x % 32, row = (int)threadIdx.x / 32 % 4 * 16 + lane % 16;
    for (int c = 0; c < 4; c++)
        cuda_matrix4(a[c], base + 128 * row + ((2 * c + lane / 16) ^ row % 8) * 16);
}

/* The first tile times the transpose of the second and, to 1, times the second: the number of wrong
 * sums. */
static void group_products(float *out)
{
    const char *const base = two_tiles();
    const uint64_t tile = cuda_tile_of(base + 2 * TILE);
    float sum[32], rows[32];
    uint32_t a[4][4];
    first_rows(base, a);
    for (int i = 0; i < 32; i++)
        rows[i] = 1;
    cuda_group_fence();
    for (int c = 0; c < 4; c++)
        cuda_group_mma<false>(sum, a[c], cuda_tile_columns(tile, c), c > 0);
    cuda_group_commit();
    cuda_group_fence();
    for (int c = 0; c < 4; c++)
        cuda_group_mma<true>(rows, a[c], cuda_tile_rows(tile, c), true);
    cuda_group_commit();
    cuda_group_wait<1>();
    float wrong = 0;
    for (int i = 0; i < 32; i++)
        wrong += (float)(rows[i] == rows[i]); /* still under way */
    const int lane = (int)threadIdx.x % 32;
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 32; i++) {
            const int r = (int)threadIdx.x / 32 % 4 * 16 + lane / 4 + i / 2 % 2 * 8;
            const int col = i / 4 * 8 + lane % 4 * 2 + i % 2;
            int want = turn;
            for (int k = 0; k < 64; k++)
                want += number(0, r, k) * (turn ? number(1, k, col) : number(1, col, k));
            wrong += (float)((turn ? rows : sum)[i] != (float)want);
        }
        cuda_group_wait<0>();
    }
    if (threadIdx.x < N)
        out[threadIdx.x] = wrong;
}

/* One product with a bug. */
static void group_bug(float *out, bool fenced, bool waits, bool overwritten, bool unlike)
{
    char *const base = two_tiles();
    float sum[32] = {};
    uint32_t a[4][4];
    first_rows(base, a);
    if (fenced)
        cuda_group_fence();
    cuda_group_mma<false>(sum, a[0],
                          cuda_tile_columns(cuda_tile_of(base), unlike ? (int)threadIdx.x / 32 : 0),
                          false);
    cuda_group_commit();
    if (overwritten)
        memset(base, 0, 64);
    const float early = sum[5];
    if (waits)
        cuda_group_wait<0>();
    if (threadIdx.x < N)
        out[threadIdx.x] = early;
}

static void group_early(float *out)
{
    group_bug(out, true, true, false, false);
}

static void group_forgotten(float *out)
{
    group_bug(out, true, false, false, false);
}

static void group_unfenced(float *out)
{
    group_bug(out, false, true, false, false);
}

static void group_overwritten(float *out)
{
    group_bug(out, true, true, true, false);
}

static void group_unlike(float *out)
{
    group_bug(out, true, true, false, true);
}

/* A warp copies four pieces through two places, the others add them up. */
static void pass_pieces(float *out, bool opens, bool waits, unsigned announced)
{
    constexpr int PIECES = 4, PLACES = 2, READERS = N / 32;
    alignas(16) static float from[PIECES * N];
    alignas(16) static float place[PLACES][N];
    static uint64_t full[PLACES], empty[PLACES];
    for (unsigned k = threadIdx.x; k < PIECES * N; k += N + 32)
        from[k] = (float)k;
    if (threadIdx.x == 0)
        for (int i = 0; i < PLACES; i++) {
            cuda_gate_make(&full[i], 1);
            cuda_gate_make(&empty[i], READERS);
        }
    __syncthreads();
    float sum = 0;
    for (unsigned i = 0; i < PIECES; i++) {
        const unsigned at = i % PLACES, turn = i / PLACES;
        if (threadIdx.x >= N) {
            if (turn)
                cuda_gate_wait(&empty[at], (turn - 1) % 2);
            if (threadIdx.x == N) {
                cuda_gate_expect(&full[at], announced);
                cuda_bulk_copy(place[at], from + i * N, sizeof place[at], &full[at]);
            }
            continue;
        }
        if (waits)
            cuda_gate_wait(&full[at], turn % 2);
        sum += place[at][(threadIdx.x + 1) % N];
        __syncwarp();
        if (opens && threadIdx.x % 32 == 0)
            cuda_gate_arrive(&empty[at]);
    }
    if (threadIdx.x < N)
        out[threadIdx.x] = sum;
}

static void gates(float *out)
{
    pass_pieces(out, true, true, N * sizeof(float));
}

static void gate_shut(float *out)
{
    pass_pieces(out, false, true, N * sizeof(float));
}

static void bulk_early(float *out)
{
    pass_pieces(out, true, false, N * sizeof(float));
}

static void bulk_more(float *out)
{
    pass_pieces(out, true, true, N * sizeof(float) - 16);
}

int broken_run(enum broken which, float *out)
{
    static void (*const kernel[])(float *) = {
        whole,          no_barrier,        last_wins,      half_waits,  warp_gone,
        part_of_a_warp, unset_shared,      beyond_shared,  copies,      never_waits,
        products,       half_multiplies,   group_products, group_early, group_forgotten,
        group_unfenced, group_overwritten, group_unlike,   gates,       gate_shut,
        bulk_early,     bulk_more
    };
    if (which >= TILES)
        return broken_tiles_run(which, out);
    if (which >= GATES)
        return cuemu_run(1, N + 32, 0, [=] { kernel[which](out); });
    if (which >= GROUP_PRODUCTS)
        return cuemu_run(1, GROUPS * CUDA_GROUP, 1024 + 2 * TILE * sizeof(uint16_t),
                         [=] { kernel[which](out); });
    return cuemu_run(1, N, N * sizeof(float), [=] { kernel[which](out); });
}

int broken_launch(unsigned threads, size_t shared_bytes)
{
    return cuemu_run(1, threads, shared_bytes, [] {});
}
