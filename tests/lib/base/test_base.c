/* lib/base: errors, random numbers, hashes, arena, map, files, options, threads. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/opt.h"
#include "lib/base/rng.h"
#include "lib/base/sha256.h"
#include "lib/base/thread.h"
#include "tests/tap.h"

static void errors(void)
{
    struct err e = { 0 };
    ok(err_set(&e, RC_INPUT, "row %d: column %d of %d", 3, 61000, 55655) == RC_INPUT,
       "err_set returns the code");
    err_wrap(&e, "cells %d..%d", 0, 512);
    ok(strcmp(e.text, "cells 0..512: row 3: column 61000 of 55655") == 0,
       "err_wrap puts its words in front");
    char big[3 * ERR_TEXT_MAX];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    err_wrap(&e, "%s", big);
    ok(strlen(e.text) == ERR_TEXT_MAX - 1, "a sentence that is too long is cut, not overrun");
    ok(err_set(NULL, RC_FAIL, "x") == RC_FAIL && err_wrap(NULL, "x") == RC_FAIL,
       "no struct err is no crash");
}

static void random_numbers(void)
{
    /* Known answers of the Random123 distribution (kat_vectors, philox 4x32 10). */
    struct rng_word4 b = rng_block(0, (enum rng_purpose)0, 0, 0);
    ok(b.w[0] == 0x6627e8d5 && b.w[1] == 0xe169c58d && b.w[2] == 0xbc57ac4c && b.w[3] == 0x9b00dbd8,
       "Philox of zeros is the published answer");
    b = rng_block(UINT64_MAX, (enum rng_purpose)0xffff, UINT64_MAX, 0xffffffffffff);
    ok(b.w[0] == 0x408f276d && b.w[1] == 0x41c83b0e && b.w[2] == 0xa20bc7c6 && b.w[3] == 0x6d5451fd,
       "Philox of ones is the published answer");
    double sum = 0, sq = 0;
    for (uint64_t i = 0; i < 100000; i++) {
        double x = rng_normal(7, RNG_TEST, 1, i);
        sum += x;
        sq += x * x;
    }
    ok(near(sum / 1e5, 0, 0.015, 0) && near(sq / 1e5, 1, 0.02, 0), "normals have mean 0, variance 1");
    uint64_t count[7] = { 0 };
    for (uint64_t i = 0; i < 70000; i++)
        count[rng_below(7, RNG_TEST, 2, i, 7)]++;
    bool even = true;
    for (int i = 0; i < 7; i++)
        even = even && count[i] > 9600 && count[i] < 10400;
    ok(even, "rng_below is even over its range");
    uint32_t item[100], seen[100] = { 0 };
    for (uint32_t i = 0; i < 100; i++)
        item[i] = i;
    rng_shuffle(1, RNG_SHUFFLE, 0, item, 100);
    bool moved = false, once = true;
    for (uint32_t i = 0; i < 100; i++) {
        moved = moved || item[i] != i;
        seen[item[i]]++;
    }
    for (int i = 0; i < 100; i++)
        once = once && seen[i] == 1;
    ok(moved && once, "a shuffle moves items and keeps each once");
}

