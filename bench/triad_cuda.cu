/* A thread owns four numbers: two loads and a store of 16 bytes, 48 bytes moved. */
#include "bench/triad.h"

#include "kernels/cuda_kernel.h"

static __global__ void triad_items(size_t n4, float s, const float4 *a, const float4 *b, float4 *out)
{
    const size_t i = cuda_item();
    if (i >= n4)
        return;
    const float4 x = a[i], y = b[i];
    out[i] = { x.x + s * y.x, x.y + s * y.y, x.z + s * y.z, x.w + s * y.w };
}

int triad_cuda(const struct cuda *c, size_t n, float s, const float *a, const float *b, float *out)
{
    int status = 0;
    if (n)
        CUDA_LAUNCH(status, c, triad_items, cuda_blocks(n / 4, CUDA_THREADS), CUDA_THREADS, 0, n / 4, s,
                    (const float4 *)a, (const float4 *)b, (float4 *)out);
    return status;
}
