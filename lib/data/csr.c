#include "lib/data/csr.h"

#include <stdlib.h>
#include <string.h>

enum rc csr_alloc(struct csr *c, size_t n_rows, size_t n_cols, size_t nnz, struct err *e)
{
    *c = (struct csr){ .n_rows = n_rows, .n_cols = n_cols };
    if (n_rows < SIZE_MAX / 16 && nnz < SIZE_MAX / 16) {
        c->indptr = calloc(n_rows + 1, sizeof *c->indptr);
        c->index = malloc((nnz + 1) * sizeof *c->index);
        c->value = malloc((nnz + 1) * sizeof *c->value);
    }
    if (c->indptr && c->index && c->value)
        return RC_OK;
    csr_release(c);
    return err_set(e, RC_FAIL, "no memory for %zu cells with %zu counts", n_rows, nnz);
}

void csr_release(struct csr *c)
{
    free(c->indptr);
    free(c->index);
    free(c->value);
    *c = (struct csr){ 0 };
}

enum rc csr_check(const struct csr *c, struct err *e)
{
    if (c->indptr[0] != 0)
        return err_set(e, RC_INPUT, "row 0: starts at %llu, not 0",
                       (unsigned long long)c->indptr[0]);
    for (size_t r = 0; r < c->n_rows; r++) {
        if (c->indptr[r + 1] < c->indptr[r])
            return err_set(e, RC_INPUT, "row %zu: ends before it starts", r);
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++) {
            if (c->index[k] >= c->n_cols)
                return err_set(e, RC_INPUT, "row %zu: column %u of %zu", r, c->index[k], c->n_cols);
            if (k > c->indptr[r] && c->index[k] <= c->index[k - 1])
                return err_set(e, RC_INPUT, "row %zu: column %u is out of order or there twice", r,
                               c->index[k]);
            if (c->value[k] == 0)
                return err_set(e, RC_INPUT, "row %zu: column %u holds a zero", r, c->index[k]);
        }
    }
    return RC_OK;
}

struct entry {
    uint32_t index, value;
};

static int by_index(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

enum rc csr_tidy(struct csr *c, struct err *e)
{
    size_t longest = 0;
    for (size_t r = 0; r < c->n_rows; r++)
        if (c->indptr[r + 1] - c->indptr[r] > longest)
            longest = (size_t)(c->indptr[r + 1] - c->indptr[r]);
    struct entry *row = malloc((longest + 1) * sizeof *row);
    if (!row)
        return err_set(e, RC_FAIL, "no memory to sort a row of %zu", longest);
    uint64_t to = 0, from = 0;
    for (size_t r = 0; r < c->n_rows; r++) {
        size_t n = (size_t)(c->indptr[r + 1] - from);
        for (size_t k = 0; k < n; k++)
            row[k] = (struct entry){ c->index[from + k], c->value[from + k] };
        qsort(row, n, sizeof *row, by_index);
        uint64_t start = to;
        for (size_t k = 0; k < n; k++) {
            if (row[k].index >= c->n_cols) {
                err_set(e, RC_INPUT, "row %zu: column %u of %zu", r, row[k].index, c->n_cols);
                free(row);
                return RC_INPUT;
            }
            if (row[k].value == 0)
                continue;
            if (to > start && c->index[to - 1] == row[k].index) {
                if (row[k].value > UINT32_MAX - c->value[to - 1]) {
                    err_set(e, RC_INPUT, "row %zu: column %u sums to more than 4294967295", r,
                            row[k].index);
                    free(row);
                    return RC_INPUT;
                }
                c->value[to - 1] += row[k].value;
                continue;
            }
            c->index[to] = row[k].index;
            c->value[to++] = row[k].value;
        }
        from = c->indptr[r + 1];
        c->indptr[r + 1] = to;
    }
    free(row);
    return RC_OK;
}

enum rc csr_transpose(const struct csr *c, struct csr *out, struct err *e)
{
    size_t nnz = (size_t)csr_nnz(c);
    if (c->n_rows > UINT32_MAX)
        return err_set(e, RC_INPUT, "%zu rows are too many", c->n_rows);
    if (csr_alloc(out, c->n_cols, c->n_rows, nnz, e))
        return RC_FAIL;
    for (size_t k = 0; k < nnz; k++)
        out->indptr[c->index[k] + 1]++;
    for (size_t j = 0; j < c->n_cols; j++)
        out->indptr[j + 1] += out->indptr[j];
    for (size_t r = 0; r < c->n_rows; r++)
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++) {
            uint64_t at = out->indptr[c->index[k]]++;
            out->index[at] = (uint32_t)r;
            out->value[at] = c->value[k];
        }
    memmove(out->indptr + 1, out->indptr, c->n_cols * sizeof *out->indptr);
    out->indptr[0] = 0;
    return RC_OK;
}

enum rc csr_select(const struct csr *c, const unsigned char *keep_row, const uint32_t *col_to,
                   size_t n_cols_out, struct csr *out, struct err *e)
{
    size_t n = 0, nnz = 0;
    for (size_t r = 0; r < c->n_rows; r++)
        if (!keep_row || keep_row[r]) {
            n++;
            for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++)
                nnz += !col_to || col_to[c->index[k]] != UINT32_MAX;
        }
    if (csr_alloc(out, n, n_cols_out, nnz, e))
        return RC_FAIL;
    size_t to_row = 0, at = 0;
    for (size_t r = 0; r < c->n_rows; r++) {
        if (keep_row && !keep_row[r])
            continue;
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++) {
            uint32_t j = col_to ? col_to[c->index[k]] : c->index[k];
            if (j == UINT32_MAX)
                continue;
            out->index[at] = j;
            out->value[at++] = c->value[k];
        }
        out->indptr[++to_row] = at;
    }
    enum rc rc = col_to ? csr_tidy(out, e) : RC_OK;
    if (rc)
        csr_release(out);
    return rc;
}
