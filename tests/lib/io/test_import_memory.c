/* The n-th allocation fails, for every n: an import ends with a sentence and RC_FAIL, leaves its
 * outputs empty and nothing allocated.
 *
 * The allocator is this program's own, round that of the C library; it refuses the one that is
 * asked for and counts what is not given back. Where a sanitizer or valgrind has put its own there,
 * nothing is counted and the test is left out. Reading and writing HDF5 goes on in a process for
 * each n: what the HDF5 library still holds after a failure is its own affair. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/base/file.h"
#include "lib/base/thread.h"
#include "lib/io/import.h"
#include "tests/tap.h"

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define OWN_ALLOCATOR 0
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_ALLOCATOR 0
#endif
#endif
#if !defined OWN_ALLOCATOR && defined __GLIBC__
#define OWN_ALLOCATOR 1
#endif

static char dir[] = "/tmp/test_import_memory.XXXXXX";
/* The compiler takes malloc for one that looks at none of these. */
static volatile bool armed, only_ours;
static volatile long n_asked, n_failing, n_refused, n_live;

#if OWN_ALLOCATOR
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);
void *aligned_alloc(size_t align, size_t n);
void free(void *p);

/* Of the linker: our code is in the program, HDF5 in a library. */
extern char __executable_start, etext;

static bool refuse(const void *caller)
{
    uintptr_t from = (uintptr_t)caller;
    bool ours = from >= (uintptr_t)&__executable_start && from < (uintptr_t)&etext;
    if (!armed || (only_ours && !ours))
        return false;
    if (++n_asked != n_failing)
        return false;
    n_refused++;
    errno = ENOMEM;
    return true;
}

static void *given(void *p)
{
    n_live += armed && p;
    return p;
}

