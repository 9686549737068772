/* From raw counts to the matrix that the simple baselines see: ln(1 + 10^4 count / total), the most
 * variable genes, z-scores. */
#ifndef GC_NN_HVG_H
#define GC_NN_HVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/data/csr.h"
#include "lib/nn/mat.h"

/* The n_top most variable genes over the cells row[0..n_rows), as scanpy's
 * highly_variable_genes(flavor='seurat') finds them (Satija et al. 2015): dispersion = ln(variance
 * / mean) of the counts per 10^4, 20 equal bins of ln(1 + mean), z of the dispersion within its bin
 * (1 in a bin of one gene). Equal values go to the smaller column. gene [n_top] is filled in rising
 * order; *n_found is smaller than n_top when fewer genes vary at all. */
enum rc hvg_seurat(const struct csr *count, const size_t *row, size_t n_rows, size_t n_top,
                   uint32_t *gene, size_t *n_found, struct err *e);
/* The same of the counts per per_cell. ties: genes as variable as the last one (within 1e-9 of
 * its z) are kept too, which is what scanpy does; gene then has room for all columns. */
enum rc hvg_seurat_per(const struct csr *count, const size_t *row, size_t n_rows, double per_cell,
                       bool ties, size_t n_top, uint32_t *gene, size_t *n_found, struct err *e);

/* out [count->n_rows, n_genes] = ln(1 + 10^4 count / total of the row); a row without counts is 0.
 */
enum rc lognorm_columns(const struct csr *count, const uint32_t *gene, size_t n_genes,
                        struct mat *out, struct err *e);

/* z-scores with mean and SD (n - 1) of the rows row[0..n_rows), cut at +-clip; a column without
 * spread becomes 0. In place, all rows. */
enum rc zscore_by(struct mat *x, const size_t *row, size_t n_rows, double clip, struct err *e);

#endif
