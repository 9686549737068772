#include "lib/io/sheet.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

/* Zero when none stands there. */
static char find_separator(const char *text)
{
    static const char sep[] = "\t,; ";
    size_t n[4] = { 0 };
    bool quoted = false;
    for (const char *s = text; *s; s++) {
        quoted ^= *s == '"';
        const char *at = quoted ? NULL : strchr(sep, *s);
        if (at)
            n[at - sep]++;
    }
    /* Blanks stand in names as well: only where nothing else does. */
    size_t best = 0;
    for (size_t i = 1; i < 3; i++)
        best = n[i] > n[best] ? i : best;
    if (n[best] == 0)
        return n[3] ? ' ' : '\0';
    return sep[best];
}

/* Takes the quotes off the field at s; NULL when they are not closed, else the place behind. */
static char *unquote(char *s)
{
    char *to = s, *from = s + 1;
    for (;; from++) {
        if (!*from)
            return NULL;
        if (*from == '"' && from[1] == '"')
            from++;
        else if (*from == '"')
            break;
        *to++ = *from;
    }
    *to = '\0';
    return from + 1;
}

/* Cuts text in place; at most max fields are set, all are counted. */
static enum rc split(const struct sheet *s, char *text, char **field, size_t max, size_t *n,
                     struct err *e)
{
    char *at = text;
    for (*n = 0;;) {
        if (*n < max)
            field[*n] = at;
        ++*n;
        char *end;
        if (*at == '"') {
            end = unquote(at);
            if (!end || (*end && *end != s->sep))
                return err_set(e, RC_INPUT, "'%s': line %zu: %s", s->l.path, s->l.number,
                               end ? "text after a closing quote" : "a quote is never closed");
        } else {
            const char stop[2] = { s->sep, '\0' }; /* no separator: the whole line */
            end = at + strcspn(at, stop);
        }
        if (!*end)
            return RC_OK;
        *end = '\0';
        at = end + 1;
    }
}

/* The next line with anything on it. */
static enum rc next_line(struct sheet *s, bool *more, struct err *e)
{
    enum rc rc;
    do
        rc = lines_next(&s->l, more, e);
    while (!rc && *more && s->l.n_bytes == 0);
    return rc;
}

static enum rc read_head(struct sheet *s, struct err *e)
{
    bool more;
    enum rc rc;
    do
        rc = next_line(s, &more, e);
    while (!rc && more && s->l.text[0] == '#');
    if (rc)
        return rc;
    if (!more)
        return err_set(e, RC_INPUT, "'%s' is empty", s->l.path);
    const char *text = s->l.text;
    s->sep = find_separator(text);
    s->head_text = text_new("%s", text);
    size_t room = 1;
    for (const char *c = text; *c; c++)
        room += *c == s->sep;
    s->head = malloc(room * sizeof *s->head);
    if (!s->head_text || !s->head)
        return err_set(e, RC_FAIL, "no memory for %zu columns", room);
    return split(s, s->head_text, s->head, room, &s->n_head, e);
}

static enum rc read_first(struct sheet *s, struct err *e)
{
    bool more;
    size_t n;
    s->field = malloc((s->n_head + 1) * sizeof *s->field);
    if (!s->field)
        return err_set(e, RC_FAIL, "no memory for %zu columns", s->n_head);
    enum rc rc = next_line(s, &more, e);
    if (rc)
        return rc;
    if (!more)
        return err_set(e, RC_INPUT, "'%s' has a header but no rows", s->l.path);
    /* R's header of one column has no separator: the first row has. */
    if (!s->sep)
        s->sep = find_separator(s->l.text);
    rc = split(s, s->l.text, s->field, s->n_head + 1, &n, e);
    if (rc)
        return rc;
    if (n != s->n_head && n != s->n_head + 1)
        return err_set(e, RC_INPUT, "'%s': line %zu has %zu fields, the header has %zu", s->l.path,
                       s->l.number, n, s->n_head);
    s->r_style = n == s->n_head + 1;
    s->n_fields = n;
    s->waiting = true;
    return RC_OK;
}

enum rc sheet_open(struct sheet *s, const char *path, struct err *e)
{
    *s = (struct sheet){ 0 };
    enum rc rc = lines_open(&s->l, path, e);
    if (!rc)
        rc = read_head(s, e);
    if (!rc)
        rc = read_first(s, e);
    if (rc)
        sheet_close(s);
    return rc;
}

enum rc sheet_next_text(struct sheet *s, bool *more, bool *cut, struct err *e)
{
    *cut = *more = s->waiting;
    s->waiting = false;
    return *cut ? RC_OK : next_line(s, more, e);
}

enum rc sheet_cut(struct sheet *s, struct err *e)
{
    size_t n;
    enum rc rc = split(s, s->l.text, s->field, s->n_fields, &n, e);
    if (!rc && n != s->n_fields)
        rc = err_set(e, RC_INPUT, "'%s': line %zu has %zu fields, the others have %zu", s->l.path,
                     s->l.number, n, s->n_fields);
    return rc;
}

enum rc sheet_next(struct sheet *s, bool *more, struct err *e)
{
    bool cut;
    enum rc rc = sheet_next_text(s, more, &cut, e);
    return rc || !*more || cut ? rc : sheet_cut(s, e);
}

void sheet_close(struct sheet *s)
{
    lines_close(&s->l);
    free(s->head);
    free(s->head_text);
    free(s->field);
    *s = (struct sheet){ 0 };
}
