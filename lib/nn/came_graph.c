#include "lib/nn/came_graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/nn/metrics_stat.h"

enum { NO_GENE = -1 };

/* A pair that both sets measured: columns of the two sets. */
struct pair {
    uint32_t column[CAME_SETS];
    bool one_to_one, feature, node; /* chosen: either of its genes is */
};

struct work {
    const struct came_set *set;
    struct map column[CAME_SETS];
    bool *feature_gene[CAME_SETS], *node_gene[CAME_SETS]; /* by column: chosen */
    struct pair *pair;
    size_t n_pairs;
    double *scale[CAME_SETS];    /* by cell: median total / total, 0 without counts */
    int64_t *node_of[CAME_SETS]; /* by column: number of the gene node, or NO_GENE */
    struct {
        uint32_t *a, *b;
        size_t n, room;
    } edge;
};

static void work_release(struct work *w)
{
    for (int s = 0; s < CAME_SETS; s++) {
        map_release(&w->column[s]);
        free(w->feature_gene[s]);
        free(w->node_gene[s]);
        free(w->scale[s]);
        free(w->node_of[s]);
    }
    free(w->pair);
    free(w->edge.a);
    free(w->edge.b);
}

static enum rc no_memory(struct err *e)
{
    return err_set(e, RC_FAIL, "no memory for the graph of cells and genes");
}

static void choose(bool *chosen, const struct map *column, const char *const *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t j = map_get(column, name[i]);
        if (j != MAP_NONE)
            chosen[j] = true;
    }
}

static enum rc index_sets(struct work *w, struct err *e)
{
    for (int s = 0; s < CAME_SETS; s++) {
        const struct came_set *set = &w->set[s];
        const size_t g = set->count->n_cols;
        map_init(&w->column[s]);
        w->feature_gene[s] = calloc(g + 1, sizeof(bool));
        w->node_gene[s] = calloc(g + 1, sizeof(bool));
        w->node_of[s] = malloc((g + 1) * sizeof(int64_t));
        w->scale[s] = calloc(set->count->n_rows + 1, sizeof(double));
        if (!w->feature_gene[s] || !w->node_gene[s] || !w->node_of[s] || !w->scale[s])
            return no_memory(e);
        for (size_t j = 0; j < g; j++) {
            w->node_of[s][j] = NO_GENE;
            if (map_add(&w->column[s], set->gene[j], j, NULL, e))
                return RC_FAIL;
        }
        choose(w->feature_gene[s], &w->column[s], set->feature_gene, set->n_feature_genes);
        choose(w->node_gene[s], &w->column[s], set->node_gene, set->n_node_genes);
    }
    return RC_OK;
}

static enum rc find_pairs(struct work *w, const struct came_homologs *h, struct err *e)
{
    struct homolog_pair *found = NULL;
    size_t n = 0;
    enum rc rc = homolog_pairs_find(h, w->column, &found, &n, e);
    w->pair = rc ? NULL : malloc((n + 1) * sizeof *w->pair);
    if (!rc && !w->pair)
        rc = no_memory(e);
    for (size_t i = 0; !rc && i < n; i++) {
        const uint32_t a = found[i].column[0], b = found[i].column[1];
        w->pair[w->n_pairs++] = (struct pair){ { a, b },
                                               found[i].one_to_one,
                                               w->feature_gene[0][a] || w->feature_gene[1][b],
                                               w->node_gene[0][a] || w->node_gene[1][b] };
    }
    free(found);
    return rc;
}

/* Median total / total of every cell, over all genes or those of 1-to-1 pairs. */
static enum rc find_scales(struct work *w, bool aligned, struct err *e)
{
    for (int s = 0; s < CAME_SETS; s++) {
        const struct csr *c = w->set[s].count;
        bool *in = calloc(c->n_cols + 1, sizeof *in);
        double *total = calloc(c->n_rows + 1, sizeof *total);
        size_t n = 0;
        for (size_t i = 0; in && i < w->n_pairs; i++)
            in[w->pair[i].column[s]] |= w->pair[i].one_to_one;
        for (size_t r = 0; in && total && r < c->n_rows; r++) {
            for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++)
                if (!aligned || in[c->index[k]])
                    w->scale[s][r] += c->value[k];
            if (w->scale[s][r] > 0)
                total[n++] = w->scale[s][r];
        }
        const double median = total ? median_of(total, n) : 0;
        for (size_t r = 0; r < c->n_rows; r++)
            w->scale[s][r] = w->scale[s][r] > 0 ? median / w->scale[s][r] : 0;
        const bool none = !in || !total;
        free(in);
        free(total);
        if (none)
            return no_memory(e);
        if (!n)
            return err_set(e, RC_INPUT, "the %s cells have no counts",
                           s == CAME_QUERY ? "query" : "reference");
    }
    return RC_OK;
}

static const char *const *sort_names; /* of qsort's comparison */

static int by_name(const void *a, const void *b)
{
    return strcmp(sort_names[((const struct pair *)a)->column[0]],
                  sort_names[((const struct pair *)b)->column[0]]);
}

