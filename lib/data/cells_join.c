#include "lib/data/cells_join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/spill.h"

/* Columns of b in the joined matrix: old ones by name, new ones behind. */
static enum rc place_genes(struct cells *a, const struct cells *b, uint32_t *to, struct err *e)
{
    struct map at;
    enum rc rc = RC_OK;
    size_t n = a->count.n_cols;
    const char **gene =
        spill_grow(a->gene, n * sizeof *gene, (n + b->count.n_cols + 1) * sizeof *gene);
    if (!gene)
        return err_set(e, RC_FAIL, "no memory for %zu genes", n + b->count.n_cols);
    a->gene = gene;
    map_init(&at);
    for (size_t j = 0; !rc && j < n; j++)
        rc = map_add(&at, gene[j], j, NULL, e);
    for (size_t j = 0; !rc && j < b->count.n_cols; j++) {
        uint64_t old = MAP_NONE;
        rc = map_add(&at, b->gene[j], n, &old, e);
        to[j] = (uint32_t)(old == MAP_NONE ? n : old);
        if (!rc && old == MAP_NONE && !(gene[n++] = arena_text(&a->var.text, b->gene[j])))
            rc = err_set(e, RC_FAIL, "no memory for names of genes");
    }
    map_release(&at);
    a->count.n_cols = n;
    return rc;
}

static enum rc append_counts(struct csr *a, const struct csr *b, struct err *e)
{
    struct csr out;
    const uint64_t na = csr_nnz(a), nb = csr_nnz(b);
    if (csr_alloc(&out, a->n_rows + b->n_rows, a->n_cols, (size_t)(na + nb), e))
        return e->rc;
    for (size_t i = 0; i < a->n_rows; i++)
        out.indptr[i + 1] = a->indptr[i + 1];
    for (size_t i = 0; i < b->n_rows; i++)
        out.indptr[a->n_rows + i + 1] = na + b->indptr[i + 1];
    if (na) {
        memcpy(out.index, a->index, na * sizeof *out.index);
        memcpy(out.value, a->value, na * sizeof *out.value);
    }
    if (nb) {
        memcpy(out.index + na, b->index, nb * sizeof *out.index);
        memcpy(out.value + na, b->value, nb * sizeof *out.value);
    }
    csr_release(a);
    *a = out;
    return RC_OK;
}

/* table_append frees the arena that the names of a live in: they wait in another one. */
enum rc cells_append_obs(struct cells *a, const struct cells *b, struct err *e)
{
    if (!a->cell)
        table_init(&a->obs, 0);
    const size_t n = a->obs.n_rows, m = b->obs.n_rows;
    const char **name = calloc(n + m + 1, sizeof *name);
    struct arena old;
    arena_init(&old, 1 << 16);
    enum rc rc = name ? RC_OK : err_set(e, RC_FAIL, "no memory for names of cells");
    for (size_t i = 0; !rc && i < n + m; i++)
        if (!(name[i] = arena_text(&old, i < n ? a->cell[i] : b->cell[i - n])))
            rc = err_set(e, RC_FAIL, "no memory for names of cells");
    if (!rc)
        rc = table_append(&a->obs, &b->obs, e);
    for (size_t i = 0; !rc && i < n + m; i++)
        if (!(name[i] = arena_text(&a->obs.text, name[i])))
            rc = err_set(e, RC_FAIL, "no memory for names of cells");
    arena_release(&old);
    if (rc) {
        free(name);
        return rc;
    }
    spill_free(a->cell);
    a->cell = name;
    return RC_OK;
}

enum rc cells_append(struct cells *a, const struct cells *b, struct err *e)
{
    struct csr moved = { 0 };
    uint32_t *to = malloc((b->count.n_cols + 1) * sizeof *to);
    if (!to)
        return err_set(e, RC_FAIL, "no memory for %zu genes", b->count.n_cols);
    if (!a->gene)
        table_init(&a->var, 0);
    enum rc rc = place_genes(a, b, to, e);
    if (!rc)
        rc = csr_select(&b->count, NULL, to, a->count.n_cols, &moved, e);
    if (!rc)
        rc = append_counts(&a->count, &moved, e);
    if (!rc)
        rc = cells_append_obs(a, b, e);
    a->var.n_rows = a->count.n_cols; /* it has no columns: the names of genes live in its arena */
    csr_release(&moved);
    free(to);
    return rc;
}

enum rc cells_name_by_sample(struct cells *c, struct err *e)
{
    struct column *barcode = table_add(&c->obs, "barcode", COLUMN_TEXT);
    const struct column *sample = table_find(&c->obs, "sample");
    for (size_t i = 0; barcode && i < c->obs.n_rows; i++) {
        const char *of = sample && sample->kind == COLUMN_TEXT ? sample->text[i] : NULL;
        if (table_set_text(&c->obs, barcode, i, c->cell[i], e))
            return RC_FAIL;
        const size_t n = strlen(of ? of : "cells") + strlen(c->cell[i]) + 2;
        char *name = arena_get(&c->obs.text, n);
        if (name)
            snprintf(name, n, "%s:%s", of ? of : "cells", c->cell[i]);
        c->cell[i] = name;
        if (!c->cell[i])
            return err_set(e, RC_FAIL, "no memory for names of cells");
    }
    return barcode ? RC_OK : err_set(e, RC_FAIL, "no memory for names of cells");
}
