/* What the cuda kernels share: launches, sums over a warp, dropout bits, eight numbers at a time.
 * Read by nvcc, and by a C++ compiler behind tests/cuemu/cuemu.h.
 *
 * Rules of every kernel here: no atomics; sums in an order that depends on sizes alone; blocks of a
 * multiple of 32 threads; a whole block (or, where no block barrier follows, a whole warp) leaves
 * early or none of it. */
#ifndef GC_KERNELS_CUDA_KERNEL_H
#define GC_KERNELS_CUDA_KERNEL_H

#include <stdint.h>

#ifdef __CUDACC__
#include <cuda_runtime.h>
#endif

extern "C" {
#include "lib/base/rng.h"
#include "lib/tensor/backend.h"
#include "lib/tensor/cuda_device.h"
}

constexpr int CUDA_WARP = 32, CUDA_THREADS = 256;

/* CUDA_LAUNCH(status, c, kernel, blocks, threads, shared bytes, arguments...): nothing after a
 * failure. A kernel from a template needs a name first: const auto kernel = f<4>; */
#ifdef __CUDACC__
static inline int cuda_more_shared(const void *kernel, size_t n_bytes)
{
    if (n_bytes <= 48 << 10)
        return 0;
    return cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)n_bytes);
}
#define CUDA_LAUNCH(status, c, kernel, blocks, threads, shared, ...)                               \
    do {                                                                                           \
        if (!(status))                                                                             \
            (status) = cuda_more_shared((const void *)(kernel), (shared));                         \
        if (!(status)) {                                                                           \
            (kernel)<<<(blocks), (threads), (shared), (cudaStream_t)(c)->stream>>>(__VA_ARGS__);   \
            (status) = cudaGetLastError();                                                         \
        }                                                                                          \
    } while (0)
#define CUDA_SHARED_FLOATS(name)                                                                   \
    extern __shared__ float4 cuda_shared_memory[];                                                 \
    float *const name = (float *)cuda_shared_memory
#else
#define CUDA_LAUNCH(status, c, kernel, blocks, threads, shared, ...)                               \
    do {                                                                                           \
        (void)(c);                                                                                 \
        cuemu_arguments(#kernel, __VA_ARGS__);                                                     \
        if (!(status))                                                                             \
            (status) = cuemu_run((blocks), (threads), (shared), [&] { (kernel)(__VA_ARGS__); });   \
    } while (0)
#define CUDA_SHARED_FLOATS(name) float *const name = (float *)cuemu_shared()
#endif

static inline unsigned cuda_blocks(size_t n, size_t of)
{
    return (unsigned)((n + of - 1) / of);
}

/* One item per thread. Kernels of this kind start with `if (i >= n) return`. */
static __device__ __forceinline__ size_t cuda_item(void)
{
    return (size_t)blockIdx.x * blockDim.x + threadIdx.x;
}

template <class T> static __device__ __forceinline__ T cuda_warp_sum(T x)
{
    for (int turn = CUDA_WARP / 2; turn; turn /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, turn);
    return x;
}

/* The numbers of kernels/dropout_bits.h. */
struct cuda_drop {
    uint32_t threshold;
    float scale;
    uint64_t seed;
    const uint64_t *row_key;
};

static inline struct cuda_drop cuda_drop_of(const struct dropout *d)
{
    return { d->threshold, (float)(65536.0 / (65536.0 - d->threshold)), d->seed, d->row_key };
}

/* Which of the columns 8 block .. 8 block + 7 are kept, one bit each. One Philox block. */
static __device__ inline unsigned cuda_keep8(const struct cuda_drop &d, uint64_t row_key,
                                             uint32_t plane, uint32_t block)
{
    uint32_t k0 = (uint32_t)d.seed, k1 = (uint32_t)(d.seed >> 32);
    uint32_t c[4] = { (uint32_t)row_key, (uint32_t)(row_key >> 32), block,
                      plane << 16 | (uint32_t)RNG_DROPOUT };
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c[0], p1 = (uint64_t)0xCD9E8D57u * c[2];
        c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
        c[3] = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    unsigned keep = 0;
    for (unsigned i = 0; i < 4; i++) {
        keep |= (unsigned)((c[i] & 0xffff) >= d.threshold) << (2 * i);
        keep |= (unsigned)(c[i] >> 16 >= d.threshold) << (2 * i + 1);
    }
    return keep;
}

/* Columns [at, at + 8) of a row of d numbers, zero beyond it. Rows of d = 4 k start on 16 bytes
 * where the matrix does: then two loads of 16 bytes. */
static __device__ __forceinline__ void cuda_load8(const float *row, size_t at, size_t d, float x[8])
{
    if (at + 8 <= d && ((uintptr_t)(row + at) & 15) == 0) {
        const float4 a = *(const float4 *)(row + at), b = *(const float4 *)(row + at + 4);
        x[0] = a.x, x[1] = a.y, x[2] = a.z, x[3] = a.w;
        x[4] = b.x, x[5] = b.y, x[6] = b.z, x[7] = b.w;
        return;
    }
    for (size_t k = 0; k < 8; k++)
        x[k] = at + k < d ? row[at + k] : 0;
}

static __device__ __forceinline__ void cuda_store8(float *row, size_t at, size_t d,
                                                   const float x[8])
{
    if (at + 8 <= d && ((uintptr_t)(row + at) & 15) == 0) {
        *(float4 *)(row + at) = { x[0], x[1], x[2], x[3] };
        *(float4 *)(row + at + 4) = { x[4], x[5], x[6], x[7] };
        return;
    }
    for (size_t k = 0; k < 8 && at + k < d; k++)
        row[at + k] = x[k];
}

#endif
