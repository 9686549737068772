/* lib/io/go_file: whatever the bytes, a file is refused with a sentence or its graph holds known
 * genes and weights above 0. */
#include <math.h>

#include "lib/io/go_file.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct go_file g;
    struct err e = { 0 };
    const char *path = fuzz_file("go", data, size);
    const enum rc rc = go_file_read(&g, path, &e);
    remove(path);
    if (rc) {
        if (!e.text[0] || g.gene.n || g.first || g.from)
            abort();
        return 0;
    }
    if (!g.gene.n || (g.edges ? g.first != NULL : g.first[0] != 0))
        abort();
    for (size_t i = 0; !g.edges && i < g.gene.n; i++) {
        if (g.first[i] > g.first[i + 1])
            abort();
        for (size_t k = g.first[i]; k < g.first[i + 1]; k++)
            if (g.term[k] >= g.n_terms || (k > g.first[i] && g.term[k] <= g.term[k - 1]))
                abort();
    }
    for (size_t k = 0; k < g.n_edges; k++)
        if (g.from[k] >= g.gene.n || g.to[k] >= g.gene.n || !(g.weight[k] > 0) ||
            isinf(g.weight[k]))
            abort();
    go_file_release(&g);
    return 0;
}
