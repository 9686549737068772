/* Expressions of the claims table, patterns of methods and of splits, a line each: whatever the
 * bytes, a number, or a sentence. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "lib/app/claims.h"

static double name(const void *ctx, const char *id)
{
    (void)ctx;
    return id[0] == 'V' ? 50558 : 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2048], part[256];
    double value, number;
    int sign;
    struct err e = { 0 };
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (claims_expr(text, name, NULL, &value, &e) && (e.rc != RC_INPUT || !e.text[0]))
        abort();
    char *method = strchr(text, '\n');
    if (method)
        *method++ = '\0';
    if (claims_fits(text, method ? method : "", part, &number, &sign) &&
        strlen(part) >= sizeof part)
        abort();
    /* Every text is like itself, and like a * in its place. */
    const bool like = claims_like(text, method ? method : "");
    if (!claims_like("*", text) || !claims_like(text, text) ||
        (like && !strchr(text, '*') && strcmp(text, method ? method : "") != 0))
        abort();
    return 0;
}
