/* AnnData files of others: every generation, counts in X, raw or a layer.
 *
 * Without --layer the first of X, raw/X and the layers (layers.h) whose values are counts is
 * taken. A matrix that is broken is refused even when another one is good: the file is damaged.
 * Generations: raw and layers are groups since 0.7; before, raw lay in `raw.X` and `raw.var`. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/io/genes.h"
#include "lib/io/h5frame.h"
#include "lib/io/layers.h"
#include "lib/io/sparse.h"

/* The matrix at group/name of cells x the features of frame var. */
struct candidate {
    hid_t group;
    const char *name;
    const struct h5frame *var;
    char where[256];
};

struct h5_source {
    hid_t file, raw; /* raw < 0: none */
    struct h5frame obs, var, raw_var;
    bool has_raw;
    const char *raw_x; /* "X" in group raw, "raw.X" in the file */
};

static enum rc open_raw(struct h5_source *h, struct err *e)
{
    h->raw = -1;
    h->raw_x = "X";
    if (h5_kind_of(h->file, "raw.X", NULL) != H5_ABSENT) {
        h->raw_x = "raw.X";
        h->has_raw = true;
        return h5frame_read(h->file, "raw.var", &h->raw_var, e);
    }
    if (h5_kind_of(h->file, "raw", NULL) != H5_GROUP)
        return RC_OK;
    if (h5_group_open(h->file, "raw", &h->raw, e))
        return e ? e->rc : RC_INPUT;
    if (h5_kind_of(h->raw, "X", NULL) == H5_ABSENT)
        return RC_OK;
    h->has_raw = true;
    return h5frame_read(h->raw, "var", &h->raw_var, e) ? err_wrap(e, "'raw'") : RC_OK;
}

static enum rc try_one(const struct h5_source *h, const struct candidate *c, struct source *s,
                       struct err *e)
{
    s->check = (struct counts_check){ 0 };
    enum rc rc = anndata_matrix_read(c->group, c->name, h->obs.table.n_rows, c->var->table.n_rows, s,
                                     e);
    return rc ? err_wrap(e, "'%s'", c->where) : RC_OK;
}

/* Texts of a column of var into the source, NULL (and no error) when there is none. */
static const char **var_column(const struct h5frame *var, const char *const *names, size_t n_names,
                               struct arena *a)
{
    for (size_t i = 0; i < n_names; i++) {
        const struct column *c = NULL;
        for (size_t j = 0; !c && j < var->table.n_cols; j++)
            if (strcasecmp(var->table.col[j].name, names[i]) == 0)
                c = &var->table.col[j];
        if (!c || c->kind != COLUMN_TEXT)
            continue;
        const char **to = arena_get(a, (var->table.n_rows + 1) * sizeof *to);
        for (size_t r = 0; to && r < var->table.n_rows; r++)
            if (!(to[r] = arena_text(a, c->text[r] ? c->text[r] : "")))
                return NULL;
        return to;
    }
    return NULL;
}

/* A column of var, whatever its name, that holds Ensembl ids for most genes. */
static const char **ensembl_column(const struct h5frame *var, struct arena *a)
{
    for (size_t j = 0; j < var->table.n_cols; j++) {
        const struct column *c = &var->table.col[j];
        if (c->kind == COLUMN_TEXT && genes_ensembl_share(c->text, var->table.n_rows) > 0.5)
            return var_column(var, (const char *const *)&c->name, 1, a);
    }
    return NULL;
}

#define N_OF(a) (sizeof(a) / sizeof *(a))

