/* What a tile of our own products (kernels/product_wgmma_cuda.cu) takes of a multiprocessor, for
 * gpu-plan: cycles of the pipes that the tensor cores go on beside. Rates as in gpu-attention.h.
 *
 * Stated, not measured: that they reach the share of the peak that large products of the library
 * are given (--product-share) unless another pipe takes longer; and nothing is hidden of the cycles
 * in which a multiplying warpgroup rounds its sums. */
#ifndef GC_BENCH_GPU_PRODUCT_H
#define GC_BENCH_GPU_PRODUCT_H

#include "bench/gpu-attention.h"
#include "kernels/product_tiles.h"

/* Instructions in the machine code (nvcc 13.0, `cuobjdump -sass`, loops without what they seldom
 * enter): of a sum, what is done to it; of a multiplying thread, rounding its sums, and a step of
 * PRODUCT_DEPTH terms; of the copying warp, a step. Two of the first are MUFU. */
struct product_code {
    const char *name;
    double finish, rounding, step, copy;
};
static const struct product_code product_code[] = {
    { "GELU", 304.0 / 16, 484, 82, 72 },
    { "slope", 788.0 / 32, 281, 82, 86 },
};
enum { PRODUCT_GELU, PRODUCT_SLOPE, PRODUCT_KERNELS };
enum { MULTIPROCESSORS = 132 };

struct product_pipes {
    double flop, tensor, issue, mufu, shared, alone, cycles, l2;
    double finish; /* share of issue slots that goes to what is done to the sums */
};

/* Of a tile whose sums have `terms` terms. */
static struct product_pipes product_pipes(const struct gpu_shares *g, int kernel, double terms)
{
    const struct product_code *c = &product_code[kernel];
    const double sums = PRODUCT_ROWS * PRODUCT_COLUMNS,
                 steps = up(terms, PRODUCT_DEPTH) / PRODUCT_DEPTH;
    const double a = PRODUCT_ROWS * PRODUCT_DEPTH * 2, b = PRODUCT_COLUMNS * PRODUCT_DEPTH * 2;
    struct product_pipes p = { .flop = 2 * sums * terms };
    p.tensor = p.flop / 4096 / g->product;
    p.issue = sums / 128 * c->finish + PRODUCT_MULTIPLY * (c->rounding + steps * c->step) +
              steps * c->copy;
    p.mufu = 2 * sums / 16;
    /* Written once; a is read by two instructions beside each other, b by each warpgroup; rounded
     * sums are written and read. */
    p.shared = (steps * (a + b + 2 * a + PRODUCT_MULTIPLY * b) + 4 * sums) / 128;
    p.alone = c->rounding;
    p.cycles = fmax(fmax(p.tensor, p.issue / g->issue), fmax(p.mufu, p.shared)) + p.alone;
    p.finish = sums / 128 * c->finish / p.cycles;
    p.l2 = steps * (a + b) / p.cycles;
    return p;
}

/* TFLOP/s of a product of so many rows and columns: its last row of tiles is not full, nor is the
 * last turn of the multiprocessors. */
static double product_rate_of(const struct gpu_shares *g, int kernel, double rows, double columns,
                              double terms)
{
    const struct product_pipes p = product_pipes(g, kernel, terms);
    const double made = up(rows, PRODUCT_ROWS) * up(columns, PRODUCT_COLUMNS);
    const double tiles = made / (PRODUCT_ROWS * PRODUCT_COLUMNS);
    const double waste = made / (rows * columns) * up(tiles, MULTIPROCESSORS) / tiles;
    return g->bf16 * p.flop / (4096 * p.cycles * waste);
}

static void product_table(const struct gpu_shares *g, double rows, double columns, double terms)
{
    printf("products with GELU in them, cycles of a tile of %d x %d sums of %.0f terms by pipe, "
           "and what "
           "is done to the sums as a share of issue slots:\n",
           PRODUCT_ROWS, PRODUCT_COLUMNS, terms);
    printf("%-10s %8s %8s %8s %8s %8s %8s %9s %9s %9s %10s\n", "kernel", "tensor", "issue", "MUFU",
           "shared", "rounding", "tile", "TFLOP/s", "of peak", "of slots", "L2 B/cycle");
    for (int k = 0; k < PRODUCT_KERNELS; k++) {
        const struct product_pipes p = product_pipes(g, k, terms);
        const double rate = product_rate_of(g, k, rows, columns, terms);
        printf("%-10s %8.0f %8.0f %8.0f %8.0f %8.0f %8.0f %9.0f %8.1f%% %8.1f%% %10.1f\n",
               product_code[k].name, p.tensor, p.issue, p.mufu, p.shared, p.alone, p.cycles, rate,
               100 * rate / g->bf16, 100 * p.finish, p.l2);
    }
}

#endif