static void hashes(void)
{
    char hex[SHA256_HEX];
    struct err e = { 0 };
    ok(!sha256_bytes("abc", 3, hex, &e) &&
           !strcmp(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
       "SHA-256 of abc is FIPS 180's");
    ok(sha256_file("/no/such/file", hex, NULL, &e) == RC_INPUT && strstr(e.text, "/no/such/file"),
       "a file that is not there is refused by name");
}

static void arenas(void)
{
    struct arena a;
    arena_init(&a, 1000);
    char *p = arena_get(&a, 10), *q = arena_get(&a, 5000);
    ok(p && q && (uintptr_t)p % 64 == 0 && (uintptr_t)q % 64 == 0, "blocks are aligned to 64");
    memset(q, 1, 5000);
    memset(p, 2, 10);
    ok(q[0] == 1 && q[4999] == 1, "blocks do not overlap");
    arena_reset(&a);
    p = arena_get(&a, 10);
    q = arena_get(&a, 5000);
    ok(q == p + 64, "a reset joins the blocks of the round before to one");
    arena_reset(&a);
    ok(arena_get(&a, 10) == p && arena_get(&a, 5000) == q, "after a reset the same memory is used");
    ok((char *)arena_get(&a, 1000) == q + 5056,
       "and there is room for a round that is a little larger");
    arena_reset(&a);
    ok(arena_get(&a, 10) == p && arena_get(&a, 5000) == q, "which asks for no other block");
    char *big = memory_pages((9u << 20) + 1);
    memset(big, 3, (9u << 20) + 1);
    ok((uintptr_t)big % 64 == 0 && big[9u << 20] == 3, "large memory is aligned, too");
    ok(!memory_pages(SIZE_MAX - 5), "and a size near the end of memory is refused");
    free(big);
    const struct arena_mark mark = arena_mark(&a);
    char *r = arena_get(&a, 3000), *far = arena_get(&a, 100000);
    arena_rewind(&a, mark);
    ok(r && far && arena_get(&a, 3000) == r && arena_get(&a, 100000) == far,
       "after a rewind what followed the mark is handed out again");
    ok(!arena_get(&a, SIZE_MAX - 10), "a size near the end of memory is refused");
    arena_release(&a);
    const char *const first = arena_text(&a, "AAAC-1");
    size_t used = a.used_bytes;
    for (int i = 0; i < 100; i++)
        arena_text(&a, "AAAG-1");
    ok(first && strcmp(first, "AAAC-1") == 0 && a.used_bytes - used < 1000,
       "short texts lie side by side");
    arena_reset(&a);
    arena_text(&a, "x");
    arena_release(&a);
    const char *const again = arena_text(&a, "AAAT-1");
    ok(again && strcmp(again, "AAAT-1") == 0, "a released arena begins anew");
    arena_release(&a);
}

/* One arena takes over what another has handed out. */
static void adoptions(void)
{
    struct arena to, from;
    arena_init(&to, 100);
    arena_init(&from, 100);
    arena_adopt(&to, &from);
    ok(to.used_bytes == 0 && !to.first, "an empty arena has nothing to take over");
    const char *a = arena_text(&from, "AAAC-1");
    char *big = arena_get(&from, 5000);
    memset(big, 7, 5000);
    size_t used = from.used_bytes;
    arena_adopt(&to, &from);
    const char *b = arena_text(&to, "AAAG-1");
    ok(to.used_bytes >= used && from.used_bytes == 0, "what was in use is the other's");
    const char *c = arena_text(&from, "AAAT-1");
    char *more = arena_get(&from, 3000);
    memset(more, 8, 3000);
    arena_adopt(&to, &from);
    char *last = arena_get(&to, 4000); /* would overwrite blocks that were taken for unused */
    memset(last, 9, 4000);
    arena_release(&from);
    bool kept = strcmp(a, "AAAC-1") == 0 && strcmp(b, "AAAG-1") == 0 && strcmp(c, "AAAT-1") == 0;
    for (int i = 0; i < 5000; i++)
        kept = kept && big[i] == 7 && (i >= 3000 || more[i] == 8);
    ok(kept, "and stays as it was when the first one is gone");
    arena_get(&from, 3000);
    arena_reset(&from);
    arena_get(&from, 10); /* a block in use, and blocks of the round before behind it */
    arena_adopt(&to, &from);
    char *again = arena_get(&from, 100);
    memset(again, 1, 100);
    arena_release(&to);
    ok(again[99] == 1, "blocks that were not in use stay behind");
    arena_release(&from);
}

static void differing_texts(void)
{
    static const char *const some[] = { "b", "a", "c", "a", NULL };
    bool yes = false;
    ok(!texts_differ(some, 3, &yes, NULL) && yes, "three texts differ");
    ok(!texts_differ(some, 4, &yes, NULL) && !yes, "with a repetition they do not");
    ok(!texts_differ(some + 2, 3, &yes, NULL) && !yes, "nor with one that is missing");
    ok(!texts_differ(some, 0, &yes, NULL) && yes, "none differ");
}

static void maps(void)
{
    struct map m;
    struct err e = { 0 };
    map_init(&m);
    ok(map_get(&m, "TP53") == MAP_NONE, "an empty map holds nothing");
    bool all = true;
    char name[16];
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "GENE%u", i);
        all = all && !map_add(&m, name, i, NULL, &e);
    }
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "GENE%u", i);
        all = all && map_get(&m, name) == i;
    }
    ok(all, "5000 names are found again");
    uint64_t old = 0;
    map_add(&m, "GENE7", 99, &old, &e);
    ok(old == 7 && map_get(&m, "GENE7") == 7, "the first value of a name stays, and is told");
    ok(map_get_n(&m, "GENE12345", 5) == 1, "a name may be a part of a longer text");
    map_release(&m);
}

