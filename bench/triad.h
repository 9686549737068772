/* The triad of STREAM (McCalpin 1995) on a device: what passes over memory are measured by. */
#ifndef GC_BENCH_TRIAD_H
#define GC_BENCH_TRIAD_H

#include "lib/tensor/cuda_device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* out = a + s b, n floats each, n a multiple of 4, all three in memory of the device on 16 bytes;
 * reads 8 bytes an item and writes 4. Queued on c->stream; a status of lib/tensor/cuda_device.h. */
int triad_cuda(const struct cuda *c, size_t n, float s, const float *a, const float *b, float *out);

#ifdef __cplusplus
}
#endif
#endif
