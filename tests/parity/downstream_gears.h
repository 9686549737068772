/* gears_tiny, the network: original and GeneCompass variant. Bounds of the README there: forward
 * 1e-10, gradients 1e-9 of the tensor's largest entry, after steps 1e-8. */
#ifndef GC_TESTS_PARITY_DOWNSTREAM_GEARS_H
#define GC_TESTS_PARITY_DOWNSTREAM_GEARS_H

#include "lib/data/names.h"
#include "lib/nn/gears.h"
#include "tests/parity/downstream_net.h"

struct gears_case {
    struct gears m;
    const char *prefix; /* "" or "genecompass." */
    size_t n;
    double *x, *y, *embedding;
    struct gears_target target;
    uint32_t *first, *node;
};

static struct gears_edges gears_edges_of(const struct golden *g, const char *name, size_t n_nodes)
{
    char key[64];
    snprintf(key, sizeof key, "%s_edges", name);
    const size_t n = golden_dim(g, key, 0);
    const uint32_t *both = golden_indices(g, key, 2 * n, n_nodes);
    uint32_t *from = room(n, sizeof *from), *to = room(n, sizeof *to);
    for (size_t i = 0; i < n; i++) {
        from[i] = both[2 * i];
        to[i] = both[2 * i + 1];
    }
    snprintf(key, sizeof key, "%s_weight", name);
    return (struct gears_edges){ n, from, to, golden_numbers(g, key, n) };
}

/* Conditions, nodes and the genes of the loss. */
static void gears_conditions(struct gears_case *c, const struct golden *g, const json_t *batch)
{
    const json_t *name = json_part(batch, "perturbation"), *index = json_part(batch, "pert_index");
    const size_t n = c->n, n_genes = c->m.config.n_genes;
    struct names conditions;
    struct err e = { 0 };
    uint32_t *of = room(n, sizeof *of);
    c->first = room(n + 1, sizeof *c->first);
    c->node = room(8 * n, sizeof *c->node);
    names_init(&conditions);
    if (json_array_size(name) != n || json_array_size(index) != n)
        refuse("the batch of expected.json has not %zu cells", n);
    for (size_t i = 0; i < n; i++) {
        const json_t *nodes = json_array_get(index, i);
        uint32_t at = c->first[i];
        if (names_add(&conditions, json_words(json_array_get(name, i), "a condition"), &of[i], &e))
            refuse("%s", e.text);
        for (size_t k = 0; k < json_array_size(nodes) && k < 8; k++) {
            const json_int_t v = json_integer_value(json_array_get(nodes, k));
            if (v >= (json_int_t)c->m.config.n_nodes)
                refuse("node %lld of %zu", (long long)v, c->m.config.n_nodes);
            if (v >= 0)
                c->node[at++] = (uint32_t)v;
        }
        c->first[i + 1] = at;
    }
    const uint32_t **gene = room(conditions.n, sizeof *gene);
    size_t *n_of = room(conditions.n, sizeof *n_of);
    for (size_t k = 0; k < conditions.n; k++) {
        char key[128];
        snprintf(key, sizeof key, "non_zero.%s", conditions.at[k]);
        uint32_t *all = room(n_genes, sizeof *all);
        for (uint32_t j = 0; j < n_genes; j++)
            all[j] = j;
        const bool control = strcmp(conditions.at[k], "ctrl") == 0;
        n_of[k] = control ? n_genes : golden_dim(g, key, 0);
        gene[k] = control ? all : golden_indices(g, key, n_of[k], n_genes);
    }
    c->target = (struct gears_target){ .y = c->y,
                                       .control_mean = golden_numbers(g, "ctrl_mean", n_genes),
                                       .condition_of = of,
                                       .n_conditions = conditions.n,
                                       .gene = gene,
                                       .n_genes = n_of,
                                       .direction = 0.1 };
    names_release(&conditions);
}

/* Row layer[flag_i, gene] of the cell that gives the input. */
static void gears_embeddings(struct gears_case *c, const struct golden *g)
{
    const size_t n_genes = c->m.config.n_genes, d = c->m.config.d_embedding,
                 n_cells = golden_dim(g, "cell_embedding", 0),
                 n_rows = golden_dim(g, "cell_embedding", 1);
    const double *all = golden_numbers(g, "cell_embedding", n_cells * n_rows * d);
    const uint32_t *layer = golden_indices(g, "layer", n_cells * n_genes, n_rows),
                   *flag = golden_indices(g, "flag", c->n, n_cells);
    c->embedding = room(c->n * n_genes * d, sizeof *c->embedding);
    for (size_t i = 0; i < c->n; i++)
        for (size_t j = 0; j < n_genes; j++)
            memcpy(c->embedding + (i * n_genes + j) * d,
                   all + (flag[i] * n_rows + layer[flag[i] * n_genes + j]) * d, d * sizeof *all);
}

