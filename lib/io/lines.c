#include "lib/io/lines.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/utf8.h"
#include "lib/io/ahead.h"

enum rc lines_open(struct lines *l, const char *path, struct err *e)
{
    static char none[1];
    *l = (struct lines){ .text = none };
    enum rc rc = ahead_open(&l->file, path, e);
    if (rc)
        return rc;
    l->path = text_new("%s", path);
    l->room = 4096;
    l->own = malloc(l->room);
    if (l->path && l->own)
        return RC_OK;
    lines_close(l);
    return err_set(e, RC_FAIL, "no memory to read '%s'", path);
}

void lines_close(struct lines *l)
{
    ahead_close(l->file);
    free(l->path);
    free(l->own);
    *l = (struct lines){ 0 };
}

static enum rc fill(struct lines *l, struct err *e)
{
    const char *why;
    size_t n;
    enum rc rc = ahead_next(l->file, &l->buf, &n, &why);
    if (rc == RC_FAIL)
        return err_set(e, RC_FAIL, "no memory to read '%s'", l->path);
    if (rc)
        return err_set(e, RC_INPUT, "'%s': the gzip stream is cut or damaged near line %zu (%s)",
                       l->path, l->number + 1, why);
    l->at = 0;
    l->have = n;
    l->any = l->any || n > 0;
    l->zeros = n && memchr(l->buf, '\0', n);
    return RC_OK;
}

static enum rc append(struct lines *l, const char *s, size_t n, struct err *e)
{
    if (l->n_bytes + n + 1 > l->room) {
        size_t room = 2 * (l->n_bytes + n + 1);
        if (l->n_bytes + n > LINES_MAX_BYTES)
            return err_set(e, RC_INPUT, "'%s': line %zu is too long", l->path, l->number + 1);
        char *more = realloc(l->own, room);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for line %zu of '%s'", l->number + 1, l->path);
        l->own = more;
        l->room = room;
    }
    memcpy(l->own + l->n_bytes, s, n);
    l->n_bytes += n;
    return RC_OK;
}

/* The line is whole: it ends with a zero byte, and not with \r; the first does not begin with the
 * byte order mark of other systems. */
static void end_line(struct lines *l)
{
    if (!l->number && l->n_bytes >= 3 && memcmp(l->text, "\xef\xbb\xbf", 3) == 0) {
        l->text += 3;
        l->n_bytes -= 3;
    }
    if (l->n_bytes && l->text[l->n_bytes - 1] == '\r')
        l->n_bytes--;
    l->text[l->n_bytes] = '\0';
    l->number++;
}

/* A line that lies in the buffer stays there; one that goes on behind its end is put together. */
enum rc lines_next(struct lines *l, bool *more, struct err *e)
{
    l->n_bytes = 0;
    *more = false;
    bool ended = false, some = false;
    while (!ended) {
        if (l->at == l->have) {
            if (fill(l, e))
                return e ? e->rc : RC_INPUT;
            if (l->have == 0)
                break;
        }
        char *s = l->buf + l->at;
        const char *nl = memchr(s, '\n', l->have - l->at);
        size_t n = nl ? (size_t)(nl - s) : l->have - l->at;
        if (l->zeros && memchr(s, '\0', n))
            return err_set(e, RC_INPUT, "'%s': line %zu holds a zero byte: not a text file",
                           l->path, l->number + 1);
        l->at += n + (nl != NULL);
        ended = nl != NULL;
        if (ended && !some) {
            l->text = s;
            l->n_bytes = n;
            *more = true;
            end_line(l);
            return RC_OK;
        }
        if (append(l, s, n, e))
            return e ? e->rc : RC_INPUT;
        some = true;
    }
    if (!some)
        return RC_OK;
    l->text = l->own;
    *more = true;
    end_line(l);
    return RC_OK;
}

/* Takes the quotes off the field at s in place; returns the place behind its end. */
static char *unquote(char *s)
{
    char *to = s, *from = s + 1;
    for (; *from; from++) {
        if (*from == '"' && from[1] == '"')
            from++;
        else if (*from == '"')
            break;
        *to++ = *from;
    }
    char *behind = *from ? from + 1 : from;
    *to = '\0';
    return behind;
}

size_t fields_cut(char *text, char sep, char **field, size_t max)
{
    size_t n = 0;
    char *s = text;
    for (;;) {
        if (n < max)
            field[n] = s;
        n++;
        char *end;
        if (sep == ',' && *s == '"') {
            end = unquote(s);
            while (*end && *end != sep)
                end++;
        } else {
            end = s;
            while (*end && *end != sep)
                end++;
        }
        bool last = *end == '\0';
        *end = '\0';
        if (last)
            return n;
        s = end + 1;
    }
}

