/* lib/io/import_names: names that repeat, against a map of all names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/rng.h"
#include "lib/base/spill.h"
#include "lib/io/import_parts.h"
#include "tests/tap.h"

/* Every name in its turn gets the first number that no name has so far. */
static size_t with_a_map(const char *const *name, size_t n, const char **to, struct arena *a)
{
    struct map seen, times;
    size_t n_renamed = 0;
    map_init(&seen);
    map_init(&times);
    for (size_t i = 0; i < n; i++)
        map_add(&seen, name[i], 0, NULL, NULL);
    for (size_t i = 0; i < n; i++) {
        uint64_t first, number = 0;
        char *text = NULL;
        to[i] = name[i];
        map_add(&times, name[i], i, &first, NULL);
        if (first != MAP_NONE) {
            do {
                free(text);
                text = text_new("%s-%llu", name[i], (unsigned long long)++number);
            } while (map_get(&seen, text) != MAP_NONE);
            map_add(&seen, text, 0, NULL, NULL);
            to[i] = arena_text(a, text);
            n_renamed++;
        }
        free(text);
    }
    map_release(&seen);
    map_release(&times);
    return n_renamed;
}

static void compare(const char *what, uint64_t seed, size_t n, size_t n_names)
{
    struct arena a;
    spill_arena(&a, 1 << 16);
    const char **name = spill_alloc((n + 1) * sizeof *name),
               **to = spill_alloc((n + 1) * sizeof *to), **want = malloc((n + 1) * sizeof *want);
    for (size_t i = 0; i < n; i++) {
        char text[64];
        const unsigned x = (unsigned)rng_below(seed, RNG_TEST, 0, i, (uint32_t)n_names),
                       y = (unsigned)rng_below(seed, RNG_TEST, 1, i, 6);
        snprintf(text, sizeof text, y == 0 ? "C%u-1" : y == 1 ? "C%u-2-1" : "C%u", x);
        name[i] = arena_text(&a, text);
    }
    size_t n_renamed = 0, n_want = with_a_map(name, n, want, &a);
    bool good = !names_differ(name, n, to, &a, &n_renamed, NULL) && n_renamed == n_want;
    for (size_t i = 0; good && i < n; i++)
        good = strcmp(to[i], want[i]) == 0;
    ok(good, "%s: %zu names, %zu renamed, as by a map", what, n, n_want);
    spill_free(name);
    spill_free(to);
    free(want);
    arena_release(&a);
}

int main(void)
{
    compare("few names", 1, 40, 5);
    compare("nearly all repeat", 2, 3000, 100);
    compare("some repeat", 3, 100000, 60000);
    compare("one name", 4, 500, 1);
    compare("no name", 5, 0, 1);
    compare("all differ, but for few", 6, 1000, 1000000);
    return tap_end();
}
