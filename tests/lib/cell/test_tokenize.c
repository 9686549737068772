/* Ranking: the order is exact, ties go by token, the cut is where it should be. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/cell/rank_table.h"
#include "lib/cell/token_block.h"
#include "tests/tap.h"

enum { N_COLS = 6000 };

static int32_t token[N_COLS];
static double median[N_COLS];
static const struct token_columns columns = { .n_cols = N_COLS, .token = token, .median = median };

static void plain_columns(void)
{
    for (int j = 0; j < N_COLS; j++) {
        token[j] = j + 2;
        median[j] = 1;
    }
}

struct rank {
    double x;
    int32_t token;
};

static int by_rank(const void *a, const void *b)
{
    const struct rank *p = a, *q = b;
    if (p->x != q->x)
        return p->x < q->x ? 1 : -1;
    return (p->token > q->token) - (p->token < q->token);
}

/* The same in the plainest way. */
static bool as_sorted(const struct token_work *w, const uint32_t *col, const uint32_t *count,
                      size_t n, size_t cut)
{
    static struct rank r[N_COLS];
    size_t m = 0;
    for (size_t k = 0; k < n; k++)
        if (token[col[k]] >= 0)
            r[m++] = (struct rank){ count[k] / median[col[k]], token[col[k]] };
    qsort(r, m, sizeof *r, by_rank);
    if (w->n_nonzero != m || w->n != (m < cut ? m : cut))
        return false;
    for (size_t i = 0; i < w->n; i++)
        if (w->token[i] != r[i].token || w->value[i] != (float)log2(1 + r[i].x))
            return false;
    return true;
}

static void test_example(struct token_work *w)
{
    static const uint32_t col[] = { 0, 1, 2, 3 }, count[] = { 3, 6, 2, 7 };
    struct err e = { 0 };
    median[0] = 1.5, median[1] = 2.7, median[2] = 0.9;
    token[0] = 9, token[1] = 5, token[2] = 4, token[3] = -1;
    ok(!cell_tokenize(w, &columns, col, count, 4, 2048, &e) && w->n == 3 && w->n_nonzero == 3,
       "a gene without a token is left out");
    ok(w->token[0] == 4 && w->token[1] == 5 && w->token[2] == 9,
       "2 / 0.9 is one bit above 6 / 2.7, and ranks so though the values are equal");
    ok(w->value[0] == w->value[1] && fabsf(w->value[2] - 1.58496f) < 1e-5f,
       "3 counts at median 1.5 are log2(3)");
}

static void test_ties(struct token_work *w)
{
    static uint32_t col[3000], count[3000];
    struct err e = { 0 };
    bool good = true;
    plain_columns();
    for (uint32_t k = 0; k < 3000; k++) {
        col[k] = k;
        count[k] = 1;
        token[k] = (int32_t)((k * 1009) % 3000) + 2; /* all different, in no order */
    }
    good = !cell_tokenize(w, &columns, col, count, 3000, 2048, &e) && w->n == 2048;
    for (uint32_t i = 0; good && i < 2048; i++)
        good = w->token[i] == i + 2 && w->value[i] == 1;
    ok(good, "3000 equal genes are ranked by token, and the lowest 2048 stay");
    static const size_t n[] = { 0, 1, 2, 63, 64, 65, 2047, 2048, 2049 };
    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        ok(!cell_tokenize(w, &columns, col, count, n[i], 2048, &e) &&
               as_sorted(w, col, count, n[i], 2048),
           "a cell of %zu genes", n[i]);
}

/* Small counts through a table: the same, byte for byte. */
static bool with_table(struct token_work *w, const uint32_t *col, const uint32_t *count, size_t n,
                       size_t cut)
{
    struct token_columns c = columns;
    struct rank_table t;
    struct err e = { 0 };
    for (size_t j = 0; j < c.n_cols; j++)
        c.n_tokens += token[j] >= 0;
    if (rank_table_init(&t, &c, &e))
        return false;
    c.ranks = &t;
    bool good = t.max_count > 0 && !cell_tokenize(w, &c, col, count, n, cut, &e) &&
                as_sorted(w, col, count, n, cut);
    rank_table_release(&t);
    return good;
}

static void test_random(struct token_work *w)
{
    static uint32_t col[N_COLS], count[N_COLS];
    struct err e = { 0 };
    int wrong = 0;
    for (uint64_t round = 0; round < 300; round++) {
        size_t n = 0;
        for (uint64_t j = 0; j < N_COLS; j++) {
            uint64_t id = round * N_COLS + j;
            token[j] = rng_below(3, RNG_TEST, id, 0, 20) ? (int32_t)(65535 - j) : -1;
            /* Few medians and few counts: many ties; now and then a wide range. */
            median[j] = (double)(1 + rng_below(3, RNG_TEST, id, 1, 9)) / (round % 2 ? 3 : 10);
            if (rng_below(3, RNG_TEST, id, 2, 1 + round % 7))
                continue;
            col[n] = (uint32_t)j;
            count[n++] = 1 + (uint32_t)rng_below(3, RNG_TEST, id, 3, round % 3 ? 4 : UINT32_MAX);
        }
        size_t cut = round % 5 ? 2048 : 1 + round;
        wrong +=
            cell_tokenize(w, &columns, col, count, n, cut, &e) || !as_sorted(w, col, count, n, cut);
        wrong += !with_table(w, col, count, n, cut);
    }
    ok(wrong == 0, "300 random cells are ranked as by a plain sort (%d are not)", wrong);
}

