/* How well sums of single effects say what two perturbations do together, on measured tables of
 * pairs: fitness (Norman et al. 2019), and fits of expression that the authors give. */
#ifndef GC_APP_PERTURB_INTERACTIONS_H
#define GC_APP_PERTURB_INTERACTIONS_H

#include <stdint.h>

#include "lib/base/err.h"

struct interaction_options {
    const char *pairs;   /* lib/io/pair_table.h */
    const char *scores;  /* interactions of the same genes, another such table; NULL: no classes */
    const char *singles; /* a table of genes and their single fitness; NULL: none */
    const char *fits;    /* a table name (A_B), corr_sum, corr_fit, corr_first, corr_second; NULL */
    double strong;       /* standard deviations of the scores beyond which a pair has a class */
    const char *dataset, *out;
    uint64_t seed; /* named in the tables; nothing is drawn */
};

/* Writes out/metrics.tsv and out/predictions.tsv. RC_INPUT: no gene of the one table is in the
 * other, pairs that tell no effects. */
enum rc perturb_interactions(const struct interaction_options *o, struct err *e);

#endif
