/* Matrices in HDF5: sparse groups (AnnData, Cell Ranger) and dense data sets, values checked for
 * being counts on the way. */
#ifndef GC_IO_SPARSE_H
#define GC_IO_SPARSE_H

#include "lib/io/h5.h"
#include "lib/io/source.h"

/* Does a sparse group lie by cell (CSR) or by feature (CSC)? From the attributes of either
 * generation, as its shape is. */
enum rc sparse_orientation(hid_t group, bool *by_cell, int64_t shape[2], struct err *e);

/* Reads group/{data,indices,indptr} as n_major rows of n_minor. minor_is_cell: columns of the
 * result are cells (only for the place of a bad value). Duplicates and zeros stay. */
enum rc sparse_read(hid_t group, size_t n_major, size_t n_minor, bool minor_is_cell,
                    struct csr *out, struct counts_check *check, struct err *e);
/* A data set, its rows cells, or its columns (which are turned); sets s->count or its spool, and
 * s->check. */
enum rc dense_matrix_read(const struct h5_data *d, bool cols_are_cells, struct source *s,
                          struct err *e);
/* The rows of group/{data,indices,indptr} to s->count or, when they are many, its spool; sets
 * s->check. */
enum rc sparse_rows_to_source(hid_t group, size_t n_cells, size_t n_features, struct source *s,
                              struct err *e);
/* An AnnData matrix of cells x features at `name`: dense, CSR or CSC, any generation. Refuses it
 * when its shape is another. */
enum rc anndata_matrix_read(hid_t at, const char *name, size_t n_cells, size_t n_features,
                            struct source *s, struct err *e);

#endif
