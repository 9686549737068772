/* Parts that h5ad.c (our own files) and sparse.c (files of others) share. */
#ifndef GC_IO_H5AD_READ_H
#define GC_IO_H5AD_READ_H

#include "lib/data/cells.h"
#include "lib/io/h5.h"

/* h5ad_read from an open file. */
enum rc h5ad_read_from(hid_t file, struct cells *c, struct err *e);
/* n_rows + 1 offsets: the first 0, never falling, the last nnz. */
enum rc h5ad_read_indptr(const struct h5_data *d, uint64_t n_rows, uint64_t nnz, uint64_t *to,
                         struct err *e);

#endif
