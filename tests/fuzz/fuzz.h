/* A fuzz target is a function of bytes. With clang -fsanitize=fuzzer (and -DGC_LIBFUZZER) the
 * engine brings main(); else main() here runs the target on each file named, and with `--mutate N
 * FILE...` on N damaged copies of each: bytes changed, cut, doubled, by a fixed seed. */
#ifndef GC_TESTS_FUZZ_H
#define GC_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef GC_LIBFUZZER
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/rng.h"

/* A damaged copy in its own block, so that a sanitizer sees a read past its end. */
static void fuzz_mutant(const char *data, size_t n, uint64_t round)
{
    uint64_t pos = 0;
    size_t keep =
        rng_below(1, RNG_TEST, round, pos++, 4) ? n : rng_below(1, RNG_TEST, round, pos++, n + 1);
    uint8_t *copy = malloc(keep ? keep : 1);
    if (!copy)
        exit(1);
    memcpy(copy, data, keep);
    for (uint64_t k = rng_below(1, RNG_TEST, round, pos++, 8); keep && k; k--) {
        size_t at = rng_below(1, RNG_TEST, round, pos++, keep);
        /* Half of the changes near the beginning, where headers are. */
        if (k % 2)
            at %= 256;
        if (at < keep)
            copy[at] = (uint8_t)rng_below(1, RNG_TEST, round, pos++, 256);
    }
    LLVMFuzzerTestOneInput(copy, keep);
    free(copy);
}

int main(int argc, char **argv)
{
    int i = 1;
    uint64_t mutants = 0;
    if (argc > 2 && strcmp(argv[1], "--mutate") == 0) {
        mutants = strtoull(argv[2], NULL, 10);
        i = 3;
    }
    struct err e = { 0 };
    for (; i < argc; i++) {
        char *data;
        size_t n;
        if (file_read(argv[i], (size_t)1 << 30, &data, &n, &e)) {
            fprintf(stderr, "%s\n", e.text);
            return 3;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)data, n);
        for (uint64_t k = 0; k < mutants; k++)
            fuzz_mutant(data, n, k);
        free(data);
    }
    return 0;
}
#endif
#endif
