/* CPA, the compositional perturbation autoencoder (Lotfollahi et al. 2023; facebookresearch/CPA;
 * spec 05 section 8): expression of cells under drugs at doses. Names are those of the release
 * (gene_proj is ours). n cells, G genes, D drugs, W latent width.
 *
 *   z0 = enc(x); dose_d = sigmoid(MLP_d(dose)) where dose > 0, else 0 (or one of two other curves)
 *   z = z0 + sum_d dose_d E_drug[d] + sum_k E_cov,k[class]
 *   means and raw variances = dec(z), var = ln(1 + e^raw) + 0.001
 *   with gene embeddings e: mean_g += <z P', e_g>, P trained, e frozen
 *   adversaries read z0: logits of the drugs and of each covariate
 * Block: Linear, BatchNorm, ReLU for every layer but the last; dosers have no BatchNorm.
 *
 * The adversaries' penalty is the mean square of g = d(sum of logits)/d z0. Its gradient needs
 * second derivatives through the BatchNorm of the batch, so g is written out in small operations
 * and the tape differentiates those. */
#ifndef GC_NN_CPA_H
#define GC_NN_CPA_H

#include "lib/tensor/params.h"
#include "lib/tensor/tape.h"

enum { CPA_MAX_COVARIATES = 4, CPA_MAX_DRUGS = 4096 };
/* SIGM: sigmoid(dose b + c) - sigmoid(c); LOGSIGM the same of ln(1 + dose); b, c per drug. */
enum cpa_doser { CPA_DOSER_MLP, CPA_DOSER_SIGM, CPA_DOSER_LOGSIGM };

struct cpa_config {
    size_t n_genes, n_drugs, n_covariates, n_classes[CPA_MAX_COVARIATES];
    size_t d, width, depth; /* latent; hidden layers of encoder and decoder */
    size_t adversary_width, adversary_depth;
    size_t doser_width, doser_depth;
    enum cpa_doser doser;
    size_t d_embedding;                     /* of gene embeddings; 0: none */
    double adversary, penalty;              /* weights: 60, 60 */
    double rate, decay;                     /* of the autoencoder: 3e-4, 4e-7 */
    double adversary_rate, adversary_decay; /* 3e-4, 4e-7 */
    double doser_rate, doser_decay;         /* 4e-3, 1e-7 */
};

struct cpa {
    struct cpa_config config;
    struct params params;
};

/* All borrowed. */
struct cpa_batch {
    size_t n;
    const double *x;         /* [n, G] */
    const double *dose;      /* [n, D], 0: absent */
    const double *embedding; /* [G, d_embedding] or NULL; zero rows: genes without one */
    const uint32_t *class_of[CPA_MAX_COVARIATES]; /* [n] each */
};

/* Tensors of the tape. */
struct cpa_out {
    struct tensor *basal, *treated;                        /* [n, W] */
    struct tensor *dose;                                   /* [n, D] */
    struct tensor *mean, *var;                             /* [n, G] */
    struct tensor *drug_logits;                            /* [n, D] */
    struct tensor *logits[CPA_MAX_COVARIATES];             /* [n, classes] */
    struct tensor *drug_slope, *slope[CPA_MAX_COVARIATES]; /* g, after cpa_adversary_loss: [n, W] */
};

struct cpa_losses {
    /* The last summed over covariates; the first 0 where there are no means. */
    double reconstruction, drugs, covariates;
    double drug_penalty, covariate_penalty; /* 0 in an autoencoder step */
};

/* RC_INPUT: sizes that do not fit together. On failure *m is empty. */
enum rc cpa_init(struct cpa *m, const struct cpa_config *c, const struct backend *b, bool training,
                 struct err *e);
void cpa_release(struct cpa *m);
/* As PyTorch starts it: tables N(0, 1). */
void cpa_randomise(struct cpa *m, uint64_t seed);
/* RC_INPUT: a class out of range, a dose below 0 or not finite. */
enum rc cpa_batch_check(const struct cpa *m, const struct cpa_batch *b, struct err *e);
/* train: statistics of the batch, in both kinds of step. b was checked. */
void cpa_forward(const struct cpa *m, struct tape *t, const struct cpa_batch *b, bool train,
                 struct cpa_out *out);
/* Its first two parts: basal, dose and treated; means and variances of out->treated, without the
 * vectors' part where embedding is NULL. */
void cpa_treat(const struct cpa *m, struct tape *t, const struct cpa_batch *b, bool train,
               struct cpa_out *out);
void cpa_decode(const struct cpa *m, struct tape *t, const double *embedding, bool train,
                struct cpa_out *out);
/* The pass in training of a step of the adversaries: as cpa_forward, but only they are recorded,
 * and there are no means and variances, so no loss of reconstruction (the release works out and
 * differentiates everything and throws most of it away). Weights and running statistics become the
 * same. t is recording. */
void cpa_forward_adversaries(const struct cpa *m, struct tape *t, const struct cpa_batch *b,
                             struct cpa_out *out);
/* The dose curves alone: [n, D]. */
struct tensor *cpa_dose(const struct cpa *m, struct tape *t, const double *dose, size_t n);

/* Losses of a pass in training; they add the gradients of
 *   reconstruction - adversary (drugs + covariates), or
 *   drugs + covariates + penalty (drug penalty + covariate penalties). */
enum rc cpa_autoencoder_loss(const struct cpa *m, struct tape *t, const struct cpa_batch *b,
                             const struct cpa_out *out, struct cpa_losses *l, struct err *e);
enum rc cpa_adversary_loss(const struct cpa *m, struct tape *t, const struct cpa_batch *b,
                           struct cpa_out *out, struct cpa_losses *l, struct err *e);
/* The penalty of one adversary alone ("adversary_drugs", "adversary_covariates.0"): [1, 1]; *slope
 * gets g. For tests. */
struct tensor *cpa_penalty(const struct cpa *m, struct tape *t, struct tensor *basal,
                           const char *adversary, struct tensor **slope);

/* Adam; step counts the updates of that kind from 1. The autoencoder's moves encoder, decoder,
 * embeddings and dosers. Published: iteration mod 3 = 0 the first, else the second. */
void cpa_step_autoencoder(struct cpa *m, uint64_t step);
void cpa_step_adversaries(struct cpa *m, uint64_t step);

#endif
