#include "lib/app/labelled_cells.h"

#include <stdlib.h>
#include <string.h>

#include "lib/app/token_reader.h"

enum { MAX_CLASSES = 4096 };

static enum rc take_labels(struct labelled_cells *l, size_t file, size_t from, const char *column,
                           bool must, struct err *e)
{
    const struct cells *c = &l->file[file];
    const struct column *k = table_find(&c->obs, column);
    size_t n = 0;
    if (k && k->kind != COLUMN_TEXT)
        return err_set(e, RC_INPUT, "'%s': obs '%s' does not hold texts", l->path[file], column);
    for (size_t i = 0; k && i < c->obs.n_rows; i++) {
        const char *text = k->text[i];
        l->label[from + i] = text && *text ? text : NULL;
        n += text && *text;
    }
    if (must && !k)
        return err_set(e, RC_INPUT, "'%s': no obs column '%s' with labels: --label NAME takes another one, --labels "
                       "FILE a table of barcodes and labels",
                       l->path[file], column);
    if (must && !n)
        return err_set(e, RC_INPUT, "'%s': no cell has a label in obs '%s'", l->path[file], column);
    return RC_OK;
}

enum rc labelled_cells_read(struct labelled_cells *l, const char *const *path, size_t n_paths,
                            const char *column, bool must, const struct import_options *o,
                            struct err *e)
{
    enum rc rc = RC_OK;
    *l = (struct labelled_cells){ 0 };
    l->file = calloc(n_paths + 1, sizeof *l->file);
    l->path = calloc(n_paths + 1, sizeof *l->path);
    if (!l->file || !l->path)
        rc = err_set(e, RC_FAIL, "no memory for %zu files", n_paths);
    for (size_t i = 0; !rc && i < n_paths; i++) {
        l->path[i] = path[i];
        rc = cell_input_read(path[i], o, &l->file[i], e);
        if (rc)
            err_wrap(e, "'%s'", path[i]);
        else
            l->n += l->file[l->n_files++].obs.n_rows;
    }
    if (!rc && !(l->label = calloc(l->n + 1, sizeof *l->label)))
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", l->n);
    for (size_t i = 0, from = 0; !rc && i < l->n_files; i++) {
        rc = take_labels(l, i, from, column, must, e);
        from += l->file[i].obs.n_rows;
    }
    if (rc)
        labelled_cells_release(l);
    return rc;
}

void labelled_cells_release(struct labelled_cells *l)
{
    for (size_t i = 0; i < l->n_files; i++)
        cells_release(&l->file[i]);
    free(l->file);
    free(l->path);
    free(l->label);
    *l = (struct labelled_cells){ 0 };
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

enum rc labelled_cells_classes(const struct labelled_cells *l, const char ***name, size_t *n,
                               struct err *e)
{
    size_t k = 0;
    *n = 0;
    const char **all = malloc((l->n + 1) * sizeof *all);
    *name = all;
    if (!all)
        return err_set(e, RC_FAIL, "no memory for %zu labels", l->n);
    for (size_t i = 0; i < l->n; i++)
        if (l->label[i])
            all[k++] = l->label[i];
    qsort(all, k, sizeof *all, by_text);
    for (size_t i = 0; i < k; i++)
        if (!*n || strcmp(all[*n - 1], all[i]) != 0)
            all[(*n)++] = all[i];
    if (*n <= MAX_CLASSES)
        return RC_OK;
    free(all);
    *name = NULL;
    return err_set(e, RC_INPUT, "%zu different labels; at most %d make sense", *n, MAX_CLASSES);
}

static void drop_counts(struct cells *c)
{
    const size_t n_rows = c->count.n_rows, n_cols = c->count.n_cols;
    csr_release(&c->count);
    c->count.n_rows = n_rows;
    c->count.n_cols = n_cols;
}

enum rc labelled_cells_tokens(struct labelled_cells *l, struct embedder *m, double overlap,
                              struct cell_tokens *out, size_t *n_empty, struct err *e)
{
    size_t offset = 0;
    *n_empty = 0;
    for (size_t i = 0; i < l->n_files; i++) {
        struct embed_report rep;
        const size_t before = out->n;
        enum rc rc = embedder_tokens(m, &l->file[i], out, &rep, e);
        if (!rc)
            rc = embedder_check_overlap(&rep, overlap, e);
        if (rc)
            return err_wrap(e, "'%s'", l->path[i]);
        for (size_t k = before; k < out->n; k++)
            out->row[k] += offset;
        *n_empty += rep.n_empty;
        offset += l->file[i].obs.n_rows;
        drop_counts(&l->file[i]);
    }
    return RC_OK;
}
