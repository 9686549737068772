/* Envelopes and statements from outside: whatever the bytes, they are refused with a sentence. No
 * damaged envelope may pass: the first byte 's' is a statement, all else an envelope. */
#include "tests/fuzz/fuzz_file.h"

#include <string.h>

#include "lib/manifest/attest.h"

/* Test 1 of RFC 8032, section 7.1: a public key whose private half signed no envelope here. */
static const char pub[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

static void tell(void *ctx, const char *what, const char *path)
{
    if (!*what || !path)
        abort();
    ++*(size_t *)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    char *payload = NULL;
    size_t n = 0, n_files = 0, n_bad = 0, told = 0;
    if (size && data[0] == 's') {
        struct chain c = { .root = "none" };
        map_init(&c.file_at);
        if (attest_compare(&c, (const char *)data + 1, size - 1, tell, &told, &n_files, &n_bad,
                           &e) == RC_OK) {
            if (told != n_bad || n_bad != n_files)
                abort(); /* none of the files is there */
        } else if (!e.text[0])
            abort();
        map_release(&c.file_at);
        return 0;
    }
    if (dsse_open((const char *)data, size, fuzz_file("pub", pub, sizeof pub - 1), &payload, &n,
                  &e) == RC_OK ||
        payload || !e.text[0])
        abort();
    return 0;
}
