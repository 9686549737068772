/* What CAME (Liu et al. 2023, XingyanLiu/CAME v0.1.12; spec 05 section 6) makes of two sets of
 * cells and a table of homologs: cell features and a graph of cells and genes.
 *
 *   L = ln(1 + count / total * m), m the median total of the cells that have counts; else 0
 *   features: measured 1-to-1 pairs of which either gene is chosen, by the reference's name;
 *     x = (L - mean) / SD (n - 1) per set, 0 without spread. 1-to-1 is judged on the whole table.
 *   gene nodes: chosen genes of each set and both genes of every measured pair of which at least
 * one is chosen, by name, the reference's first. `homolog_with`: these pairs both ways, and every
 *     gene with itself
 *   aligned: genes are first cut to measured 1-to-1 pairs under the reference's names (totals are
 *     taken after that); nodes are the chosen genes of either set, each with itself alone
 *   express: cell to gene where L is not 0; similar_to: the given neighbours both ways
 *
 * Example: genes A, B | a, b; pairs A-a, A-b; chosen A. No pair is 1-to-1, so no features; nodes A,
 * a, b; homolog_with A-a, A-b and three loops. */
#ifndef GC_NN_CAME_GRAPH_H
#define GC_NN_CAME_GRAPH_H

#include <stdbool.h>

#include "lib/data/csr.h"
#include "lib/nn/homolog_pairs.h"
#include "lib/nn/links.h"
#include "lib/nn/mat.h"

enum { CAME_REFERENCE, CAME_QUERY, CAME_SETS };

/* One set of cells. All borrowed. */
struct came_set {
    const struct csr *count;                            /* cells x genes */
    const char *const *gene;                            /* names, each once */
    const char *const *feature_gene, *const *node_gene; /* chosen */
    size_t n_feature_genes, n_node_genes;
    const uint32_t *near_a, *near_b; /* neighbours within the set */
    size_t n_near;
};

struct came_graph {
    bool aligned;
    size_t n_cells[CAME_SETS], n_cells_all, n_features, n_nodes, n_reference_nodes;
    const char **feature, **feature_query; /* [n_features] names, borrowed from the sets */
    const char **node;                     /* [n_nodes]; aligned: all of the reference's names */
    struct mat x;                          /* [n_cells_all, n_features], reference first */
    struct links express;                  /* cells to genes, mean */
    struct links expressed_by;             /* genes to cells, mean */
    struct links similar_to;               /* cells to cells, mean */
    struct links homolog_with;             /* genes to genes, mean; empty when aligned */
};

/* RC_INPUT: no features or no gene nodes, a set without counts. On failure *g is empty. */
enum rc came_graph_init(struct came_graph *g, const struct came_set set[CAME_SETS],
                        const struct came_homologs *homologs, bool aligned, struct err *e);
void came_graph_release(struct came_graph *g);

#endif
