/* A 2-d map of a graph of neighbours: the second half of UMAP (McInnes, Healy, Melville 2018,
 * section 3.2; names and defaults as in umap-learn).
 *
 * Each epoch moves every cell once, from where all others stood before the epoch: it is drawn
 * towards its neighbours and pushed from random cells. umap-learn moves both ends of an edge, one
 * edge after the other; here a cell takes the two pulls of an edge itself, so that cells can be
 * moved by several threads and the map is the same for any number of them. */
#ifndef GC_NN_LAYOUT_H
#define GC_NN_LAYOUT_H

#include <stdint.h>

#include "lib/nn/graph.h"
#include "lib/nn/mat.h"

struct layout_options {
    double min_dist, spread; /* 0.5 and 1, as scanpy has them */
    int n_epochs;            /* 0: 500 up to 10,000 cells, else 200 */
    int n_negative;          /* random cells per pull */
    uint64_t seed;
};
struct layout_options layout_defaults(void);

/* a and b of 1 / (1 + a d^2b) closest (least squares on 300 distances up to 3 spread) to 1 below
 * min_dist and exp(-(d - min_dist) / spread) above it. */
void layout_curve(double min_dist, double spread, double *a, double *b);

/* start [g->n, >= 2]: its first two columns, scaled to at most 10, are the first positions; equal
 * ones are moved apart by less than 0.001. out [g->n, 2], fresh; empty on failure. */
enum rc layout_umap(const struct graph *g, const struct mat *start, const struct layout_options *o,
                    struct mat *out, struct err *e);

#endif
