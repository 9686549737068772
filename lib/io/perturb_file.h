/* Perturb-seq sets from files.
 *
 *   .h5ad  as GEARS writes perturb_processed.h5ad, or any other: X dense, CSR or CSC, of any kind
 * of number; conditions in a column of obs; gene names in var's column gene_name, else its index
 *   table  text, plain or gzip: a column of conditions, columns cell, barcode and cell_id that are
 *          not read, every other column a gene; a row per cell */
#ifndef GC_IO_PERTURB_FILE_H
#define GC_IO_PERTURB_FILE_H

#include <hdf5.h>

#include "lib/data/perturb_set.h"

/* column: of the conditions, NULL: "condition". RC_INPUT as perturb_set_finish, and: no such
 * column, a matrix of another shape. On failure *s is empty. */
enum rc perturb_file_read(const char *path, const char *column, const struct perturb_rules *rules,
                          struct perturb_set *s, struct err *e);
/* X and the gene names of an open .h5ad with n_cells rows of obs, as they stand: values and
 * conditions are still to be finished. On failure *s is empty. */
enum rc perturb_file_matrix(hid_t file, size_t n_cells, struct perturb_set *s, struct err *e);
/* The same from an open HDF5 file. */
enum rc perturb_file_from(hid_t file, const char *column, const struct perturb_rules *rules,
                          struct perturb_set *s, struct err *e);

#endif
