/* lib/io/gene_source: public gene tables of any bytes are refused with a sentence, or hold the
 * columns of their role. The first byte picks the table. */
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/gene_source.h"
#include "tests/fuzz/fuzz_file.h"

static volatile size_t sink;

static const char *columns[][4] = { { "id", "name" },
                                    { "id", "name", "kind" },
                                    { "name" },
                                    { "human", "mouse" },
                                    { "human", "mouse" } };

static void look(const struct gene_source *s, const struct table *t)
{
    for (size_t i = 0; i < 4 && columns[s->role][i]; i++)
        if (!table_find(t, columns[s->role][i]))
            abort();
    for (size_t i = 0; i < t->n_cols; i++)
        for (size_t r = 0; r < t->n_rows; r++)
            if (t->col[i].kind == COLUMN_TEXT)
                sink += strlen(t->col[i].text[r]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char folder[64];
    const struct gene_source *s = &gene_sources[size ? data[0] % gene_n_sources : 0];
    struct table t;
    struct err e = { 0 };
    bool there;
    if (!*folder)
        snprintf(folder, sizeof folder, "/tmp/gc-fuzz-genes-%ld", (long)getpid());
    char *path = text_new("%s/%s", folder, s->path);
    char *below = text_new("%.*s", (int)(strrchr(path, '/') - path), path);
    FILE *f = folder_make(below, &e) ? NULL : fopen(path, "wb");
    if (!f || fwrite(data + (size > 0), 1, size - (size > 0), f) != size - (size > 0) ||
        fclose(f) != 0)
        abort();
    enum rc rc = gene_source_read(s, folder, &there, &t, &e);
    if (rc ? !e.text[0] || t.col : !there)
        abort();
    if (!rc) {
        look(s, &t);
        table_release(&t);
    }
    unlink(path);
    for (char *end = below; end && strlen(below) >= strlen(folder); end = strrchr(below, '/')) {
        if (end != below)
            *end = '\0';
        rmdir(below);
    }
    free(below);
    free(path);
    return 0;
}
