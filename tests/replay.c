/* A main for the fuzz targets (tests/fuzz/fuzz.h): runs one over files or whole folders of files.
 *   build/tests/fuzz_NAME [--mutate N] [FILE | FOLDER]...
 * With --mutate also over N damaged copies of each: bytes changed, the end cut off, by a fixed
 * seed. So every input that a fuzzer once found stays a test; those in a folder called `found`, which
 * a fuzzer kept because they reach other code, are run as they are. The name of an input is printed
 * before it is run, so the last line tells which one a crash was. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/rng.h"
#include "tests/fuzz/fuzz.h"
#include "tests/tap.h"

static uint64_t n_mutants;

/* Runs the target on the first `keep` bytes in a block of just that size, so that a sanitizer sees
 * a read past their end. round 0 is the input itself. */
static bool run_copy(const char *data, size_t n, uint64_t round)
{
    uint64_t pos = 0, changes = 0;
    size_t keep = n;
    if (round) {
        if (!rng_below(1, RNG_TEST, round, pos++, 4))
            keep = rng_below(1, RNG_TEST, round, pos++, n + 1);
        changes = rng_below(1, RNG_TEST, round, pos++, 8);
    }
    uint8_t *copy = malloc(keep ? keep : 1);
    if (!copy)
        return false;
    memcpy(copy, data, keep);
    for (; keep && changes; changes--) {
        size_t at = rng_below(1, RNG_TEST, round, pos++, keep);
        /* Half of the changes near the beginning, where headers are. */
        if (changes % 2)
            at %= 256;
        copy[at] = (uint8_t)rng_below(1, RNG_TEST, round, pos++, 256);
    }
    const bool good = LLVMFuzzerTestOneInput(copy, keep) == 0;
    free(copy);
    return good;
}

static void run_file(const char *path)
{
    struct err e = { 0 };
    char *data = NULL;
    size_t n_bytes = 0;
    note("%s", path);
    fflush(stdout);
    if (file_read(path, (size_t)1 << 28, &data, &n_bytes, &e)) {
        ok(false, "%s", e.text);
        return;
    }
    bool good = true;
    const uint64_t mutants = strstr(path, "/found/") ? 0 : n_mutants;
    for (uint64_t round = 0; round <= mutants; round++)
        good = run_copy(data, n_bytes, round) && good;
    free(data);
    ok(good, "survives %s and %llu damaged copies", path, (unsigned long long)mutants);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void run_folder(const char *path)
{
    struct dirent **entry = NULL;
    const int n = scandir(path, &entry, NULL, by_name);
    if (n < 0)
        ok(false, "%s can be listed", path);
    for (int i = 0; i < n; i++) {
        char *name = text_new("%s/%s", path, entry[i]->d_name);
        if (!name)
            ok(false, "memory for a name");
        else if (entry[i]->d_name[0] != '.' && folder_exists(name))
            run_folder(name);
        else if (entry[i]->d_name[0] != '.')
            run_file(name);
        free(name);
        free(entry[i]);
    }
    free(entry);
}

int main(int argc, char **argv)
{
    int i = 1;
    if (argc > 2 && strcmp(argv[1], "--mutate") == 0) {
        n_mutants = strtoull(argv[2], NULL, 10);
        i = 3;
    }
    ok(run_copy("", 0, 0), "survives no bytes");
    for (; i < argc; i++) {
        if (folder_exists(argv[i]))
            run_folder(argv[i]);
        else
            run_file(argv[i]);
    }
    return tap_end();
}
