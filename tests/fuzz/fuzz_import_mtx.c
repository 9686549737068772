/* lib/io/mtx.c: the matrix is the input up to its first zero byte, features and barcodes follow
 * behind it and behind the next. */
#include "tests/fuzz/import_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const name[3] = { "matrix", "features", "barcodes" };
    const char *path[3];
    const size_t all = size;
    for (int i = 0; i < 3; i++) {
        const uint8_t *end = size && i < 2 ? memchr(data, 0, size) : NULL;
        size_t n = end ? (size_t)(end - data) : size;
        path[i] = fuzz_file(name[i], data, n);
        data += n + (end != NULL);
        size -= n + (end != NULL);
    }
    struct source s;
    struct err e = { 0 };
    fuzz_source_init(&s, all);
    enum rc rc = mtx_read(path[0], path[1], path[2], &s, &e);
    for (int i = 0; i < 3; i++)
        unlink(path[i]);
    return fuzz_source(&s, rc, &e);
}
