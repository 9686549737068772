/* Data frames of anndata 0.6 and earlier: one data set of compounds. */
#ifndef GC_IO_H5COMPOUND_H
#define GC_IO_H5COMPOUND_H

#include "lib/io/h5frame.h"

/* d: the data set, found in group at; categories are looked for in at/uns/NAME_categories.
 * On failure *f may be half filled; the caller releases it. */
enum rc h5compound_read(hid_t at, const struct h5_data *d, struct h5frame *f, struct err *e);

#endif
