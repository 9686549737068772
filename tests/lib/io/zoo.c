/* Every file of a folder of good and bad single-cell files gets the verdict of its table.
 *   build/tests/zoo DIR
 * DIR/expected.tsv (README there): `read` and `repair` give the numbers of the table, and what was
 * mended is counted; `refuse` gives status 3 and a sentence, and nothing is written. Each file is
 * imported in a process of its own, so that a crash or a hang is the failure of one line. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/io/h5ad.h"
#include "lib/io/import.h"
#include "lib/io/lines.h"
#include "tests/tap.h"

enum { SECONDS = 120 };

/* What a child tells through the pipe. */
struct outcome {
    enum rc rc;
    struct err e;
    struct import_report rep;
    bool empty_on_failure, same_again;
};

static uint64_t sum_of(const struct csr *c)
{
    uint64_t sum = 0;
    for (uint64_t k = 0; k < csr_nnz(c); k++)
        sum += c->value[k];
    return sum;
}

/* Import, write, read again: the whole way of the tool. Through a spool as well, which only large
 * files else take: the same bytes. */
static void import_here(const char *path, const char *out, struct outcome *o)
{
    struct import_options opt = { .species = SPECIES_UNKNOWN };
    struct cells again;
    struct import_report rep;
    o->rc = import_file(path, &opt, out, &o->rep, &o->e);
    /* The table is about counts: a file whose species cannot be told is tried as human. */
    if (o->rc && strstr(o->e.text, "give --species")) {
        opt.species = SPECIES_HUMAN;
        o->rc = import_file(path, &opt, out, &o->rep, &o->e);
    }
    o->empty_on_failure = o->rc && !file_exists(out);
    if (!o->rc && !(o->rc = h5ad_read(out, &again, &o->e))) {
        o->same_again = again.count.n_rows == o->rep.n_cells &&
                        again.count.n_cols == o->rep.n_genes &&
                        csr_nnz(&again.count) == o->rep.nnz && sum_of(&again.count) == o->rep.total;
        cells_release(&again);
    }
    char a[SHA256_HEX] = "", b[SHA256_HEX] = "";
    opt.spool_from = 100;
    if (!o->rc && !(o->rc = sha256_file(out, a, NULL, &o->e)) &&
        !(o->rc = import_file(path, &opt, out, &rep, &o->e)) &&
        !(o->rc = sha256_file(out, b, NULL, &o->e)))
        o->same_again = o->same_again && strcmp(a, b) == 0;
}

