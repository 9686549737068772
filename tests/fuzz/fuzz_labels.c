/* lib/io/labels and sheet: a table of labels of any bytes is refused with a sentence, or labels of
 * the cells come out. The first byte says whether the column is named. */
#include "tests/fuzz/import_fuzz.h"

static volatile size_t sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const cell[] = { "AAAC-1", "AAAG.1", "T", "" };
    const char *label[4] = { 0 };
    struct import_report rep = { .sample = "fuzz" };
    struct arena a;
    struct err e = { 0 };
    const char *path = fuzz_file("labels", data + (size > 0), size - (size > 0));
    arena_init(&a, 0);
    enum rc rc =
        labels_from_file(path, size && data[0] % 2 ? "label" : NULL, cell, 4, &a, label, &rep, &e);
    unlink(path);
    if (rc && !e.text[0])
        abort();
    for (size_t i = 0; !rc && i < 4; i++)
        sink += label[i] ? strlen(label[i]) : 0;
    if (strlen(rep.label_column) >= sizeof rep.label_column)
        abort();
    arena_release(&a);
    /* What the other import targets share is not used here. */
    (void)fuzz_source;
    (void)fuzz_source_init;
    return 0;
}
