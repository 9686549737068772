/* lib/io/shard_index: the same table as entering the ids one after another, however it is cut. */
#include "lib/io/shard_index.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/spill.h"
#include "tests/tap.h"

/* As shard.h says it. */
static uint32_t *one_after_another(const uint64_t *id, size_t n, uint64_t n_slots)
{
    uint32_t *slot = calloc((size_t)n_slots, sizeof *slot);
    for (size_t i = 0; slot && i < n; i++) {
        uint64_t at = id[i] & (n_slots - 1);
        while (slot[at])
            at = (at + 1) & (n_slots - 1);
        slot[at] = (uint32_t)i + 1;
    }
    return slot;
}

enum how { SPREAD, NARROW, AT_THE_END, EQUAL, N_HOW };
static const char *const name[N_HOW] = { "spread", "in few places", "at the end", "all the same" };

static uint64_t make_id(enum how how, size_t i)
{
    const uint64_t x = (uint64_t)rng_below(how, RNG_TEST, 1, i, 1 << 30) * 2654435761u;
    switch (how) {
    case NARROW:
        return x % 5 * 40 + x / 7 % 3;
    case AT_THE_END:
        return UINT64_MAX - x % 9;
    case EQUAL:
        return 77;
    default:
        return x;
    }
}

int main(void)
{
    static const size_t many[] = { 0, 1, 2, 3, 100, 341, 5000 };
    for (int how = 0; how < N_HOW; how++)
        for (size_t k = 0; k < sizeof many / sizeof *many; k++) {
            const size_t n = many[k];
            uint64_t *id = malloc((n + 1) * sizeof *id);
            bool good = id != NULL;
            for (size_t i = 0; good && i < n; i++)
                id[i] = make_id((enum how)how, i);
            for (size_t part = 1; good && part <= 1 << 14; part *= 4) {
                uint32_t *slot = NULL;
                uint64_t n_slots = 0;
                good =
                    !shard_index_make(id, n, part, &slot, &n_slots, NULL) && n_slots >= n + n / 2;
                uint32_t *want = good ? one_after_another(id, n, n_slots) : NULL;
                good = want && memcmp(slot, want, (size_t)n_slots * sizeof *slot) == 0;
                free(want);
                spill_free(slot);
            }
            ok(good, "%zu ids %s: the same table from parts of 1 to 16384 slots", n, name[how]);
            free(id);
        }
    return tap_end();
}
