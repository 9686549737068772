/* What can be said of a gene without a model: how much of it the cells of some files show. */
#include <math.h>
#include <stdlib.h>

#include "lib/app/cell_input.h"
#include "lib/app/dosage_parts.h"
#include "lib/base/log.h"

enum { PER_CELL = 10000 };

const char *const dosage_statistic[DOSAGE_STATISTICS] = { "detected share", "mean", "non-zero mean" };

struct sums {
    size_t n; /* cells that show it */
    double sum;
};

/* Column of each gene, SIZE_MAX: none. Ids first, then names as the file has them. */
static enum rc find_columns(const struct dosage_genes *g, const struct cells *c, size_t *column,
                            size_t *n_found, struct err *e)
{
    struct map id, name;
    const struct column *names = table_find(&c->var, "gene_name");
    enum rc rc = RC_OK;
    map_init(&id);
    map_init(&name);
    for (size_t k = 0; !rc && k < c->count.n_cols; k++) {
        rc = map_add(&id, c->gene[k], k, NULL, e);
        if (!rc && names && names->kind == COLUMN_TEXT && names->text[k])
            rc = map_add(&name, names->text[k], k, NULL, e);
    }
    for (size_t i = 0; !rc && i < g->n; i++) {
        uint64_t at = map_get(&id, g->gene[i].id);
        if (at == MAP_NONE)
            at = map_get(&id, g->gene[i].name);
        if (at == MAP_NONE)
            at = map_get(&name, g->gene[i].name);
        column[i] = at == MAP_NONE ? SIZE_MAX : (size_t)at;
        *n_found += at != MAP_NONE;
    }
    map_release(&id);
    map_release(&name);
    return rc;
}

static void add_up(const struct csr *c, struct sums *of)
{
    for (size_t r = 0; r < c->n_rows; r++) {
        double total = 0;
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++)
            total += c->value[k];
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++) {
            of[c->index[k]].n++;
            of[c->index[k]].sum += log1p((double)c->value[k] * PER_CELL / total);
        }
    }
}

static enum rc one_file(const struct dosage_genes *g, const char *path, enum species s, size_t first,
                        struct mat *out, struct err *e)
{
    const struct import_options how = { .species = s };
    struct cells c;
    size_t n_found = 0;
    if (cell_input_read(path, &how, &c, e))
        return err_wrap(e, "'%s'", path);
    struct sums *of = calloc(c.count.n_cols + 1, sizeof *of);
    size_t *column = malloc((g->n + 1) * sizeof *column);
    enum rc rc = of && column ? find_columns(g, &c, column, &n_found, e)
                              : err_set(e, RC_FAIL, "no memory for %zu genes", c.count.n_cols);
    if (!rc) {
        const double n = (double)c.count.n_rows;
        add_up(&c.count, of);
        for (size_t i = 0; i < g->n; i++) {
            const struct sums x = column[i] == SIZE_MAX ? (struct sums){ 0 } : of[column[i]];
            double *to = mat_row(out, i) + first;
            to[0] = (double)x.n / n;
            to[1] = x.sum / n;
            to[2] = x.n ? x.sum / (double)x.n : 0;
        }
        log_say("'%s': %zu of %zu genes with a label, in %zu cells", path, n_found, g->n,
                c.count.n_rows);
    }
    free(of);
    free(column);
    cells_release(&c);
    return rc;
}

enum rc dosage_statistics(const struct dosage_genes *g, const char *const *path, size_t n,
                          enum species s, struct mat *out, struct err *e)
{
    enum rc rc = mat_alloc(out, g->n, n * DOSAGE_STATISTICS, e);
    for (size_t i = 0; !rc && i < n; i++)
        rc = one_file(g, path[i], s, i * DOSAGE_STATISTICS, out, e);
    if (rc)
        mat_release(out);
    return rc;
}
