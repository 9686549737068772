/* Cell Ranger's folders: matrix.mtx, features.tsv or genes.tsv, barcodes.tsv, each plain or gzip.
 *
 * Matrix Market: a line `%%MatrixMarket matrix coordinate integer|real general`, comments that
 * start with %, a line `rows columns entries`, then `row column value` from 1. Rows are features
 * and columns are cells; the other way round is accepted where the counts of names say so. Nothing
 * is allocated for declared entries before they were read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/io/lines.h"
#include "lib/io/number.h"
#include "lib/io/source.h"

struct name_column {
    const char **text;
    size_t n, room;
};

static enum rc push_name(struct name_column *c, struct arena *a, const char *text, struct err *e)
{
    if (c->n == c->room) {
        size_t room = 2 * c->room + 1024;
        const char **more = realloc(c->text, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu names", c->n);
        c->text = more;
        c->room = room;
    }
    c->text[c->n] = arena_text(a, text);
    return c->text[c->n++] ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu names", c->n);
}

static enum rc keep_column(struct name_column *c, struct arena *a, const char ***to, struct err *e)
{
    *to = arena_get(a, (c->n + 1) * sizeof **to);
    if (*to && c->n)
        memcpy(*to, c->text, c->n * sizeof **to);
    free(c->text);
    c->text = NULL;
    return *to ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu names", c->n);
}

/* The first up to three columns of a table without header. Lacking columns are left NULL; a column
 * that ends early is refused. */
static enum rc read_names(const char *path, struct arena *a, const char **column[3], size_t *n,
                          struct err *e)
{
    struct lines l;
    struct name_column c[3] = { { 0 } };
    bool more = true;
    size_t width = 0;
    enum rc rc = lines_open(&l, path, e);
    if (rc)
        return rc;
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        char *field[3] = { NULL };
        size_t have = fields_cut(l.text, '\t', field, 3);
        have = have < 3 ? have : 3;
        if (!*l.text && have == 1) {
            rc = lines_next(&l, &more, e);
            if (!rc && more)
                rc = err_set(e, RC_INPUT, "'%s': line %zu is empty", path, l.number - 1);
            break;
        }
        width = width ? width : have;
        if (have < width)
            rc = err_set(e, RC_INPUT, "'%s': line %zu has %zu fields, the first has %zu", path,
                         l.number, have, width);
        for (size_t i = 0; !rc && i < width; i++)
            rc = push_name(&c[i], a, field[i], e);
    }
    lines_close(&l);
    *n = c[0].n;
    for (size_t i = 0; i < 3; i++) {
        column[i] = NULL;
        if (!rc && (i < width || i == 0))
            rc = keep_column(&c[i], a, &column[i], e);
        free(c[i].text);
    }
    return rc;
}

struct entries {
    struct csr_builder b; /* index: the second coordinate, value: the count */
    uint32_t *row;        /* the first coordinate */
    size_t room;
};

static enum rc refuse_line(const struct lines *l, const char *why, struct err *e)
{
    return err_set(e, RC_INPUT, "'%s': line %zu: %s", l->path, l->number, why);
}

static enum rc read_banner(struct lines *l, struct err *e)
{
    char word[5][32] = { "" };
    bool more;
    if (lines_next(l, &more, e))
        return e ? e->rc : RC_INPUT;
    if (!more)
        return err_set(e, RC_INPUT, "'%s' is empty", l->path);
    int n =
        sscanf(l->text, "%31s %31s %31s %31s %31s", word[0], word[1], word[2], word[3], word[4]);
    if (strcasecmp(word[0], "%%MatrixMarket") != 0)
        return refuse_line(l, "does not start with %%MatrixMarket", e);
    if (n != 5 || strcasecmp(word[1], "matrix") != 0 || strcasecmp(word[2], "coordinate") != 0)
        return refuse_line(l, "is no matrix in coordinates", e);
    if (strcasecmp(word[3], "integer") != 0 && strcasecmp(word[3], "real") != 0)
        return err_set(e, RC_INPUT, "'%s': line %zu: values are %s, not integer or real", l->path,
                       l->number, word[3]);
    if (strcasecmp(word[4], "general") != 0)
        return err_set(e, RC_INPUT, "'%s': line %zu: the matrix is %s, not general", l->path,
                       l->number, word[4]);
    return RC_OK;
}

