/* h5ad.h: what we write, we read; equal cells give equal bytes; damaged files are refused. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/sha256.h"
#include "lib/io/h5.h"
#include "lib/io/h5ad.h"
#include "lib/io/h5ad_rows.h"
#include "lib/io/h5ad_writer.h"
#include "tests/tap.h"

static char dir[] = "/tmp/test_h5ad.XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[4][256];
    static int k;
    k = (k + 1) % 4;
    snprintf(path[k], sizeof path[k], "%s/%s", dir, name);
    return path[k];
}

/* 4 cells x 3 genes; the third cell is empty, two labels are missing. */
static void make(struct cells *c)
{
    static const uint64_t indptr[] = { 0, 2, 3, 3, 5 };
    static const uint32_t index[] = { 0, 2, 1, 0, 1 }, value[] = { 5, 1, 2147483647, 7, 300 };
    static const char *const cell[] = { "AAAC-1", "AAAG-1", "z\xc3\xa4hl", "T" };
    static const char *const gene[] = { "ENSG00000000003", "MT-CO1", "g, \"quoted\"" };
    static const char *const label[] = { "B cell", NULL, "T cell", NULL };
    struct err e = { 0 };
    cells_init(c);
    csr_alloc(&c->count, 4, 3, 5, &e);
    memcpy(c->count.indptr, indptr, sizeof indptr);
    memcpy(c->count.index, index, sizeof index);
    memcpy(c->count.value, value, sizeof value);
    table_init(&c->obs, 4);
    table_init(&c->var, 3);
    c->cell = calloc(4, sizeof *c->cell);
    c->gene = calloc(3, sizeof *c->gene);
    memcpy(c->cell, cell, sizeof cell);
    memcpy(c->gene, gene, sizeof gene);
    struct column *id = table_add(&c->obs, "cell_id", COLUMN_I64);
    for (int i = 0; i < 4; i++)
        id->i64[i] = i == 1 ? INT64_MIN : 1 - i;
    table_fill_text(&c->obs, "species", "human", &e);
    struct column *l = table_add(&c->obs, "label", COLUMN_TEXT);
    for (size_t i = 0; i < 4; i++)
        table_set_text(&c->obs, l, i, label[i], &e);
    struct column *x = table_add(&c->obs, "share", COLUMN_F64);
    x->f64[0] = 0.1;
    x->f64[1] = NAN;
    struct column *unique = table_add(&c->var, "gene_name", COLUMN_TEXT);
    for (size_t i = 0; i < 3; i++)
        table_set_text(&c->var, unique, i, gene[2 - i], &e);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_table(const struct table *a, const struct table *b)
{
    bool same = a->n_rows == b->n_rows && a->n_cols == b->n_cols;
    for (size_t i = 0; same && i < a->n_cols; i++) {
        const struct column *x = &a->col[i], *y = &b->col[i];
        same = strcmp(x->name, y->name) == 0 && x->kind == y->kind;
        for (size_t r = 0; same && r < a->n_rows; r++) {
            if (x->kind == COLUMN_TEXT)
                same = same_text(x->text[r], y->text[r]);
            else if (x->kind == COLUMN_I64)
                same = x->i64[r] == y->i64[r];
            else
                same = (isnan(x->f64[r]) && isnan(y->f64[r])) || x->f64[r] == y->f64[r];
        }
    }
    return same;
}

static bool same_counts(const struct csr *a, const struct csr *b)
{
    size_t nnz = (size_t)csr_nnz(a);
    return a->n_rows == b->n_rows && a->n_cols == b->n_cols && nnz == csr_nnz(b) &&
           memcmp(a->indptr, b->indptr, (a->n_rows + 1) * sizeof *a->indptr) == 0 &&
           memcmp(a->index, b->index, nnz * sizeof *a->index) == 0 &&
           memcmp(a->value, b->value, nnz * sizeof *a->value) == 0;
}

static bool same_files(const char *a, const char *b)
{
    char *x = NULL, *y = NULL;
    size_t n = 0, m = 1;
    file_read(a, 1 << 24, &x, &n, NULL);
    file_read(b, 1 << 24, &y, &m, NULL);
    bool same = x && y && n == m && memcmp(x, y, n) == 0;
    free(x);
    free(y);
    return same;
}

static const float matrix[4][2] = { { 1, 2 }, { 3, -4 }, { 0.5f, 0 }, { 1e-30f, 7 } };

static void round_trip(void)
{
    struct cells c, d;
    struct err e = { 0 };
    static const char *const uns[][2] = { { "about", "a text" }, { "model", "tiny" } };
    const struct h5ad_matrix m = { "X_genecompass", 4, 2, &matrix[0][0] };
    const struct h5ad_extra x = { .obsm = &m, .n_obsm = 1, .uns = uns, .n_uns = 2 };
    make(&c);
    ok(h5ad_write(in_dir("a.h5ad"), &c, &x, &e) == RC_OK, "cells are written: %s", e.text);
    ok(h5ad_write(in_dir("b.h5ad"), &c, &x, &e) == RC_OK &&
           same_files(in_dir("a.h5ad"), in_dir("b.h5ad")),
       "the same cells give the same bytes");
    ok(!file_exists(in_dir("a.h5ad.part")), "no temporary file is left");
    ok(h5ad_read(in_dir("a.h5ad"), &d, &e) == RC_OK, "they are read again: %s", e.text);
    ok(same_counts(&c.count, &d.count), "counts come back");
    ok(same_table(&c.obs, &d.obs) && same_table(&c.var, &d.var),
       "columns come back in their order, with missing labels and NaN");
    bool names = d.cell && d.gene;
    for (int i = 0; names && i < 4; i++)
        names = strcmp(c.cell[i], d.cell[i]) == 0 && (i == 3 || !strcmp(c.gene[i], d.gene[i]));
    ok(names, "names of cells and genes come back");
    float *got = NULL;
    size_t n = 0, k = 0;
    ok(h5ad_read_obsm(in_dir("a.h5ad"), "X_genecompass", &got, &n, &k, &e) == RC_OK && n == 4 &&
           k == 2 && memcmp(got, matrix, sizeof matrix) == 0,
       "an obsm matrix comes back");
    free(got);
    ok(h5ad_read_obsm(in_dir("a.h5ad"), "X_pca", &got, &n, &k, &e) == RC_INPUT && !got &&
           strstr(e.text, "there is no data set 'X_pca'"),
       "an obsm matrix that is not there is named: %s", e.text);
    cells_release(&d);
    cells_release(&c);
}

static void edges(void)
{
    struct cells c, d;
    struct err e = { 0 };
    cells_init(&c);
    csr_alloc(&c.count, 0, 0, 0, &e);
    ok(!h5ad_write(in_dir("empty.h5ad"), &c, NULL, &e) && !h5ad_read(in_dir("empty.h5ad"), &d, &e),
       "no cells and no genes are written and read: %s", e.text);
    cells_release(&c);
    cells_release(&d);
    make(&c);
    csr_release(&c.count);
    ok(!h5ad_write(in_dir("nox.h5ad"), &c, NULL, &e) && !h5ad_read(in_dir("nox.h5ad"), &d, &e) &&
           !d.count.indptr && d.obs.n_rows == 4,
       "cells without counts are written and read: %s", e.text);
    cells_release(&d);
    cells_release(&c);
    make(&c);
    c.count.value[2] = 2147483648u;
    ok(h5ad_write(in_dir("big.h5ad"), &c, NULL, &e) == RC_INPUT && strstr(e.text, "31 bits") &&
           !file_exists(in_dir("big.h5ad")) && !file_exists(in_dir("big.h5ad.part")),
       "a count beyond 2^31 - 1 is refused and nothing is written: %s", e.text);
    c.count.value[2] = 1;
    ok(h5ad_write(in_dir("no/such/x.h5ad"), &c, NULL, &e) == RC_OK, "missing folders are made");
    table_add(&c.obs, "a/b", COLUMN_I64);
    ok(h5ad_write(in_dir("slash.h5ad"), &c, NULL, &e) == RC_INPUT && strstr(e.text, "a/b"),
       "a column whose name has a slash is refused: %s", e.text);
    cells_release(&c);
}

/* Cuts the good file at every place in a list; none may crash, all are refused. */
static void cuts(void)
{
    char *all = NULL;
    size_t n = 0, refused = 0, tried = 0;
    struct err e = { 0 };
    file_read(in_dir("a.h5ad"), 1 << 24, &all, &n, &e);
    for (size_t at = 0; at < n; at += n / 50 + 1) {
        struct cells d;
        FILE *f = fopen(in_dir("cut.h5ad"), "wb");
        fwrite(all, 1, at, f);
        fclose(f);
        tried++;
        refused += h5ad_read(in_dir("cut.h5ad"), &d, &e) == RC_INPUT && !d.count.indptr;
    }
    ok(tried > 10 && refused == tried, "%zu of %zu cut files are refused", refused, tried);
    free(all);
}

/* Overwrites one entry of a data set of a good file, then reads it. */
static bool refuses(const char *set, size_t at, int64_t v, const char *want)
{
    struct cells c, d;
    struct err e = { 0 };
    make(&c);
    h5ad_write(in_dir("bad.h5ad"), &c, NULL, &e);
    hid_t file = H5Fopen(in_dir("bad.h5ad"), H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t id = H5Dopen2(file, set, H5P_DEFAULT), space = H5Dget_space(id);
    hsize_t where = at, one = 1;
    hid_t mem = H5Screate_simple(1, &one, NULL);
    H5Sselect_elements(space, H5S_SELECT_SET, 1, &where);
    H5Dwrite(id, H5T_NATIVE_INT64, mem, space, H5P_DEFAULT, &v);
    H5Sclose(mem);
    H5Sclose(space);
    H5Dclose(id);
    H5Fclose(file);
    enum rc rc = h5ad_read(in_dir("bad.h5ad"), &d, &e);
    bool good = rc == RC_INPUT && strstr(e.text, want) && strstr(e.text, "bad.h5ad");
    if (!good)
        note("rc %d: %s", rc, e.text);
    if (!rc)
        cells_release(&d);
    cells_release(&c);
    return good;
}

static void bad_values(void)
{
    ok(refuses("X/data", 0, -3, "is -3, not a count"), "a stored -3 is refused");
    ok(refuses("X/data", 0, 0, "holds a zero"), "a stored zero is refused");
    ok(refuses("X/indices", 1, 3, "is 3, but there are 3"), "a column out of range is refused");
    ok(refuses("X/indices", 1, -1, "is -1"), "a column of -1 is refused");
    ok(refuses("X/indices", 1, 0, "there twice"), "a column given twice is refused");
    ok(refuses("X/indptr", 0, 1, "starts with 1"), "offsets that start with 1 are refused");
    ok(refuses("X/indptr", 1, 4, "falls from 4 to 3"), "falling offsets are refused");
    ok(refuses("X/indptr", 4, 4, "ends with 4, but 5"), "offsets that end early are refused");
    ok(refuses("obs/label/codes", 0, 9, "category 9 of 2"), "a category out of range is refused");
}

static void others(void)
{
    struct cells d;
    struct err e = { 0 };
    ok(h5ad_read(in_dir("none.h5ad"), &d, &e) == RC_INPUT && strstr(e.text, "No such file"),
       "a file that is not there is named: %s", e.text);
    ok(h5ad_read(dir, &d, &e) == RC_INPUT && strstr(e.text, "folder"), "a folder is refused: %s",
       e.text);
    FILE *f = fopen(in_dir("text.h5ad"), "w");
    fputs("<html>not found</html>\n", f);
    fclose(f);
    ok(h5ad_read(in_dir("text.h5ad"), &d, &e) == RC_INPUT && strstr(e.text, "as HDF5"),
       "a page of text is refused: %s", e.text);
}

/* A file may not grow beyond limit bytes: what a full disk does, without one. */
static void full_disk(rlim_t limit)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct cells c;
        struct err e = { 0 };
        const struct rlimit r = { limit, limit };
        make(&c);
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &r);
        enum rc rc = h5ad_write(in_dir("full.h5ad"), &c, NULL, &e);
        _exit(rc == RC_FAIL && strstr(e.text, "full.h5ad") ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    ok(status == 0 && !file_exists(in_dir("full.h5ad")) && !file_exists(in_dir("full.h5ad.part")),
       "a disk that is full after %d bytes fails with a sentence and leaves nothing", (int)limit);
}

/* Cells of several chunks, whole and in blocks of some rows: the same file. */
static void blocks(void)
{
    enum { N = 700, M = 300 };
    struct err e = { 0 };
    struct cells c;
    char whole[SHA256_HEX] = "", part[SHA256_HEX] = "";
    bool same = true;
    cells_init(&c);
    csr_alloc(&c.count, N, M, N * M, &e);
    for (size_t r = 0; r < N; r++)
        c.count.indptr[r + 1] = (r + 1) * M;
    for (size_t k = 0; k < N * M; k++) {
        c.count.index[k] = (uint32_t)(k % M);
        c.count.value[k] = (uint32_t)(1 + k % 97);
    }
    table_init(&c.obs, N);
    table_init(&c.var, M);
    c.cell = calloc(N, sizeof *c.cell);
    c.gene = calloc(M, sizeof *c.gene);
    for (size_t i = 0; i < N; i++)
        c.cell[i] = arena_text(&c.obs.text, "a");
    for (size_t i = 0; i < M; i++)
        c.gene[i] = arena_text(&c.var.text, "g");
    ok(!h5ad_write(in_dir("whole.h5ad"), &c, NULL, &e) &&
           !sha256_file(in_dir("whole.h5ad"), whole, NULL, &e),
       "counts of several chunks are written %s", e.text);
    static const size_t step[] = { 1, 219, 500 };
    for (size_t i = 0; i < 3; i++) {
        struct h5ad_writer w;
        enum rc rc = h5ad_writer_open(&w, in_dir("part.h5ad"), &e);
        for (size_t r = 0, n; !rc && r < N; r += n) {
            static uint64_t indptr[N + 1];
            n = N - r < step[i] ? N - r : step[i];
            for (size_t k = 0; k <= n; k++)
                indptr[k] = k * M;
            const struct csr b = { n, M, indptr, c.count.index + r * M, c.count.value + r * M };
            rc = h5ad_writer_add(&w, &b, &e);
        }
        if (!rc)
            rc = h5ad_writer_close(&w, &c, NULL, &e);
        if (!rc)
            rc = sha256_file(in_dir("part.h5ad"), part, NULL, &e);
        same = same && !rc && strcmp(whole, part) == 0;
    }
    ok(same, "in blocks of any size they are the same bytes %s", e.text);
    cells_release(&c);
}

/* A matrix of obsm in blocks: the same bytes whatever they are, and what was given. */
static void obsm_blocks(void)
{
    enum { N = 37, D = 5 };
    static const size_t step[] = { N, 1, 16, 20 };
    static float x[N * D];
    char sum[4][SHA256_HEX];
    struct err e = { 0 };
    struct cells c;
    bool good = true;
    cells_init(&c);
    table_init(&c.obs, N);
    c.cell = calloc(N, sizeof *c.cell);
    c.gene = calloc(1, sizeof *c.gene);
    for (size_t i = 0; i < N * D; i++)
        x[i] = (float)i / 7;
    for (size_t i = 0; i < N; i++)
        c.cell[i] = arena_text(&c.obs.text, "a");
    for (size_t i = 0; i < 4; i++) {
        struct h5ad_writer w;
        enum rc rc = h5ad_writer_open(&w, in_dir("obsm.h5ad"), &e);
        for (size_t r = 0, n; !rc && r < N; r += n) {
            n = N - r < step[i] ? N - r : step[i];
            rc = h5ad_writer_add_obsm(&w, "X_genecompass", x + r * D, n, D, &e);
        }
        if (!rc)
            rc = h5ad_writer_close(&w, &c, NULL, &e);
        if (!rc)
            rc = sha256_file(in_dir("obsm.h5ad"), sum[i], NULL, &e);
        good = good && !rc && strcmp(sum[i], sum[0]) == 0;
    }
    ok(good, "rows of obsm in blocks of any size are the same bytes %s", e.text);
    float *got = NULL;
    size_t n = 0, d = 0;
    ok(!h5ad_read_obsm(in_dir("obsm.h5ad"), "X_genecompass", &got, &n, &d, &e) && n == N && d == D &&
           memcmp(got, x, sizeof x) == 0,
       "and come back %s", e.text);
    free(got);
    struct h5ad_writer w;
    ok(!h5ad_writer_open(&w, in_dir("short.h5ad"), &e) &&
           !h5ad_writer_add_obsm(&w, "X_genecompass", x, N - 1, D, &e) &&
           h5ad_writer_close(&w, &c, NULL, &e) && !file_exists(in_dir("short.h5ad")),
       "fewer rows than cells are refused, and the file is gone");
    cells_release(&c);
}

/* anndata's own verdict, where it is installed. */
static void with_anndata(void)
{
    char cmd[1024];
    const char *python = getenv("PYTHON") ? getenv("PYTHON") : "python3";
    snprintf(cmd, sizeof cmd, "%s -c 'import anndata' 2>/dev/null", python);
    if (system(cmd) != 0) {
        skip("python's anndata opens our file: '%s' has no anndata (set PYTHON)", python);
        return;
    }
    snprintf(cmd, sizeof cmd,
             "%s -W ignore -c \"import anndata, sys; a = anndata.read_h5ad('%s')\n"
             "assert a.shape == (4, 3) and a.X.sum() == 2147483647 + 313, a\n"
             "assert a.X.dtype == 'int32' and a.X.indptr.dtype.kind == 'i'\n"
             "assert list(a.obs.columns) == ['cell_id', 'species', 'label', 'share'], a.obs\n"
             "assert a.obs['label'].isna().tolist() == [False, True, False, True]\n"
             "assert a.obs['label'].dtype == 'category'\n"
             "assert a.obs_names[2] == 'z\\u00e4hl' and a.var['gene_name'].iloc[2][:4] == 'ENSG'\n"
             "assert a.obsm['X_genecompass'].shape == (4, 2) and a.uns['model'] == 'tiny'\n"
             "assert anndata.read_h5ad('%s').shape == (4, 3)\n\"",
             python, in_dir("a.h5ad"), in_dir("nox.h5ad"));
    ok(system(cmd) == 0, "python's anndata opens our file and finds the same");
}

/* ---- only what is asked for ---- */

/* Cells in place, and as a copy: the same names and columns. */
static void keeps(void)
{
    static const unsigned char cell[] = { 0, 1, 1, 0 }, gene[] = { 1, 0, 1 };
    struct cells c, d;
    struct err e = { 0 };
    make(&c);
    bool same = !cells_select(&c, cell, gene, &d, &e);
    cells_keep_head(&c, cell, gene);
    same = same && c.count.n_rows == 2 && c.count.n_cols == 2 && same_table(&c.obs, &d.obs) &&
           same_table(&c.var, &d.var);
    for (size_t i = 0; same && i < 2; i++)
        same = strcmp(c.cell[i], d.cell[i]) == 0 && strcmp(c.gene[i], d.gene[i]) == 0;
    ok(same, "cells and genes that leave in place leave the same as in a copy");
    cells_keep_head(&c, NULL, NULL);
    ok(same_table(&c.obs, &d.obs), "none leave when no rule is given");
    cells_release(&c);
    cells_release(&d);
}

static void some_columns(void)
{
    static const char *const want[] = { "label", "no such column", "cell_id" };
    struct cells c;
    struct h5ad_rows r;
    struct err e = { 0 };
    make(&c);
    ok(!h5ad_write(in_dir("s.h5ad"), &c, NULL, &e) &&
           !h5ad_rows_open_some(&r, in_dir("s.h5ad"), want, 3, true, &e),
       "a file is opened for two of its columns: %s", e.text);
    const struct column *label = table_find(&r.head.obs, "label"),
                        *id = table_find(&r.head.obs, "cell_id");
    ok(r.head.obs.n_cols == 2 && label && id && same_text(label->text[2], "T cell") &&
           !label->text[3] && id->i64[1] == INT64_MIN,
       "they are there, others are not");
    ok(r.head.cell && same_text(r.head.cell[3], "T") && r.head.var.n_cols == 1,
       "the names as well, and all that is known of the genes");
    struct csr block;
    ok(!h5ad_rows_read(&r, 0, 4, &block, &e) && same_counts(&block, &c.count), "and the counts");
    h5ad_rows_close(&r);
    cells_release(&c);
}

/* A tool that looks at one number of a cell holds that number and where its counts lie. */
static void bytes_of_a_cell(void)
{
    enum { N = 20000 };
    static const char *const want[] = { "cell_id" };
    struct cells c;
    struct h5ad_rows r;
    struct err e = { 0 };
    char text[32];
    cells_init(&c);
    csr_alloc(&c.count, N, 1, 0, &e);
    table_init(&c.obs, N);
    table_init(&c.var, 1);
    c.cell = calloc(N, sizeof *c.cell);
    c.gene = calloc(1, sizeof *c.gene);
    c.gene[0] = "ENSG00000000003";
    struct column *id = table_add(&c.obs, "cell_id", COLUMN_I64);
    for (size_t i = 0; i < N; i++) {
        snprintf(text, sizeof text, "AAACCTGAGAAACCAT-%zu", i);
        c.cell[i] = arena_text(&c.obs.text, text);
        id->i64[i] = (int64_t)i;
    }
    struct column *other = table_add(&c.obs, "well", COLUMN_TEXT);
    memcpy(other->text, c.cell, N * sizeof *c.cell);
    bool good = !h5ad_write(in_dir("n.h5ad"), &c, NULL, &e) &&
                !h5ad_rows_open_some(&r, in_dir("n.h5ad"), want, 1, false, &e);
    ok(good && r.head.count.n_rows == N && !r.head.cell &&
           r.head.obs.text.used_bytes < N * 8 + 4096,
       "one number of %d cells takes %zu bytes: %s", N, r.head.obs.text.used_bytes, e.text);
    h5ad_rows_close(&r);
    cells_release(&c);
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    round_trip();
    edges();
    cuts();
    bad_values();
    others();
    blocks();
    keeps();
    some_columns();
    bytes_of_a_cell();
    full_disk(0);
    full_disk(5000);
    full_disk(20000);
    obsm_blocks();
    with_anndata();
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
    return system(cmd) == 0 ? tap_end() : 1;
}
