/* The shuffle without a state is a permutation, another one for every key. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/permute.h"
#include "tests/tap.h"

/* Each of [0, n) exactly once; *moved counts places that do not hold themselves. */
static bool is_permutation(uint64_t seed, uint64_t epoch, uint64_t n, uint64_t *moved)
{
    const struct permute p = permute_of(seed, epoch, n);
    unsigned char *seen = calloc(n, 1);
    bool good = seen != NULL;
    *moved = 0;
    for (uint64_t i = 0; good && i < n; i++) {
        uint64_t at = permute_at(&p, i);
        good = at < n && !seen[at];
        if (good)
            seen[at] = 1;
        *moved += at != i;
    }
    free(seen);
    return good;
}

int main(void)
{
    static const uint64_t n[] = { 1, 2, 3, 4, 5, 15, 16, 17, 255, 256, 257, 1000, 65536, 100003 };
    uint64_t moved;
    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        ok(is_permutation(1, i, n[i], &moved) && (n[i] < 100 || moved > n[i] * 9 / 10),
           "%llu items, each once", (unsigned long long)n[i]);
    const struct permute a = permute_of(1, 0, 100000), b = permute_of(1, 1, 100000),
                         c = permute_of(2, 0, 100000), again = permute_of(1, 0, 100000);
    size_t ab = 0, ac = 0, same = 0, rising = 0;
    for (uint64_t i = 0; i + 1 < 100000; i++) {
        ab += permute_at(&a, i) == permute_at(&b, i);
        ac += permute_at(&a, i) == permute_at(&c, i);
        same += permute_at(&a, i) == permute_at(&again, i);
        rising += permute_at(&a, i) < permute_at(&a, i + 1);
    }
    ok(same == 99999, "the same key gives the same order");
    ok(ab < 20 && ac < 20, "another epoch or seed gives another (%zu and %zu places agree)", ab,
       ac);
    ok(rising > 49000 && rising < 51000, "neighbours are in no order (%zu of 99999 rise)", rising);
    return tap_end();
}
