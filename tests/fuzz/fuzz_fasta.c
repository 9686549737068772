/* lib/io/fasta (also its index), lib/io/tss: whatever the bytes, a file is refused with a sentence,
 * or windows hold bases, and genes have a place. */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/io/fasta.h"
#include "lib/io/tss.h"

static void check_windows(const char *path)
{
    char bases[2][65];
    struct fasta_window w[2] = {
        { .sequence = "chr1", .start = -4, .end = 60, .bases = bases[0] },
        { .sequence = "2", .start = 7, .end = 20, .reverse = true, .bases = bases[1] }
    };
    struct fasta_facts f;
    struct err e = { 0 };
    if (fasta_windows(path, w, 2, &f, &e)) {
        if (!e.text[0])
            abort();
        return;
    }
    for (int i = 0; i < 2; i++)
        if (strspn(bases[i], "ACGTN") != (size_t)(w[i].end - w[i].start) ||
            (!w[i].found && w[i].n_known))
            abort();
}

static void check_sites(const char *path)
{
    struct tss_table t;
    struct err e = { 0 };
    if (tss_read(path, &t, &e)) {
        if (t.at || !e.text[0])
            abort();
        return;
    }
    for (size_t i = 0; i < t.n; i++)
        if (t.at[i].at < 0 || !t.at[i].sequence || (!t.at[i].id && !t.at[i].name))
            abort();
    tss_release(&t);
}

static void check_sequences(const char *path)
{
    struct sequences s;
    struct err e = { 0 };
    if (sequences_read(path, &s, &e)) {
        if (s.bases || !e.text[0])
            abort();
        return;
    }
    sequences_release(&s);
}

/* The bytes as the index of a good genome: folder/g and folder/g.fai. */
static char folder[] = "/tmp/gc-fuzz-XXXXXX";

static void leave(void)
{
    char name[64];
    snprintf(name, sizeof name, "%s/g", folder);
    unlink(name);
    snprintf(name, sizeof name, "%s/g.fai", folder);
    unlink(name);
    rmdir(folder);
}

static void put(const char *name, const void *data, size_t size)
{
    FILE *f = fopen(name, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
}

static void check_index(const uint8_t *data, size_t size)
{
    static const char genome[] = ">chr1\nACGTACGTAA\nCCCCGGGGTT\nACGT\n>2\nTTTTT\n";
    static char g[64];
    char fai[72];
    if (!*g) {
        if (!mkdtemp(folder) || atexit(leave))
            abort();
        snprintf(g, sizeof g, "%s/g", folder);
        put(g, genome, strlen(genome));
    }
    snprintf(fai, sizeof fai, "%s.fai", g);
    put(fai, data, size);
    check_windows(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    const int fd = memfd_create("fasta", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    check_windows(path);
    check_sites(path);
    check_sequences(path);
    check_index(data, size);
    close(fd);
    return 0;
}
