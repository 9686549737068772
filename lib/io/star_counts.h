/* The counts that STARsolo leaves, as a Cell Ranger 3 folder: matrix.mtx.gz, features.tsv.gz,
 * barcodes.tsv.gz. Barcodes without a count are left out; all else is as STAR has it, in its order.
 */
#ifndef GC_IO_STAR_COUNTS_H
#define GC_IO_STAR_COUNTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct star_counts {
    size_t n_genes, n_barcodes, n_cells; /* n_barcodes: with those that have no count */
    uint64_t nnz, total;
};

/* from: Solo.out/Gene/raw or .../filtered. RC_INPUT: not what STAR writes, with file and line. */
enum rc star_counts_convert(const char *from, const char *to, struct star_counts *c, struct err *e);
/* Summary.csv: names and numbers of STAR's own account. NULL when memory is short or on *e. */
json_t *star_summary(const char *path, struct err *e);

#endif
