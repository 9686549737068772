/* embedding, graph, partitions, maps: sections partition_pairs, embedding, graph, umap_learn. */
#ifndef GC_TESTS_PARITY_METRICS_SPACE_H
#define GC_TESTS_PARITY_METRICS_SPACE_H

#include "lib/nn/graph.h"
#include "lib/nn/layout.h"
#include "lib/nn/metrics_cluster.h"
#include "lib/nn/metrics_space.h"
#include "lib/nn/metrics_stat.h"
#include "tests/parity/metrics.h"

struct cloud {
    struct table t;
    struct mat x;
    struct factor label, batch;
    uint32_t *leiden;
    size_t n_leiden;
    struct graph written; /* umap_connectivities.tsv, as written */
};

static void cloud_read(struct cloud *c, const char *dir)
{
    *c = (struct cloud){ .t = table_of(dir, "embedding.tsv") };
    size_t d = 0;
    char name[32];
    do
        snprintf(name, sizeof name, "pc%zu", d++);
    while (table_find(&c->t, name));
    d--;
    if (mat_alloc(&c->x, c->t.n_rows, d, NULL))
        dies("no memory");
    for (size_t j = 0; j < d; j++) {
        snprintf(name, sizeof name, "pc%zu", j);
        double *v = numbers_of(&c->t, name);
        for (size_t i = 0; i < c->t.n_rows; i++)
            mat_row(&c->x, i)[j] = v[i];
        free(v);
    }
    c->label = factor_column(&c->t, "label");
    c->batch = factor_column(&c->t, "batch");
    struct table p = table_of(dir, "leiden_partition.tsv"),
                 g = table_of(dir, "umap_connectivities.tsv");
    if (p.n_rows != c->t.n_rows || graph_alloc(&c->written, c->t.n_rows, g.n_rows, NULL))
        dies("leiden_partition.tsv has other cells than embedding.tsv");
    c->leiden = indices_of(&p, "cluster");
    for (size_t i = 0; i < p.n_rows; i++)
        c->n_leiden = c->leiden[i] >= c->n_leiden ? c->leiden[i] + 1 : c->n_leiden;
    uint32_t *a = indices_of(&g, "i"), *b = indices_of(&g, "j");
    double *w = numbers_of(&g, "weight");
    memcpy(c->written.a, a, g.n_rows * sizeof *a);
    memcpy(c->written.b, b, g.n_rows * sizeof *b);
    memcpy(c->written.weight, w, g.n_rows * sizeof *w);
    free(a);
    free(b);
    free(w);
    table_release(&p);
    table_release(&g);
}

static void cloud_release(struct cloud *c)
{
    table_release(&c->t);
    mat_release(&c->x);
    factor_release(&c->label);
    factor_release(&c->batch);
    graph_release(&c->written);
    free(c->leiden);
}

/* Indices exactly, distances to 1e-8 (the digits of the file). */
static void space_knn(const struct cloud *c, const char *dir, const char *file, size_t k,
                      enum distance_kind kind)
{
    struct table t = table_of(dir, file);
    struct knn near_by;
    struct err e = { 0 };
    size_t other = 0;
    double off = 0;
    if (!ok(!knn_find(&c->x, NULL, k, kind, &near_by, &e), "%s: %s", file,
            e.rc ? e.text : "neighbours are found"))
        return;
    for (size_t j = 0; j < k; j++) {
        char name[16];
        snprintf(name, sizeof name, "i%zu", j);
        uint32_t *index = indices_of(&t, name);
        snprintf(name, sizeof name, "d%zu", j);
        double *d = numbers_of(&t, name);
        for (size_t i = 0; i < t.n_rows; i++) {
            const double gap = fabs(near_by.distance[i * k + j] - d[i]) / (1 + d[i]);
            other += near_by.index[i * k + j] != index[i];
            off = gap <= off ? off : gap;
        }
        free(index);
        free(d);
    }
    ok(t.n_rows == c->x.n && other == 0 && off <= 1e-8,
       "%s: %zu neighbours differ, distances off by %.1e", file, other, off);
    knn_release(&near_by);
    table_release(&t);
}

static void space_pair(const json_t *want, const char *name, const uint32_t *a, size_t n_a,
                       const uint32_t *b, size_t n_b, size_t n)
{
    struct partition_metrics m;
    const json_t *o = json_object_get(want, name);
    const char *key;
    json_t *v;
    if (!ok(o && !partition_metrics_get(a, n_a, b, n_b, n, &m, NULL), "%s is measured", name))
        return;
    const struct {
        const char *key;
        double got;
    } all[] = { { "ari", m.ari },
                { "rand", m.rand },
                { "fowlkes_mallows", m.fowlkes_mallows },
                { "mutual_info_nats", m.mutual_info },
                { "nmi_arithmetic", m.nmi_arithmetic },
                { "nmi_geometric", m.nmi_geometric },
                { "nmi_min", m.nmi_min },
                { "nmi_max", m.nmi_max },
                { "ami_arithmetic", m.ami_arithmetic },
                { "homogeneity", m.homogeneity },
                { "completeness", m.completeness },
                { "v_measure", m.v_measure } };
    json_object_foreach((json_t *)o, key, v)
    {
        double got = NAN;
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            got = strcmp(all[i].key, key) == 0 ? all[i].got : got;
        equals(o, name, key, got);
    }
}