static void gears_open(struct gears_case *c, const struct golden *g, const json_t *batch,
                       const char *prefix)
{
    struct err e = { 0 };
    const bool variant = *prefix != '\0';
    const struct gears_config config = { .n_genes = golden_dim(g, "x", 1),
                                         .n_nodes = golden_dim(g, "param.pert_emb.weight", 0),
                                         .d = golden_dim(g, "param.pert_emb.weight", 1),
                                         .d_embedding =
                                             variant ? golden_dim(g, "cell_embedding", 2) : 0 };
    const struct gears_edges go = gears_edges_of(g, "go", config.n_nodes),
                             coexpress = gears_edges_of(g, "coexpress", config.n_genes);
    *c = (struct gears_case){ .prefix = prefix, .n = golden_dim(g, "x", 0) };
    if (gears_init(&c->m, &config, &go, &coexpress, &backend_ref, true, &e))
        refuse("%s", e.text);
    char key[64];
    snprintf(key, sizeof key, "%sparam.", prefix);
    params_load(&c->m.params, g,
                variant && golden_find(g, "%sgene_emb.weight", key) ? key : "param.");
    c->x = golden_numbers(g, "x", c->n * config.n_genes);
    c->y = golden_numbers(g, "y", c->n * config.n_genes);
    gears_conditions(c, g, batch);
    if (variant)
        gears_embeddings(c, g);
}

static void gears_compare(struct golden *g, const struct gears_case *c, const char *name,
                          struct tape *t, const struct tensor *x)
{
    char key[128];
    snprintf(key, sizeof key, "%s%s", c->prefix, name);
    if (x)
        compare_values(g, key, t, x);
}

static void gears_batch_of(struct gears_batch *b, const struct gears_case *c)
{
    struct err e = { 0 };
    if (gears_batch_init(b, &c->m, c->n, c->x, c->embedding, c->first, c->node, &e))
        refuse("%s", e.text);
}

static void gears_tables(struct golden *g, const struct gears_case *c)
{
    static const char *const table[] = { "gene_emb.weight", "emb_pos.weight", "pert_emb.weight" };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        char key[128];
        const struct param *q = params_find(&c->m.params, table[k]);
        snprintf(key, sizeof key, "%safter_forward.%s", c->prefix, table[k]);
        compare_tensor(g, key, param_numbers(&c->m.params, q, c->m.params.x), q->rows * q->cols);
    }
}

static void gears_evaluate(struct golden *g, struct gears_case *c, const struct gears_batch *b,
                           const char *name)
{
    struct tape t;
    struct gears_out out;
    tape_init(&t, &backend_ref, false);
    gears_forward(&c->m, &t, b, false, &out);
    gears_compare(g, c, name, &t, out.predicted);
    tape_release(&t);
}

static void gears_check(struct golden *g, struct gears_case *c, const json_t *want)
{
    struct tape t;
    struct gears_out out;
    struct gears_batch b;
    struct err e = { 0 };
    char key[64];
    double loss, without;
    gears_batch_of(&b, c);
    compare_begin(g, 1e-10);
    gears_evaluate(g, c, &b, "eval.predict");
    tape_init(&t, &backend_ref, true);
    params_zero_gradients(&c->m.params);
    gears_forward(&c->m, &t, &b, true, &out);
    if (gears_loss(&t, out.predicted, &c->target, &loss, &without, &e))
        refuse("%s", e.text);
    gears_compare(g, c, "train.bn_emb.out", &t, out.bn_emb);
    gears_compare(g, c, "train.layers_emb_pos.0.out", &t, out.coexpress);
    gears_compare(g, c, "train.emb_trans_v2.out", &t, out.base_mlp);
    gears_compare(g, c, "train.sim_layers.0.out", &t, out.go);
    gears_compare(g, c, "train.pert_fuse.out", &t, out.fused);
    gears_compare(g, c, "train.bn_pert_base.out", &t, out.bn_base);
    gears_compare(g, c, "train.recovery_w.out", &t, out.recovered);
    gears_compare(g, c, "train.cross_gene_state.in", &t, out.w);
    gears_compare(g, c, "train.cross_gene_state.out", &t, out.cross);
    gears_compare(g, c, "train.predict", &t, out.predicted);
    snprintf(key, sizeof key, "%strain.loss", c->prefix);
    compare_tensor(g, key, &loss, 1);
    compare_number(g, "loss without the direction", without,
                   json_float(want, "loss_without_direction"));
    gears_tables(g, c);
    compare_end(g, "%sforward, tables shortened, loss", c->prefix);
    tape_backward(&t);
    compare_begin(g, 1e-9);
    snprintf(key, sizeof key, "%sgrad.", c->prefix);
    params_gradients(&c->m.params, g, key);
    compare_end(g, "%sgradients", c->prefix);
    params_all_known(&c->m.params, g, key);
    tape_release(&t);
    gears_batch_release(&b);
}

