/* Files of more than one buffer: lines over the ends of chunks, entries in any order, and memory
 * that does not grow with them. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/base/file.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/io/ahead.h"
#include "lib/io/h5ad.h"
#include "lib/io/import.h"
#include "lib/io/lines.h"
#include "tests/tap.h"

#if defined __SANITIZE_ADDRESS__
enum { WATCHED = 1 };
#else
enum { WATCHED = 0 };
#endif

static char dir[] = "/tmp/test_import_large.XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[8][256];
    static int k;
    k = (k + 1) % 8;
    snprintf(path[k], sizeof path[k], "%s/%s", dir, name);
    return path[k];
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(in_dir(name), "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        ok(false, "can write %s", name);
}

/* ---- lines ---- */

enum { N_LINES = 3000 };

static size_t length_of(size_t i)
{
    return i % 500 == 7 ? 3 * AHEAD_CHUNK + i : rng_below(3, RNG_TEST, 1, i, 400);
}

static char letter_of(size_t i, size_t k)
{
    return (char)('a' + (i * 31 + k) % 26);
}

static bool lines_are_read(const char *path)
{
    struct lines l;
    struct err e = { 0 };
    bool more = true, good = !lines_open(&l, path, &e);
    size_t i = 0;
    for (; good && !lines_next(&l, &more, &e) && more; i++) {
        good = l.number == i + 1 && l.n_bytes == length_of(i) && strlen(l.text) == l.n_bytes;
        for (size_t k = 0; good && k < l.n_bytes; k++)
            good = l.text[k] == letter_of(i, k);
        memset(l.text, 'x', l.n_bytes); /* they are the caller's */
    }
    lines_close(&l);
    return good && i == N_LINES && !e.text[0];
}

static void lines(void)
{
    gzFile gz = gzopen(in_dir("l.gz"), "wb1");
    FILE *f = fopen(in_dir("l.txt"), "wb");
    for (size_t i = 0; f && gz && i < N_LINES; i++) {
        for (size_t k = 0; k < length_of(i); k++) {
            fputc(letter_of(i, k), f);
            gzputc(gz, letter_of(i, k));
        }
        const char *end = i + 1 == N_LINES ? "" : i % 3 ? "\n" : "\r\n";
        fputs(end, f);
        gzputs(gz, end);
    }
    if (!f || !gz || fclose(f) != 0 || gzclose(gz) != Z_OK)
        ok(false, "can write lines");
    ok(lines_are_read(in_dir("l.txt")) && lines_are_read(in_dir("l.gz")),
       "lines that end in one chunk, another, or the fourth are whole");
    threads_init(1);
    ok(lines_are_read(in_dir("l.txt")) && lines_are_read(in_dir("l.gz")),
       "and without a second thread");
    threads_init(4);
    struct lines l;
    struct err e = { 0 };
    bool more, good = true;
    for (int i = 0; i < 50; i++) { /* closed while the thread is at work */
        good = good && !lines_open(&l, in_dir("l.gz"), &e);
        for (int k = 0; good && k < 40 * i; k++)
            good = !lines_next(&l, &more, &e);
        lines_close(&l);
    }
    ok(good, "a file may be closed at any line");
}

