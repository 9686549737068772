#include "lib/io/homologs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/io/lines.h"

void homologs_release(struct homologs *h)
{
    free(h->reference);
    free(h->query);
    table_release(&h->t);
    *h = (struct homologs){ 0 };
}

struct row {
    const char *first, *second;
    size_t number;
};

static int by_names(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int d = strcmp(x->first, y->first);
    d = d ? d : strcmp(x->second, y->second);
    return d ? d : (x->number > y->number) - (x->number < y->number);
}

static int by_number(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static enum rc find_column(const struct table *t, const char *path, const char *name, size_t place,
                           const struct column **c, struct err *e)
{
    if (name)
        *c = table_find(t, name);
    else
        *c = place < t->n_cols ? &t->col[place] : NULL;
    if (*c)
        return RC_OK;
    return name ? err_set(e, RC_INPUT, "'%s' has no column '%s'", path, name)
                : err_set(e, RC_INPUT, "'%s' has %zu columns, not two", path, t->n_cols);
}

/* Rows with both names, each pair once, in the file's order. */
static size_t distinct(struct homologs *h, const struct column *a, const struct column *b,
                       struct row *row)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < h->t.n_rows; i++) {
        const char *x = a->text[i], *y = b->text[i];
        if (x && *x && y && *y)
            row[n++] = (struct row){ x, y, i };
    }
    h->n_without = h->t.n_rows - n;
    qsort(row, n, sizeof *row, by_names);
    for (size_t i = 0; i < n; i++)
        if (!kept || strcmp(row[kept - 1].first, row[i].first) != 0 ||
            strcmp(row[kept - 1].second, row[i].second) != 0)
            row[kept++] = row[i];
    h->n_again = n - kept;
    qsort(row, kept, sizeof *row, by_number);
    return kept;
}

enum rc homologs_read(struct homologs *h, const char *path, const char *first, const char *second,
                      struct err *e)
{
    const struct column *a = NULL, *b = NULL;
    *h = (struct homologs){ 0 };
    enum rc rc = tsv_read(path, 0, &h->t, e);
    if (rc)
        return rc;
    rc = find_column(&h->t, path, first, 0, &a, e);
    if (!rc)
        rc = find_column(&h->t, path, second, 1, &b, e);
    const size_t room = h->t.n_rows + 1;
    struct row *row = malloc(room * sizeof *row);
    h->reference = malloc(room * sizeof *h->reference);
    h->query = malloc(room * sizeof *h->query);
    if (!rc && (!row || !h->reference || !h->query))
        rc = err_set(e, RC_FAIL, "no memory for %zu pairs of homologs", h->t.n_rows);
    if (!rc)
        h->n = distinct(h, a, b, row);
    for (size_t i = 0; i < h->n; i++) {
        h->reference[i] = row[i].first;
        h->query[i] = row[i].second;
    }
    free(row);
    if (!rc && !h->n)
        rc = err_set(e, RC_INPUT, "'%s' has no row with two names", path);
    if (rc)
        homologs_release(h);
    return rc;
}
