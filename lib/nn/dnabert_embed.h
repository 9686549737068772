/* Sequences to vectors by DNABERT, and the masked-span training of one. */
#ifndef GC_NN_DNABERT_EMBED_H
#define GC_NN_DNABERT_EMBED_H

#include "lib/nn/dnabert.h"

enum dna_pooling { DNA_MEAN_CLS, DNA_LONG };

/* out [n, D]: the vector of each sequence of k bases or more; what the others are changes it by
 * rounding only (float products add in an order that depends on the number of rows). done, when
 * not NULL, hears how many are ready. RC_INPUT: a shorter sequence; DNA_LONG without an LSTM. */
enum rc dnabert_embed(struct dnabert *m, const char *const *bases, size_t n,
                      enum dna_pooling pooling, float *out, void (*done)(void *ctx, size_t n),
                      void *ctx, struct err *e);

/* Masked spans as DNABERT is trained with: each word is the seed of a span with probability `rate`
 * (0.025 and k = 6 hide about 15 %); a span is the seed, k/2 - 1 words before it and k/2 after, all
 * the words that hold one base; of hidden words 0.8 become [MASK], 0.1 another word, 0.1 stay. */
struct dna_training {
    uint32_t epochs, batch_chunks;
    double rate, peak_lr, weight_decay, warmup; /* warmup: share of the steps */
    uint64_t seed;
    /* Heard after each epoch; may be NULL. */
    void (*epoch_done)(void *ctx, uint32_t epoch, double loss, double held_loss);
    void *ctx;
};
/* Fine-tuning: 40 epochs, rate 5e-5, batches of 32 chunks. */
struct dna_training dna_training_defaults(void);
/* Every 10th sequence is held out; *loss and *held: mean cross-entropy of hidden words in the last
 * epoch. m was made for training. RC_INPUT: fewer than 10 sequences, one shorter than k bases.
 * RC_CHECK: the loss is not finite. */
enum rc dnabert_train(struct dnabert *m, const char *const *bases, size_t n,
                      const struct dna_training *o, double *loss, double *held, struct err *e);
/* Hides words of the batch: fills masked and label (room for n_rows), changes id. */
void dna_hide(struct dna_batch *b, int k, double rate, uint64_t seed, uint64_t round);

#endif
