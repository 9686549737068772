/* lib/io/lines: tables of texts (samples, PECA's tables, lists of all kinds) of any bytes are
 * refused with a sentence, or every field is there. The first byte picks the separator. */
#include <string.h>

#include "lib/io/lines.h"
#include "tests/fuzz/fuzz_file.h"

static volatile size_t sink;

static void look(const struct table *t)
{
    for (size_t i = 0; i < t->n_cols; i++) {
        if (!t->col[i].name || t->col[i].kind != COLUMN_TEXT)
            abort();
        for (size_t r = 0; r < t->n_rows; r++) {
            if (!t->col[i].text[r])
                abort();
            sink += strlen(t->col[i].text[r]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char sep[] = { 0, '\t', ',', ';' };
    struct table t;
    struct err e = { 0 };
    const char *path = fuzz_file(size && data[0] % 8 > 3 ? "t.csv" : "t.tsv", data + (size > 0),
                                 size - (size > 0));
    if (!tsv_read(path, size ? sep[data[0] % 4] : 0, &t, &e)) {
        look(&t);
        table_release(&t);
    } else if (!e.text[0] || t.col) {
        abort();
    }
    err_clear(&e);
    if (!tsv_read_need(path, "tf,gene,correlation", &t, &e)) {
        if (!table_find(&t, "tf") || !table_find(&t, "gene") || !table_find(&t, "correlation"))
            abort();
        look(&t);
        table_release(&t);
    } else if (!e.text[0] || t.col) {
        abort();
    }
    unlink(path);
    return 0;
}
