#include "lib/data/csr.h"

#include <stdbool.h>
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

/* An entry as one number: column above, count below. */
static int rising(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* By column, entries of one column in their order; rows of a cell have a few thousand entries, and a
 * matrix some ten thousand columns: digits of 11 bits. */
static void sort_row(uint64_t *row, uint64_t *swap, size_t n, size_t n_cols)
{
    enum { DIGIT = 11, BINS = 1 << DIGIT };
    if (n < 48 || n_cols > (size_t)1 << 2 * DIGIT) {
        qsort(row, n, sizeof *row, rising);
        return;
    }
    for (int shift = 32; shift < 32 + 2 * DIGIT; shift += DIGIT) {
        uint32_t at[BINS + 1] = { 0 };
        for (size_t k = 0; k < n; k++)
            at[(row[k] >> shift & (BINS - 1)) + 1]++;
        for (size_t b = 0; b < BINS; b++)
            at[b + 1] += at[b];
        for (size_t k = 0; k < n; k++)
            swap[at[row[k] >> shift & (BINS - 1)]++] = row[k];
        uint64_t *t = row;
        row = swap;
        swap = t;
    }
}

static bool is_tidy(const uint32_t *index, const uint32_t *value, size_t n, size_t n_cols)
{
    for (size_t k = 0; k < n; k++)
        if (value[k] == 0 || index[k] >= n_cols || (k && index[k] <= index[k - 1]))
            return false;
    return true;
}

/* One row to index, value; *n_out entries. index and value may lie in front of where they come from. */
static enum rc tidy_row(const uint64_t *row, size_t n, size_t n_cols, size_t r, uint32_t *index,
                        uint32_t *value, size_t *n_out, struct err *e)
{
    size_t to = 0;
    for (size_t k = 0; k < n; k++) {
        uint32_t j = (uint32_t)(row[k] >> 32), v = (uint32_t)row[k];
        if (j >= n_cols)
            return err_set(e, RC_INPUT, "row %zu: column %u of %zu", r, j, n_cols);
        if (v == 0)
            continue;
        if (to && index[to - 1] == j) {
            if (v > UINT32_MAX - value[to - 1])
                return err_set(e, RC_INPUT, "row %zu: column %u sums to more than 4294967295", r,
                               j);
            value[to - 1] += v;
            continue;
        }
        index[to] = j;
        value[to++] = v;
    }
    *n_out = to;
    return RC_OK;
}

enum rc csr_tidy(struct csr *c, struct err *e)
{
    size_t longest = 0;
    for (size_t r = 0; r < c->n_rows; r++)
        if (c->indptr[r + 1] - c->indptr[r] > longest)
            longest = (size_t)(c->indptr[r + 1] - c->indptr[r]);
    uint64_t *row = malloc((longest + 1) * 2 * sizeof *row);
    enum rc rc = row ? RC_OK : err_set(e, RC_FAIL, "no memory to sort a row of %zu", longest);
    uint64_t to = 0, from = 0;
    for (size_t r = 0; !rc && r < c->n_rows; r++) {
        size_t n = (size_t)(c->indptr[r + 1] - from), m = n;
        if (is_tidy(c->index + from, c->value + from, n, c->n_cols)) {
            if (to != from && n) {
                memmove(c->index + to, c->index + from, n * sizeof *c->index);
                memmove(c->value + to, c->value + from, n * sizeof *c->value);
            }
        } else {
            for (size_t k = 0; k < n; k++)
                row[k] = (uint64_t)c->index[from + k] << 32 | c->value[from + k];
            sort_row(row, row + longest, n, c->n_cols);
            rc = tidy_row(row, n, c->n_cols, r, c->index + to, c->value + to, &m, e);
        }
        from = c->indptr[r + 1];
        to += m;
        c->indptr[r + 1] = to;
    }
    free(row);
    return rc;
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
