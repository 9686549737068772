/* Part of lib/nn/train.c: a step where the backend has memory of its own, a device's. Work is
 * queued and the host waits once, for losses and norm. */
#ifndef GC_NN_TRAIN_THERE_H
#define GC_NN_TRAIN_THERE_H

#include "lib/nn/train.h"

/* Forward and backward of this rank's micro-batches, and the sum of their gradients over all ranks,
 * queued. */
enum rc train_there_learn(struct trainer *t, const struct step_batch *s,
                          const struct model_run *run, struct err *e);
/* Norm and the optimiser's step; sets r->grad_norm and the losses of s. */
enum rc train_there_update(struct trainer *t, const struct step_batch *s,
                           const struct model_run *run, struct train_result *r, struct err *e);

#endif
