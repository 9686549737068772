/* Which barcodes of an unfiltered matrix are cells.
 *
 * Rule: rank the barcodes by falling total. Cells end where the totals fall steepest: at the rank r
 * (20 or more, total 100 or more) with the greatest ratio of the totals at r and at 1.25 r. The
 * threshold is the geometric mean of these two totals, and a barcode is a cell when it has it. This
 * is the inflection of the knee plot of DropletUtils (Lun et al. 2019), with a window in place of a
 * spline. A matrix counts as unfiltered, and the rule is used, when it has 1000 barcodes or more
 * and more than half of them have less than a twentieth of the threshold; lists of cells are far
 * from that.
 */
#ifndef GC_IO_DROPLETS_H
#define GC_IO_DROPLETS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

/* total [n]: of each barcode. keep [n] is filled, *n_keep and *threshold (least total of a cell) are
 * set. When the matrix is not unfiltered, all are kept and *threshold is 0. */
enum rc droplets_call(const uint64_t *total, size_t n, unsigned char *keep, size_t *n_keep,
                      uint64_t *threshold, struct err *e);

#endif
