/* A small network learns classes of cells, epoch by epoch: what TOSICA and Geneformer share.
 *
 * An epoch is as many draws as there are training cells: each cell once in a shuffled order, or,
 * balanced, a class first (all alike) and then one of its cells, with replacement. After each epoch
 * the validation cells are told; the epoch with the best macro-F1 (of equals the least loss, then
 * the first) is kept, and tells all cells outside training. Equal inputs give equal results,
 * whatever the threads. */
#ifndef GC_NN_LEARNER_H
#define GC_NN_LEARNER_H

#include <stdbool.h>

#include "lib/nn/probe.h"
#include "lib/tensor/params.h"

struct learning {
    size_t batch, epochs;
    size_t patience; /* epochs without a better one until it stops; 0: never stops */
    bool balance;
    uint64_t seed;
};

/* Cells are rows of probe_cells. All borrowed. */
struct learner {
    void *net;
    struct params *params; /* with training */
    /* Gradients of the mean cross-entropy over cell[0..n) are added; seed: of the dropout. */
    enum rc (*gradients)(void *net, const uint32_t *cell, size_t n, uint64_t seed, double *loss,
                         struct err *e);
    void (*update)(void *net, uint64_t step, size_t epoch); /* both from 0 */
    enum rc (*logits)(void *net, const uint32_t *cell, size_t n, double *logit, struct err *e);
};

/* Steps of an epoch. */
size_t learning_steps(const struct learning *o, const struct probe_cells *cells);
/* r: setting "epoch" (from 1), score: the probability of the winner. RC_INPUT: no training or no
 * validation cells; RC_CHECK: a loss that is not finite. On failure *r is empty. */
enum rc learn_classes(const struct learner *l, const struct probe_cells *cells,
                      const struct learning *o, struct probe_result *r, struct err *e);

#endif
