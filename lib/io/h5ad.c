#include "lib/io/h5ad.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/h5ad_read.h"
#include "lib/io/h5frame.h"

/* ---- writing ---- */

static enum rc put_array(hid_t at, const char *name, hid_t file_type, hid_t mem_type, uint64_t n,
                         const void *v, struct err *e)
{
    return h5_put_data(at, name, file_type, mem_type, 1, &n, v, NULL, e);
}

static enum rc check_counts(const struct csr *c, struct err *e)
{
    if (c->n_cols > INT32_MAX)
        return err_set(e, RC_INPUT, "%zu genes are too many for 32-bit columns", c->n_cols);
    for (size_t r = 0; r < c->n_rows; r++)
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++)
            if (c->value[k] > INT32_MAX)
                return err_set(e, RC_INPUT,
                               "row %zu, column %u: the count %u does not fit in 31 bits", r,
                               c->index[k], c->value[k]);
    return RC_OK;
}

static enum rc write_counts(hid_t file, const struct csr *c, struct err *e)
{
    hid_t x;
    uint64_t nnz = csr_nnz(c);
    const int64_t shape[2] = { (int64_t)c->n_rows, (int64_t)c->n_cols };
    if (check_counts(c, e))
        return RC_INPUT;
    if (h5_new_group(file, "X", &x, e))
        return RC_FAIL;
    enum rc rc = h5_put_encoding(x, "csr_matrix", "0.1.0", e);
    if (!rc)
        rc = h5_put_attr_i64(x, "shape", shape, 2, e);
    if (!rc)
        rc = put_array(x, "data", H5T_STD_I32LE, H5T_NATIVE_UINT32, nnz, c->value, e);
    if (!rc)
        rc = put_array(x, "indices", H5T_STD_I32LE, H5T_NATIVE_UINT32, nnz, c->index, e);
    if (!rc)
        rc = put_array(x, "indptr", H5T_STD_I64LE, H5T_NATIVE_UINT64, c->n_rows + 1, c->indptr, e);
    H5Gclose(x);
    return rc ? err_wrap(e, "X") : RC_OK;
}

/* obsm, varm and the groups that stay empty. */
static enum rc write_matrices(hid_t file, const char *name, const struct h5ad_matrix *m, size_t n,
                              size_t n_rows, struct err *e)
{
    hid_t group;
    if (h5_new_group(file, name, &group, e))
        return RC_FAIL;
    enum rc rc = h5_put_encoding(group, "dict", "0.1.0", e);
    for (size_t i = 0; !rc && i < n; i++) {
        hid_t id;
        const uint64_t dim[2] = { m[i].n_rows, m[i].n_cols };
        if (m[i].n_rows != n_rows)
            rc = err_set(e, RC_INPUT, "'%s/%s' has %zu rows, not %zu", name, m[i].name, m[i].n_rows,
                         n_rows);
        else
            rc = h5_put_data(group, m[i].name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, dim, m[i].data,
                             &id, e);
        if (!rc) {
            rc = h5_put_encoding(id, "array", "0.2.0", e);
            H5Dclose(id);
        }
    }
    H5Gclose(group);
    return rc;
}

static enum rc write_uns(hid_t file, const struct h5ad_extra *x, struct err *e)
{
    hid_t group;
    if (h5_new_group(file, "uns", &group, e))
        return RC_FAIL;
    enum rc rc = h5_put_encoding(group, "dict", "0.1.0", e);
    for (size_t i = 0; !rc && i < x->n_uns; i++) {
        hid_t id;
        rc = h5_put_texts(group, x->uns[i][0], &x->uns[i][1], SIZE_MAX, &id, e);
        if (!rc) {
            rc = h5_put_encoding(id, "string", "0.2.0", e);
            H5Dclose(id);
        }
    }
    H5Gclose(group);
    return rc;
}

