/* The tables of manifests/corpus/: whatever the bytes, one is refused with a sentence, or its rows
 * keep their promises. */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/io/corpus_plan.h"

static void check_row(const struct corpus_plan *p, size_t i)
{
    const struct corpus_row *r = &p->row[i];
    if (!*r->sample || strpbrk(r->sample, "/ \t\"'$") || corpus_plan_find(p, r->sample) != r)
        abort(); /* it is a part of paths, and in no table twice */
    if (r->kind != CORPUS_ACCESSION && strcmp(r->where, "-") == 0)
        abort();
    if (*r->sha256 && (!r->bytes || strlen(r->sha256) != SHA256_HEX - 1))
        abort();
    if (r->kind == CORPUS_READS && strcmp(r->chemistry, "-") == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct corpus_plan p;
    struct err e = { 0 };
    const int fd = memfd_create("plan", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    corpus_plan_init(&p);
    if (corpus_plan_read(&p, path, &e)) {
        if (!e.text[0])
            abort();
    } else {
        for (size_t i = 0; i < p.n; i++)
            check_row(&p, i);
    }
    corpus_plan_release(&p);
    close(fd);
    return 0;
}
