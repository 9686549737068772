/* Runs the .cu files of kernels/ on a CPU: a C++ compiler reads them with this header in front
 * (`-x c++ -include tests/cuemu/cuemu.h`), the blocks of a launch run one after another, and the
 * threads of a block are fibers on one thread of the processor.
 *
 * A fiber runs until it ends or meets a barrier; then the next lane of its warp runs. When all
 * lanes of a warp wait for each other (a shuffle), the warp goes on; when all warps wait at
 * __syncthreads(), the block goes on. Lanes, warps and blocks are taken in rising, falling or
 * shuffled order (cuemu_order): a kernel with a race, or a sum whose order is left to chance, gives
 * other bytes in another order. What a device would hang on or leave undefined ends the program:
 *   - lanes of a warp at different barriers, or a thread that ended before a barrier of the others;
 *   - a gate that nobody opens;
 *   - a block size that is no multiple of 32, or a shuffle with a mask that is not the whole warp;
 *   - more threads, shared memory or blocks in y than a device takes.
 * Dynamic shared memory is an allocation of exactly the size asked for, filled with NaN before
 * every block, so the address sanitizer sees what is beyond it and a NaN shows what was not set.
 *
 * There are no atomics here on purpose: kernels of this project do not use any. */
#ifndef GC_TESTS_CUEMU_H
#define GC_TESTS_CUEMU_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __shared__ static

struct alignas(16) uint4 {
    uint32_t x, y, z, w;
};
struct alignas(16) float4 {
    float x, y, z, w;
};

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c)
    {
    }
};

struct cuemu_place {
    dim3 thread, block, threads, blocks;
};
extern struct cuemu_place cuemu_now;
#define threadIdx cuemu_now.thread
#define blockIdx cuemu_now.block
#define blockDim cuemu_now.threads
#define gridDim cuemu_now.blocks

enum cuemu_order { CUEMU_FORWARD, CUEMU_REVERSE, CUEMU_SHUFFLED, CUEMU_ORDERS };
extern "C" void cuemu_order(int order);

void __syncthreads(void);
void __syncwarp(unsigned mask = 0xffffffffu);

/* What a lane hands to the others of its warp. */
enum { CUEMU_WORDS = 8 };
struct cuemu_words {
    uint32_t w[CUEMU_WORDS];
};
/* Waits until every lane has handed in its words; the words of lane 0..31, valid until the lane's
 * next exchange but one. */
const struct cuemu_words *cuemu_exchange(const struct cuemu_words *mine, unsigned mask);

template <class T> T __shfl_sync(unsigned mask, T x, int lane)
{
    static_assert(sizeof(T) <= sizeof(struct cuemu_words), "a shuffle moves at most 32 bytes");
    struct cuemu_words mine = {};
    memcpy(&mine, &x, sizeof x);
    memcpy(&x, &cuemu_exchange(&mine, mask)[lane & 31], sizeof x);
    return x;
}

template <class T> T __shfl_xor_sync(unsigned mask, T x, int turn)
{
    return __shfl_sync(mask, x, (int)(threadIdx.x % 32) ^ turn);
}

static inline int __any_sync(unsigned mask, int x)
{
    const struct cuemu_words mine = { { (uint32_t)(x != 0), 0, 0, 0, 0, 0, 0, 0 } };
    const struct cuemu_words *w = cuemu_exchange(&mine, mask);
    int any = 0;
    for (int i = 0; i < 32; i++)
        any |= (int)w[i].w[0];
    return any;
}

/* The asynchronous copies of the running thread; from NULL: zeros. See tests/cuemu/mma.h. */
void cuemu_copy_start(void *to, const void *from, size_t n_bytes);
void cuemu_copy_group(void);
void cuemu_copy_wait(size_t left);

/* Looks for addresses in the arguments of a kernel: tests/cuemu/memory.cpp. What lies between the members of a
 * struct may be left of an old address, so it is cleared first; a compiler that cannot looks at no more than
 * arguments of 8 bytes. */
void cuemu_look(const char *kernel, const void *argument, size_t n_bytes);
template <class T> void cuemu_argument(const char *kernel, const T &x)
{
#if __has_builtin(__builtin_clear_padding)
    T copy = x;
    __builtin_clear_padding(&copy);
    cuemu_look(kernel, &copy, sizeof copy);
#else
    if (sizeof x == sizeof(void *))
        cuemu_look(kernel, &x, sizeof x);
#endif
}
template <class... T> void cuemu_arguments(const char *kernel, const T &...x)
{
    (cuemu_argument(kernel, x), ...);
}

/* Says what a device would not do, and ends the program. */
[[noreturn]] void cuemu_die(const char *what);

void *cuemu_shared(void); /* of this block, 16-byte aligned */

/* Runs body(of) for every thread of every block. 0, or 1 for a launch that a device would refuse.
 */
int cuemu_launch(dim3 blocks, dim3 threads, size_t shared_bytes, void (*body)(const void *),
                 const void *of);

template <class F> int cuemu_run(dim3 blocks, dim3 threads, size_t shared_bytes, const F &f)
{
    return cuemu_launch(
        blocks, threads, shared_bytes, [](const void *p) { (*(const F *)p)(); }, &f);
}

#include "tests/cuemu/mma.h"
#include "tests/cuemu/wgmma.h"

#endif
