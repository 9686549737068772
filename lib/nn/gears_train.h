/* Training of GEARS (release 0.1.2; spec 05 section 11) on a Perturb-seq set, epoch by epoch.
 *
 *   set up     every perturbed cell gets a control cell, drawn once; a control cell is its own
 *   epoch      cells of the training conditions in a new order, batches of `batch` (what is left
 *              over is dropped), Adam with element-wise clipping; the rate halves after each epoch
 *   chosen     the epoch whose mean predictions of the validation conditions have the least error
 *              on their 20 most changed genes; without such conditions the last one
 *   predict    the mean over n_control control cells, drawn with replacement
 *
 * Equal inputs give equal results, whatever the number of threads. */
#ifndef GC_NN_GEARS_TRAIN_H
#define GC_NN_GEARS_TRAIN_H

#include "lib/nn/gears.h"
#include "lib/nn/perturb_score.h"

struct gears_plan {
    size_t d, batch, test_batch, epochs, n_control;
    double rate, decay, direction;
    bool top20;  /* squared error of the 20 most changed genes in place of the autofocus loss */
    bool shared; /* struct gears_config */
    uint64_t seed;
};
/* 64, 16, 64, 10, 300; 1e-3, 5e-4, 0.1; shared. */
extern const struct gears_plan gears_plan_published;

/* All borrowed, and alive as long as the training. */
struct gears_task {
    const struct perturb_facts *facts;
    const enum part *part; /* [n_conditions] */
    const struct gears_graph *go, *coexpress;
    size_t n_nodes;
    const uint32_t *node_of;   /* [facts->n_targets] */
    const struct mat *vectors; /* [n_genes, d] of GeneCompass; NULL: the original */
};

struct gears_epoch {
    double loss, validation; /* mean over steps; NaN without validation conditions */
};

struct gears_training {
    const struct gears_task *task;
    struct gears_plan plan;
    struct gears m;
    struct tape tape;
    double *embedding;        /* of task->vectors */
    uint32_t *cell, *partner; /* [n_train] training cells; [n_cells] control cell of each */
    uint32_t *control;        /* [n_control_cells] */
    size_t n_train, n_control_cells;
    uint32_t *gene;            /* genes of the loss of all conditions, one behind the other */
    size_t *first_gene;        /* [n_conditions + 1] */
    struct gears_epoch *epoch; /* [plan.epochs] */
    /* the state: with the blocks of m.params all that a checkpoint needs */
    size_t n_done, best; /* epochs; SIZE_MAX before the first */
    uint64_t step;
    double best_validation;
    char *kept;     /* the block of weights after the chosen epoch */
    double *buffer; /* of a batch: x, y, predictions */
};

/* The co-expression graph of the training cells that are control or have one gene perturbed: genes
 * with |Pearson| above 0.4, the k + 1 nearest. Cells are read in blocks. */
enum rc gears_coexpression(const struct perturb_set *s, const enum part *part, size_t k,
                           struct gears_graph *g, struct err *e);

/* RC_INPUT: fewer training cells than one. On failure *t is empty. */
enum rc gears_training_init(struct gears_training *t, const struct gears_task *task,
                            const struct gears_plan *plan, const struct backend *b, struct err *e);
void gears_training_release(struct gears_training *t);
size_t gears_training_bytes(const struct gears_training *t); /* of a block of weights */
/* One step on cell[0..plan.batch). RC_CHECK: a loss that is not finite. */
enum rc gears_training_step(struct gears_training *t, const uint32_t *cell, double *loss,
                            struct err *e);
/* One epoch, and its validation. RC_CHECK: a loss that is not finite. */
enum rc gears_training_epoch(struct gears_training *t, struct err *e);
/* The weights of the chosen epoch become the model's. */
void gears_training_choose(struct gears_training *t);

/* Expression of n cells x [n, G] after perturbing node[0..n_node): the mean, out [G]. */
enum rc gears_predict(struct gears *m, struct tape *t, const double *embedding, const double *x,
                      size_t n, const uint32_t *node, size_t n_node, size_t batch, double *out,
                      struct err *e);
/* Control cells for predictions: x [plan.n_control, G], owned by the caller. */
enum rc gears_training_controls(const struct gears_training *t, struct mat *x, struct err *e);

#endif