static enum rc write_all(hid_t file, const struct cells *c, const struct h5ad_extra *x,
                         struct err *e)
{
    size_t n_obs = c->obs.n_rows, n_var = c->var.n_rows;
    enum rc rc = h5_put_encoding(file, "anndata", "0.1.0", e);
    if (!rc && c->count.indptr && (c->count.n_rows != n_obs || c->count.n_cols != n_var))
        rc = err_set(e, RC_FAIL, "X is %zu x %zu, but obs has %zu rows and var %zu",
                     c->count.n_rows, c->count.n_cols, n_obs, n_var);
    if (!rc && c->count.indptr)
        rc = write_counts(file, &c->count, e);
    if (!rc)
        rc = h5frame_write(file, "obs", &c->obs, c->cell, e);
    if (!rc)
        rc = h5frame_write(file, "var", &c->var, c->gene, e);
    if (!rc)
        rc = write_matrices(file, "obsm", x->obsm, x->n_obsm, n_obs, e);
    if (!rc)
        rc = write_matrices(file, "varm", x->varm, x->n_varm, n_var, e);
    static const char *const empty[] = { "layers", "obsp", "varp" };
    for (size_t i = 0; !rc && i < 3; i++)
        rc = write_matrices(file, empty[i], NULL, 0, 0, e);
    return rc ? rc : write_uns(file, x, e);
}

enum rc h5ad_write(const char *path, const struct cells *c, const struct h5ad_extra *extra,
                   struct err *e)
{
    static const struct h5ad_extra none = { 0 };
    struct outfile o;
    hid_t file;
    if (outfile_reserve(&o, path, e))
        return e ? e->rc : RC_FAIL;
    enum rc rc = h5_create(o.tmp, &file, e);
    if (!rc) {
        rc = write_all(file, c, extra ? extra : &none, e);
        /* The first trouble is the one to tell. */
        enum rc closed = h5_finish(file, path, rc ? NULL : e);
        rc = rc ? err_wrap(e, "cannot write '%s'", path) : closed;
    }
    if (rc) {
        outfile_abort(&o);
        return rc;
    }
    return outfile_commit(&o, e);
}

/* ---- reading what we wrote ---- */

enum { BLOCK = 1 << 20 };

static enum rc whole_values(const struct h5_data *d, uint64_t n, uint32_t *to, struct err *e)
{
    double *block = malloc(BLOCK * sizeof *block);
    enum rc rc = block ? RC_OK : err_set(e, RC_FAIL, "no memory to read counts");
    for (uint64_t at = 0; !rc && at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? (size_t)(n - at) : BLOCK;
        rc = h5_read_f64(d, at, m, block, e);
        for (size_t i = 0; !rc && i < m; i++) {
            if (!(block[i] >= 0 && block[i] <= UINT32_MAX) || floor(block[i]) != block[i])
                rc = err_set(e, RC_INPUT, "entry %llu of '%s' is %g, not a count",
                             (unsigned long long)(at + i), d->name, block[i]);
            else
                to[at + i] = (uint32_t)block[i];
        }
    }
    free(block);
    return rc;
}

static enum rc read_parts(hid_t x, size_t n_rows, size_t n_cols, struct csr *c, struct err *e)
{
    struct h5_data data = { 0 }, indices = { 0 }, indptr = { 0 };
    enum rc rc = h5_data_open(x, "data", &data, e);
    if (!rc)
        rc = h5_data_open(x, "indices", &indices, e);
    if (!rc)
        rc = h5_data_open(x, "indptr", &indptr, e);
    if (!rc)
        rc = h5_data_want_1d(&data, UINT64_MAX, e);
    if (!rc)
        rc = h5_data_want_1d(&indices, data.n_items, e);
    if (!rc)
        rc = h5_data_want_1d(&indptr, (uint64_t)n_rows + 1, e);
    if (!rc)
        rc = csr_alloc(c, n_rows, n_cols, (size_t)data.n_items, e);
    if (!rc)
        rc = h5ad_read_u32(&indices, data.n_items, c->index, e);
    if (!rc)
        rc = whole_values(&data, data.n_items, c->value, e);
    if (!rc)
        rc = h5ad_read_indptr(&indptr, n_rows, data.n_items, c->indptr, e);
    h5_data_close(&data);
    h5_data_close(&indices);
    h5_data_close(&indptr);
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

enum rc h5ad_read_obsm(const char *path, const char *name, float **data, size_t *n_rows,
                       size_t *n_cols, struct err *e)
{
    hid_t file, group;
    *data = NULL;
    if (h5_open(path, &file, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = h5_group_open(file, "obsm", &group, e);
    if (!rc) {
        rc = read_matrix(group, name, data, n_rows, n_cols, e);
        H5Gclose(group);
    }
    H5Fclose(file);
    if (!rc)
        return RC_OK;
    free(*data);
    *data = NULL;
    return err_wrap(e, "cannot read '%s': obsm", path);
}
