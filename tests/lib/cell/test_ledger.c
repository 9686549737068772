/* Cells that occur twice are counted as by comparing all with all; contents are those of the counts. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/cell/content.h"
#include "lib/cell/ledger.h"
#include "tests/tap.h"

enum { N = 600, GROUPS = 6, N_SETS = 2 };

static int64_t content[N];
static uint32_t group[N];

static bool is_set(uint32_t g)
{
    return g >= GROUPS - N_SETS;
}

static struct ledger_group plain(uint32_t g)
{
    struct ledger_group p = { .is_set = is_set(g) };
    for (size_t i = 0; i < N; i++) {
        if (group[i] != g)
            continue;
        bool before = false, other = false, corpus = false;
        for (size_t k = 0; k < N && content[i]; k++) {
            if (content[k] != content[i])
                continue;
            before |= k < i && group[k] == g;
            other |= group[k] != g && !is_set(group[k]);
            corpus |= !is_set(group[k]);
        }
        p.n_cells++;
        p.n_no_counts += content[i] == 0;
        p.n_again += before;
        p.n_others += other;
        p.n_corpus += corpus;
    }
    return p;
}

/* Different contents that both groups hold. */
static uint64_t shared(uint32_t a, uint32_t b)
{
    uint64_t n = 0;
    for (size_t i = 0; i < N; i++) {
        bool first = group[i] == a && content[i] != 0, there = false;
        for (size_t k = 0; k < i && first; k++)
            first = group[k] != a || content[k] != content[i];
        for (size_t k = 0; k < N && first; k++)
            there |= group[k] == b && content[k] == content[i];
        n += first && there;
    }
    return n;
}

static void test_counts(void)
{
    struct ledger l;
    struct err e = { 0 };
    uint32_t g;
    ledger_init(&l, &e);
    for (uint32_t k = 0; k < GROUPS; k++)
        ledger_add_group(&l, is_set(k), &g, &e);
    for (uint64_t i = 0; i < N; i++) {
        content[i] = (int64_t)rng_below(5, RNG_TEST, i, 0, 400) - 200;
        group[i] = (uint32_t)rng_below(5, RNG_TEST, i, 1, GROUPS);
        ledger_add(&l, group[i], &content[i], 1, &e);
    }
    ok(!ledger_count(&l, &e), "cells are counted %s", e.text);
    for (uint32_t k = 0; k < GROUPS; k++) {
        struct ledger_group want = plain(k), *got = &l.group[k];
        ok(want.n_cells == got->n_cells && want.n_no_counts == got->n_no_counts &&
               want.n_again == got->n_again && want.n_others == got->n_others &&
               want.n_corpus == got->n_corpus && got->n_again > 0 && got->n_others > 0,
           "%s %u: as by comparing all with all (%llu in others)", is_set(k) ? "set" : "sample", k,
           (unsigned long long)got->n_others);
    }
    size_t wrong = 0, at = 0;
    for (uint32_t a = 0; a < GROUPS; a++)
        for (uint32_t b = a + 1; b < GROUPS; b++) {
            uint64_t n = is_set(a) && is_set(b) ? 0 : shared(a, b);
            if (n == 0)
                continue;
            wrong += at >= l.n_pairs || l.pair[at].a != a || l.pair[at].b != b ||
                     l.pair[at].n != n;
            at++;
        }
    ok(wrong == 0 && at == l.n_pairs && at > 10, "%zu pairs share what they share", at);
    ledger_release(&l);
}

/* Rows of counts over genes, in any order of the genes. */
static int64_t content_of(const char *const *gene, size_t n, uint32_t *value)
{
    uint64_t indptr[2] = { 0 }, *hash = content_genes(gene, n);
    uint32_t index[8], kept[8];
    int64_t sum;
    for (uint32_t j = 0; j < n; j++)
        if (value[j]) {
            index[indptr[1]] = j;
            kept[indptr[1]++] = value[j];
        }
    const struct csr c = {
        .n_rows = 1, .n_cols = n, .indptr = indptr, .index = index, .value = kept
    };
    content_rows(&c, hash, &sum);
    free(hash);
    return sum;
}

static void test_content(void)
{
    static const char *const abc[] = { "ENSG1", "ENSG2", "ENSG3" },
                      *const cab[] = { "ENSG3", "ENSG1", "ENSG4", "ENSG2" };
    int64_t x = content_of(abc, 3, (uint32_t[]){ 5, 0, 7 });
    ok(x != 0 && content_of(cab, 4, (uint32_t[]){ 7, 5, 0, 0 }) == x,
       "the order of genes, and genes without counts, change nothing");
    ok(content_of(abc, 3, (uint32_t[]){ 7, 0, 5 }) != x &&
           content_of(abc, 3, (uint32_t[]){ 5, 7, 0 }) != x &&
           content_of(abc, 3, (uint32_t[]){ 5, 0, 8 }) != x &&
           content_of(abc, 3, (uint32_t[]){ 5, 1, 7 }) != x,
       "other counts, or counts of other genes, are another content");
    ok(content_of(abc, 3, (uint32_t[]){ 0, 0, 0 }) == 0, "no counts have content 0");
    size_t same = 0;
    for (uint32_t a = 0; a < 60; a++)
        for (uint32_t b = 0; b < 60; b++)
            same += content_of(abc, 3, (uint32_t[]){ a, b, 3 }) ==
                    content_of(abc, 3, (uint32_t[]){ b, a, 3 });
    ok(same == 60, "swapped counts differ unless they are equal");
}

int main(void)
{
    test_content();
    test_counts();
    return tap_end();
}
