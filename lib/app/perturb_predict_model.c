#include "lib/app/perturb_predict_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- saving ---- */

enum { MAX_TENSORS = 256 };

/* Tensors of the file; what was made for it is owned. */
struct saving {
    struct st_tensor tensor[MAX_TENSORS];
    void *own[MAX_TENSORS];
    size_t n, n_own;
    bool short_of_memory;
};

static void *own(struct saving *s, size_t n_bytes)
{
    void *p = s->n_own < MAX_TENSORS ? malloc(n_bytes + 1) : NULL;
    s->short_of_memory |= !p;
    if (p)
        s->own[s->n_own++] = p;
    return p;
}

static void put(struct saving *s, const char *name, enum st_type type, int n_dims, uint64_t rows,
                uint64_t cols, const void *data)
{
    char *copy = own(s, strlen(name) + 1);
    if (!copy || !data || s->n == MAX_TENSORS) {
        s->short_of_memory = true;
        return;
    }
    strcpy(copy, name);
    s->tensor[s->n++] = (struct st_tensor){ .name = copy,
                                            .type = type,
                                            .n_dims = n_dims,
                                            .dim = { n_dims == 1 ? cols : rows, cols },
                                            .data = data };
}

static void put_param(struct saving *s, const struct params *p, const struct param *q)
{
    const size_t n = q->rows * q->cols;
    double *x = own(s, n * sizeof *x);
    if (x)
        reals_to_f64(p->b, x, q->t.x, n);
    put(s, q->name, ST_F64, q->n_dims, q->rows, q->cols, x);
}

static void put_names(struct saving *s, const char *name, const char *const *text, size_t n)
{
    size_t bytes = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        bytes += strlen(text[i]) + 1;
    char *all = own(s, bytes);
    for (size_t i = 0; all && i < n; i++) {
        const size_t length = strlen(text[i]);
        memcpy(all + at, text[i], length);
        all[at + length] = '\n';
        at += length + 1;
    }
    put(s, name, ST_U8, 1, 1, bytes, all);
}

static void put_graph(struct saving *s, const char *name, const struct gears_graph *g)
{
    char key[64];
    int64_t *ends = own(s, 2 * g->n * sizeof *ends);
    for (size_t k = 0; ends && k < g->n; k++) {
        ends[2 * k] = g->from[k];
        ends[2 * k + 1] = g->to[k];
    }
    snprintf(key, sizeof key, "%s.edges", name);
    put(s, key, ST_I64, 2, g->n, 2, ends);
    snprintf(key, sizeof key, "%s.weight", name);
    put(s, key, ST_F64, 1, 1, g->n, g->weight);
}

