/* PECA2 (Duren et al. 2020): which regulator drives which gene in one sample, from the expression
 * of genes and the openness of elements, with what other samples taught about both.
 *
 *   O_e = o^2 / (m + 0.5)       o, m: log2(1 + x) of the openness and of its median over samples
 *   G_g = x^1.5 / (median + 0.5)  x: expression, whose values are first replaced, rank by rank, by
 * the medians of all genes over samples I_eg = r exp(-distance / 500000), 0 where r < 0.2; r:
 * correlation of element and gene over samples score(t, g) = G_t G_g 2^|R_tg| sum over e of B_te
 * O_e I_eg
 *
 * B: how strongly t's motif binds in e; R: correlation of t and g over samples. A pair is in the
 * network when its score is above the 99th percentile of pairs that are known not to be. As the
 * public code computes it (scr/PECA_network_hg38.m); the paper's formula has the root of the
 * product of the two expressions, the code their powers of 1.5 over their medians. */
#ifndef GC_CELL_PECA_H
#define GC_CELL_PECA_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct peca_binding {
    uint32_t tf, element;
    double strength;
};
struct peca_link {
    uint32_t element, gene;
    double distance, correlation; /* bases, over samples */
};
struct peca_pair {
    uint32_t tf, gene;
    double value; /* correlation; not read of a background pair */
};

/* All borrowed. */
struct peca_sample {
    size_t n_genes, n_elements, n_tfs;
    const double *expression, *expression_median; /* [n_genes] */
    const double *openness, *openness_median;     /* [n_elements] */
    const uint32_t *tf;                           /* [n_tfs] the gene of each regulator */
    const struct peca_binding *binding;
    const struct peca_link *link;
    const struct peca_pair *correlation, *background; /* a pair without correlation has 0 */
    size_t n_bindings, n_links, n_correlations, n_background;
};

/* score [n_tfs, n_genes]. RC_INPUT: a number of something that is not there, or not finite, or
 * negative where it cannot be; no background pair. */
enum rc peca_scores(const struct peca_sample *s, double *score, struct err *e);
/* The percentile (0..100) of n values, between neighbours in a line, as MATLAB's prctile. Sorts x.
 */
double peca_percentile(double *x, size_t n, double percent);

#endif
