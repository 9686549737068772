/* From the cells of a step to the micro-batches that this rank computes.
 *
 * The global batch is cut into micro-batches of at most micro_rows rows, in the order of its cells:
 * a function of the batch alone, the same on every rank. Each rank builds those that dist_first
 * gives it. */
#ifndef GC_NN_COLLATE_H
#define GC_NN_COLLATE_H

#include "lib/nn/batch.h"

/* Where cells come from; cell may be called by another thread. */
struct cell_source {
    size_t n;
    struct batch_cell (*cell)(const void *ctx, size_t i); /* i < n; borrowed */
    const void *ctx;
};

struct collate {
    struct masking mask; /* round is set for each step; rate 0: none */
    uint32_t max_genes, n_tokens;
    const uint32_t *homolog; /* [n_tokens], as in batch_build */
    size_t micro_rows;
    int rank, size; /* 0 of 1: alone */
};

/* All arrays come from one arena. */
struct step_batch {
    uint64_t step, epoch;
    struct batch_cell *cell; /* [n_cells] of the global batch */
    size_t n_cells, n_genes; /* genes of all cells, each cut at max_genes */
    size_t n_micros;         /* of all ranks */
    size_t first, n_own;     /* this rank has [first, first + n_own) */
    uint32_t *micro_first;   /* [n_micros + 1] first cell of each micro-batch */
    struct batch *own;       /* [n_own] */
    size_t n_own_masked;
    double (*loss)[2]; /* [n_micros] room for the gene and value loss of each */
};

/* An empty step with room for n cells. RC_FAIL: memory. */
enum rc step_batch_init(struct step_batch *s, struct arena *a, size_t n_cells, struct err *e);
/* Cuts, masks and builds, when s->cell is filled. round: for the masks, the epoch in training.
 * RC_INPUT: a token that is not in the vocabulary. */
enum rc collate(const struct collate *c, struct arena *a, uint64_t round, struct step_batch *s,
                struct err *e);

#endif
