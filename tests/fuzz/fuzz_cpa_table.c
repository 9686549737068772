/* lib/io/cpa_table: a result table of any bytes is refused with a sentence, or has every condition
 * of a split once. */
#include <stdlib.h>
#include <string.h>

#include "lib/io/cpa_table.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cpa_table t;
    struct err e = { 0 };
    const char *path = fuzz_file("cpa", data, size);
    if (cpa_table_read(path, &t, &e)) {
        if (!e.text[0] || t.row)
            abort();
    } else {
        for (size_t i = 0; i < t.n; i++)
            if (!t.model || t.row[i].split < 0 || t.row[i].split >= CPA_SPLITS ||
                !(t.row[i].n_cells >= 0) || (i && strcmp(t.row[i - 1].key, t.row[i].key) >= 0))
                abort();
        cpa_table_release(&t);
    }
    remove(path);
    return 0;
}
