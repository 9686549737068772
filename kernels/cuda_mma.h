/* The tensor cores and the asynchronous copies of a device, one instruction a function; the
 * emulation has its own (tests/cuemu/mma.h). All lanes of a warp call the first three together.
 *
 * Of a 16 x 16 matrix a, lane l holds row l / 4 (words 0, 2) and row l / 4 + 8 (words 1, 3),
 * columns 2 (l mod 4) and the next (words 0, 1) and 8 more (words 2, 3); of a 16 x 8 matrix b,
 * column l / 4 and rows likewise; of a 16 x 8 matrix of sums, rows as in a, two neighbouring
 * columns each. So the sums of two neighbouring tiles, rounded, are a matrix a of the next product.
 * PTX ISA, "Matrix fragments for mma.m16n8k16". */
#ifndef GC_KERNELS_CUDA_MMA_H
#define GC_KERNELS_CUDA_MMA_H

#include "kernels/cuda_bf16.h"

#ifdef __CUDACC__

static __device__ __forceinline__ uint32_t cuda_shared_at(const void *p)
{
    return (uint32_t)__cvta_generic_to_shared(p);
}

/* sum[16,8] += a[16,16] b[16,8]; bf16 products, sums in f32. */
static __device__ __forceinline__ void cuda_mma(float sum[4], const uint32_t a[4],
                                                const uint32_t b[2])
{
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/* Four 8 x 8 matrices of bf16; lane l names row l mod 8 of matrix l / 8, 16 bytes of shared memory.
 * Word j is row l / 4, columns 2 (l mod 4) and the next of matrix j. */
static __device__ __forceinline__ void cuda_matrix4(uint32_t to[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(cuda_shared_at(row))
                 : "memory");
}

/* The same of the transposes. */
static __device__ __forceinline__ void cuda_matrix4_turned(uint32_t to[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(cuda_shared_at(row))
                 : "memory");
}

/* Starts to copy N = 8 or 16 bytes to shared memory, zeros where not `there` (from is then not
 * read). They are this thread's to read after cuda_copy_wait, the block's after a barrier more. */
template <int N>
static __device__ __forceinline__ void cuda_copy_start(void *to, const void *from, bool there)
{
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;"
                 :
                 : "r"(cuda_shared_at(to)), "l"(from), "n"(N), "r"(there ? N : 0)
                 : "memory");
}

/* Closes a group of copies. */
static __device__ __forceinline__ void cuda_copy_group(void)
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/* Waits until at most the LEFT newest groups of this thread are under way. */
template <int LEFT> static __device__ __forceinline__ void cuda_copy_wait(void)
{
    asm volatile("cp.async.wait_group %0;" ::"n"(LEFT) : "memory");
}

/* 2^x within 2^-22 of it; 0 for -Inf, NaN for NaN. */
static __device__ __forceinline__ float cuda_exp2(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

#endif
#endif
