/* Expressions of the claims table and patterns of methods, a line each: whatever the bytes, a
 * number, or a sentence. */
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
    return 0;
}
