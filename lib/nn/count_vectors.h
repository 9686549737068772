/* The vectors that need no model: most variable genes, ln(1 + 10^4 count / total), z-scores cut at 10,
 * principal components, all over the cells given. */
#ifndef GC_NN_COUNT_VECTORS_H
#define GC_NN_COUNT_VECTORS_H

#include "lib/data/csr.h"
#include "lib/nn/mat.h"

/* out [count->n_rows, n_pcs or fewer]. RC_INPUT: fewer than two cells, or no gene varies. */
enum rc count_vectors(const struct csr *count, size_t n_genes, size_t n_pcs, struct mat *out,
                      struct err *e);
/* Coordinates on the first k principal components. */
enum rc components(const struct mat *x, size_t k, struct mat *out, struct err *e);

#endif
