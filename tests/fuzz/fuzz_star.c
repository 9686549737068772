/* What quantify looks at: FASTA, GTF and FASTQ, and the folder that STAR leaves. Whatever the
 * bytes, they are refused with a sentence, or what was counted is in them. The first byte picks the
 * reader: > FASTA, % a matrix, @ and gzip FASTQ, all else GTF. */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/io/star.h"
#include "lib/io/star_counts.h"

static char folder[64]; /* for what cannot be a stream; made once */

static void leave(void)
{
    folder_remove(folder);
}

static void put(const char *name, const void *data, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || (size && fwrite(data, 1, size, f) != size) || fclose(f) != 0)
        abort();
}

static void prepare(void)
{
    snprintf(folder, sizeof folder, "/tmp/fuzz-star.XXXXXX");
    if (!mkdtemp(folder) || atexit(leave))
        abort();
    put("genome.fa", ">chrA\nACGT\n>chrB\nAC\n", 20);
    put("features.tsv", "a\tA\nb\tB\n", 8);
    put("barcodes.tsv", "AC\nGT\nTT\n", 9);
}

static void check(enum rc rc, const struct err *e, bool good)
{
    if (rc ? !e->text[0] : !good)
        abort();
}

static void read_text(char first, const char *in)
{
    char genome[128];
    struct fasta_facts g;
    struct reads_facts f;
    struct err e = { 0 };
    size_t here = 0, elsewhere = 0;
    enum rc rc;
    snprintf(genome, sizeof genome, "%s/genome.fa", folder);
    if (first == '>') {
        rc = star_copy_genome(in, "/dev/null", &g, &e);
        check(rc, &e, g.n_bases >= g.n_sequences && g.n_sequences > 0);
    } else if (first == '@' || first == 0x1f) {
        rc = star_look_at_reads(in, &f, &e);
        check(rc, &e, f.n_reads > 0 && f.length > 0);
    } else {
        rc = star_copy_genes(in, "/dev/null", genome, &here, &elsewhere, &e);
        check(rc, &e, here > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct star_counts c;
    struct err e = { 0 };
    if (!size)
        return 0;
    if (!*folder)
        prepare();
    if (data[0] == '%') {
        put("matrix.mtx", data, size);
        enum rc rc = star_counts_convert(folder, folder, &c, &e);
        check(rc, &e, c.n_cells <= c.n_barcodes && c.total >= c.nnz && c.nnz >= c.n_cells);
        return 0;
    }
    const int fd = memfd_create("star", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    read_text((char)data[0], path);
    close(fd);
    return 0;
}
