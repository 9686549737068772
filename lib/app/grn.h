/* Regulatory networks from expression, scored by known ones: the tool `grn` (spec 05 section 7).
 * DeepSEM of several seeds beside |Pearson|, |Spearman|, trees, chance, and how many edges a
 * regulator has in the truth itself, which shows what knowing degrees alone gives; and DeepSEM with
 * vectors of genes put in by the published rule and by others (grn_vectors.c). */
#ifndef GC_APP_GRN_H
#define GC_APP_GRN_H

#include "lib/base/opt.h"

struct grn_options {
    const char *expression;
    bool cells_in_rows;
    struct opt_list truths;  /* NAME=FILE */
    struct opt_list vectors; /* NAME=FILE */
    int64_t n_seeds, n_passes, width, n_random, n_trees, n_top;
    bool best_cuts, centre;
    double tune, least_overlap;
    uint64_t seed;
    const char *out; /* a folder */
};

/* Writes OUT/metrics.tsv and OUT/predictions.tsv. Pairs are regulators x genes of the truth that
 * are in the expression, by name; a pair of a gene with itself scores -1 and is left out of the
 * early precision. RC_INPUT: an input breaks a promise, or a truth has no edge between measured
 * genes. */
enum rc grn(const struct grn_options *o, struct err *e);

#endif
