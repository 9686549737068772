/* TOSICA (Chen et al. 2023, JackieHanLab/TOSICA; spec 05 section 13): cell types from expression by
 * way of pathways. Names are those of the released state dict.
 *
 *   u = x (W o M)' + b                 [B, T E]; M is the mask of T gene sets, each E times
 *   tokens [B, T, E] of u by one of two layouts, the class token in front
 *   block: h = h + proj(attention(LN1 h)), h = h + fc2(gelu(fc1(LN2 h)))     pre-LN
 *   logits = head(LN(h)[class token])
 *
 * Layouts. Unit j of u has the mask of set j div E. The released code reads it as coordinate
 * j div T of token j mod T, so a token mixes sets (their checkpoints need that); straight means
 * unit c E + w is coordinate w of token c. */
#ifndef GC_NN_TOSICA_H
#define GC_NN_TOSICA_H

#include "lib/nn/mat.h"
#include "lib/tensor/params.h"
#include "lib/tensor/tape.h"

enum { TOSICA_MAX_DEPTH = 16 };
enum tosica_layout { TOSICA_STRAIGHT, TOSICA_RELEASED };

struct tosica_config {
    size_t n_genes, n_tokens, d, depth, heads, mlp_ratio, n_classes;
    double norm_eps;
    double dropout;   /* after attention, its projection and both layers of the MLP: 0.5 */
    double path_drop; /* of the last block, linear from 0 in the first: 0.5 */
    enum tosica_layout layout;
    /* Packed: genes of token t are member[first[t] .. first[t + 1]), and only their weights exist,
     * as columns of feature_embed.packed.weight [E, first[T]]. The same numbers as under a mask, in a
     * fraction of the time; layout straight only. Both borrowed for the network's life; NULL: a mask. */
    const uint32_t *first, *member;
};

struct tosica {
    struct tosica_config config;
    struct params params;
};

/* Cells [n, n_genes] of log-normalised expression, reals of the backend's type are made from it. */
struct tosica_batch {
    size_t n;
    const double *x;
    const uint32_t *label; /* [n]; NULL: no loss */
    const uint64_t *key;   /* [n] cell ids for dropout, which is off when NULL */
    uint64_t seed;
};

/* Tensors of the tape; a cell has T + 1 rows, the class token first. */
struct tosica_out {
    struct tensor *tokens;                   /* [n T, E] */
    struct tensor *input[TOSICA_MAX_DEPTH];  /* [n (T+1), E] */
    struct tensor *output[TOSICA_MAX_DEPTH]; /* [n (T+1), E] */
    struct tensor *q[TOSICA_MAX_DEPTH], *k[TOSICA_MAX_DEPTH];
    struct tensor *norm;   /* [n (T+1), E] */
    struct tensor *latent; /* [n, E] */
    struct tensor *logits; /* [n, C] */
    double loss;           /* mean cross-entropy */
};

/* The mask is a parameter by name (feature_embed.fe.mask) that never gets a gradient; there is none
 * when packed. RC_INPUT:
 * sizes that do not fit together. On failure *m is empty. */
enum rc tosica_init(struct tosica *m, const struct tosica_config *c, const struct backend *b,
                    bool training, struct err *e);
void tosica_release(struct tosica *m);
/* First weights as the released modules have them: net_initialise, masked weights by all genes. */
void tosica_initialise(struct tosica *m, uint64_t seed);
/* mask [n_tokens, n_genes] of 0 and 1 into the parameter. */
void tosica_set_mask(struct tosica *m, const struct mat *mask);
/* Adds the loss's gradients in training. */
void tosica_forward(const struct tosica *m, struct tape *t, const struct tosica_batch *b,
                    struct tosica_out *out);
/* SGD with momentum 0.9 and decay 5e-5 on all but the mask. */
void tosica_step(struct tosica *m, double rate);
/* 1e-3 (0.99 (1 + cos(pi e / n)) / 2 + 0.01) for a base of 1e-3. */
double tosica_rate(double base, size_t epoch, size_t n_epochs);

/* How much the class token saw of each other token: per block the heads' mean plus the identity,
 * rows divided by their sums, multiplied with the last block leftmost; row 0 without column 0.
 * rollout [n, T]. RC_FAIL: memory. */
enum rc tosica_rollout(const struct tosica *m, struct tape *t, const struct tosica_out *out,
                       size_t n, double *rollout, struct err *e);

/* Which of n_sets gene sets become tokens: those that list at most max_listed genes and hit more
 * than more_hits_than of ours, and a fully connected one at the end; of these the max_sets with
 * most hits, ties to the earlier. kept [n_sets + 1] is filled with set numbers in file order
 * (n_sets is the connected one); returns how many. n_genes: hits of the connected one. */
size_t tosica_choose_sets(const size_t *n_listed, const size_t *n_hits, size_t n_sets,
                          size_t n_genes, size_t max_listed, size_t more_hits_than, size_t max_sets,
                          uint32_t *kept);

#endif
