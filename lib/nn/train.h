/* One step of pre-training on a global batch, and evaluation on held-out cells (spec/04).
 *
 * Gradients of micro-batches are joined in a fixed binary tree (lib/nn/grad_tree.h), their losses
 * in their order, so that any number of ranks and threads gives the same bits. Each rank makes the
 * optimiser's step for itself, with the same numbers, or for its part of the weights
 * (trainer_connect). */
#ifndef GC_NN_TRAIN_H
#define GC_NN_TRAIN_H

#include "lib/nn/baseline.h"
#include "lib/nn/collate.h"
#include "lib/nn/grad_share.h"
#include "lib/nn/model.h"
#include "lib/nn/optim.h"

struct train_options {
    struct optim optim;
    double mask_rate, mask_share, random_share; /* 0.15, 0.8, 0.1 */
    double id_weight, value_weight;             /* 0.2, 0.8 */
    bool dropout;
    uint64_t seed;
    size_t micro_rows;
};

struct train_result {
    double loss, id_loss, value_loss, grad_norm, lr;
    size_t n_cells, n_genes, n_masked; /* of the global batch */
};

struct trainer {
    struct model *m;
    struct train_options o;
    struct dist own, *dist; /* alone, until trainer_share */
    struct arena batches;   /* of trainer_step and trainer_evaluate */
    struct tape tape;
    struct grad_tree tree;
    /* Of a device's: */
    struct grad_share share;
    bool connected, shard;
    void *moment[2]; /* of this rank's slices, once they are apart */
};

void trainer_init(struct trainer *t, struct model *m, const struct train_options *o);
void trainer_release(struct trainer *t);
/* Ranks that train together, before the first step; d outlives t. */
void trainer_share(struct trainer *t, struct dist *d);
/* Where the backend has memory of its own, behind trainer_share and on every rank: connects the
 * ranks' devices. shard: each rank keeps the moments of its part of the weights alone, and makes
 * their step for all (ZeRO, stage 1: Rajbhandari et al. 2020); the same bytes. Then params.m and v
 * are NULL between steps. */
enum rc trainer_connect(struct trainer *t, bool shard, struct err *e);
void trainer_disconnect(struct trainer *t);
/* All moments into params.m and v of rank 0, for a checkpoint; drop gives that memory back. On
 * every rank; both do nothing where moments were not shared out. */
enum rc trainer_gather_moments(struct trainer *t, struct err *e);
void trainer_drop_moments(struct trainer *t);
/* How this trainer wants its batches. */
struct collate trainer_collate(const struct trainer *t);

/* A step on a batch that was collated for this rank. RC_CHECK: loss or gradient is not finite; the
 * weights are as before the step, and the sentence names the first cells. */
enum rc trainer_learn(struct trainer *t, const struct step_batch *s, struct train_result *r,
                      struct err *e);
/* The same from cells: step number `step` (from 0) in epoch `epoch`. */
enum rc trainer_step(struct trainer *t, const struct batch_cell *cell, size_t n_cells,
                     uint64_t step, uint64_t epoch, struct train_result *r, struct err *e);

struct train_eval {
    double id_loss, value_loss, accuracy;                /* of the model */
    double base_id_loss, base_value_loss, base_accuracy; /* of lib/nn/baseline.h */
    size_t n_cells, n_masked;
};
/* Held-out cells with masks that are the same at every evaluation; no dropout. base may be NULL. */
enum rc trainer_evaluate(struct trainer *t, const struct cell_source *held,
                         const struct baseline *base, struct train_eval *r, struct err *e);

#endif
