/* Sets of cells under drugs at doses from .h5ad files: X dense, CSR or CSC; obs columns of drug,
 * dose (numbers, or texts that are numbers) and, when asked for, cell type and part. */
#ifndef GC_IO_DOSE_FILE_H
#define GC_IO_DOSE_FILE_H

#include <hdf5.h>

#include "lib/data/dose_set.h"

/* Names of obs columns; type and part may be NULL: none. */
struct dose_names {
    const char *drug, *dose, *type, *part;
};

/* In a process of its own (child.h). RC_INPUT as dose_set_finish, and: a column that is not there,
 * of another kind, a dose that is no number, a damaged file. On failure *s is empty. */
enum rc dose_file_read(const char *path, const struct dose_names *names,
                       const struct dose_rules *rules, struct dose_set *s, struct err *e);
/* The same from an open HDF5 file, in this process. */
enum rc dose_file_from(hid_t file, const struct dose_names *names, const struct dose_rules *rules,
                       struct dose_set *s, struct err *e);

#endif
