/* Edges of a graph from a list, in the two orders that lib/tensor/small.h wants. */
#ifndef GC_NN_LINKS_H
#define GC_NN_LINKS_H

#include "lib/base/err.h"
#include "lib/tensor/small.h"

struct links {
    struct edges e; /* its arrays are owned here */
    uint32_t *index;
    double *number;
    uint32_t *place; /* [n_edges] edge k of the list became edge place[k] */
};

/* n edges from[k] -> to[k]; weight may be NULL (1). Those of a destination keep the order of the
 * list, and so do those of a source. mean: every destination's sum is divided by the number of
 * its edges (a mean; 0 without edges). RC_INPUT: an end that is no node. On failure *l is empty. */
enum rc links_init(struct links *l, size_t n_to, size_t n_from, const uint32_t *to,
                   const uint32_t *from, const double *weight, size_t n, bool mean, struct err *e);
void links_release(struct links *l);

/* D^-1/2 A D^-1/2 of simplified graph convolution (Wu et al. 2019; PyTorch Geometric's gcn_norm): a
 * node without a loop gets one of weight 1, D sums the weights that arrive at a node. */
enum rc links_convolution(struct links *l, size_t n_nodes, const uint32_t *to, const uint32_t *from,
                          const double *weight, size_t n, struct err *e);

#endif
