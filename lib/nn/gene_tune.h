/* Token classification: two classes of genes, told from their rows of the last layer (spec/05
 * section 10): encoder -> dropout -> linear(D, 2) on every row of a gene with a class, cross-entropy.
 * The species row has no class and is left out: the released class counts it in, and so compares S + 1
 * rows with S labels (spec/07 E16).
 *
 * N cells, D width, O occurrences: a gene with a class among the genes of a cell that the model reads. */
#ifndef GC_NN_GENE_TUNE_H
#define GC_NN_GENE_TUNE_H

#include "lib/nn/model.h"

enum { GENE_NO_CLASS = -1 };

struct gene_tune_options {
    double lr, weight_decay, max_grad_norm;
    double head_dropout; /* of a gene's row before the linear layer */
    size_t batch, epochs, warmup_steps;
    size_t frozen_layers; /* of the encoder, from the first on, that stay as they are */
    size_t micro_rows;    /* rows computed at a time */
    uint64_t seed;
};

/* class_of [V]: 0, 1 or GENE_NO_CLASS of each token. Number of occurrences in the cells, in order of cells
 * and ranks; cell_of and token [O] may be NULL. */
size_t gene_occurrences(const struct model *m, const struct batch_cell *cell, size_t n,
                        const int8_t *class_of, uint32_t *cell_of, uint16_t *token);
/* Trains m, loaded for training with a classifier of two classes, from its weights as they are and a new
 * classifier; the optimiser starts anew. Cells without a class are left out. *loss: mean over the occurrences
 * of the last epoch as they were seen.
 * RC_INPUT: no cell has a gene with a class. RC_CHECK: the loss is not finite. */
enum rc gene_tune(struct model *m, const struct gene_tune_options *o, const struct batch_cell *cell,
                  size_t n, const int8_t *class_of, double *loss, struct err *e);
/* Rows of the occurrences in the last layer without dropout: to [O,D]. */
enum rc gene_encode(struct model *m, const struct batch_cell *cell, size_t n, const int8_t *class_of,
                    size_t micro_rows, float *to, struct err *e);
/* Log-odds of class 1 by m's classifier for such rows x [n,D]: score [n]. */
enum rc gene_scores(const struct model *m, const float *x, size_t n, double *score, struct err *e);

#endif
