/* Numbers of pickles: two's complement of any length, big-endian doubles, decimal texts. Whole
 * numbers beyond 64 bits (torch's magic number has 77) become their decimal digits. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/pickle_parts.h"

enum { LONG_MAX_BYTES = 64, DIGITS_MAX = 160 }; /* 2^511 has 154 digits */

double pickle_real(const unsigned char *b)
{
    uint64_t bits = 0;
    double x;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | b[i];
    memcpy(&x, &bits, sizeof x);
    return x;
}

static bool set_digits(struct pickle_reader *r, const char *s, size_t n, struct pickle_value *v)
{
    char *copy = pickle_room(r, n);
    if (!copy)
        return false;
    memcpy(copy, s, n);
    *v = (struct pickle_value){ .kind = PICKLE_LONG, .n_bytes = (uint32_t)n, .text = copy };
    return true;
}

/* Divides the little-endian number by ten; returns the rest. */
static unsigned divide_by_ten(unsigned char *b, size_t n)
{
    unsigned rest = 0;
    while (n--) {
        rest = rest << 8 | b[n];
        b[n] = (unsigned char)(rest / 10);
        rest %= 10;
    }
    return rest;
}

static bool is_zero(const unsigned char *b, size_t n)
{
    while (n--)
        if (b[n])
            return false;
    return true;
}

static bool set_decimal(struct pickle_reader *r, const unsigned char *b, size_t n,
                        struct pickle_value *v)
{
    unsigned char size[LONG_MAX_BYTES]; /* without the sign */
    char digits[DIGITS_MAX];
    const bool negative = b[n - 1] >> 7;
    unsigned carry = negative;
    size_t at = sizeof digits;
    for (size_t i = 0; i < n; i++) {
        carry += negative ? b[i] ^ 0xffu : b[i];
        size[i] = (unsigned char)carry;
        carry >>= 8;
    }
    if (carry) /* cannot be: -2^(8n-1) has n bytes without its sign, too */
        return pickle_fail(r, "a whole number that overflows");
    do
        digits[--at] = (char)('0' + divide_by_ten(size, n));
    while (!is_zero(size, n));
    if (negative)
        digits[--at] = '-';
    return set_digits(r, digits + at, sizeof digits - at, v);
}

bool pickle_whole(struct pickle_reader *r, const unsigned char *b, size_t n, struct pickle_value *v)
{
    const unsigned char sign = n && b[n - 1] >> 7 ? 0xff : 0;
    while (n > 8 && b[n - 1] == sign && (b[n - 2] ^ sign) < 0x80)
        n--; /* bytes that only repeat the sign */
    if (n > LONG_MAX_BYTES)
        return pickle_fail(r, "a whole number of %zu bytes", n);
    if (n > 8)
        return set_decimal(r, b, n, v);
    uint64_t x = sign ? UINT64_MAX : 0;
    for (size_t i = n; i-- > 0;)
        x = x << 8 | b[i];
    *v = (struct pickle_value){ .kind = PICKLE_INT, .whole = (int64_t)x };
    return true;
}

/* A copy with a zero behind it, for the C library. */
static bool short_copy(char *to, size_t room, const char *s, size_t n)
{
    if (!n || n >= room)
        return false;
    memcpy(to, s, n);
    to[n] = '\0';
    return true;
}

bool pickle_whole_text(struct pickle_reader *r, const char *s, size_t n, struct pickle_value *v)
{
    char text[DIGITS_MAX];
    const bool negative = n && s[0] == '-';
    if (!short_copy(text, sizeof text, s, n) ||
        text[negative + strspn(text + negative, "0123456789")] || n == (size_t)negative)
        return pickle_fail(r, "'%.*s' is no whole number", (int)(n < 40 ? n : 40), s);
    errno = 0;
    const long long x = strtoll(text, NULL, 10);
    if (errno != ERANGE) {
        *v = (struct pickle_value){ .kind = PICKLE_INT, .whole = x };
        return true;
    }
    const char *digits = text + negative + strspn(text + negative, "0");
    char *start = text + (digits - text) - negative;
    if (negative)
        *start = '-';
    return set_digits(r, start, strlen(start), v);
}

bool pickle_real_text(struct pickle_reader *r, const char *s, size_t n, struct pickle_value *v)
{
    char text[512], *end;
    if (!short_copy(text, sizeof text, s, n) || strpbrk(text, "xXpP"))
        return pickle_fail(r, "'%.*s' is no number", (int)(n < 40 ? n : 40), s);
    *v = (struct pickle_value){ .kind = PICKLE_FLOAT, .real = strtod(text, &end) };
    return !*end || pickle_fail(r, "'%s' is no number", text);
}
