/* lib/io/gmt: whatever the bytes, a file is refused with a sentence, or its sets hold known genes,
 * each once. */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/io/gmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct gene_sets s;
    struct map genes;
    struct err e = { 0 };
    const int fd = memfd_create("gmt", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    map_init(&genes);
    if (map_add(&genes, "A", 0, NULL, &e) || map_add(&genes, "B", 1, NULL, &e))
        abort();
    if (gmt_read(path, &genes, &s, &e)) {
        if (s.set || !e.text[0])
            abort();
    } else {
        for (size_t i = 0; i < s.n; i++) {
            if (s.set[i].n > 2 || s.set[i].n > s.set[i].n_listed || !*s.set[i].name)
                abort();
            for (size_t k = 0; k < s.set[i].n; k++)
                if (s.set[i].gene[k] > 1)
                    abort();
        }
        gene_sets_release(&s);
    }
    map_release(&genes);
    close(fd);
    return 0;
}
