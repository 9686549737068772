/* One order serves many questions: the average precision with some scores moved to the end is that
 * of ranking the moved scores anew. */
#include "lib/base/rng.h"
#include "lib/nn/metrics_rank.h"
#include "tests/tap.h"

enum { N = 300 };

/* Whole numbers of few kinds, so that many are equal; some have the least score from the start. */
static bool agrees(uint64_t round, uint64_t n_kept)
{
    double score[N], moved[N];
    bool positive[N], kept[N];
    struct rank_order order;
    struct rank_metrics m;
    struct err e = { 0 };
    for (uint64_t i = 0; i < N; i++) {
        score[i] = (double)rng_below(1, RNG_TEST, round, 3 * i, 40) - 1;
        positive[i] = !rng_below(1, RNG_TEST, round, 3 * i + 1, 5);
        kept[i] = rng_below(1, RNG_TEST, round, 3 * i + 2, 10) < n_kept;
        moved[i] = kept[i] ? score[i] : -1;
    }
    if (rank_metrics_get(moved, positive, N, &m, &e) ||
        rank_order_make(&order, score, positive, N, &e))
        return false;
    const double ap = rank_order_average_precision(&order, kept, -1);
    rank_order_release(&order);
    return ap >= m.average_precision && ap <= m.average_precision;
}

int main(void)
{
    for (uint64_t kept = 0; kept <= 10; kept++) {
        bool good = true;
        for (uint64_t round = 0; round < 50; round++)
            good = agrees(round, kept) && good;
        ok(good, "%d of ten scores stay, to the last bit", (int)kept);
    }
    struct rank_order order;
    struct err e = { 0 };
    const double bad[] = { 1, 0.0 / 0.0 };
    const bool label[] = { true, false };
    ok(rank_order_make(&order, bad, label, 2, &e) == RC_INPUT && !order.item, "%s", e.text);
    return tap_end();
}
