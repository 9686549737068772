#include "lib/io/sparse_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"
#include "lib/io/h5ad_read.h"

enum { ODD_BLOCK = 1 << 15 };

enum rc sparse_rows_open(hid_t group, size_t n_rows, size_t n_cols, bool minor_is_cell,
                         struct sparse_rows *r, struct err *e)
{
    struct h5_data indptr = { 0 };
    *r = (struct sparse_rows){ .n_rows = n_rows, .n_cols = n_cols, .minor_is_cell = minor_is_cell };
    r->data.d.id = r->indices.d.id = -1;
    enum rc rc = h5_pull_open(group, "data", false, &r->data, e);
    if (!rc)
        rc = h5_pull_open(group, "indices", true, &r->indices, e);
    if (!rc)
        rc = h5_data_want_1d(&r->indices.d, r->data.d.n_items, e);
    if (!rc)
        rc = h5_data_open(group, "indptr", &indptr, e);
    if (!rc)
        rc = h5_data_want_1d(&indptr, (uint64_t)n_rows + 1, e);
    if (!rc && !(r->indptr = spill_alloc((n_rows + 1) * sizeof *r->indptr)))
        rc = err_set(e, RC_FAIL, "no memory for %zu rows", n_rows);
    if (!rc)
        rc = h5ad_read_indptr(&indptr, n_rows, r->data.d.n_items, r->indptr, e);
    h5_data_close(&indptr);
    if (rc)
        sparse_rows_close(r);
    return rc;
}

void sparse_rows_close(struct sparse_rows *r)
{
    h5_pull_close(&r->data);
    h5_pull_close(&r->indices);
    h5_puller_release(&r->puller);
    spill_free(r->indptr);
    free(r->block_ptr);
    *r = (struct sparse_rows){ 0 };
    r->data.d.id = r->indices.d.id = -1;
}

