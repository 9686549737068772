/* How well predicted means of conditions agree with the measured ones (spec 05 section 11), with
 * everything that is worked out once for a set: means, variances, genes by change, targets. */
#ifndef GC_NN_PERTURB_SCORE_H
#define GC_NN_PERTURB_SCORE_H

#include "lib/data/perturb_set.h"
#include "lib/nn/gears_data.h"
#include "lib/nn/perturbation.h"

enum { PERTURB_TOP = 20 };

struct perturb_facts {
    const struct perturb_set *set;
    struct condition_moments m; /* of every condition */
    uint32_t *ranked;           /* [n_conditions, n_genes] by falling |Welch t| against control */
    /* [n_conditions]: genes as columns of the set, and as numbers of distinct perturbed genes */
    struct perturbation *column, *target;
    const char **target_name; /* [n_targets] by bytes; borrowed from the set */
    size_t n_targets;
};

/* On failure *f is empty. */
enum rc perturb_facts_init(struct perturb_facts *f, const struct perturb_set *set, struct err *e);
void perturb_facts_release(struct perturb_facts *f);

/* Means over training conditions that the corrected scores start from (Vinas Torne et al. 2025): a
 * change that all perturbations share is no success of a prediction. */
struct perturb_reference {
    double *centroid;    /* [G] every training condition counted once */
    double *non_control; /* [G] every perturbed training cell counted once */
};
enum rc perturb_reference_init(struct perturb_reference *r, const struct perturb_facts *f,
                               const enum part *part, struct err *e);
void perturb_reference_release(struct perturb_reference *r);

enum perturb_metric {
    PERTURB_MSE_TOP20,           /* the paper's first; dropouts included, as the release has it */
    PERTURB_MSE_TOP20_EXPRESSED, /* without dropouts */
    PERTURB_MSE,
    PERTURB_DEVIATION_TOP20, /* sum |P - T| */
    PERTURB_WRONG_TOP20,     /* genes of the 20 that change the other way */
    PERTURB_SPEARMAN,        /* of P - control with T - control, all genes; 0 for a flat P */
    PERTURB_PEARSON,
    PERTURB_SPEARMAN_TOP20,
    PERTURB_PEARSON_TOP20,
    PERTURB_PEARSON_CENTROID,    /* of P - centroid with T - centroid */
    PERTURB_PEARSON_NON_CONTROL, /* of P - non_control with T - non_control */
    PERTURB_N_METRICS
};
extern const char *const perturb_metric_name[PERTURB_N_METRICS];
/* true: the larger the better. */
extern const bool perturb_metric_up[PERTURB_N_METRICS];

/* predicted [G] for condition c. */
enum rc perturb_score(const struct perturb_facts *f, const struct perturb_reference *r, size_t c,
                      const double *predicted, double score[PERTURB_N_METRICS], struct err *e);

const char *gears_class_name(enum gears_class c);

#endif
