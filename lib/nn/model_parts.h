/* What the files of the forward pass share; nobody else includes it. */
#ifndef GC_NN_MODEL_PARTS_H
#define GC_NN_MODEL_PARTS_H

#include "lib/nn/model.h"

/* Per pair of a batch, and for each gene which pair is its own. */
struct model_embedding {
    struct tensor *pairs; /* model_pairs, or the folded table; may be NULL */
    const uint32_t *index;
    struct tensor *words; /* of a JOINT value encoder: what the word gives to its first layer */
    const uint32_t *word_index;
};

/* The parameter of that name. */
__attribute__((format(printf, 2, 3))) struct tensor *model_par(struct model *m, const char *fmt,
                                                               ...);
/* [n_pairs,D]: model_embedding.words. */
struct tensor *model_words(struct model *m, struct tape *t, const struct batch *b);
/* [n_rows,D]: input of the encoder. */
struct tensor *model_embed(struct model *m, struct tape *t, const struct batch *b,
                           const struct model_embedding *x, const struct model_run *run);
/* A layer of the encoder. into: where its output goes, without gradients; NULL: fresh memory. */
struct tensor *model_layer(struct model *m, struct tape *t, struct tensor *h, unsigned l,
                           const struct batch *b, const struct model_run *run, struct tensor *into);
/* Row 0 of each cell behind a layer, [n_cells,D], without gradients or dropout: every row is a key,
 * those alone go on. */
struct tensor *model_layer_cells(struct model *m, struct tape *t, struct tensor *h, unsigned l,
                                 const struct batch *b);
/* model_encode without gradients, where no layer but the last is asked for (lib/nn/model_encode.c).
 */
void model_encode_only(struct model *m, struct tape *t, const struct batch *b,
                       const struct model_run *run, struct model_out *out);

#endif