static bool is_csv(const char *path)
{
    size_t n = strlen(path);
    if (n > 3 && strcmp(path + n - 3, ".gz") == 0)
        n -= 3;
    return n > 4 && strncmp(path + n - 4, ".csv", 4) == 0;
}

static size_t count_fields(const char *text, char sep)
{
    char *copy = text_new("%s", text);
    size_t n = copy ? fields_cut(copy, sep, NULL, 0) : 0;
    free(copy);
    return n;
}

/* Two passes: the first counts rows, so that the columns have their size. */
static enum rc count_rows(const char *path, size_t *n_rows, struct err *e)
{
    struct lines l;
    bool more = true;
    *n_rows = 0;
    enum rc rc = lines_open(&l, path, e);
    while (!rc && !(rc = lines_next(&l, &more, e)) && more)
        *n_rows += l.n_bytes > 0;
    lines_close(&l);
    return rc;
}

static enum rc read_rows(struct lines *l, char sep, struct table *t, struct err *e)
{
    char **field = NULL;
    enum rc rc = RC_OK;
    bool more = true;
    size_t row = 0, n_cols = 0;
    while (!rc && !(rc = lines_next(l, &more, e)) && more) {
        if (!l->n_bytes)
            continue;
        if (!field) {
            n_cols = count_fields(l->text, sep);
            field = calloc(n_cols + 1, sizeof *field);
            if (!field)
                rc = err_set(e, RC_FAIL, "no memory for %zu columns", n_cols);
            else
                fields_cut(l->text, sep, field, n_cols);
            for (size_t i = 0; !rc && i < n_cols; i++) {
                if (table_find(t, field[i]))
                    rc = err_set(e, RC_INPUT, "'%s': two columns are called '%s'", l->path,
                                 field[i]);
                else if (!table_add(t, field[i], COLUMN_TEXT))
                    rc = err_set(e, RC_FAIL, "no memory for %zu columns", n_cols);
            }
            continue;
        }
        size_t n = fields_cut(l->text, sep, field, n_cols);
        if (row == t->n_rows)
            rc = err_set(e, RC_INPUT, "'%s' grew while it was read", l->path);
        else if (n != n_cols)
            rc = err_set(e, RC_INPUT, "'%s': line %zu has %zu fields, the header has %zu", l->path,
                         l->number, n, n_cols);
        for (size_t i = 0; !rc && i < n_cols; i++)
            rc = table_set_text(t, &t->col[i], row, field[i], e);
        row++;
    }
    if (!rc && !field)
        rc = err_set(e, RC_INPUT, "'%s' is empty", l->path);
    else if (!rc && row != t->n_rows)
        rc = err_set(e, RC_INPUT, "'%s' shrank while it was read", l->path);
    free(field);
    return rc;
}

enum rc tsv_read(const char *path, char sep, struct table *t, struct err *e)
{
    struct lines l;
    size_t n_rows;
    *t = (struct table){ 0 };
    if (count_rows(path, &n_rows, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = lines_open(&l, path, e);
    table_init(t, n_rows ? n_rows - 1 : 0);
    if (!rc)
        rc = read_rows(&l, sep ? sep : is_csv(path) ? ',' : '\t', t, e);
    lines_close(&l);
    if (rc)
        table_release(t);
    return rc;
}

enum rc tsv_read_need(const char *path, const char *columns, struct table *t, struct err *e)
{
    if (tsv_read(path, 0, t, e))
        return e ? e->rc : RC_INPUT;
    for (const char *c = columns; *c;) {
        size_t n = strcspn(c, ",");
        char *name = text_new("%.*s", (int)n, c);
        bool there = name && table_find(t, name);
        if (!there)
            err_set(e, RC_INPUT, "'%s' has no column '%s'", path, name ? name : "?");
        free(name);
        if (!there) {
            table_release(t);
            return e ? e->rc : RC_INPUT;
        }
        c += n + (c[n] == ',');
    }
    return RC_OK;
}

enum rc tsv_utf8(const struct table *t, const char *path, struct err *e)
{
    for (size_t c = 0; c < t->n_cols; c++)
        if (utf8_need(t->col[c].name, e))
            return err_wrap(e, "'%s': line 1", path);
    for (size_t i = 0; i < t->n_rows; i++)
        for (size_t c = 0; c < t->n_cols; c++)
            if (t->col[c].text && t->col[c].text[i] && utf8_need(t->col[c].text[i], e))
                return err_wrap(e, "'%s': line %zu", path, i + 2);
    return RC_OK;
}
