#include "lib/app/profile_drug_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/profile_drug_training.h"
#include "lib/app/tensor_file.h"
#include "lib/io/number.h"

static const char format_name[] = "genecompass profile-drug 1";

/* ---- saving ---- */

enum rc profile_model_save(const struct profile_training *t, const char *path, struct err *e)
{
    const struct profile_inputs *in = t->in;
    struct tensor_saving saving = { 0 };
    double trained[PROFILE_CELLS * PROFILE_DOSES] = { 0 };
    char heads[24];
    for (size_t i = 0; i < t->n_train; i++) {
        const struct signature *s = &in->of[t->train[i]];
        trained[s->cell * PROFILE_DOSES + s->dose]++;
    }
    tensors_put_params(&saving, &t->m.params);
    tensors_put_texts(&saving, "data.genes", in->gene.at, in->gene.n);
    tensors_put_texts(&saving, "data.cells", profile_cell, PROFILE_CELLS);
    tensors_put_texts(&saving, "data.doses", profile_dose, PROFILE_DOSES);
    tensors_put(&saving, "data.trained", ST_F64, 2, PROFILE_CELLS, PROFILE_DOSES, trained);
    tensors_put(&saving, "data.gene_vectors", ST_F64, 2, in->gene.n, in->gene_vector.d,
                in->gene_vector.x);
    if (t->embedding.n)
        tensors_put(&saving, "data.vectors", ST_F64, 2, t->embedding.n, t->embedding.d,
                    t->embedding.x);
    snprintf(heads, sizeof heads, "%zu", t->m.config.heads);
    const char *const meta[][2] = { { "format", format_name }, { "heads", heads } };
    return tensors_write(&saving, path, meta, 2, e);
}

/* ---- loading ---- */

void profile_model_release(struct profile_model *m)
{
    deepce_release(&m->m);
    free(m->gene);
    free(m->cell);
    free(m->dose);
    mat_release(&m->gene_vector);
    mat_release(&m->vectors);
    mat_release(&m->trained);
    arena_release(&m->text);
    *m = (struct profile_model){ 0 };
}

static enum rc take_data(struct profile_model *m, const struct st_file *f, struct err *e)
{
    enum rc rc = tensors_take_texts(f, "data.genes", &m->text, &m->gene, &m->n_genes, e);
    if (!rc)
        rc = tensors_take_texts(f, "data.cells", &m->text, &m->cell, &m->n_cells, e);
    if (!rc)
        rc = tensors_take_texts(f, "data.doses", &m->text, &m->dose, &m->n_doses, e);
    if (!rc)
        rc = tensors_take(f, "data.trained", m->n_cells, m->n_doses, &m->trained, e);
    if (!rc)
        rc = tensors_take(f, "data.gene_vectors", m->n_genes, SIZE_MAX, &m->gene_vector, e);
    if (!rc && st_find(f, "data.vectors"))
        rc = tensors_take(f, "data.vectors", m->n_genes, SIZE_MAX, &m->vectors, e);
    bool any = false;
    for (size_t k = 0; !rc && k < m->n_cells * m->n_doses; k++)
        any = any || m->trained.x[k] > 0;
    return !rc && !any ? err_set(e, RC_INPUT, "no cell line and dose was trained on") : rc;
}

/* Rows of a matrix in the file, and how wide it is; 0: none. */
static size_t rows_of(const struct st_file *f, const char *name, size_t *cols)
{
    const struct st_tensor *t = st_find(f, name);
    *cols = t && t->n_dims == 2 ? (size_t)t->dim[1] : 0;
    return t && t->n_dims == 2 ? (size_t)t->dim[0] : 0;
}

/* Layers whose matrix is in the file, at most `most`; prefix.N.suffix. */
static size_t layers_of(const struct st_file *f, const char *prefix, const char *suffix,
                        size_t most, size_t *rows)
{
    size_t n = 0, cols;
    for (; n < most; n++) {
        char name[96];
        snprintf(name, sizeof name, "%s.%zu.%s", prefix, n, suffix);
        const size_t r = rows_of(f, name, &cols);
        if (!r)
            break;
        rows[n] = r;
    }
    return n;
}