static void files(void)
{
    struct err e = { 0 };
    char dir[] = "/tmp/gc-test-XXXXXX";
    ok(mkdtemp(dir) != NULL, "a folder for the test");
    char *path = text_new("%s/a b/ü/x.txt", dir);
    struct outfile o;
    ok(!outfile_open(&o, path, &e), "missing parents are made, blanks and umlauts too");
    fputs("hello", o.f);
    ok(!file_exists(path), "an output is not there before the commit");
    ok(!outfile_commit(&o, &e) && file_exists(path), "and whole after it");
    char *data;
    size_t n;
    ok(!file_read(path, 100, &data, &n, &e) && n == 5 && !strcmp(data, "hello"), "it reads back");
    free(data);
    ok(file_read(path, 4, &data, &n, &e) == RC_INPUT && !data, "a file over the limit is refused");
    ok(file_read(dir, 4, &data, &n, &e) == RC_INPUT, "a folder is not a file");
    outfile_open(&o, path, &e);
    fputs("half", o.f);
    outfile_abort(&o);
    ok(!file_read(path, 100, &data, &n, &e) && n == 5, "an aborted output leaves the old file");
    free(data);
    o = (struct outfile){ .f = fopen("/dev/full", "w"), .path = text_new("/dev/full"),
                          .tmp = text_new("%s/none", dir) };
    for (int i = 0; i < 100000; i++)
        fputs("0123456789", o.f);
    ok(outfile_commit(&o, &e) == RC_FAIL && strstr(e.text, "cannot write"),
       "a full disk is an error of the commit");
    char *rm = text_new("rm -rf '%s'", dir);
    ok(system(rm) == 0, "clean up");
    free(rm);
    free(path);
}

