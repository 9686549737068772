/* Counts: cells x genes, compressed sparse rows, whole numbers. The form every stage works on.
 *
 *   indptr [n_rows + 1]   first entry of each row; indptr[0] = 0, never falling
 *   index  [indptr[n]]    column, rising within a row, no column twice
 *   value  [indptr[n]]    count, never 0
 * 64-bit offsets: 126 M cells x 2,000 genes do not fit in 32 bits. */
#ifndef GC_DATA_CSR_H
#define GC_DATA_CSR_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct csr {
    size_t n_rows, n_cols;
    uint64_t *indptr; /* owned, as are the other two */
    uint32_t *index;
    uint32_t *value;
};

/* Room for nnz entries; indptr zeroed. On failure *c is empty. */
enum rc csr_alloc(struct csr *c, size_t n_rows, size_t n_cols, size_t nnz, struct err *e);
void csr_release(struct csr *c);
/* Checks every promise above; RC_INPUT names row and column of the first that is broken. */
enum rc csr_check(const struct csr *c, struct err *e);
/* Sorts each row by column and sums entries of the same column, drops zeros: makes the promises
 * true. RC_INPUT when a sum passes 2^32 - 1, or an index is out of range. */
enum rc csr_tidy(struct csr *c, struct err *e);
/* out = c^T, tidy. */
enum rc csr_transpose(const struct csr *c, struct csr *out, struct err *e);
/* Keeps row r where keep_row[r] (NULL: all) and moves column j to col_to[j] (NULL: as it is;
 * UINT32_MAX: dropped). Columns that meet are summed. n_cols_out: columns of the result. */
enum rc csr_select(const struct csr *c, const unsigned char *keep_row, const uint32_t *col_to,
                   size_t n_cols_out, struct csr *out, struct err *e);
static inline uint64_t csr_nnz(const struct csr *c)
{
    return c->indptr ? c->indptr[c->n_rows] : 0;
}

#endif
