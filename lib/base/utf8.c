#include "lib/base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

size_t utf8_char(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } form[] = {
        { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 }
    };
    for (size_t k = 0; k < 4; k++) {
        if ((s[0] & form[k].mask) != form[k].lead)
            continue;
        if (n < k + 1)
            return 0;
        uint32_t c = s[0] & (unsigned char)~form[k].mask;
        for (size_t i = 1; i <= k; i++) {
            if ((s[i] & 0xc0) != 0x80)
                return 0;
            c = c << 6 | (s[i] & 0x3f);
        }
        return c >= form[k].least && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? k + 1 : 0;
    }
    return 0;
}

enum rc utf8_need(const char *text, struct err *e)
{
    const size_t n = strlen(text);
    char *shown = NULL;
    for (size_t i = 0, k; i < n; i += k ? k : 1) {
        k = utf8_char(text + i, n - i);
        if (k)
            continue;
        if (!shown && !(shown = text_new("%s", text)))
            return err_set(e, RC_FAIL, "no memory for a text");
        shown[i] = '?';
    }
    if (!shown)
        return RC_OK;
    err_set(e, RC_INPUT, "'%s' is no UTF-8", shown);
    free(shown);
    return RC_INPUT;
}
