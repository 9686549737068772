/* DNABERT (Ji et al. 2021): a BERT on overlapping words of 6 bases. Names and shapes of parameters
 * are those of HF's BertForMaskedLM with pooler, so published weights fit; the decoder is tied to
 * the word embeddings.
 *
 *   x = LN(word[id] + type[0] + position[rank]);  L times attention and feed-forward (post-norm,
 *   erf-GELU);  cls head: LN(gelu(h W + b)) word^T + bias
 *
 * A sequence of more words than fit is cut into chunks of at most max_positions - 2 words, each
 * [CLS] .. [SEP]. Chunks are ragged rows, one behind the other: no padding. A sequence's vector is
 *   mean_cls  the mean over its chunks of the last layer's [CLS] row (the recommended reading)
 *   dnalong   as the published code's long-sequence classifier: tanh pooler of each chunk, through
 *             a 2-layer bidirectional LSTM; sum over layers and directions of the last states */
#ifndef GC_NN_DNABERT_H
#define GC_NN_DNABERT_H

#include "lib/tensor/params.h"
#include "lib/tensor/tape.h"

struct dnabert_config {
    uint32_t n_layers, n_heads, d, ffn, max_positions, n_tokens, type_vocab;
    int k;
    double norm_eps, dropout;
    bool lstm; /* has rnn.*, for dnalong */
};

struct dnabert {
    struct dnabert_config config;
    struct params params;
};

/* Shapes of the published model; and of a small one to train here. */
struct dnabert_config dnabert_config_base(void);
struct dnabert_config dnabert_config_small(void);
/* RC_INPUT names the number that cannot be. */
enum rc dnabert_config_check(const struct dnabert_config *c, struct err *e);
/* On failure *m is empty. */
enum rc dnabert_init(struct dnabert *m, const struct dnabert_config *c, const struct backend *b,
                     bool training, struct err *e);
void dnabert_release(struct dnabert *m);
void dnabert_randomise(struct dnabert *m, uint64_t seed);

/* Chunks of sequences; borrowed or from an arena. */
struct dna_batch {
    size_t n_chunks, n_rows;
    uint32_t *id;      /* [n_rows] */
    uint32_t *rank;    /* [n_rows] position in the chunk */
    uint32_t *first;   /* [n_chunks + 1] */
    uint64_t *row_key; /* [n_rows] for dropout */
    /* masked words */
    size_t n_masked;
    uint32_t *masked, *label; /* [n_masked] rows, words before masking */
};

/* Chunks that n words make. */
size_t dna_chunks(const struct dnabert_config *c, size_t n);
/* The chunks of one sequence's words, appended: the caller has room for n + 2 * dna_chunks rows.
 * key: of the sequence, for dropout. */
void dna_batch_add(struct dna_batch *b, const struct dnabert_config *c, const uint32_t *word,
                   size_t n, uint64_t key);

/* [n_rows, D] after the last layer. drop_seed: of this step; 0: no dropout. */
struct tensor *dnabert_encode(struct dnabert *m, struct tape *t, const struct dna_batch *b,
                              uint64_t drop_seed);
/* Row 0 of each chunk alone, without gradients: in the last layer the other rows are keys and values
 * and no more. */
struct tensor *dnabert_encode_cls(struct dnabert *m, struct tape *t, const struct dna_batch *b);
/* Row 0 of each chunk, and tanh(pooler) of it: [n_chunks, D]. */
struct tensor *dnabert_cls(struct tape *t, const struct dna_batch *b, struct tensor *last);
struct tensor *dnabert_pool(struct dnabert *m, struct tape *t, struct tensor *cls);
/* scale * sum over masked rows of the cross-entropy; adds gradients in training. */
double dnabert_loss(struct dnabert *m, struct tape *t, const struct dna_batch *b,
                    struct tensor *last, double scale);
/* dnalong from pooled rows x[n, D] to out[D], in double. work: dnabert_long_work doubles. */
size_t dnabert_long_work(const struct dnabert_config *c, size_t n);
void dnabert_long(const struct dnabert *m, const double *x, size_t n, double *out, double *work);

#endif
