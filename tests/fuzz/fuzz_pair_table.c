/* lib/io/pair_table: whatever the bytes, a file is refused with a sentence, or its numbers are
 * finite or missing, and the same on both sides. */
#include <math.h>

#include "lib/io/pair_table.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pair_table t;
    struct err e = { 0 };
    const char *path = fuzz_file("pairs", data, size);
    const enum rc rc = pair_table_read(&t, path, &e);
    remove(path);
    if (rc) {
        if (!e.text[0] || t.gene.n || t.x)
            abort();
        return 0;
    }
    if (t.gene.n < 2)
        abort();
    for (size_t i = 0; i < t.gene.n; i++)
        for (size_t j = 0; j < t.gene.n; j++) {
            const double x = pair_table_get(&t, i, j), y = pair_table_get(&t, j, i);
            if (isinf(x) || (isnan(x) ? !isnan(y) : x < y || x > y))
                abort();
        }
    pair_table_release(&t);
    return 0;
}