/* Cut or changed far behind the first chunk. */
static void damage(void)
{
    char *data = NULL;
    size_t n = 0;
    struct err e = { 0 };
    if (file_read(in_dir("l.gz"), 1 << 26, &data, &n, &e)) {
        ok(false, "%s", e.text);
        return;
    }
    for (int kind = 0; kind < 2; kind++) {
        struct lines l;
        bool more = true;
        FILE *f = fopen(in_dir("cut.gz"), "wb");
        if (kind)
            data[n - 6] ^= 1; /* of the checksum */
        if (!f || fwrite(data, 1, kind ? n : n / 2, f) == 0 || fclose(f) != 0)
            ok(false, "can write a copy");
        err_clear(&e);
        enum rc rc = lines_open(&l, in_dir("cut.gz"), &e);
        while (!rc && more)
            rc = lines_next(&l, &more, &e);
        ok(rc == RC_INPUT && strstr(e.text, "cut or damaged near line") && l.number > 100, "%s: %s",
           kind ? "a wrong checksum" : "half a file", e.text);
        ok(lines_next(&l, &more, &e) == RC_INPUT, "and it stays so");
        lines_close(&l);
    }
    free(data);
    FILE *f = fopen(in_dir("l.txt"), "r+b");
    if (!f || fseek(f, 3 * AHEAD_CHUNK + 100, SEEK_SET) != 0 || fputc('\0', f) != 0 ||
        fclose(f) != 0)
        ok(false, "can write a zero byte");
    struct lines l;
    bool more = true;
    err_clear(&e);
    enum rc rc = lines_open(&l, in_dir("l.txt"), &e);
    while (!rc && more)
        rc = lines_next(&l, &more, &e);
    ok(rc == RC_INPUT && strstr(e.text, "line 8 holds a zero byte"), "%s", e.text);
    lines_close(&l);
}

/* ---- one matrix in several orders ---- */

enum order { BY_CELL, BY_GENE, SHUFFLED };

static uint32_t count_at(size_t cell, size_t gene)
{
    uint32_t x = (uint32_t)rng_below(5, RNG_TEST, cell, gene, 1000);
    return x < 300 ? x % 7 + (x == 5 ? 5000 : 0) : 0;
}

static void put_names(const char *folder, size_t n_cells, size_t n_genes)
{
    char name[64];
    snprintf(name, sizeof name, "%s/barcodes.tsv", folder);
    folder_make(in_dir(folder), NULL);
    FILE *f = fopen(in_dir(name), "w");
    for (size_t i = 0; f && i < n_cells; i++)
        fprintf(f, "C%zu\n", i);
    fclose(f);
    snprintf(name, sizeof name, "%s/features.tsv", folder);
    f = fopen(in_dir(name), "w");
    for (size_t i = 0; f && i < n_genes; i++)
        fprintf(f, "ENSG%011zu\n", i + 1);
    fclose(f);
}

static void put_mtx(const char *folder, enum order order, size_t n_cells, size_t n_genes)
{
    char name[64];
    size_t n = n_cells * n_genes, nnz = 0;
    for (size_t k = 0; k < n; k++)
        nnz += count_at(k / n_genes, k % n_genes) != 0;
    put_names(folder, n_cells, n_genes);
    snprintf(name, sizeof name, "%s/matrix.mtx", folder);
    FILE *f = fopen(in_dir(name), "w");
    fprintf(f, "%%%%MatrixMarket matrix coordinate integer general\n%zu %zu %zu\n", n_genes,
            n_cells, nnz);
    for (size_t k = 0; k < n; k++) {
        size_t at = order == SHUFFLED ? k * 7919 % n : k; /* a prime that divides no n here */
        size_t cell = order == BY_GENE ? at % n_cells : at / n_genes,
               gene = order == BY_GENE ? at / n_cells : at % n_genes;
        uint32_t v = count_at(cell, gene);
        if (v)
            fprintf(f, "%zu %zu %u\n", gene + 1, cell + 1, v);
    }
    fclose(f);
}

/* Genes in rows, or cells; odd: with a field that is no plain number in each row. */
static void put_table(const char *name, bool genes, bool odd, size_t n_cells, size_t n_genes)
{
    size_t n_rows = genes ? n_genes : n_cells, n_cols = genes ? n_cells : n_genes;
    FILE *f = fopen(in_dir(name), "w");
    for (size_t c = 0; f && c <= n_cols; c++)
        if (c == 0)
            fputs(genes ? "gene" : "barcode", f);
        else
            fprintf(f, genes ? ",C%zu" : ",ENSG%011zu", genes ? c - 1 : c);
    for (size_t r = 0; f && r < n_rows; r++) {
        fprintf(f, genes ? "\nENSG%011zu" : "\nC%zu", genes ? r + 1 : r);
        for (size_t c = 0; c < n_cols; c++) {
            uint32_t v = genes ? count_at(c, r) : count_at(r, c);
            bool here = odd && c == r % n_cols;
            fprintf(f, here ? ",\"%u.000\"" : c % 3 || !odd ? ",%u" : ",%u.0", v);
        }
    }
    fclose(f);
}

