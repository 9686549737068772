/* What this machine's matrix products reach: the yardstick of a training run and of the benches. */
#ifndef GC_TENSOR_PRODUCT_RATE_H
#define GC_TENSOR_PRODUCT_RATE_H

#include "lib/tensor/backend.h"

enum rate_clock {
    RATE_WALL, /* as the clock runs, neighbours included */
    RATE_CPU   /* as if each worker had a core to itself: neighbours take time, not speed */
};

/* FLOP/s of b's products on tiles that stay in the caches, all threads at once: of forward
 * products, weights packed before, and of oneDNN's in f32 the faster kind. Takes about a quarter
 * of a second. 0: b runs products elsewhere than on this processor, or no memory. */
double product_rate(const struct backend *b, enum rate_clock clock);

#endif
