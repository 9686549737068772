/* Training of CAME (Liu et al. 2023; spec 05 section 6): full-graph steps on the reference's
 * labels, the epoch chosen by how well the names of the query's cells agree with the query's own
 * clusters, so without a single label of the query.
 *
 *   every epoch   a pass with dropout; its names of the query cells; their adjusted mutual
 *                 information with the clusters; a step of Adam
 *   chosen        came_choose; the weights kept are those after that epoch's step
 *   at_epoch      the names of that pass: what CAME's paper scores
 *   as_released   what the package returns: embedding and hidden layers with dropout, classifier
 *                 without, one pass
 *   probability   ours: mean over n_passes passes with dropout, which no single draw decides */
#ifndef GC_NN_CAME_TRAIN_H
#define GC_NN_CAME_TRAIN_H

#include "lib/nn/came.h"

struct came_plan {
    size_t n_epochs, first, n_passes; /* first: the first epoch (from 0) that may be chosen */
    double rate, decay;
    uint64_t seed;
};
/* 350 epochs, from the hundredth on, 5e-4, 1e-2; 20 passes. */
extern const struct came_plan came_plan_published;
/* The network as published, without sizes of data: width 128, 8 heads, 2 hidden layers. */
extern const struct came_config came_config_published;

/* What is trained on; all borrowed. */
struct came_task {
    const struct came_graph *g;
    const double *initial;   /* [n_nodes, d_initial], NULL without */
    const uint32_t *label;   /* [reference cells] */
    const uint32_t *cluster; /* [query cells] < n_clusters */
    size_t n_classes, n_clusters, d_initial;
};

struct came_epoch {
    double loss, accuracy, ami; /* of the reference's labels; ami NaN before came_plan.first */
};

struct came_trained {
    size_t chosen;
    struct came_epoch *epoch;         /* [n_epochs]; owned, as is all below */
    uint32_t *at_epoch, *as_released; /* [query cells] */
    double *probability;              /* [query cells, n_classes] */
    uint32_t *predicted;              /* [query cells]: the most probable class, first of equals */
};

/* A pure function of task, plan and backend, whatever the number of threads. On failure *out is
 * empty. */
enum rc came_train(const struct came_task *task, const struct came_config *config,
                   const struct came_plan *plan, const struct backend *b, struct came_trained *out,
                   struct err *e);
void came_trained_release(struct came_trained *t);

#endif
