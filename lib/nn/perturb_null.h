/* What a shift after a perturbation is compared with: genes of like expression and rank, perturbed
 * in the same way; and how far its mean is known.
 *
 *   empirical p   (1 + controls that shift at least as far) / (1 + controls): never 0 (Phipson and
 * Smyth 2010) interval      bootstrap over cells: the middle 95 % of means of as many cells drawn
 * with replacement */
#ifndef GC_NN_PERTURB_NULL_H
#define GC_NN_PERTURB_NULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

/* Mean and spread of numbers that come one by one (Welford 1962). */
struct running {
    double mean, square; /* sum of squared deviations */
    uint32_t n;
};

static inline void running_add(struct running *r, double x)
{
    const double off = x - r->mean;
    r->n++;
    r->mean += off / r->n;
    r->square += off * (x - r->mean);
}
/* Standard deviation, n - 1 below; NaN for fewer than two. */
double running_sd(const struct running *r);

/* NaN when x is NaN or no control is a number. */
double empirical_p(double x, const double *control, size_t n);
/* x [n] of cells; the draws are a function of seed and id. NaN for n = 0
 * or without draws; for n = 1 both are x[0].
 */
enum rc bootstrap_mean(const double *x, size_t n, uint64_t seed, uint64_t id, size_t n_draws,
                       double *low, double *high, struct err *e);

/* A gene as controls are matched by it. */
struct matched_gene {
    uint16_t token;
    uint32_t n_cells;  /* where the model sees it */
    double mean_rank;  /* there: 0 first, 1 last of the cell's */
    double mean_value; /* there */
};

/* `want` controls for gene[which], as places in gene [n]: of the 3 * want nearest by n_cells (its
 * logarithm), rank and value, each in units of its spread over those that
 * may be chosen, a random choice, a function of
 * seed and the two tokens. skip [n]: not these. Returns how many there are. RC_FAIL: memory. */
enum rc match_controls(const struct matched_gene *gene, size_t n, size_t which, const bool *skip,
                       size_t want, uint64_t seed, uint32_t *to, size_t *n_found, struct err *e);

#endif