/* z-scores of one set's features; where[column] is the feature's number + 1. */
static void fill_features(const struct work *w, struct came_graph *g, int s, const uint32_t *where,
                          size_t at)
{
    const struct csr *c = w->set[s].count;
    const size_t n = c->n_rows;
    for (size_t r = 0; r < n; r++)
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++)
            if (where[c->index[k]])
                mat_row(&g->x, at + r)[where[c->index[k]] - 1] =
                    log1p(c->value[k] * w->scale[s][r]);
    for (size_t f = 0; f < g->n_features; f++) {
        double mean = 0, var = 0;
        for (size_t r = 0; r < n; r++)
            mean += mat_row(&g->x, at + r)[f] / (double)n;
        for (size_t r = 0; r < n; r++)
            var += (mat_row(&g->x, at + r)[f] - mean) * (mat_row(&g->x, at + r)[f] - mean);
        const double sd = n > 1 ? sqrt(var / (double)(n - 1)) : 0;
        for (size_t r = 0; r < n; r++) {
            double *x = &mat_row(&g->x, at + r)[f];
            *x = sd > 0 ? (*x - mean) / sd : 0;
        }
    }
}

static enum rc make_features(struct work *w, struct came_graph *g, struct err *e)
{
    struct pair *kept = malloc((w->n_pairs + 1) * sizeof *kept);
    if (!kept)
        return no_memory(e);
    for (size_t i = 0; i < w->n_pairs; i++)
        if (w->pair[i].one_to_one && w->pair[i].feature)
            kept[g->n_features++] = w->pair[i];
    sort_names = w->set[CAME_REFERENCE].gene;
    qsort(kept, g->n_features, sizeof *kept, by_name);
    g->feature = malloc((g->n_features + 1) * sizeof *g->feature);
    g->feature_query = malloc((g->n_features + 1) * sizeof *g->feature_query);
    enum rc rc = g->feature && g->feature_query ? mat_alloc(&g->x, g->n_cells_all, g->n_features, e)
                                                : no_memory(e);
    if (!rc && !g->n_features)
        rc = err_set(e, RC_INPUT, "no 1-to-1 homolog is measured in both sets and chosen");
    for (size_t s = 0, at = 0; !rc && s < CAME_SETS; at += g->n_cells[s++]) {
        uint32_t *where = calloc(w->set[s].count->n_cols + 1, sizeof *where);
        if (!where) {
            rc = no_memory(e);
            break;
        }
        for (size_t f = 0; f < g->n_features; f++) {
            where[kept[f].column[s]] = (uint32_t)f + 1;
            (s ? g->feature_query : g->feature)[f] = w->set[s].gene[kept[f].column[s]];
        }
        fill_features(w, g, (int)s, where, at);
        free(where);
    }
    free(kept);
    return rc;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Nodes of one set from the marks in chosen, by name, numbered from g->n_nodes on. */
static void number_nodes(struct work *w, struct came_graph *g, int s, const bool *chosen)
{
    const size_t first = g->n_nodes;
    for (size_t j = 0; j < w->set[s].count->n_cols; j++)
        if (chosen[j])
            g->node[g->n_nodes++] = w->set[s].gene[j];
    qsort(g->node + first, g->n_nodes - first, sizeof *g->node, by_text);
    for (size_t i = first; i < g->n_nodes; i++)
        w->node_of[s][map_get(&w->column[s], g->node[i])] = (int64_t)i;
}

static enum rc make_nodes(struct work *w, struct came_graph *g, struct err *e)
{
    size_t n[CAME_SETS];
    bool *chosen[CAME_SETS];
    for (int s = 0; s < CAME_SETS; s++) {
        n[s] = w->set[s].count->n_cols;
        chosen[s] = calloc(n[s] + 1, sizeof **chosen);
    }
    g->node = malloc((n[0] + n[1] + 1) * sizeof *g->node);
    enum rc rc = chosen[0] && chosen[1] && g->node ? RC_OK : no_memory(e);
    for (int s = 0; !rc && !g->aligned && s < CAME_SETS; s++)
        memcpy(chosen[s], w->node_gene[s], n[s] * sizeof **chosen);
    for (size_t i = 0; !rc && i < w->n_pairs; i++)
        for (int s = 0; s < CAME_SETS; s++)
            if (w->pair[i].node && (!g->aligned || w->pair[i].one_to_one))
                chosen[s][w->pair[i].column[s]] = true;
    if (!rc) {
        number_nodes(w, g, CAME_REFERENCE, chosen[CAME_REFERENCE]);
        g->n_reference_nodes = g->n_nodes;
        if (!g->aligned)
            number_nodes(w, g, CAME_QUERY, chosen[CAME_QUERY]);
        for (size_t i = 0; g->aligned && i < w->n_pairs; i++)
            if (w->pair[i].one_to_one)
                w->node_of[1][w->pair[i].column[1]] = w->node_of[0][w->pair[i].column[0]];
        if (!g->n_nodes)
            rc = err_set(e, RC_INPUT, "no gene is chosen for the graph");
    }
    free(chosen[0]);
    free(chosen[1]);
    return rc;
}

static enum rc add_edge(struct work *w, size_t a, size_t b, struct err *e)
{
    if (w->edge.n == w->edge.room) {
        const size_t more = w->edge.room ? 2 * w->edge.room : 1024;
        uint32_t *x = realloc(w->edge.a, more * sizeof *x);
        if (x)
            w->edge.a = x;
        uint32_t *y = x ? realloc(w->edge.b, more * sizeof *y) : NULL;
        if (!y)
            return no_memory(e);
        w->edge.b = y;
        w->edge.room = more;
    }
    w->edge.a[w->edge.n] = (uint32_t)a;
    w->edge.b[w->edge.n++] = (uint32_t)b;
    return RC_OK;
}

static enum rc link_express(struct work *w, struct came_graph *g, struct err *e)
{
    enum rc rc = RC_OK;
    w->edge.n = 0;
    for (size_t s = 0, at = 0; s < CAME_SETS; at += g->n_cells[s++]) {
        const struct csr *c = w->set[s].count;
        for (size_t r = 0; r < c->n_rows; r++)
            for (uint64_t k = c->indptr[r]; !rc && k < c->indptr[r + 1]; k++)
                if (w->node_of[s][c->index[k]] != NO_GENE && w->scale[s][r] > 0)
                    rc = add_edge(w, at + r, (size_t)w->node_of[s][c->index[k]], e);
    }
    if (!rc)
        rc = links_init(&g->express, g->n_nodes, g->n_cells_all, w->edge.b, w->edge.a, NULL,
                        w->edge.n, true, e);
    if (!rc)
        rc = links_init(&g->expressed_by, g->n_cells_all, g->n_nodes, w->edge.a, w->edge.b, NULL,
                        w->edge.n, true, e);
    return rc;
}

static enum rc link_cells(struct work *w, struct came_graph *g, struct err *e)
{
    enum rc rc = RC_OK;
    w->edge.n = 0;
    for (size_t s = 0, at = 0; s < CAME_SETS; at += g->n_cells[s++])
        for (size_t k = 0; !rc && k < w->set[s].n_near; k++) {
            const size_t i = w->set[s].near_a[k], j = w->set[s].near_b[k];
            if (i >= g->n_cells[s] || j >= g->n_cells[s])
                return err_set(e, RC_INPUT, "cells %zu and %zu of %zu are no neighbours", i, j,
                               g->n_cells[s]);
            rc = add_edge(w, at + i, at + j, e);
            if (!rc)
                rc = add_edge(w, at + j, at + i, e);
        }
    return rc ? rc
              : links_init(&g->similar_to, g->n_cells_all, g->n_cells_all, w->edge.a, w->edge.b,
                           NULL, w->edge.n, true, e);
}

static enum rc link_genes(struct work *w, struct came_graph *g, struct err *e)
{
    enum rc rc = RC_OK;
    w->edge.n = 0;
    for (size_t i = 0; !rc && !g->aligned && i < w->n_pairs; i++) {
        const struct pair *p = &w->pair[i];
        if (!p->node)
            continue;
        const size_t a = (size_t)w->node_of[0][p->column[0]],
                     b = (size_t)w->node_of[1][p->column[1]];
        rc = add_edge(w, a, b, e);
        if (!rc)
            rc = add_edge(w, b, a, e);
    }
    for (size_t i = 0; !rc && !g->aligned && i < g->n_nodes; i++)
        rc = add_edge(w, i, i, e);
    return rc ? rc
              : links_init(&g->homolog_with, g->n_nodes, g->n_nodes, w->edge.a, w->edge.b, NULL,
                           w->edge.n, true, e);
}

enum rc came_graph_init(struct came_graph *g, const struct came_set set[CAME_SETS],
                        const struct came_homologs *homologs, bool aligned, struct err *e)
{
    struct work w = { .set = set };
    *g = (struct came_graph){ .aligned = aligned };
    for (int s = 0; s < CAME_SETS; s++) {
        g->n_cells[s] = set[s].count->n_rows;
        g->n_cells_all += g->n_cells[s];
    }
    enum rc rc = index_sets(&w, e);
    if (!rc)
        rc = find_pairs(&w, homologs, e);
    if (!rc)
        rc = find_scales(&w, aligned, e);
    if (!rc)
        rc = make_features(&w, g, e);
    if (!rc)
        rc = make_nodes(&w, g, e);
    if (!rc)
        rc = link_express(&w, g, e);
    if (!rc)
        rc = link_cells(&w, g, e);
    if (!rc)
        rc = link_genes(&w, g, e);
    work_release(&w);
    if (rc)
        came_graph_release(g);
    return rc;
}

void came_graph_release(struct came_graph *g)
{
    free(g->feature);
    free(g->feature_query);
    free(g->node);
    mat_release(&g->x);
    links_release(&g->express);
    links_release(&g->expressed_by);
    links_release(&g->similar_to);
    links_release(&g->homolog_with);
    *g = (struct came_graph){ 0 };
}
