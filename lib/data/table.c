#include "lib/data/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"

void table_init(struct table *t, size_t n_rows)
{
    *t = (struct table){ .n_rows = n_rows };
    spill_arena(&t->text, 1 << 16);
}

void table_release(struct table *t)
{
    free(t->col);
    arena_release(&t->text);
    *t = (struct table){ 0 };
}

struct column *table_find(const struct table *t, const char *name)
{
    for (size_t i = 0; i < t->n_cols; i++)
        if (strcmp(t->col[i].name, name) == 0)
            return &t->col[i];
    return NULL;
}

const char *table_text(const struct table *t, const char *column, size_t row)
{
    const struct column *c = table_find(t, column);
    return c && c->text[row] ? c->text[row] : "";
}

static size_t entry_size(enum column_kind k)
{
    return k == COLUMN_TEXT ? sizeof(char *) : 8;
}

struct column *table_add(struct table *t, const char *name, enum column_kind kind)
{
    struct column *c = table_find(t, name);
    if (!c) {
        struct column *more = realloc(t->col, (t->n_cols + 1) * sizeof *more);
        if (!more)
            return NULL;
        t->col = more;
        c = &t->col[t->n_cols];
        c->name = arena_text(&t->text, name);
        if (!c->name)
            return NULL;
        t->n_cols++;
    }
    c->kind = kind;
    c->text = arena_get_zero(&t->text, t->n_rows * entry_size(kind));
    return c->text ? c : NULL;
}

enum rc table_set_text(struct table *t, struct column *c, size_t row, const char *text,
                       struct err *e)
{
    if (!text) {
        c->text[row] = NULL;
        return RC_OK;
    }
    /* Labels repeat: the row above often holds the same text. */
    if (row && c->text[row - 1] && strcmp(c->text[row - 1], text) == 0) {
        c->text[row] = c->text[row - 1];
        return RC_OK;
    }
    c->text[row] = arena_text(&t->text, text);
    return c->text[row] ? RC_OK : err_set(e, RC_FAIL, "no memory for column '%s'", c->name);
}

enum rc table_fill_text(struct table *t, const char *name, const char *text, struct err *e)
{
    struct column *c = table_add(t, name, COLUMN_TEXT);
    if (!c)
        return err_set(e, RC_FAIL, "no memory for column '%s'", name);
    for (size_t r = 0; r < t->n_rows; r++) {
        if (table_set_text(t, c, r, text, e))
            return RC_FAIL;
        spill_step(r);
    }
    return RC_OK;
}

enum rc table_select(const struct table *t, const unsigned char *keep, struct table *out,
                     struct err *e)
{
    size_t n = 0;
    for (size_t r = 0; r < t->n_rows; r++)
        n += !keep || keep[r];
    table_init(out, n);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < t->n_cols; i++) {
        const struct column *from = &t->col[i];
        struct column *to = table_add(out, from->name, from->kind);
        if (!to)
            rc = err_set(e, RC_FAIL, "no memory for column '%s'", from->name);
        for (size_t r = 0, k = 0; !rc && r < t->n_rows; r++) {
            spill_step(r);
            if (keep && !keep[r])
                continue;
            if (from->kind == COLUMN_TEXT)
                rc = table_set_text(out, to, k, from->text[r], e);
            else
                to->i64[k] = from->i64[r]; /* 8 bytes of either kind */
            k++;
        }
    }
    if (rc)
        table_release(out);
    return rc;
}

void table_keep(struct table *t, const unsigned char *keep)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_cols; i++) {
        struct column *c = &t->col[i];
        for (size_t r = n = 0; r < t->n_rows; r++) {
            spill_step(r);
            if (!keep[r])
                continue;
            if (c->kind == COLUMN_TEXT)
                c->text[n++] = c->text[r];
            else
                c->i64[n++] = c->i64[r]; /* 8 bytes of either kind */
        }
    }
    for (size_t r = n = 0; r < t->n_rows; r++) {
        n += keep[r] != 0;
        spill_step(r);
    }
    t->n_rows = n;
}

static double number_at(const struct column *c, size_t r)
{
    return c->kind == COLUMN_F64 ? c->f64[r] : (double)c->i64[r];
}

/* One column of the joined table: rows of a, then rows of b; either may be NULL. */
static enum rc join_column(struct table *out, const char *name, const struct column *a, size_t n_a,
                           const struct column *b, size_t n_b, struct err *e)
{
    bool text = (a && a->kind == COLUMN_TEXT) || (b && b->kind == COLUMN_TEXT);
    if (text && a && b && a->kind != b->kind)
        return err_set(e, RC_INPUT, "column '%s' holds texts in one table, numbers in another",
                       name);
    /* A side without rows has no say: whole numbers stay whole (ids do not fit a double). */
    bool whole = (a ? a->kind == COLUMN_I64 : !n_a) && (b ? b->kind == COLUMN_I64 : !n_b);
    struct column *to = table_add(out, name, text ? COLUMN_TEXT : whole ? COLUMN_I64 : COLUMN_F64);
    if (!to)
        return err_set(e, RC_FAIL, "no memory for column '%s'", name);
    for (size_t r = 0; r < n_a + n_b; r++) {
        spill_step(r);
        const struct column *from = r < n_a ? a : b;
        size_t k = r < n_a ? r : r - n_a;
        if (text) {
            if (table_set_text(out, to, r, from ? from->text[k] : NULL, e))
                return RC_FAIL;
        } else if (whole) {
            to->i64[r] = from->i64[k];
        } else {
            to->f64[r] = from ? number_at(from, k) : NAN;
        }
    }
    return RC_OK;
}

enum rc table_append(struct table *a, const struct table *b, struct err *e)
{
    struct table out;
    table_init(&out, a->n_rows + b->n_rows);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < a->n_cols; i++)
        rc = join_column(&out, a->col[i].name, &a->col[i], a->n_rows, table_find(b, a->col[i].name),
                         b->n_rows, e);
    for (size_t i = 0; !rc && i < b->n_cols; i++)
        if (!table_find(a, b->col[i].name))
            rc = join_column(&out, b->col[i].name, NULL, a->n_rows, &b->col[i], b->n_rows, e);
    if (rc) {
        table_release(&out);
        return rc;
    }
    table_release(a);
    *a = out;
    return RC_OK;
}