static bool counts_are(const char *path, size_t n_cells, size_t n_genes)
{
    struct cells c;
    struct err e = { 0 };
    if (h5ad_read(path, &c, &e)) {
        note("%s", e.text);
        return false;
    }
    bool good = c.count.n_rows == n_cells && c.count.n_cols == n_genes;
    uint64_t k = 0;
    for (size_t r = 0; good && r < n_cells; r++)
        for (size_t j = 0; good && j < n_genes; j++) {
            uint32_t v = count_at(r, j);
            bool here = k < c.count.indptr[r + 1] && c.count.index[k] == j;
            good = v ? here && c.count.value[k] == v : !here;
            k += v != 0;
        }
    cells_release(&c);
    return good;
}

static void orders(void)
{
    enum { CELLS = 230, GENES = 310 };
    static const char *const name[] = { "by-cell",   "by-gene",   "shuffled",
                                        "genes.csv", "cells.csv", "odd.csv" };
    put_mtx("by-cell", BY_CELL, CELLS, GENES);
    put_mtx("by-gene", BY_GENE, CELLS, GENES);
    put_mtx("shuffled", SHUFFLED, CELLS, GENES);
    put_table("genes.csv", true, false, CELLS, GENES);
    put_table("cells.csv", false, false, CELLS, GENES);
    put_table("odd.csv", true, true, CELLS, GENES);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        static const size_t spool_from[] = { 0, 5000, 10 };
        char sum[3][SHA256_HEX] = { "" };
        struct err e = { 0 };
        bool good = true;
        for (int k = 0; k < 3; k++) {
            struct import_report rep;
            const struct import_options o = { .species = SPECIES_HUMAN,
                                              .spool_from = spool_from[k] };
            good = good && !import_file(in_dir(name[i]), &o, in_dir("o.h5ad"), &rep, &e) &&
                   !sha256_file(in_dir("o.h5ad"), sum[k], NULL, &e) &&
                   (k || counts_are(in_dir("o.h5ad"), CELLS, GENES)) && strcmp(sum[0], sum[k]) == 0;
        }
        ok(good, "%s: every count, and the same bytes through files %s", name[i], e.text);
    }
}

/* ---- what is refused far down ---- */

static void refused(void)
{
    struct err e = { 0 };
    struct import_report rep;
    const struct import_options o = { .species = SPECIES_HUMAN, .spool_from = 10 };
    put_names("bad", 30, 40);
    FILE *f = fopen(in_dir("bad/matrix.mtx"), "w");
    fputs("%%MatrixMarket matrix coordinate integer general\n40 30 1200\n", f);
    for (int k = 0; k < 1200; k++) /* by gene, and in the last line half a count */
        fprintf(f, "%d %d %s\n", k / 30 + 1, k % 30 + 1, k == 1199 ? "2.5" : "1");
    fclose(f);
    ok(import_file(in_dir("bad"), &o, in_dir("x.h5ad"), &rep, &e) == RC_INPUT &&
           strstr(e.text, "2.5 of cell 30, feature 40"),
       "%s", e.text);
    put("bad/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n40 30 3\n"
                          "2 9 1\n1 3 1\n41 3 1\n");
    err_clear(&e);
    ok(import_file(in_dir("bad"), &o, in_dir("x.h5ad"), &rep, &e) == RC_INPUT &&
           strstr(e.text, "line 5: row 41 of 40"),
       "behind an entry of an earlier cell: %s", e.text);
    put("bad/matrix.mtx", "%%MatrixMarket matrix coordinate integer general\n40 30 3\n"
                          "2 9 1\n1 3 1\n");
    err_clear(&e);
    ok(import_file(in_dir("bad"), &o, in_dir("x.h5ad"), &rep, &e) == RC_INPUT &&
           strstr(e.text, "ends after 2 of 3 entries"),
       "%s", e.text);
    ok(!file_exists(in_dir("x.h5ad")), "a refusal leaves no file");
}

