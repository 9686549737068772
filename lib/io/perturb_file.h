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

/* column: of the conditions, NULL: "condition". An .h5ad is read in a process of its own (child.h).
 * RC_INPUT as perturb_set_finish, and: no such column, a matrix of another shape, a damaged file.
 * On failure *s is empty. */
enum rc perturb_file_read(const char *path, const char *column, const struct perturb_rules *rules,
                          struct perturb_set *s, struct err *e);
/* The same from an open HDF5 file, in this process. */
enum rc perturb_file_from(hid_t file, const char *column, const struct perturb_rules *rules,
                          struct perturb_set *s, struct err *e);

#endif
