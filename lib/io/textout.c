#include "lib/io/textout.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static bool ends_gz(const char *path)
{
    size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".gz") == 0;
}

enum rc textout_open(struct textout *t, const char *path, struct err *e)
{
    *t = (struct textout){ 0 };
    if (!ends_gz(path))
        return outfile_open(&t->o, path, e);
    if (outfile_reserve(&t->o, path, e))
        return e->rc;
    errno = 0;
    t->gz = gzopen(t->o.tmp, "wb6"); /* zlib writes no time and no name */
    if (t->gz)
        return RC_OK;
    err_set(e, RC_FAIL, "cannot write '%s': %s", path, errno ? strerror(errno) : "no memory");
    outfile_abort(&t->o);
    return RC_FAIL;
}

static void put_bytes(struct textout *t, const char *s, size_t n)
{
    if (t->gz)
        t->bad = t->bad || (n && gzwrite(t->gz, s, (unsigned)n) != (int)n);
    else
        t->bad = t->bad || fwrite(s, 1, n, t->o.f) != n;
}

void textout_text(struct textout *t, const char *text)
{
    put_bytes(t, text, strlen(text));
}

void textout_put(struct textout *t, const char *fmt, ...)
{
    char small[512];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof small) {
        put_bytes(t, small, (size_t)n);
    } else {
        char *big = n < 0 ? NULL : malloc((size_t)n + 1);
        if (big) {
            vsnprintf(big, (size_t)n + 1, fmt, again);
            put_bytes(t, big, (size_t)n);
        }
        t->bad = t->bad || !big;
        free(big);
    }
    va_end(again);
}

enum rc textout_close(struct textout *t, struct err *e)
{
    if (t->gz)
        t->bad = gzclose(t->gz) != Z_OK || t->bad;
    t->gz = NULL;
    enum rc rc = RC_OK;
    if (t->bad) {
        rc = err_set(e, RC_FAIL, "cannot write '%s'", t->o.path);
        outfile_abort(&t->o);
    } else {
        rc = outfile_commit(&t->o, e);
    }
    *t = (struct textout){ 0 };
    return rc;
}

void textout_abort(struct textout *t)
{
    if (t->gz)
        gzclose(t->gz);
    outfile_abort(&t->o);
    *t = (struct textout){ 0 };
}

/* ---- tables ---- */

static bool clean(const char *text, char sep)
{
    return !strchr(text, sep) && !strpbrk(text, "\r\n");
}

static void put_text(struct textout *o, const char *text, bool quote)
{
    if (!quote) {
        textout_text(o, text);
        return;
    }
    textout_text(o, "\"");
    for (; *text; text++) {
        if (*text == '"')
            textout_text(o, "\"");
        put_bytes(o, text, 1);
    }
    textout_text(o, "\"");
}

/* A csv header may need quotes where the rest does not (a comma in a name). */
static void put_header(struct textout *o, const struct table *t, char sep, bool quote)
{
    for (size_t c = 0; c < t->n_cols; c++) {
        if (c)
            put_bytes(o, &sep, 1);
        put_text(o, t->col[c].name, quote || !clean(t->col[c].name, sep));
    }
    textout_text(o, "\n");
}

static enum rc put_entry(struct textout *o, const struct column *c, size_t row, char sep,
                         bool quote, struct err *e)
{
    const char *text = NULL;
    switch (c->kind) {
    case COLUMN_TEXT:
        text = c->text[row] ? c->text[row] : "";
        if (!quote && !clean(text, sep))
            return err_set(e, RC_CHECK, "row %zu: '%s' in column '%s' holds a separator", row + 1,
                           text, c->name);
        put_text(o, text, quote);
        break;
    case COLUMN_I64:
        textout_put(o, "%" PRId64, c->i64[row]);
        break;
    case COLUMN_F64:
        if (!isnan(c->f64[row]))
            textout_put(o, "%.9g", c->f64[row]);
        break;
    }
    return RC_OK;
}

enum rc table_write(const char *path, const struct table *t, char sep, bool header, bool quote,
                    struct err *e)
{
    struct textout o;
    if (textout_open(&o, path, e))
        return e->rc;
    if (header)
        put_header(&o, t, sep, quote);
    enum rc rc = RC_OK;
    for (size_t r = 0; r < t->n_rows && !rc; r++) {
        for (size_t c = 0; c < t->n_cols && !rc; c++) {
            if (c)
                put_bytes(&o, &sep, 1);
            rc = put_entry(&o, &t->col[c], r, sep, quote, e);
        }
        textout_text(&o, "\n");
    }
    if (!rc)
        return textout_close(&o, e);
    textout_abort(&o);
    return err_wrap(e, "'%s'", path);
}
