/* Vectors of genes (what `embed --genes` wrote) for the genes of another set. */
#ifndef GC_APP_GENE_VECTORS_H
#define GC_APP_GENE_VECTORS_H

#include "lib/nn/mat.h"

/* out [n_genes, d]: rows of the genes that the file has by name or by id, else 0; *n_found counts
 * them, none is RC_INPUT. On failure *out is to be released. */
enum rc gene_vectors_read(const char *path, const char *const *gene, size_t n_genes,
                          struct mat *out, size_t *n_found, struct err *e);

#endif