static void space_partitions(const struct cloud *c, const json_t *want)
{
    const struct factor *l = &c->label, *b = &c->batch;
    uint32_t *one = room(l->n, sizeof *one);
    space_pair(want, "labels vs leiden_partition.tsv", l->of, l->n_levels, c->leiden, c->n_leiden,
               l->n);
    space_pair(want, "labels vs batch", l->of, l->n_levels, b->of, b->n_levels, l->n);
    space_pair(want, "labels vs labels", l->of, l->n_levels, l->of, l->n_levels, l->n);
    space_pair(want, "one cluster vs labels", one, 1, l->of, l->n_levels, l->n);
    free(one);
}

static void per_cell(const struct table *t, const char *column, const double *got)
{
    double *want = numbers_of(t, column), off = 0;
    for (size_t i = 0; i < t->n_rows; i++)
        off = fabs(got[i] - want[i]) <= off ? off : fabs(got[i] - want[i]);
    ok(off <= 1e-9, "per_cell_expected.tsv %s: off by %.1e", column, off);
    free(want);
}

static void space_embedding(const struct cloud *c, const char *dir, const json_t *want)
{
    const size_t n = c->x.n;
    struct table t = table_of(dir, "per_cell_expected.tsv");
    struct err e = { 0 };
    struct knn far;
    double *v = room(n, sizeof *v), ch, db;
    const struct factor *l = &c->label, *b = &c->batch;
    ok(t.n_rows == n, "per_cell_expected.tsv has every cell");
    if (silhouette(&c->x, l->of, l->n_levels, DISTANCE_EUCLID, v, &e))
        dies(e.text);
    per_cell(&t, "silhouette_euclid", v);
    equals(want, "embedding", "silhouette_euclid", mean_of(v, n));
    equals(want, "embedding", "asw_label_scaled", (mean_of(v, n) + 1) / 2);
    if (silhouette(&c->x, l->of, l->n_levels, DISTANCE_COSINE, v, &e))
        dies(e.text);
    per_cell(&t, "silhouette_cosine", v);
    equals(want, "embedding", "silhouette_cosine", mean_of(v, n));
    if (silhouette(&c->x, b->of, b->n_levels, DISTANCE_EUCLID, v, &e))
        dies(e.text);
    equals(want, "embedding", "silhouette_batch_euclid", mean_of(v, n));
    if (knn_find(&c->x, NULL, 90, DISTANCE_EUCLID, &far, &e) ||
        lisi(&far, 30, l->of, l->n_levels, v, &e))
        dies(e.text);
    per_cell(&t, "lisi_label", v);
    equals(want, "embedding", "lisi_label_mean", mean_of(v, n));
    equals(want, "embedding", "lisi_label_median", median_of(v, n));
    if (lisi(&far, 30, b->of, b->n_levels, v, &e))
        dies(e.text);
    per_cell(&t, "lisi_batch", v);
    equals(want, "embedding", "lisi_batch_mean", mean_of(v, n));
    equals(want, "embedding", "lisi_batch_median", median_of(v, n));
    if (cluster_shape(&c->x, l->of, l->n_levels, &ch, &db, &e))
        dies(e.text);
    equals(want, "embedding", "calinski_harabasz", ch);
    equals(want, "embedding", "davies_bouldin", db);
    knn_release(&far);
    free(v);
    table_release(&t);
}

/* Ours from the embedding against the written weights (2e-5: scanpy works in float32); an edge that
 * only one side has must weigh less than that. */
static void space_graph_weights(const struct cloud *c, const struct graph *g)
{
    const struct graph *w = &c->written;
    double off = 0;
    size_t i = 0, j = 0;
    while (i < g->n_edges || j < w->n_edges) {
        int side = i == g->n_edges ? 1 : j == w->n_edges ? -1 : 0;
        if (!side)
            side = g->a[i] != w->a[j] ? (g->a[i] < w->a[j] ? -1 : 1)
                                      : (g->b[i] > w->b[j]) - (g->b[i] < w->b[j]);
        const double ours = side <= 0 ? g->weight[i++] : 0, theirs = side >= 0 ? w->weight[j++] : 0;
        off = fabs(ours - theirs) <= off ? off : fabs(ours - theirs);
    }
    ok(off <= 2e-5, "umap_connectivities.tsv: %zu edges, %zu of ours, weights off by %.1e",
       w->n_edges, g->n_edges, off);
}

