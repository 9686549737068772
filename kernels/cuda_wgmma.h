/* What sm_90a adds to kernels/cuda_mma.h, one instruction a function: products of a warpgroup (128
 * threads, four warps that begin at a multiple of four), copies in bulk, and gates (mbarriers) that
 * threads wait at; the emulation has its own (tests/cuemu/wgmma.h).
 *
 * A product is queued and goes on by itself. The order is
 *
 *   cuda_group_fence()        registers of sums and of a are written
 *   cuda_group_mma(...) ...   queued; sums may not be touched from here on, nor may a
 *   cuda_group_commit()       closes a group of them
 *   cuda_group_wait<LEFT>()   at most LEFT newest groups are still under way
 *   cuda_group_done(sum)      for each of the sums, so that the compiler reads none before
 *
 * Of the 64 x 64 sums a warp holds rows 16 (warp mod 4) and on: sum[4 n + 2 half + e] of lane (g,
 * t) = (lane / 4, lane mod 4) is row g + 8 half, column 8 n + 2 t + e. Matrix a as in cuda_mma.h.
 * PTX ISA, "Asynchronous warpgroup level matrix instructions" and "mbarrier". */
#ifndef GC_KERNELS_CUDA_WGMMA_H
#define GC_KERNELS_CUDA_WGMMA_H

#include "kernels/cuda_mma.h"

constexpr int CUDA_GROUP = 128, CUDA_GROUP_SUMS = 32;

/* A tile of 64 rows of 64 bf16 numbers in shared memory, 8192 bytes on a multiple of 1024, pieces
 * of 16 bytes of row r at place piece ^ (r mod 8): what the instruction calls 128-byte swizzle.
 * Eight rows take 1024 bytes; the other stride is not used in a tile as wide as this. */
static __device__ __forceinline__ uint64_t cuda_tile_of(const void *tile)
{
    const uint64_t eight_rows = 1024 >> 4, swizzle = (uint64_t)1 << 62;
    return (cuda_shared_at(tile) & 0x3ffff) >> 4 | eight_rows << 16 | eight_rows << 32 | swizzle;
}

/* Columns 16 c .. 16 c + 15 of a tile whose rows are columns of the product (b = tile^T). */
static __device__ __forceinline__ uint64_t cuda_tile_columns(uint64_t tile, int c)
{
    return tile + (uint64_t)(c * 32 >> 4);
}

/* Rows 16 c .. 16 c + 15 of a tile whose rows are summed over (b = tile). */
static __device__ __forceinline__ uint64_t cuda_tile_rows(uint64_t tile, int c)
{
    return tile + (uint64_t)(c * 2048 >> 4);
}

/* The first place from p on that lies on a multiple of 1024 bytes of shared memory. */
static __device__ __forceinline__ char *cuda_tile_aligned(void *p)
{
    return (char *)p + (0u - cuda_shared_at(p)) % 1024;
}

#ifdef __CUDACC__

static __device__ __forceinline__ void cuda_group_fence(void)
{
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

static __device__ __forceinline__ void cuda_group_commit(void)
{
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

template <int LEFT> static __device__ __forceinline__ void cuda_group_wait(void)
{
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(LEFT) : "memory");
}

static __device__ __forceinline__ void cuda_group_done(float sum[CUDA_GROUP_SUMS])
{
#pragma unroll
    for (int i = 0; i < CUDA_GROUP_SUMS; i++)
        asm volatile("" : "+f"(sum[i])::"memory");
}

/* sum[64,64] = a[64,16] b[16,64], to what was there where `add`. ROWS: b is rows of a tile, else
 * the transpose of its columns. */
template <bool ROWS>
static __device__ __forceinline__ void cuda_group_mma(float sum[CUDA_GROUP_SUMS],
                                                      const uint32_t a[4], uint64_t b, bool add)
{
    asm volatile(
        "{\n.reg .pred p;\nsetp.ne.b32 p, %37, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
        "{%32, %33, %34, %35}, %36, p, 1, 1, %38;\n}"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3]), "+f"(sum[4]), "+f"(sum[5]),
          "+f"(sum[6]), "+f"(sum[7]), "+f"(sum[8]), "+f"(sum[9]), "+f"(sum[10]), "+f"(sum[11]),
          "+f"(sum[12]), "+f"(sum[13]), "+f"(sum[14]), "+f"(sum[15]), "+f"(sum[16]), "+f"(sum[17]),
          "+f"(sum[18]), "+f"(sum[19]), "+f"(sum[20]), "+f"(sum[21]), "+f"(sum[22]), "+f"(sum[23]),
          "+f"(sum[24]), "+f"(sum[25]), "+f"(sum[26]), "+f"(sum[27]), "+f"(sum[28]), "+f"(sum[29]),
          "+f"(sum[30]), "+f"(sum[31])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"((int)add), "n"((int)ROWS));
}

/* Registers of this warpgroup's threads from here on; all of a block's together stay within what it
 * was launched with. */
template <int N> static __device__ __forceinline__ void cuda_group_more_registers(void)
{
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N));
}

template <int N> static __device__ __forceinline__ void cuda_group_fewer_registers(void)
{
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N));
}

/* A gate opens a phase when as many threads have arrived as it was made for and all bytes that were
 * announced in the phase have come; phases count 0, 1, 0, 1 ... One thread makes gates, fences, and
 * a block barrier follows. */
static __device__ __forceinline__ void cuda_gate_make(uint64_t *gate, unsigned arrivals)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(cuda_shared_at(gate)),
                 "r"(arrivals)
                 : "memory");
}

static __device__ __forceinline__ void cuda_gate_fence(void)
{
    asm volatile("fence.mbarrier_init.release.cluster;\nfence.proxy.async.shared::cta;" ::
                     : "memory");
}

static __device__ __forceinline__ void cuda_gate_arrive(uint64_t *gate)
{
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(cuda_shared_at(gate)) : "memory");
}

/* Arrives, and announces bytes of copies. */
static __device__ __forceinline__ void cuda_gate_expect(uint64_t *gate, unsigned n_bytes)
{
    asm volatile(
        "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(cuda_shared_at(gate)),
        "r"(n_bytes)
        : "memory");
}

static __device__ __forceinline__ void cuda_gate_wait(uint64_t *gate, unsigned phase)
{
    unsigned open;
    do
        asm volatile("{\n.reg .pred p;\n"
                     "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
                     "selp.u32 %0, 1, 0, p;\n}"
                     : "=r"(open)
                     : "r"(cuda_shared_at(gate)), "r"(phase)
                     : "memory");
    while (!open);
}

/* Copies n_bytes, a multiple of 16, between places on multiples of 16; tells the gate. */
static __device__ __forceinline__ void cuda_bulk_copy(void *to, const void *from, unsigned n_bytes,
                                                      uint64_t *gate)
{
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
                 "[%0], [%1], %2, [%3];" ::"r"(cuda_shared_at(to)),
                 "l"(from), "r"(n_bytes), "r"(cuda_shared_at(gate))
                 : "memory");
}

#endif
#endif
