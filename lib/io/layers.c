#include "lib/io/layers.h"

#include <stdlib.h>
#include <string.h>

static size_t rank_of(const char *name)
{
    static const char *const first[] = { "counts", "raw_counts", "raw",      "count",    "umi",
                                         "umis",   "UMIs",       "raw_umis", "X_counts", "matrix" };
    static const char *const last[] = { "spliced", "unspliced", "ambiguous" };
    size_t n = sizeof first / sizeof *first;
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, first[i]) == 0)
            return i;
    for (size_t i = 0; i < 3; i++)
        if (strcmp(name, last[i]) == 0)
            return n + 1 + i;
    return n;
}

static int by_rank(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    size_t r = rank_of(*x), s = rank_of(*y);
    return r != s ? (r > s) - (r < s) : strcmp(*x, *y);
}

enum rc layers_list(hid_t at, struct arena *a, const char ***name, size_t *n, struct err *e)
{
    hid_t group;
    *name = NULL;
    *n = 0;
    if (h5_kind_of(at, "layers", NULL) != H5_GROUP)
        return RC_OK; /* anndata 0.6 and older may hold it otherwise, or not at all */
    if (h5_group_open(at, "layers", &group, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = h5_list(group, a, name, n, e);
    H5Gclose(group);
    if (!rc && *n)
        qsort(*name, *n, sizeof **name, by_rank);
    return rc;
}