enum rc perturb_model_save(const struct gears_training *t, const struct names *node,
                           const char *path, struct err *e)
{
    const struct perturb_facts *f = t->task->facts;
    const struct gears_config *c = &t->m.config;
    struct saving *s = calloc(1, sizeof *s);
    struct mat controls;
    if (!s)
        return err_set(e, RC_FAIL, "no memory for a model");
    enum rc rc = gears_training_controls(t, &controls, e);
    if (rc) {
        free(s);
        return rc;
    }
    for (size_t i = 0; i < t->m.params.n; i++)
        put_param(s, &t->m.params, &t->m.params.item[i]);
    put_names(s, "data.genes", f->set->gene, c->n_genes);
    put_names(s, "data.nodes", node->at, node->n);
    put_graph(s, "data.go", t->task->go);
    put_graph(s, "data.coexpression", t->task->coexpress);
    put(s, "data.controls", ST_F64, 2, controls.n, controls.d, controls.x);
    put(s, "data.control_mean", ST_F64, 1, 1, c->n_genes, mat_row(&f->m.mean, f->set->control));
    if (t->task->vectors)
        put(s, "data.vectors", ST_F64, 2, c->n_genes, c->d_embedding, t->task->vectors->x);
    char batch[32];
    snprintf(batch, sizeof batch, "%zu", t->plan.test_batch);
    const char *const meta[][2] = { { "format", "genecompass perturb-predict 1" },
                                    { "gene_branch", c->shared ? "once" : "as-released" },
                                    { "batch", batch } };
    rc = s->short_of_memory ? err_set(e, RC_FAIL, "no memory for a model")
                            : st_write(path, s->tensor, s->n, meta, 3, e);
    for (size_t i = 0; i < s->n_own; i++)
        free(s->own[i]);
    free(s);
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

/* A matrix of finite numbers; rows or cols SIZE_MAX: any number. */
static enum rc take(const struct st_file *f, const char *name, size_t rows, size_t cols,
                    struct mat *x, struct err *e)
{
    const struct st_tensor *t = st_find(f, name);
    *x = (struct mat){ 0 };
    if (!t)
        return err_set(e, RC_INPUT, "no tensor '%s'", name);
    const uint64_t n = t->n_dims == 2 ? t->dim[0] : 1, d = t->n_dims ? t->dim[t->n_dims - 1] : 1;
    if (t->n_dims < 1 || t->n_dims > 2 || (rows != SIZE_MAX && n != rows) ||
        (cols != SIZE_MAX && d != cols))
        return err_set(e, RC_INPUT, "tensor '%s' has another shape", name);
    enum rc rc = mat_alloc(x, (size_t)n, (size_t)d, e);
    if (!rc)
        rc = st_get_f64(t, x->x, e);
    for (size_t k = 0; !rc && k < n * d; k++)
        if (!isfinite(x->x[k]))
            rc = err_set(e, RC_INPUT, "tensor '%s' holds a number that is not finite", name);
    if (rc)
        mat_release(x);
    return rc;
}

/* Lines of a text tensor. */
static enum rc take_names(const struct st_file *f, const char *name, struct arena *a,
                          const char ***text, size_t *n, struct err *e)
{
    const struct st_tensor *t = st_find(f, name);
    *n = 0;
    if (!t || t->type != ST_U8)
        return err_set(e, RC_INPUT, "no text '%s'", name);
    const size_t bytes = (size_t)t->n_bytes;
    char *all = arena_chars(a, bytes + 1);
    *text = all ? calloc(bytes + 1, sizeof **text) : NULL;
    if (!*text)
        return err_set(e, RC_FAIL, "no memory for '%s'", name);
    memcpy(all, t->data, bytes);
    all[bytes] = '\0';
    for (char *at = all, *end; at < all + bytes; at = end + 1) {
        end = memchr(at, '\n', (size_t)(all + bytes - at));
        if (!end || end == at || memchr(at, '\0', (size_t)(end - at)))
            return err_set(e, RC_INPUT, "text '%s' has an empty or broken line", name);
        *end = '\0';
        (*text)[(*n)++] = at;
    }
    return *n ? RC_OK : err_set(e, RC_INPUT, "text '%s' is empty", name);
}

static enum rc take_graph(const struct st_file *f, const char *name, size_t n_nodes,
                          struct gears_graph *g, struct err *e)
{
    struct mat ends, weight = { 0 };
    char key[64];
    *g = (struct gears_graph){ 0 };
    snprintf(key, sizeof key, "%s.edges", name);
    enum rc rc = take(f, key, SIZE_MAX, 2, &ends, e);
    if (rc)
        return rc;
    snprintf(key, sizeof key, "%s.weight", name);
    rc = take(f, key, 1, ends.n, &weight, e);
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

static enum rc take_params(struct gears *m, const struct st_file *f, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < m->params.n; i++) {
        const struct param *q = &m->params.item[i];
        struct mat x;
        rc = take(f, q->name, q->rows, q->cols, &x, e);
        if (!rc)
            reals_from_f64(m->params.b, q->t.x, x.x, x.n * x.d);
        mat_release(&x);
    }
    return rc;
}

static enum rc take_nodes(struct perturb_model *m, const struct st_file *f, struct err *e)
{
    const char **text = NULL;
    size_t n = 0;
    enum rc rc = take_names(f, "data.nodes", &m->text, &text, &n, e);
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
        rc = take(f, want[i].name, want[i].rows, want[i].cols, &x, e);
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
    enum rc rc = take(f, "sim_layers.0.lin.bias", 1, SIZE_MAX, &width, e);
    if (!rc)
        rc = take_graph(f, "data.go", m->node.n, &go, e);
    if (!rc)
        rc = take_graph(f, "data.coexpression", n_genes, &co, e);
    if (!rc && st_find(f, "data.vectors"))
        rc = take(f, "data.vectors", n_genes, SIZE_MAX, &vectors, e);
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
        rc = take_params(&m->m, f, e);
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
        rc = take_names(f, "data.genes", &m->text, &m->gene, &n_genes, e);
    if (!rc)
        rc = take_nodes(m, f, e);
    if (!rc)
        rc = take(f, "data.controls", SIZE_MAX, n_genes, &m->controls, e);
    if (!rc && !m->controls.n)
        rc = err_set(e, RC_INPUT, "there are no control cells");
    if (!rc)
        rc = take(f, "data.control_mean", 1, n_genes, &mean, e);
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