static bool read_all(int fd, void *to, size_t n)
{
    char *at = to;
    while (n) {
        ssize_t got = read(fd, at, n);
        if (got <= 0)
            return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

/* False, with a note, when the child did not come to an end of its own. */
static bool import_in_child(const char *path, const char *out, struct outcome *o)
{
    int fd[2], status = 0;
    fflush(stdout);
    if (pipe(fd) != 0)
        return false;
    pid_t child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        static struct outcome mine;
        alarm(SECONDS);
        import_here(path, out, &mine);
        ssize_t n = write(fd[1], &mine, sizeof mine);
        _exit(n == (ssize_t)sizeof mine ? 0 : 1);
    }
    close(fd[1]);
    bool whole = read_all(fd[0], o, sizeof *o);
    close(fd[0]);
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        note("ended by signal %d%s", WTERMSIG(status),
             WTERMSIG(status) == SIGALRM ? ": a hang" : "");
    return whole && status == 0;
}

/* ---- checksums: of a file, or of a folder's files one after another in the order of paths ---- */

static int by_bytes(const void *a, const void *b)
{
    char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

static size_t list(const char *folder, char **path, size_t n, size_t max)
{
    DIR *d = opendir(folder);
    for (struct dirent *x; d && n < max && (x = readdir(d));) {
        if (x->d_name[0] == '.')
            continue;
        char *full = text_new("%s/%s", folder, x->d_name);
        if (full && folder_exists(full)) {
            n = list(full, path, n, max);
            free(full);
        } else if (full) {
            path[n++] = full;
        }
    }
    if (d)
        closedir(d);
    return n;
}

static bool has_sum(const char *path, const char *want)
{
    static char *file[1000];
    char hex[SHA256_HEX] = "";
    struct sha256 s;
    size_t n = 0;
    if (folder_exists(path))
        n = list(path, file, 0, 1000);
    else if ((file[0] = text_new("%s", path)))
        n = 1;
    qsort(file, n, sizeof *file, by_bytes);
    bool good = sha256_init(&s, NULL) == RC_OK;
    for (size_t i = 0; i < n; i++) {
        char *data = NULL;
        size_t size = 0;
        good = good && !file_read(file[i], (size_t)1 << 30, &data, &size, NULL) &&
               !sha256_add(&s, data, size, NULL);
        free(data);
        free(file[i]);
    }
    return good && !sha256_end(&s, hex, NULL) && strcmp(hex, want) == 0;
}

/* ---- verdicts ---- */

static const char *cell_of(const struct table *t, const char *column, size_t row)
{
    return table_find(t, column)->text[row];
}

/* The number before " said" in the note of the table, UINT64_MAX when it names none. */
static uint64_t said_of(const char *text)
{
    const char *said = strstr(text, " said"), *from = said;
    while (from && from > text && from[-1] >= '0' && from[-1] <= '9')
        from--;
    return from && from < said ? strtoull(from, NULL, 10) : UINT64_MAX;
}

static bool same_number(const struct table *t, size_t row, const char *column, uint64_t got)
{
    const char *want = cell_of(t, column, row);
    if (strtoull(want, NULL, 10) == got)
        return true;
    note("%s is %llu, not %s", column, (unsigned long long)got, want);
    return false;
}

static bool was_read(const struct table *t, size_t row, const struct outcome *o)
{
    const struct import_report *r = &o->rep;
    const char *text = cell_of(t, "note", row);
    bool repair = strcmp(cell_of(t, "verdict", row), "repair") == 0;
    uint64_t mended = r->n_genes_merged + r->n_entries_merged, said = said_of(text);
    if (o->rc) {
        note("refused: %s", o->e.text);
        return false;
    }
    bool good = same_number(t, row, "n_cells", r->n_cells);
    good = same_number(t, row, "n_genes", r->n_genes) && good;
    good = same_number(t, row, "sum", r->total) && good;
    good = same_number(t, row, "nnz", r->nnz) && good;
    if (strcmp(r->kind, cell_of(t, "kind", row)) != 0) {
        note("taken for %s", r->kind);
        good = false;
    }
    if (repair ? mended == 0 || (said != UINT64_MAX && said != mended) : mended != 0) {
        note("%llu mended", (unsigned long long)mended);
        good = false;
    }
    if (!o->same_again) {
        note("the written file does not hold the same counts");
        good = false;
    }
    return good;
}

static bool was_refused(const struct table *t, size_t row, const char *out, const struct outcome *o)
{
    const char *file = cell_of(t, "file", row), *slash = strrchr(file, '/');
    if (o->rc != RC_INPUT)
        note("status %d: %s", o->rc, o->e.text);
    else if (!strstr(o->e.text, slash ? slash + 1 : file))
        note("the sentence does not name the file: %s", o->e.text);
    else if (!o->empty_on_failure || file_exists(out))
        note("something was written or left behind");
    else
        return true;
    return false;
}

static void try_file(const char *dir, const char *out, const struct table *t, size_t row)
{
    static struct outcome o;
    const char *file = cell_of(t, "file", row), *verdict = cell_of(t, "verdict", row);
    char *path = text_new("%s/%s", dir, file);
    o = (struct outcome){ 0 };
    if (!path || !has_sum(path, cell_of(t, "sha256", row))) {
        ok(false, "%s is the file of the table", file);
        free(path);
        return;
    }
    bool good = import_in_child(path, out, &o);
    if (!good)
        note("%s did not come to an end", file);
    if (strcmp(verdict, "refuse") == 0)
        good = good && was_refused(t, row, out, &o);
    else
        good = good && was_read(t, row, &o);
    ok(good, "%s: %s%s%s", file, verdict, o.rc ? ": " : "", o.rc ? o.e.text : "");
    unlink(out);
    free(path);
}

int main(int argc, char **argv)
{
    struct table t;
    struct err e = { 0 };
    char tmp[] = "/tmp/zoo.XXXXXX";
    if (argc != 2) {
        fprintf(stderr, "Usage: zoo DIR (a folder with expected.tsv)\n");
        return 2;
    }
    char *table = text_new("%s/expected.tsv", argv[1]);
    if (!table ||
        tsv_read_need(table, "file,kind,verdict,n_cells,n_genes,sum,nnz,sha256,note", &t, &e)) {
        fprintf(stderr, "zoo: %s\n", e.text);
        free(table);
        return e.rc ? (int)e.rc : 1;
    }
    char *out = mkdtemp(tmp) ? text_new("%s/out.h5ad", tmp) : NULL;
    for (size_t i = 0; out && i < t.n_rows; i++)
        try_file(argv[1], out, &t, i);
    ok(out && t.n_rows > 0, "the table has %zu files", t.n_rows);
    rmdir(tmp);
    free(out);
    free(table);
    table_release(&t);
    return tap_end();
}
