/* came_tiny: features and graph from counts, then the network of three variants. Bound 1e-10
 * (README there), 1e-9 for gradients, 1e-8 after steps. */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_CAME_H
#define GC_TESTS_PARITY_DOWNSTREAM_CAME_H

#include "lib/nn/came.h"
#include "tests/parity/downstream_net.h"

struct came_folder {
    json_t *config;
    struct table cells[CAME_SETS], homologs, knn;
    struct csr count[CAME_SETS];
    struct came_set set[CAME_SETS];
    struct came_homologs pairs;
};

static const char *const came_side[CAME_SETS] = { "reference", "query" };

static const char *const *came_names(const json_t *list, size_t *n)
{
    *n = json_array_size(list);
    const char **name = room(*n, sizeof *name);
    for (size_t i = 0; i < *n; i++)
        name[i] = json_words(json_array_get(list, i), "a name in config.json");
    return name;
}

/* cell, cell_type, then a column per gene. */
static void came_counts(struct came_folder *f, const char *dir, int s)
{
    struct err e = { 0 };
    char name[64];
    snprintf(name, sizeof name, "%s_counts.tsv", came_side[s]);
    f->cells[s] = table_in(dir, name, "cell,cell_type");
    const struct table *t = &f->cells[s];
    struct csr *c = &f->count[s];
    const size_t n_genes = t->n_cols - 2;
    const char **gene = room(n_genes, sizeof *gene);
    if (strcmp(t->col[0].name, "cell") != 0 || strcmp(t->col[1].name, "cell_type") != 0)
        refuse("%s does not begin with cell, cell_type", name);
    if (csr_alloc(c, t->n_rows, n_genes, t->n_rows * n_genes, &e))
        refuse("%s", e.text);
    for (size_t r = 0; r < t->n_rows; r++) {
        c->indptr[r + 1] = c->indptr[r];
        for (size_t j = 0; j < n_genes; j++) {
            uint64_t v;
            if (!number_whole(t->col[j + 2].text[r], &v, NULL) || v > UINT32_MAX)
                refuse("%s: row %zu: '%s' is no count", name, r + 1, t->col[j + 2].text[r]);
            if (!v)
                continue;
            c->index[c->indptr[r + 1]] = (uint32_t)j;
            c->value[c->indptr[r + 1]++] = (uint32_t)v;
        }
    }
    for (size_t j = 0; j < n_genes; j++)
        gene[j] = t->col[j + 2].name;
    f->set[s].count = c;
    f->set[s].gene = gene;
    f->set[s].feature_gene =
        came_names(json_part(json_part(f->config, "features_chosen"), came_side[s]),
                   &f->set[s].n_feature_genes);
    f->set[s].node_gene = came_names(json_part(json_part(f->config, "nodes_chosen"), came_side[s]),
                                     &f->set[s].n_node_genes);
}

static void came_read(struct came_folder *f, const char *dir)
{
    *f = (struct came_folder){ .config = json_of(dir, "config.json") };
    f->knn = table_in(dir, "knn.tsv", "set,i,j");
    f->homologs = table_in(dir, "homologs.tsv", "reference,query");
    f->pairs =
        (struct came_homologs){ table_find(&f->homologs, "reference")->text,
                                table_find(&f->homologs, "query")->text, f->homologs.n_rows };
    for (int s = 0; s < CAME_SETS; s++) {
        came_counts(f, dir, s);
        uint32_t *a = room(f->knn.n_rows, sizeof *a), *b = room(f->knn.n_rows, sizeof *b);
        for (size_t k = 0; k < f->knn.n_rows; k++) {
            uint64_t i, j;
            if (strcmp(table_find(&f->knn, "set")->text[k], came_side[s]) != 0)
                continue;
            if (!number_whole(table_find(&f->knn, "i")->text[k], &i, NULL) ||
                !number_whole(table_find(&f->knn, "j")->text[k], &j, NULL) || i > UINT32_MAX ||
                j > UINT32_MAX)
                refuse("knn.tsv: row %zu is no pair of cells", k + 1);
            a[f->set[s].n_near] = (uint32_t)i;
            b[f->set[s].n_near++] = (uint32_t)j;
        }
        f->set[s].near_a = a;
        f->set[s].near_b = b;
    }
}

