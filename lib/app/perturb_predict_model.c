#include "lib/app/perturb_predict_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/tensor_file.h"

/* ---- saving ---- */

static void put_graph(struct tensor_saving *s, const char *name, const struct gears_graph *g)
{
    char key[64];
    int64_t *ends = tensors_own(s, 2 * g->n * sizeof *ends);
    for (size_t k = 0; ends && k < g->n; k++) {
        ends[2 * k] = g->from[k];
        ends[2 * k + 1] = g->to[k];
    }
    snprintf(key, sizeof key, "%s.edges", name);
    tensors_put(s, key, ST_I64, 2, g->n, 2, ends);
    snprintf(key, sizeof key, "%s.weight", name);
    tensors_put(s, key, ST_F64, 1, 1, g->n, g->weight);
}

enum rc perturb_model_save(const struct gears_training *t, const struct names *node,
                           const char *path, struct err *e)
{
    const struct perturb_facts *f = t->task->facts;
    const struct gears_config *c = &t->m.config;
    struct tensor_saving saving = { 0 }, *s = &saving;
    struct mat controls;
    enum rc rc = gears_training_controls(t, &controls, e);
    if (rc)
        return rc;
    tensors_put_params(s, &t->m.params);
    tensors_put_texts(s, "data.genes", f->set->gene, c->n_genes);
    tensors_put_texts(s, "data.nodes", node->at, node->n);
    put_graph(s, "data.go", t->task->go);
    put_graph(s, "data.coexpression", t->task->coexpress);
    tensors_put(s, "data.controls", ST_F64, 2, controls.n, controls.d, controls.x);
    tensors_put(s, "data.control_mean", ST_F64, 1, 1, c->n_genes,
                mat_row(&f->m.mean, f->set->control));
    if (t->task->vectors)
        tensors_put(s, "data.vectors", ST_F64, 2, c->n_genes, c->d_embedding, t->task->vectors->x);
    char batch[32];
    snprintf(batch, sizeof batch, "%zu", t->plan.test_batch);
    const char *const meta[][2] = { { "format", "genecompass perturb-predict 1" },
                                    { "gene_branch", c->shared ? "once" : "as-released" },
                                    { "batch", batch } };
    rc = tensors_write(s, path, meta, 3, e);
    mat_release(&controls);
    return rc;
}

/* ---- loading ---- */

void perturb_model_release(struct perturb_model *m)
{
    gears_release(&m->m);
    free(m->gene);
    names_release(&m->node);
    arena_release(&m->text);
    mat_release(&m->controls);
    free(m->mean);
    free(m->embedding);
    *m = (struct perturb_model){ 0 };
}

static enum rc take_graph(const struct st_file *f, const char *name, size_t n_nodes,
                          struct gears_graph *g, struct err *e)
{
    struct mat ends, weight = { 0 };
    char key[64];
    *g = (struct gears_graph){ 0 };
    snprintf(key, sizeof key, "%s.edges", name);
    enum rc rc = tensors_take(f, key, SIZE_MAX, 2, &ends, e);
    if (rc)
        return rc;
    snprintf(key, sizeof key, "%s.weight", name);
    rc = tensors_take(f, key, 1, ends.n, &weight, e);
    g->from = malloc((ends.n + 1) * sizeof *g->from);
    g->to = malloc((ends.n + 1) * sizeof *g->to);
    if (!rc && (!g->from || !g->to))
        rc = err_set(e, RC_FAIL, "no memory for %zu edges", ends.n);
    for (size_t k = 0; !rc && k < ends.n; k++) {
        const double *at = mat_row(&ends, k);
        if (!(at[0] >= 0) || !(at[1] >= 0) || !(at[0] < (double)n_nodes) ||
            !(at[1] < (double)n_nodes) || !(weight.x[k] > 0)) {
            rc = err_set(e, RC_INPUT, "edge %zu of '%s' is none", k + 1, name);
            break;
        }
        g->from[k] = (uint32_t)at[0];
        g->to[k] = (uint32_t)at[1];
    }
    g->n = ends.n;
    g->weight = weight.x;
    mat_release(&ends);
    return rc;
}

static enum rc take_nodes(struct perturb_model *m, const struct st_file *f, struct err *e)
{
    const char **text = NULL;
    size_t n = 0;
    enum rc rc = tensors_take_texts(f, "data.nodes", &m->text, &text, &n, e);
    for (size_t i = 0; !rc && i < n; i++)
        rc = names_add(&m->node, text[i], &(uint32_t){ 0 }, e);
    if (!rc && m->node.n != n)
        rc = err_set(e, RC_INPUT, "a node stands there twice");
    free(text);
    return rc;
}

