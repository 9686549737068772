/* Training of CPA (lib/nn/cpa.h) on cells under drugs at doses, epoch by epoch, as the release
 * does:
 *
 *   epoch     the training cells in a new order, batches of `batch` (what is left over is dropped);
 *             every third step is one of the autoencoder, the others are the adversaries'
 *   check     every `check_every` epochs, and after the last: mean of R2 over all genes and over
 * the changed genes, of conditions with validation cells; the best weights so far are kept; rates
 * fall to a tenth every 45 predict   control cells (of training), encoded and given a drug, a dose
 * and their type: means over cells of predicted means and variances
 *
 * A drug's doses are divided by its largest. Where we differ: the release chooses by the test
 * cells, and by variances too. Equal inputs give equal results, whatever the number of threads. */
#ifndef GC_NN_CPA_TRAIN_H
#define GC_NN_CPA_TRAIN_H

#include "lib/nn/cpa.h"
#include "lib/nn/dose_facts.h"

struct cpa_plan {
    size_t d, width, depth, adversary_width, adversary_depth, doser_width, doser_depth;
    enum cpa_doser doser;
    double adversary, penalty, rate;
    size_t batch, epochs, check_every;
    size_t n_control; /* control cells of a type that predictions start from, at most */
    uint64_t seed;
};
/* 128, 128, 3, 64, 2, 128, 2; MLP; 60, 60, 3e-4; 256, 100, 20; 500. The release has 2000 epochs and
 * all control cells. */
extern const struct cpa_plan cpa_plan_published;

/* All borrowed, and alive as long as the training. */
struct cpa_task {
    const struct dose_set *set;
    const unsigned char *part; /* [n_cells] */
    const struct mat *vectors; /* [G, d] of genes, zero rows: none; NULL: the original */
    const uint32_t *changed;   /* [n_conditions, n_changed] */
    size_t n_changed;
};

struct cpa_check {
    double epoch, loss, adversary_loss, validation; /* means over the steps since the last check */
};

struct cpa_training {
    const struct cpa_task *task;
    struct cpa_plan plan;
    struct cpa m;
    struct tape tape;
    struct dose_moments validation;
    uint32_t *cell; /* [n_train] */
    size_t n_train;
    double *x, *dose;        /* [batch, G], [batch, D] */
    uint32_t *class_of;      /* [batch] */
    struct cpa_check *check; /* [n_checks most], owned */
    size_t most_checks;
    /* the state: with the blocks of m.params all that a checkpoint needs */
    size_t n_done, n_checks, best; /* epochs; SIZE_MAX: none */
    uint64_t step, step_autoencoder, step_adversaries;
    char *kept; /* the weights of the best check */
};

/* RC_INPUT: fewer than two training cells. On failure *t is empty. */
enum rc cpa_training_init(struct cpa_training *t, const struct cpa_task *task,
                          const struct cpa_plan *plan, const struct backend *b, struct err *e);
void cpa_training_release(struct cpa_training *t);
/* One step on cell[0..batch). RC_CHECK: a loss that is not finite. */
enum rc cpa_training_step(struct cpa_training *t, const uint32_t *cell, struct cpa_losses *l,
                          struct err *e);
/* Epochs up to and with the next check. */
enum rc cpa_training_round(struct cpa_training *t, struct err *e);
/* The weights of the best check become the model's. */
void cpa_training_choose(struct cpa_training *t);

/* Up to plan.n_control training control cells of a type: x [n, G], owned by the caller. */
enum rc cpa_training_controls(const struct cpa_training *t, uint32_t type, struct mat *x,
                              struct err *e);

/* A condition to be predicted. All borrowed. */
struct cpa_question {
    const struct mat *cells; /* of control, [n, G] */
    uint32_t type, drug;     /* DOSE_CONTROL: none */
    double dose;             /* of the drug's largest */
    const struct mat *vectors;
    bool as_released; /* the vectors, through a new random layer, count as cells more: spec 07 E7 */
    uint64_t key, seed; /* of that layer */
};
/* Means over the cells of predicted means and variances, [G] each. t: a tape of m's backend. */
enum rc cpa_predict(const struct cpa *m, struct tape *t, const struct cpa_question *q, double *mean,
                    double *var, struct err *e);

#endif