/* ---- memory ---- */

/* Peak memory of an import in a process of its own, in MiB. */
static long peak_of(const char *path)
{
    int fd[2];
    long peak = -1;
    fflush(stdout);
    if (pipe(fd) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        struct err e = { 0 };
        struct import_report rep;
        struct rusage u;
        const struct import_options o = { .species = SPECIES_HUMAN };
        threads_forked();
        enum rc rc = import_file(path, &o, in_dir("big.h5ad"), &rep, &e);
        getrusage(RUSAGE_SELF, &u);
        peak = rc ? -1 : u.ru_maxrss / 1024;
        if (rc)
            note("%s", e.text);
        _exit(write(fd[1], &peak, sizeof peak) == sizeof peak ? 0 : 1);
    }
    close(fd[1]);
    if (read(fd[0], &peak, sizeof peak) != sizeof peak)
        peak = -1;
    close(fd[0]);
    waitpid(child, NULL, 0);
    return peak;
}

/* 10 million entries: 80 MB as rows alone, 200 while they were sorted in memory. */
static void memory(void)
{
    enum { CELLS = 20000, GENES = 1000, N = 10000000, MOST = 150 };
    if (WATCHED) {
        skip("memory of 10 million entries: a sanitizer keeps its own");
        return;
    }
    put_names("big", CELLS, GENES);
    FILE *f = fopen(in_dir("big/matrix.mtx"), "w");
    fprintf(f, "%%%%MatrixMarket matrix coordinate integer general\n%d %d %d\n", GENES, CELLS, N);
    for (size_t k = 0; k < N; k++)
        fprintf(f, "%zu %zu 1\n", k / CELLS + 1, k * 7919 % CELLS + 1);
    fclose(f);
    long mtx = peak_of(in_dir("big"));
    ok(mtx > 0 && mtx < MOST, "10 million entries in disorder take %ld MiB", mtx);
    unlink(in_dir("big/matrix.mtx"));
    f = fopen(in_dir("big.csv"), "w");
    for (size_t c = 0; c <= CELLS; c++)
        fprintf(f, c ? ",C%zu" : "gene", c);
    for (size_t g = 0; g < GENES; g++) {
        fprintf(f, "\nENSG%011zu", g);
        for (size_t c = 0; c < CELLS; c++)
            fputs((g + c) % 2 ? ",1" : ",0", f);
    }
    fclose(f);
    long csv = peak_of(in_dir("big.csv"));
    ok(csv > 0 && csv < MOST, "as a table with genes in rows %ld MiB", csv);
}

/* One count a cell, so that what is measured is names and obs. */
static void memory_of_names(void)
{
    enum { CELLS = 1000000, MOST = 120 };
    if (WATCHED) {
        skip("memory of a million names: a sanitizer keeps its own");
        return;
    }
    put_names("names", CELLS, 2);
    FILE *f = fopen(in_dir("names/matrix.mtx"), "w");
    fprintf(f, "%%%%MatrixMarket matrix coordinate integer general\n2 %d %d\n", CELLS, CELLS);
    for (size_t k = 0; k < CELLS; k++)
        fprintf(f, "%zu %zu 1\n", k % 2 + 1, k + 1);
    fclose(f);
    long peak = peak_of(in_dir("names"));
    ok(peak > 0 && peak < MOST, "a million cells take %ld MiB", peak);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    threads_init(3);
    lines();
    damage();
    orders();
    refused();
    memory();
    memory_of_names();
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
    return system(cmd) == 0 ? tap_end() : 1;
}
