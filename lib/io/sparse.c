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

/* n rows of doubles to rows of counts. */
static enum rc take_rows(const double *v, uint64_t first, size_t n, size_t n_cols,
                         bool cols_are_cells, struct csr *rows, struct counts_check *check,
                         struct err *e)
{
    struct csr_builder b = { 0 };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        for (size_t j = 0; !rc && j < n_cols; j++) {
            uint32_t c = take(check, v[i * n_cols + j], first + i, j, cols_are_cells);
            if (c)
                rc = builder_add(&b, (uint32_t)j, c, e);
        }
        if (!rc)
            rc = builder_end_row(&b, e);
    }
    if (!rc)
        rc = builder_finish(&b, n_cols, rows, e);
    builder_release(&b);
    return rc;
}

/* Rows of features are gathered and turned at the end; rows of cells go on as they come. */
static enum rc add_rows(struct source *s, struct source *genes, bool cols_are_cells,
                        struct csr *rows, struct err *e)
{
    enum rc rc = source_rows_add(cols_are_cells ? genes : s, rows, e);
    csr_release(rows);
    return rc;
}

enum rc dense_matrix_read(const struct h5_data *d, bool cols_are_cells, struct source *s,
                          struct err *e)
{
    if (d->n_dims != 2)
        return err_set(e, RC_INPUT, "'%s' has %d dimensions, not two", d->name, d->n_dims);
    if (d->dim[0] >= UINT32_MAX || d->dim[1] >= UINT32_MAX)
        return err_set(e, RC_INPUT, "'%s' has too many rows or columns", d->name);
    size_t n_cols = (size_t)d->dim[1], step = rows_at_once(d);
    struct source genes;
    source_init(&genes);
    genes.spool_from = SIZE_MAX;
    s->check = (struct counts_check){ 0 };
    source_rows_begin(&genes, n_cols);
    source_rows_begin(s, cols_are_cells ? (size_t)d->dim[0] : n_cols);
    double *block = malloc((step * n_cols + 1) * sizeof *block);
    enum rc rc = block ? RC_OK : err_set(e, RC_FAIL, "no memory to read '%s'", d->name);
    const struct csr none = { .n_cols = n_cols, .indptr = &(uint64_t){ 0 } };
    if (!rc)
        rc = source_rows_add(cols_are_cells ? &genes : s, &none, e);
    for (uint64_t at = 0; !rc && at < d->dim[0]; at += step) {
        struct csr rows;
        size_t n = d->dim[0] - at < step ? (size_t)(d->dim[0] - at) : step;
        rc = h5_read_rows_f64(d, at, n, block, e);
        if (!rc)
            rc = take_rows(block, at, n, n_cols, cols_are_cells, &rows, &s->check, e);
        if (!rc)
            rc = add_rows(s, &genes, cols_are_cells, &rows, e);
    }
    free(block);
    if (!rc && cols_are_cells)
        rc = source_turn(&genes.count, &s->count, e);
    source_release(&genes);
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

/* ---- columns to rows, when they do not fit in memory: some rows at each reading ---- */

/* Calls for each entry: of cell `cell` and feature `feature`. */
struct column_pass {
    uint64_t *n_of;        /* [n_cells] counted in the first pass; else NULL */
    size_t first, n;       /* cells of this pass */
    struct csr *rows;      /* indptr: where the next entry of each cell goes */
};

static void pass_block(const struct column_pass *p, const struct csr *b, size_t feature)
{
    for (size_t j = 0; j < b->n_rows; j++)
        for (uint64_t k = b->indptr[j]; k < b->indptr[j + 1]; k++) {
            size_t cell = b->index[k];
            if (p->n_of) {
                p->n_of[cell]++;
            } else if (cell - p->first < p->n) { /* wraps for cells in front */
                uint64_t at = p->rows->indptr[cell - p->first]++;
                p->rows->index[at] = (uint32_t)(feature + j);
                p->rows->value[at] = b->value[k];
            }
        }
}

static enum rc pass_columns(hid_t group, size_t n_cells, size_t n_features,
                            const struct column_pass *p, struct counts_check *check, struct err *e)
{
    struct sparse_rows r;
    enum rc rc = sparse_rows_open(group, n_features, n_cells, true, &r, e);
    if (rc)
        return rc;
    for (size_t first = 0, n; !rc && first < n_features; first += n) {
        struct csr block;
        n = sparse_rows_block(&r, first);
        rc = sparse_rows_read(&r, first, n, &block, e);
        if (!rc)
            pass_block(p, &block, first);
    }
    *check = r.check;
    sparse_rows_close(&r);
    return rc;
}

/* The rows of cells [first, first + n), whose entries are n_of[first..]. */
static enum rc turn_some(hid_t group, size_t n_cells, size_t n_features, const uint64_t *n_of,
                         size_t first, size_t n, struct source *s, struct err *e)
{
    struct csr rows;
    struct counts_check again;
    uint64_t nnz = 0;
    for (size_t r = first; r < first + n; r++)
        nnz += n_of[r];
    if (csr_alloc(&rows, n, n_features, (size_t)nnz, e))
        return RC_FAIL;
    for (size_t r = 0; r < n; r++)
        rows.indptr[r + 1] = rows.indptr[r] + n_of[first + r];
    const struct column_pass p = { .first = first, .n = n, .rows = &rows };
    enum rc rc = pass_columns(group, n_cells, n_features, &p, &again, e);
    if (!rc) {
        /* Each offset has moved to the end of its row, the start of the next. */
        memmove(rows.indptr + 1, rows.indptr, n * sizeof *rows.indptr);
        rows.indptr[0] = 0;
        rc = source_rows_add(s, &rows, e);
    }
    csr_release(&rows);
    return rc;
}

static enum rc turn_large(hid_t group, size_t n_cells, size_t n_features, struct source *s,
                          struct err *e)
{
    uint64_t *n_of = calloc(n_cells + 1, sizeof *n_of);
    const struct column_pass count = { .n_of = n_of };
    enum rc rc = n_of ? pass_columns(group, n_cells, n_features, &count, &s->check, e)
                      : err_set(e, RC_FAIL, "no memory for %zu cells", n_cells);
    source_rows_begin(s, n_features);
    for (size_t first = 0, n; !rc && first < n_cells; first += n) {
        uint64_t nnz = n_of[first];
        for (n = 1; first + n < n_cells && nnz + n_of[first + n] <= 4 * s->spool_from; n++)
            nnz += n_of[first + n];
        rc = turn_some(group, n_cells, n_features, n_of, first, n, s, e);
    }
    free(n_of);
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
    if (orientation(group, &by_cell, shape, e))
        return e ? e->rc : RC_INPUT;
    if ((uint64_t)shape[0] != n_cells || (uint64_t)shape[1] != n_features)
        return refuse_shape((uint64_t)shape[0], (uint64_t)shape[1], n_cells, n_features, e);
    if (by_cell)
        return sparse_rows_to_source(group, n_cells, n_features, s, e);
    if (entries(group) > s->spool_from)
        return turn_large(group, n_cells, n_features, s, e);
    source_rows_begin(s, n_features);
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
        rc = h5_data_open(at, name, &d, e);
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
