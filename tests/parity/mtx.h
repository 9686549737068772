/* Counts of a golden folder's data set. */
#ifndef GC_TESTS_PARITY_MTX_H
#define GC_TESTS_PARITY_MTX_H

#include <stdlib.h>
#include <string.h>

#include "lib/data/csr.h"
#include "lib/io/lines.h"
#include "tests/tap.h"

/* A Matrix Market file of genes x cells, turned: cells x genes. */
static bool mtx_read(const char *path, struct csr *c)
{
    struct lines l;
    struct err e = { 0 };
    bool more = false;
    size_t seen = 0, nnz = 0, n_genes = 0, n_cells = 0;
    struct csr t = { 0 }; /* genes x cells, as coordinates first */
    uint32_t *gene = NULL;
    if (lines_open(&l, path, &e))
        goto bad;
    while (!lines_next(&l, &more, &e) && more) {
        char *end;
        if (*l.text == '%')
            continue;
        const unsigned long a = strtoul(l.text, &end, 10), b = strtoul(end, &end, 10),
                            v = strtoul(end, &end, 10);
        if (!gene) {
            n_genes = a, n_cells = b, nnz = v;
            gene = calloc(nnz + 1, sizeof *gene);
            if (!gene || csr_alloc(&t, n_cells, n_genes, nnz, &e))
                abort();
            continue;
        }
        if (seen == nnz || a < 1 || a > n_genes || b < 1 || b > n_cells) {
            err_set(&e, RC_INPUT, "'%s': line %zu", path, l.number);
            break;
        }
        /* The file goes column by column: cells rise. */
        t.indptr[b]++;
        t.index[seen] = (uint32_t)a - 1;
        t.value[seen++] = (uint32_t)v;
    }
    lines_close(&l);
    for (size_t r = 0; r < n_cells; r++)
        t.indptr[r + 1] += t.indptr[r];
    free(gene);
    if (!e.rc && seen == nnz && !csr_tidy(&t, &e)) {
        *c = t;
        return true;
    }
bad:
    note("%s", e.text);
    csr_release(&t);
    return false;
}

#endif
