/* lib/io/npy: whatever the bytes, a file is refused with a sentence, or is a matrix of numbers. */
#include <math.h>
#include <stdlib.h>

#include "lib/io/npy.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    float *x;
    size_t n, d;
    struct err e = { 0 };
    const char *path = fuzz_file("npy", data, size);
    const enum rc rc = npy_read(path, &x, &n, &d, &e);
    unlink(path);
    if (rc) {
        if (x || n || d || !e.text[0])
            abort();
        return 0;
    }
    if (!n || !d)
        abort();
    for (size_t i = 0; i < n * d; i++)
        if (!isfinite(x[i]))
            abort();
    free(x);
    return 0;
}
