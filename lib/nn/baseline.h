/* What a predictor that knows only frequencies reaches, for comparison with a trained model: a gene
 * by its share among the training cells' genes, a value by its gene's mean there.
 *
 * Beside them two numbers that need no held-out cell: the entropy of those shares, which no
 * predictor without a look at the cell can beat on cells like these, and the variance of all
 * values, which is what one mean for all genes leaves. */
#ifndef GC_NN_BASELINE_H
#define GC_NN_BASELINE_H

#include "lib/nn/batch.h"

struct baseline {
    double *log_p;      /* [V] log share of each token among the training genes (plus one) */
    double *mean_value; /* [V] mean value of the token, the overall mean where it never occurs */
    uint32_t n_tokens, commonest;
    uint64_t n_genes;
    double entropy;                    /* nats, of the shares as counted */
    double value_mean, value_variance; /* of all values */
    double value_squares;              /* their sum, until finish */
};

enum rc baseline_init(struct baseline *b, uint32_t n_tokens, struct err *e);
/* Counts cells; then baseline_finish makes shares and means of the counts. */
void baseline_add(struct baseline *b, const struct batch_cell *c, uint32_t max_genes);
void baseline_finish(struct baseline *b);
void baseline_release(struct baseline *b);

#endif
