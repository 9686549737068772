/* A fuzz target is a function of bytes: it returns 0, or aborts when a promise is broken.
 * `make fuzz` gives it to libFuzzer. `make test` links it with tests/replay.c, which runs it over
 * the inputs kept in tests/fuzz/NAME and over damaged copies of them. */
#ifndef GC_TESTS_FUZZ_H
#define GC_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
