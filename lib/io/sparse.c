#include "lib/io/sparse.h"

#include <stdlib.h>
#include <string.h>

#include "lib/io/sparse_rows.h"
#include "lib/io/turn.h"

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

static enum rc refuse_shape(uint64_t rows, uint64_t cols, size_t n_cells, size_t n_features,
                            struct err *e)
{
    return err_set(e, RC_INPUT, "is %llu x %llu, but there are %zu cells and %zu features",
                   (unsigned long long)rows, (unsigned long long)cols, n_cells, n_features);
}

enum rc sparse_orientation(hid_t group, bool *by_cell, int64_t shape[2], struct err *e)
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

enum rc sparse_rows_to_source(hid_t group, size_t n_cells, size_t n_features, struct source *s,
                              struct err *e)
{
    struct sparse_rows r;
    source_rows_begin(s, n_features);
    enum rc rc = sparse_rows_open(group, n_cells, n_features, false, &r, e);
    if (rc)
        return rc;
    const struct csr none = { .n_cols = n_features, .indptr = &(uint64_t){ 0 } };
    rc = source_rows_add(s, &none, e);
    for (size_t first = 0, n; !rc && first < n_cells; first += n) {
        struct csr block;
        n = sparse_rows_block(&r, first);
        rc = sparse_rows_read(&r, first, n, &block, e);
        if (!rc)
            rc = source_rows_add(s, &block, e);
    }
    s->check = r.check;
    sparse_rows_close(&r);
    return rc;
}

/* Columns to rows, when they do not fit in memory. */
static enum rc turn_columns(hid_t group, size_t n_cells, size_t n_features, uint64_t n_entries,
                            struct source *s, struct err *e)
{
    struct sparse_rows r;
    struct turn t;
    enum rc rc = sparse_rows_open(group, n_features, n_cells, true, &r, e);
    if (rc)
        return rc;
    rc = turn_begin(&t, s, n_cells, n_features, n_entries, e);
    for (size_t first = 0, n; !rc && first < n_features; first += n) {
        struct csr b;
        n = sparse_rows_block(&r, first);
        rc = sparse_rows_read(&r, first, n, &b, e);
        if (!rc)
            rc = turn_add_rows(&t, &b, first, e);
    }
    s->check = r.check;
    sparse_rows_close(&r);
    if (!rc)
        rc = turn_end(&t, e);
    turn_release(&t);
    return rc;
}

static uint64_t entries(hid_t group)
{
    struct h5_data d;
    uint64_t n = 0;
    if (!h5_data_open_packed(group, "data", &d, NULL))
        n = d.n_items;
    h5_data_close(&d);
    return n;
}

static enum rc read_group(hid_t group, size_t n_cells, size_t n_features, struct source *s,
                          struct err *e)
{
    bool by_cell;
    int64_t shape[2];
    struct csr columns;
    if (sparse_orientation(group, &by_cell, shape, e))
        return e ? e->rc : RC_INPUT;
    if ((uint64_t)shape[0] != n_cells || (uint64_t)shape[1] != n_features)
        return refuse_shape((uint64_t)shape[0], (uint64_t)shape[1], n_cells, n_features, e);
    if (by_cell)
        return sparse_rows_to_source(group, n_cells, n_features, s, e);
    source_rows_begin(s, n_features);
    if (entries(group) > s->spool_from)
        return turn_columns(group, n_cells, n_features, entries(group), s, e);
    if (sparse_read(group, n_features, n_cells, true, &columns, &s->check, e))
        return e ? e->rc : RC_INPUT;
    return source_turn(&columns, &s->count, e);
}

enum rc anndata_matrix_read(hid_t at, const char *name, size_t n_cells, size_t n_features,
                            struct source *s, struct err *e)
{
    struct h5_data d;
    hid_t group;
    enum rc rc;
    source_rows_begin(s, n_features);
    if (h5_kind_of(at, name, NULL) == H5_DATASET) {
        rc = h5_data_open_packed(at, name, &d, e);
        if (!rc && d.n_dims == 2 && (d.dim[0] != n_cells || d.dim[1] != n_features))
            rc = refuse_shape(d.dim[0], d.dim[1], n_cells, n_features, e);
        if (!rc)
            rc = dense_matrix_read(&d, false, s, e);
        h5_data_close(&d);
    } else {
        rc = h5_group_open(at, name, &group, e);
        if (!rc) {
            rc = read_group(group, n_cells, n_features, s, e);
            H5Gclose(group);
        }
    }
    return rc;
}
