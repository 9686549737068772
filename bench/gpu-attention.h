/* What attention takes of a multiprocessor's pipes, for gpu-plan: cycles of one step of one warp
 * (kernels/attention_mma.h: 16 MMA_M own rows against N of the other side) or one warpgroup
 * (kernels/attention_wgmma.h: a tile of 64 rows against one of the other side), heads 64 wide.
 *
 * Rates a cycle, of sm_90: 4096 FLOP of the tensor cores (the peak), 16 exponentials, 128 bytes of
 * shared memory, 128 lanes of instructions, of them 64 of logic (xor, compare, select, maximum,
 * conversion) and 64 of wide multiplies. CUDA C++ Programming Guide, "Arithmetic instructions".
 * Stated, not measured: which share of the peak each product instruction can reach, and which share
 * of a scheduler's slots can be filled. */
#ifndef GC_BENCH_GPU_ATTENTION_H
#define GC_BENCH_GPU_ATTENTION_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "kernels/attention_tiles.h"

struct gpu_shares {
    double bf16; /* peak, TFLOP/s */
    double mma, wgmma, issue;
    bool dropout;
    double product; /* of the peak, large products */
};

struct pipes {
    const char *name;
    double own, other; /* rows of a step */
    double block;      /* rows that a block owns */
    double tensor, exponent, shared, issue, logic, multiply, flop;
    double alone; /* one after another, as a warp uses them */
    double peers; /* that share a scheduler */
};

/* products: matrix products of a step, each reading its N rows from shared memory. again: matrices
 * of own rows that are read again in every step; a_score: instructions of a score besides. Where
 * there is dropout: one Philox block for 8 scores (20 wide multiplies, 20 logic, 20 of keys, 24 to
 * compare and pack) and two instructions a score to take its bit. */
static struct pipes mma_pipes(const struct gpu_shares *g, const char *name, double N,
                              double products, double again, double a_score)
{
    const double own_rows = 16 * MMA_M, W = MMA_WIDEST, scores = own_rows * N;
    const double random = g->dropout ? 1 : 0;
    struct pipes p = { .name = name, .own = own_rows, .other = N, .block = MMA_OWN };
    p.flop = products * 2 * scores * W;
    p.tensor = p.flop / (4096 * g->mma);
    p.exponent = scores / 16;
    p.shared = (products * N + again * own_rows + 2 * N / MMA_WARPS) * W * 2 / 128;
    p.multiply = random * scores / 8 * 20 / 64;
    p.issue = (scores * (a_score + random * (2 + 84.0 / 8)) + 32 * p.flop / 4096) / 128;
    p.logic = scores * (1.5 + random * (2 + 64.0 / 8)) / 64;
    p.alone = p.tensor + p.exponent + p.shared + p.issue + p.multiply;
    p.peers = MMA_BLOCKS * MMA_WARPS / 4.0;
    return p;
}

/* Instructions of a thread in a step of 32 scores, counted in the machine code (nvcc 13.0,
 * `cuobjdump -sass`, the loop without what it seldom enters): random numbers, of which wide
 * multiplies and xors; comparing and selecting by them, of which logic; all others, of which logic.
 * bytes: of shared memory that a thread reads and writes besides the products (eight lanes that
 * read one place together count as a quarter each of what they get). */
struct group_code {
    const char *name;
    int groups, products;
    double random, wide, random_logic, select, select_logic, rest, rest_logic, bytes;
};
static const struct group_code group_code[] = {
    { "forward", WG_FORWARD, 2, 152, 70, 76, 80, 64, 229, 60, 0 },
    { "queries", WG_BACKWARD, 3, 157, 70, 76, 83, 64, 209, 20, 0 },
    { "keys", WG_BACKWARD, 4, 197, 76, 80, 112, 96, 259, 36, 4 * 16 + 16 * 4 + 8 * 16 / 4 },
};
enum { GROUP_FORWARD, GROUP_QUERIES, GROUP_KEYS, GROUP_KERNELS };

/* Products read tiles of shared memory themselves, and a warpgroup makes the random numbers beside
 * its own products. */
static struct pipes group_pipes(const struct gpu_shares *g, int kernel)
{
    const struct group_code *c = &group_code[kernel];
    const double rows = WG_ROWS, scores = rows * rows, tile = rows * rows * 2;
    const double random = g->dropout ? c->random : 0, select = g->dropout ? c->select : 0;
    struct pipes p = { .name = c->name, .own = rows, .other = rows, .block = rows * c->groups };
    p.flop = c->products * 2 * scores * rows;
    p.tensor = p.flop / (4096 * g->wgmma);
    p.exponent = scores / 16;
    p.shared = (c->products * tile + 2 * tile / c->groups + 128 * c->bytes) / 128;
    p.issue = random + select + c->rest;
    p.logic = 2 * (g->dropout ? c->random_logic + c->select_logic + c->rest_logic : c->rest_logic);
    p.multiply = g->dropout ? 2 * c->wide : 0;
    p.alone = fmax(p.tensor, random) + p.exponent + p.issue - random;
    p.peers = c->groups;
    return p;
}

