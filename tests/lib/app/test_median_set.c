/* Medians of a corpus that comes in any order, in parts, through any memory: those of a plain sort,
 * to the last bit, and partials of the same bytes. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/app/median_set.h"
#include "lib/base/file.h"
#include "lib/base/rng.h"
#include "tests/tap.h"

enum { N_GENES = 24, MAX_CELLS = 400, MAX_PARTS = 70 };

static char folder[64];
static const char *id[N_GENES]; /* rising */
static char id_text[N_GENES][24];

/* A corpus is a function of its seed. */
struct corpus {
    uint64_t seed;
    size_t n_cells;
    int kind; /* 0: like cells; 1: few totals, so ties; 2: wide counts and totals */
};

static uint64_t draw(const struct corpus *c, uint64_t a, uint64_t b, uint64_t n)
{
    return rng_below(c->seed, RNG_TEST, a, b, n);
}

static size_t cell(const struct corpus *c, size_t r, uint32_t *gene, uint32_t *count,
                   uint64_t *total)
{
    size_t n = 0;
    *total = c->kind == 2   ? ((uint64_t)1 << 52) + draw(c, r, 0, (uint64_t)1 << 52)
             : c->kind == 1 ? 1000 * (1 + draw(c, r, 0, 3))
                            : 500 + draw(c, r, 0, 20000);
    for (uint32_t g = 0; g < N_GENES - 1; g++) {
        if (draw(c, r, 100 + g, g + 1)) /* the last gene is nowhere, and gene g in every (g+1)th */
            continue;
        gene[n] = g;
        count[n++] = 1 + (uint32_t)draw(c, r, 200 + g, c->kind == 2 ? UINT32_MAX : 1 + g % 5);
    }
    return n;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double plain_median(const struct corpus *c, uint32_t g, enum median_kind kind, size_t *n)
{
    static double x[MAX_CELLS];
    uint32_t gene[N_GENES], count[N_GENES];
    uint64_t total;
    *n = 0;
    for (size_t r = 0; r < c->n_cells; r++) {
        size_t k = cell(c, r, gene, count, &total);
        for (size_t i = 0; i < k; i++)
            if (gene[i] == g)
                x[(*n)++] = kind == MEDIAN_DEPTH ? count[i] * 10000.0 / (double)total : count[i];
    }
    if (*n)
        qsort(x, *n, sizeof *x, rising);
    return *n ? (x[(*n - 1) / 2] + x[*n / 2]) / 2 : 0;
}

/* Part p of n_parts of the cells, in an order that depends on `order`. */
static enum rc add_part(struct median_set *s, const struct corpus *c, size_t p, size_t n_parts,
                        uint64_t order, struct err *e)
{
    uint32_t gene[N_GENES], count[N_GENES];
    uint64_t total;
    size_t place[MAX_CELLS];
    for (size_t r = 0; r < c->n_cells; r++) {
        size_t k = (size_t)rng_below(order, RNG_TEST, r, 1, r + 1);
        place[r] = place[k];
        place[k] = r;
    }
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < c->n_cells; i++)
        if (rng_below(order, RNG_TEST, place[i], 2, n_parts) == p) {
            size_t n = cell(c, place[i], gene, count, &total);
            rc = median_set_cell(s, gene, count, n, total, e);
        }
    return rc;
}

static char *part_path(size_t p)
{
    return text_new("%s/part-%zu", folder, p);
}

/* Writes a partial for every part, then joins them from the last to the first. */
static enum rc join(struct median_set *s, const struct corpus *c, size_t n_parts, size_t bytes,
                    uint64_t order, char **path, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t p = 0; !rc && p < n_parts; p++) {
        struct median_set one;
        rc = median_set_init(&one, id, N_GENES, bytes, folder, e);
        if (!rc)
            rc = add_part(&one, c, p, n_parts, order, e);
        if (!rc)
            rc = median_set_finish(&one, e);
        if (!rc)
            rc = median_set_write(&one, path[p], e);
        median_set_release(&one);
    }
    for (size_t p = n_parts; !rc && p-- > 0;)
        rc = median_set_file(s, path[p], e);
    return rc;
}