static enum rc take_features(const struct h5frame *var, struct source *s, struct err *e)
{
    static const char *const id[] = { "gene_ids",   "gene_id",         "ensembl_id", "ensembl",
                                      "feature_id", "ensembl_gene_id", "ensemblid" };
    static const char *const name[] = {
        "gene_symbols", "feature_name",    "gene_symbol", "gene_name", "gene_names", "symbol",
        "symbols",      "gene_short_name", "hgnc_symbol", "name",      "gene",       "genes"
    };
    static const char *const type[] = { "feature_types", "feature_type" };
    size_t n = var->table.n_rows;
    const char **index = arena_get(&s->text, (n + 1) * sizeof *index);
    for (size_t i = 0; index && i < n; i++)
        if (!(index[i] = arena_text(&s->text, var->index[i])))
            index = NULL;
    if (!index)
        return err_set(e, RC_FAIL, "no memory for %zu genes", n);
    s->type = var_column(var, type, N_OF(type), &s->text);
    s->id = index;
    if (genes_ensembl_share(index, n) > 0.5) {
        s->name = var_column(var, name, N_OF(name), &s->text);
        return RC_OK;
    }
    const char **ids = ensembl_column(var, &s->text);
    if (!ids)
        ids = var_column(var, id, N_OF(id), &s->text);
    if (ids) {
        s->id = ids;
        s->name = index;
    } else {
        s->name = NULL; /* the index is all there is */
    }
    return RC_OK;
}

/* Moves obs into the source. */
static void take_cells(struct h5_source *h, struct source *s)
{
    s->cell = h->obs.index;
    s->n_columns_left_out = h->obs.n_left_out;
    s->obs = h->obs.table; /* its arena owns the barcodes */
    h->obs = (struct h5frame){ 0 };
}

static enum rc try_layers(struct h5_source *h, const char *layer, struct source *s, bool *found,
                          struct candidate *c, struct err *e)
{
    const char **name;
    size_t n;
    hid_t group;
    if (layers_list(h->file, &s->text, &name, &n, e))
        return e ? e->rc : RC_INPUT;
    if (n == 0 || h5_group_open(h->file, "layers", &group, e))
        return RC_OK;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && !*found && i < n; i++) {
        if (layer && strcmp(layer, name[i]) != 0)
            continue;
        *c = (struct candidate){ group, name[i], &h->var, "" };
        snprintf(c->where, sizeof c->where, "layers/%.200s", name[i]);
        rc = try_one(h, c, s, e);
        *found = !rc && (layer || !counts_bad(&s->check));
    }
    H5Gclose(group);
    return rc;
}

static enum rc find_counts(struct h5_source *h, const char *layer, struct source *s, struct err *e)
{
    struct candidate c = { h->file, "X", &h->var, "X" };
    struct err first = { 0 };
    bool found = false;
    enum rc rc = RC_OK;
    if (h5_kind_of(h->file, "X", NULL) != H5_ABSENT && (!layer || strcmp(layer, "X") == 0)) {
        rc = try_one(h, &c, s, e);
        found = !rc && (layer || counts_verdict(&s->check, &first) == RC_OK);
    }
    if (!rc && !found && h->has_raw && (!layer || strcmp(layer, "raw") == 0)) {
        c = (struct candidate){ h->raw >= 0 ? h->raw : h->file, h->raw_x, &h->raw_var, "raw/X" };
        rc = try_one(h, &c, s, e);
        found = !rc && (layer || !counts_bad(&s->check));
    }
    if (!rc && !found)
        rc = try_layers(h, layer, s, &found, &c, e);
    if (rc)
        return rc;
    if (!found && layer)
        return err_set(e, RC_INPUT, "there is no layer '%s'", layer);
    if (!found && !*first.text)
        return err_set(e, RC_INPUT, "there is no X, and no counts in raw or layers");
    if (!found)
        return err_set(e, RC_INPUT, "no counts in X, raw or layers; X: %s", first.text);
    snprintf(s->where, sizeof s->where, "%s", c.where);
    return take_features(c.var, s, e);
}

enum rc anndata_read(int64_t file, const char *layer, struct source *s, struct err *e)
{
    struct h5_source h = { .file = file, .raw = -1 };
    enum rc rc = h5frame_read(file, "obs", &h.obs, e);
    if (!rc)
        rc = h5frame_read(file, "var", &h.var, e);
    if (!rc)
        rc = open_raw(&h, e);
    if (!rc)
        rc = find_counts(&h, layer, s, e);
    if (!rc)
        take_cells(&h, s);
    h5frame_release(&h.obs);
    h5frame_release(&h.var);
    h5frame_release(&h.raw_var);
    if (h.raw >= 0)
        H5Gclose(h.raw);
    return rc;
}
