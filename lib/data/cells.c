#include "lib/data/cells.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/sha256.h"
#include "lib/base/spill.h"

void cells_init(struct cells *c)
{
    *c = (struct cells){ 0 };
}

void cells_release(struct cells *c)
{
    csr_release(&c->count);
    spill_free(c->cell);
    spill_free(c->gene);
    table_release(&c->obs);
    table_release(&c->var);
    *c = (struct cells){ 0 };
}

static enum rc select_counts(const struct cells *c, const unsigned char *keep_cell,
                             const unsigned char *keep_gene, struct csr *out, struct err *e)
{
    size_t n = c->count.n_cols, to = 0;
    if (!keep_gene)
        return csr_select(&c->count, keep_cell, NULL, n, out, e);
    uint32_t *col_to = malloc((n + 1) * sizeof *col_to);
    if (!col_to)
        return err_set(e, RC_FAIL, "no memory for %zu genes", n);
    for (size_t j = 0; j < n; j++)
        col_to[j] = keep_gene[j] ? (uint32_t)to++ : UINT32_MAX;
    enum rc rc = csr_select(&c->count, keep_cell, col_to, to, out, e);
    free(col_to);
    return rc;
}

/* Copies the names where keep (NULL: all) into the arena of t, which has a row for each. */
static const char **select_names(const char *const *name, size_t n, const unsigned char *keep,
                                 struct table *t)
{
    const char **to = spill_alloc((t->n_rows + 1) * sizeof *to);
    for (size_t i = 0, k = 0; to && i < n; i++) {
        spill_step(i);
        if (keep && !keep[i])
            continue;
        to[k] = arena_text(&t->text, name[i]);
        if (!to[k++]) {
            spill_free(to);
            return NULL;
        }
    }
    return to;
}

static enum rc select_head(const struct cells *c, const unsigned char *keep_cell,
                           const unsigned char *keep_gene, struct cells *out, struct err *e)
{
    cells_init(out);
    enum rc rc = table_select(&c->obs, keep_cell, &out->obs, e);
    if (!rc)
        rc = table_select(&c->var, keep_gene, &out->var, e);
    if (!rc) {
        out->count.n_rows = out->obs.n_rows;
        out->count.n_cols = out->var.n_rows;
        out->cell = select_names(c->cell, c->count.n_rows, keep_cell, &out->obs);
        out->gene = select_names(c->gene, c->count.n_cols, keep_gene, &out->var);
        if (!out->cell || !out->gene)
            rc = err_set(e, RC_FAIL, "no memory for names");
    }
    if (rc)
        cells_release(out);
    return rc;
}

enum rc cells_select(const struct cells *c, const unsigned char *keep_cell,
                     const unsigned char *keep_gene, struct cells *out, struct err *e)
{
    struct csr count;
    enum rc rc = select_head(c, keep_cell, keep_gene, out, e);
    if (rc)
        return rc;
    rc = select_counts(c, keep_cell, keep_gene, &count, e);
    if (rc)
        cells_release(out);
    else
        out->count = count;
    return rc;
}

static size_t keep_names(const char **name, size_t n, const unsigned char *keep)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (keep[i])
            name[to++] = name[i];
        spill_step(i);
    }
    return to;
}

void cells_keep_head(struct cells *c, const unsigned char *keep_cell,
                     const unsigned char *keep_gene)
{
    if (keep_cell) {
        table_keep(&c->obs, keep_cell);
        c->count.n_rows = keep_names(c->cell, c->count.n_rows, keep_cell);
    }
    if (keep_gene) {
        table_keep(&c->var, keep_gene);
        c->count.n_cols = keep_names(c->gene, c->count.n_cols, keep_gene);
    }
}

uint64_t cell_id_of(const char *sample, const char *barcode)
{
    struct sha256 s;
    char hex[SHA256_HEX];
    if (sha256_init(&s, NULL))
        return 0;
    if (sha256_add(&s, sample, strlen(sample), NULL) || sha256_add(&s, "\t", 1, NULL) ||
        sha256_add(&s, barcode, strlen(barcode), NULL)) {
        sha256_release(&s);
        return 0;
    }
    if (sha256_end(&s, hex, NULL))
        return 0;
    hex[16] = '\0';
    uint64_t id = strtoull(hex, NULL, 16);
    return id ? id : 1;
}

const char *species_name(enum species s)
{
    return s == SPECIES_HUMAN ? "human" : s == SPECIES_MOUSE ? "mouse" : "unknown";
}

enum species species_parse(const char *text)
{
    if (text && strcmp(text, "human") == 0)
        return SPECIES_HUMAN;
    if (text && strcmp(text, "mouse") == 0)
        return SPECIES_MOUSE;
    return SPECIES_UNKNOWN;
}
