/* DeepCE (Pham et al. 2021; spec 05 section 9): expression signatures from a drug's structure, the
 * cell line and the dose. Names are those of the release (emb_proj is ours). H width, G genes, n
 * signatures; rows of signatures x genes lie signature by signature.
 *
 *   atoms   h = relu(BN(W_degree sum over neighbours [h_u; bond] + W_self h + b)), BN without
 * weights over all atoms of the batch; atom vector = sum over inputs and convolutions of
 *           soft-max(Linear(h)); drug = sum over its atoms                          [n, H]
 *   genes   x = Linear(gene vector); L times: t1 = attention(gene -> atoms of the drug),
 *           t2 = attention(gene -> genes); x = LN(x + relu(Linear [t1; t2])),
 *           x = LN(x + FFN(x)), one LN for both; Linear at the end                  [n G, H]
 *   out     [genes, drug, (projected gene embedding,) cell, dose] -> relu -> Linear -> relu ->
 * Linear The published scale of scores is a square root rounded to float32. */
#ifndef GC_NN_DEEPCE_H
#define GC_NN_DEEPCE_H

#include "lib/nn/links.h"
#include "lib/tensor/params.h"
#include "lib/tensor/tape.h"

enum {
    DEEPCE_ATOM = 62,
    DEEPCE_BOND = 6,
    DEEPCE_DEGREES = 6,
    DEEPCE_MAX_CONV = 4,
    DEEPCE_MAX_LAYERS = 8
};

struct deepce_config {
    size_t n_genes, d_gene; /* width of gene vectors: 128 */
    size_t d, heads, layers, inner, d_hidden;
    size_t n_conv, conv[DEEPCE_MAX_CONV]; /* 16, 16 */
    size_t n_cells, d_cell, n_doses, d_dose;
    size_t d_embedding, d_projected; /* of gene embeddings; 0: none */
    double dropout;
};

struct deepce {
    struct deepce_config config;
    struct params params;
};

/* Molecules of a batch: atoms by row in any order, bonds between rows. Inputs are borrowed. */
struct deepce_batch {
    size_t n, n_atoms, n_bonds;
    const double *atom, *bond;   /* [n_atoms, 62], [n_bonds, 6] */
    const double *gene_vector;   /* [G, d_gene] */
    const double *embedding;     /* [G, d_embedding] or NULL; zero rows: genes without one */
    const uint32_t *cell, *dose; /* [n] */
    uint64_t seed;               /* of dropout */
    bool dropout;
    struct links neighbours;             /* atoms to atoms */
    struct links bonds;                  /* bonds to atoms */
    struct links drugs;                  /* atoms to signatures */
    struct links degree[DEEPCE_DEGREES]; /* rows of that degree to all rows */
    uint32_t *row, n_row[DEEPCE_DEGREES], *row_of[DEEPCE_DEGREES]; /* rows by degree; owned */
    uint32_t *by_signature, *atom_first; /* rows of each signature in order; owned */
};

/* Tensors of the tape. */
struct deepce_out {
    struct tensor *conv[DEEPCE_MAX_CONV]; /* [n_atoms, size] */
    struct tensor *atoms;                 /* [n_atoms, H], by signature */
    struct tensor *genes;                 /* [G, H] */
    struct tensor *to_atoms[DEEPCE_MAX_LAYERS], *to_genes[DEEPCE_MAX_LAYERS],
        *layer[DEEPCE_MAX_LAYERS];           /* [n G, H] */
    struct tensor *share[DEEPCE_MAX_LAYERS]; /* of gene -> atoms: by signature [heads, G, atoms] */
    struct tensor *attended;                 /* [n G, H] */
    struct tensor *joined, *hidden;          /* input (after relu) and output of linear_1 */
    struct tensor *predicted;                /* [n, G] */
};

/* RC_INPUT: sizes that do not fit together. On failure *m is empty. */
enum rc deepce_init(struct deepce *m, const struct deepce_config *c, const struct backend *b,
                    bool training, struct err *e);
void deepce_release(struct deepce *m);
/* Xavier-uniform matrices, zero biases, the attention block as PyTorch starts it. */
void deepce_randomise(struct deepce *m, uint64_t seed);
/* Fills the links of b, whose inputs are set. signature [n_atoms], bond_atom [n_bonds, 2] rows.
 * RC_INPUT: an index out of range, an atom of degree 6 or more, a signature without atoms. On
 * failure b owns nothing. */
enum rc deepce_batch_init(struct deepce_batch *b, const struct deepce *m, const uint32_t *signature,
                          const uint32_t *bond_atom, struct err *e);
void deepce_batch_release(struct deepce_batch *b);
/* train: statistics of the batch. */
void deepce_forward(const struct deepce *m, struct tape *t, const struct deepce_batch *b,
                    bool train, struct deepce_out *out);
/* Mean squared error over [n, G]; adds gradients in training. */
enum rc deepce_loss(struct tape *t, struct tensor *predicted, const double *label, double *loss,
                    struct err *e);
/* Adam; step from 1. Published: 2e-4, no decay. */
void deepce_step(struct deepce *m, double rate, uint64_t step);

/* Which of n replicates [n, d] stands for all: every column is ranked from 0 (equal values in
 * order), the mean rank of each row compared with (n - 1) / 2, the nearest wins, the first of
 * equals. Two replicates always tie but for rounding. mean_rank [n]. RC_FAIL: memory. */
enum rc deepce_choose_replicate(const double *x, size_t n, size_t d, double *mean_rank,
                                size_t *chosen, struct err *e);

/* Share of the k lowest (highest: negative false) predictions that are among the `of` lowest
 * (highest) labels. RC_FAIL: memory. */
enum rc deepce_precision(const double *label, const double *predicted, size_t n, size_t k,
                         size_t of, bool negative, double *out, struct err *e);

#endif