void *malloc(size_t n)
{
    return refuse(__builtin_return_address(0)) ? NULL : given(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
    return refuse(__builtin_return_address(0)) ? NULL : given(__libc_calloc(n, size));
}

void *aligned_alloc(size_t align, size_t n)
{
    return refuse(__builtin_return_address(0)) ? NULL : given(__libc_memalign(align, n));
}

void *realloc(void *p, size_t n)
{
    if (refuse(__builtin_return_address(0)))
        return NULL;
    n_live += armed && !p;
    return __libc_realloc(p, n);
}

void free(void *p)
{
    n_live -= armed && p;
    __libc_free(p);
}
#endif

static const char *in_dir(const char *name)
{
    static char path[4][256];
    static int k;
    k = (k + 1) % 4;
    snprintf(path[k], sizeof path[k], "%s/%s", dir, name);
    return path[k];
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(in_dir(name), "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        ok(false, "can write %s", name);
}

static void put_files(void)
{
    static const char *const matrix[] = { "sorted", "mixed" };
    for (int i = 0; i < 2; i++) {
        char name[64];
        folder_make(in_dir(matrix[i]), NULL);
        snprintf(name, sizeof name, "%s/matrix.mtx", matrix[i]);
        put(name, i ? "%%MatrixMarket matrix coordinate integer general\n3 3 5\n"
                      "1 3 2\n2 1 9\n1 1 4\n3 2 1\n3 3 7\n"
                    : "%%MatrixMarket matrix coordinate integer general\n3 3 4\n"
                      "1 1 2\n2 2 1\n3 2 4\n3 3 1\n");
        snprintf(name, sizeof name, "%s/barcodes.tsv", matrix[i]);
        put(name, "A-1\nA-1\nB-1\n");
        snprintf(name, sizeof name, "%s/features.tsv", matrix[i]);
        put(name, "ENSG00000000003.4\tTSPAN6\tGene Expression\n"
                  "ENSG00000000005\tTNMD\tGene Expression\nCD3\tCD3\tAntibody Capture\n");
    }
    folder_make(in_dir("deep/hg19"), NULL);
    put("deep/hg19/GSM1_matrix.mtx",
        "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 2.0\n2 2 1\n");
    put("deep/hg19/GSM1_barcodes.tsv", "A\nB\n");
    put("deep/hg19/GSM1_genes.tsv", "ENSG00000000003\nENSG00000000005\n");
    put("genes.csv", "gene,AAAC,AAAG,AAAT\nTP53,1,0,3\nACTB,2,\"5\",0\nTP53,1,1,1\n");
    put("cells.csv", "barcode,hg19_TP53,mm10_Trp53\nAAAC,1,0\nAAAG,2,5.0\n");
    put("labels.csv", "barcode,label\nAAAC,T cell\nAAAT,\n");
    gzFile gz = gzopen(in_dir("z.csv.gz"), "wb9");
    if (!gz || gzputs(gz, "gene\tA\tB\nTP53\t1\t2\n") < 0 || gzclose(gz) != Z_OK)
        ok(false, "can write gzip");
}

/* One import with the n-th allocation refused; true when it came to none. */
static bool try_one(const char *path, const struct import_options *o,
                    const struct import_report *want, long n, bool *good)
{
    struct cells c;
    struct import_report rep;
    struct err e = { 0 };
    n_asked = n_refused = n_live = 0;
    n_failing = n;
    armed = true;
    enum rc rc = import_any(path, o, &c, &rep, &e);
    bool refused = n_refused > 0;
    if (!rc)
        cells_release(&c);
    armed = false;
    /* stdio does without its buffer: then all is as it was. */
    bool whole = !rc && rep.total == want->total && rep.nnz == want->nnz &&
                 rep.n_labelled == want->n_labelled && rep.n_genes == want->n_genes;
    if (n_live == 0 && (whole || (refused && rc == RC_FAIL && e.text[0] && !c.count.indptr)))
        return !refused;
    note("allocation %ld: status %d '%s', %ld blocks left", n, rc, e.text, n_live);
    *good = false;
    return !refused;
}

static void every_one(const char *name, const struct import_options *o, const char *what)
{
    char path[256];
    bool good = true;
    long n = 0, n_bad = 0;
    struct cells c;
    struct import_report want;
    struct err e = { 0 };
    snprintf(path, sizeof path, "%s", in_dir(name));
    /* Once as usual: what libraries keep for good is there then. */
    if (import_any(path, o, &c, &want, &e)) {
        ok(false, "%s: %s", what, e.text);
        return;
    }
    cells_release(&c);
    while (n_bad < 5 && !try_one(path, o, &want, ++n, &good)) {
        n_bad += !good;
        good = true;
    }
    ok(n_bad == 0 && good && n > 20, "%s: each of %ld allocations may fail", what, n - 1);
}

/* The same with HDF5 at one end, in a process: status 0 as it should be, 1 not, 2 no refusal. */
static int in_process(const char *path, const struct import_options *o, const char *want, long n)
{
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct import_report rep;
        struct err e = { 0 };
        threads_forked();
        n_asked = n_refused = 0;
        n_failing = n;
        armed = true;
        enum rc rc = import_file(path, o, in_dir("o.h5ad"), &rep, &e);
        armed = false;
        /* A process that only reads may be the one in which memory was short. */
        char sum[SHA256_HEX] = "";
        if (rc == RC_OK) /* HDF5 and stdio know what to do without: then the file is the same */
            _exit(sha256_file(in_dir("o.h5ad"), sum, NULL, &e) || strcmp(sum, want) != 0 ? 1
                  : n_refused                                                            ? 0
                                                                                         : 2);
        if (!e.text[0] || file_exists(in_dir("o.h5ad")) || file_exists(in_dir("o.h5ad.part")))
            note("%d '%s' %d %d", rc, e.text, file_exists(in_dir("o.h5ad")),
                 file_exists(in_dir("o.h5ad.part")));
        fflush(stdout);
        _exit((rc == RC_FAIL || rc == RC_INPUT) && e.text[0] && !file_exists(in_dir("o.h5ad")) &&
                      !file_exists(in_dir("o.h5ad.part"))
                  ? 0
                  : 1);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static void every_process(const char *name, const struct import_options *o, const char *what)
{
    char path[512];
    long n = 0, n_bad = 0, n_died = 0;
    int status = 0;
    struct import_report rep;
    struct err e = { 0 };
    char want[SHA256_HEX] = "";
    snprintf(path, sizeof path, "%s", name);
    if (import_file(path, o, in_dir("o.h5ad"), &rep, &e) ||
        sha256_file(in_dir("o.h5ad"), want, NULL, &e))
        ok(false, "%s: %s", what, e.text);
    while (n_bad < 5 && status != 2 && n < 5000) {
        unlink(in_dir("o.h5ad"));
        status = in_process(path, o, want, ++n);
        n_bad += status == 1;
        n_died += status >= 100;
        if (status == 1 || status >= 100)
            note("allocation %ld: status %d", n, status);
    }
    ok(n_bad == 0 && n_died == 0 && n > 20 && status == 2, "%s: each of %ld allocations may fail",
       what, n - 1);
}

/* No file may grow beyond a limit: a full disk, in the temporary file or in the output. */
static void full_disk(size_t spool_from)
{
    bool good = true;
    fflush(stdout);
    for (rlim_t limit = 0; limit < 6000; limit += limit < 200 ? 7 : 950) {
        int status = -1;
        pid_t child = fork();
        if (child == 0) {
            const struct import_options o = { .species = SPECIES_HUMAN, .spool_from = spool_from };
            const struct rlimit r = { limit, limit };
            struct import_report rep;
            struct err e = { 0 };
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &r);
            threads_forked();
            enum rc rc = import_file(in_dir("mixed"), &o, in_dir("full.h5ad"), &rep, &e);
            _exit(rc == RC_FAIL && e.text[0] ? 0 : 1);
        }
        waitpid(child, &status, 0);
        if (status != 0 || file_exists(in_dir("full.h5ad")) ||
            file_exists(in_dir("full.h5ad.part"))) {
            note("%llu bytes: status %d", (unsigned long long)limit, status);
            good = false;
        }
    }
    ok(good, "a disk that is full %s ends in a sentence and leaves nothing",
       spool_from == 1 ? "under temporary files" : "under the output");
}

int main(void)
{
    const struct import_options human = { .species = SPECIES_HUMAN },
                                spooled = { .species = SPECIES_HUMAN, .spool_from = 1 },
                                parted = { .species = SPECIES_HUMAN, .spool_from = 2000 },
                                any = { .species = SPECIES_UNKNOWN };
    struct import_options labelled = human;
    if (!mkdtemp(dir))
        return 1;
    put_files();
    armed = true;
    void *volatile probe = malloc(1);
    armed = false;
    free(probe);
    threads_init(1);
    if (n_asked == 0) {
        skip("each allocation may fail: another allocator is at work");
    } else {
        every_one("sorted", &human, "a sorted matrix");
        every_one("sorted", &spooled, "a sorted matrix through a file");
        every_one("mixed", &human, "a matrix in disorder");
        every_one("mixed", &spooled, "a matrix in disorder through files");
        every_one("deep", &human, "a matrix with a prefix in a folder below");
        every_one("genes.csv", &human, "genes in rows");
        every_one("genes.csv", &spooled, "genes in rows through files");
        every_one("cells.csv", &any, "cells in rows, two species");
        every_one("z.csv.gz", &human, "a gzip table");
        char labels[256];
        snprintf(labels, sizeof labels, "%s", in_dir("labels.csv"));
        labelled.labels = labels;
        every_one("genes.csv", &labelled, "labels from a table");
    }
    if (n_asked) {
        struct import_report rep;
        struct err e = { 0 };
        if (import_file(in_dir("mixed"), &human, in_dir("i.h5ad"), &rep, &e))
            ok(false, "%s", e.text);
        only_ours = true;
        every_process(in_dir("genes.csv"), &human, "to a file");
        every_process(in_dir("i.h5ad"), &human, "from a file to a file");
        static const char *const golden[] = { "10x_v3.h5", "10x_v3_antibody.h5", "h5ad_csc_gzip.h5ad",
                                              "h5ad_dense_lzf.h5ad" };
        for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
            char path[512];
            snprintf(path, sizeof path, "%s/reference/golden/formats/good/%s",
                     getenv("SRC") ? getenv("SRC") : ".", golden[i]);
            if (file_exists(path))
                every_process(path, &parted, golden[i]);
        }
    }
    full_disk(SIZE_MAX);
    full_disk(1);
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
    return system(cmd) == 0 ? tap_end() : 1;
}
