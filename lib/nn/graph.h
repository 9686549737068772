/* Weighted graphs of neighbouring cells: the fuzzy graph of UMAP, communities, connectivity. */
#ifndef GC_NN_GRAPH_H
#define GC_NN_GRAPH_H

#include "lib/nn/knn.h"

/* Undirected, no loops, each edge once with a < b, by rising (a, b). */
struct graph {
    size_t n, n_edges;
    uint32_t *a, *b; /* owned, as is the next */
    double *weight;
};

enum rc graph_alloc(struct graph *g, size_t n, size_t n_edges, struct err *e);
void graph_release(struct graph *g);

/* UMAP (McInnes, Healy, Melville 2018, section 3.1), as umap-learn and scanpy compute it: near
 * holds n_neighbors - 1 others (the cell itself counts as one). rho = distance of the nearest other
 * that is not at 0, sigma so that the weights exp(-max(0, d - rho) / sigma) sum to
 * log2(n_neighbors); both directions joined by a + b - a b. */
enum rc graph_umap(const struct knn *near, struct graph *g, struct err *e);

/* sum over groups of (weight inside / m - resolution (degree / 2m)^2). */
enum rc graph_modularity(const struct graph *g, const uint32_t *group, size_t n_groups,
                         double resolution, double *out, struct err *e);
/* Mean over labels of the share of its cells in the largest connected part of its subgraph. */
enum rc graph_connectivity(const struct graph *g, const uint32_t *label, size_t n_labels,
                           double *out, struct err *e);
/* Leiden communities for modularity at this resolution (igraph): the best of n_starts seeded runs,
 * the first on ties. group [n], numbered by falling size. */
enum rc graph_leiden(const struct graph *g, double resolution, uint64_t seed, int n_starts,
                     uint32_t *group, size_t *n_groups, struct err *e);

#endif
