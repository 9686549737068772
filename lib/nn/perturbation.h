/* Perturbations of one or two genes, means of their cells, and the simple predictions that every
 * model has to beat (spec 05 section 11; Ahlmann-Eltze et al. 2025 for the linear one).
 *
 * Cells [n, G] are expression after ln(1 + scaled count); conditions are numbered 0..n_conditions-1.
 * A condition's text is "ctrl", "A+ctrl", "ctrl+A" or "A+B". */
#ifndef GC_NN_PERTURBATION_H
#define GC_NN_PERTURBATION_H

#include <stdint.h>

#include "lib/base/map.h"
#include "lib/nn/mat.h"

enum { PERTURBATION_GENES = 2 };
#define PERTURBATION_UNKNOWN UINT32_MAX

/* n_genes 0: control. A gene that is not in the table is PERTURBATION_UNKNOWN. */
struct perturbation {
    int n_genes;
    uint32_t gene[PERTURBATION_GENES];
};

/* genes: name to number. RC_INPUT: a text of another form. */
enum rc perturbation_parse(const char *text, const struct map *genes, struct perturbation *p,
                           struct err *e);

/* Means, variances (n - 1; 0 for a single cell) and numbers of the cells of each condition. */
struct condition_moments {
    struct mat mean, variance; /* [n_conditions, G] */
    size_t *n_cells;           /* owned */
};

/* RC_INPUT: a condition without cells. On failure *m is empty. */
enum rc condition_moments_init(const struct mat *cells, const uint32_t *condition_of,
                               size_t n_conditions, struct condition_moments *m, struct err *e);
void condition_moments_release(struct condition_moments *m);

/* Genes by falling |Welch t| of condition a against b, equal ones by number; t is 0 where it is not
 * defined. ranked [G]; score [G] may be NULL. */
enum rc changed_genes(const struct condition_moments *m, size_t a, size_t b, uint32_t *ranked,
                      double *score, struct err *e);

/* What a prediction may learn from: the control mean [G] and means of training conditions, one row
 * each. All borrowed. */
struct perturb_training {
    const double *control;
    const struct mat *mean; /* [n, G] */
    const struct perturbation *what;
};

/* out [G] each.
 * mean:     control + mean over conditions of (mean - control), every condition counted once
 * additive: control + sum over the genes of the single perturbation's (mean - control); a gene
 *           without a single in training adds nothing */
void predict_mean(const struct perturb_training *t, double *out);
void predict_additive(const struct perturb_training *t, const struct perturbation *p, double *out);
/* control + change of the training condition whose genes are nearest: similarity [n_nodes, n_nodes]
 * (gene numbers are its rows) averaged over the genes of both; the first of equals. Where nothing is
 * similar (all 0) it is the control. */
void predict_nearest(const struct perturb_training *t, const struct perturbation *p,
                     const struct mat *similarity, double *out);

/* Y = Z W P' + b: Y [G, n] changes of the training conditions with the control, Z [G, k] an
 * embedding of genes, P [n, k] the sum of Z's rows over each condition's genes, b the row means of
 * Y, W by ridge regression from both sides. */
struct linear_effect {
    struct mat z; /* [G, k] */
    struct mat p; /* [n + 1, k], the control first */
    struct mat w; /* [k, k] */
    double *b;    /* [G], owned */
};

/* z is the first k score columns of a PCA with genes as observations (columns of the means centred,
 * not scaled). RC_INPUT: fewer than two conditions, or no spread. On failure *m is empty. */
enum rc linear_effect_pca(const struct perturb_training *t, size_t k, double ridge,
                          struct linear_effect *m, struct err *e);
/* With an embedding of ours (rows of z, copied). */
enum rc linear_effect_fit(const struct perturb_training *t, const struct mat *z, double ridge,
                          struct linear_effect *m, struct err *e);
void linear_effect_release(struct linear_effect *m);
enum rc linear_effect_predict(const struct linear_effect *m, const double *control,
                              const struct perturbation *p, double *out, struct err *e);

#endif
