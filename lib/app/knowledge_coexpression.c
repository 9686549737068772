/* coexpression: genes that correlate in a matrix of cells. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/knowledge_source.h"
#include "lib/base/log.h"
#include "lib/io/h5ad.h"

static const struct column *text_column(const struct cells *c, const char *name)
{
    const struct column *x = table_find(&c->obs, name);
    return x && x->kind == COLUMN_TEXT ? x : NULL;
}

/* The one species of a matrix. */
static enum rc species_of(const struct cells *c, enum species *sp, struct err *e)
{
    const struct column *x = text_column(c, "species");
    *sp = SPECIES_UNKNOWN;
    for (size_t r = 0; r < c->obs.n_rows; r++) {
        const enum species now = x && x->text[r] ? species_parse(x->text[r]) : SPECIES_UNKNOWN;
        if (now == SPECIES_UNKNOWN || (r && now != *sp))
            return err_set(e, RC_INPUT, "cell %zu: its species is %s", r,
                           now == SPECIES_UNKNOWN ? "not told" : "another than that of the first");
        *sp = now;
    }
    return RC_OK;
}

/* The token of a gene in cells of a species: there, a mouse gene may carry its homolog's human id.
 */
static int32_t cell_token(const struct knowledge_source *s, enum species sp, const char *id)
{
    const int32_t t = vocab_token(s->v, id);
    if (t < 0 || s->v->entry[t].species == sp)
        return t;
    return s->v->entry[t].homolog;
}

/* Keeps the drawn cells; stream: a key of the matrix, from its cells. */
static enum rc draw_cells(const struct cells *c, const struct coexpression_options *o,
                          struct csr *out, uint64_t *stream, struct err *e)
{
    const struct column *id = table_find(&c->obs, "cell_id");
    if (!id || id->kind != COLUMN_I64)
        return err_set(e, RC_INPUT, "no whole numbers 'cell_id' in obs");
    unsigned char *keep = calloc(c->obs.n_rows + 1, 1);
    if (!keep)
        return err_set(e, RC_FAIL, "no memory for %zu cells", c->obs.n_rows);
    enum rc rc =
        sample_rows((const uint64_t *)id->i64, c->obs.n_rows, (size_t)o->cells, o->seed, keep, e);
    if (!rc)
        rc = csr_select(&c->count, keep, NULL, c->count.n_cols, out, e);
    *stream = 0;
    for (size_t r = 0; r < c->obs.n_rows; r++)
        *stream ^= (uint64_t)id->i64[r] >> 32;
    free(keep);
    return rc;
}

struct matrix_result {
    struct pearson_counts real, chance;
    size_t n_pairs, n_lost; /* of two genes of the vocabulary; of others */
    json_t *unknown;        /* genes of the latter, in order of the matrix; owned */
};

/* The genes without a token that stand in pairs that passed. */
static enum rc list_unknown(const struct knowledge_source *s, const struct cells *c,
                            enum species sp, const struct pairs *p, struct matrix_result *m,
                            struct err *e)
{
    unsigned char *in_pair = calloc(c->count.n_cols + 1, 1);
    m->unknown = json_array();
    if (!in_pair || !m->unknown) {
        free(in_pair);
        return err_set(e, RC_FAIL, "no memory for %zu genes", (size_t)c->count.n_cols);
    }
    for (size_t i = 0; i < p->n; i++)
        in_pair[p->at[i].a] = in_pair[p->at[i].b] = 1;
    for (size_t g = 0; g < c->count.n_cols; g++)
        if (in_pair[g] && cell_token(s, sp, c->gene[g]) < 0)
            json_array_append_new(m->unknown, json_string(c->gene[g]));
    free(in_pair);
    return RC_OK;
}

static enum rc correlate(struct knowledge_source *s, const struct cells *c, const struct csr *count,
                         enum species sp, const struct pearson_options *given,
                         struct matrix_result *m, struct err *e)
{
    struct pearson_options o = *given;
    struct pairs p = { 0 };
    const size_t before = s->pairs.n;
    enum rc rc = pearson_pairs(count, &o, &p, &m->real, e);
    o.shuffled = 1;
    if (!rc)
        rc = pearson_pairs(count, &o, NULL, &m->chance, e);
    for (size_t i = 0; !rc && i < p.n; i++) {
        const int32_t a = cell_token(s, sp, c->gene[p.at[i].a]),
                      b = cell_token(s, sp, c->gene[p.at[i].b]);
        if (a >= 0 && b >= 0)
            rc = pairs_add(&s->pairs, (uint32_t)a, (uint32_t)b, e);
    }
    m->n_pairs = s->pairs.n - before;
    m->n_lost = p.n - m->n_pairs;
    if (!rc)
        rc = list_unknown(s, c, sp, &p, m, e);
    pairs_release(&p);
    return rc;
}

/* What other thresholds would give, beside chance. */
static json_t *thresholds(const struct pearson_options *o, const struct matrix_result *m)
{
    json_t *list = json_array();
    for (size_t i = 0; i < o->n_also; i++)
        json_array_append_new(list, json_pack("{s:f, s:I, s:I}", "above", o->also[i], "pairs",
                                              (json_int_t)m->real.also[i], "null",
                                              (json_int_t)m->chance.also[i]));
    return list;
}

static void tell_matrix(struct knowledge_source *s, const char *path, const struct cells *c,
                        enum species sp, size_t n_drawn, const struct pearson_options *o,
                        const struct matrix_result *m)
{
    const struct column *sample = text_column(c, "sample");
    const char *name = c->obs.n_rows && sample && sample->text[0] ? sample->text[0] : "";
    log_say("%s: %llu pairs above %g, %llu after a shuffle", path,
            (unsigned long long)m->real.above, o->above, (unsigned long long)m->chance.above);
    json_array_append_new(
        s->list,
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O, s:o}", "sample", name,
                  "species", species_name(sp), "cells", (json_int_t)c->obs.n_rows, "cells_drawn",
                  (json_int_t)n_drawn, "genes", (json_int_t)m->real.genes, "pairs_defined",
                  (json_int_t)m->real.defined, "pairs_above", (json_int_t)m->real.above,
                  "null_above", (json_int_t)m->chance.above, "pairs", (json_int_t)m->n_pairs,
                  "pairs_of_unknown_genes", (json_int_t)m->n_lost, "unknown", m->unknown,
                  "thresholds", thresholds(o, m)));
}

enum rc knowledge_add_matrix(struct knowledge_source *s, const char *path,
                             const struct coexpression_options *o, struct err *e)
{
    struct cells c;
    struct csr drawn = { 0 };
    struct matrix_result m = { 0 };
    struct pearson_options p = o->pearson;
    enum species sp = SPECIES_UNKNOWN;
    enum rc rc = h5ad_read(path, &c, e);
    if (rc)
        return rc;
    p.seed = o->seed;
    for (p.n_also = 0; p.n_also < 3; p.n_also++)
        p.also[p.n_also] = (const double[]){ 0.7, 0.8, 0.9 }[p.n_also];
    rc = species_of(&c, &sp, e);
    if (!rc)
        rc = draw_cells(&c, o, &drawn, &p.stream, e);
    if (!rc)
        rc = correlate(s, &c, &drawn, sp, &p, &m, e);
    if (!rc)
        tell_matrix(s, path, &c, sp, drawn.n_rows, &p, &m);
    else
        err_wrap(e, "'%s'", path);
    json_decref(m.unknown);
    csr_release(&drawn);
    cells_release(&c);
    return rc;
}
