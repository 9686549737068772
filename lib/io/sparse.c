#include "lib/io/sparse.h"

#include <stdlib.h>
#include <string.h>

#include "lib/io/sparse_rows.h"

static uint32_t take(struct counts_check *check, double v, uint64_t major, uint64_t minor,
                     bool minor_is_cell)
{
    return minor_is_cell ? counts_take(check, v, minor, major)
                         : counts_take(check, v, major, minor);
}

enum rc sparse_read(hid_t group, size_t n_major, size_t n_minor, bool minor_is_cell,
                    struct csr *out, struct counts_check *check, struct err *e)
{
    struct sparse_rows r;
    *out = (struct csr){ 0 };
    enum rc rc = sparse_rows_open(group, n_major, n_minor, minor_is_cell, &r, e);
    if (rc)
        return rc;
    rc = csr_alloc(out, n_major, n_minor, (size_t)r.indptr[n_major], e);
    for (size_t first = 0, n; !rc && first < n_major; first += n) {
        struct csr block;
        n = sparse_rows_block(&r, first);
        rc = sparse_rows_read(&r, first, n, &block, e);
        size_t nnz = (size_t)csr_nnz(&block);
        if (!rc && nnz) {
            memcpy(out->index + r.indptr[first], block.index, nnz * sizeof *block.index);
            memcpy(out->value + r.indptr[first], block.value, nnz * sizeof *block.value);
        }
    }
    if (!rc)
        memcpy(out->indptr, r.indptr, (n_major + 1) * sizeof *r.indptr);
    *check = r.check;
    sparse_rows_close(&r);
    if (rc)
        csr_release(out);
    return rc;
}

/* Rows to read at once: whole chunks, about 16 MB. */
static size_t rows_at_once(const struct h5_data *d)
{
    uint64_t n_cols = d->dim[1] ? d->dim[1] : 1, rows = ((uint64_t)1 << 21) / n_cols;
    hid_t dcpl = H5Dget_create_plist(d->id);
    hsize_t chunk[H5S_MAX_RANK] = { 0 };
    if (H5Pget_layout(dcpl) == H5D_CHUNKED && H5Pget_chunk(dcpl, H5S_MAX_RANK, chunk) == 2 &&
        chunk[0] < ((uint64_t)1 << 26) / n_cols)
        rows = rows < chunk[0] ? chunk[0] : rows / chunk[0] * chunk[0];
    H5Pclose(dcpl);
    rows = rows < d->dim[0] ? rows : d->dim[0];
    return rows ? (size_t)rows : 1;
}

enum rc dense_matrix_read(const struct h5_data *d, bool cols_are_cells, struct csr *out,
                          struct counts_check *check, struct err *e)
{
    *out = (struct csr){ 0 };
    if (d->n_dims != 2)
        return err_set(e, RC_INPUT, "'%s' has %d dimensions, not two", d->name, d->n_dims);
    if (d->dim[0] >= UINT32_MAX || d->dim[1] >= UINT32_MAX)
        return err_set(e, RC_INPUT, "'%s' has too many rows or columns", d->name);
    size_t n_cols = (size_t)d->dim[1], step = rows_at_once(d);
    struct csr_builder b = { 0 };
    double *block = malloc((step * n_cols + 1) * sizeof *block);
    enum rc rc = block ? RC_OK : err_set(e, RC_FAIL, "no memory to read '%s'", d->name);
    for (uint64_t at = 0; !rc && at < d->dim[0]; at += step) {
        size_t n = d->dim[0] - at < step ? (size_t)(d->dim[0] - at) : step;
        rc = h5_read_rows_f64(d, at, n, block, e);
        for (size_t i = 0; !rc && i < n; i++) {
            for (size_t j = 0; !rc && j < n_cols; j++) {
                uint32_t v = take(check, block[i * n_cols + j], at + i, j, cols_are_cells);
                if (v)
                    rc = builder_add(&b, (uint32_t)j, v, e);
            }
            if (!rc)
                rc = builder_end_row(&b, e);
        }
    }
    free(block);
    if (!rc)
        rc = builder_finish(&b, n_cols, out, e);
    builder_release(&b);
    return rc;
}

static enum rc refuse_shape(uint64_t rows, uint64_t cols, size_t n_cells, size_t n_features,
                            struct err *e)
{
    return err_set(e, RC_INPUT, "is %llu x %llu, but there are %zu cells and %zu features",
                   (unsigned long long)rows, (unsigned long long)cols, n_cells, n_features);
}

/* Rows or columns, from the attributes of either generation. */
static enum rc orientation(hid_t group, bool *by_cell, int64_t shape[2], struct err *e)
{
    static const char *const key[] = { "encoding-type", "h5sparse_format" };
    struct arena a;
    const char *kind = NULL;
    size_t n = 0;
    arena_init(&a, 256);
    enum rc rc = RC_OK;
    for (int i = 0; !rc && !kind && i < 2; i++)
        rc = h5_attr_text(group, key[i], &a, &kind, e);
    bool csr = kind && strncmp(kind, "csr", 3) == 0, csc = kind && strncmp(kind, "csc", 3) == 0;
    if (!rc && !csr && !csc)
        rc = err_set(e, RC_INPUT, "is neither csr_matrix nor csc_matrix but '%s'",
                     kind ? kind : "(nothing)");
    arena_release(&a);
    h5_attr_i64(group, "shape", shape, 2, &n);
    if (n != 2)
        h5_attr_i64(group, "h5sparse_shape", shape, 2, &n);
    if (!rc && (n != 2 || shape[0] < 0 || shape[1] < 0))
        rc = err_set(e, RC_INPUT, "there is no shape");
    *by_cell = csr;
    return rc;
}

static enum rc read_group(hid_t group, size_t n_cells, size_t n_features, struct csr *out,
                          struct counts_check *check, struct err *e)
{
    bool by_cell;
    int64_t shape[2];
    struct csr columns;
    if (orientation(group, &by_cell, shape, e))
        return e ? e->rc : RC_INPUT;
    if ((uint64_t)shape[0] != n_cells || (uint64_t)shape[1] != n_features)
        return refuse_shape((uint64_t)shape[0], (uint64_t)shape[1], n_cells, n_features, e);
    if (by_cell)
        return sparse_read(group, n_cells, n_features, false, out, check, e);
    if (sparse_read(group, n_features, n_cells, true, &columns, check, e))
        return e ? e->rc : RC_INPUT;
    return source_turn(&columns, out, e);
}

enum rc anndata_matrix_read(hid_t at, const char *name, size_t n_cells, size_t n_features,
                            struct csr *out, struct counts_check *check, struct err *e)
{
    struct h5_data d;
    hid_t group;
    enum rc rc;
    *out = (struct csr){ 0 };
    if (h5_kind_of(at, name, NULL) == H5_DATASET) {
        rc = h5_data_open(at, name, &d, e);
        if (!rc && d.n_dims == 2 && (d.dim[0] != n_cells || d.dim[1] != n_features))
            rc = refuse_shape(d.dim[0], d.dim[1], n_cells, n_features, e);
        if (!rc)
            rc = dense_matrix_read(&d, false, out, check, e);
        h5_data_close(&d);
    } else {
        rc = h5_group_open(at, name, &group, e);
        if (!rc) {
            rc = read_group(group, n_cells, n_features, out, check, e);
            H5Gclose(group);
        }
    }
    return rc;
}
