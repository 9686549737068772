/* A numbers.tex of the paper that trace looks a number up in: whatever the bytes, its line is
 * refused with a sentence, or every place of it has a file, a place and a sum. */
#include "tests/fuzz/fuzz_file.h"

#include "lib/manifest/trace_parts.h"

static void look(const char *path, size_t line, const char *name)
{
    struct trace_number n;
    struct err e = { 0 };
    if (trace_number_read(&n, path, line, name, &e)) {
        if (!e.text[0] || n.text || n.source)
            abort();
        return;
    }
    if (!n.name || !n.value || n.line == 0)
        abort();
    for (size_t i = 0; i < n.n_sources; i++)
        if (!*n.source[i].file || !*n.source[i].place || !*n.source[i].sha256)
            abort();
    trace_number_release(&n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file("numbers", data, size);
    look(path, 1, NULL);
    look(path, 2, NULL);
    look(path, 0, "gcA");
    unlink(path);
    return 0;
}
