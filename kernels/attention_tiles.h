/* Tiles of attention on the tensor cores, also read by gpu-plan. MMA: kernels/attention_mma.h. A
 * block has WARPS warps; each owns 16 M rows of its own and goes over tiles of the other side. WG:
 * kernels/attention_wgmma.h. A block has FORWARD or BACKWARD warpgroups, each owns a tile of its
 * own and goes over tiles of the other side, which one warp more copies. */
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
    MMA_STAGES = 2,    /* steps in shared memory, one of them under way */
    WG_NARROWEST = 33, /* head; narrower ones would be padded to twice their width */
    WG_ROWS = 64,      /* of a tile, and its columns */
    WG_FORWARD = 3,
    WG_BACKWARD = 2,
    WG_STAGES = 4
};

#endif
