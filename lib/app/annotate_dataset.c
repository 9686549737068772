/* Embeddings and labelled cells, joined by cell id. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/annotate_parts.h"

void compare_dataset_release(const struct compare_job *j, struct compare_dataset *d)
{
    for (size_t i = 0; d->x && i < j->n_embeddings; i++)
        free(d->x[i]);
    for (size_t i = 0; d->result && i < j->n_methods * (size_t)j->o->n_seeds; i++)
        probe_result_release(&d->result[i]);
    free(d->x);
    free(d->result);
    free(d->part);
    free(d->unseen);
    free(d->test);
    csr_release(&d->count);
    labelled_release(&d->cells);
    *d = (struct compare_dataset){ 0 };
}

/* Leaves only cells that every embedding has. *n_missing counts the others. */
static enum rc join_embeddings(const struct compare_job *j, struct compare_dataset *d,
                               size_t *n_missing, struct err *e)
{
    struct labelled *l = &d->cells;
    unsigned char *keep = malloc(l->n + 1);
    if (!keep)
        return err_set(e, RC_FAIL, "no memory for %zu cells", l->n);
    memset(keep, 1, l->n + 1);
    for (size_t m = 0; m < j->n_embeddings; m++)
        for (size_t i = 0; i < l->n; i++)
            if (id_rows_find(&j->embedding[m].rows, l->cell_id[i]) == SIZE_MAX)
                keep[i] = 0;
    size_t before = l->n;
    enum rc rc = labelled_keep(l, keep, e);
    *n_missing = before - l->n;
    free(keep);
    return rc;
}

static enum rc copy_embeddings(const struct compare_job *j, struct compare_dataset *d,
                               struct err *e)
{
    d->x = calloc(j->n_embeddings + 1, sizeof *d->x);
    for (size_t m = 0; d->x && m < j->n_embeddings; m++) {
        const struct embedding *from = &j->embedding[m];
        d->x[m] = malloc((d->cells.n * from->d + 1) * sizeof(float));
        for (size_t i = 0; d->x[m] && i < d->cells.n; i++)
            memcpy(d->x[m] + i * from->d,
                   from->x + id_rows_find(&from->rows, d->cells.cell_id[i]) * from->d,
                   from->d * sizeof(float));
        if (!d->x[m])
            return err_set(e, RC_FAIL, "no memory for %zu embedded cells", d->cells.n);
    }
    return d->x ? RC_OK : err_set(e, RC_FAIL, "no memory for embeddings");
}

static enum rc take_counts(const struct compare_job *j, const struct cells *c,
                           struct compare_dataset *d, struct err *e)
{
    unsigned char *keep = calloc(c->count.n_rows + 1, 1);
    if (!keep)
        return err_set(e, RC_FAIL, "no memory for %zu cells", c->count.n_rows);
    for (size_t i = 0; i < d->cells.n; i++)
        keep[d->cells.row[i]] = 1;
    enum rc rc = csr_select(&c->count, keep, NULL, c->count.n_cols, &d->count, e);
    free(keep);
    const size_t n_seeds = (size_t)j->o->n_seeds;
    d->part = calloc(n_seeds * d->cells.n + 1, sizeof *d->part);
    d->result = calloc(j->n_methods * n_seeds, sizeof *d->result);
    d->test = calloc(j->n_methods * N_METRICS * n_seeds, sizeof *d->test);
    if (!rc && (!d->part || !d->result || !d->test))
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", d->cells.n);
    return rc;
}

/* Cells that a split would put into test, of each class: round(n / 5). */
static bool can_be_split(const struct labelled *l)
{
    size_t n_test = 0;
    for (uint32_t c = 0; c < l->n_classes; c++) {
        size_t n = 0;
        for (size_t i = 0; i < l->n; i++)
            n += l->class_of[i] == c;
        n_test += (2 * n + 5) / 10;
    }
    return n_test > 0;
}

enum rc compare_dataset_init(const struct compare_job *j, const struct cells *c, const char *sample,
                             struct compare_dataset *d, size_t *n_missing, const char **why,
                             struct err *e)
{
    *d = (struct compare_dataset){ .name = sample, .source = c };
    *n_missing = 0;
    *why = NULL;
    enum rc rc = labelled_init(c, sample, j->o->label, &d->cells, e);
    const size_t n_labelled = d->cells.n;
    if (!rc)
        rc = join_embeddings(j, d, n_missing, e);
    if (!rc && !n_labelled)
        *why = "no cell has a label";
    else if (!rc && !d->cells.n)
        *why = "no labelled cell is in every embedding";
    else if (!rc && d->cells.n_classes < 2)
        *why = "all its cells have one label";
    else if (!rc && !can_be_split(&d->cells))
        *why = "no type has three cells to split";
    if (!rc && !*why)
        rc = take_counts(j, c, d, e);
    if (!rc && !*why)
        rc = copy_embeddings(j, d, e);
    if (rc || *why)
        compare_dataset_release(j, d);
    return rc;
}
