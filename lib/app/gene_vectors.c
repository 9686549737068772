#include "lib/app/gene_vectors.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/io/h5ad.h"

enum rc gene_vectors_read(const char *path, const char *const *gene, size_t n_genes,
                          struct mat *out, size_t *n_found, struct err *e)
{
    struct cells c;
    float *x = NULL;
    size_t n, d = 0;
    struct map row;
    *out = (struct mat){ 0 };
    *n_found = 0;
    map_init(&row);
    if (h5ad_read(path, &c, e)) {
        map_release(&row);
        return e ? e->rc : RC_INPUT;
    }
    const struct column *name = table_find(&c.var, "gene_name");
    enum rc rc = h5ad_read_varm(path, "X_genecompass", &x, &n, &d, e);
    if (!rc && (n != c.var.n_rows || !d))
        rc =
            err_set(e, RC_INPUT, "'%s': varm is %zu x %zu for %zu genes", path, n, d, c.var.n_rows);
    for (size_t i = 0; !rc && i < n; i++) {
        if (name && name->kind == COLUMN_TEXT && name->text[i])
            rc = map_add(&row, name->text[i], i, NULL, e);
        if (!rc)
            rc = map_add(&row, c.gene[i], i, NULL, e);
    }
    for (size_t k = 0; !rc && k < n * d; k++)
        if (!isfinite(x[k]))
            rc = err_set(e, RC_INPUT, "'%s': varm row %zu holds no finite number", path, k / d + 1);
    if (!rc)
        rc = mat_alloc(out, n_genes, d, e);
    for (size_t j = 0; !rc && j < n_genes; j++) {
        const uint64_t at = map_get(&row, gene[j]);
        if (at == MAP_NONE)
            continue;
        (*n_found)++;
        for (size_t k = 0; k < d; k++)
            mat_row(out, j)[k] = (double)x[at * d + k];
    }
    if (!rc && !*n_found)
        rc = err_set(e, RC_INPUT, "no measured gene has a vector in '%s'", path);
    if (!rc)
        log_say("%zu of %zu genes have a vector of %zu numbers", *n_found, n_genes, d);
    free(x);
    map_release(&row);
    cells_release(&c);
    return rc;
}
