/* lib/base/utf8.h: characters at the ends of each form, and what is none. */
#include <string.h>

#include "lib/base/utf8.h"
#include "tests/tap.h"

static bool refused(const char *text, const char *as)
{
    struct err e = { 0 };
    return utf8_need(text, &e) == RC_INPUT && strcmp(e.text, as) == 0;
}

int main(void)
{
    static const char *const good[] = { "", "\x01 a\x7f", "\xc2\x80\xdf\xbf",
                                        "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
                                        "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" };
    static const char *const bad[] = { "\x80",
                                       "\xbf",
                                       "\xc1\xbf",
                                       "\xe0\x9f\xbf",
                                       "\xed\xa0\x80",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf8\x88\x80\x80\x80",
                                       "\xff",
                                       "\xc3",
                                       "\xe2\x82",
                                       "\xf0\x9f\x98" };
    struct err e = { 0 };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ok(utf8_need(good[i], &e) == RC_OK, "text %zu is UTF-8", i);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ok(utf8_char(bad[i], strlen(bad[i])) == 0 && utf8_need(bad[i], &e) == RC_INPUT,
           "text %zu is none", i);
    ok(utf8_char("\xc3\xa9", 2) == 2 && utf8_char("\xc3\xa9", 1) == 0, "half a character is none");
    ok(refused("caf\xe9 \xc3\xa9", "'caf? \xc3\xa9' is no UTF-8"), "bad bytes alone are replaced");
    ok(refused("\xe2\x82z", "'??z' is no UTF-8"), "what follows a cut one is read");
    return tap_end();
}
