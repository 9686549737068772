/* Texts: UTF-8 and the two escaped forms of protocol 0. */
#include <string.h>

#include "lib/base/utf8.h"
#include "lib/io/pickle_parts.h"

bool pickle_is_utf8(const char *s, size_t n)
{
    for (size_t i = 0, k; i < n; i += k)
        if (!(k = utf8_char(s + i, n - i)))
            return false;
    return true;
}

/* Writes a character; returns its length, 0 for what is none. */
static size_t put_char(char *to, uint32_t c)
{
    unsigned char *b = (unsigned char *)to;
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    if (c < 0x80) {
        b[0] = (unsigned char)c;
        return 1;
    }
    const size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        b[i] = (unsigned char)(0x80 | (c & 0x3f));
    b[0] = (unsigned char)((0xf00u >> n & 0xff) | c);
    return n;
}

/* n hex digits; false when there are fewer. */
static bool hex(const char *s, const char *end, size_t n, uint32_t *c)
{
    static const char digits[] = "0123456789abcdef";
    if ((size_t)(end - s) < n)
        return false;
    *c = 0;
    for (size_t i = 0; i < n; i++) {
        const char *d = s[i] ? strchr(digits, s[i] >= 'A' && s[i] <= 'F' ? s[i] + 32 : s[i]) : NULL;
        if (!d)
            return false;
        *c = *c << 4 | (uint32_t)(d - digits);
    }
    return true;
}

bool pickle_escaped(struct pickle_reader *r, const char *s, size_t n, struct pickle_value *v)
{
    const char *end = s + n;
    char *to = pickle_room(r, 2 * n), *at = to; /* Latin-1 takes up to two bytes */
    if (!to)
        return false;
    while (s < end) {
        uint32_t c = (unsigned char)*s;
        size_t used = 1;
        if (*s == '\\' && end - s > 1 && (s[1] == 'u' || s[1] == 'U')) {
            used = s[1] == 'u' ? 6 : 10;
            if (!hex(s + 2, end, used - 2, &c))
                return pickle_fail(r, "an escape without its digits");
        }
        const size_t k = put_char(at, c);
        if (!k)
            return pickle_fail(r, "a text with half a character");
        at += k;
        s += used;
    }
    *v = (struct pickle_value){ .kind = PICKLE_TEXT, .n_bytes = (uint32_t)(at - to), .text = to };
    return (size_t)(at - to) < UINT32_MAX ||
           pickle_fail(r, "a text of %zu bytes", (size_t)(at - to));
}

/* One character of a quoted text; false when the escape is not known. */
static bool unquote(const char **s, const char *end, char *to)
{
    static const char from[] = "\\'\"nrtabfv", is[] = "\\'\"\n\r\t\a\b\f\v";
    uint32_t c;
    *to = *(*s)++;
    if (*to != '\\')
        return true;
    if (*s < end && **s == 'x') {
        if (!hex(*s + 1, end, 2, &c))
            return false;
        *to = (char)c;
        *s += 3;
        return true;
    }
    const char *at = *s < end && **s ? strchr(from, **s) : NULL;
    if (!at)
        return false;
    *to = is[at - from];
    (*s)++;
    return true;
}

bool pickle_quoted(struct pickle_reader *r, const char *s, size_t n, struct pickle_value *v)
{
    if (n < 2 || n >= UINT32_MAX || (*s != '\'' && *s != '"') || s[n - 1] != *s)
        return pickle_fail(r, "a text without its quotes");
    const char *end = s + n - 1;
    char *to = pickle_room(r, n), *at = to;
    bool ascii = true;
    if (!to)
        return false;
    for (s++; s < end; at++) {
        if (!unquote(&s, end, at))
            return pickle_fail(r, "a text with an escape that is not known");
        ascii = ascii && !(*at & 0x80);
    }
    *v = (struct pickle_value){ .kind = ascii ? PICKLE_TEXT : PICKLE_BYTES,
                                .n_bytes = (uint32_t)(at - to),
                                .text = to };
    return true;
}

bool pickle_latin1(struct pickle_reader *r, const struct pickle_value *text, struct pickle_value *v)
{
    const unsigned char *s = (const unsigned char *)text->text, *end = s + text->n_bytes;
    char *to = pickle_room(r, text->n_bytes), *at = to;
    if (!to)
        return false;
    for (; s < end; at++) { /* it is UTF-8: below 256 that is one byte, or two from 0xc2 or 0xc3 */
        if (*s > 0xc3)
            return pickle_fail(r, "bytes beyond Latin-1");
        *at = (char)(*s < 0x80 ? *s : (*s << 6 | (s[1] & 0x3f)));
        s += *s < 0x80 ? 1 : 2;
    }
    *v = (struct pickle_value){ .kind = PICKLE_BYTES, .n_bytes = (uint32_t)(at - to), .text = to };
    return true;
}
