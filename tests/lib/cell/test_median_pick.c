/* Medians of streamed values against a plain sort; the order of a block against qsort. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/cell/median_block.h"
#include "lib/cell/median_pick.h"
#include "tests/tap.h"

enum { MOST = 3000 };

static uint64_t below(uint64_t a, uint64_t b, uint64_t n)
{
    return rng_below(11, RNG_TEST, a, b, n);
}

/* 0: like cells; 1: few different; 2: all equal; 3: any bits; 4: neighbours in the last bit */
static double value(int kind, uint64_t seed, uint64_t i)
{
    uint64_t bits = 0;
    double x = 1;
    switch (kind) {
    case 0:
        return (double)(1 + below(seed, 3 * i, 5)) * 10000.0 /
               (double)(500 + below(seed, 3 * i + 1, 20000));
    case 1:
        return (double)(1 + below(seed, i, 3)) / 7;
    case 2:
        return 1.0 / 3;
    case 3:
        bits = 1 + below(seed, i, (uint64_t)0x7fefffffffffffff);
        break;
    default:
        memcpy(&bits, &x, sizeof bits);
        bits += below(seed, i, 4);
    }
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* As many rounds as asked for; wrong ones are counted. */
static void test_pick(int kind, size_t room, int most_passes)
{
    struct median_pick p;
    struct err e = { 0 };
    static double x[MOST];
    int wrong = 0, passes = 0;
    if (median_pick_init(&p, &e)) {
        ok(false, "%s", e.text);
        return;
    }
    p.room = room;
    for (uint64_t round = 0; round < 40; round++) {
        size_t n = round < 8 ? (size_t)round : 8 + (size_t)below(round, 0, MOST - 8), at = 0;
        median_pick_start(&p);
        bool again = true;
        while (again) {
            at = 0;
            for (uint64_t i = 0; at < n; i++) {
                /* Now and then a value that stands there several times. */
                uint64_t times = 1 + (i % 3 == 0) * below(round, i, 4);
                times = times > n - at ? n - at : times;
                double v = value(kind, round, i);
                median_pick_add(&p, v, times);
                while (times--)
                    x[at++] = v;
            }
            again = median_pick_next(&p);
        }
        passes = p.pass > passes ? p.pass : passes;
        qsort(x, n, sizeof *x, rising);
        wrong += p.n != n || (n && median_pick_get(&p) != (x[(n - 1) / 2] + x[n / 2]) / 2);
    }
    ok(wrong == 0 && passes <= most_passes && (room > 1 || passes > 1),
       "values of kind %d, room for %zu: %d medians differ after at most %d passes", kind, room,
       wrong, passes);
    median_pick_release(&p);
    median_pick_release(&p);
}

static int by_fields(const void *a, const void *b)
{
    const struct median_item *x = a, *y = b;
    if (x->gene != y->gene)
        return x->gene < y->gene ? -1 : 1;
    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    return (x->total > y->total) - (x->total < y->total);
}

static void test_block(size_t n, uint64_t genes, uint64_t counts, uint64_t totals)
{
    struct median_block b;
    struct err e = { 0 };
    struct median_item *want = malloc((n + 1) * sizeof *want);
    bool good = want && !median_block_init(&b, (n + 1) * 2 * sizeof *want, &e);
    for (size_t i = 0; good && i < n; i++) {
        want[i] = (struct median_item){ (uint32_t)below(1, i, genes), (uint32_t)below(2, i, counts),
                                        below(3, i, totals) };
        good = !median_block_full(&b) && !median_block_add(&b, want[i], &e);
    }
    if (good && n)
        qsort(want, n, sizeof *want, by_fields);
    good = good && !median_block_sort(&b, &e) && b.n == n;
    for (size_t i = 0; good && i < n; i++)
        good = by_fields(&want[i], &b.item[i]) == 0;
    good = good && !median_block_full(&b) &&
           !median_block_add(&b, (struct median_item){ 1, 1, 1 }, &e) && median_block_full(&b);
    ok(good, "%zu items with numbers below %llu, %llu, %llu are sorted, and then the block is full",
       n, (unsigned long long)genes, (unsigned long long)counts, (unsigned long long)totals);
    median_block_release(&b);
    free(want);
}

int main(void)
{
    static const size_t rooms[] = { 1, 2, 50, MEDIAN_PICK_ROOM };
    struct median_block b;
    struct err e = { 0 };
    for (int kind = 0; kind < 5; kind++)
        for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
            test_pick(kind, rooms[i], rooms[i] == MEDIAN_PICK_ROOM ? 1 : 4);
    test_block(0, 1, 1, 1);
    test_block(1, 1, 1, 1);
    test_block(5000, 3, 4, 5);
    test_block(20000, 40000, 3000, 100000);
    test_block(20000, UINT32_MAX, UINT32_MAX, (uint64_t)1 << 53);
    ok(median_block_init(&b, 31, &e) == RC_USAGE, "too little memory is refused: %s", e.text);
    return tap_end();
}
