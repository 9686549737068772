/* Leiden communities through igraph (Traag, Waltman, van Eck 2019).
 *
 * igraph's quality is sum of (A_ij - gamma n_i n_j); with node weight = degree and gamma =
 * resolution / 2m that is modularity. Its random numbers come from one generator of the process,
 * seeded here before each run: not for use from several threads at once. */
#include <igraph/igraph.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/graph.h"

struct work {
    igraph_t graph;
    igraph_vector_int_t edge, member;
    igraph_vector_t weight, degree;
    double total;
    bool made; /* graph exists */
};

/* igraph's own handler ends the process. */
static void quiet(const char *reason, const char *file, int line, igraph_error_t code)
{
    (void)reason;
    (void)file;
    (void)line;
    (void)code;
    IGRAPH_FINALLY_FREE();
}

static void release(struct work *w)
{
    if (w->made)
        igraph_destroy(&w->graph);
    igraph_vector_int_destroy(&w->edge);
    igraph_vector_int_destroy(&w->member);
    igraph_vector_destroy(&w->weight);
    igraph_vector_destroy(&w->degree);
}

static int set_up(struct work *w, const struct graph *g)
{
    *w = (struct work){ 0 };
    if (igraph_vector_int_init(&w->edge, 2 * (igraph_integer_t)g->n_edges) ||
        igraph_vector_int_init(&w->member, (igraph_integer_t)g->n) ||
        igraph_vector_init(&w->weight, (igraph_integer_t)g->n_edges) ||
        igraph_vector_init(&w->degree, (igraph_integer_t)g->n))
        return 1;
    for (size_t i = 0; i < g->n_edges; i++) {
        igraph_integer_t at = (igraph_integer_t)i;
        VECTOR(w->edge)[2 * at] = g->a[i];
        VECTOR(w->edge)[2 * at + 1] = g->b[i];
        VECTOR(w->weight)[at] = g->weight[i];
        VECTOR(w->degree)[g->a[i]] += g->weight[i];
        VECTOR(w->degree)[g->b[i]] += g->weight[i];
        w->total += g->weight[i];
    }
    w->made = igraph_create(&w->graph, &w->edge, (igraph_integer_t)g->n, IGRAPH_UNDIRECTED) == 0;
    return !w->made;
}

struct group {
    size_t size;
    uint32_t number;
};

static int larger_first(const void *x, const void *y)
{
    const struct group *p = x, *q = y;
    if (p->size != q->size)
        return p->size > q->size ? -1 : 1;
    return (p->number > q->number) - (p->number < q->number);
}

static enum rc number_by_size(uint32_t *group, size_t n, size_t n_groups, struct err *e)
{
    struct group *g = calloc(n_groups + 1, sizeof *g);
    uint32_t *to = calloc(n_groups + 1, sizeof *to);
    if (g && to) {
        for (uint32_t c = 0; c < n_groups; c++)
            g[c].number = c;
        for (size_t i = 0; i < n; i++)
            g[group[i]].size++;
        qsort(g, n_groups, sizeof *g, larger_first);
        for (uint32_t c = 0; c < n_groups; c++)
            to[g[c].number] = c;
        for (size_t i = 0; i < n; i++)
            group[i] = to[group[i]];
    }
    enum rc rc = g && to ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu groups", n_groups);
    free(g);
    free(to);
    return rc;
}

enum rc graph_leiden(const struct graph *g, double resolution, uint64_t seed, int n_starts,
                     uint32_t *group, size_t *n_groups, struct err *e)
{
    struct work w;
    *n_groups = 0;
    igraph_error_handler_t *before = igraph_set_error_handler(quiet);
    enum rc rc = set_up(&w, g)
                     ? err_set(e, RC_FAIL, "no memory for a graph of %zu edges", g->n_edges)
                     : RC_OK;
    double best = -INFINITY;
    for (int start = 0; !rc && start < n_starts; start++) {
        igraph_integer_t found = 0;
        igraph_real_t quality = 0;
        igraph_rng_seed(igraph_rng_default(), (igraph_uint_t)(seed + (uint64_t)start));
        if (igraph_community_leiden(&w.graph, &w.weight, &w.degree, resolution / (2 * w.total),
                                    0.01, false, -1, &w.member, &found, &quality))
            rc = err_set(e, RC_FAIL, "igraph finds no communities among %zu cells", g->n);
        if (rc || quality <= best)
            continue;
        best = quality;
        *n_groups = (size_t)found;
        for (size_t i = 0; i < g->n; i++)
            group[i] = (uint32_t)VECTOR(w.member)[(igraph_integer_t)i];
    }
    release(&w);
    igraph_set_error_handler(before);
    return rc ? rc : number_by_size(group, g->n, *n_groups, e);
}