static void space_graph(const struct cloud *c, const json_t *want, struct graph *g)
{
    struct knn near_by;
    struct err e = { 0 };
    const struct graph *w = &c->written;
    const size_t k = (size_t)json_integer_value(json_object_get(want, "n_neighbors"));
    double q = 0, total = 0;
    if (knn_find(&c->x, NULL, k - 1, DISTANCE_EUCLID, &near_by, &e) || graph_umap(&near_by, g, &e))
        dies(e.text);
    space_graph_weights(c, g);
    equals(want, "graph", "edges", (double)g->n_edges);
    for (size_t i = 0; i < w->n_edges; i++)
        total += w->weight[i];
    equals(want, "graph", "total_weight", total);
    graph_modularity(w, c->leiden, c->n_leiden, 1, &q, &e);
    equals(want, "graph", "modularity_of_leiden_partition.tsv", q);
    graph_modularity(w, c->leiden, c->n_leiden, 0.5, &q, &e);
    equals(want, "graph", "modularity_of_leiden_partition.tsv_resolution_0.5", q);
    graph_modularity(w, c->label.of, c->label.n_levels, 1, &q, &e);
    equals(want, "graph", "modularity_of_labels", q);
    graph_connectivity(w, c->label.of, c->label.n_levels, &q, &e);
    equals(want, "graph", "graph_connectivity_labels", q);
    uint32_t *group = room(c->x.n, sizeof *group);
    size_t n_groups = 0;
    if (graph_leiden(w, 1, 0, 10, group, &n_groups, &e) ||
        graph_modularity(w, group, n_groups, 1, &q, &e))
        dies(e.text);
    const double least = json_number_value(
        json_object_get(json_object_get(want, "leiden_20_seeds_modularity"), "min"));
    ok(q >= least - 0.002, "our Leiden: %zu groups, modularity %.6f (20 seeds: at least %.6f)",
       n_groups, q, least);
    free(group);
    knn_release(&near_by);
}

static double least_of(const json_t *list)
{
    double least = INFINITY;
    for (size_t i = 0; i < json_array_size(list); i++)
        least = fmin(least, json_number_value(json_array_get(list, i)));
    return least;
}

static void space_map(const struct cloud *c, const struct graph *g, const json_t *all)
{
    const json_t *want = json_object_get(all, "umap_learn_3_seeds");
    const struct layout_options o = layout_defaults();
    struct mat y, first2;
    struct err e = { 0 };
    double trust = NAN, overlap = NAN;
    if (layout_umap(g, &c->x, &o, &y, &e) || map_quality(&c->x, &y, 15, &trust, &overlap, &e))
        dies(e.text);
    const double least = least_of(json_object_get(want, "trustworthiness_15"));
    ok(trust >= least - 0.01, "our UMAP: trustworthiness %.4f (umap-learn: at least %.4f)", trust,
       least);
    note("our UMAP keeps %.4f of 15 neighbours (umap-learn: at least %.4f)", overlap,
         least_of(json_object_get(want, "neighbour_overlap_15")));
    if (mat_alloc(&first2, c->x.n, 2, &e))
        dies(e.text);
    for (size_t i = 0; i < c->x.n; i++)
        memcpy(mat_row(&first2, i), mat_row(&c->x, i), 2 * sizeof(double));
    map_quality(&c->x, &first2, 15, &trust, &overlap, &e);
    equals(json_object_get(all, "pca2_of_same"), "first two PCs", "trustworthiness_15", trust);
    mat_release(&first2);
    mat_release(&y);
}

/* Mean over i of cos(row 100 + i, row 200 + i) - cos(row i, row 200 + i): spec 05 section 12. */
static void space_shift(const struct cloud *c, const json_t *want)
{
    double sum = 0;
    const size_t d = c->x.d;
    for (size_t i = 0; i < 100; i++) {
        const double *target = mat_row(&c->x, 200 + i);
        sum +=
            cosine_of(mat_row(&c->x, 100 + i), target, d) - cosine_of(mat_row(&c->x, i), target, d);
    }
    equals(want, "shift_score", "value", sum / 100);
}

static void parity_space(const char *dir, const json_t *want)
{
    struct cloud c;
    struct graph g;
    cloud_read(&c, dir);
    space_knn(&c, dir, "knn15_euclid.tsv", 15, DISTANCE_EUCLID);
    space_knn(&c, dir, "knn5_cosine.tsv", 5, DISTANCE_COSINE);
    space_partitions(&c, json_object_get(want, "partition_pairs"));
    space_embedding(&c, dir, json_object_get(want, "embedding"));
    space_graph(&c, json_object_get(want, "graph"), &g);
    space_map(&c, &g, want);
    if (ok(c.x.n >= 300, "the embedding has the 300 cells of the shift score"))
        space_shift(&c, json_object_get(want, "shift_score"));
    graph_release(&g);
    cloud_release(&c);
}

#endif
