/* Does deleting a regulator move its targets more than other genes? (spec 05 sections 2 and 3;
 * Figures 2b-g, S3 and S4a)
 *
 *   effects of perturb, one or several folders: per regulator and gene a shift, and its z among
 * matched deletions lists of targets: regulator, target, and where there is one a class (direct,
 * indirect) counts of the same cells: what correlation and co-expression alone would say Per
 * regulator and list: AUROC and average precision of targets among the genes seen, precision of the
 * ranked list with both of its random baselines, Wilcoxon's rank sum and Welch's t of targets
 * against the others. */
#ifndef GC_APP_GRN_RECOGNITION_H
#define GC_APP_GRN_RECOGNITION_H

#include "lib/base/opt.h"

struct grn_options {
    struct opt_list effects; /* NAME=DIR of perturb */
    struct opt_list pairs;   /* the same, with pairs deleted together */
    struct opt_list targets; /* NAME=FILE */
    struct opt_list against; /* NAME=FILE: a gene a line */
    struct opt_list counts;  /* cells.h5ad with mapped genes */
    const char *levels;      /* confidence letters to take; NULL: all */
    const char *vocab, *dataset, *out;
    int64_t least_targets; /* of a regulator among the genes seen */
    uint64_t seed;
};

/* Writes o->out/{predictions,metrics}.tsv, and together.tsv where pairs were deleted
 * (grn_together.c). */
enum rc grn_recognition(const struct grn_options *o, struct err *e);

#endif