static void options(void)
{
    const char *s = "x", *c = "paper";
    int64_t i = 3;
    uint64_t u = 0;
    double f = 0.5;
    bool flag = false;
    struct opt_list in = { 0 }, rest = { 0 };
    const struct opt opts[] = {
        OPT_STR("str", &s, "TEXT", "a text"),     OPT_I64("int", &i, "N", "a whole number"),
        OPT_U64("seed", &u, "N", "a seed"),       OPT_F64("z-max", &f, "NUM", "a number"),
        OPT_FLAG("flag", &flag, "a flag"),        OPT_CHOICE("preset", &c, "paper|official-code", "w"),
        OPT_LIST("in", &in, "FILE", "many files"), OPT_END,
    };
    const struct opt *tables[] = { opts, NULL };
    struct err e = { 0 };
    char *good[] = { "t", "a", "--int=-4", "--in", "p", "q", "--flag", "--preset", "official-code",
                     "--z-max", "1e-3", "b", "--", "--c" };
    ok(!opt_parse(tables, 14, good, &rest, &e) && i == -4 && in.n == 2 && flag && near(f, 1e-3, 0, 0),
       "options of every kind are read");
    ok(rest.n == 3 && !strcmp(rest.item[2], "--c"), "what is no option is kept in order");
    free(rest.item);
    static char *bad[][2] = { { "--int", "three" }, { "--int", "1e3" }, { "--seed", "-1" },
                              { "--z-max", "nan" }, { "--preset", "pap" }, { "--nope", "1" },
                              { "-i", "1" },        { "--int", "99999999999999999999" } };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        char *argv[] = { "t", bad[k][0], bad[k][1] };
        err_clear(&e);
        ok(opt_parse(tables, 3, argv, &rest, &e) == RC_USAGE && strstr(e.text, bad[k][0]),
           "%s %s is refused by name", bad[k][0], bad[k][1]);
        free(rest.item);
    }
    char *lone[] = { "t", "--int" };
    ok(opt_parse(tables, 2, lone, &rest, &e) == RC_USAGE, "a missing value is refused");
    free(rest.item);
    free(in.item);
}

struct sums {
    int hits[1000];
    int inner[1000];
};

static void inner(void *ctx, size_t i, int worker)
{
    (void)worker;
    ((int *)ctx)[i] = 1;
}

static void outer(void *ctx, size_t i, int worker)
{
    struct sums *s = ctx;
    (void)worker;
    s->hits[i]++;
    int in[10] = { 0 };
    threads_for(10, inner, in);
    for (int k = 0; k < 10; k++)
        s->inner[i] += in[k];
}

static void threads(void)
{
    for (int n = 1; n <= 8; n *= 2) {
        threads_init(n);
        struct sums s = { 0 };
        for (int round = 0; round < 50; round++)
            threads_for(1000, outer, &s);
        bool once = true;
        for (int i = 0; i < 1000; i++)
            once = once && s.hits[i] == 50 && s.inner[i] == 500;
        ok(once, "%d threads: each task once a round, loops inside loops too", n);
    }
    threads_stop();
}

/* A row of draws is the same draws one by one. */
static void rng_rows(void)
{
    uint64_t u[101];
    uint32_t offset[101];
    bool same = true, some = true;
    for (size_t n = 0; n <= 101; n++) {
        const uint64_t id = 0x123456789abcdef0u * (n + 1), pos = (n << 40) + 0xfffffff0u * (n % 3);
        rng_u64_row(7 + n, RNG_MASK_PICK, id, pos, NULL, u, n);
        for (size_t i = 0; i < n; i++)
            same = same && u[i] == rng_u64(7 + n, RNG_MASK_PICK, id, pos + i);
        for (size_t i = 0; i < n; i++)
            offset[i] = (uint32_t)(i * i * 40961 + i % 3);
        rng_u64_row(7 + n, RNG_MASK_KIND, id, pos, offset, u, n);
        for (size_t i = 0; i < n; i++)
            some = some && u[i] == rng_u64(7 + n, RNG_MASK_KIND, id, pos + offset[i]);
    }
    ok(same, "a row of random numbers is what one by one gives");
    ok(some, "and so are those of some positions");
    bool edge = rng_threshold(0) == 0;
    for (uint64_t i = 0; i < 20000; i++) {
        const uint64_t v = rng_u64(3, RNG_TEST, i, 1);
        const double unit = rng_unit(3, RNG_TEST, i, 1), x = i % 2 ? unit : nextafter(unit, 1);
        edge = edge && (v < rng_threshold(x)) == (unit < x);
    }
    ok(edge, "a threshold divides whole numbers where it divides their units");
}

int main(void)
{
    rng_rows();
    errors();
    random_numbers();
    hashes();
    arenas();
    adoptions();
    differing_texts();
    maps();
    files();
    options();
    threads();
    return tap_end();
}
