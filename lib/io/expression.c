#include "lib/io/expression.h"

#include <stdlib.h>
#include <string.h>

#include "lib/io/number.h"
#include "lib/io/sheet.h"

struct reading {
    struct expression *to;
    double *row; /* [n_rows, n_cols] as in the file */
    size_t n_rows, n_cols, room;
    bool cells_in_rows;
};

static enum rc add_gene(struct expression *x, const char *path, const char *name, struct err *e)
{
    const size_t n = x->gene.n;
    uint32_t at = 0;
    if (!*name)
        return err_set(e, RC_INPUT, "'%s': a gene without a name", path);
    const enum rc rc = names_add(&x->gene, name, &at, e);
    if (!rc && at != n)
        return err_set(e, RC_INPUT, "'%s': gene '%s' is there twice", path, name);
    return rc;
}

static enum rc add_row(struct reading *r, const struct sheet *s, struct err *e)
{
    if (r->n_rows == r->room) {
        const size_t room = r->room ? 2 * r->room : 64;
        if (room > SIZE_MAX / sizeof *r->row / r->n_cols)
            return err_set(e, RC_FAIL, "no memory for %zu rows", room);
        double *more = realloc(r->row, room * r->n_cols * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu rows", room);
        r->row = more;
        r->room = room;
    }
    for (size_t j = 0; j < r->n_cols; j++)
        if (!number_parse(s->field[j + 1], &r->row[r->n_rows * r->n_cols + j]))
            return err_set(e, RC_INPUT, "'%s': line %zu: '%s' is no number", s->l.path,
                           s->l.number, s->field[j + 1]);
    r->n_rows++;
    return r->cells_in_rows ? RC_OK : add_gene(r->to, s->l.path, s->field[0], e);
}

static enum rc read_rows(struct reading *r, struct sheet *s, struct err *e)
{
    bool more = false;
    enum rc rc = RC_OK;
    const size_t skip = s->r_style ? 0 : 1;
    if (s->n_fields < 2)
        return err_set(e, RC_INPUT, "'%s' has one column only: no matrix", s->l.path);
    r->n_cols = s->n_fields - 1;
    for (size_t j = 0; !rc && r->cells_in_rows && j < r->n_cols; j++)
        rc = add_gene(r->to, s->l.path, s->head[j + skip], e);
    while (!rc && !(rc = sheet_next(s, &more, e)) && more)
        rc = add_row(r, s, e);
    return rc;
}

enum rc expression_read(const char *path, bool cells_in_rows, struct expression *x, struct err *e)
{
    struct sheet s;
    *x = (struct expression){ 0 };
    struct reading r = { .to = x, .cells_in_rows = cells_in_rows };
    enum rc rc = sheet_open(&s, path, e);
    if (rc)
        return rc;
    names_init(&x->gene);
    rc = read_rows(&r, &s, e);
    sheet_close(&s);
    if (!rc && cells_in_rows) {
        x->n_cells = r.n_rows;
        x->x = r.row;
        return RC_OK;
    }
    x->x = rc ? NULL : malloc((r.n_rows * r.n_cols + 1) * sizeof *x->x);
    if (!rc && !x->x)
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", r.n_rows);
    for (size_t i = 0; !rc && i < r.n_rows; i++)
        for (size_t j = 0; j < r.n_cols; j++)
            x->x[j * r.n_rows + i] = r.row[i * r.n_cols + j];
    x->n_cells = r.n_cols;
    free(r.row);
    if (rc)
        expression_release(x);
    return rc;
}

void expression_release(struct expression *x)
{
    names_release(&x->gene);
    free(x->x);
    *x = (struct expression){ 0 };
}