/* Values by depth: the order stays, the values are those of the formula. */
static void test_depth(struct token_work *w)
{
    static const uint32_t col[] = { 0, 1, 2 }, count[] = { 3, 40, 2 };
    struct err e = { 0 };
    plain_columns();
    median[0] = 1.5, median[1] = 2.5, median[2] = 0.5;
    struct token_columns c = columns;
    struct rank_table t;
    c.n_tokens = N_COLS;
    bool good = !rank_table_init(&t, &c, &e);
    for (int table = 0; good && table < 2; table++) {
        c.ranks = table ? &t : NULL;
        w->total = 400;
        good = !cell_tokenize(w, &c, col, count, 3, 2048, &e) && w->n == 3 && w->token[0] == 3 &&
               w->token[1] == 4 && w->token[2] == 2 && w->value[0] == (float)log2(1 + 16. * 25) &&
               w->value[1] == (float)log2(1 + 4. * 25) && w->value[2] == (float)log2(1 + 2. * 25);
        w->total = 0;
    }
    rank_table_release(&t);
    ok(good, "by depth, count 40 of 400 at median 2.5 has the value log2(401), with and without a table");
}

static void test_block(void)
{
    struct csr m;
    struct err e = { 0 };
    struct token_block b[2];
    plain_columns();
    if (csr_alloc(&m, 500, N_COLS, 500 * 300, &e))
        exit(1);
    for (size_t r = 0; r < 500; r++) {
        uint64_t at = m.indptr[r];
        for (uint32_t k = 0; k < r % 300; k++) {
            m.index[at] = k * 7;
            m.value[at++] = 1 + (uint32_t)rng_below(4, RNG_TEST, r, k, 50);
        }
        m.indptr[r + 1] = at;
    }
    for (int i = 0; i < 2; i++) {
        threads_init(i ? 5 : 1);
        token_block_init(&b[i]);
        /* A small block first: the rooms must grow. */
        struct csr head = m;
        head.n_rows = 3;
        if (token_block_fill(&b[i], &columns, &head, NULL, 100, &e) ||
            token_block_fill(&b[i], &columns, &m, NULL, 100, &e))
            exit(1);
    }
    bool same = true;
    for (size_t r = 0; r < 500; r++) {
        uint64_t at = b[0].start[r];
        size_t n = b[0].length[r];
        same = same && n == (r % 300 < 100 ? r % 300 : 100) && b[1].length[r] == n &&
               b[0].n_nonzero[r] == r % 300 &&
               memcmp(b[0].token + at, b[1].token + at, n * sizeof *b[0].token) == 0 &&
               memcmp(b[0].value + at, b[1].value + at, n * sizeof *b[0].value) == 0;
    }
    ok(same, "five threads give the tokens that one gives");
    for (int i = 0; i < 2; i++)
        token_block_release(&b[i]);
    csr_release(&m);
    threads_stop();
}

static void test_columns(void)
{
    struct vocab v;
    struct medians m;
    struct token_columns c;
    struct err e = { 0 };
    static const char *const id[] = { "B", "A", "X", "<pad>" };
    vocab_init(&v);
    medians_init(&m);
    static const char *const words[] = { "<pad>", "<mask>", "A", "B" };
    for (int i = 0; i < 4; i++)
        vocab_add(&v, &(struct vocab_entry){ words[i], "", "", SPECIES_HUMAN, -1 }, &e);
    medians_add(&m, &(struct median){ "A", 5, 2.5 }, &e);
    ok(!token_columns_of(&c, id, 4, &v, &m, &e) && c.token[0] == 3 && c.token[1] == 2 &&
           c.token[2] == -1 && c.token[3] == -1 && c.n_tokens == 2,
       "columns find their tokens by id; the specials are no genes");
    ok(c.median[1] == 2.5 && c.median[0] == 1 && c.n_no_median == 1,
       "a gene without a median is divided by 1, and counted");
    token_columns_release(&c);
    vocab_release(&v);
    medians_release(&m);
}

int main(void)
{
    struct token_work w;
    token_work_init(&w);
    plain_columns();
    test_example(&w);
    test_ties(&w);
    test_random(&w);
    test_depth(&w);
    token_work_release(&w);
    test_block();
    test_columns();
    return tap_end();
}
