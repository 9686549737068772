/* lib/io/tables: gene tables, a vocabulary and medians of any bytes are refused, or what is read can
 * be asked. The first byte says which of the three files it is. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/io/tables.h"
#include "tests/fuzz/fuzz.h"

static void put(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0)
        abort();
}

static void genes(const char *folder, const char *path, struct err *e)
{
    struct gene_tables t;
    (void)path;
    if (tables_read(folder, &t, e))
        return;
    for (size_t i = 0; i < t.n; i++) {
        if (gene_tables_find_id(&t, t.gene[i].id) != i || t.gene[i].token >= (int32_t)VOCAB_MAX ||
            (t.gene[i].homolog != GENE_NONE && t.gene[i].homolog >= t.n))
            abort();
    }
    gene_tables_release(&t);
}

static void vocab(const char *folder, const char *path, struct err *e)
{
    struct vocab v;
    (void)folder;
    if (vocab_read(path, &v, e))
        return;
    for (size_t i = 0; i < v.n; i++)
        if (vocab_token(&v, v.entry[i].id) != (int32_t)i || v.entry[i].homolog >= (int32_t)v.n)
            abort();
    vocab_release(&v);
}

static void medians(const char *folder, const char *path, struct err *e)
{
    struct medians m;
    (void)folder;
    if (medians_read(path, &m, e))
        return;
    for (size_t i = 0; i < m.n; i++)
        if (!(m.item[i].median > 0) || !medians_find(&m, m.item[i].id))
            abort();
    medians_release(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char folder[64], path[3][128];
    static void (*const read[3])(const char *, const char *, struct err *) = { genes, vocab,
                                                                                medians };
    struct err e = { 0 };
    int kind = size ? data[0] % 3 : 0;
    if (!*folder) {
        snprintf(folder, sizeof folder, "/tmp/gc-fuzz-tables-%ld", (long)getpid());
        snprintf(path[0], sizeof path[0], "%s/genes.tsv", folder);
        snprintf(path[1], sizeof path[1], "%s/vocab.tsv", folder);
        snprintf(path[2], sizeof path[2], "%s/medians.tsv", folder);
    }
    if (folder_make(folder, &e))
        abort();
    put(path[kind], data + (size > 0), size - (size > 0));
    read[kind](folder, path[kind], &e);
    if (e.rc && !e.text[0])
        abort();
    unlink(path[kind]);
    rmdir(folder);
    return 0;
}