static bool came_same_names(const char *const *got, size_t n, const json_t *want)
{
    bool same = n == json_array_size(want);
    for (size_t i = 0; same && i < n; i++)
        same = strcmp(got[i], json_words(json_array_get(want, i), "a name")) == 0;
    return same;
}

static int came_by_key(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Our edges of a relation as sorted (source, destination). l NULL: loops of n nodes. */
static uint64_t *came_edges(const struct links *l, size_t n, size_t *n_edges)
{
    *n_edges = l ? l->e.n_edges : n;
    uint64_t *key = room(*n_edges, sizeof *key);
    for (size_t i = 0; !l && i < n; i++)
        key[i] = (uint64_t)i << 32 | i;
    for (size_t i = 0; l && i < l->e.n_to; i++)
        for (uint32_t k = l->e.first[i]; k < l->e.first[i + 1]; k++)
            key[k] = (uint64_t)l->e.from[k] << 32 | i;
    qsort(key, *n_edges, sizeof *key, came_by_key);
    return key;
}

static bool came_same_edges(const struct table *t, const char *relation, const struct links *l,
                            size_t loops)
{
    size_t n, m = 0;
    const uint64_t *ours = came_edges(l, loops, &n);
    uint64_t *want = room(t->n_rows, sizeof *want);
    for (size_t k = 0; k < t->n_rows; k++) {
        uint64_t a, b;
        if (strcmp(table_find(t, "relation")->text[k], relation) != 0)
            continue;
        if (!number_whole(table_find(t, "source")->text[k], &a, NULL) ||
            !number_whole(table_find(t, "destination")->text[k], &b, NULL))
            refuse("edge %zu has no numbers", k + 1);
        want[m++] = a << 32 | b;
    }
    qsort(want, m, sizeof *want, came_by_key);
    return n == m && memcmp(ours, want, n * sizeof *want) == 0;
}

static void came_graph_check(const struct came_graph *g, const char *dir, const char *variant,
                             const json_t *want)
{
    struct table t = table_in(dir, g->aligned ? "edges_aligned.tsv" : "edges_unaligned.tsv",
                              "relation,source,destination");
    const json_t *query = json_object_get(want, "features_query");
    ok(came_same_names(g->feature, g->n_features, json_part(want, "features")) &&
           (!json_is_array(query) || came_same_names(g->feature_query, g->n_features, query)),
       "%s: %zu features", variant, g->n_features);
    const json_t *first = json_object_get(want, "gene_nodes_reference");
    ok(came_same_names(g->node, g->n_nodes, json_part(want, "gene_nodes")) &&
           (!json_is_integer(first) || g->n_reference_nodes == (size_t)json_integer_value(first)),
       "%s: %zu gene nodes", variant, g->n_nodes);
    ok(came_same_edges(&t, "express", &g->express, 0) &&
           came_same_edges(&t, "similar_to", &g->similar_to, 0) &&
           came_same_edges(&t, "self_loop_cell", NULL, g->n_cells_all) &&
           came_same_edges(&t, g->aligned ? "self_loop_gene" : "homolog_with",
                           g->aligned ? NULL : &g->homolog_with, g->n_nodes),
       "%s: the edges of every relation", variant);
    table_release(&t);
}

struct came_case {
    struct came m;
    struct came_graph g;
    double *initial, *class_weight;
    uint32_t *label; /* of reference cells */
};

/* Classes by first appearance among the reference cells; a query type that is none of them counts
 * as the number of classes. */
static void came_labels(struct came_case *c, const struct came_folder *f, struct golden *g,
                        const char *variant, const json_t *want)
{
    struct map class;
    struct err e = { 0 };
    const char **type = table_find(&f->cells[0], "cell_type")->text,
               **query = table_find(&f->cells[1], "cell_type")->text;
    const size_t n = c->g.n_cells[0],
                 n_classes = json_array_size(json_part(want, "classes_in_order"));
    const char **order = room(n_classes + n, sizeof *order);
    uint32_t *y = room(c->g.n_cells_all, sizeof *y);
    map_init(&class);
    for (size_t i = 0; i < n; i++) {
        uint64_t old;
        if (map_add(&class, type[i], class.n, &old, &e))
            refuse("%s", e.text);
        if (old == MAP_NONE)
            order[class.n - 1] = type[i];
        y[i] = (uint32_t)map_get(&class, type[i]);
    }
    for (size_t i = 0; i < c->g.n_cells[1]; i++) {
        const uint64_t k = map_get(&class, query[i]);
        y[n + i] = k == MAP_NONE ? (uint32_t) class.n : (uint32_t)k;
    }
    const uint32_t *w = golden_indices(g, "y", c->g.n_cells_all, n_classes + 1);
    ok(came_same_names(order, class.n, json_part(want, "classes_in_order")) &&
           memcmp(y, w, c->g.n_cells_all * sizeof *y) == 0,
       "%s: classes in order of appearance, labels", variant);
    if (class.n != n_classes)
        refuse("%s: %zu classes, not %zu", variant, class.n, n_classes);
    map_release(&class);
    c->label = y;
    c->class_weight = room(n_classes, sizeof *c->class_weight);
    came_class_weights(y, n, n_classes, c->class_weight);
}

static void came_embedding(struct came_case *c, struct golden *g)
{
    const size_t n = c->g.n_nodes, d = golden_dim(g, "gene_embedding", 1);
    const uint32_t *there = golden_indices(g, "gene_has_embedding", n, 2);
    bool *has = room(n, sizeof *has);
    for (size_t i = 0; i < n; i++)
        has[i] = there[i];
    c->initial = golden_numbers(g, "gene_embedding", n * d);
    came_standardise(&(struct mat){ n, d, c->initial }, has);
    compare_tensor(g, "expected.gene_embedding_standardised", c->initial, n * d);
}

static void came_open(struct came_case *c, const struct came_folder *f, struct golden *g,
                      const json_t *want)
{
    struct err e = { 0 };
    const json_t *j = f->config;
    const bool initial = golden_find(g, "gene_embedding") != NULL;
    const struct came_config config = {
        .n_features = c->g.n_features,
        .n_classes = json_array_size(json_part(want, "classes_in_order")),
        .d = json_count(j, "hidden"),
        .heads = json_count(j, "heads"),
        .layers = json_count(j, "hidden_layers"),
        .d_initial = initial ? golden_dim(g, "gene_embedding", 1) : 0,
        .aligned = c->g.aligned,
        .slope = json_float(j, "leaky_relu"),
        .attention_slope = json_float(j, "attention_leaky_relu"),
        .norm_eps = json_float(j, "layer_norm_eps"),
        .smooth_eps = json_float(j, "smooth_eps"),
        .beta = json_float(j, "beta"),
    };
    if (strcmp(json_words(json_part(j, "attention"), "attention"), "add") != 0)
        refuse("attention is not 'add'");
    if (came_init(&c->m, &config, &backend_ref, true, &e))
        refuse("%s", e.text);
    params_load(&c->m.params, g, "param.");
    params_all_known(&c->m.params, g, "param.");
}

static void came_shares(struct golden *g, const struct came_case *c, struct tape *t,
                        const struct came_out *out)
{
    const struct edges *e = &c->g.expressed_by.e;
    const size_t heads = c->m.config.heads, n = e->n_to * c->g.n_nodes * heads;
    double *all = room(n, sizeof *all);
    const double *share = values_of(t, out->share);
    for (size_t i = 0; i < e->n_to; i++)
        for (uint32_t k = e->first[i]; k < e->first[i + 1]; k++)
            memcpy(all + (i * c->g.n_nodes + e->from[k]) * heads, share + k * heads,
                   heads * sizeof *all);
    compare_tensor(g, "expected.attention", all, n);
}

static double came_run_once(struct came_case *c, struct tape *t, struct came_out *out,
                            struct came_loss *loss)
{
    struct err e = { 0 };
    tape_init(t, &backend_ref, true);
    params_zero_gradients(&c->m.params);
    came_forward(&c->m, t, &c->g, c->initial, &(struct came_run){ 0 }, out);
    if (came_loss(&c->m, t, &c->g, out, c->label, c->class_weight, loss, &e))
        refuse("%s", e.text);
    return loss->total;
}

static void came_check(struct came_case *c, struct golden *g, const char *variant)
{
    struct tape t;
    struct came_out out;
    struct came_loss loss;
    char name[64];
    came_run_once(c, &t, &out, &loss);
    compare_numbers(g, "x", c->g.x.x, golden_matrix(g, "x", c->g.x.n, c->g.x.d),
                    c->g.x.n * c->g.x.d);
    compare_tensor(g, "class_weights", c->class_weight, c->m.config.n_classes);
    compare_values(g, "expected.embed.cell", &t, out.embed_cell);
    compare_values(g, "expected.embed.gene", &t, out.embed_gene);
    for (size_t l = 0; l < c->m.config.layers; l++) {
        snprintf(name, sizeof name, "expected.hidden%zu.cell", l + 1);
        compare_values(g, name, &t, out.cell[l]);
        snprintf(name, sizeof name, "expected.hidden%zu.gene", l + 1);
        compare_values(g, name, &t, out.gene[l]);
    }
    came_shares(g, c, &t, &out);
    compare_values(g, "expected.classifier_before_norm", &t, out.raw);
    compare_values(g, "expected.logits", &t, out.logits);
    compare_tensor(g, "expected.loss", &loss.total, 1);
    compare_tensor(g, "expected.loss_nll", &loss.nll, 1);
    compare_tensor(g, "expected.loss_smooth", &loss.smooth, 1);
    compare_tensor(g, "expected.loss_bce", &loss.bce, 1);
    compare_end(g, "%s: features, forward, loss", variant);
    tape_backward(&t);
    compare_begin(g, 1e-9);
    params_gradients(&c->m.params, g, "grad.");
    compare_end(g, "%s: gradients", variant);
    tape_release(&t);
}

static void came_steps(struct came_case *c, struct golden *g, const char *variant,
                       const json_t *adam)
{
    const size_t n = golden_dim(g, "after3_losses", 0);
    double *losses = room(n, sizeof *losses);
    for (size_t i = 0; i < n; i++) {
        struct tape t;
        struct came_out out;
        struct came_loss loss;
        losses[i] = came_run_once(c, &t, &out, &loss);
        tape_backward(&t);
        came_step(&c->m, json_float(adam, "lr"), json_float(adam, "weight_decay_l2"), i + 1);
        tape_release(&t);
    }
    compare_begin(g, 1e-8);
    compare_tensor(g, "after3_losses", losses, n);
    params_values(&c->m.params, g, "after3.");
    compare_end(g, "%s: %zu steps", variant, n);
}

static void came_variant(const struct came_folder *f, const char *dir, const char *variant,
                         const json_t *want)
{
    struct err e = { 0 };
    struct golden g;
    struct came_case c = { 0 };
    char file[128];
    snprintf(file, sizeof file, "came_%s.safetensors", variant);
    golden_open(&g, dir, file);
    const bool aligned = json_object_get(json_part(want, "edges"), "self_loop_gene") != NULL;
    if (came_graph_init(&c.g, f->set, &f->pairs, aligned, &e))
        refuse("%s: %s", variant, e.text);
    came_graph_check(&c.g, dir, variant, want);
    came_labels(&c, f, &g, variant, want);
    came_open(&c, f, &g, want);
    compare_begin(&g, 1e-10);
    if (c.m.config.d_initial)
        came_embedding(&c, &g);
    came_check(&c, &g, variant);
    came_steps(&c, &g, variant, json_part(f->config, "adam"));
    came_release(&c.m);
    came_graph_release(&c.g);
    weights_close(&g.w);
}

static void parity_came(const char *dir)
{
    struct came_folder f;
    const char *variant;
    json_t *want;
    came_read(&f, dir);
    json_object_foreach(json_part(f.config, "variants"), variant, want)
    {
        came_variant(&f, dir, variant, want);
    }
    for (int s = 0; s < CAME_SETS; s++) {
        csr_release(&f.count[s]);
        table_release(&f.cells[s]);
    }
    table_release(&f.homologs);
    table_release(&f.knn);
    json_decref(f.config);
}

#endif
