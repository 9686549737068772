/* A classifier of cells on top of the model: row 0 -> pooler (tanh) -> dropout -> linear -> softmax
 * (spec/05 section 4), trained by cross-entropy with the optimiser of spec/04 section 3.
 *
 *   FINE_FULL    everything is trained, as the paper has it
 *   FINE_HEAD    pooler and classifier alone; the cells are encoded once, without dropout
 *   FINE_LAYERS  all but the layers of the encoder, as the released notebook has it
 * Heads of pre-training have no part in it and stay as they are. After each epoch the validation
 * cells are classified; the epoch with the best macro-F1 (of equals the least loss, then the first)
 * is kept. Equal inputs give equal weights, whatever the threads.
 *
 * N cells, C classes, D width. */
#ifndef GC_NN_FINETUNE_H
#define GC_NN_FINETUNE_H

#include "lib/nn/model.h"

enum finetune_kind { FINE_FULL, FINE_HEAD, FINE_LAYERS };

struct finetune_options {
    enum finetune_kind kind;
    double lr, weight_decay, max_grad_norm;
    double head_dropout; /* between pooler and classifier: 0.02 */
    size_t batch, epochs, warmup_steps;
    size_t patience;   /* epochs without a better one until it stops; 0: never stops */
    size_t micro_rows; /* rows computed at a time */
    bool balance;      /* a class weighs N / (C n_c) instead of 1 */
    uint64_t seed;
};

/* All borrowed. class_of below the model's number of classes. */
struct finetune_cells {
    const struct batch_cell *cell; /* [n] */
    const uint32_t *class_of;      /* [n] */
    size_t n;
    const float *x; /* [n,D] what finetune_encode gives, which FINE_HEAD then takes; else NULL */
};

struct finetune_epoch {
    size_t epoch; /* from 1 */
    double loss;  /* mean over the training cells as they were seen, with dropout */
    double val_loss, val_accuracy, val_macro_f1; /* NaN without validation cells */
    bool best;                                   /* so far */
};

/* Gives pooler and classifier first weights, N(0, init_sd) and 0. */
void finetune_new_head(struct model *m, uint64_t seed);
/* m: loaded for training, with a classifier. val->n 0: the last epoch is kept. each: called after
 * every epoch. *best: the one whose weights m has in the end.
 * RC_CHECK: the loss is not finite; m is then as it was after the best epoch. */
enum rc finetune(struct model *m, const struct finetune_options *o,
                 const struct finetune_cells *train, const struct finetune_cells *val,
                 void (*each)(void *ctx, const struct finetune_epoch *r), void *ctx,
                 struct finetune_epoch *best, struct err *e);
/* Row 0 of the last layer without dropout: to [n,D]. done, which may be NULL, hears how many cells
 * are ready. Of many cells the embedding block is folded (model_fold) while they are encoded, unless
 * the caller did: no bit depends on it. */
enum rc finetune_encode(struct model *m, const struct batch_cell *cell, size_t n, size_t micro_rows,
                        float *to, void (*done)(void *ctx, size_t n), void *ctx, struct err *e);
/* Pooler and classifier on such rows: logit [n,C]. */
enum rc finetune_logits(struct model *m, const float *x, size_t n, double *logit, struct err *e);

/* val_loss, val_accuracy and val_macro_f1 of logit [n,C]. RC_FAIL: memory. */
enum rc finetune_score(const double *logit, const uint32_t *class_of, size_t n, size_t n_classes,
                       struct finetune_epoch *r, struct err *e);

#endif
