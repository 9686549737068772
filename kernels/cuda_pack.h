/* Inputs of products in bf16: rounded to nearest, ties to even, rows padded to 16 bytes with zeros
 * so that the product library may use its widest loads. With f32 products nothing is copied.
 * A thread owns one item; 4 bytes read, 2 written. */
#ifndef GC_KERNELS_CUDA_PACK_H
#define GC_KERNELS_CUDA_PACK_H

#include "kernels/cuda_bf16.h"

struct cuda_matrix {
    const void *x;
    size_t ld;
};

static inline size_t cuda_pack_bytes(const struct cuda *c, size_t rows, size_t cols)
{
    return c->bf16 ? (rows * low_ld(cols) * sizeof(uint16_t) + 511) / 256 * 256 : 256;
}

static __global__ void cuda_pack(const float *x, size_t rows, size_t cols, size_t ld, uint16_t *to,
                                 size_t to_ld)
{
    const size_t k = cuda_item(), i = k / to_ld, j = k % to_ld;
    if (i < rows)
        to[k] = j < cols ? cuda_bf16(x[i * ld + j]) : 0;
}

/* x rounded, rows low_ld(cols) apart. */
static inline void cuda_pack_to(int *status, const struct cuda *c, const void *x, size_t rows,
                                size_t cols, size_t ld, void *to)
{
    const size_t to_ld = low_ld(cols);
    if (rows)
        CUDA_LAUNCH(*status, c, cuda_pack, cuda_blocks(rows * to_ld, CUDA_THREADS), CUDA_THREADS, 0,
                    (const float *)x, rows, cols, ld, (uint16_t *)to, to_ld);
}

/* x as a product wants it; takes cuda_pack_bytes of *at where it must be copied. */
static inline struct cuda_matrix cuda_packed(int *status, const struct cuda *c, char **at,
                                             const void *x, size_t rows, size_t cols, size_t ld)
{
    if (!c->bf16)
        return { x, ld };
    char *to = *at;
    *at += cuda_pack_bytes(c, rows, cols);
    cuda_pack_to(status, c, x, rows, cols, ld, to);
    return { to, low_ld(cols) };
}

#endif