/* The tensors that grow with the sizes, before memory is taken for all of them. */
static enum rc check_sizes(const struct st_file *f, const struct gears_config *c, struct err *e)
{
    const struct {
        const char *name;
        size_t rows, cols;
    } want[] = { { "indv_w2", c->n_genes, c->d + 1 },
                 { "pert_emb.weight", c->n_nodes, c->d },
                 { "recovery_w.network.0.weight", 2 * c->d, c->d },
                 { "cross_gene_state.network.0.weight", c->d, c->n_genes },
                 { "gene_proj.weight", c->d, c->d_embedding } };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < 4 + (size_t)c->project; i++) {
        struct mat x;
        rc = tensors_take(f, want[i].name, want[i].rows, want[i].cols, &x, e);
        mat_release(&x);
    }
    return rc;
}

static enum rc take_model(struct perturb_model *m, const struct st_file *f, size_t n_genes,
                          const struct backend *b, struct err *e)
{
    const char *branch = st_meta(f, "gene_branch");
    struct gears_graph go = { 0 }, co = { 0 };
    struct mat vectors = { 0 }, width = { 0 };
    enum rc rc = tensors_take(f, "sim_layers.0.lin.bias", 1, SIZE_MAX, &width, e);
    if (!rc)
        rc = take_graph(f, "data.go", m->node.n, &go, e);
    if (!rc)
        rc = take_graph(f, "data.coexpression", n_genes, &co, e);
    if (!rc && st_find(f, "data.vectors"))
        rc = tensors_take(f, "data.vectors", n_genes, SIZE_MAX, &vectors, e);
    const struct gears_config c = { .n_genes = n_genes,
                                    .n_nodes = m->node.n,
                                    .d = width.d,
                                    .d_embedding = vectors.d,
                                    .project = vectors.n > 0,
                                    .shared = branch && strcmp(branch, "once") == 0 };
    if (!rc)
        rc = check_sizes(f, &c, e);
    if (!rc)
        rc = gears_init(&m->m, &c, &(struct gears_edges){ go.n, go.from, go.to, go.weight },
                        &(struct gears_edges){ co.n, co.from, co.to, co.weight }, b, false, e);
    if (!rc)
        rc = tensors_take_params(&m->m.params, f, e);
    const size_t copies = c.shared ? 1 : m->batch, n = vectors.n * vectors.d;
    if (!rc && n && !(m->embedding = malloc(copies * n * sizeof *m->embedding)))
        rc = err_set(e, RC_FAIL, "no memory for vectors");
    for (size_t k = 0; !rc && n && k < copies; k++)
        memcpy(m->embedding + k * n, vectors.x, n * sizeof *vectors.x);
    gears_graph_release(&go);
    gears_graph_release(&co);
    mat_release(&vectors);
    mat_release(&width);
    return rc;
}

enum rc perturb_model_from(struct perturb_model *m, const struct st_file *f,
                           const struct backend *b, struct err *e)
{
    const char *format = st_meta(f, "format"), *batch = st_meta(f, "batch");
    size_t n_genes = 0;
    struct mat mean = { 0 };
    *m = (struct perturb_model){ 0 };
    names_init(&m->node);
    arena_init(&m->text, 1 << 12);
    const long cells = batch ? strtol(batch, NULL, 10) : 0;
    enum rc rc = RC_OK;
    if (!format || strcmp(format, "genecompass perturb-predict 1") != 0 || cells < 1 ||
        cells > 1024)
        rc = err_set(e, RC_INPUT, "is no model of perturb-predict train");
    m->batch = (size_t)cells;
    if (!rc)
        rc = tensors_take_texts(f, "data.genes", &m->text, &m->gene, &n_genes, e);
    if (!rc)
        rc = take_nodes(m, f, e);
    if (!rc)
        rc = tensors_take(f, "data.controls", SIZE_MAX, n_genes, &m->controls, e);
    if (!rc && !m->controls.n)
        rc = err_set(e, RC_INPUT, "there are no control cells");
    if (!rc)
        rc = tensors_take(f, "data.control_mean", 1, n_genes, &mean, e);
    m->mean = mean.x;
    if (!rc)
        rc = take_model(m, f, n_genes, b, e);
    if (rc)
        perturb_model_release(m);
    return rc;
}

enum rc perturb_model_load(struct perturb_model *m, const char *path, const struct backend *b,
                           struct err *e)
{
    struct st_file f;
    *m = (struct perturb_model){ 0 };
    enum rc rc = st_open(&f, path, e);
    if (rc)
        return rc;
    rc = perturb_model_from(m, &f, b, e);
    st_close(&f);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}
