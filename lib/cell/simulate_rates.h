/* Counts of simulated cells from the logarithms of their genes' rates: negative binomial, totals
 * that vary. A pure function of what is given, whatever the number of threads. */
#ifndef GC_CELL_SIMULATE_RATES_H
#define GC_CELL_SIMULATE_RATES_H

#include "lib/data/cells.h"

struct sim_rates {
    uint64_t seed;
    uint64_t key; /* of RNG_SIM_CELL and of the counts; cell numbers are added */
    double size;  /* mean total of a cell over the sum of the base rates */
    size_t n_genes, n_conditions;
    size_t (*n_cells)(const void *ctx, size_t condition);
    /* The logarithm of a rate in cells of a condition, called from any thread. */
    double (*log_rate)(const void *ctx, size_t condition, size_t gene);
    const void *ctx;
};

/* Cells of a condition do not lie together, as in a real set. *of, to be freed, has each cell's
 * condition (NULL on failure). */
enum rc sim_counts_make(const struct sim_rates *r, struct csr *c, uint32_t **of, struct err *e);
/* Names cells cell0000001, ... and genes SIM000001, ... (var column gene_name), with empty obs. */
enum rc sim_names_make(struct cells *c, struct err *e);
enum { SIM_GENE_NAME = 24 };
void sim_gene_name(size_t gene, char name[SIM_GENE_NAME]);

#endif