/* The warps that share a scheduler use their pipes side by side: a step takes the longest pipe, or
 * the sum over those warps. */
static double cycles_of(const struct gpu_shares *g, const struct pipes *p)
{
    const double unit = fmax(fmax(p->tensor, p->exponent), fmax(p->shared, p->multiply));
    return fmax(fmax(unit, fmax(p->issue / g->issue, p->logic)), p->alone / p->peers);
}

static const char *bound_of(const struct gpu_shares *g, const struct pipes *p)
{
    const double step = cycles_of(g, p);
    return step <= p->tensor             ? "tensor"
           : step <= p->issue / g->issue ? "issue"
           : step <= p->alone / p->peers ? "one after another"
           : step <= p->exponent         ? "exp"
           : step <= p->shared           ? "shared"
           : step <= p->multiply         ? "multiply"
                                         : "logic";
}

static double up(double x, double to)
{
    return ceil(x / to) * to;
}

/* TFLOP/s at which useful products are made for cells of T rows, which end in the middle of a
 * tile. */
static double rate_of(const struct gpu_shares *g, const struct pipes *p, double T)
{
    const double waste = up(T, p->block) * up(T, p->other) / (T * T);
    return g->bf16 * p->flop / (4096 * cycles_of(g, p) * waste);
}

/* useful: share of the products that would be made with atomics. */
static void print_pipes(const struct gpu_shares *g, const struct pipes *p, double T, double useful)
{
    const double rate = rate_of(g, p, T);
    printf(
        "%-10s %4.0f x %2.0f %8.0f %8.0f %8.0f %8.0f %8.0f %9.0f %8.0f %9.0f %8.1f%% %9.1f%%  %s\n",
        p->name, p->own, p->other, p->tensor, p->exponent, p->shared, p->issue, p->logic,
        p->multiply, cycles_of(g, p), rate, 100 * rate / g->bf16, 100 * useful * rate / g->bf16,
        bound_of(g, p));
}

/* Backward whole, the pass over queries and the one over keys. With atomics it would be five
 * products instead of the seven that are made; the share counts only those. */
static void print_backward(const struct gpu_shares *g, const struct pipes *queries,
                           const struct pipes *keys, double T)
{
    const double made = queries->flop + keys->flop;
    const double passes = queries->flop / rate_of(g, queries, T) + keys->flop / rate_of(g, keys, T);
    const double rate = 5.0 / 7 * made / passes;
    printf("backward, both passes: useful %.0f TFLOP/s, %.1f%% of peak\n", rate,
           100 * rate / g->bf16);
}

static void print_heads(void)
{
    printf("%-10s %9s %8s %8s %8s %8s %8s %9s %8s %9s %9s %10s  %s\n", "kernel", "scores", "tensor",
           "exp", "shared", "issue", "logic", "multiply", "step", "TFLOP/s", "of peak", "useful",
           "bound by");
}

/* The step of each kernel. With atomics backward would be five products instead of seven; the last
 * share counts only those. */
static void attention_tables(const struct gpu_shares *g, double T)
{
    const double five = 5.0 / 7;
    const struct pipes mma[] = { mma_pipes(g, "forward", MMA_FORWARD, 2, 1, 4.5),
                                 mma_pipes(g, "queries", MMA_BACKWARD, 3, 2, 4.5),
                                 mma_pipes(g, "keys", MMA_BACKWARD, 4, 2, 5) };
    printf(
        "attention as built for sm_90, cycles of one warpgroup's step by pipe, %d (forward) and %d "
        "warpgroups on a multiprocessor, %s dropout:\n",
        WG_FORWARD, WG_BACKWARD, g->dropout ? "with" : "without");
    print_heads();
    struct pipes group[GROUP_KERNELS];
    for (int k = 0; k < GROUP_KERNELS; k++) {
        group[k] = group_pipes(g, k);
        print_pipes(g, &group[k], T, k == GROUP_FORWARD ? 1 : five);
    }
    print_backward(g, &group[GROUP_QUERIES], &group[GROUP_KEYS], T);
    printf("and for sm_80, on the same device, of one warp's step, %d blocks of %d threads:\n",
           MMA_BLOCKS, MMA_WARPS * 32);
    print_heads();
    for (int k = 0; k < GROUP_KERNELS; k++)
        print_pipes(g, &mma[k], T, k == GROUP_FORWARD ? 1 : five);
    print_backward(g, &mma[GROUP_QUERIES], &mma[GROUP_KEYS], T);
}

#endif
