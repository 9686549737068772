/* What kernels/product_wgmma_cuda.cu adds to kernels/cuda_wgmma.h: products of a warpgroup 128
 * columns wide whose left matrix lies in shared memory too, and copies of tiles out of a matrix by
 * its map (lib/tensor/cuda_device.h); the emulation has its own (tests/cuemu/wgmma.h).
 *
 * Queued, waited for and laid out as cuda_group_mma: sum[4 n + 2 half + e], n < 16. PTX ISA,
 * "wgmma.mma_async", "Shared memory matrix layout" and "cp.async.bulk.tensor". */
#ifndef GC_KERNELS_CUDA_TILES_H
#define GC_KERNELS_CUDA_TILES_H

#include "kernels/cuda_wgmma.h"

constexpr int CUDA_WIDE = 128, CUDA_WIDE_SUMS = CUDA_WIDE / 2;

/* As cuda_tile_of, of a matrix of several tiles. Its rows may be any number of eights, below each
 * other; where rows are summed over, tiles of 64 of them lie behind each other, 64 columns each. */
static __device__ __forceinline__ uint64_t cuda_tiles_of(const void *tiles)
{
    const uint64_t next_columns = 8192 >> 4, eight_rows = 1024 >> 4, swizzle = (uint64_t)1 << 62;
    return (cuda_shared_at(tiles) & 0x3ffff) >> 4 | next_columns << 16 | eight_rows << 32 | swizzle;
}

#ifdef __CUDACC__

#define CUDA_SUMS8(s, i)                                                                           \
    "+f"(s[i]), "+f"(s[i + 1]), "+f"(s[i + 2]), "+f"(s[i + 3]), "+f"(s[i + 4]), "+f"(s[i + 5]),    \
        "+f"(s[i + 6]), "+f"(s[i + 7])
#define CUDA_SUMS32(s, i)                                                                          \
    CUDA_SUMS8(s, i), CUDA_SUMS8(s, i + 8), CUDA_SUMS8(s, i + 16), CUDA_SUMS8(s, i + 24)

/* sum[64,128] = a[64,16] b[16,128], to what was there where `add`. a: columns of tiles. ROWS: b is
 * rows of tiles, else the transpose of their columns. */
template <bool ROWS>
static __device__ __forceinline__ void cuda_group_wide(float sum[CUDA_WIDE_SUMS], uint64_t a,
                                                       uint64_t b, bool add)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
                 "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, "
                 "%17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
                 "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, "
                 "%47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, "
                 "%62, %63}, "
                 "%64, %65, p, 1, 1, 0, %67;\n}"
                 : CUDA_SUMS32(sum, 0), CUDA_SUMS32(sum, 32)
                 : "l"(a), "l"(b), "r"((int)add), "n"((int)ROWS));
}

static __device__ __forceinline__ void cuda_wide_done(float sum[CUDA_WIDE_SUMS])
{
#pragma unroll
    for (int i = 0; i < CUDA_WIDE_SUMS; i++)
        asm volatile("" : "+f"(sum[i])::"memory");
}

/* Copies columns col .. col + 63 of the map's rows from `row` on to a tile; zeros where the matrix
 * ends. The gate is told of all bytes of the tile, also of those. map: of a kernel's argument. */
static __device__ __forceinline__ void cuda_tile_copy(void *to, const struct cuda_tile_map *map,
                                                      unsigned col, unsigned row, uint64_t *gate)
{
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes "
                 "[%0], [%1, {%2, %3}], [%4];" ::"r"(cuda_shared_at(to)),
                 "l"(map), "r"(col), "r"(row), "r"(cuda_shared_at(gate))
                 : "memory");
}

#endif
#endif
