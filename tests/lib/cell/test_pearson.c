/* lib/cell/pearson: the sums give what the definition gives in two passes, exactly for any number
 * of threads; the null keeps each gene's own counts. */
#include "lib/cell/pearson.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "tests/tap.h"

enum { CELLS = 90, GENES = 150 };

/* Counts from a seed; gene 5 is gene 4 doubled, gene 6 is constant, gene 7 in no cell. */
static void make(struct csr *c, uint32_t dense[CELLS][GENES])
{
    struct err e = { 0 };
    memset(dense, 0, sizeof(uint32_t[CELLS][GENES]));
    for (uint32_t r = 0; r < CELLS; r++)
        for (uint32_t g = 0; g < GENES; g++) {
            const double share = 0.2 + 0.7 * g / GENES;
            if (rng_unit(3, RNG_TEST, g, r) < share)
                dense[r][g] = 1 + (uint32_t)rng_below(4, RNG_TEST, g, r, 5 + g);
            if (g == 5)
                dense[r][g] = 2 * dense[r][4];
            if (g == 6)
                dense[r][g] = 3;
            if (g == 7)
                dense[r][g] = 0;
        }
    if (csr_alloc(c, CELLS, GENES, (size_t)CELLS * GENES, &e))
        abort();
    size_t n = 0;
    for (uint32_t r = 0; r < CELLS; r++) {
        for (uint32_t g = 0; g < GENES; g++)
            if (dense[r][g]) {
                c->index[n] = g;
                c->value[n++] = dense[r][g];
            }
        c->indptr[r + 1] = n;
    }
    if (csr_check(c, &e))
        abort();
}

static double scaled(const uint32_t dense[CELLS][GENES], int r, int g, bool logged)
{
    double total = 0;
    for (int k = 0; k < GENES; k++)
        total += dense[r][k];
    return logged ? log2(1 + 1e4 * dense[r][g] / total) : dense[r][g];
}

/* The definition, in two passes. */
static double plain(const uint32_t dense[CELLS][GENES], int x, int y, uint32_t least, bool logged,
                    uint32_t *n)
{
    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    *n = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int r = 0; r < CELLS; r++) {
            if (!dense[r][x] || !dense[r][y])
                continue;
            const double a = scaled(dense, r, x, logged), b = scaled(dense, r, y, logged);
            if (pass == 0) {
                mx += a;
                my += b;
                ++*n;
            } else {
                xx += (a - mx) * (a - mx);
                yy += (b - my) * (b - my);
                xy += (a - mx) * (b - my);
            }
        }
        if (pass == 0 && *n) {
            mx /= *n;
            my /= *n;
        }
    }
    return *n < least || xx < 1e-9 || yy < 1e-9 ? NAN : xy / sqrt(xx * yy);
}

static void entries(const struct csr *c, const uint32_t dense[CELLS][GENES], bool logged)
{
    struct pearson_options o = pearson_defaults();
    struct pearson_entry row[GENES];
    struct err e = { 0 };
    double off = 0;
    size_t wrong = 0, defined = 0, above = 0;
    o.scale = logged ? PEARSON_LOG2CP10K : PEARSON_COUNTS;
    o.least_cells = 12;
    o.above = 0.3;
    for (int x = 0; x < GENES; x++) {
        if (pearson_rows(c, &o, &(uint32_t){ (uint32_t)x }, 1, row, &e))
            wrong++;
        for (int y = 0; y < GENES; y++) {
            uint32_t n;
            const double r = plain(dense, x, y, o.least_cells, logged, &n);
            wrong += row[y].n != n || isnan(r) != isnan(row[y].r);
            if (!isnan(r) && !(fabs(r - row[y].r) <= off))
                off = fabs(r - row[y].r);
            defined += y > x && !isnan(r);
            above += y > x && r > o.above;
        }
    }
    ok(wrong == 0 && off < 1e-12, "%s: all entries are those of two passes, off by %.1e",
       logged ? "logs" : "counts", off);
    struct pearson_counts k;
    struct pairs p = { 0 };
    ok(!pearson_pairs(c, &o, &p, &k, &e) && k.defined == defined && k.above == above &&
           p.n == above && above > 1,
       "%zu pairs are defined, %zu above 0.3", defined, above);
    ok(p.at[0].a <= p.at[1].a && p.at[p.n - 1].b < GENES, "pairs come by rising column");
    pairs_release(&p);
}

static void special(const struct csr *c)
{
    struct pearson_options o = pearson_defaults();
    struct pearson_entry row[GENES];
    struct err e = { 0 };
    o.least_cells = 2;
    ok(!pearson_rows(c, &o, &(uint32_t){ 4 }, 1, row, &e) && near(row[5].r, 1, 0, 0),
       "a doubled gene: exactly 1");
    ok(isnan(row[6].r) && row[6].n > 0, "a constant gene has no correlation");
    ok(isnan(row[7].r) && row[7].n == 0, "nor has one that is nowhere expressed");
    o.above = 1;
    struct pearson_counts k;
    ok(!pearson_pairs(c, &o, NULL, &k, &e) && k.above == 0, "1 is not above 1");
    o.least_cells = CELLS + 1;
    ok(!pearson_pairs(c, &o, NULL, &k, &e) && k.genes == 0 && k.defined == 0,
       "more joint cells than cells: nothing is left, and no harm");
}

