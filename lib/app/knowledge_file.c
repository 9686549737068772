#include "lib/app/knowledge_file.h"

#include <stdlib.h>
#include <string.h>

#include "lib/io/safetensors.h"

const char *const knowledge_file_kind[N_KNOWLEDGE] = { "promoter", "coexpression", "family", "grn" };

static enum rc read_open(struct knowledge_file *k, struct st_file *f, uint32_t n_tokens,
                         struct err *e)
{
    const char *kind = st_meta(f, "kind");
    int which = 0;
    while (which < N_KNOWLEDGE && !(kind && strcmp(kind, knowledge_file_kind[which]) == 0))
        which++;
    if (which == N_KNOWLEDGE)
        return err_set(e, RC_INPUT, "its metadata 'kind' is '%s', not one of promoter, "
                       "coexpression, family, grn", kind ? kind : "missing");
    const struct st_tensor *v = st_find(f, "vectors"), *p = st_find(f, "present");
    if (!v || !p || v->n_dims != 2 || p->n_items != v->dim[0])
        return err_set(e, RC_INPUT, "it lacks 'vectors' [genes, width] or 'present' [genes]");
    if (v->dim[0] != n_tokens || !v->dim[1] || v->dim[1] > 1 << 16)
        return err_set(e, RC_INPUT, "it has %llu rows of %llu, the vocabulary has %u tokens",
                       (unsigned long long)v->dim[0], (unsigned long long)v->dim[1], n_tokens);
    k->kind = (enum knowledge)which;
    k->dim = (uint32_t)v->dim[1];
    k->file = f->map;
    f->map = (struct mapped){ 0 };
    const float *lies = st_floats(v);
    k->vectors = lies ? (float *)(uintptr_t)lies : malloc(v->n_items * sizeof *k->vectors);
    float *present = malloc(n_tokens * sizeof *present);
    enum rc rc = !k->vectors || !present ? err_set(e, RC_FAIL, "no memory for %u rows", n_tokens)
                 : lies                  ? RC_OK
                                         : st_get_f32(v, k->vectors, e);
    if (!rc)
        rc = st_get_f32(p, present, e);
    for (uint32_t i = 0; !rc && i < n_tokens; i++)
        k->n_present += present[i] > 0;
    free(present);
    return rc;
}

enum rc knowledge_file_read(struct knowledge_file *k, const char *path, uint32_t n_tokens,
                            struct err *e)
{
    struct st_file f;
    *k = (struct knowledge_file){ .path = path };
    if (st_open(&f, path, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = read_open(k, &f, n_tokens, e);
    if (rc) {
        err_wrap(e, "cannot use '%s'", path);
        knowledge_file_release(k);
    }
    st_close(&f);
    return rc;
}

void knowledge_file_release(struct knowledge_file *k)
{
    if (!mapped_holds(&k->file, k->vectors))
        free(k->vectors);
    mapped_close(&k->file);
    *k = (struct knowledge_file){ 0 };
}

enum rc knowledge_give(struct model *m, struct knowledge_file *k, size_t n, struct err *e)
{
    const struct model_config *c = &m->config;
    for (size_t i = 0; i < n; i++) {
        if (!c->use_knowledge[k[i].kind])
            continue;
        if (m->tables.knowledge[k[i].kind])
            return err_set(e, RC_USAGE, "two files of kind '%s' are given",
                           knowledge_file_kind[k[i].kind]);
        if (k[i].dim != c->knowledge_dim)
            return err_set(e, RC_INPUT, "'%s' is %u wide, the model takes %u", k[i].path, k[i].dim,
                           c->knowledge_dim);
        m->tables.knowledge[k[i].kind] = k[i].vectors;
        m->tables.file[k[i].kind] = k[i].file;
        k[i].vectors = NULL;
        k[i].file = (struct mapped){ 0 };
    }
    for (int i = 0; i < N_KNOWLEDGE; i++) {
        if (!c->use_knowledge[i] || m->tables.knowledge[i])
            continue;
        m->tables.knowledge[i] = calloc((size_t)c->n_tokens * c->knowledge_dim, sizeof(float));
        if (!m->tables.knowledge[i])
            return err_set(e, RC_FAIL, "no memory for %u rows of knowledge", c->n_tokens);
    }
    return RC_OK;
}

void homologs_give(struct model *m, const struct vocab *v)
{
    for (uint32_t i = 0; i < m->config.n_tokens && i < v->n; i++) {
        const struct vocab_entry *x = &v->entry[i];
        m->tables.homolog[i] =
            x->species == SPECIES_HUMAN && x->homolog >= 0 ? (uint32_t)x->homolog : i;
    }
}
