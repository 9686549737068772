#include "lib/io/pair_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/io/number.h"
#include "lib/io/sheet.h"

enum { MAX_GENES = 20000 }; /* 3.2 GB */

void pair_table_release(struct pair_table *t)
{
    names_release(&t->gene);
    free(t->x);
    *t = (struct pair_table){ 0 };
}

static enum rc take_head(struct pair_table *t, const struct sheet *s, struct err *e)
{
    const size_t first = s->r_style ? 0 : 1, n = s->n_head > first ? s->n_head - first : 0;
    enum rc rc = RC_OK;
    if (n < 2 || n > MAX_GENES)
        return err_set(e, RC_INPUT, "a table of pairs has 2 to %d genes, not %zu", MAX_GENES, n);
    for (size_t i = 0; !rc && i < n; i++) {
        uint32_t number;
        const char *name = s->head[first + i];
        if (!*name)
            rc = err_set(e, RC_INPUT, "column %zu has no gene", first + i + 1);
        else
            rc = names_add(&t->gene, name, &number, e);
        if (!rc && t->gene.n != i + 1)
            rc = err_set(e, RC_INPUT, "gene '%.60s' stands there twice", name);
    }
    if (!rc && !(t->x = malloc(n * n * sizeof *t->x)))
        rc = err_set(e, RC_FAIL, "no memory for pairs of %zu genes", n);
    return rc;
}

static enum rc take_row(struct pair_table *t, const struct sheet *s, size_t row, struct err *e)
{
    const size_t n = t->gene.n;
    if (row >= n || strcmp(s->field[0], t->gene.at[row]) != 0)
        return err_set(e, RC_INPUT, "line %zu: gene '%.60s', where the header has '%.60s'",
                       s->l.number, s->field[0], row < n ? t->gene.at[row] : "none");
    for (size_t j = 0; j < n; j++) {
        const char *text = s->field[j + 1];
        double *x = &t->x[row * n + j];
        if (!*text || strcasecmp(text, "nan") == 0)
            *x = NAN;
        else if (!number_parse(text, x) || isinf(*x))
            return err_set(e, RC_INPUT, "line %zu, gene '%.60s': '%.60s' is no number", s->l.number,
                           t->gene.at[j], text);
        const double y = j < row ? t->x[j * n + row] : *x;
        const bool same = isnan(*x) ? isnan(y) : fabs(*x - y) <= 1e-9 * fmax(fabs(*x), fabs(y));
        if (!same)
            return err_set(e, RC_INPUT, "pair '%.60s', '%.60s' has two numbers, %.9g and %.9g",
                           t->gene.at[row], t->gene.at[j], y, *x);
        *x = y;
    }
    return RC_OK;
}

static enum rc read_sheet(struct pair_table *t, struct sheet *s, struct err *e)
{
    bool more = true;
    size_t row = 0;
    enum rc rc = take_head(t, s, e);
    while (!rc && !(rc = sheet_next(s, &more, e)) && more)
        rc = take_row(t, s, row++, e);
    if (!rc && row != t->gene.n)
        rc = err_set(e, RC_INPUT, "%zu genes in the header and %zu rows", t->gene.n, row);
    return rc;
}

enum rc pair_table_read(struct pair_table *t, const char *path, struct err *e)
{
    struct sheet s;
    *t = (struct pair_table){ 0 };
    names_init(&t->gene);
    enum rc rc = sheet_open(&s, path, e);
    if (!rc) {
        rc = read_sheet(t, &s, e);
        sheet_close(&s);
    }
    if (rc)
        pair_table_release(t);
    return rc ? err_wrap(e, "cannot read '%s'", path) : RC_OK;
}
