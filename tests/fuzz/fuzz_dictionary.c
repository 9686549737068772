/* lib/io/dictionary: whatever the pickle, it is refused with a sentence, or the table keeps its
 * promises. */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/io/dictionary.h"

static void refused(const struct err *e, const void *left)
{
    if (left || !e->text[0])
        abort(); /* a refusal leaves nothing and says why */
}

static void check_vocab(const char *path)
{
    struct vocab v;
    struct err e = { 0 };
    if (dictionary_vocab(&v, path, path, path, &e) == RC_OK)
        abort(); /* tokens are texts to numbers, homologs numbers to numbers */
    refused(&e, v.entry);
    if (dictionary_vocab(&v, path, NULL, NULL, &e)) {
        refused(&e, v.entry);
        return;
    }
    if (vocab_check(&v, &e))
        abort();
    vocab_release(&v);
}

static void check_medians(const char *path)
{
    struct medians m;
    struct err e = { 0 };
    if (dictionary_medians(&m, &path, 1, &e)) {
        refused(&e, m.item);
        return;
    }
    for (size_t i = 0; i < m.n; i++)
        if (!(m.item[i].median > 0))
            abort();
    medians_release(&m);
}

static void check_knowledge(const char *path)
{
    static const struct vocab_entry entry[] = {
        { .id = "<pad>", .name = "-", .biotype = "-", .homolog = -1 },
        { .id = "<mask>", .name = "-", .biotype = "-", .homolog = -1 },
        { .id = "ENSG1", .name = "GENE0", .biotype = "-", .species = SPECIES_HUMAN, .homolog = -1 },
        { .id = "a", .name = "-", .biotype = "-", .species = SPECIES_MOUSE, .homolog = -1 },
    };
    struct vocab v;
    struct knowledge_table k;
    struct err e = { 0 };
    vocab_init(&v);
    for (int i = 0; i < 4; i++) {
        struct vocab_entry x = entry[i];
        if (i < TOKEN_FIRST_GENE)
            x.species = SPECIES_UNKNOWN;
        if (vocab_add(&v, &x, &e))
            abort();
    }
    if (dictionary_knowledge(&k, KNOWLEDGE_GRN, &v, path, path, &e))
        refused(&e, k.vector);
    else {
        for (size_t i = 0; i < k.n_tokens * k.dim; i++)
            if (!isfinite(k.vector[i]))
                abort();
        knowledge_table_release(&k);
    }
    vocab_release(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    const int fd = memfd_create("dictionary", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    check_vocab(path);
    check_medians(path);
    check_knowledge(path);
    close(fd);
    return 0;
}
