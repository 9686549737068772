#include "lib/app/cell_vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/h5ad.h"

#define MATRIX "X_genecompass"

void cell_vectors_release(struct cell_vectors *v)
{
    free(v->x);
    *v = (struct cell_vectors){ 0 };
}

static enum rc read_matrix(const char *path, size_t n_cells, struct cell_vectors *v, struct err *e)
{
    enum rc rc = h5ad_read_obsm(path, MATRIX, &v->x, &v->n, &v->d, e);
    if (!rc && (v->n != n_cells || !v->d))
        rc = err_set(e, RC_INPUT, "obsm '" MATRIX "' is %zu x %zu for %zu cells", v->n, v->d,
                     n_cells);
    for (size_t i = 0; !rc && i < v->n * v->d; i++)
        if (!isfinite(v->x[i]))
            rc =
                err_set(e, RC_INPUT, "obsm '" MATRIX "': row %zu column %zu is not a finite number",
                        i / v->d + 1, i % v->d + 1);
    return rc;
}

enum rc cell_vectors_read(const char *path, struct cells *c, struct cell_vectors *v, bool *has,
                          struct err *e)
{
    char weights[16];
    struct err none = { 0 };
    *v = (struct cell_vectors){ 0 };
    *has = false;
    cells_init(c);
    if (h5ad_read_uns(path, "genecompass_model_sha256", v->model_sha256, SHA256_HEX, &none) ||
        strlen(v->model_sha256) != SHA256_HEX - 1 || h5ad_read(path, c, &none))
        return RC_OK;
    if (c->count.indptr) {
        cells_release(c);
        return RC_OK;
    }
    *has = true;
    enum rc rc = read_matrix(path, c->obs.n_rows, v, e);
    if (!rc) /* annotate does not say: it has no others */
        rc = h5ad_read_uns(path, "genecompass_weights", weights, sizeof weights, e);
    if (!rc && *weights && strcmp(weights, "trained") != 0)
        rc = err_set(e, RC_INPUT, "its vectors are of %s weights", weights);
    if (rc) {
        cells_release(c);
        cell_vectors_release(v);
    }
    return rc;
}

enum rc cell_vectors_check(const struct cell_vectors *v, size_t d, const char *own,
                           const char *base, struct err *e)
{
    if (strcmp(v->model_sha256, own) != 0 && (!base || strcmp(v->model_sha256, base) != 0))
        return err_set(
            e, RC_INPUT,
            "its vectors are of another model (its hash begins with %.12s, not with %.12s): "
            "embed the counts with this one, or give the counts",
            v->model_sha256, own);
    if (v->d != d)
        return err_set(e, RC_INPUT, "its vectors have %zu numbers, those of the model %zu", v->d,
                       d);
    return RC_OK;
}
