/* The genes of a set that vary most. */
#include <stdlib.h>

#include "lib/data/dose_set.h"

struct spread {
    double variance;
    uint32_t gene;
};

static int by_spread(const void *a, const void *b)
{
    const struct spread *x = a, *y = b;
    if (x->variance > y->variance || x->variance < y->variance)
        return x->variance > y->variance ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

/* Means before squares; the entries that are not there are zeros. */
static void spreads(const struct perturb_set *x, double *mean, struct spread *to)
{
    const double n = (double)x->n_cells;
    for (uint32_t j = 0; j < x->n_genes; j++)
        to[j] = (struct spread){ 0, j };
    for (uint64_t k = 0; k < x->indptr[x->n_cells]; k++)
        mean[x->index[k]] += x->value[k] / n;
    for (uint64_t k = 0; k < x->indptr[x->n_cells]; k++) {
        const double m = mean[x->index[k]], off = x->value[k] - m;
        to[x->index[k]].variance += (off * off - m * m) / n;
    }
    for (size_t j = 0; j < x->n_genes; j++)
        to[j].variance += mean[j] * mean[j];
}

enum rc dose_set_genes(struct dose_set *s, size_t n, struct err *e)
{
    struct perturb_set *x = &s->x;
    if (n >= x->n_genes)
        return RC_OK;
    double *mean = calloc(x->n_genes + 1, sizeof *mean);
    struct spread *by = malloc((x->n_genes + 1) * sizeof *by);
    uint32_t *to = calloc(x->n_genes + 1, sizeof *to);
    if (!mean || !by || !to) {
        free(mean);
        free(by);
        free(to);
        return err_set(e, RC_FAIL, "no memory for %zu genes", x->n_genes);
    }
    spreads(x, mean, by);
    qsort(by, x->n_genes, sizeof *by, by_spread);
    for (size_t k = 0; k < n; k++)
        to[by[k].gene] = 1;
    uint32_t kept = 0;
    for (size_t j = 0; j < x->n_genes; j++) {
        x->gene[kept] = x->gene[j];
        to[j] = to[j] ? kept++ : UINT32_MAX;
    }
    uint64_t at = 0, from = 0;
    for (size_t i = 0; i < x->n_cells; i++) {
        const uint64_t end = x->indptr[i + 1];
        for (uint64_t k = from; k < end; k++)
            if (to[x->index[k]] != UINT32_MAX) {
                x->index[at] = to[x->index[k]];
                x->value[at++] = x->value[k];
            }
        from = end;
        x->indptr[i + 1] = at;
    }
    x->n_genes = n;
    free(mean);
    free(by);
    free(to);
    return RC_OK;
}
