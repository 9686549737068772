/* Medians: exact with any memory, against a plain sort. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/cell/median_stream.h"
#include "tests/tap.h"

enum { N_GENES = 40, MAX_CELLS = 6000 };

/* A corpus that can be streamed again: gene g is in every (g + 1)th cell. */
struct corpus {
    size_t n_cells;
    int kind; /* 0: like cells; 1: all values equal; 2: two far apart; 3: wide */
};

static size_t cell(const struct corpus *c, size_t r, uint32_t *gene, uint32_t *count,
                   uint64_t *total)
{
    size_t n = 0;
    *total = c->kind == 3 ? ((uint64_t)1 << 52) + rng_below(5, RNG_TEST, r, 0, (uint64_t)1 << 52)
             : c->kind    ? 10000
                          : 500 + rng_below(5, RNG_TEST, r, 0, 20000);
    for (uint32_t g = 0; g < N_GENES - 1; g++) {
        if (r % (g + 1))
            continue;
        gene[n] = g;
        count[n++] = c->kind == 1   ? 3
                     : c->kind == 2 ? (r / (g + 1) % 2 ? 1 : 9999)
                     : c->kind == 3 ? 1 + (uint32_t)rng_below(5, RNG_TEST, r, g + 1, UINT32_MAX)
                                    : 1 + (uint32_t)rng_below(5, RNG_TEST, r, g + 1, 1 + g);
    }
    return n;
}

static enum rc stream(const struct corpus *c, struct median_stream *m, size_t n_cells,
                      struct err *e)
{
    uint32_t gene[N_GENES], count[N_GENES];
    uint64_t total;
    for (size_t r = 0; r < n_cells; r++) {
        size_t n = cell(c, r, gene, count, &total);
        if (median_stream_cell(m, gene, count, n, total, e))
            return e->rc;
    }
    return RC_OK;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double plain_median(const struct corpus *c, uint32_t g, size_t *n)
{
    static double x[MAX_CELLS];
    uint32_t gene[N_GENES], count[N_GENES];
    uint64_t total;
    *n = 0;
    for (size_t r = 0; r < c->n_cells; r++) {
        size_t k = cell(c, r, gene, count, &total);
        for (size_t i = 0; i < k; i++)
            if (gene[i] == g)
                x[(*n)++] = count[i] * 10000.0 / (double)total;
    }
    qsort(x, *n, sizeof *x, rising);
    return *n ? (x[(*n - 1) / 2] + x[*n / 2]) / 2 : 0;
}

static void test_memory(const struct corpus *c, size_t bytes, int least_passes)
{
    struct median_stream m;
    struct err e = { 0 };
    bool again = true;
    int wrong = 0;
    enum rc rc = median_stream_init(&m, N_GENES, bytes, &e);
    while (!rc && again) {
        rc = stream(c, &m, c->n_cells, &e);
        if (!rc)
            rc = median_stream_next(&m, &again, &e);
    }
    for (uint32_t g = 0; !rc && g < N_GENES; g++) {
        size_t n;
        double want = plain_median(c, g, &n);
        wrong += m.n[g] != n || (n && median_stream_get(&m, g) != want);
    }
    ok(!rc && wrong == 0 && m.pass >= least_passes,
       "%zu cells of kind %d, %zu bytes: %d medians differ after %d passes %s", c->n_cells, c->kind,
       bytes, wrong, m.pass, e.text);
    median_stream_release(&m);
}

static void test_refusals(void)
{
    struct median_stream m;
    struct err e = { 0 };
    static const uint32_t gene[] = { 1 }, count[] = { 5 };
    ok(median_stream_init(&m, N_GENES, N_GENES * 512 - 1, &e) == RC_USAGE && !m.n,
       "too little memory is refused: %s", e.text);
    median_stream_init(&m, N_GENES, 1 << 20, &e);
    ok(median_stream_cell(&m, gene, count, 1, 4, &e) == RC_INPUT, "refused: %s", e.text);
    ok(median_stream_cell(&m, gene, count, 1, (uint64_t)1 << 53, &e) == RC_INPUT, "refused: %s",
       e.text);
    ok(!median_stream_cell(&m, gene, count, 1, 5, &e) &&
           !median_stream_cell(&m, gene, count, 1, ((uint64_t)1 << 53) - 1, &e),
       "the largest and the smallest value there can be are taken");
    bool again;
    ok(!median_stream_next(&m, &again, &e) && !again && m.n[1] == 2 && m.n[0] == 0,
       "two values need one pass");
    median_stream_release(&m);
    median_stream_release(&m);

    struct corpus c = { 4000, 0 };
    median_stream_init(&m, N_GENES, N_GENES * 512, &e);
    bool good = !stream(&c, &m, 4000, &e) && !median_stream_next(&m, &again, &e) && again &&
                !stream(&c, &m, 3999, &e);
    ok(good && median_stream_next(&m, &again, &e) == RC_INPUT && !again, "refused: %s", e.text);
    median_stream_release(&m);
}

int main(void)
{
    static const size_t cells[] = { 0, 1, 2, 3, 100, MAX_CELLS };
    for (int kind = 0; kind < 4; kind++)
        for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
            struct corpus c = { cells[i], kind };
            bool many = cells[i] == MAX_CELLS;
            test_memory(&c, 1 << 22, 1);
            test_memory(&c, 1 << 16, many ? 2 : 1);
            test_memory(&c, N_GENES * 512, many ? 2 : 1);
        }
    test_refusals();
    return tap_end();
}
