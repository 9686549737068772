/* Tiles of our own products (kernels/product_wgmma_cuda.cu), also read by gpu-plan. A block makes
 * tiles of ROWS x COLUMNS sums, over DEPTH terms at a time, through STAGES places in shared memory.
 * MULTIPLY warpgroups hold the sums of ROWS / MULTIPLY rows each; as many do what is done to each
 * sum; one copies. */
#ifndef GC_KERNELS_PRODUCT_TILES_H
#define GC_KERNELS_PRODUCT_TILES_H

enum {
    PRODUCT_ROWS = 128,
    PRODUCT_COLUMNS = 256,
    PRODUCT_DEPTH = 64,
    PRODUCT_STAGES = 3,
    PRODUCT_MULTIPLY = 2,
    PRODUCT_GROUPS = 2 * PRODUCT_MULTIPLY + 1
};

#endif