/* Each step from the start weights, so that running statistics have moved once a step. */
static void gears_steps(struct golden *g, struct gears_case *c, const json_t *want)
{
    const json_t *losses = json_part(want, "losses_of_three_steps");
    const size_t n = json_array_size(losses);
    struct gears_batch b;
    struct err e = { 0 };
    char key[64];
    gears_batch_of(&b, c);
    compare_begin(g, 1e-8);
    for (size_t i = 0; i < n; i++) {
        struct tape t;
        struct gears_out out;
        double loss;
        tape_init(&t, &backend_ref, true);
        params_zero_gradients(&c->m.params);
        gears_forward(&c->m, &t, &b, true, &out);
        if (gears_loss(&t, out.predicted, &c->target, &loss, NULL, &e))
            refuse("%s", e.text);
        tape_backward(&t);
        gears_step(&c->m, 1e-3, 5e-4, i + 1);
        compare_number(g, "loss of a step", loss, json_number_value(json_array_get(losses, i)));
        tape_release(&t);
    }
    snprintf(key, sizeof key, "%safter3.", c->prefix);
    params_values(&c->m.params, g, key);
    gears_evaluate(g, c, &b, "after3.eval.predict");
    compare_end(g, "%s%zu steps and running statistics", c->prefix, n);
    gears_batch_release(&b);
}

/* The first rows with other perturbations: those of `single` and none at all. */
static void gears_few(struct golden *g, struct gears_case *c, const char *name, size_t n,
                      const uint32_t *first)
{
    static const uint32_t node[] = { 4, 6 };
    struct tape t;
    struct gears_out out;
    struct gears_batch b;
    struct err e = { 0 };
    if (gears_batch_init(&b, &c->m, n, c->x, c->embedding, first, node, &e))
        refuse("%s", e.text);
    tape_init(&t, &backend_ref, false);
    gears_forward(&c->m, &t, &b, true, &out);
    compare_begin(g, 1e-10);
    gears_compare(g, c, name, &t, out.predicted);
    compare_end(g, "%s", name);
    tape_release(&t);
    gears_batch_release(&b);
}

static void gears_network(const char *dir, const json_t *expected)
{
    static const char *const prefix[] = { "", "genecompass." }, *const key[] = { "plain",
                                                                                 "genecompass" };
    static const uint32_t one[] = { 0, 0, 2, 2 }, none[] = { 0, 0, 0, 0 };
    struct golden g, pt;
    golden_open(&g, dir, "gears_tiny.safetensors");
    golden_open(&pt, dir, "gears_tiny_state.pt");
    const json_t *batch = json_part(expected, "batch");
    for (int k = 0; k < 2; k++) {
        struct gears_case c;
        const json_t *want = json_part(expected, key[k]);
        gears_open(&c, &g, batch, prefix[k]);
        if (!k) {
            params_load(&c.m.params, &pt, "");
            compare_begin(&g, 0);
            params_values(&c.m.params, &g, "param.");
            compare_end(&g, "gears_tiny_state.pt against param.*");
            if (c.n < 3 || c.m.config.n_nodes < 7)
                refuse("the folder's batch has %zu cells and %zu nodes", c.n, c.m.config.n_nodes);
            gears_few(&g, &c, "single.predict", 3, one);
            params_load(&c.m.params, &g, "param.");
            gears_few(&g, &c, "control_only.predict", 3, none);
            gears_release(&c.m);
            gears_open(&c, &g, batch, prefix[k]);
        }
        gears_check(&g, &c, want);
        gears_release(&c.m);
        gears_open(&c, &g, batch, prefix[k]);
        gears_steps(&g, &c, want);
        gears_release(&c.m);
    }
    weights_close(&pt.w);
    weights_close(&g.w);
}

#endif
