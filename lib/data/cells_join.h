/* Samples of one corpus as one set of cells. */
#ifndef GC_DATA_CELLS_JOIN_H
#define GC_DATA_CELLS_JOIN_H

#include "lib/data/cells.h"

/* Appends the cells of b. Genes are joined by their index (ids, once homolog-map has run); what
 * only one side has is 0 in the other's cells. obs columns are joined by name; of var only the
 * index is kept. Names of cells may come twice afterwards. a is fresh from cells_init or came from
 * here before. On failure it is to be released. */
enum rc cells_append(struct cells *a, const struct cells *b, struct err *e);
/* obs and the names of the cells alone. */
enum rc cells_append_obs(struct cells *a, const struct cells *b, struct err *e);
/* Barcodes of several samples may repeat: names become SAMPLE:BARCODE, and obs gets the column
 * barcode. */
enum rc cells_name_by_sample(struct cells *c, struct err *e);

#endif
