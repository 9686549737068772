/* What methods for dose responses learn from and are measured by (spec 05 section 8): parts of the
 * cells, means and variances of conditions, differentially expressed genes, scores. G genes. */
#ifndef GC_NN_DOSE_FACTS_H
#define GC_NN_DOSE_FACTS_H

#include "lib/data/dose_set.h"
#include "lib/nn/mat.h"

/* part [n_cells], of enum dose_given: cells of any drug at the dose held_out are DOSE_OOD; of the
 * cells of every other condition three tenths are for test, one for validation. Which: keyed with
 * (seed, cell). RC_INPUT: no cell has that dose, a drug has no other, a type without control cells
 * to train on and to test with. */
enum rc dose_split_draw(const struct dose_set *s, double held_out, uint64_t seed,
                        unsigned char *part, struct err *e);
/* The second largest of all doses. */
double dose_held_out(const struct dose_set *s);
/* The same check of a split from elsewhere. */
enum rc dose_split_check(const struct dose_set *s, const unsigned char *part, struct err *e);

/* Of the cells of every condition in one part, or in all (part NULL). */
struct dose_moments {
    size_t *n;            /* [n_conditions], owned */
    struct mat mean, var; /* [n_conditions, G]; var: divisor n; 0 without cells */
};
/* On failure *m is empty. */
enum rc dose_moments_init(struct dose_moments *m, const struct dose_set *s,
                          const unsigned char *part, enum dose_given which, struct err *e);
void dose_moments_release(struct dose_moments *m);

/* gene [n_conditions, n]: by falling |Welch t| of all cells against all control cells of the type.
 * n is at most G. The caller frees. */
enum rc dose_changed_genes(const struct dose_set *s, size_t n, uint32_t **gene, struct err *e);

/* Means and variances of a condition, measured and predicted, and the control's means: [G] each. */
struct dose_compared {
    size_t n_genes, n_changed;
    const uint32_t *changed;
    const double *mean, *var, *control, *predicted, *predicted_var;
    const double *truth; /* true logarithms of ratios to control, or NULL */
};

enum dose_metric {
    DOSE_R2_MEAN,    /* coefficients of determination over genes, as the paper's */
    DOSE_R2_MEAN_DE, /* over the changed genes */
    DOSE_R2_VAR,
    DOSE_R2_VAR_DE,
    DOSE_PEARSON_CHANGE, /* of predicted - control with measured - control; 0 for a flat one */
    DOSE_PEARSON_CHANGE_DE,
    DOSE_MSE_DE,
    DOSE_PEARSON_TRUTH, /* of predicted - control with the truth, genes that truly change; NaN: no
                           truth */
    DOSE_N_METRICS
};
extern const char *const dose_metric_name[DOSE_N_METRICS];
/* buffer [3, G]. */
void dose_score(const struct dose_compared *c, double *buffer, double score[DOSE_N_METRICS]);

#endif
