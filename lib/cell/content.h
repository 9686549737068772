/* The content hash of a cell: equal for cells with equal counts, whatever their names, their files,
 * and the order of the genes.
 *
 *   content = sum over genes with a count of mix(hash_text(gene) + count * ODD)   modulo 2^64
 * gene is the Ensembl id that homolog-map gives a column (of a mouse gene the human homolog's, where
 * there is one), count the sum of its columns; ODD is 0x9e3779b97f4a7c15 and mix the finaliser of
 * splitmix64 (Steele et al. 2014). A sum has no order, and a gene without counts adds nothing, so a
 * matrix with more silent genes gives the same. A cell without counts has 0. Genes that the tables do
 * not know do not count, nor do genes that a source left out: a cell whose source dropped genes that
 * had counts is another content.
 *
 * Of n different cells some two share a hash by chance with a probability of about n^2 / 2^65: 0.04 %
 * for the 126 million of the paper. */
#ifndef GC_CELL_CONTENT_H
#define GC_CELL_CONTENT_H

#include "lib/data/csr.h"

/* hash_text of each gene; the caller frees. NULL: no memory. */
uint64_t *content_genes(const char *const *gene, size_t n);
/* content [count->n_rows] from a tidy matrix over these genes. */
void content_rows(const struct csr *count, const uint64_t *gene, int64_t *content);

#endif