/* A gene with counts of thousands takes the sums from float to double: all others keep their bits.
 */
static void float_and_double(const struct csr *c)
{
    struct pearson_options o = pearson_defaults();
    struct pearson_entry small[GENES], large[GENES];
    struct csr big = *c;
    struct err e = { 0 };
    const uint32_t x = 10;
    o.least_cells = 5;
    big.value = malloc(csr_nnz(c) * sizeof *big.value);
    for (uint64_t i = 0; big.value && i < csr_nnz(c); i++)
        big.value[i] = c->value[i] * (c->index[i] == 0 ? 5000 : 1);
    bool same = big.value && !pearson_rows(c, &o, &x, 1, small, &e) &&
                !pearson_rows(&big, &o, &x, 1, large, &e);
    size_t defined = 0;
    for (int y = 1; same && y < GENES; y++) {
        same = small[y].n == large[y].n && !memcmp(&small[y].r, &large[y].r, sizeof(double));
        defined += isnan(small[y].r) ? 0 : 1;
    }
    ok(same && defined > 50, "large counts of one gene change no bit of %zu others", defined);
    free(big.value);
}

static void threads_and_null(const struct csr *c)
{
    struct pearson_options o = pearson_defaults();
    struct pairs one = { 0 }, p = { 0 };
    struct pearson_counts k1, k, null;
    struct err e = { 0 };
    o.least_cells = 10;
    o.above = 0.2;
    threads_init(1);
    bool good = !pearson_pairs(c, &o, &one, &k1, &e);
    for (int n = 2; n <= 8; n *= 2) {
        threads_init(n);
        good = good && !pearson_pairs(c, &o, &p, &k, &e) && p.n == one.n &&
               !memcmp(p.at, one.at, p.n * sizeof *p.at) && !memcmp(&k, &k1, sizeof k);
        pairs_release(&p);
    }
    ok(good, "any number of threads lists the same %zu pairs", one.n);
    o.shuffled = 1;
    ok(!pearson_pairs(c, &o, &p, &null, &e) && null.genes == k1.genes, "a shuffle keeps the genes");
    bool differ = p.n != one.n || memcmp(p.at, one.at, p.n * sizeof *p.at) != 0;
    ok(differ && null.above > 0, "and changes the pairs: %zu, %zu before", p.n, one.n);
    struct pairs again = { 0 };
    o.stream = 9;
    pearson_pairs(c, &o, &again, NULL, &e);
    ok(again.n != p.n || memcmp(p.at, again.at, p.n * sizeof *p.at) != 0,
       "another stream is another shuffle");
    o.above = 0.99;
    o.least_cells = 10;
    ok(!pearson_pairs(c, &o, NULL, &null, &e) && null.above == 0,
       "the doubled gene is lost in a shuffle");
    pairs_release(&one);
    pairs_release(&p);
    pairs_release(&again);
}

static void samples(void)
{
    enum { N = 5000 };
    uint64_t id[N], back[N];
    unsigned char keep[N], peek[N];
    struct err e = { 0 };
    for (size_t i = 0; i < N; i++) {
        id[i] = i * 77 + 5;
        back[N - 1 - i] = id[i];
    }
    size_t n = 0, low = 0, differ = 0;
    bool same = true;
    sample_rows(id, N, 3000, 1, keep, &e);
    sample_rows(back, N, 3000, 1, peek, &e);
    for (size_t i = 0; i < N; i++) {
        n += keep[i];
        low += i < N / 2 && keep[i];
        same = same && keep[i] == peek[N - 1 - i];
    }
    ok(n == 3000 && low > 1400 && low < 1600, "3000 of 5000 cells, from all over");
    ok(same, "the same cells in another order");
    sample_rows(id, N, 3000, 2, peek, &e);
    for (size_t i = 0; i < N; i++)
        differ += keep[i] != peek[i];
    ok(differ > 1000, "another seed draws others");
    sample_rows(id, 100, 3000, 1, keep, &e);
    ok(keep[0] && keep[99], "of fewer cells all are taken");
}

int main(void)
{
    static uint32_t dense[CELLS][GENES];
    struct csr c;
    make(&c, dense);
    entries(&c, (const uint32_t(*)[GENES])dense, false);
    entries(&c, (const uint32_t(*)[GENES])dense, true);
    special(&c);
    float_and_double(&c);
    threads_and_null(&c);
    samples();
    csr_release(&c);
    threads_stop();
    return tap_end();
}
