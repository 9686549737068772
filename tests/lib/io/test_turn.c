/* turn.h: entries in any order come out as rows, whatever is kept in memory. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/io/turn.h"
#include "tests/tap.h"

enum { ROWS = 211, COLS = 90, N = 20000 };

/* What is asked for: each row a list, entries in the order in which they came. */
struct plain {
    size_t n[ROWS];
    uint32_t col[ROWS][N / 4], value[ROWS][N / 4];
};

/* skew: most entries in one row, so that its bin holds far more than its share. */
static struct entry made(size_t k, bool skew)
{
    uint32_t row = (uint32_t)rng_below(7, RNG_TEST, 1, k, skew ? 2 * ROWS : ROWS);
    row = row >= ROWS ? (k % 7 ? 17 + (uint32_t)(k % 40) : 17) : row;
    return (struct entry){ row, (uint32_t)rng_below(7, RNG_TEST, 2, k, COLS),
                           rng_below(7, RNG_TEST, 3, k, 10) ? 1 + (uint32_t)(k % 9) : 70000 };
}

static bool row_is(const struct plain *p, size_t r, const struct csr *b, size_t at)
{
    uint64_t from = b->indptr[at], n = b->indptr[at + 1] - from;
    return n == p->n[r] && (!n || (memcmp(p->col[r], b->index + from, n * 4) == 0 &&
                                   memcmp(p->value[r], b->value + from, n * 4) == 0));
}

static bool same(const struct plain *p, const struct source *s)
{
    bool good = s->count.n_rows == ROWS;
    size_t r = 0;
    for (size_t i = 0; good && i < source_blocks(s); i++) {
        struct csr b = s->count;
        struct err e = { 0 };
        if (s->spooled && spool_get_rows(&s->rows, i, &b, &e))
            return false;
        good = source_block_first(s, i) == r;
        for (size_t k = 0; good && k < b.n_rows; k++, r++)
            good = row_is(p, r, &b, k);
        if (s->spooled)
            csr_release(&b);
    }
    return good && r == ROWS;
}

static void turned(size_t spool_from, uint64_t said, bool skew)
{
    struct plain *p = calloc(1, sizeof *p);
    struct source s;
    struct turn t;
    struct err e = { 0 };
    source_init(&s);
    s.spool_from = spool_from;
    source_rows_begin(&s, COLS);
    enum rc rc = turn_begin(&t, &s, ROWS, COLS, said, &e);
    for (size_t k = 0; p && !rc && k < N; k++) {
        const struct entry x = made(k, skew);
        p->col[x.row][p->n[x.row]] = x.col;
        p->value[x.row][p->n[x.row]++] = x.value;
        rc = turn_add(&t, x.row, x.col, x.value, &e);
    }
    if (!rc)
        rc = turn_end(&t, &e);
    bool file = t.n_rounds > 0;
    turn_release(&t);
    ok(p && !rc && file == (N > spool_from) && s.spooled == file && same(p, &s),
       "%d entries%s, %zu in memory, %llu said: the same rows %s", N,
       skew ? ", most of one row" : "", spool_from, (unsigned long long)said, e.text);
    source_release(&s);
    free(p);
}

static void sources(void)
{
    struct source genes, s;
    struct err e = { 0 };
    struct plain *p = calloc(1, sizeof *p);
    for (int spooled = 0; p && spooled < 2; spooled++) {
        memset(p, 0, sizeof *p);
        source_init(&genes);
        source_init(&s);
        genes.spool_from = s.spool_from = spooled ? 100 : 1 << 20;
        source_rows_begin(&genes, ROWS);
        enum rc rc = RC_OK;
        for (uint32_t g = 0; !rc && g < COLS; g++) {
            uint64_t indptr[2] = { 0, 0 };
            uint32_t index[ROWS], value[ROWS];
            for (uint32_t c = g % 3; c < ROWS; c += 1 + g % 5) {
                index[indptr[1]] = c;
                value[indptr[1]++] = c + g;
                p->col[c][p->n[c]] = g;
                p->value[c][p->n[c]++] = c + g;
            }
            const struct csr b = { 1, ROWS, indptr, index, value };
            rc = source_rows_add(&genes, &b, &e);
        }
        if (!rc)
            rc = turn_source(&genes, &s, &e);
        ok(!rc && same(p, &s), "a source by gene%s is turned to cells %s",
           spooled ? " in a file" : "", e.text);
        source_release(&genes);
        source_release(&s);
    }
    free(p);
}

static void edges(void)
{
    struct source s;
    struct turn t;
    struct err e = { 0 };
    source_init(&s);
    source_rows_begin(&s, 5);
    ok(!turn_begin(&t, &s, 3, 5, 0, &e) && !turn_end(&t, &e) && s.count.n_rows == 3 &&
           csr_nnz(&s.count) == 0,
       "no entries are empty rows");
    turn_release(&t);
    ok(turn_begin(&t, &s, (size_t)1 << 32, 5, 0, &e) == RC_INPUT && strstr(e.text, "too many"),
       "more rows than 32 bits can number are refused");
    turn_release(&t);
    source_release(&s);
    source_init(&s);
    s.spool_folder = "/nowhere/at/all";
    s.spool_from = 10;
    source_rows_begin(&s, 5);
    enum rc rc = turn_begin(&t, &s, 3, 5, 0, &e);
    for (uint32_t k = 0; !rc && k < 100; k++)
        rc = turn_add(&t, k % 3, k % 5, 1, &e);
    ok(rc == RC_FAIL && strstr(e.text, "/nowhere/at/all"), "a folder that is not there: %s",
       e.text);
    turn_release(&t);
    source_release(&s);
}

int main(void)
{
    static const size_t spool_from[] = { 1 << 20, N, N - 1, 1000, 64, 16 };
    for (size_t i = 0; i < sizeof spool_from / sizeof *spool_from; i++)
        turned(spool_from[i], i % 2 ? 0 : N, false);
    turned(500, 3, false); /* another number than was said */
    turned(500, UINT64_MAX, false);
    turned(500, N, true);
    sources();
    edges();
    return tap_end();
}
