/* The functions of kernels/cuda_wgmma.h and cuda_tiles.h on a CPU (group.cpp, gates.cpp). A product is
 * made when it is waited for; until then its sums are NaN, and its matrices in shared memory may not
 * change. A copy in bulk, or of a tile, happens when a gate is waited at; until then its place holds
 * NaN. */
#ifndef GC_TESTS_CUEMU_WGMMA_H
#define GC_TESTS_CUEMU_WGMMA_H

#include "tests/cuemu/cuemu.h"

/* An address of shared memory as a device has it: the first lies on no multiple of 1024. */
uint32_t cuda_shared_at(const void *p);

void cuemu_group_fence(void);
void cuemu_group_mma(float *sum, const uint32_t a[4], uint64_t b, bool rows, bool add);
void cuemu_group_wide(float *sum, uint64_t a, uint64_t b, bool rows, bool add);
void cuemu_group_commit(void);
void cuemu_group_wait(size_t left);
void cuda_gate_make(uint64_t *gate, unsigned arrivals);
void cuda_gate_arrive(uint64_t *gate);
void cuda_gate_expect(uint64_t *gate, unsigned n_bytes);
void cuda_gate_wait(uint64_t *gate, unsigned phase);
void cuda_bulk_copy(void *to, const void *from, unsigned n_bytes, uint64_t *gate);
struct cuda_tile_map;
void cuda_tile_copy(void *to, const struct cuda_tile_map *map, unsigned col, unsigned row,
                    uint64_t *gate);

static inline void cuda_group_fence(void)
{
    cuemu_group_fence();
}

static inline void cuda_group_commit(void)
{
    cuemu_group_commit();
}

template <int LEFT> void cuda_group_wait(void)
{
    cuemu_group_wait(LEFT);
}

static inline void cuda_group_done(float *)
{
}

template <bool ROWS> void cuda_group_mma(float *sum, const uint32_t a[4], uint64_t b, bool add)
{
    cuemu_group_mma(sum, a, b, ROWS, add);
}

static inline void cuda_wide_done(float *)
{
}

template <bool ROWS> void cuda_group_wide(float *sum, uint64_t a, uint64_t b, bool add)
{
    cuemu_group_wide(sum, a, b, ROWS, add);
}

template <int N> void cuda_group_more_registers(void)
{
}

template <int N> void cuda_group_fewer_registers(void)
{
}

static inline void cuda_gate_fence(void)
{
}

#endif
