/* Kernels with one bug each, and one without, so that a test can see the emulation notice. */
#include "tests/cuemu/broken.h"

#include "tests/cuemu/cuemu.h"

enum { N = 64 };

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

int broken_run(enum broken which, float *out)
{
    static void (*const kernel[])(float *) = { whole,        no_barrier,    last_wins,
                                               half_waits,   warp_gone,     part_of_a_warp,
                                               unset_shared, beyond_shared, copies,
                                               never_waits,  products,      half_multiplies };
    return cuemu_run(1, N, N * sizeof(float), [=] { kernel[which](out); });
}

int broken_launch(unsigned threads, size_t shared_bytes)
{
    return cuemu_run(1, threads, shared_bytes, [] {});
}
