/* Loom: `matrix` is genes x cells, names lie in row_attrs and col_attrs, further matrices of the
 * same shape in `layers`. */
#include <stdio.h>
#include <string.h>

#include "lib/io/layers.h"
#include "lib/io/sparse.h"

static enum rc read_main(hid_t at, const char *name, struct source *s, size_t *n_genes,
                         size_t *n_cells, struct err *e)
{
    struct h5_data d;
    if (h5_data_open_packed(at, name, &d, e))
        return e ? e->rc : RC_INPUT;
    *n_genes = (size_t)d.dim[0];
    *n_cells = (size_t)d.dim[1];
    enum rc rc = dense_matrix_read(&d, true, s, e);
    h5_data_close(&d);
    return rc;
}

/* The first of the names that is an attribute of one dimension. */
static enum rc read_names(hid_t attrs, const char *const *name, size_t n_names, size_t n,
                          struct arena *a, const char ***text, struct err *e)
{
    *text = NULL;
    for (size_t i = 0; !*text && i < n_names; i++) {
        struct h5_data d;
        size_t got;
        if (h5_kind_of(attrs, name[i], NULL) != H5_DATASET)
            continue;
        if (h5_data_open(attrs, name[i], &d, e))
            return e ? e->rc : RC_INPUT;
        enum rc rc = h5_data_want_1d(&d, n, e);
        if (!rc)
            rc = h5_read_texts(&d, a, text, &got, e);
        h5_data_close(&d);
        if (rc)
            return rc;
    }
    return RC_OK;
}

#define N_OF(a) (sizeof(a) / sizeof *(a))

static enum rc read_genes(hid_t file, size_t n, struct source *s, struct err *e)
{
    static const char *const id[] = { "Accession", "accession", "EnsemblID", "ensembl_id",
                                      "gene_ids",  "gene_id",   "GeneID",    "ID" };
    static const char *const name[] = { "Gene",      "gene",         "gene_names", "GeneName",
                                        "gene_name", "gene_symbols", "symbol",     "Symbol",
                                        "var_names", "index",        "Name" };
    hid_t rows;
    if (h5_group_open(file, "row_attrs", &rows, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = read_names(rows, id, N_OF(id), n, &s->text, &s->id, e);
    if (!rc)
        rc = read_names(rows, name, N_OF(name), n, &s->text, &s->name, e);
    H5Gclose(rows);
    if (!rc && !s->id && !s->name)
        return err_set(e, RC_INPUT, "'row_attrs' has no names of genes");
    if (!rc && !s->id) {
        s->id = s->name;
        s->name = NULL;
    }
    return rc ? err_wrap(e, "'row_attrs'") : RC_OK;
}

/* Files without names of cells exist: their cells are numbered. */
static enum rc number_cells(struct source *s, size_t n, struct err *e)
{
    char text[32];
    s->cell = arena_get(&s->text, (n + 1) * sizeof *s->cell);
    for (size_t i = 0; s->cell && i < n; i++) {
        snprintf(text, sizeof text, "cell%zu", i + 1);
        if (!(s->cell[i] = arena_text(&s->text, text)))
            s->cell = NULL;
    }
    return s->cell ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", n);
}

/* Column attributes of one dimension become columns of obs. */
static enum rc read_obs(hid_t cols, size_t n, struct source *s, struct err *e)
{
    const char **name;
    size_t n_names;
    enum rc rc = h5_list(cols, &s->text, &name, &n_names, e);
    table_init(&s->obs, n);
    for (size_t i = 0; !rc && i < n_names; i++) {
        struct h5_data d;
        if (h5_kind_of(cols, name[i], NULL) != H5_DATASET)
            continue;
        rc = h5_data_open(cols, name[i], &d, e);
        bool text = d.type == H5_TEXT;
        if (!rc && (d.n_dims != 1 || (!text && !h5_is_number(&d)))) {
            h5_data_close(&d);
            continue;
        }
        if (!rc)
            rc = h5_data_want_1d(&d, n, e);
        struct column *c = NULL;
        if (!rc && !(c = table_add(&s->obs, name[i],
                                   text                 ? COLUMN_TEXT
                                   : d.type == H5_FLOAT ? COLUMN_F64
                                                        : COLUMN_I64)))
            rc = err_set(e, RC_FAIL, "no memory for column '%s'", name[i]);
        size_t got;
        if (!rc)
            rc = text                 ? h5_read_texts(&d, &s->obs.text, &c->text, &got, e)
                 : d.type == H5_FLOAT ? h5_read_f64(&d, 0, n, c->f64, e)
                                      : h5_read_i64(&d, 0, n, c->i64, e);
        h5_data_close(&d);
    }
    return rc;
}

static enum rc read_cells(hid_t file, size_t n, struct source *s, struct err *e)
{
    static const char *const name[] = { "CellID",    "cell_id",  "cell_names", "cell_name",
                                        "obs_names", "barcodes", "barcode",    "Barcode",
                                        "index",     "cells" };
    hid_t cols;
    if (h5_group_open(file, "col_attrs", &cols, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = read_names(cols, name, N_OF(name), n, &s->text, &s->cell, e);
    if (!rc)
        rc = read_obs(cols, n, s, e);
    H5Gclose(cols);
    if (rc)
        return err_wrap(e, "'col_attrs'");
    return s->cell ? RC_OK : number_cells(s, n, e);
}

static enum rc find_counts(hid_t file, const char *layer, struct source *s, size_t *n_genes,
                           size_t *n_cells, struct err *e)
{
    struct err first = { 0 };
    const char **name;
    size_t n, rows = 0, cols = 0;
    hid_t group;
    enum rc rc = read_main(file, "matrix", s, n_genes, n_cells, e);
    snprintf(s->where, sizeof s->where, "matrix");
    if (rc || (layer && strcmp(layer, "matrix") == 0))
        return rc;
    if (!layer && counts_verdict(&s->check, &first) == RC_OK)
        return RC_OK;
    if (layers_list(file, &s->text, &name, &n, e))
        return e ? e->rc : RC_INPUT;
    bool found = false;
    for (size_t i = 0; !rc && !found && i < n; i++) {
        if (layer && strcmp(layer, name[i]) != 0)
            continue;
        rc = h5_group_open(file, "layers", &group, e);
        if (rc)
            return rc;
        rc = read_main(group, name[i], s, &rows, &cols, e);
        H5Gclose(group);
        if (!rc && (rows != *n_genes || cols != *n_cells))
            rc = err_set(e, RC_INPUT, "layer '%s' has another shape than 'matrix'", name[i]);
        found = !rc && (layer || !counts_bad(&s->check));
        snprintf(s->where, sizeof s->where, "layers/%.200s", name[i]);
    }
    if (!rc && !found)
        rc = layer
                 ? err_set(e, RC_INPUT, "there is no layer '%s'", layer)
                 : err_set(e, RC_INPUT, "no counts in 'matrix' or layers; matrix: %s", first.text);
    return rc;
}

enum rc loom_read(int64_t file, const char *layer, struct source *s, struct err *e)
{
    size_t n_genes = 0, n_cells = 0;
    enum rc rc = find_counts(file, layer, s, &n_genes, &n_cells, e);
    if (!rc)
        rc = read_genes(file, n_genes, s, e);
    return rc ? rc : read_cells(file, n_cells, s, e);
}
