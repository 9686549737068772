#include "lib/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...)
{
    if (!e)
        return rc;
    /* Through a copy: an argument may point into e->text. */
    char text[ERR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    e->rc = rc;
    memcpy(e->text, text, sizeof text);
    return rc;
}

enum rc err_wrap(struct err *e, const char *fmt, ...)
{
    if (!e)
        return RC_FAIL;
    char head[ERR_TEXT_MAX], old[ERR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(head, sizeof head, fmt, ap);
    va_end(ap);
    memcpy(old, e->text, sizeof old);
    size_t n = strnlen(head, sizeof head - 1);
    if (n > sizeof e->text - 3)
        n = sizeof e->text - 3;
    memcpy(e->text, head, n);
    memcpy(e->text + n, ": ", 3);
    size_t room = sizeof e->text - n - 2;
    size_t m = strnlen(old, room - 1);
    memcpy(e->text + n + 2, old, m);
    e->text[n + 2 + m] = '\0';
    return e->rc;
}

void err_clear(struct err *e)
{
    if (e) {
        e->rc = RC_OK;
        e->text[0] = '\0';
    }
}
