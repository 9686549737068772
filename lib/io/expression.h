/* An expression matrix as a text table, plain or gzip: numbers of any kind (log counts, say), genes
 * in rows as BEELINE has them, or cells in rows. The first column names the rows. */
#ifndef GC_IO_EXPRESSION_H
#define GC_IO_EXPRESSION_H

#include <stdbool.h>

#include "lib/data/names.h"

struct expression {
    struct names gene;
    size_t n_cells;
    double *x; /* [n_cells, genes], owned */
};

/* RC_INPUT names file, line and trouble: no number, a gene that is there twice or has no name. On
 * failure *x is empty. */
enum rc expression_read(const char *path, bool cells_in_rows, struct expression *x, struct err *e);
void expression_release(struct expression *x);

#endif
