#include "lib/app/model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/value_block.h"
#include "lib/base/file.h"
#include "lib/io/weights.h"

#define EMB "bert.embeddings."

static void knowledge_tensor_name(int k, char *name, size_t n)
{
    snprintf(name, n, EMB "%s_knowledge", knowledge_name[k]);
}

const struct model_tie model_tie[N_MODEL_TIES] = {
    { "cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight" },
    { "cls.predictions.decoder.bias", "cls.predictions.bias" },
    { "cls4value.predictions.decoder.bias", "cls4value.predictions.bias" },
};

enum rc model_check_ties(const struct st_file *f, struct err *e)
{
    for (int i = 0; i < N_MODEL_TIES; i++) {
        const struct st_tensor *a = st_find(f, model_tie[i].alias);
        const struct st_tensor *b = st_find(f, model_tie[i].of);
        if (!a)
            continue;
        if (!b)
            return err_set(e, RC_INPUT, "tensor '%s' is there without '%s'", model_tie[i].alias,
                           model_tie[i].of);
        if (a->type != b->type || a->n_items != b->n_items ||
            (a->data != b->data && memcmp(a->data, b->data, a->n_bytes) != 0))
            return err_set(e, RC_INPUT, "tensor '%s' is not the same as '%s', its tied one",
                           model_tie[i].alias, model_tie[i].of);
    }
    return RC_OK;
}

char *model_weights_path(const char *folder, struct err *e)
{
    static const char *const name[] = { "model.safetensors", "pytorch_model.bin" };
    for (int i = 0; i < 2; i++) {
        char *path = text_new("%s/%s", folder, name[i]);
        if (!path) {
            err_set(e, RC_FAIL, "no memory for a path");
            return NULL;
        }
        if (file_exists(path))
            return path;
        free(path);
    }
    err_set(e, RC_INPUT, "folder '%s' has neither %s nor %s", folder, name[0], name[1]);
    return NULL;
}

enum rc model_table_path(const char *folder, const char *name, bool must, char **path,
                         struct err *e)
{
    char *plain = text_new("%s/%s", folder, name), *gz = text_new("%s/%s.gz", folder, name);
    enum rc rc = RC_OK;
    *path = NULL;
    if (!plain || !gz)
        rc = err_set(e, RC_FAIL, "no memory for a path");
    else if (file_exists(plain))
        *path = plain;
    else if (file_exists(gz))
        *path = gz;
    else if (must)
        rc = err_set(e, RC_INPUT, "'%s' has no '%s'", folder, name);
    if (*path != plain)
        free(plain);
    if (*path != gz)
        free(gz);
    return rc;
}

