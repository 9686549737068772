/* Dense matrices as text, genes in rows (the authors' input) or cells in rows.
 *
 * Which side holds the genes is told, in this order, by the corner of the header ("gene_id",
 * "barcode"), by what the names of both sides look like (genes_likeness), and where neither says
 * anything it is the rows, as in the files of the paper. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/io/genes.h"
#include "lib/io/number.h"
#include "lib/io/sheet.h"
#include "lib/io/source.h"

/* 1: names of genes, -1: names of cells, 0: no word that we know. */
static int corner_says(const char *word)
{
    static const char *const gene[] = { "gene", "symbol", "feature", "ensembl", "hgnc", "mgi" };
    static const char *const cell[] = { "cell", "barcode", "obs", "sample", "well" };
    char low[64] = "";
    for (size_t i = 0; word[i] && i + 1 < sizeof low; i++)
        low[i] = (char)tolower((unsigned char)word[i]);
    for (size_t i = 0; i < sizeof gene / sizeof *gene; i++)
        if (strstr(low, gene[i]))
            return 1;
    for (size_t i = 0; i < sizeof cell / sizeof *cell; i++)
        if (strstr(low, cell[i]))
            return -1;
    return 0;
}

struct rows {
    struct csr_builder b;
    const char **name; /* owned array, texts in the source's arena */
    size_t n, room;
};

static enum rc add_name(struct rows *r, struct arena *a, const char *name, struct err *e)
{
    if (r->n == r->room) {
        size_t room = 2 * r->room + 1024;
        const char **more = realloc(r->name, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu rows", r->n);
        r->name = more;
        r->room = room;
    }
    r->name[r->n] = arena_text(a, name);
    return r->name[r->n++] ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu rows", r->n);
}

static enum rc refuse_field(const struct sheet *t, size_t i, struct err *e)
{
    const char *f = t->field[i];
    const char *name = t->head[i - t->r_style];
    bool none = !*f || strcasecmp(f, "na") == 0 || strcasecmp(f, "nan") == 0 ||
                strcasecmp(f, "null") == 0 || strcasecmp(f, "none") == 0;
    return err_set(e, RC_INPUT, "'%s': line %zu, column '%.60s': %s%.60s%s", t->l.path, t->l.number,
                   name, *f ? "'" : "the field is empty", f,
                   !*f    ? ""
                   : none ? "' is a missing value"
                          : "' is no number");
}

static enum rc read_rows(struct sheet *t, struct source *s, struct rows *r, struct err *e)
{
    bool more = true;
    double v;
    enum rc rc = RC_OK;
    while (!rc && !(rc = sheet_next(t, &more, e)) && more) {
        rc = add_name(r, &s->text, t->field[0], e);
        for (size_t i = 1; !rc && i < t->n_fields; i++) {
            if (!number_parse(t->field[i], &v)) {
                rc = refuse_field(t, i, e);
                break;
            }
            uint32_t count = counts_take(&s->check, v, r->n - 1, i - 1);
            if (count)
                rc = builder_add(&r->b, (uint32_t)(i - 1), count, e);
        }
        if (!rc)
            rc = builder_end_row(&r->b, e);
    }
    return rc;
}

/* Copies n names into the source's arena. */
static const char **keep(struct arena *a, const char *const *name, size_t n, struct err *e)
{
    const char **to = arena_get(a, (n + 1) * sizeof *to);
    for (size_t i = 0; to && i < n; i++)
        if (!(to[i] = arena_text(a, name[i])))
            to = NULL;
    if (!to)
        err_set(e, RC_FAIL, "no memory for %zu names", n);
    return to;
}

static bool genes_in_rows(const struct sheet *t, const char *const *row, size_t n_rows,
                          const char *const *col, size_t n_cols)
{
    int corner = t->r_style ? 0 : corner_says(t->head[0]);
    if (corner)
        return corner > 0;
    return genes_likeness(row, n_rows) >= genes_likeness(col, n_cols);
}

static enum rc finish(const struct sheet *t, struct rows *r, struct source *s, struct err *e)
{
    size_t skip = t->r_style ? 0 : 1, n_cols = t->n_head - skip;
    const char **row = arena_get(&s->text, (r->n + 1) * sizeof *row);
    const char **col = keep(&s->text, (const char *const *)t->head + skip, n_cols, e);
    if (!row || !col)
        return err_set(e, RC_FAIL, "no memory for %zu names", r->n + n_cols);
    memcpy(row, r->name, r->n * sizeof *row);
    bool genes = genes_in_rows(t, row, r->n, col, n_cols);
    s->cell = genes ? col : row;
    s->id = genes ? row : col;
    snprintf(s->where, sizeof s->where, "table, %s in rows", genes ? "genes" : "cells");
    if (!genes)
        return builder_finish(&r->b, n_cols, &s->count, e);
    uint64_t swap = s->check.bad_row;
    s->check.bad_row = s->check.bad_col;
    s->check.bad_col = swap;
    struct csr turned;
    if (builder_finish(&r->b, n_cols, &turned, e))
        return e ? e->rc : RC_FAIL;
    return source_turn(&turned, &s->count, e);
}

enum rc dense_read(const char *path, struct source *s, char *sep, struct err *e)
{
    struct sheet t;
    struct rows r = { 0 };
    enum rc rc = sheet_open(&t, path, e);
    if (rc)
        return rc;
    *sep = t.sep;
    if (t.n_fields < 2)
        rc = err_set(e, RC_INPUT, "'%s' has one column only: no matrix", path);
    else if (t.n_fields >= UINT32_MAX)
        rc = err_set(e, RC_INPUT, "'%s' has too many columns", path);
    if (!rc)
        rc = read_rows(&t, s, &r, e);
    if (!rc)
        rc = finish(&t, &r, s, e);
    sheet_close(&t);
    builder_release(&r.b);
    free(r.name);
    return rc;
}
