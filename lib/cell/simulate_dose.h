/* Cells under drugs at doses whose truth is known, for tests and for the question which method
 * finds it.
 *
 * Genes fall into families. A drug moves each family by a strength of its own, 0 for two thirds of
 * them, and each gene of a moved family by that and a little of its own; its half-maximal dose and
 * steepness are the drug's, with a shift per gene. In logarithms of rates the change is a Hill
 * curve: change(gene, drug, dose) = top dose^h / (half^h + dose^h) Cell types differ in the base
 * rates of a third of the genes. Vectors of genes tell their families, through a random turn and
 * with noise: what a good set of gene vectors would know. Counts are negative binomial. Doses are
 * in (0, 1]. A pure function of the options, whatever the number of threads. */
#ifndef GC_CELL_SIMULATE_DOSE_H
#define GC_CELL_SIMULATE_DOSE_H

#include "lib/data/cells.h"

enum { SIM_DOSE_WIDTH = 16, SIM_DOSES = 7 }; /* of the vectors; doses of a drug */

struct sim_dose_options {
    uint64_t seed;
    size_t n_genes, n_drugs, n_types, n_families;
    size_t n_controls, n_each; /* cells of a type, and of each of its other conditions */
    double depth;              /* mean total of a control cell */
};

struct sim_dose {
    struct cells cells;  /* obs: drug, dose, cell_type */
    struct table curves; /* drug, gene, top, half, steepness; where top is not 0 */
    float *vector;       /* [n_genes, SIM_DOSE_WIDTH], owned */
};

extern const double sim_drug_doses[SIM_DOSES]; /* of sci-Plex 2 as CPA scales them */

/* RC_USAGE: sizes out of range. On failure *s is empty. */
enum rc sim_dose_make(const struct sim_dose_options *o, struct sim_dose *s, struct err *e);
void sim_dose_release(struct sim_dose *s);
/* top dose^h / (half^h + dose^h); 0 at dose 0. */
double sim_dose_hill(double top, double half, double steepness, double dose);

#endif
