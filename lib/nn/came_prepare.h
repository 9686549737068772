/* What CAME makes of one set of cells before the graph (Liu et al. 2023, XingyanLiu/CAME v0.1.12;
 * spec 05 section 6): no random number but those of Leiden's starts.
 *
 *   came_side_init      L = ln(1 + count / total * m), m the median total of the cells that have
 *                       counts; variable genes (Seurat's dispersion of the counts per m, ties
 * kept); z-scores; principal components; nearest cells by cosine came_side_cluster   Leiden on
 * UMAP's weights of the nearest cells by Euclid: the query's groups came_side_markers   genes that
 * tell a group (class or cluster) from the others came_side_set       names for came_graph_init:
 * markers are features, markers and variable genes are nodes */
#ifndef GC_NN_CAME_PREPARE_H
#define GC_NN_CAME_PREPARE_H

#include "lib/nn/came_graph.h"
#include "lib/nn/graph.h"
#include "lib/nn/markers.h"

/* near, near_cluster count the cell itself, as scanpy does. */
struct came_rules {
    size_t n_variable, n_pcs, near, near_cluster;
    double resolution;
    int n_starts; /* of Leiden; the best is taken */
    struct marker_rule marker;
};
/* As published: 2000, 30, 5, 20, 0.4, markers 0.05, 0.25, 50; and 20 starts. */
extern const struct came_rules came_published;

struct came_side {
    const struct csr *count; /* borrowed */
    double median_total;
    double *scale; /* [cells] median_total / total, 0 without counts; owned, as is all below */
    uint32_t *variable;
    size_t n_variable;
    struct mat pc;     /* [cells, at most n_pcs] */
    struct graph near; /* edges of nearest cells, a < b, UMAP's weights */
    struct graph wide; /* the same of came_side_cluster */
    struct markers markers;
    const char **feature_gene, **node_gene; /* of came_side_set */
};

/* RC_INPUT: fewer than 3 cells, none with counts, no gene that varies. On failure *s is empty. */
enum rc came_side_init(struct came_side *s, const struct csr *count, const struct came_rules *r,
                       struct err *e);
void came_side_release(struct came_side *s);
/* cluster [cells], numbered by falling size. */
enum rc came_side_cluster(struct came_side *s, const struct came_rules *r, uint64_t seed,
                          uint32_t *cluster, size_t *n_clusters, struct err *e);
enum rc came_side_markers(struct came_side *s, const uint32_t *group_of, size_t n_groups,
                          const struct came_rules *r, struct err *e);
/* gene: names of the columns. *set borrows from s and gene. */
enum rc came_side_set(struct came_side *s, const char *const *gene, struct came_set *set,
                      struct err *e);

#endif
