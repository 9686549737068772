/* Cell Ranger's folders: matrix.mtx, features.tsv or genes.tsv, barcodes.tsv, each plain or gzip.
 *
 * Matrix Market: a line `%%MatrixMarket matrix coordinate integer|real general`, comments that
 * start with %, a line `rows columns entries`, then `row column value` from 1. Rows are features
 * and columns are cells; the other way round is accepted where the counts of names say so. Nothing
 * is allocated for declared entries before they were read.
 *
 * Most files are sorted by cell: their entries go on as rows while they are read. At the first
 * entry of an earlier cell the file is begun again, and its entries are turned (turn.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/spill.h"
#include "lib/io/lines.h"
#include "lib/io/number.h"
#include "lib/io/turn.h"

struct name_column {
    const char **text;
    size_t n, room;
};

static enum rc push_name(struct name_column *c, struct arena *a, const char *text, struct err *e)
{
    if (c->n == c->room) {
        size_t room = 2 * c->room + 1024;
        const char **more = spill_grow(c->text, c->n * sizeof *more, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu names", c->n);
        c->text = more;
        c->room = room;
    }
    spill_step(c->n);
    c->text[c->n] = arena_text(a, text);
    return c->text[c->n++] ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu names", c->n);
}

static enum rc keep_column(struct name_column *c, struct arena *a, const char ***to, struct err *e)
{
    *to = arena_get(a, (c->n + 1) * sizeof **to);
    if (*to && c->n)
        spill_copy(*to, c->text, c->n * sizeof **to);
    spill_free(c->text);
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
        spill_free(c[i].text);
    }
    return rc;
}

/* Where entries go: rows under way (n_rows of them ended), or any order. */
struct entries {
    struct source *s;
    bool sorted, broken; /* broken: sorted was wrong */
    struct csr_builder b;
    size_t n_rows, n_cells, n_features;
    struct turn turn;
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

enum { FLUSH_ENTRIES = 1 << 20, FLUSH_ROWS = 1 << 16 };

/* The rows that are ended go to the source. */
static enum rc flush(struct entries *t, struct err *e)
{
    struct csr rows;
    enum rc rc = builder_finish(&t->b, t->n_features, &rows, e);
    if (!rc)
        rc = source_rows_add(t->s, &rows, e);
    csr_release(&rows);
    return rc;
}

/* Ends rows until `cell` is the one under way. */
static enum rc go_to(struct entries *t, size_t cell, struct err *e)
{
    enum rc rc = RC_OK;
    while (!rc && t->n_rows < cell) {
        rc = builder_end_row(&t->b, e);
        t->n_rows++;
        if (!rc &&
            (t->b.nnz >= FLUSH_ENTRIES || t->b.nnz > t->s->spool_from || t->b.n_rows == FLUSH_ROWS))
            rc = flush(t, e);
    }
    return rc;
}

static enum rc push_entry(struct entries *t, uint64_t cell, uint64_t feature, uint32_t v,
                          struct err *e)
{
    if (!t->sorted)
        return turn_add(&t->turn, (uint32_t)cell, (uint32_t)feature, v, e);
    if (cell < t->n_rows) {
        t->broken = true;
        return RC_OK;
    }
    enum rc rc = cell > t->n_rows ? go_to(t, (size_t)cell, e) : RC_OK;
    return rc ? rc : builder_add(&t->b, (uint32_t)feature, v, e);
}

/* Digits, then a blank: what nearly every entry is made of. NULL: something else stands there. */
static inline const char *plain_number(const char *s, uint64_t *v)
{
    const char *from = s;
    uint64_t x = 0;
    for (; (unsigned char)(*s - '0') < 10; s++)
        x = 10 * x + (unsigned char)(*s - '0');
    *v = x;
    return s > from && s - from < 18 ? s : NULL;
}

/* `row column value` in whole numbers with a blank between; false: read_entry is to look at it. */
static inline bool plain_entry(const char *s, const uint64_t size[3], uint64_t at[2], double *v)
{
    uint64_t count;
    if (!(s = plain_number(s, &at[0])) || *s != ' ' || !(s = plain_number(s + 1, &at[1])) ||
        *s != ' ' || !(s = plain_number(s + 1, &count)) || *s)
        return false;
    *v = (double)count;
    return at[0] - 1 < size[0] && at[1] - 1 < size[1] && count < (uint64_t)1 << 50;
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

static enum rc read_entries(struct lines *l, const uint64_t size[3], bool turned, struct entries *t,
                            struct err *e)
{
    bool more = true;
    uint64_t n = 0, at[2];
    double v;
    enum rc rc = RC_OK;
    while (!rc && !t->broken && !(rc = lines_next(l, &more, e)) && more) {
        if (!*skip_blanks(l->text))
            continue;
        if (n == size[2])
            return err_set(e, RC_INPUT, "'%s': line %zu: more than the %llu entries declared",
                           l->path, l->number, (unsigned long long)size[2]);
        rc = plain_entry(l->text, size, at, &v) ? RC_OK : read_entry(l, size, at, &v, e);
        n++;
        if (rc)
            break;
        uint64_t cell = at[turned ? 0 : 1] - 1, feature = at[turned ? 1 : 0] - 1;
        uint32_t count = counts_take(&t->s->check, v, cell, feature);
        if (count)
            rc = push_entry(t, cell, feature, count, e);
    }
    if (!rc && !t->broken && n < size[2])
        rc = err_set(e, RC_INPUT, "'%s' ends after %llu of %llu entries", l->path,
                     (unsigned long long)n, (unsigned long long)size[2]);
    return rc;
}

/* All entries, in the way that t->sorted says. */
static enum rc take_entries(struct lines *l, const uint64_t size[3], bool turned, struct entries *t,
                            struct err *e)
{
    const struct csr none = { .n_cols = t->n_features, .indptr = &(uint64_t){ 0 } };
    enum rc rc = RC_OK;
    t->s->check = (struct counts_check){ 0 };
    source_rows_begin(t->s, t->n_features);
    if (t->sorted)
        rc = source_rows_add(t->s, &none, e);
    else
        rc = turn_begin(&t->turn, t->s, t->n_cells, t->n_features, size[2], e);
    if (!rc)
        rc = read_entries(l, size, turned, t, e);
    if (!rc && !t->broken && t->sorted)
        rc = go_to(t, t->n_cells, e);
    if (!rc && !t->broken)
        rc = t->sorted ? flush(t, e) : turn_end(&t->turn, e);
    builder_release(&t->b);
    if (!t->sorted)
        turn_release(&t->turn);
    return rc;
}

static enum rc read_head(struct lines *l, size_t n_features, size_t n_cells, uint64_t size[3],
                         bool *turned, struct err *e)
{
    enum rc rc = read_banner(l, e);
    if (!rc)
        rc = read_sizes(l, size, e);
    if (rc)
        return rc;
    *turned = size[0] != n_features && size[0] == n_cells && size[1] == n_features;
    if (!*turned && (size[0] != n_features || size[1] != n_cells))
        return err_set(
            e, RC_INPUT, "'%s' is %llu x %llu, but there are %zu features and %zu barcodes",
            l->path, (unsigned long long)size[0], (unsigned long long)size[1], n_features, n_cells);
    if (n_features >= UINT32_MAX || n_cells >= UINT32_MAX)
        return err_set(e, RC_INPUT, "'%s' has too many rows or columns", l->path);
    return RC_OK;
}

static enum rc read_matrix(const char *path, size_t n_features, size_t n_cells, struct source *s,
                           struct err *e)
{
    struct entries t = { .broken = true };
    enum rc rc = RC_OK;
    for (int attempt = 0; !rc && t.broken; attempt++) {
        struct lines l;
        uint64_t size[3] = { 0 };
        bool turned = false;
        t = (struct entries){
            .s = s, .sorted = attempt == 0, .n_cells = n_cells, .n_features = n_features
        };
        rc = lines_open(&l, path, e);
        if (rc)
            break;
        rc = read_head(&l, n_features, n_cells, size, &turned, e);
        if (!rc)
            rc = take_entries(&l, size, turned, &t, e);
        lines_close(&l);
    }
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
