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

int broken_run(enum broken which, float *out)
{
    static void (*const kernel[])(float *) = { whole,        no_barrier,   last_wins,
                                               half_waits,   warp_gone,    part_of_a_warp,
                                               unset_shared, beyond_shared };
    return cuemu_run(1, N, N * sizeof(float), [=] { kernel[which](out); });
}

int broken_launch(unsigned threads, size_t shared_bytes)
{
    return cuemu_run(1, threads, shared_bytes, [] {});
}
