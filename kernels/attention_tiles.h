/* Tiles of attention on the tensor cores (kernels/attention_mma.h), also read by gpu-plan.
 * A block has WARPS warps; each owns 16 M rows of its own and goes over tiles of the other side. */
#ifndef GC_KERNELS_ATTENTION_TILES_H
#define GC_KERNELS_ATTENTION_TILES_H

enum {
    MMA_WIDEST = 64, /* head; wider ones go to the f32 kernels */
    MMA_WARPS = 4,
    MMA_BLOCKS = 2, /* of a multiprocessor, which the compiler must leave registers for */
    MMA_M = 2,      /* 16-row matrices that one warp owns */
    MMA_OWN = MMA_WARPS * 16 * MMA_M,
    MMA_FORWARD = 64, /* rows of the other side in one step */
    MMA_BACKWARD = 32,
    MMA_STAGES = 2 /* steps in shared memory, one of them under way */
};

#endif
