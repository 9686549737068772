/* Which barcodes of an unfiltered matrix are cells.
 *
 * Rule (Cell Ranger's OrdMag): let x be the number of cells; a barcode is a cell when its total is
 * at least a tenth of the 99th percentile of the x largest totals. x is the one on a fixed grid for
 * which the number of cells called agrees best with x itself: least (called - x)^2 / x.
 * A matrix counts as unfiltered when it has 1000 barcodes or more and less than one in five would
 * be a cell. */
#ifndef GC_IO_DROPLETS_H
#define GC_IO_DROPLETS_H

#include "lib/data/csr.h"

/* keep [n_rows] is filled, *n_keep and *threshold (least total of a cell) are set. When the matrix
 * is not unfiltered, all rows are kept and *threshold is 0. */
enum rc droplets_call(const struct csr *c, unsigned char *keep, size_t *n_keep, uint64_t *threshold,
                      struct err *e);

#endif
