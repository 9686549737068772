/* Dense matrices as text, genes in rows (the authors' input) or cells in rows.
 *
 * Which side holds the genes is told, in this order, by the corner of the header ("gene_id",
 * "barcode"), by what the names of both sides look like (genes_likeness), and where neither says
 * anything it is the rows, as in the files of the paper.
 *
 * Rows go on while they are read; when all names are known and the rows turn out to be genes, the
 * matrix is turned (turn.h). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/io/genes.h"
#include "lib/io/number.h"
#include "lib/io/sheet.h"
#include "lib/io/turn.h"

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

enum { FLUSH_ENTRIES = 1 << 20, FLUSH_ROWS = 1 << 16 };

struct rows {
    struct source *to;
    struct csr_builder b;
    size_t n_cols;
    const char **name; /* owned array, texts in the source's arena */
    size_t n, room;
};

static enum rc add_name(struct rows *r, const char *name, size_t n_bytes, struct err *e)
{
    if (r->n == r->room) {
        size_t room = 2 * r->room + 1024;
        const char **more = realloc(r->name, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu rows", r->n);
        r->name = more;
        r->room = room;
    }
    char *to = arena_chars(&r->to->text, n_bytes + 1);
    if (!to)
        return err_set(e, RC_FAIL, "no memory for %zu rows", r->n);
    memcpy(to, name, n_bytes);
    to[n_bytes] = '\0';
    r->name[r->n++] = to;
    return RC_OK;
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

/* ---- rows of small whole numbers, what nearly every row is made of ---- */

/* Four fields of 0 as they lie in a line: most of a matrix. */
static uint64_t four_zeros(char sep)
{
    const char text[8] = { '0', sep, '0', sep, '0', sep, '0', sep };
    uint64_t v;
    memcpy(&v, text, sizeof v);
    return v;
}

/* A whole number of up to nine digits, `.0` behind it allowed; NULL: something else. */
static inline const char *plain_number(const char *s, uint32_t *v)
{
    const char *from = s;
    uint32_t x = 0;
    for (; (unsigned char)(*s - '0') < 10; s++)
        x = 10 * x + (unsigned char)(*s - '0');
    *v = x;
    if (s == from || s - from > 9)
        return NULL;
    if (*s == '.')
        do
            s++;
        while (*s == '0');
    return s;
}

/* The whole row from its text, which is not changed; *plain is false, and nothing was taken, when
 * it holds anything else: then it is cut, and looked at field by field. */
static enum rc take_plain(const struct sheet *t, struct rows *r, bool *plain, struct err *e)
{
    const char *s = t->l.text, *end = s + t->l.n_bytes, *name_end = memchr(s, t->sep, t->l.n_bytes);
    const uint64_t zeros = four_zeros(t->sep);
    const size_t before = r->b.nnz;
    struct counts_check got = { 0 };
    size_t n = 1;
    *plain = false;
    if (!name_end || *s == '"')
        return RC_OK;
    for (s = name_end + 1;; s++) {
        uint64_t next;
        uint32_t v;
        for (; end - s >= 8; s += 8, n += 4) {
            memcpy(&next, s, sizeof next);
            if (next != zeros)
                break;
        }
        s = plain_number(s, &v);
        if (!s || (*s && *s != t->sep))
            break;
        if (v && builder_add(&r->b, (uint32_t)(n - 1), v, e))
            return RC_FAIL;
        got.n += v != 0;
        got.high = v > got.high ? v : got.high;
        n++;
        if (!*s)
            break;
    }
    *plain = s && !*s && n == t->n_fields;
    if (!*plain) {
        r->b.nnz = before;
        return RC_OK;
    }
    r->to->check.n += got.n;
    r->to->check.high = got.high > r->to->check.high ? got.high : r->to->check.high;
    return add_name(r, t->l.text, (size_t)(name_end - t->l.text), e);
}

static enum rc take_fields(const struct sheet *t, struct rows *r, struct err *e)
{
    double v;
    enum rc rc = add_name(r, t->field[0], strlen(t->field[0]), e);
    for (size_t i = 1; !rc && i < t->n_fields; i++) {
        if (!number_parse(t->field[i], &v))
            return refuse_field(t, i, e);
        uint32_t count = counts_take(&r->to->check, v, r->n - 1, i - 1);
        if (count)
            rc = builder_add(&r->b, (uint32_t)(i - 1), count, e);
    }
    return rc;
}

static enum rc flush(struct rows *r, struct err *e)
{
    struct csr rows;
    enum rc rc = builder_finish(&r->b, r->n_cols, &rows, e);
    if (!rc)
        rc = source_rows_add(r->to, &rows, e);
    csr_release(&rows);
    return rc;
}

static enum rc read_rows(struct sheet *t, struct rows *r, struct err *e)
{
    const struct csr none = { .n_cols = r->n_cols, .indptr = &(uint64_t){ 0 } };
    bool more = true, cut;
    source_rows_begin(r->to, r->n_cols);
    enum rc rc = source_rows_add(r->to, &none, e);
    while (!rc && !(rc = sheet_next_text(t, &more, &cut, e)) && more) {
        bool plain = false;
        if (!cut)
            rc = take_plain(t, r, &plain, e);
        if (!rc && !plain && !cut)
            rc = sheet_cut(t, e);
        if (!rc && !plain)
            rc = take_fields(t, r, e);
        if (!rc)
            rc = builder_end_row(&r->b, e);
        if (!rc && (r->b.nnz >= FLUSH_ENTRIES || r->b.nnz > r->to->spool_from ||
                    r->b.n_rows == FLUSH_ROWS))
            rc = flush(r, e);
    }
    return rc ? rc : flush(r, e);
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

/* The rows that were read are features: s gets them as columns. */
static enum rc turn(struct source *s, struct err *e)
{
    struct source genes;
    source_init(&genes);
    source_swap_rows(s, &genes);
    uint64_t swap = s->check.bad_row;
    s->check.bad_row = s->check.bad_col;
    s->check.bad_col = swap;
    enum rc rc = turn_source(&genes, s, e);
    source_release(&genes);
    return rc;
}

static enum rc finish(const struct sheet *t, struct rows *r, struct err *e)
{
    struct source *s = r->to;
    size_t skip = t->r_style ? 0 : 1;
    const char **row = arena_get(&s->text, (r->n + 1) * sizeof *row);
    const char **col = keep(&s->text, (const char *const *)t->head + skip, r->n_cols, e);
    if (!row || !col)
        return err_set(e, RC_FAIL, "no memory for %zu names", r->n + r->n_cols);
    memcpy(row, r->name, r->n * sizeof *row);
    bool genes = genes_in_rows(t, row, r->n, col, r->n_cols);
    s->cell = genes ? col : row;
    s->id = genes ? row : col;
    snprintf(s->where, sizeof s->where, "table, %s in rows", genes ? "genes" : "cells");
    return genes ? turn(s, e) : RC_OK;
}

enum rc dense_read(const char *path, struct source *s, char *sep, struct err *e)
{
    struct sheet t;
    struct rows r = { .to = s };
    enum rc rc = sheet_open(&t, path, e);
    if (rc)
        return rc;
    *sep = t.sep;
    if (t.n_fields < 2)
        rc = err_set(e, RC_INPUT, "'%s' has one column only: no matrix", path);
    else if (t.n_fields >= UINT32_MAX)
        rc = err_set(e, RC_INPUT, "'%s' has too many columns", path);
    r.n_cols = t.n_fields - 1;
    if (!rc)
        rc = read_rows(&t, &r, e);
    if (!rc)
        rc = finish(&t, &r, e);
    sheet_close(&t);
    builder_release(&r.b);
    free(r.name);
    return rc;
}
