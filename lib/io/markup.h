/* A growing text, and the ways to put foreign words into one: HTML and SVG, TeX, JSON.
 *
 * Memory trouble is remembered, not returned: write everything, then ask markup_ok once. Whatever
 * comes from a file goes through markup_text or markup_tex; markup_raw is for our own words. */
#ifndef GC_IO_MARKUP_H
#define GC_IO_MARKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

struct markup {
    char *s; /* owned, ends with a zero byte; NULL while empty */
    size_t n, room;
    bool failed; /* memory was short: s is not whole */
};

void markup_release(struct markup *m);
/* RC_FAIL when memory was short at any time. */
enum rc markup_ok(const struct markup *m, struct err *e);
/* The whole text to a file, or nothing. */
enum rc markup_save(const struct markup *m, const char *path, struct err *e);

void markup_raw(struct markup *m, const char *s);
void markup_bytes(struct markup *m, const char *s, size_t n);
/* printf, not escaped: for numbers and for words of our own. */
void markup_fmt(struct markup *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Escaped for HTML, XML and attributes in either kind of quotes. Bytes that are no UTF-8 and
 * characters that XML forbids become U+FFFD; NULL is empty. */
void markup_text(struct markup *m, const char *s);
/* At most max characters of it, the last an ellipsis when some are left out. */
void markup_text_cut(struct markup *m, const char *s, size_t max);
/* Escaped for TeX text; characters that are no printing ASCII stay as they are (UTF-8 input). */
void markup_tex(struct markup *m, const char *s);
/* What stands behind "\newcommand{\" in a line of a numbers.tex; NULL: the line is no macro. */
const char *markup_macro_name(const char *line);
/* \newcommand{\NAME}{VALUE} of n bytes to NAME and VALUE in place; false, and nothing changed, for
 * any other. */
bool markup_cut_macro(char *line, size_t n, const char **name, const char **value);

/* Length in bytes of the UTF-8 character at s, 0 when the bytes there are no allowed character. */
size_t utf8_length(const char *s);
/* Characters in a text; a bad byte counts as one. */
size_t utf8_count(const char *s);

#endif
