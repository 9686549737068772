/* lib/io/expression: whatever the bytes, a table is refused with a sentence, or its genes have names
 * and its numbers are numbers. The first byte says where the genes are. */
#include <math.h>

#include "lib/io/expression.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct expression x;
    struct err e = { 0 };
    const char *path = fuzz_file("expression", data + (size > 0), size - (size > 0));
    const enum rc rc = expression_read(path, size && data[0] % 2, &x, &e);
    unlink(path);
    if (rc) {
        if (x.x || x.gene.at || !e.text[0])
            abort();
        return 0;
    }
    for (size_t i = 0; i < x.n_cells * x.gene.n; i++)
        if (!isfinite(x.x[i]))
            abort();
    for (size_t i = 0; i < x.gene.n; i++)
        if (!*x.gene.at[i])
            abort();
    expression_release(&x);
    return 0;
}
