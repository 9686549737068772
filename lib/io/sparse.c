#include "lib/io/sparse.h"

#include <stdlib.h>
#include <string.h>

#include "lib/io/h5ad_read.h"

enum { BLOCK = 1 << 19 };

static uint32_t take(struct counts_check *check, double v, uint64_t major, uint64_t minor,
                     bool minor_is_cell)
{
    return minor_is_cell ? counts_take(check, v, minor, major)
                         : counts_take(check, v, major, minor);
}

static enum rc read_values(const struct h5_data *d, struct csr *c, bool minor_is_cell,
                           struct counts_check *check, struct err *e)
{
    double *block = malloc(BLOCK * sizeof *block);
    enum rc rc = block ? RC_OK : err_set(e, RC_FAIL, "no memory to read counts");
    uint64_t row = 0;
    for (uint64_t at = 0; !rc && at < d->n_items; at += BLOCK) {
        size_t n = d->n_items - at < BLOCK ? (size_t)(d->n_items - at) : BLOCK;
        rc = h5_read_f64(d, at, n, block, e);
        for (size_t i = 0; !rc && i < n; i++) {
            while (c->indptr[row + 1] <= at + i)
                row++;
            c->value[at + i] = take(check, block[i], row, c->index[at + i], minor_is_cell);
        }
    }
    free(block);
    return rc;
}

static enum rc check_index(const struct csr *c, struct err *e)
{
    for (size_t r = 0; r < c->n_rows; r++)
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++)
            if (c->index[k] >= c->n_cols)
                return err_set(e, RC_INPUT, "entry %llu of 'indices' is %u, but there are %zu",
                               (unsigned long long)k, c->index[k], c->n_cols);
    return RC_OK;
}

enum rc sparse_read(hid_t group, size_t n_major, size_t n_minor, bool minor_is_cell,
                    struct csr *out, struct counts_check *check, struct err *e)
{
    struct h5_data data = { 0 }, indices = { 0 }, indptr = { 0 };
    *out = (struct csr){ 0 };
    enum rc rc = h5_data_open(group, "data", &data, e);
    if (!rc)
        rc = h5_data_open(group, "indices", &indices, e);
    if (!rc)
        rc = h5_data_open(group, "indptr", &indptr, e);
    if (!rc)
        rc = h5_data_want_1d(&data, UINT64_MAX, e);
    if (!rc && !h5_is_number(&data))
        rc = err_set(e, RC_INPUT, "'data' are %s, not numbers", h5_type_name(data.type));
    if (!rc)
        rc = h5_data_want_1d(&indices, data.n_items, e);
    if (!rc)
        rc = h5_data_want_1d(&indptr, (uint64_t)n_major + 1, e);
    if (!rc)
        rc = csr_alloc(out, n_major, n_minor, (size_t)data.n_items, e);
    if (!rc)
        rc = h5ad_read_indptr(&indptr, n_major, data.n_items, out->indptr, e);
    if (!rc)
        rc = h5ad_read_u32(&indices, data.n_items, out->index, e);
    if (!rc)
        rc = check_index(out, e);
    if (!rc)
        rc = read_values(&data, out, minor_is_cell, check, e);
    h5_data_close(&data);
    h5_data_close(&indices);
    h5_data_close(&indptr);
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
