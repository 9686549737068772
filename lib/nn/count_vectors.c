#include "lib/nn/count_vectors.h"

#include <stdlib.h>

#include "lib/nn/hvg.h"
#include "lib/nn/pca.h"

static size_t *all_rows(size_t n)
{
    size_t *row = malloc((n + 1) * sizeof *row);
    for (size_t i = 0; row && i < n; i++)
        row[i] = i;
    return row;
}

enum rc components(const struct mat *x, size_t k, struct mat *out, struct err *e)
{
    struct pca p;
    enum rc rc = pca_fit(x, k, &p, e);
    if (rc)
        return rc;
    rc = pca_apply(&p, x, out, e);
    pca_release(&p);
    return rc;
}

enum rc count_vectors(const struct csr *count, size_t n_genes, size_t n_pcs, struct mat *out,
                      struct err *e)
{
    struct mat genes = { 0 };
    size_t *row = all_rows(count->n_rows), n_found = 0;
    uint32_t *gene = malloc((n_genes + 1) * sizeof *gene);
    enum rc rc =
        row && gene ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", count->n_rows);
    if (!rc)
        rc = hvg_seurat(count, row, count->n_rows, n_genes, gene, &n_found, e);
    if (!rc)
        rc = lognorm_columns(count, gene, n_found, &genes, e);
    if (!rc)
        rc = zscore_by(&genes, row, count->n_rows, 10, e);
    if (!rc)
        rc = components(&genes, n_pcs, out, e);
    mat_release(&genes);
    free(gene);
    free(row);
    return rc;
}
