#include "lib/io/markup.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

void markup_release(struct markup *m)
{
    free(m->s);
    *m = (struct markup){ 0 };
}

enum rc markup_ok(const struct markup *m, struct err *e)
{
    return m->failed ? err_set(e, RC_FAIL, "no memory for the text of a page") : RC_OK;
}

enum rc markup_save(const struct markup *m, const char *path, struct err *e)
{
    struct outfile o;
    if (markup_ok(m, e) || outfile_open(&o, path, e))
        return e ? e->rc : RC_FAIL;
    if (m->n)
        fwrite(m->s, 1, m->n, o.f); /* outfile_commit looks at ferror */
    return outfile_commit(&o, e);
}

static bool grow(struct markup *m, size_t n)
{
    if (m->failed || n > SIZE_MAX / 4 - m->n) {
        m->failed = true;
        return false;
    }
    if (m->n + n + 1 <= m->room)
        return true;
    size_t room = 2 * (m->n + n) + 256;
    char *s = realloc(m->s, room);
    if (!s) {
        m->failed = true;
        return false;
    }
    m->s = s;
    m->room = room;
    return true;
}

void markup_bytes(struct markup *m, const char *s, size_t n)
{
    if (!grow(m, n))
        return;
    if (n)
        memcpy(m->s + m->n, s, n);
    m->n += n;
    m->s[m->n] = '\0';
}

void markup_raw(struct markup *m, const char *s)
{
    markup_bytes(m, s, strlen(s));
}

void markup_fmt(struct markup *m, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0 && grow(m, (size_t)n)) {
        vsnprintf(m->s + m->n, (size_t)n + 1, fmt, again);
        m->n += (size_t)n;
    } else if (n < 0) {
        m->failed = true;
    }
    va_end(again);
}

/* Unicode 15, table 3-7, and the characters that XML 1.0 allows: no controls but tab and line
 * ends, no U+FFFE and U+FFFF. */
size_t utf8_length(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return s[0] >= 0x20 && s[0] != 0x7f ? 1 : s[0] == '\t' || s[0] == '\n' || s[0] == '\r';
    size_t n = s[0] >= 0xc2 && s[0] <= 0xdf   ? 2
               : s[0] >= 0xe0 && s[0] <= 0xef ? 3
               : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                              : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    if (s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe)
        return 0;
    if (s[0] == 0xc2 && s[1] < 0xa0) /* C1 controls */
        return 0;
    return n;
}

size_t utf8_count(const char *s)
{
    size_t n = 0;
    for (; *s; n++) {
        size_t len = utf8_length(s);
        s += len ? len : 1;
    }
    return n;
}

static const char *html_name(char c)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void markup_text_cut(struct markup *m, const char *s, size_t max)
{
    if (!s)
        return;
    bool cut = utf8_count(s) > max;
    for (size_t i = 0; *s && i + cut < max; i++) {
        size_t len = utf8_length(s);
        const char *name = html_name(*s);
        if (name)
            markup_raw(m, name);
        else if (len)
            markup_bytes(m, s, len);
        else
            markup_raw(m, "\xef\xbf\xbd");
        s += len ? len : 1;
    }
    if (cut)
        markup_raw(m, "…");
}

void markup_text(struct markup *m, const char *s)
{
    markup_text_cut(m, s, SIZE_MAX);
}

void markup_tex(struct markup *m, const char *s)
{
    for (; s && *s; s++) {
        if (strchr("#$%&_{}", *s))
            markup_fmt(m, "\\%c", *s);
        else if (*s == '\\')
            markup_raw(m, "\\textbackslash{}");
        else if (*s == '~')
            markup_raw(m, "\\textasciitilde{}");
        else if (*s == '^')
            markup_raw(m, "\\textasciicircum{}");
        else if ((unsigned char)*s < 0x20 || *s == 0x7f)
            markup_raw(m, " ");
        else
            markup_bytes(m, s, 1);
    }
}

const char *markup_macro_name(const char *line)
{
    static const char head[] = "\\newcommand{\\";
    return strncmp(line, head, sizeof head - 1) == 0 ? line + sizeof head - 1 : NULL;
}

bool markup_cut_macro(char *line, size_t n, const char **name, const char **value)
{
    const char *first = markup_macro_name(line);
    char *middle = first ? strstr(line, "}{") : NULL;
    if (!middle || line[n - 1] != '}')
        return false;
    line[n - 1] = *middle = '\0';
    *name = first;
    *value = middle + 2;
    return true;
}