size_t sparse_rows_block(const struct sparse_rows *r, size_t first)
{
    const size_t left = r->n_rows - first;
    size_t lo = first,
           hi = first + (left < SPARSE_ROWS ? left : SPARSE_ROWS); /* rows [first, lo) fit */
    while (lo < hi) {
        size_t mid = lo + (hi - lo + 1) / 2;
        if (r->indptr[mid] - r->indptr[first] <= SPARSE_BLOCK)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo > first ? lo - first : first < r->n_rows;
}

/* The part of a span that lies in [at, end). */
static bool overlap(const struct h5_span *s, uint64_t at, uint64_t end, uint64_t *from, uint64_t *to)
{
    *from = s->at > at ? s->at : at;
    *to = s->at + s->n < end ? s->at + s->n : end;
    return *from < *to;
}

/* Columns that are no small whole numbers: surely none of ours, so the first is told. */
static enum rc refuse_index(const struct sparse_rows *r, uint64_t at, uint64_t end, struct err *e)
{
    int64_t *v = malloc(ODD_BLOCK * sizeof *v);
    enum rc rc = v ? RC_OK : err_set(e, RC_FAIL, "no memory to read columns");
    for (; !rc && at < end; at += ODD_BLOCK) {
        size_t n = end - at < ODD_BLOCK ? (size_t)(end - at) : ODD_BLOCK;
        rc = h5_read_i64(&r->indices.d, at, n, v, e);
        for (size_t i = 0; !rc && i < n; i++)
            if (v[i] < 0 || (uint64_t)v[i] >= r->n_cols)
                rc = err_set(e, RC_INPUT, "entry %llu of 'indices' is %lld, but there are %zu",
                             (unsigned long long)(at + i), (long long)v[i], r->n_cols);
    }
    free(v);
    return rc;
}

static enum rc check_columns(const struct sparse_rows *r, uint64_t at, uint64_t end, struct err *e)
{
    enum rc rc = RC_OK;
    uint64_t from, to;
    for (size_t k = 0; !rc && k < r->indices.n_odd; k++)
        if (overlap(&r->indices.odd[k], at, end, &from, &to))
            rc = refuse_index(r, from, to, e);
    if (rc || r->indices.high < r->n_cols)
        return rc;
    const uint32_t *index = h5_pull_at(&r->indices, at);
    for (uint64_t k = 0; !rc && k < end - at; k++)
        if (index[k] >= r->n_cols)
            rc = err_set(e, RC_INPUT, "entry %llu of 'indices' is %u, but there are %zu",
                         (unsigned long long)(at + k), index[k], r->n_cols);
    return rc;
}

/* Entries [at, end) of an odd stretch, one by one; *row is a row at or before that of `at`. */
static enum rc take_odd(struct sparse_rows *r, uint64_t at, uint64_t end, size_t *row,
                        struct err *e)
{
    double *v = malloc(ODD_BLOCK * sizeof *v);
    enum rc rc = v ? RC_OK : err_set(e, RC_FAIL, "no memory to read counts");
    for (; !rc && at < end; at += ODD_BLOCK) {
        size_t n = end - at < ODD_BLOCK ? (size_t)(end - at) : ODD_BLOCK;
        rc = h5_read_f64(&r->data.d, at, n, v, e);
        uint32_t *to = h5_pull_at(&r->data, at);
        const uint32_t *index = h5_pull_at(&r->indices, at);
        for (size_t i = 0; !rc && i < n; i++) {
            while (r->indptr[*row + 1] <= at + i)
                ++*row;
            to[i] = r->minor_is_cell ? counts_take(&r->check, v[i], index[i], *row)
                                     : counts_take(&r->check, v[i], *row, index[i]);
        }
    }
    free(v);
    return rc;
}

static enum rc check_values(struct sparse_rows *r, size_t first, uint64_t at, uint64_t end,
                            struct err *e)
{
    uint64_t from, to;
    enum rc rc = RC_OK;
    size_t row = first;
    for (size_t k = 0; !rc && k < r->data.n_odd; k++)
        if (overlap(&r->data.odd[k], at, end, &from, &to))
            rc = take_odd(r, from, to, &row, e);
    r->check.n += r->data.n_nonzero;
    r->data.n_nonzero = 0;
    r->check.high = r->data.high > r->check.high ? r->data.high : r->check.high;
    return rc;
}

static enum rc block_pointers(struct sparse_rows *r, size_t first, size_t n, struct err *e)
{
    if (n + 1 > r->block_room) {
        free(r->block_ptr);
        r->block_ptr = malloc((n + 1) * sizeof *r->block_ptr);
        r->block_room = r->block_ptr ? n + 1 : 0;
        if (!r->block_ptr)
            return err_set(e, RC_FAIL, "no memory for %zu rows", n);
    }
    for (size_t i = 0; i <= n; i++)
        r->block_ptr[i] = r->indptr[first + i] - r->indptr[first];
    return RC_OK;
}

enum rc sparse_rows_read(struct sparse_rows *r, size_t first, size_t n, struct csr *block,
                         struct err *e)
{
    assert(first >= r->next && first <= r->n_rows && n <= r->n_rows - first);
    spill_rest(); /* what went with the block before */
    uint64_t at = r->indptr[first], end = r->indptr[first + n];
    struct h5_pull *const pull[2] = { &r->indices, &r->data };
    *block = (struct csr){ 0 };
    r->next = first + n;
    enum rc rc = h5_pull_need(&r->puller, pull, 2, at, end - at, e);
    if (!rc)
        rc = block_pointers(r, first, n, e);
    if (!rc && end > at)
        rc = check_columns(r, at, end, e);
    if (!rc && end > at)
        rc = check_values(r, first, at, end, e);
    if (rc)
        return rc;
    *block = (struct csr){ .n_rows = n,
                           .n_cols = r->n_cols,
                           .indptr = r->block_ptr,
                           .index = end > at ? h5_pull_at(&r->indices, at) : NULL,
                           .value = end > at ? h5_pull_at(&r->data, at) : NULL };
    return RC_OK;
}