static const char *skip_blanks(const char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

/* rows, columns, entries */
static enum rc read_sizes(struct lines *l, uint64_t size[3], struct err *e)
{
    bool more;
    do {
        if (lines_next(l, &more, e))
            return e ? e->rc : RC_INPUT;
    } while (more && (l->text[0] == '%' || !*skip_blanks(l->text)));
    if (!more)
        return err_set(e, RC_INPUT, "'%s' ends before its sizes", l->path);
    const char *s = l->text;
    for (int i = 0; i < 3; i++) {
        s = skip_blanks(s);
        if (!number_whole(s, &size[i], &s))
            return refuse_line(l, "wants three whole numbers: rows, columns, entries", e);
    }
    return *skip_blanks(s) ? refuse_line(l, "text after the sizes", e) : RC_OK;
}

static enum rc push_entry(struct entries *t, uint64_t i, uint64_t j, uint32_t v, struct err *e)
{
    if (t->b.nnz == t->room) {
        size_t room = 2 * t->room + 4096;
        uint32_t *more = realloc(t->row, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu entries", t->b.nnz);
        t->row = more;
        t->room = room;
    }
    t->row[t->b.nnz] = (uint32_t)i;
    return builder_add(&t->b, (uint32_t)j, v, e);
}

/* One line `row column value`, counted from 1. */
static enum rc read_entry(const struct lines *l, const uint64_t size[3], uint64_t at[2], double *v,
                          struct err *e)
{
    const char *s = l->text;
    for (int i = 0; i < 2; i++) {
        s = skip_blanks(s);
        if (!number_whole(s, &at[i], &s) || (*s != ' ' && *s != '\t'))
            return refuse_line(l, "wants row, column and value", e);
        if (at[i] == 0 || at[i] > size[i])
            return err_set(e, RC_INPUT, "'%s': line %zu: %s %llu of %llu", l->path, l->number,
                           i ? "column" : "row", (unsigned long long)at[i],
                           (unsigned long long)size[i]);
    }
    char number[64];
    s = skip_blanks(s);
    size_t n = strcspn(s, " \t");
    if (n == 0 || n >= sizeof number || *skip_blanks(s + n))
        return refuse_line(l, "wants row, column and value", e);
    memcpy(number, s, n);
    number[n] = '\0';
    return number_parse(number, v) ? RC_OK : refuse_line(l, "the value is no number", e);
}

static enum rc read_entries(struct lines *l, const uint64_t size[3], bool turned, struct source *s,
                            struct entries *t, struct err *e)
{
    bool more = true;
    uint64_t n = 0, at[2];
    double v;
    enum rc rc = RC_OK;
    while (!rc && !(rc = lines_next(l, &more, e)) && more) {
        if (!*skip_blanks(l->text))
            continue;
        if (n == size[2])
            return err_set(e, RC_INPUT, "'%s': line %zu: more than the %llu entries declared",
                           l->path, l->number, (unsigned long long)size[2]);
        rc = read_entry(l, size, at, &v, e);
        n++;
        if (rc)
            break;
        uint64_t cell = at[turned ? 0 : 1] - 1, feature = at[turned ? 1 : 0] - 1;
        uint32_t count = counts_take(&s->check, v, cell, feature);
        if (count)
            rc = push_entry(t, cell, feature, count, e);
    }
    if (!rc && n < size[2])
        rc = err_set(e, RC_INPUT, "'%s' ends after %llu of %llu entries", l->path,
                     (unsigned long long)n, (unsigned long long)size[2]);
    return rc;
}

/* Entries in any order to rows: a counting sort that keeps their order within a row. */
static enum rc to_rows(const struct entries *t, size_t n_rows, size_t n_cols, struct csr *out,
                       struct err *e)
{
    size_t nnz = t->b.nnz;
    if (csr_alloc(out, n_rows, n_cols, nnz, e))
        return RC_FAIL;
    for (size_t k = 0; k < nnz; k++)
        out->indptr[t->row[k] + 1]++;
    for (size_t r = 0; r < n_rows; r++)
        out->indptr[r + 1] += out->indptr[r];
    for (size_t k = 0; k < nnz; k++) {
        uint64_t at = out->indptr[t->row[k]]++;
        out->index[at] = t->b.c.index[k];
        out->value[at] = t->b.c.value[k];
    }
    memmove(out->indptr + 1, out->indptr, n_rows * sizeof *out->indptr);
    out->indptr[0] = 0;
    return RC_OK;
}

static enum rc read_matrix(const char *path, size_t n_features, size_t n_cells, struct source *s,
                           struct err *e)
{
    struct lines l;
    struct entries t = { 0 };
    uint64_t size[3] = { 0 };
    enum rc rc = lines_open(&l, path, e);
    if (!rc)
        rc = read_banner(&l, e);
    if (!rc)
        rc = read_sizes(&l, size, e);
    bool turned = size[0] != n_features && size[0] == n_cells && size[1] == n_features;
    if (!rc && !turned && (size[0] != n_features || size[1] != n_cells))
        rc = err_set(e, RC_INPUT,
                     "'%s' is %llu x %llu, but there are %zu features and %zu barcodes", path,
                     (unsigned long long)size[0], (unsigned long long)size[1], n_features, n_cells);
    if (!rc && (n_features >= UINT32_MAX || n_cells >= UINT32_MAX))
        rc = err_set(e, RC_INPUT, "'%s' has too many rows or columns", path);
    if (!rc)
        rc = read_entries(&l, size, turned, s, &t, e);
    lines_close(&l);
    if (!rc)
        rc = to_rows(&t, n_cells, n_features, &s->count, e);
    builder_release(&t.b);
    free(t.row);
    return rc;
}

enum rc mtx_read(const char *matrix, const char *features, const char *barcodes, struct source *s,
                 struct err *e)
{
    const char **f[3], **b[3];
    size_t n_features, n_cells;
    if (read_names(features, &s->text, f, &n_features, e) ||
        read_names(barcodes, &s->text, b, &n_cells, e))
        return e ? e->rc : RC_INPUT;
    s->id = f[0];
    s->name = f[1];
    s->type = f[2];
    s->cell = b[0];
    snprintf(s->where, sizeof s->where, "matrix.mtx");
    return read_matrix(matrix, n_features, n_cells, s, e);
}
