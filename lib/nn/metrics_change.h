/* How well a predicted change of expression agrees with the measured one (spec 05 section 11): one
 * perturbation, means over its cells. */
#ifndef GC_NN_METRICS_CHANGE_H
#define GC_NN_METRICS_CHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

/* Means of each gene: predicted, measured, and of the control cells. All borrowed. */
struct change {
    size_t n_genes;
    const double *predicted, *truth, *control;
};

struct change_metrics {
    double mse;
    double pearson, spearman; /* of predicted - control with truth - control; NaN when flat */
    double deviation;         /* sum of |predicted - truth| */
    size_t wrong_direction;   /* changes of opposite sign, neither of them 0 */
    size_t other_sign;        /* the same, and those where only one of the two is 0 */
};

/* Over the genes gene[0..n); NULL: over all, n is not looked at. */
enum rc change_metrics_get(const struct change *c, const uint32_t *gene, size_t n,
                           struct change_metrics *m, struct err *e);

/* The first n of ranked[0..n_ranked) that are no dropout: the measured mean is not 0, or that of
 * the control is 0 too. Returns how many there were; gene [n] is filled in order. */
size_t change_non_dropout(const struct change *c, const uint32_t *ranked, size_t n_ranked, size_t n,
                          uint32_t *gene);

#endif
