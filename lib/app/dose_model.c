#include "lib/app/dose_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/tensor_file.h"

static const char format_name[] = "genecompass dose 1";
static const char *const doser_name[] = { "mlp", "sigm", "logsigm" };

enum rc dose_model_save(const struct cpa_training *t, const char *path, struct err *e)
{
    const struct dose_set *s = t->task->set;
    struct tensor_saving saving = { 0 };
    struct mat *controls = calloc(s->n_types + 1, sizeof *controls);
    enum rc rc = controls ? RC_OK : err_set(e, RC_FAIL, "no memory for a model");
    tensors_put_params(&saving, &t->m.params);
    tensors_put_texts(&saving, "data.genes", s->x.gene, s->x.n_genes);
    tensors_put_texts(&saving, "data.drugs", s->drug, s->n_drugs);
    tensors_put_texts(&saving, "data.types", s->type, s->n_types);
    tensors_put(&saving, "data.largest", ST_F64, 1, 1, s->n_drugs, s->largest);
    for (uint32_t k = 0; !rc && k < s->n_types; k++) {
        char name[48];
        rc = cpa_training_controls(t, k, &controls[k], e);
        snprintf(name, sizeof name, "data.controls.%u", k);
        if (!rc)
            tensors_put(&saving, name, ST_F64, 2, controls[k].n, controls[k].d, controls[k].x);
    }
    if (t->task->vectors)
        tensors_put(&saving, "data.vectors", ST_F64, 2, s->x.n_genes, t->task->vectors->d,
                    t->task->vectors->x);
    saving.short_of_memory |= rc != RC_OK;
    const char *const meta[][2] = { { "format", format_name },
                                    { "doser", doser_name[t->m.config.doser] } };
    const enum rc written = tensors_write(&saving, path, meta, 2, rc ? NULL : e);
    for (size_t k = 0; controls && k < s->n_types; k++)
        mat_release(&controls[k]);
    free(controls);
    return rc ? rc : written;
}

void dose_model_release(struct dose_model *m)
{
    cpa_release(&m->m);
    free(m->gene);
    free(m->drug);
    free(m->type);
    mat_release(&m->largest);
    for (size_t k = 0; m->controls && k < m->n_types; k++)
        mat_release(&m->controls[k]);
    free(m->controls);
    mat_release(&m->vectors);
    arena_release(&m->text);
    *m = (struct dose_model){ 0 };
}

/* Layers of a network, PREFIX.network.(step i); *width of the first. 0: none. */
static size_t depth_of(const struct st_file *f, const char *prefix, size_t step, size_t *width)
{
    char name[96];
    size_t n = 0;
    for (;; n++) {
        snprintf(name, sizeof name, "%s.network.%zu.weight", prefix, step * n);
        const struct st_tensor *t = st_find(f, name);
        if (!t || t->n_dims != 2 || n > 16)
            break;
        if (!n)
            *width = (size_t)t->dim[0];
    }
    return n ? n - 1 : 0;
}

static enum rc has(const struct st_file *f, const char *name, size_t rows, size_t cols,
                   struct err *e)
{
    struct mat x;
    enum rc rc = tensors_take(f, name, rows, cols, &x, e);
    mat_release(&x);
    return rc;
}

/* Every number of the configuration from the shapes; tensors that grow with two of them are taken
 * first, so that nothing is allocated that the file does not have. */
