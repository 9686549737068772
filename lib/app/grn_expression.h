/* What `grn` infers a network from: a table of numbers, or the counts of an .h5ad of this project.
 */
#ifndef GC_APP_GRN_EXPRESSION_H
#define GC_APP_GRN_EXPRESSION_H

#include "lib/base/opt.h"
#include "lib/io/expression.h"

/* Of an .h5ad: ln(1 + 10^4 count / total of the cell), only genes that one of the truths
 * (NAME=FILE) names, by name or id, since a network of all genes is too large. RC_INPUT: as
 * expression_read, or no such gene. On failure *x is empty. */
enum rc grn_expression_read(const char *path, bool cells_in_rows, const struct opt_list *truths,
                            struct expression *x, struct err *e);

#endif
