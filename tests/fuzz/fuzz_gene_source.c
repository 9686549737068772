/* lib/io/gene_source: public gene tables of any bytes are refused with a sentence, or hold the
 * columns of their role. The first byte picks the table. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/io/gene_source.h"
#include "tests/fuzz/fuzz.h"

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

static char folder[] = "/tmp/gc-fuzz-genes-XXXXXX";

static void leave(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        perror(folder);
}

/* Once: folders cost more than all else. */
static void enter(void)
{
    struct err e = { 0 };
    if (!mkdtemp(folder) || atexit(leave))
        abort();
    for (size_t i = 0; i < gene_n_sources; i++) {
        const char *path = gene_sources[i].path;
        char *below = text_new("%s/%.*s", folder, (int)(strrchr(path, '/') - path), path);
        if (!below || folder_make(below, &e))
            abort();
        free(below);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool inside;
    const struct gene_source *s = &gene_sources[size ? data[0] % gene_n_sources : 0];
    const size_t n = size - (size > 0);
    struct table t;
    struct err e = { 0 };
    bool there;
    if (!inside)
        enter();
    inside = true;
    char *path = text_new("%s/%s", folder, s->path);
    FILE *f = path ? fopen(path, "wb") : NULL;
    if (!f || fwrite(data + (size > 0), 1, n, f) != n || fclose(f) != 0)
        abort();
    enum rc rc = gene_source_read(s, folder, &there, &t, &e);
    if (rc ? !e.text[0] || t.col : !there)
        abort();
    if (!rc) {
        look(s, &t);
        table_release(&t);
    }
    unlink(path);
    free(path);
    return 0;
}
