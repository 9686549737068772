#include "lib/nn/graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum rc graph_alloc(struct graph *g, size_t n, size_t n_edges, struct err *e)
{
    *g = (struct graph){ .n = n, .n_edges = n_edges };
    size_t room = n_edges ? n_edges : 1;
    g->a = calloc(room, sizeof *g->a);
    g->b = calloc(room, sizeof *g->b);
    g->weight = calloc(room, sizeof *g->weight);
    if (g->a && g->b && g->weight)
        return RC_OK;
    graph_release(g);
    return err_set(e, RC_FAIL, "no memory for %zu edges", n_edges);
}

void graph_release(struct graph *g)
{
    free(g->a);
    free(g->b);
    free(g->weight);
    *g = (struct graph){ 0 };
}

/* ---- the fuzzy graph ---- */

static double weight_sum(const double *d, size_t k, double rho, double sigma)
{
    double sum = 0;
    for (size_t j = 0; j < k; j++)
        sum += d[j] > rho ? exp(-(d[j] - rho) / sigma) : 1;
    return sum;
}

static double find_sigma(const double *d, size_t k, double rho, double mean_of_all)
{
    double low = 0, high = INFINITY, sigma = 1, want = log2((double)k + 1), mean = 0;
    for (int step = 0; step < 64; step++) {
        double sum = weight_sum(d, k, rho, sigma);
        if (fabs(sum - want) < 1e-5)
            break;
        if (sum > want) {
            high = sigma;
            sigma = (low + high) / 2;
        } else {
            low = sigma;
            sigma = isinf(high) ? sigma * 2 : (low + high) / 2;
        }
    }
    for (size_t j = 0; j < k; j++)
        mean += d[j] / (double)(k + 1); /* umap-learn's mean counts the cell itself, at 0 */
    return fmax(sigma, 1e-3 * (rho > 0 ? mean : mean_of_all));
}

struct arc {
    uint32_t a, b;
    double weight;
};

static int arc_order(const void *x, const void *y)
{
    const struct arc *p = x, *q = y;
    if (p->a != q->a)
        return p->a < q->a ? -1 : 1;
    return (p->b > q->b) - (p->b < q->b);
}

static void fill_arcs(const struct knn *near, struct arc *arc)
{
    double mean = 0;
    size_t k = near->k;
    for (size_t i = 0; i < near->n * k; i++)
        mean += near->distance[i];
    mean /= (double)(near->n * (k + 1));
    for (size_t i = 0; i < near->n; i++) {
        const double *d = near->distance + i * k;
        double rho = 0;
        for (size_t j = 0; j < k && rho == 0; j++)
            rho = d[j];
        double sigma = find_sigma(d, k, rho, mean);
        for (size_t j = 0; j < k; j++) {
            uint32_t other = near->index[i * k + j], own = (uint32_t)i;
            double w = d[j] - rho <= 0 || sigma == 0 ? 1 : exp(-(d[j] - rho) / sigma);
            arc[i * k + j] =
                (struct arc){ own < other ? own : other, own < other ? other : own, w };
        }
    }
}

enum rc graph_umap(const struct knn *near, struct graph *g, struct err *e)
{
    *g = (struct graph){ 0 };
    size_t n_arcs = near->n * near->k, n = 0;
    struct arc *arc = malloc((n_arcs ? n_arcs : 1) * sizeof *arc);
    if (!arc)
        return err_set(e, RC_FAIL, "no memory for %zu edges", n_arcs);
    fill_arcs(near, arc);
    qsort(arc, n_arcs, sizeof *arc, arc_order);
    for (size_t i = 0; i < n_arcs; i++) {
        if (n && arc_order(&arc[n - 1], &arc[i]) == 0) {
            double p = arc[n - 1].weight, q = arc[i].weight;
            arc[n - 1].weight = p + q - p * q;
        } else {
            arc[n++] = arc[i];
        }
    }
    enum rc rc = graph_alloc(g, near->n, n, e);
    for (size_t i = 0; !rc && i < n; i++) {
        g->a[i] = arc[i].a;
        g->b[i] = arc[i].b;
        g->weight[i] = arc[i].weight;
    }
    free(arc);
    return rc;
}

/* ---- groups ---- */

enum rc graph_modularity(const struct graph *g, const uint32_t *group, size_t n_groups,
                         double resolution, double *out, struct err *e)
{
    double *inside = calloc(2 * n_groups + 1, sizeof *inside), m = 0, sum = 0;
    *out = NAN;
    if (!inside)
        return err_set(e, RC_FAIL, "no memory for %zu groups", n_groups);
    double *degree = inside + n_groups;
    for (size_t i = 0; i < g->n_edges; i++) {
        uint32_t a = group[g->a[i]], b = group[g->b[i]];
        m += g->weight[i];
        degree[a] += g->weight[i];
        degree[b] += g->weight[i];
        inside[a] += a == b ? g->weight[i] : 0;
    }
    for (size_t c = 0; c < n_groups; c++)
        sum += inside[c] / m - resolution * (degree[c] / (2 * m)) * (degree[c] / (2 * m));
    *out = sum;
    free(inside);
    return RC_OK;
}

static uint32_t root(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

enum rc graph_connectivity(const struct graph *g, const uint32_t *label, size_t n_labels,
                           double *out, struct err *e)
{
    uint32_t *parent = calloc(2 * g->n + 2 * n_labels + 1, sizeof *parent);
    *out = NAN;
    if (!parent)
        return err_set(e, RC_FAIL, "no memory for %zu cells", g->n);
    uint32_t *size = parent + g->n, *cells = size + g->n, *largest = cells + n_labels;
    for (uint32_t i = 0; i < g->n; i++)
        parent[i] = i;
    for (size_t i = 0; i < g->n_edges; i++)
        if (label[g->a[i]] == label[g->b[i]])
            parent[root(parent, g->a[i])] = root(parent, g->b[i]);
    for (uint32_t i = 0; i < g->n; i++) {
        uint32_t *part = &size[root(parent, i)], *most = &largest[label[i]];
        cells[label[i]]++;
        (*part)++;
        *most = *part > *most ? *part : *most;
    }
    double sum = 0, used = 0;
    for (size_t c = 0; c < n_labels; c++)
        if (cells[c]) {
            sum += (double)largest[c] / cells[c];
            used++;
        }
    *out = sum / used;
    free(parent);
    return RC_OK;
}
