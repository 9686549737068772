/* lib/io/homologs: a table of any bytes is refused with a sentence, or gives pairs of two names, each
 * once. The first byte picks the separator and the columns. */
#include <string.h>

#include "lib/io/homologs.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct homologs h;
    struct err e = { 0 };
    const int how = size ? data[0] : 0;
    const char *path =
        fuzz_file(how % 4 > 1 ? "h.csv" : "h.tsv", data + (size > 0), size - (size > 0));
    if (homologs_read(&h, path, how % 2 ? "mouse" : NULL, how % 2 ? "human" : NULL, &e)) {
        if (!e.text[0] || h.n || h.reference || h.query)
            abort();
    } else if (!h.n) {
        abort();
    }
    for (size_t i = 0; i < h.n; i++) {
        if (!*h.reference[i] || !*h.query[i])
            abort();
        for (size_t k = 0; k < i && i < 64; k++)
            if (strcmp(h.reference[i], h.reference[k]) == 0 && strcmp(h.query[i], h.query[k]) == 0)
                abort();
    }
    homologs_release(&h);
    unlink(path);
    return 0;
}
