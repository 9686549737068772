#include "lib/io/h5ad.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/h5ad_read.h"
#include "lib/io/h5frame.h"
#include "lib/io/sparse.h"

static enum rc read_parts(hid_t x, size_t n_rows, size_t n_cols, struct csr *c, struct err *e)
{
    struct counts_check check;
    enum rc rc = sparse_read(x, n_rows, n_cols, false, c, &check, e);
    if (!rc && counts_bad(&check))
        rc = counts_refuse(&check, e);
    return rc ? rc : csr_check(c, e);
}

static enum rc read_counts(hid_t file, struct cells *c, struct err *e)
{
    hid_t x;
    int64_t shape[2];
    size_t n = 0;
    if (h5_kind_of(file, "X", NULL) == H5_ABSENT)
        return RC_OK; /* a file of embeddings */
    if (h5_group_open(file, "X", &x, e))
        return err_wrap(e, "X is not in rows (CSR)");
    h5_attr_i64(x, "shape", shape, 2, &n);
    enum rc rc = RC_OK;
    if (n != 2 || shape[0] < 0 || shape[1] < 0)
        rc = err_set(e, RC_INPUT, "there is no shape");
    else if ((uint64_t)shape[0] != c->obs.n_rows || (uint64_t)shape[1] != c->var.n_rows)
        rc = err_set(e, RC_INPUT, "is %lld x %lld, but obs has %zu rows and var %zu",
                     (long long)shape[0], (long long)shape[1], c->obs.n_rows, c->var.n_rows);
    struct arena a;
    arena_init(&a, 256);
    const char *kind = NULL;
    if (!rc)
        rc = h5_attr_text(x, "encoding-type", &a, &kind, e);
    if (!rc && (!kind || strcmp(kind, "csr_matrix") != 0))
        rc = err_set(e, RC_INPUT, "is not in rows (csr_matrix); import makes it so");
    arena_release(&a);
    if (!rc)
        rc = read_parts(x, c->obs.n_rows, c->var.n_rows, &c->count, e);
    H5Gclose(x);
    return rc ? err_wrap(e, "X") : RC_OK;
}

enum rc h5ad_read_from(hid_t file, struct cells *c, struct err *e)
{
    struct h5frame obs, var;
    cells_init(c);
    enum rc rc = h5frame_read(file, "obs", &obs, e);
    if (!rc) {
        c->obs = obs.table;
        c->cell = calloc(obs.table.n_rows + 1, sizeof *c->cell);
        rc = h5frame_read(file, "var", &var, e);
    }
    if (!rc) {
        c->var = var.table;
        c->gene = calloc(var.table.n_rows + 1, sizeof *c->gene);
        if (!c->cell || !c->gene)
            rc = err_set(e, RC_FAIL, "no memory for names");
    }
    for (size_t i = 0; !rc && i < c->obs.n_rows; i++)
        c->cell[i] = obs.index[i];
    for (size_t i = 0; !rc && i < c->var.n_rows; i++)
        c->gene[i] = var.index[i];
    if (!rc)
        rc = read_counts(file, c, e);
    if (rc)
        cells_release(c);
    return rc;
}

enum rc h5ad_read(const char *path, struct cells *c, struct err *e)
{
    hid_t file;
    cells_init(c);
    if (h5_open(path, &file, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = h5ad_read_from(file, c, e);
    H5Fclose(file);
    return rc ? err_wrap(e, "cannot read '%s'", path) : RC_OK;
}

static enum rc read_matrix(hid_t group, const char *name, float **data, size_t *n_rows,
                           size_t *n_cols, struct err *e)
{
    struct h5_data d;
    if (h5_data_open(group, name, &d, e))
        return RC_INPUT;
    enum rc rc = RC_OK;
    if (d.n_dims != 2)
        rc = err_set(e, RC_INPUT, "'%s' has %d dimensions, not two", name, d.n_dims);
    else if (!h5_is_number(&d))
        rc = err_set(e, RC_INPUT, "'%s' are %s, not numbers", name, h5_type_name(d.type));
    else if (!(*data = malloc(((size_t)d.n_items + 1) * sizeof **data)))
        rc = err_set(e, RC_FAIL, "no memory for '%s'", name);
    if (!rc)
        rc = h5_read_rows(&d, 0, d.dim[0], H5T_NATIVE_FLOAT, *data, e);
    *n_rows = (size_t)d.dim[0];
    *n_cols = (size_t)d.dim[1];
    h5_data_close(&d);
    return rc;
}

static enum rc read_matrix_of(const char *path, const char *of, const char *name, float **data,
                              size_t *n_rows, size_t *n_cols, struct err *e)
{
    hid_t file, group;
    *data = NULL;
    if (h5_open(path, &file, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = h5_group_open(file, of, &group, e);
    if (!rc) {
        rc = read_matrix(group, name, data, n_rows, n_cols, e);
        H5Gclose(group);
    }
    H5Fclose(file);
    if (!rc)
        return RC_OK;
    free(*data);
    *data = NULL;
    return err_wrap(e, "cannot read '%s': %s", path, of);
}

enum rc h5ad_read_obsm(const char *path, const char *name, float **data, size_t *n_rows,
                       size_t *n_cols, struct err *e)
{
    return read_matrix_of(path, "obsm", name, data, n_rows, n_cols, e);
}

enum rc h5ad_read_varm(const char *path, const char *name, float **data, size_t *n_rows,
                       size_t *n_cols, struct err *e)
{
    return read_matrix_of(path, "varm", name, data, n_rows, n_cols, e);
}

static enum rc read_text(hid_t group, const char *key, char *text, size_t size, struct err *e)
{
    struct h5_data d;
    struct arena a;
    const char **all = NULL;
    size_t n = 0;
    enum rc rc = h5_data_open(group, key, &d, e);
    if (rc)
        return rc;
    arena_init(&a, 256);
    rc = h5_read_texts(&d, &a, &all, &n, e);
    if (!rc && (n != 1 || !all[0] || strlen(all[0]) >= size))
        rc = err_set(e, RC_INPUT, "'%s' is not one text of at most %zu letters", key, size - 1);
    if (!rc)
        strcpy(text, all[0]);
    arena_release(&a);
    h5_data_close(&d);
    return rc;
}

enum rc h5ad_read_uns(const char *path, const char *key, char *text, size_t size, struct err *e)
{
    hid_t file, group;
    *text = '\0';
    enum rc rc = h5_open(path, &file, e);
    if (rc)
        return rc;
    if (h5_kind_of(file, "uns", NULL) != H5_ABSENT &&
        !(rc = h5_group_open(file, "uns", &group, e))) {
        if (h5_kind_of(group, key, NULL) != H5_ABSENT)
            rc = read_text(group, key, text, size, e);
        H5Gclose(group);
    }
    H5Fclose(file);
    return rc ? err_wrap(e, "cannot read '%s': uns", path) : RC_OK;
}
