#include "lib/nn/links.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void links_release(struct links *l)
{
    free(l->index);
    free(l->number);
    free(l->place);
    *l = (struct links){ 0 };
}

/* first [n_nodes + 1] of a counting sort by node[k]; at is first moved on by one list. */
static void count_nodes(const uint32_t *node, size_t n, uint32_t *first, size_t n_nodes)
{
    memset(first, 0, (n_nodes + 1) * sizeof *first);
    for (size_t k = 0; k < n; k++)
        first[node[k] + 1]++;
    for (size_t i = 0; i < n_nodes; i++)
        first[i + 1] += first[i];
}

static void fill(struct links *l, const uint32_t *to, const uint32_t *from, const double *weight,
                 bool mean)
{
    struct edges *e = &l->e;
    const size_t n = e->n_edges, a = e->n_to, b = e->n_from;
    uint32_t *first = l->index, *src = first + a + 1, *back_first = src + n,
             *back_to = back_first + b + 1, *back_edge = back_to + n, *at = back_edge + n;
    double *w = l->number, *scale = w + n;
    count_nodes(to, n, first, a);
    memcpy(at, first, (a + 1) * sizeof *at);
    for (size_t k = 0; k < n; k++) {
        l->place[k] = at[to[k]]++;
        src[l->place[k]] = from[k];
        w[l->place[k]] = weight ? weight[k] : 1;
    }
    count_nodes(from, n, back_first, b);
    memcpy(at, back_first, (b + 1) * sizeof *at);
    for (size_t k = 0; k < n; k++) {
        const uint32_t p = at[from[k]]++;
        back_to[p] = to[k];
        back_edge[p] = l->place[k];
    }
    for (size_t i = 0; i < a; i++)
        scale[i] = first[i + 1] > first[i] ? 1.0 / (double)(first[i + 1] - first[i]) : 0;
    e->first = first;
    e->from = src;
    e->weight = weight ? w : NULL;
    e->scale = mean ? scale : NULL;
    e->back_first = back_first;
    e->back_to = back_to;
    e->back_edge = back_edge;
}

enum rc links_init(struct links *l, size_t n_to, size_t n_from, const uint32_t *to,
                   const uint32_t *from, const double *weight, size_t n, bool mean, struct err *e)
{
    *l = (struct links){ .e = { .n_to = n_to, .n_from = n_from, .n_edges = n } };
    if (n >= UINT32_MAX || n_to >= UINT32_MAX || n_from >= UINT32_MAX)
        return err_set(e, RC_INPUT, "a graph of %zu edges is too large", n);
    for (size_t k = 0; k < n; k++)
        if (to[k] >= n_to || from[k] >= n_from)
            return err_set(e, RC_INPUT, "edge %zu goes from %u to %u of %zu and %zu nodes", k,
                           from[k], to[k], n_from, n_to);
    const size_t most = n_to > n_from ? n_to : n_from;
    l->index = malloc((n_to + n_from + most + 3 + 3 * n) * sizeof *l->index);
    l->number = malloc((n + n_to + 1) * sizeof *l->number);
    l->place = malloc((n + 1) * sizeof *l->place);
    if (!l->index || !l->number || !l->place) {
        links_release(l);
        return err_set(e, RC_FAIL, "no memory for a graph of %zu edges", n);
    }
    fill(l, to, from, weight, mean);
    return RC_OK;
}

enum rc links_convolution(struct links *l, size_t n_nodes, const uint32_t *to, const uint32_t *from,
                          const double *weight, size_t n, struct err *e)
{
    uint32_t *ends = malloc(2 * (n + n_nodes + 1) * sizeof *ends), *ends_from;
    double *w = calloc(n + 2 * n_nodes + 1, sizeof *w), *degree = w ? w + n + n_nodes : NULL;
    char *loop = calloc(n_nodes + 1, 1);
    *l = (struct links){ 0 };
    enum rc rc = ends && w && loop ? RC_OK : err_set(e, RC_FAIL, "no memory for a graph");
    for (size_t k = 0; !rc && k < n; k++)
        if (to[k] >= n_nodes || from[k] >= n_nodes)
            rc = err_set(e, RC_INPUT, "edge %zu goes from %u to %u of %zu nodes", k, from[k], to[k],
                         n_nodes);
    if (!rc) {
        size_t m = n;
        ends_from = ends + n + n_nodes;
        memcpy(ends, to, n * sizeof *to);
        memcpy(ends_from, from, n * sizeof *from);
        memcpy(w, weight, n * sizeof *w);
        for (size_t k = 0; k < n; k++)
            if (to[k] == from[k])
                loop[to[k]] = 1;
        for (uint32_t i = 0; i < n_nodes; i++)
            if (!loop[i]) {
                ends[m] = ends_from[m] = i;
                w[m++] = 1;
            }
        for (size_t k = 0; k < m; k++)
            degree[ends[k]] += w[k];
        for (size_t k = 0; k < m; k++)
            w[k] /= sqrt(degree[ends[k]]) * sqrt(degree[ends_from[k]]);
        rc = links_init(l, n_nodes, n_nodes, ends, ends_from, w, m, false, e);
    }
    free(ends);
    free(w);
    free(loop);
    return rc;
}
