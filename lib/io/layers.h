/* Where the raw counts lie in a container with several matrices. */
#ifndef GC_IO_LAYERS_H
#define GC_IO_LAYERS_H

#include "lib/io/h5.h"

/* Names of the matrices in group at/layers, the likely ones first: counts, raw_counts, ..., then by
 * bytes; spliced, unspliced and ambiguous, which hold parts of the counts, last. Empty when there
 * is no such group. */
enum rc layers_list(hid_t at, struct arena *a, const char ***name, size_t *n, struct err *e);

#endif
