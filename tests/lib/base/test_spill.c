/* lib/base/spill: arrays longer than what a process holds. */
#define _GNU_SOURCE
#include "lib/base/spill.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "tests/tap.h"

static long peak_kib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

/* An array of 128 MiB, written and read from start to end. */
static void bounded(void)
{
    enum { N = 16 << 20, MOST_KIB = 8 << 10 };
    uint64_t *v = spill_alloc(N * sizeof *v);
    const long before = peak_kib();
    bool zero = v != NULL, same = true;
    for (size_t i = 0; v && i < N; i++) {
        zero = zero && v[i] == 0;
        v[i] = i * 0x9e3779b97f4a7c15u;
        spill_step(i);
    }
    for (size_t i = 0; v && i < N; i++) {
        same = same && v[i] == i * 0x9e3779b97f4a7c15u;
        spill_step(i);
    }
    ok(zero && same, "a long array is zeroed, and keeps what is written");
    ok(spill_bytes() == N * sizeof *v, "it lies in a file");
    const long more = peak_kib() - before;
    ok(more < MOST_KIB, "memory for 128 MiB: %ld KiB", more);
    spill_free(v);
    ok(spill_bytes() == 0, "which is given back");
}

static void grows(void)
{
    uint32_t *v = NULL;
    size_t room = 0;
    bool good = true;
    for (uint32_t i = 0; good && i < 1 << 20; i++) {
        if (i == room) {
            const size_t more = 2 * room + 7;
            uint32_t *to = spill_grow(v, room * sizeof *to, more * sizeof *to);
            good = to != NULL;
            v = to;
            room = more;
        }
        v[i] = ~i;
    }
    for (uint32_t i = 0; good && i < 1 << 20; i++)
        good = v[i] == ~i;
    ok(good, "an array grows from memory into a file");
    spill_free(v);
    spill_free(malloc(10));
    spill_free(NULL);
    ok(spill_alloc(SIZE_MAX) == NULL && spill_bytes() == 0, "too much is refused");
}

struct item {
    uint64_t key, place;
};

static int by_key(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static void sorts(void)
{
    static const size_t size[] = {
        0, 1, 2, 7, 8, 9, 1000, SPILL_STEP, SPILL_STEP + 1, 200 * 1000, 300 * 1000
    };
    for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
        const size_t n = size[k];
        struct item *v = spill_alloc((n + 1) * sizeof *v);
        uint64_t sum = 0, sorted_sum = 0;
        for (size_t i = 0; i < n; i++) {
            v[i] = (struct item){ rng_below(1, RNG_TEST, k, i, 1 + n / 3), i };
            sum += v[i].key * (i + 1);
        }
        bool good = spill_sort(v, n, sizeof *v, by_key) == 0;
        for (size_t i = 0; i < n; i++) {
            sorted_sum += v[i].key * (v[i].place + 1);
            if (i)
                good = good && (v[i - 1].key < v[i].key ||
                                (v[i - 1].key == v[i].key && v[i - 1].place < v[i].place));
        }
        ok(good && sum == sorted_sum, "%zu items are sorted, equal ones in their order", n);
        spill_free(v);
    }
}

/* A child writes to a file of its own, though it has its parent's arrays. */
static void children(void)
{
    enum { N = 1 << 20 };
    unsigned char *v = spill_alloc(N);
    memset(v, 'p', N);
    pid_t child = fork();
    if (child == 0) {
        threads_forked();
        unsigned char *mine = spill_alloc(N);
        bool good = mine && v[N / 2] == 'p';
        memset(mine, 'c', N);
        spill_rest();
        good = good && mine[N - 1] == 'c';
        spill_free(v);
        spill_free(mine);
        _exit(good ? 0 : 1);
    }
    int status = 1;
    waitpid(child, &status, 0);
    unsigned char *other = spill_alloc(N);
    bool good = status == 0 && other && other[0] == 0 && other[N - 1] == 0;
    spill_rest();
    for (size_t i = 0; i < N; i++)
        good = good && v[i] == 'p';
    ok(good, "a child's arrays and its end leave those of the parent alone");
    spill_free(v);
    spill_free(other);
}

static void arenas(void)
{
    struct arena a, b;
    spill_arena(&a, 1 << 16);
    spill_arena(&b, 1 << 16);
    enum { N = 200000 };
    char **text = spill_alloc(N * sizeof *text), want[32];
    bool good = true;
    for (size_t i = 0; i < N; i++) {
        snprintf(want, sizeof want, "cell %zu", i);
        text[i] = arena_text(i % 2 ? &a : &b, want);
        spill_step(i);
    }
    arena_adopt(&a, &b);
    arena_release(&b);
    for (size_t i = 0; good && i < N; i++) {
        snprintf(want, sizeof want, "cell %zu", i);
        good = text[i] && strcmp(text[i], want) == 0;
        spill_step(i);
    }
    ok(good && spill_bytes() > 0, "texts of an arena lie in a file as well");
    bool differ = false;
    ok(!texts_differ((const char *const *)text, N, &differ, NULL) && differ, "and all differ");
    text[N - 1] = text[3];
    ok(!texts_differ((const char *const *)text, N, &differ, NULL) && !differ, "until one repeats");
    arena_release(&a);
    spill_free(text);
    ok(spill_bytes() == 0, "nothing stays");
}

/* No folder to write in: ordinary memory does. */
static void no_disk(void)
{
    setenv("TMPDIR", "/nowhere", 1);
    spill_beside("/nowhere/at/all");
    char *v = spill_alloc(4 << 20);
    ok(v && spill_bytes() == 0 && v[(4 << 20) - 1] == 0, "without a disk, memory is taken");
    spill_free(v);
    unsetenv("TMPDIR");
    spill_beside(NULL);
}

int main(void)
{
    bounded();
    grows();
    sorts();
    children();
    arenas();
    no_disk();
    return tap_end();
}
