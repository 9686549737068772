#include "lib/io/h5ad_read.h"

#include <stdlib.h>

enum rc h5ad_read_indptr(const struct h5_data *d, uint64_t n_rows, uint64_t nnz, uint64_t *to,
                         struct err *e)
{
    int64_t *v = malloc((n_rows + 1) * sizeof *v);
    if (!v)
        return err_set(e, RC_FAIL, "no memory for %llu rows", (unsigned long long)n_rows);
    enum rc rc = h5_read_i64(d, 0, (size_t)n_rows + 1, v, e);
    if (!rc && v[0] != 0)
        rc = err_set(e, RC_INPUT, "'%s' starts with %lld, not 0", d->name, (long long)v[0]);
    for (uint64_t i = 0; !rc && i < n_rows; i++)
        if (v[i + 1] < v[i])
            rc = err_set(e, RC_INPUT, "'%s' falls from %lld to %lld at entry %llu", d->name,
                         (long long)v[i], (long long)v[i + 1], (unsigned long long)i + 1);
    if (!rc && (uint64_t)v[n_rows] != nnz)
        rc = err_set(e, RC_INPUT, "'%s' ends with %lld, but %llu values are stored", d->name,
                     (long long)v[n_rows], (unsigned long long)nnz);
    for (uint64_t i = 0; !rc && i <= n_rows; i++)
        to[i] = (uint64_t)v[i];
    free(v);
    return rc;
}
