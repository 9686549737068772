#include "lib/nn/came_prepare.h"

#include <math.h>
#include <stdlib.h>

#include "lib/nn/hvg.h"
#include "lib/nn/metrics_stat.h"
#include "lib/nn/pca.h"

const struct came_rules came_published = { .n_variable = 2000,
                                           .n_pcs = 30,
                                           .near = 5,
                                           .near_cluster = 20,
                                           .resolution = 0.4,
                                           .n_starts = 20,
                                           .marker = { 0.05, 0.25, 50 } };

void came_side_release(struct came_side *s)
{
    free(s->scale);
    free(s->variable);
    mat_release(&s->pc);
    graph_release(&s->near);
    graph_release(&s->wide);
    markers_release(&s->markers);
    free(s->feature_gene);
    free(s->node_gene);
    *s = (struct came_side){ 0 };
}

static enum rc find_scale(struct came_side *s, struct err *e)
{
    const struct csr *c = s->count;
    size_t n = 0;
    double *total = malloc((c->n_rows + 1) * sizeof *total);
    s->scale = calloc(c->n_rows + 1, sizeof *s->scale);
    if (!total || !s->scale) {
        free(total);
        return err_set(e, RC_FAIL, "no memory for %zu cells", c->n_rows);
    }
    for (size_t r = 0; r < c->n_rows; r++) {
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++)
            s->scale[r] += c->value[k];
        if (s->scale[r] > 0)
            total[n++] = s->scale[r];
    }
    s->median_total = n ? median_of(total, n) : 0;
    for (size_t r = 0; r < c->n_rows; r++)
        s->scale[r] = s->scale[r] > 0 ? s->median_total / s->scale[r] : 0;
    free(total);
    return n ? RC_OK : err_set(e, RC_INPUT, "the cells have no counts");
}

/* L of the variable genes, as columns. */
static enum rc variable_matrix(const struct came_side *s, struct mat *x, struct err *e)
{
    const struct csr *c = s->count;
    uint32_t *to = calloc(c->n_cols + 1, sizeof *to); /* column of x + 1 */
    enum rc rc = to ? mat_alloc(x, c->n_rows, s->n_variable, e)
                    : err_set(e, RC_FAIL, "no memory for %zu genes", c->n_cols);
    for (size_t i = 0; !rc && i < s->n_variable; i++)
        to[s->variable[i]] = (uint32_t)i + 1;
    for (size_t r = 0; !rc && r < c->n_rows; r++)
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++)
            if (to[c->index[k]])
                mat_row(x, r)[to[c->index[k]] - 1] = log1p(c->value[k] * s->scale[r]);
    free(to);
    return rc;
}

static enum rc find_components(struct came_side *s, const size_t *all, size_t n_pcs, struct err *e)
{
    struct mat x = { 0 };
    struct pca p = { 0 };
    const size_t n = s->count->n_rows, most = n - 1 < s->n_variable ? n - 1 : s->n_variable;
    enum rc rc = variable_matrix(s, &x, e);
    if (!rc)
        rc = zscore_by(&x, all, n, INFINITY, e);
    if (!rc)
        rc = pca_fit(&x, n_pcs < most ? n_pcs : most, &p, e);
    if (!rc)
        rc = pca_apply(&p, &x, &s->pc, e);
    pca_release(&p);
    mat_release(&x);
    return rc;
}

/* k counts the cell itself; small sets have fewer others. */
static enum rc link_cells(const struct mat *pc, size_t k, enum distance_kind kind, struct graph *g,
                          struct err *e)
{
    struct knn near;
    const size_t others = k - 1 < pc->n - 1 ? k - 1 : pc->n - 1;
    enum rc rc = knn_find(pc, NULL, others, kind, &near, e);
    if (rc)
        return rc;
    rc = graph_umap(&near, g, e);
    knn_release(&near);
    return rc;
}

enum rc came_side_init(struct came_side *s, const struct csr *count, const struct came_rules *r,
                       struct err *e)
{
    *s = (struct came_side){ .count = count };
    if (count->n_rows < 3)
        return err_set(e, RC_INPUT, "%zu cells; a graph of neighbours wants three", count->n_rows);
    size_t *all = malloc(count->n_rows * sizeof *all);
    s->variable = malloc((count->n_cols + 1) * sizeof *s->variable);
    enum rc rc = all && s->variable ? find_scale(s, e)
                                    : err_set(e, RC_FAIL, "no memory for %zu cells", count->n_rows);
    for (size_t i = 0; all && i < count->n_rows; i++)
        all[i] = i;
    if (!rc)
        rc = hvg_seurat_per(count, all, count->n_rows, s->median_total, true, r->n_variable,
                            s->variable, &s->n_variable, e);
    if (!rc)
        rc = find_components(s, all, r->n_pcs, e);
    if (!rc)
        rc = link_cells(&s->pc, r->near, DISTANCE_COSINE, &s->near, e);
    free(all);
    if (rc)
        came_side_release(s);
    return rc;
}

enum rc came_side_cluster(struct came_side *s, const struct came_rules *r, uint64_t seed,
                          uint32_t *cluster, size_t *n_clusters, struct err *e)
{
    graph_release(&s->wide);
    enum rc rc = link_cells(&s->pc, r->near_cluster, DISTANCE_EUCLID, &s->wide, e);
    return rc ? rc
              : graph_leiden(&s->wide, r->resolution, seed, r->n_starts, cluster, n_clusters, e);
}

enum rc came_side_markers(struct came_side *s, const uint32_t *group_of, size_t n_groups,
                          const struct came_rules *r, struct err *e)
{
    markers_release(&s->markers);
    return markers_find(s->count, s->scale, group_of, n_groups, &r->marker, &s->markers, e);
}

enum rc came_side_set(struct came_side *s, const char *const *gene, struct came_set *set,
                      struct err *e)
{
    const size_t n = s->count->n_cols;
    unsigned char *chosen = calloc(n + 1, 1); /* 1: node, 3: feature too */
    free(s->feature_gene);
    free(s->node_gene);
    s->feature_gene = malloc((n + 1) * sizeof *s->feature_gene);
    s->node_gene = malloc((n + 1) * sizeof *s->node_gene);
    if (!chosen || !s->feature_gene || !s->node_gene) {
        free(chosen);
        return err_set(e, RC_FAIL, "no memory for names of %zu genes", n);
    }
    for (size_t i = 0; i < s->n_variable; i++)
        chosen[s->variable[i]] |= 1;
    for (size_t i = 0; i < s->markers.n; i++)
        chosen[s->markers.item[i].gene] |= 3;
    *set = (struct came_set){ .count = s->count,
                              .gene = gene,
                              .feature_gene = s->feature_gene,
                              .node_gene = s->node_gene,
                              .near_a = s->near.a,
                              .near_b = s->near.b,
                              .n_near = s->near.n_edges };
    for (size_t j = 0; j < n; j++) {
        if (chosen[j] & 1)
            s->node_gene[set->n_node_genes++] = gene[j];
        if (chosen[j] & 2)
            s->feature_gene[set->n_feature_genes++] = gene[j];
    }
    free(chosen);
    return RC_OK;
}
