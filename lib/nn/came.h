/* CAME's network (Liu et al. 2023; v0.1.12 over dgl; spec 05 section 6), and GeneCompass + CAME,
 * where gene nodes start from an embedding. Names are those of the released state dict
 * (embed_layer.weights.initial is ours). Weights of relations are in x out.
 *
 * mean_r h: mean over the sources of relation r (0 without any); f_t(z) = drop(leaky(LN_t(z) +
 * b_t)), t cell or gene, the bias after the norm, slope 0.05. embed   cell f(x W_self), gene
 * f(mean_express x W_express [+ E W_initial]) hidden  (the same weights each time) cell f(sum of
 * self, similar_to, expressed_by), gene f(sum of express, homolog_with or self_loop_gene), each
 * mean_r h W_r classifier  graph attention genes -> cells (lib/tensor/small.h), heads of width C
 * averaged; logits = LN(raw) + bias Which of mean and product comes first is free; the one with
 * fewer rows to multiply is taken. */
#ifndef GC_NN_CAME_H
#define GC_NN_CAME_H

#include "lib/nn/came_graph.h"
#include "lib/tensor/params.h"
#include "lib/tensor/tape.h"

enum { CAME_MAX_LAYERS = 8 };

struct came_config {
    size_t n_features, n_classes, d, heads, layers;
    size_t d_initial; /* width of initial gene embeddings; 0: none */
    bool aligned;
    double slope, attention_slope, norm_eps;            /* 0.05, 0.2, 1e-5 */
    double dropout, attention_dropout, feature_dropout; /* 0.2, 0.6, 0.01 */
    double smooth_eps, beta;                            /* of the loss: 0.1, 1 */
};

struct came {
    struct came_config config;
    struct params params;
};

/* Tensors of the tape: [cells or genes, d]. */
struct came_out {
    struct tensor *embed_cell, *embed_gene;
    struct tensor *cell[CAME_MAX_LAYERS], *gene[CAME_MAX_LAYERS];
    struct tensor *share;  /* [edges of expressed_by, heads] */
    struct tensor *raw;    /* [cells, C] before the norm */
    struct tensor *logits; /* [cells, C] */
};

/* Dropout with this seed; on false: none. */
struct came_run {
    bool hidden_dropout, classifier_dropout;
    uint64_t seed;
};

struct came_loss {
    double total, nll, smooth, bce; /* total = (1 - eps) nll + eps smooth + beta bce */
};

/* RC_INPUT: sizes that do not fit together. On failure *m is empty. */
enum rc came_init(struct came *m, const struct came_config *c, const struct backend *b,
                  bool training, struct err *e);
void came_release(struct came *m);
/* Xavier-uniform weights (gain sqrt 2), norms 1 and 0, biases 0. */
void came_randomise(struct came *m, uint64_t seed);
/* initial [n_nodes, d_initial] (standardised), NULL without. */
void came_forward(const struct came *m, struct tape *t, const struct came_graph *g,
                  const double *initial, const struct came_run *run, struct came_out *out);
/* Over the reference cells, whose classes are label[0..n_cells[CAME_REFERENCE]); class_weight [C]
 * sums to 1. Adds gradients in training. RC_INPUT: a label that is no class. */
enum rc came_loss(const struct came *m, struct tape *t, const struct came_graph *g,
                  const struct came_out *out, const uint32_t *label, const double *class_weight,
                  struct came_loss *loss, struct err *e);
/* Adam, decay of the L2 kind; step from 1. Published: 5e-4, 1e-2. */
void came_step(struct came *m, double rate, double decay, uint64_t step);

/* Proportional to 1 / sqrt(n_k + 1), sum 1. */
void came_class_weights(const uint32_t *label, size_t n, size_t n_classes, double *weight);

/* Which epoch is kept: from epoch `first` on (counted from 0) the one whose predictions for the
 * query agree best with its clusters by adjusted mutual information, the later of equals. */
struct came_choice {
    size_t first, epoch; /* epoch: SIZE_MAX while there is none */
    double ami;
};
bool came_choose(struct came_choice *c, size_t epoch, double ami);

/* Columns of x centred and divided by their SD (n) over the rows where has[i]; other rows, and
 * columns without spread, become 0. Initial embeddings of gene nodes. */
void came_standardise(struct mat *x, const bool *has);

#endif
