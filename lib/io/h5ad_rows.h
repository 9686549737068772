/* The cells of a file that a stage of ours wrote, some at a time: for tools that look at each cell
 * once and must not hold them all. */
#ifndef GC_IO_H5AD_ROWS_H
#define GC_IO_H5AD_ROWS_H

#include "lib/data/cells.h"

struct h5ad_rows {
    struct cells head; /* names, obs and var; of head.count only n_rows and n_cols are set */
    const uint64_t *indptr; /* [n_rows + 1] */
    struct h5ad_rows_file *file;
    char *path; /* owned, for messages */
};

/* RC_INPUT with the place and the trouble. On failure *r is empty. */
enum rc h5ad_rows_open(struct h5ad_rows *r, const char *path, struct err *e);
/* The same with those columns of obs that are named, as far as they are there, and head.cell NULL
 * unless names is set: for what a tool does not look at, no memory is taken. */
enum rc h5ad_rows_open_some(struct h5ad_rows *r, const char *path, const char *const *column,
                            size_t n_columns, bool names, struct err *e);
/* How many cells from `first` on to read at once: a block is a few MiB. */
size_t h5ad_rows_block(const struct h5ad_rows *r, size_t first);
/* Cells [first, first + n), first never falling, as a matrix of n rows, checked; borrowed until the
 * next call. On failure *block is empty. */
enum rc h5ad_rows_read(struct h5ad_rows *r, size_t first, size_t n, struct csr *block,
                       struct err *e);
/* From the first cell again. */
enum rc h5ad_rows_restart(struct h5ad_rows *r, struct err *e);
void h5ad_rows_close(struct h5ad_rows *r);

#endif