static enum rc configure(struct dose_model *m, const struct st_file *f, struct cpa_config *c,
                         struct err *e)
{
    const char *doser = st_meta(f, "doser");
    const struct st_tensor *drugs = st_find(f, "drug_embeddings.weight");
    *c = (struct cpa_config){ .n_genes = m->n_genes,
                              .n_drugs = m->n_drugs,
                              .n_covariates = m->n_types > 1,
                              .n_classes = { m->n_types },
                              .d_embedding = m->vectors.d };
    c->depth = depth_of(f, "encoder", 3, &c->width);
    c->adversary_depth = depth_of(f, "adversary_drugs", 3, &c->adversary_width);
    while (c->doser < 2 && doser && strcmp(doser, doser_name[c->doser]) != 0)
        c->doser++;
    if (c->doser == CPA_DOSER_MLP)
        c->doser_depth = depth_of(f, "dosers.0", 2, &c->doser_width);
    if (!doser || strcmp(doser, doser_name[c->doser]) != 0 || !drugs || drugs->n_dims != 2)
        return err_set(e, RC_INPUT, "is no model of dose train");
    c->d = (size_t)drugs->dim[1];
    const struct {
        const char *name;
        size_t rows, cols;
    } want[] = { { "drug_embeddings.weight", m->n_drugs, c->d },
                 { "encoder.network.0.weight", c->width, m->n_genes },
                 { "encoder.network.3.weight", c->depth > 1 ? c->width : c->d, c->width },
                 { "decoder.network.0.weight", c->width, c->d },
                 { "adversary_drugs.network.0.weight", c->adversary_width, c->d },
                 { "adversary_drugs.network.3.weight",
                   c->adversary_depth > 1 ? c->adversary_width : m->n_drugs, c->adversary_width } };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < sizeof want / sizeof *want; i++)
        rc = has(f, want[i].name, want[i].rows, want[i].cols, e);
    char name[64];
    snprintf(name, sizeof name, "decoder.network.%zu.weight", 3 * c->depth);
    if (!rc)
        rc = has(f, name, 2 * m->n_genes, c->width, e);
    if (!rc && c->d_embedding)
        rc = has(f, "gene_proj.weight", c->d_embedding, c->d, e);
    if (!rc && c->n_covariates)
        rc = has(f, "covariates_embeddings.0.weight", m->n_types, c->d, e);
    for (size_t k = 0; !rc && c->doser == CPA_DOSER_MLP && k < m->n_drugs; k++) {
        snprintf(name, sizeof name, "dosers.%zu.network.2.weight", k);
        rc = has(f, name, c->doser_depth > 1 ? c->doser_width : 1, c->doser_width, e);
    }
    return rc;
}

static enum rc take_data(struct dose_model *m, const struct st_file *f, struct err *e)
{
    enum rc rc = tensors_take_texts(f, "data.genes", &m->text, &m->gene, &m->n_genes, e);
    if (!rc)
        rc = tensors_take_texts(f, "data.drugs", &m->text, &m->drug, &m->n_drugs, e);
    if (!rc)
        rc = tensors_take_texts(f, "data.types", &m->text, &m->type, &m->n_types, e);
    if (!rc)
        rc = tensors_take(f, "data.largest", 1, m->n_drugs, &m->largest, e);
    for (size_t k = 0; !rc && k < m->n_drugs; k++)
        if (!(m->largest.x[k] > 0))
            rc = err_set(e, RC_INPUT, "the largest dose of drug '%s' is %g", m->drug[k],
                         m->largest.x[k]);
    if (!rc && !(m->controls = calloc(m->n_types + 1, sizeof *m->controls)))
        rc = err_set(e, RC_FAIL, "no memory for %zu types", m->n_types);
    for (size_t k = 0; !rc && k < m->n_types; k++) {
        char name[48];
        snprintf(name, sizeof name, "data.controls.%zu", k);
        rc = tensors_take(f, name, SIZE_MAX, m->n_genes, &m->controls[k], e);
        if (!rc && !m->controls[k].n)
            rc = err_set(e, RC_INPUT, "type '%s' has no control cells", m->type[k]);
    }
    if (!rc && st_find(f, "data.vectors"))
        rc = tensors_take(f, "data.vectors", m->n_genes, SIZE_MAX, &m->vectors, e);
    return rc;
}

enum rc dose_model_from(struct dose_model *m, const struct st_file *f, const struct backend *b,
                        struct err *e)
{
    const char *format = st_meta(f, "format");
    struct cpa_config c;
    *m = (struct dose_model){ 0 };
    arena_init(&m->text, 1 << 12);
    enum rc rc = format && strcmp(format, format_name) == 0
                     ? take_data(m, f, e)
                     : err_set(e, RC_INPUT, "is no model of dose train");
    if (!rc)
        rc = configure(m, f, &c, e);
    if (!rc)
        rc = cpa_init(&m->m, &c, b, false, e);
    if (!rc)
        rc = tensors_take_params(&m->m.params, f, e);
    if (rc)
        dose_model_release(m);
    return rc;
}

enum rc dose_model_load(struct dose_model *m, const char *path, const struct backend *b,
                        struct err *e)
{
    struct st_file f;
    *m = (struct dose_model){ 0 };
    enum rc rc = st_open(&f, path, e);
    if (rc)
        return rc;
    rc = dose_model_from(m, &f, b, e);
    st_close(&f);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}
