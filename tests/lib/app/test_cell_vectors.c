/* lib/app/cell_vectors.h: which files are vectors, and which of them are taken. */
#define _XOPEN_SOURCE 700
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/cell_vectors.h"
#include "lib/base/file.h"
#include "lib/io/h5ad.h"
#include "tests/tap.h"

enum { N = 3, D = 2 };
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char dir[64] = "/tmp/gc-test-cell-vectors-XXXXXX", path[96];

struct made {
    const char *hash, *weights; /* NULL: not there */
    size_t rows;
    float last;
};

/* A file of N cells as embed writes them. */
static bool make(struct made how)
{
    float x[] = { 1, 2, 3, 4, 5, how.last };
    const char *const uns[][2] = { { "genecompass_model_sha256", how.hash },
                                   { "genecompass_weights", how.weights } };
    const struct h5ad_matrix m = { "X_genecompass", how.rows, D, x };
    const struct h5ad_extra extra = { .obsm = &m,
                                      .n_obsm = how.rows > 0,
                                      .uns = uns + !how.hash,
                                      .n_uns = (how.hash != NULL) + (size_t)(how.weights != NULL) };
    struct cells c;
    struct err e = { 0 };
    cells_init(&c);
    table_init(&c.obs, N);
    c.cell = calloc(N, sizeof *c.cell);
    c.gene = calloc(1, sizeof *c.gene);
    for (size_t i = 0; c.cell && i < N; i++)
        c.cell[i] = arena_text(&c.obs.text, &"abc"[i]);
    const enum rc rc = h5ad_write(path, &c, &extra, &e);
    cells_release(&c);
    return !rc || ok(false, "%s", e.text);
}

/* "vectors", "none", or the sentence; all is released. */
static const char *reads(struct made how)
{
    static char said[ERR_TEXT_MAX];
    struct cells c;
    struct cell_vectors v;
    struct err e = { 0 };
    bool has = false;
    if (!make(how))
        return "";
    const enum rc rc = cell_vectors_read(path, &c, &v, &has, &e);
    const bool full = v.x && c.obs.n_rows == N && v.n == N && v.d == D && v.x[0] == 1;
    snprintf(said, sizeof said, "%s", rc ? e.text : has && full ? "vectors" : "none");
    if ((rc || !has) && (v.x || c.cell))
        snprintf(said, sizeof said, "something is left");
    cells_release(&c);
    cell_vectors_release(&v);
    return said;
}

static bool says(struct made how, const char *words)
{
    return strstr(reads(how), words) != NULL;
}

int main(void)
{
    struct err e = { 0 };
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/x.h5ad", dir);
    ok(says((struct made){ HASH, "trained", N, 6 }, "vectors"), "a file of embed is read");
    ok(says((struct made){ HASH, NULL, N, 6 }, "vectors"), "one that does not name weights, too");
    ok(says((struct made){ NULL, "trained", N, 6 }, "none"), "one without a hash is none");
    ok(says((struct made){ "0123", "trained", N, 6 }, "none"), "nor one with a short hash");
    ok(says((struct made){ HASH, "random", N, 6 }, "of random weights"), "random ones are refused");
    ok(says((struct made){ HASH, "drawn anew from seed 1", N, 6 }, "'genecompass_weights'"),
       "so are those of weights with a longer name");
    ok(says((struct made){ HASH, "trained", N, NAN }, "row 3 column 2 is not a finite number"),
       "and a NaN");
    ok(says((struct made){ HASH, "trained", 0, 6 }, "obsm"), "and a file without the matrix");
    const struct cell_vectors v = { .d = D, .model_sha256 = HASH };
    ok(!cell_vectors_check(&v, D, HASH, NULL, &e) && !cell_vectors_check(&v, D, OTHER, HASH, &e),
       "vectors of the model or of its base");
    ok(cell_vectors_check(&v, D, OTHER, NULL, &e) == RC_INPUT &&
           cell_vectors_check(&v, D + 1, HASH, NULL, &e) == RC_INPUT,
       "not those of others, nor of another width");
    folder_remove(dir);
    return tap_end();
}
