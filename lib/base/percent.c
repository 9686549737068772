#include "lib/base/percent.h"

#include <stdlib.h>
#include <string.h>

char *percent_encode(const char *s, bool (*stays)(unsigned char byte))
{
    static const char hex[] = "0123456789ABCDEF";
    char *text = malloc(3 * strlen(s) + 1), *to = text;
    for (; text && *s; s++) {
        const unsigned char b = (unsigned char)*s;
        if (stays(b)) {
            *to++ = *s;
            continue;
        }
        *to++ = '%';
        *to++ = hex[b >> 4];
        *to++ = hex[b & 15];
    }
    if (text)
        *to = '\0';
    return text;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool percent_decode(char *s)
{
    char *to = s;
    for (; *s; s++) {
        if (*s != '%') {
            *to++ = *s;
            continue;
        }
        int hi = hex_digit(s[1]), lo = hi < 0 ? -1 : hex_digit(s[2]);
        if (lo < 0 || hi * 16 + lo == 0)
            return false;
        *to++ = (char)(hi * 16 + lo);
        s += 2;
    }
    *to = '\0';
    return true;
}
