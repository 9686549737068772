#include "lib/io/knowledge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/safetensors.h"

enum rc knowledge_write(const char *path, const struct knowledge_table *k,
                        const struct knowledge_note *note, struct err *e)
{
    char dim[32], pairs[32];
    snprintf(dim, sizeof dim, "%zu", k->dim);
    snprintf(pairs, sizeof pairs, "%zu", note->n_pairs);
    const struct st_tensor t[] = {
        { .name = (char[]){ "vectors" },
          .type = ST_F32,
          .n_dims = 2,
          .dim = { k->n_tokens, k->dim },
          .data = k->vector },
        { .name = (char[]){ "present" },
          .type = ST_U8,
          .n_dims = 1,
          .dim = { k->n_tokens },
          .data = k->present },
    };
    const char *const meta[][2] = { { "kind", knowledge_kind_name(k->kind) },
                                    { "dim", dim },
                                    { "vocab", note->vocab_sha256 },
                                    { "pairs", pairs },
                                    { "method", note->method },
                                    { "model", note->model } };
    return st_write(path, t, sizeof t / sizeof *t, meta, *note->model ? 6 : 5, e);
}

const char *knowledge_gene_name(const struct vocab *v, size_t token)
{
    const struct vocab_entry *x = &v->entry[token];
    return x->name && *x->name && strcmp(x->name, "-") != 0 ? x->name : x->id;
}

enum rc knowledge_write_text(const char *path, const struct knowledge_table *k,
                             const struct vocab *v, struct err *e)
{
    struct outfile o;
    enum rc rc = outfile_open(&o, path, e);
    if (rc)
        return rc;
    for (size_t t = 0; t < k->n_tokens; t++) {
        if (!k->present[t])
            continue;
        fprintf(o.f, "%s\t", knowledge_gene_name(v, t));
        for (size_t i = 0; i < k->dim; i++)
            fprintf(o.f, "%s%.9g", i ? " " : "", (double)k->vector[t * k->dim + i]);
        fputc('\n', o.f);
    }
    return outfile_commit(&o, e);
}

enum rc pairs_write_text(const char *path, const struct pairs *p, const struct vocab *v,
                         struct err *e)
{
    struct outfile o;
    enum rc rc = outfile_open(&o, path, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < p->n; i++)
        fprintf(o.f, "%s\t%s\n", knowledge_gene_name(v, p->at[i].a),
                knowledge_gene_name(v, p->at[i].b));
    return outfile_commit(&o, e);
}

static enum rc take(const struct st_file *f, const struct vocab *v, struct knowledge_table *k,
                    struct err *e)
{
    const struct st_tensor *x = st_find(f, "vectors"), *p = st_find(f, "present");
    const char *kind = st_meta(f, "kind");
    int is = KNOWLEDGE_PROMOTER;
    while (kind && is <= KNOWLEDGE_GRN &&
           strcmp(kind, knowledge_kind_name((enum knowledge_kind)is)) != 0)
        is++;
    if (!kind || is > KNOWLEDGE_GRN)
        return err_set(e, RC_INPUT, "its metadata name no kind of knowledge");
    if (!x || x->type != ST_F32 || x->n_dims != 2)
        return err_set(e, RC_INPUT, "no table 'vectors' of F32");
    if (!p || p->type != ST_U8 || p->n_dims != 1 || p->dim[0] != x->dim[0])
        return err_set(e, RC_INPUT, "'present' does not have a byte for each row of 'vectors'");
    if (v && v->n != x->dim[0])
        return err_set(e, RC_INPUT, "%llu rows for a vocabulary of %zu tokens",
                       (unsigned long long)x->dim[0], v->n);
    enum rc rc =
        knowledge_table_alloc(k, (enum knowledge_kind)is, (size_t)x->dim[0], (size_t)x->dim[1], e);
    if (!rc)
        rc = st_get_f32(x, k->vector, e);
    if (rc)
        return rc;
    memcpy(k->present, p->data, k->n_tokens);
    for (size_t t = 0; t < k->n_tokens; t++) {
        if (k->present[t] > 1)
            return err_set(e, RC_INPUT, "row %zu: present is %d", t, k->present[t]);
        for (size_t i = 0; i < k->dim; i++)
            if (!isfinite(k->vector[t * k->dim + i]))
                return err_set(e, RC_INPUT, "row %zu, number %zu is not finite", t, i);
    }
    return RC_OK;
}

enum rc knowledge_read(const char *path, const struct vocab *v, struct knowledge_table *k,
                       struct err *e)
{
    struct st_file f;
    *k = (struct knowledge_table){ 0 };
    enum rc rc = st_open(&f, path, e);
    if (rc)
        return rc;
    rc = take(&f, v, k, e);
    if (rc) {
        err_wrap(e, "'%s'", path);
        knowledge_table_release(k);
    }
    st_close(&f);
    return rc;
}
