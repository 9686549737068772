/* lib/io/leakage: a table of any bytes is refused, or every set of it is found with fewer cells in the
 * corpus than it has. */
#include <stdio.h>
#include <unistd.h>

#include "lib/io/leakage.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    struct leakage l;
    struct leakage_of of;
    struct err e = { 0 };
    snprintf(path, sizeof path, "/tmp/gc-fuzz-leakage-%ld", (long)getpid());
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
    enum rc rc = leakage_read(&l, path, &e);
    if (rc && !e.text[0])
        abort();
    for (size_t i = 0; !rc && i < l.t.n_rows; i++) {
        const char *set = table_find(&l.t, "set")->text[i];
        if (!leakage_find(&l, set ? set : "", &of) || of.in_corpus > of.cells)
            abort();
    }
    leakage_release(&l);
    unlink(path);
    return 0;
}
