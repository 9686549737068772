/* lib/base/percent.h: there and back, and what is refused. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/percent.h"
#include "tests/tap.h"

static bool stays(unsigned char b)
{
    return b > ' ' && b != '%' && b < 0x80;
}

static bool decodes(const char *from, const char *to)
{
    char text[64];
    snprintf(text, sizeof text, "%s", from);
    return percent_decode(text) && strcmp(text, to) == 0;
}

int main(void)
{
    char all[256], *text;
    for (int i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    all[255] = '\0';
    text = percent_encode("B cells\t50%, \xce\xb1", stays);
    ok(text && strcmp(text, "B%20cells%0950%25,%20%CE%B1") == 0, "what does not stay is %%XX");
    free(text);
    text = percent_encode(all, stays);
    ok(text && percent_decode(text) && strcmp(text, all) == 0, "every byte comes back");
    free(text);
    text = percent_encode("", stays);
    ok(text && !*text, "nothing is nothing");
    free(text);
    ok(decodes("%ce%B1", "\xce\xb1"), "small and large digits");
    ok(!decodes("a%", "a") && !decodes("a%2", "a") && !decodes("%g0", "") && !decodes("%0g", ""),
       "a lone %% is refused");
    ok(!decodes("a%00b", "a"), "so is a zero byte");
    return tap_end();
}
