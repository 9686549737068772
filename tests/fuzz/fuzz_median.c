/* lib/io/median_file: any bytes are refused, or they are the one file of the pairs that were read:
 * written again, they are the same bytes. */
#include <stdio.h>
#include <string.h>

#include "lib/io/median_file.h"
#include "tests/fuzz/fuzz.h"

/* One gene, twice, as picking a median may have to. */
static enum rc copy_gene(struct median_reader *r, struct median_writer *w, struct err *e)
{
    bool more;
    uint64_t n[2] = { 0 };
    enum rc rc = RC_OK;
    for (int round = 0; !rc && round < 2; round++) {
        if (round && median_reader_again(r, e))
            abort();
        while ((rc = median_reader_next(r, &more, e)) == RC_OK && more) {
            if (r->n == 0 || r->count == 0 || r->count > r->total)
                abort();
            n[round] += r->n;
            if (round)
                median_writer_put(w, r->count, r->total, r->n);
        }
    }
    if (!rc && n[0] != n[1])
        abort();
    return rc;
}

static enum rc copy(FILE *from, FILE *to, struct err *e)
{
    struct median_reader r;
    struct median_writer w;
    bool more;
    enum rc rc = median_reader_start(&r, from, "bytes", e);
    if (!rc)
        median_writer_start(&w, to);
    while (!rc && !(rc = median_reader_gene(&r, &more, e)) && more) {
        rc = median_writer_gene(&w, r.id, e);
        if (!rc)
            rc = copy_gene(&r, &w, e);
    }
    if (!rc)
        median_writer_end(&w, r.n_cells);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    char *again = NULL;
    size_t n = 0;
    if (size == 0)
        return 0;
    FILE *from = fmemopen((void *)(uintptr_t)data, size, "rb"), *to = open_memstream(&again, &n);
    if (!from || !to)
        abort();
    enum rc rc = copy(from, to, &e);
    fclose(from);
    if (fclose(to) != 0)
        abort();
    if (rc ? rc != RC_INPUT || !e.text[0] : n != size || memcmp(again, data, n) != 0)
        abort();
    free(again);
    return 0;
}
