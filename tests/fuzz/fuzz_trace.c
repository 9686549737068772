/* A table that trace looks a line up in: whatever the bytes, it is refused with a sentence, or its
 * second line has as many fields as names. */
#include "tests/fuzz/fuzz_file.h"

#include "lib/manifest/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace_line l;
    struct err e = { 0 };
    if (trace_line_read(&l, fuzz_file("table", data, size), 2, &e)) {
        if (!e.text[0] || l.head || l.text)
            abort();
        return 0;
    }
    for (size_t i = 0; i < l.n; i++)
        if (!trace_field(&l, l.name[i]))
            abort();
    trace_line_release(&l);
    return 0;
}
