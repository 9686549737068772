/* One step of pre-training on a global batch, and evaluation on held-out cells (spec/04).
 *
 * The global batch is cut into micro-batches of at most micro_rows rows, in the order of its cells:
 * a function of the batch alone. Their gradients are joined in a fixed binary tree (a binary
 * counter: blocks of 1, 2, 4, ... micro-batches), so that later any number of ranks may own its
 * sub-trees without changing what is added to what. */
#ifndef GC_NN_TRAIN_H
#define GC_NN_TRAIN_H

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
    size_t n_cells, n_genes, n_masked;
};

enum { TRAIN_LEVELS = 24 };

struct trainer {
    struct model *m;
    struct train_options o;
    struct arena batches; /* of one step */
    struct tape tape;
    void *level[TRAIN_LEVELS]; /* joined gradients of 2^i micro-batches; owned, made when needed */
};

void trainer_init(struct trainer *t, struct model *m, const struct train_options *o);
void trainer_release(struct trainer *t);
/* Step number `step` (from 0) in epoch `epoch`. RC_CHECK: loss or gradient is not finite; the
 * weights are as before the step, and the sentence names the cells. */
enum rc trainer_step(struct trainer *t, const struct batch_cell *cell, size_t n_cells,
                     uint64_t step, uint64_t epoch, struct train_result *r, struct err *e);

/* What a predictor that knows only frequencies reaches, for comparison. */
struct train_baseline {
    double *log_p;      /* [V] log share of each token among the training genes (plus one) */
    double *mean_value; /* [V] mean value of the token, the overall mean where it never occurs */
    uint32_t n_tokens;
};
enum rc train_baseline_init(struct train_baseline *b, uint32_t n_tokens, struct err *e);
/* Counts cells; then train_baseline_finish makes shares and means of the counts. */
void train_baseline_add(struct train_baseline *b, const struct batch_cell *c, uint32_t max_genes);
void train_baseline_finish(struct train_baseline *b);
void train_baseline_release(struct train_baseline *b);

struct train_eval {
    double id_loss, value_loss, accuracy;        /* of the model */
    double base_id_loss, base_value_loss, base_accuracy; /* commonest token, mean value */
    size_t n_cells, n_masked;
};
/* Held-out cells with masks that are the same at every evaluation; no dropout. base may be NULL. */
enum rc trainer_evaluate(struct trainer *t, const struct batch_cell *cell, size_t n_cells,
                         const struct train_baseline *base, struct train_eval *r, struct err *e);

#endif
