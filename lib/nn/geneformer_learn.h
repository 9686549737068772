/* Geneformer trained by us: first on hidden genes of rank lists, then on classes of cells.
 *
 *   geneformer_pretrain   15 % of a cell's genes asked; of these 80 % <mask>, 10 % another token,
 * 10 % as they are; transformers' AdamW, warm-up and linear decay, norm at most 1 probe_geneformer
 * pooler and classifier on the first row, everything trained; the same optimiser; chosen by
 * validation cells */
#ifndef GC_NN_GENEFORMER_LEARN_H
#define GC_NN_GENEFORMER_LEARN_H

#include "lib/nn/geneformer.h"
#include "lib/nn/learner.h"

enum { GENEFORMER_PAD = 0, GENEFORMER_MASK = 1, GENEFORMER_FIRST_GENE = 2 };

/* Cells as lists of tokens, one behind another. All borrowed. */
struct rank_lists {
    size_t n;
    const size_t *first;   /* [n + 1] */
    const uint32_t *token; /* by falling value */
    const uint64_t *id;    /* [n] of the cells: keys of masks and dropout */
};

/* 2 layers of width 64 with 4 heads: the published shape is 6, 256 and 4 (spec 04 section 6), from
 * which all else is. n_classes 0. */
struct geneformer_config geneformer_small(size_t n_tokens, size_t n_positions);

struct geneformer_pretraining {
    size_t steps, batch;
    double lr; /* 1e-3 as published */
    uint64_t seed;
};

/* m: initialised with training; gets its first weights here. An empty list is no cell of a step.
 * loss[2]: mean of the first and of the last tenth of the steps. RC_INPUT: no list with a token. */
enum rc geneformer_pretrain(struct geneformer *m, const struct rank_lists *lists,
                            const struct geneformer_pretraining *o, double loss[2], struct err *e);

struct geneformer_learning {
    struct learning run;
    double lr;
};

/* lists: of the cells of the split; a cell without tokens is read as one <pad>. from: weights to
 * begin with, of the same shape but for n_classes, or NULL: first weights. On failure *r is empty.
 */
enum rc probe_geneformer(const struct probe_cells *cells, const struct rank_lists *lists,
                         const struct geneformer_config *c, const struct geneformer *from,
                         const struct geneformer_learning *o, const struct backend *b,
                         struct probe_result *r, struct err *e);

#endif
