/* What the import targets share: a source that was read becomes cells that keep their promises. */
#ifndef GC_TESTS_IMPORT_FUZZ_H
#define GC_TESTS_IMPORT_FUZZ_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/io/h5.h"
#include "lib/io/import_parts.h"
#include "tests/fuzz/fuzz_file.h"

static void check_cells(const struct cells *c, const struct import_report *rep)
{
    struct err e = { 0 };
    if (csr_check(&c->count, &e) || c->obs.n_rows != c->count.n_rows ||
        c->var.n_rows != c->count.n_cols || rep->n_cells != c->count.n_rows)
        abort();
    for (size_t i = 0; i < c->obs.n_rows; i++)
        if (!c->cell[i])
            abort();
    for (size_t i = 0; i < c->var.n_rows; i++)
        if (!c->gene[i] || !*c->gene[i])
            abort();
    for (uint64_t k = 0; k < csr_nnz(&c->count); k++)
        if (c->count.value[k] > INT32_MAX)
            abort();
}

static enum rc gather(void *ctx, const struct csr *rows, struct err *e)
{
    struct source *all = ctx;
    all->count.n_cols = rows->n_cols;
    return source_rows_add(all, rows, e);
}

/* Of some inputs a matrix of eight entries is large, and goes through files. */
static void fuzz_source_init(struct source *s, size_t size)
{
    source_init(s);
    if (size % 4 == 3)
        s->spool_from = 8;
}

/* rc, e: what the reader that filled s said. Releases s. */
static int fuzz_source(struct source *s, enum rc rc, struct err *e)
{
    struct cells c;
    struct import_report rep = { .sample = "fuzz", .sha256 = "00" };
    const struct import_options o = { .species = SPECIES_UNKNOWN };
    struct source all;
    const struct import_sink sink = { gather, &all };
    cells_init(&c);
    source_init(&all);
    if (!rc) {
        rc = import_convert(s, &o, &sink, &c, &rep, e);
        if (!rc) {
            c.count = all.count;
            all.count = (struct csr){ 0 };
            check_cells(&c, &rep);
        }
    }
    source_release(&all);
    if (rc && !e->text[0])
        abort(); /* a refusal says why */
    cells_release(&c);
    source_release(s);
    return 0;
}

#endif
