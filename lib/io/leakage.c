#include "lib/io/leakage.h"

#include <inttypes.h>
#include <string.h>

#include "lib/io/lines.h"
#include "lib/io/number.h"

static enum rc check_row(const struct leakage *l, size_t i, struct err *e)
{
    const char *set = table_text(&l->t, "set", i);
    struct leakage_of of;
    if (!number_whole(table_text(&l->t, "cells", i), &of.cells, NULL) ||
        !number_whole(table_text(&l->t, "in_corpus", i), &of.in_corpus, NULL))
        return err_set(e, RC_INPUT, "set '%s' has no numbers of cells", set);
    if (of.in_corpus > of.cells)
        return err_set(e, RC_INPUT, "set '%s': %" PRIu64 " of %" PRIu64 " cells", set, of.in_corpus,
                       of.cells);
    for (size_t k = 0; k < i; k++)
        if (strcmp(table_text(&l->t, "set", k), set) == 0)
            return err_set(e, RC_INPUT, "set '%s' stands twice", set);
    return RC_OK;
}

enum rc leakage_read(struct leakage *l, const char *path, struct err *e)
{
    *l = (struct leakage){ 0 };
    enum rc rc = tsv_read_need(path, "set,cells,in_corpus", &l->t, e);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < l->t.n_rows; i++)
        rc = check_row(l, i, e);
    if (!rc)
        return RC_OK;
    leakage_release(l);
    return err_wrap(e, "'%s'", path);
}

void leakage_release(struct leakage *l)
{
    table_release(&l->t);
}

bool leakage_find(const struct leakage *l, const char *set, struct leakage_of *of)
{
    for (size_t i = 0; i < l->t.n_rows; i++)
        if (strcmp(table_text(&l->t, "set", i), set) == 0)
            return number_whole(table_text(&l->t, "cells", i), &of->cells, NULL) &&
                   number_whole(table_text(&l->t, "in_corpus", i), &of->in_corpus, NULL);
    return false;
}
