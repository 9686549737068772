/* A Perturb-seq set whose truth is known, for tests and for the question which method finds it.
 *
 * Genes fall into families. Perturbing one moves its family's programme (15 % of the genes, the
 * same for all of the family), some genes of its own (5 %), and itself. So genes of a family, which
 * share Gene Ontology terms, do alike: an unseen gene can be told by its neighbours. Pairs are
 *   additive      the sum of the two
 *   synergistic   1.6 times the sum
 *   buffering     half of it
 * in logarithms of rates, a third of the pairs each. Counts are negative binomial, the totals of
 * cells vary. A pure function of the options, whatever the number of threads. */
#ifndef GC_CELL_SIMULATE_PERTURB_H
#define GC_CELL_SIMULATE_PERTURB_H

#include "lib/data/cells.h"

struct sim_perturb_options {
    uint64_t seed;
    size_t n_genes, n_perturbed, n_pairs, n_families;
    size_t n_graph; /* genes with terms, those perturbed included; at least n_perturbed */
    size_t n_controls, n_each; /* cells */
    double depth;              /* mean total of a control cell */
    const char *const *name; /* [n_names] of the first genes, borrowed; the others make theirs up */
    size_t n_names;
};

struct sim_perturb {
    struct cells cells;      /* obs: condition */
    struct table conditions; /* condition, kind (control, single, additive, ...), factor, n_cells */
    struct table effects;    /* condition, gene, log_ratio: of the rate to that in control; not 0 */
    struct table go;         /* gene, terms */
};

/* RC_USAGE: sizes that do not fit together. RC_INPUT: a name that is empty, above 23 bytes, has a
 * '+' or a comma, or comes twice. On failure *s is empty. */
enum rc sim_perturb_make(const struct sim_perturb_options *o, struct sim_perturb *s, struct err *e);
void sim_perturb_release(struct sim_perturb *s);

#endif
