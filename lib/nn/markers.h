/* Genes that tell one group of cells from the others: Welch's t-test on log-normalised counts,
 * group by group against all other cells, as scanpy's rank_genes_groups has it and CAME uses it
 * (spec 05 section 6).
 *
 *   L = ln(1 + count scale) with the cell's scale; groups of one cell are left out, here and among
 *     the others
 *   kept: Benjamini-Hochberg over all genes at most p_most, and
 *     log2((expm1(mean L) + 1e-9) / (expm1(mean L of the others) + 1e-9)) at least fold_least
 *   then the n_top of highest score, equal scores by rising gene
 * A gene that does not vary has score 0 and p 1. */
#ifndef GC_NN_MARKERS_H
#define GC_NN_MARKERS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/data/csr.h"

struct marker_rule {
    double p_most, fold_least; /* CAME: 0.05, 0.25 */
    size_t n_top;              /* of a group; CAME: 50 */
};

struct marker {
    uint32_t group, gene;
    double score, log2_fold, p_adjusted;
};

/* By rising group, then falling score; owned. */
struct markers {
    struct marker *item;
    size_t n;
};

/* scale [n_rows]; group_of [n_rows] < n_groups. On failure *out is empty. No marker is no error. */
enum rc markers_find(const struct csr *count, const double *scale, const uint32_t *group_of,
                     size_t n_groups, const struct marker_rule *rule, struct markers *out,
                     struct err *e);
void markers_release(struct markers *m);

#endif