enum rc model_copy_beside(const char *folder, const char *file, struct err *e)
{
    const char *slash = strrchr(file, '/');
    char *to = text_new("%s/%s", folder, slash ? slash + 1 : file);
    enum rc rc = to ? file_copy(file, to, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(to);
    return rc;
}

/* Names that a file may hold besides parameters: buffers and aliases of tied tensors. */
static bool is_known_extra(const char *name)
{
    static const char *const known[] = {
        EMB "position_ids", EMB "homologous_index", "emb_warmup.alpha", "emb_warmup.steps", NULL
    };
    for (int i = 0; known[i]; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    for (int i = 0; i < N_MODEL_TIES; i++)
        if (strcmp(model_tie[i].alias, name) == 0)
            return true;
    for (int k = 0; k < N_KNOWLEDGE; k++) {
        char buf[96];
        knowledge_tensor_name(k, buf, sizeof buf);
        if (strcmp(buf, name) == 0)
            return true;
    }
    return false;
}

static bool is_task_head(const char *name)
{
    return strncmp(name, "classifier.", 11) == 0 || strncmp(name, "bert.pooler.", 12) == 0;
}

static enum rc take_param(struct model *m, const struct param *p, const struct st_file *f,
                          const struct value_block *vb, const char *path, struct err *e)
{
    const struct st_tensor *s = value_block_tensor(vb, f, p->name);
    if (!s && is_task_head(p->name))
        return RC_OK;
    if (!s)
        return err_set(e, RC_INPUT, "'%s' lacks tensor '%s'", path, p->name);
    const uint64_t rows = s->n_dims == 2 ? s->dim[0] : 1, cols = s->n_dims ? s->dim[s->n_dims - 1] : 1;
    if (s->n_dims != p->n_dims || rows != p->rows || cols != p->cols)
        return err_set(e, RC_INPUT, "'%s': tensor '%s' has %d dimensions and %llu numbers, "
                       "not %d and %zu x %zu", path, p->name, s->n_dims,
                       (unsigned long long)s->n_items, p->n_dims, p->rows, p->cols);
    double *x = malloc((s->n_items + 1) * sizeof *x);
    if (!x)
        return err_set(e, RC_FAIL, "no memory for '%s'", p->name);
    enum rc rc = st_get_f64(s, x, e);
    if (!rc)
        reals_from_f64(m->params.b, p->t.x, x, s->n_items);
    free(x);
    return rc;
}

/* Tables stay in the file where they can: Base has 155 MB of each kind, and a cell reads 2,048 rows. */
static enum rc take_knowledge(struct model *m, const struct st_file *f, const char *path,
                              struct err *e)
{
    const struct mapped *file = &m->tables.file[0];
    for (int k = 0; k < N_KNOWLEDGE; k++) {
        if (!m->config.use_knowledge[k])
            continue;
        char name[96];
        knowledge_tensor_name(k, name, sizeof name);
        const struct st_tensor *s = st_find(f, name);
        if (!s)
            return err_set(e, RC_INPUT, "'%s' lacks tensor '%s'", path, name);
        if (s->n_dims != 2 || s->dim[0] != m->config.n_tokens ||
            s->dim[1] != m->config.knowledge_dim)
            return err_set(e, RC_INPUT, "'%s': tensor '%s' is not %u x %u", path, name,
                           m->config.n_tokens, m->config.knowledge_dim);
        if (mapped_holds(file, s->data) && st_floats(s)) {
            m->tables.knowledge[k] = (float *)(uintptr_t)st_floats(s);
            continue;
        }
        m->tables.knowledge[k] = malloc(s->n_items * sizeof(float));
        if (!m->tables.knowledge[k])
            return err_set(e, RC_FAIL, "no memory for '%s'", name);
        if (st_get_f32(s, m->tables.knowledge[k], e))
            return e ? e->rc : RC_INPUT;
    }
    mapped_forget(file); /* the parameters were copied */
    return RC_OK;
}

static enum rc take_homologs(struct model *m, const struct st_file *f, const char *path,
                             struct err *e)
{
    const struct st_tensor *s = st_find(f, EMB "homologous_index");
    const uint32_t v = m->config.n_tokens;
    if (!s)
        return RC_OK; /* a model without knowledge has none */
    if (s->n_items != v)
        return err_set(e, RC_INPUT, "'%s': '" EMB "homologous_index' has %llu entries, not %u",
                       path, (unsigned long long)s->n_items, v);
    double *x = malloc(v * sizeof *x);
    if (!x)
        return err_set(e, RC_FAIL, "no memory for %u tokens", v);
    enum rc rc = st_get_f64(s, x, e);
    for (uint32_t i = 0; !rc && i < v; i++) {
        if (!(x[i] >= 0 && x[i] < v))
            rc = err_set(e, RC_INPUT, "'%s': homolog of token %u is %g, not a token", path, i,
                         x[i]);
        else
            m->tables.homolog[i] = (uint32_t)x[i];
    }
    free(x);
    return rc;
}

static enum rc take_all(struct model *m, const struct st_file *f, const struct value_block *vb,
                        const char *path, struct err *e)
{
    for (size_t i = 0; i < m->params.n; i++)
        if (take_param(m, &m->params.item[i], f, vb, path, e))
            return e ? e->rc : RC_INPUT;
    if (model_check_ties(f, e))
        return err_wrap(e, "'%s'", path);
    for (size_t i = 0; i < f->n; i++) {
        const char *name = f->tensor[i].name;
        if (!params_find(&m->params, name) && !value_block_has(vb, name) &&
            !is_known_extra(name) && !is_task_head(name))
            return err_set(e, RC_INPUT, "'%s' holds tensor '%s', which this model has not", path,
                           name);
    }
    const struct st_tensor *s = st_find(f, "emb_warmup.alpha");
    if (s && s->n_items == 1 && st_get_f32(s, &m->alpha, e))
        return e ? e->rc : RC_INPUT;
    s = st_find(f, "emb_warmup.steps");
    double steps = 0;
    if (s && s->n_items == 1 && st_get_f64(s, &steps, e))
        return e ? e->rc : RC_INPUT;
    m->warm_steps = (int64_t)steps;
    m->has_head = params_find(&m->params, "classifier.weight") && st_find(f, "classifier.weight") &&
                  st_find(f, "classifier.bias") && st_find(f, "bert.pooler.dense.weight") &&
                  st_find(f, "bert.pooler.dense.bias");
    if (take_knowledge(m, f, path, e) || take_homologs(m, f, path, e))
        return e ? e->rc : RC_INPUT;
    return RC_OK;
}

/* The published config.json does not name K: the buffers do. */
static void size_from_buffers(struct model_config *c, const struct st_file *f)
{
    char name[96];
    for (int k = 0; k < N_KNOWLEDGE; k++) {
        knowledge_tensor_name(k, name, sizeof name);
        const struct st_tensor *s = st_find(f, name);
        if (c->use_knowledge[k] && s && s->n_dims == 2 && s->dim[1] <= 1 << 16)
            c->knowledge_dim = (uint32_t)s->dim[1];
    }
}

enum rc model_load(struct model *m, const char *folder, const struct backend *b, bool training,
                   uint32_t n_classes, struct err *e)
{
    *m = (struct model){ 0 };
    struct err own = { 0 };
    e = e ? e : &own;
    err_clear(e);
    struct model_config c;
    struct weights w = { 0 };
    struct value_block vb;
    char *config = text_new("%s/config.json", folder), *path = NULL;
    enum rc rc = config ? model_config_read(&c, config, e)
                        : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && !(path = model_weights_path(folder, e)))
        rc = e->rc;
    if (!rc)
        rc = weights_open(&w, path, e);
    if (!rc) {
        size_from_buffers(&c, &w.st);
        value_block_find(&vb, &c, &w.st);
        c.value_encoder = vb.kind;
        rc = model_init(m, &c, b, training, n_classes, e);
    }
    if (!rc) {
        struct mapped *map = w.torch.map.at ? &w.torch.map : &w.st.map;
        m->tables.file[0] = *map;
        *map = (struct mapped){ 0 };
        rc = take_all(m, &w.st, &vb, path, e);
    }
    if (rc)
        model_release(m);
    weights_close(&w);
    free(config);
    free(path);
    return rc;
}

/* Everything that goes into the file; float copies are owned by the list. */
struct list {
    struct st_tensor *t;
    void **owned;
    size_t n, n_owned, room;
};

static void *add(struct list *l, const char *name, enum st_type type, int n_dims, uint64_t d0,
                 uint64_t d1, const void *data, size_t n_bytes)
{
    struct st_tensor *t = &l->t[l->n++];
    *t = (struct st_tensor){ .name = (char *)(uintptr_t)name, .type = type, .n_dims = n_dims,
                             .dim = { d0, d1 }, .data = data };
    if (!data) {
        l->owned[l->n_owned] = malloc(n_bytes + 1);
        t->data = l->owned[l->n_owned];
        return l->owned[l->n_owned++];
    }
    return (void *)(uintptr_t)data;
}

static bool fill_list(const struct model *m, struct list *l)
{
    static const char *const know[N_KNOWLEDGE] = { EMB "promoter_knowledge", EMB "co_exp_knowledge",
                                                   EMB "gene_family_knowledge",
                                                   EMB "peca_grn_knowledge" };
    const struct model_config *c = &m->config;
    for (size_t i = 0; i < m->params.n; i++) {
        const struct param *p = &m->params.item[i];
        const size_t n = p->rows * p->cols;
        float *x = add(l, p->name, ST_F32, p->n_dims, p->n_dims == 2 ? p->rows : p->cols, p->cols,
                       NULL, n * sizeof *x);
        if (!x)
            return false;
        reals_to_f32(m->params.b, x, p->t.x, n);
    }
    for (int k = 0; k < N_KNOWLEDGE; k++)
        if (c->use_knowledge[k])
            add(l, know[k], ST_F32, 2, c->n_tokens, c->knowledge_dim, m->tables.knowledge[k], 0);
    int64_t *h = add(l, EMB "homologous_index", ST_I64, 1, c->n_tokens, 0, NULL,
                     c->n_tokens * sizeof *h);
    int64_t *pos = add(l, EMB "position_ids", ST_I64, 2, 1, c->max_genes, NULL,
                       c->max_genes * sizeof *pos);
    if (!h || !pos)
        return false;
    for (uint32_t i = 0; i < c->n_tokens; i++)
        h[i] = m->tables.homolog[i];
    for (uint32_t i = 0; i < c->max_genes; i++)
        pos[i] = i;
    add(l, "emb_warmup.alpha", ST_F32, 0, 0, 0, &m->alpha, 0);
    add(l, "emb_warmup.steps", ST_I64, 0, 0, 0, &m->warm_steps, 0);
    return true;
}

static enum rc save_weights(const struct model *m, const char *path, struct err *e)
{
    static const char *const meta[][2] = { { "format", "pt" } };
    struct list l = { .room = m->params.n + N_KNOWLEDGE + 8 };
    l.t = calloc(l.room, sizeof *l.t);
    l.owned = calloc(l.room, sizeof *l.owned);
    enum rc rc = RC_OK;
    if (!l.t || !l.owned || !fill_list(m, &l))
        rc = err_set(e, RC_FAIL, "no memory for '%s'", path);
    if (!rc)
        rc = st_write(path, l.t, l.n, meta, 1, e);
    for (size_t i = 0; i < l.n_owned; i++)
        free(l.owned[i]);
    free(l.owned);
    free(l.t);
    return rc;
}

enum rc model_save(const struct model *m, const char *folder, struct err *e)
{
    char *config = text_new("%s/config.json", folder);
    char *weights = text_new("%s/model.safetensors", folder);
    enum rc rc = config && weights ? save_weights(m, weights, e)
                                   : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = model_config_write(&m->config, config, e);
    free(config);
    free(weights);
    return rc;
}
