/* For targets of readers that want a path. */
#ifndef GC_TESTS_FUZZ_FILE_H
#define GC_TESTS_FUZZ_FILE_H

#include <stdio.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

/* The bytes as a file, for readers that want a path; the name is good until the next call. */
__attribute__((unused)) static const char *fuzz_file(const char *name, const void *data,
                                                     size_t size)
{
    static char path[4][128];
    static int k;
    k = (k + 1) % 4;
    snprintf(path[k], sizeof path[k], "/tmp/gc-fuzz-%ld-%s", (long)getpid(), name);
    FILE *f = fopen(path[k], "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
    return path[k];
}

#endif