/* Sizes that the file claims; whether they fit together others tell. */
static enum rc configure(const struct profile_model *m, const struct st_file *f,
                         struct deepce_config *c, struct err *e)
{
    size_t cols, inner[DEEPCE_MAX_LAYERS] = { 0 };
    const char *heads = st_meta(f, "heads");
    double n_heads;
    if (!heads || !number_parse(heads, &n_heads) || !(n_heads >= 1 && n_heads <= 4096))
        return err_set(e, RC_INPUT, "is no model of profile-drug train");
    *c = (struct deepce_config){ .n_genes = m->n_genes,
                                 .d_gene = m->gene_vector.d,
                                 .heads = (size_t)n_heads,
                                 .n_cells = m->n_cells,
                                 .n_doses = m->n_doses,
                                 .d_embedding = m->vectors.d };
    c->d = rows_of(f, "gene_embed.weight", &cols);
    c->d_hidden = rows_of(f, "linear_1.weight", &cols);
    c->d_cell = rows_of(f, "cell_id_embed.weight", &cols);
    c->d_dose = rows_of(f, "pert_idose_embed.weight", &cols);
    c->d_projected = rows_of(f, "emb_proj.weight", &cols);
    c->layers = layers_of(f, "drug_gene_attn.layers", "positionwise_feedforward.fc_1.weight",
                          DEEPCE_MAX_LAYERS, inner);
    c->inner = inner[0];
    c->n_conv = layers_of(f, "drug_fp.conv_layers", "linear.weight", DEEPCE_MAX_CONV, c->conv);
    return RC_OK;
}

/* The matrices that the others grow with have these shapes, so that no more is allocated than a
 * few times the file. */
static enum rc check_shapes(const struct st_file *f, const struct deepce_config *c, struct err *e)
{
    const struct {
        const char *name;
        size_t rows, cols;
    } want[] = { { "gene_embed.weight", c->d, c->d_gene },
                 { "linear_1.weight", c->d_hidden,
                   2 * c->d + c->d_projected + c->d_cell + c->d_dose },
                 { "cell_id_embed.weight", c->d_cell, c->n_cells },
                 { "pert_idose_embed.weight", c->d_dose, c->n_doses },
                 { "drug_gene_attn.fc_out.weight", c->d, c->d },
                 { "drug_gene_attn.layers.0.positionwise_feedforward.fc_1.weight", c->inner, c->d },
                 { "emb_proj.weight", c->d_projected, c->d_embedding } };
    size_t cols;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (rows_of(f, want[i].name, &cols) != want[i].rows || cols != want[i].cols)
            return err_set(e, RC_INPUT, "tensor '%s' is missing, or has another shape",
                           want[i].name);
    for (size_t l = 0, in = DEEPCE_ATOM; l < c->n_conv; l++) {
        char name[96];
        snprintf(name, sizeof name, "drug_fp.conv_layers.%zu.linear.weight", l);
        if (rows_of(f, name, &cols) != c->conv[l] || cols != in)
            return err_set(e, RC_INPUT, "tensor '%s' has another shape", name);
        in = c->conv[l];
    }
    return RC_OK;
}

enum rc profile_model_from(struct profile_model *m, const struct st_file *f,
                           const struct backend *b, struct err *e)
{
    const char *format = st_meta(f, "format");
    struct deepce_config c;
    *m = (struct profile_model){ 0 };
    arena_init(&m->text, 1 << 12);
    enum rc rc = format && strcmp(format, format_name) == 0
                     ? take_data(m, f, e)
                     : err_set(e, RC_INPUT, "is no model of profile-drug train");
    if (!rc)
        rc = configure(m, f, &c, e);
    if (!rc)
        rc = check_shapes(f, &c, e);
    if (!rc)
        rc = deepce_init(&m->m, &c, b, false, e);
    if (!rc)
        rc = tensors_take_params(&m->m.params, f, e);
    if (rc)
        profile_model_release(m);
    return rc;
}

enum rc profile_model_load(struct profile_model *m, const char *path, const struct backend *b,
                           struct err *e)
{
    struct st_file f;
    *m = (struct profile_model){ 0 };
    enum rc rc = st_open(&f, path, e);
    if (rc)
        return rc;
    rc = profile_model_from(m, &f, b, e);
    st_close(&f);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}