/* n_parts 0: all cells into one set. The bytes of the whole are left in *whole. */
static void run(const struct corpus *c, size_t n_parts, size_t bytes, uint64_t order, char **whole,
                size_t *n_whole)
{
    struct median_set s;
    struct err e = { 0 };
    char *path[MAX_PARTS + 1];
    int wrong = 0;
    size_t n_values = 0;
    for (size_t p = 0; p <= n_parts; p++)
        path[p] = part_path(p);
    enum rc rc = median_set_init(&s, id, N_GENES, bytes, folder, &e);
    if (!rc)
        rc = n_parts ? join(&s, c, n_parts, bytes, order, path, &e)
                     : add_part(&s, c, 0, 1, order, &e);
    if (!rc)
        rc = median_set_finish(&s, &e);
    for (int kind = 0; !rc && kind < 2; kind++) {
        struct medians m;
        rc = median_set_medians(&s, (enum median_kind)kind, &m, &e);
        for (uint32_t g = 0; !rc && g < N_GENES; g++) {
            size_t n;
            double want = plain_median(c, g, (enum median_kind)kind, &n);
            const struct median *got = medians_find(&m, id[g]);
            wrong += n ? !got || got->n_nonzero != n || got->median != want : got != NULL;
            n_values += kind ? 0 : n;
        }
        medians_release(&m);
    }
    wrong += s.n_cells != c->n_cells || s.n_values != n_values;
    if (!rc)
        rc = median_set_write(&s, path[n_parts], &e);
    *whole = NULL;
    if (!rc)
        rc = file_read(path[n_parts], 1 << 24, whole, n_whole, &e);
    ok(!rc && !wrong,
       "%zu cells of kind %d, %zu partials, %zu bytes: %d are wrong after %zu merges %s",
       c->n_cells, c->kind, n_parts, bytes, wrong, s.n_merges, e.text);
    median_set_release(&s);
    for (size_t p = 0; p <= n_parts; p++) {
        unlink(path[p]);
        free(path[p]);
    }
}

static void test_corpus(const struct corpus *c)
{
    static const size_t parts[] = { 0, 0, 1, 2, 5, MAX_PARTS };
    static const size_t bytes[] = { 1 << 20, 32 * 60, 32 * 7, 1 << 20, 32 * 100, 32 * 40 };
    char *first = NULL;
    size_t n_first = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *whole;
        size_t n = 0;
        run(c, parts[i], bytes[i], 5 + i, &whole, &n);
        if (i == 0) {
            first = whole;
            n_first = n;
            continue;
        }
        ok(whole && first && n == n_first && memcmp(whole, first, n) == 0,
           "%zu partials and %zu bytes of memory leave the same file", parts[i], bytes[i]);
        free(whole);
    }
    free(first);
}

static void test_refusals(void)
{
    struct median_set s;
    struct err e = { 0 };
    static const uint32_t gene[] = { 1 }, count[] = { 5 };
    ok(median_set_init(&s, id, N_GENES, 31, folder, &e) == RC_USAGE, "refused: %s", e.text);
    median_set_init(&s, id, N_GENES, 1 << 20, folder, &e);
    ok(median_set_cell(&s, gene, count, 1, 4, &e) == RC_INPUT, "refused: %s", e.text);
    ok(median_set_cell(&s, gene, count, 1, (uint64_t)1 << 53, &e) == RC_INPUT, "refused: %s",
       e.text);
    ok(!median_set_cell(&s, gene, count, 1, 5, &e) &&
           !median_set_cell(&s, gene, count, 1, ((uint64_t)1 << 53) - 1, &e),
       "the largest and the smallest value there can be are taken");
    ok(!median_set_file(&s, "/nowhere/x", &e) && median_set_finish(&s, &e) == RC_INPUT,
       "refused: %s", e.text);
    median_set_release(&s);
    median_set_release(&s);
    median_set_init(&s, id, N_GENES, 1 << 20, "/nowhere", &e);
    ok(median_set_finish(&s, &e) == RC_FAIL, "refused: %s", e.text);
    median_set_release(&s);
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/gc-median-set-%ld", (long)getpid());
    struct err e = { 0 };
    if (folder_make(folder, &e))
        return RC_FAIL;
    for (int g = 0; g < N_GENES; g++) {
        snprintf(id_text[g], sizeof id_text[g], "ENSG%08d", 7 * g);
        id[g] = id_text[g];
    }
    static const size_t cells[] = { 0, 1, 2, 3, 120, MAX_CELLS - 1, MAX_CELLS };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        struct corpus c = { 31 + i, cells[i], (int)i % 3 };
        test_corpus(&c);
    }
    test_refusals();
    rmdir(folder);
    return tap_end();
}
