/* Geneformer (Theodoris et al. 2023; spec 04 section 6, spec 05 section 13): a BERT for masked
 * tokens over rank lists, on our tape, so that every backend runs it. Names are those of
 * transformers 4.30.0's BertForMaskedLM.
 *
 *   x   = LN(word[id] + type[0] + position[rank])                       [rows, D]
 *   layer: a = LN(x + W_o attention(x)), x = LN(a + W_2 relu(W_1 a))    post-LN
 *   head: z = LN(relu(W x + b)); logits = z word' + bias                decoder tied to the words
 *   classes: tanh(W x_0 + b), dropout, linear; x_0 is the row of the cell's highest gene, since a
 *            rank list has no token of its own for the cell (transformers' sequence classification)
 *
 * Cells lie one behind another without padding, so there is no mask. Tokens: 0 <pad> (its row gets
 * no gradient from look-ups, but one from the decoder), 1 <mask>. */
#ifndef GC_NN_GENEFORMER_H
#define GC_NN_GENEFORMER_H

#include "lib/tensor/params.h"
#include "lib/tensor/tape.h"

enum { GENEFORMER_MAX_LAYERS = 48 };

struct geneformer_config {
    size_t n_tokens, d, layers, heads, inner, n_positions, n_types;
    size_t n_classes; /* of cells; 0: without pooler and classifier */
    double norm_eps, hidden_dropout, attention_dropout;
};

struct geneformer {
    struct geneformer_config config;
    struct params params;
};

/* Cells as rows; borrowed. asked: rows whose token is to be told, with its label. */
struct geneformer_batch {
    size_t n_cells, n_rows, n_asked;
    const uint32_t *first; /* [n_cells + 1] */
    const uint32_t *id;    /* [n_rows] */
    const uint32_t *rank;  /* [n_rows] position in the cell */
    const uint32_t *asked, *label;
    const uint64_t *row_key; /* [n_rows] for dropout, which is off when this is NULL */
    uint64_t seed;           /* of this step's dropout */
};

/* Tensors of the tape. */
struct geneformer_out {
    struct tensor *embedding;                    /* [rows, D] */
    struct tensor *q[GENEFORMER_MAX_LAYERS];     /* [rows, D] */
    struct tensor *k[GENEFORMER_MAX_LAYERS];     /* [rows, D] */
    struct tensor *layer[GENEFORMER_MAX_LAYERS]; /* [rows, D] */
};

/* Weights are zero; net_initialise or a file fills them. RC_INPUT: sizes that do not fit together.
 * On failure *m is empty. */
enum rc geneformer_init(struct geneformer *m, const struct geneformer_config *c,
                        const struct backend *b, bool training, struct err *e);
void geneformer_release(struct geneformer *m);
/* RC_INPUT: a token or a rank that the model does not have. */
enum rc geneformer_check(const struct geneformer *m, const struct geneformer_batch *b,
                         struct err *e);
/* The encoder; b was checked. */
void geneformer_encode(const struct geneformer *m, struct tape *t, const struct geneformer_batch *b,
                       struct geneformer_out *out);
/* z [n, D] of rows of the last layer; logits = z word' + bias. */
struct tensor *geneformer_transform(const struct geneformer *m, struct tape *t, struct tensor *x);
struct tensor *geneformer_logits(const struct geneformer *m, struct tape *t, struct tensor *z);
/* Mean cross-entropy over the asked rows; adds gradients in training. 0 when nothing is asked. */
double geneformer_loss(const struct geneformer *m, struct tape *t, const struct geneformer_batch *b,
                       const struct geneformer_out *out);
/* Of the cells, with n_classes above 0: pooled rows [n_cells, D]; logits [n_cells, C] of them; the
 * mean cross-entropy with class_of [n_cells], which adds gradients in training. */
struct tensor *geneformer_pool(const struct geneformer *m, struct tape *t,
                               const struct geneformer_batch *b, const struct geneformer_out *out);
struct tensor *geneformer_class_logits(const struct geneformer *m, struct tape *t,
                                       struct tensor *pooled);
double geneformer_class_loss(const struct geneformer *m, struct tape *t, struct tensor *pooled,
                             const uint32_t *class_of);

#endif
