#include "lib/io/h5ad_read.h"

#include <stdlib.h>

#include "lib/base/spill.h"

enum rc h5ad_read_indptr(const struct h5_data *d, uint64_t n_rows, uint64_t nnz, uint64_t *to,
                         struct err *e)
{
    enum { PIECE = SPILL_STEP };
    int64_t *v = malloc(PIECE * sizeof *v);
    uint64_t last = 0;
    enum rc rc =
        v ? RC_OK : err_set(e, RC_FAIL, "no memory for %llu rows", (unsigned long long)n_rows);
    for (uint64_t at = 0, n; !rc && at <= n_rows; at += n) {
        n = n_rows + 1 - at < PIECE ? n_rows + 1 - at : PIECE;
        rc = h5_read_i64(d, at, (size_t)n, v, e);
        if (!rc && at == 0 && v[0] != 0)
            rc = err_set(e, RC_INPUT, "'%s' starts with %lld, not 0", d->name, (long long)v[0]);
        for (uint64_t i = 0; !rc && i < n; i++) {
            if (v[i] < (int64_t)last)
                rc = err_set(e, RC_INPUT, "'%s' falls from %lld to %lld at entry %llu", d->name,
                             (long long)last, (long long)v[i], (unsigned long long)(at + i));
            to[at + i] = last = (uint64_t)v[i];
        }
        spill_rest();
    }
    if (!rc && last != nnz)
        rc = err_set(e, RC_INPUT, "'%s' ends with %lld, but %llu values are stored", d->name,
                     (long long)last, (unsigned long long)nnz);
    free(v);
    return rc;
}
