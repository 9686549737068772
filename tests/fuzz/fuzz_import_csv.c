/* lib/io/dense.c and sheet.c: whatever the bytes, a table is refused or read well. */
#include "tests/fuzz/import_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source s;
    struct err e = { 0 };
    char sep;
    const char *path = fuzz_file("table", data, size);
    fuzz_source_init(&s, size);
    enum rc rc = dense_read(path, &s, &sep, &e);
    unlink(path);
    return fuzz_source(&s, rc, &e);
}
