#include "lib/app/grn_expression.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/h5ad.h"
#include "lib/io/network.h"

/* All genes of the truths. What is wrong with the list is said where truths are read. */
static enum rc named_genes(const struct opt_list *truths, struct map *named, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < truths->n; i++) {
        const char *eq = strchr(truths->item[i], '=');
        struct network net;
        if (!eq || (rc = network_read(eq + 1, NULL, &net, e)))
            continue;
        for (size_t k = 0; !rc && k < net.gene.n; k++)
            rc = map_add(named, net.gene.at[k], k, NULL, e);
        network_release(&net);
    }
    return rc;
}

/* Columns of the counts that are wanted, under the name that the truths have for them. */
static enum rc pick(const struct cells *c, const struct map *named, struct expression *x,
                    uint32_t *place, struct err *e)
{
    const struct column *name = table_find(&c->var, "gene_name");
    enum rc rc = RC_OK;
    for (size_t j = 0; !rc && j < c->count.n_cols; j++) {
        const char *text = name && name->kind == COLUMN_TEXT ? name->text[j] : NULL;
        place[j] = UINT32_MAX;
        if (!text || map_get(named, text) == MAP_NONE)
            text = map_get(named, c->gene[j]) == MAP_NONE ? NULL : c->gene[j];
        /* Two columns of one name: the first. */
        if (text && map_get(&x->gene.map, text) == MAP_NONE)
            rc = names_add(&x->gene, text, &place[j], e);
    }
    return rc;
}

static void fill(const struct csr *count, const uint32_t *place, struct expression *x)
{
    for (size_t i = 0; i < count->n_rows; i++) {
        double total = 0;
        for (uint64_t k = count->indptr[i]; k < count->indptr[i + 1]; k++)
            total += (double)count->value[k];
        for (uint64_t k = count->indptr[i]; k < count->indptr[i + 1]; k++)
            if (place[count->index[k]] != UINT32_MAX)
                x->x[i * x->gene.n + place[count->index[k]]] =
                    log1p(1e4 * (double)count->value[k] / total);
    }
}

static enum rc read_counts(const char *path, const struct map *named, struct expression *x,
                           struct err *e)
{
    struct cells c;
    enum rc rc = h5ad_read(path, &c, e);
    if (rc)
        return rc;
    uint32_t *place = malloc((c.count.n_cols + 1) * sizeof *place);
    if (!place || !c.count.indptr)
        rc = place ? err_set(e, RC_INPUT, "'%s' holds no counts", path)
                   : err_set(e, RC_FAIL, "no memory for %zu genes", c.count.n_cols);
    if (!rc)
        rc = pick(&c, named, x, place, e);
    if (!rc && !x->gene.n)
        rc = err_set(e, RC_INPUT, "'%s' has none of the genes of the truths", path);
    x->n_cells = c.count.n_rows;
    if (!rc && !(x->x = calloc(x->n_cells * x->gene.n + 1, sizeof *x->x)))
        rc = err_set(e, RC_FAIL, "no memory for %zu genes of %zu cells", x->gene.n, x->n_cells);
    if (!rc)
        fill(&c.count, place, x);
    free(place);
    cells_release(&c);
    return rc;
}

enum rc grn_expression_read(const char *path, bool cells_in_rows, const struct opt_list *truths,
                            struct expression *x, struct err *e)
{
    const size_t n = strlen(path);
    struct map named;
    if (n < 5 || strcmp(path + n - 5, ".h5ad") != 0)
        return expression_read(path, cells_in_rows, x, e);
    *x = (struct expression){ 0 };
    names_init(&x->gene);
    map_init(&named);
    enum rc rc = named_genes(truths, &named, e);
    if (!rc)
        rc = read_counts(path, &named, x, e);
    map_release(&named);
    if (rc)
        expression_release(x);
    return rc;
}
