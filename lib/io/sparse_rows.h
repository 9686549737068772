/* A sparse matrix in HDF5 (a group with data, indices, indptr), its rows some at a time. */
#ifndef GC_IO_SPARSE_ROWS_H
#define GC_IO_SPARSE_ROWS_H

#include "lib/data/csr.h"
#include "lib/io/counts.h"
#include "lib/io/h5pull.h"

struct sparse_rows {
    size_t n_rows, n_cols;
    uint64_t *indptr; /* [n_rows + 1], owned, checked */
    bool minor_is_cell;
    struct counts_check check; /* of the rows read so far */
    /* private */
    struct h5_pull data, indices;
    struct h5_puller puller;
    uint64_t *block_ptr;
    size_t block_room, next;
};

/* n_rows x n_cols as the caller knows them. minor_is_cell: columns are cells (only for the place of a
 * bad value). RC_INPUT: data sets are missing, of other kinds, or do not fit together. On failure *r
 * needs no close. */
enum rc sparse_rows_open(hid_t group, size_t n_rows, size_t n_cols, bool minor_is_cell,
                         struct sparse_rows *r, struct err *e);
void sparse_rows_close(struct sparse_rows *r);

/* How many rows from `first` on make a block: about SPARSE_BLOCK entries, one row at least, and
 * SPARSE_ROWS at most: cells may have no counts. */
enum { SPARSE_BLOCK = 1 << 20, SPARSE_ROWS = 1 << 16 };
size_t sparse_rows_block(const struct sparse_rows *r, size_t first);

/* Rows [first, first + n), first never falling from call to call. Columns are below n_cols; they
 * may be unsorted, name a column twice, and values may be 0: csr_is_tidy says. Values that are no
 * counts are 0, and r->check knows of them. *block is borrowed until the next call. */
enum rc sparse_rows_read(struct sparse_rows *r, size_t first, size_t n, struct csr *block,
                         struct err *e);

#endif
