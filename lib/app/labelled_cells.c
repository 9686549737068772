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
        return err_set(
            e, RC_INPUT,
            "'%s': no obs column '%s' with labels: --label NAME takes another one, --labels "
            "FILE a table of barcodes and labels",
            l->path[file], column);
    if (must && !n)
        return err_set(e, RC_INPUT, "'%s': no cell has a label in obs '%s'", l->path[file], column);
    return RC_OK;
}

/* The next file: vectors where they may be, else counts. All files are of one kind. */
static enum rc read_file(struct labelled_cells *l, const char *path, bool vectors,
                         const struct import_options *o, struct err *e)
{
    struct cell_vectors v = { 0 };
    struct cells *c = &l->file[l->n_files];
    bool has = false;
    enum rc rc = vectors && !o->labels ? cell_vectors_read(path, c, &v, &has, e) : RC_OK;
    if (!rc && l->n_files && has != (l->vectors != NULL))
        rc = err_set(e, RC_INPUT, "it holds %s, and the files before it %s: give one kind",
                     has ? "vectors" : "counts", has ? "counts" : "vectors");
    if (rc || !has) {
        if (has)
            cells_release(c);
        cell_vectors_release(&v);
        return rc ? rc : cell_input_read(path, o, c, e);
    }
    struct cell_vectors *more = realloc(l->vectors, (l->n_files + 1) * sizeof *more);
    if (!more) {
        cells_release(c);
        cell_vectors_release(&v);
        return err_set(e, RC_FAIL, "no memory for %zu files", l->n_files + 1);
    }
    l->vectors = more;
    l->vectors[l->n_files] = v;
    return RC_OK;
}

enum rc labelled_cells_check(const struct labelled_cells *l, size_t d, const char *own,
                             const char *base, struct err *e)
{
    for (size_t i = 0; l->vectors && i < l->n_files; i++)
        if (cell_vectors_check(&l->vectors[i], d, own, base, e))
            return err_wrap(e, "'%s'", l->path[i]);
    return RC_OK;
}

const float *labelled_cells_vector(const struct labelled_cells *l, size_t row)
{
    size_t i = 0;
    if (!l->vectors)
        return NULL;
    while (row >= l->vectors[i].n)
        row -= l->vectors[i++].n;
    return l->vectors[i].x + row * l->vectors[i].d;
}

enum rc labelled_cells_read(struct labelled_cells *l, const char *const *path, size_t n_paths,
                            const char *column, bool must, bool vectors,
                            const struct import_options *o, struct err *e)
{
    enum rc rc = RC_OK;
    *l = (struct labelled_cells){ 0 };
    l->file = calloc(n_paths + 1, sizeof *l->file);
    l->path = calloc(n_paths + 1, sizeof *l->path);
    if (!l->file || !l->path)
        rc = err_set(e, RC_FAIL, "no memory for %zu files", n_paths);
    for (size_t i = 0; !rc && i < n_paths; i++) {
        l->path[i] = path[i];
        rc = read_file(l, path[i], vectors, o, e);
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
    for (size_t i = 0; i < l->n_files; i++) {
        cells_release(&l->file[i]);
        if (l->vectors)
            cell_vectors_release(&l->vectors[i]);
    }
    free(l->vectors);
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

/* Entries without tokens for the cells of file i that have a vector. */
static enum rc add_vectors(const struct labelled_cells *l, size_t i, struct cell_tokens *out,
                           size_t *n_empty, struct err *e)
{
    const struct cell_vectors *v = &l->vectors[i];
    const struct column *id = table_find(&l->file[i].obs, "cell_id");
    const struct token_work none = { 0 };
    enum rc rc = RC_OK;
    for (size_t row = 0; !rc && row < v->n; row++) {
        size_t k = 0;
        while (k < v->d && v->x[row * v->d + k] == 0)
            k++;
        if (k == v->d)
            ++*n_empty;
        else
            rc = cell_tokens_add(out, &none,
                                 id && id->kind == COLUMN_I64 ? (uint64_t)id->i64[row] : row,
                                 SPECIES_HUMAN, row, e);
    }
    return rc;
}

/* The same of a file of counts. */
static enum rc add_tokens(struct labelled_cells *l, size_t i, struct embedder *m, double overlap,
                          struct cell_tokens *out, size_t *n_empty, struct err *e)
{
    struct embed_report rep;
    enum rc rc = embedder_tokens(m, &l->file[i], out, &rep, e);
    if (!rc)
        rc = embedder_check_overlap(&rep, overlap, e);
    *n_empty += rep.n_empty;
    drop_counts(&l->file[i]);
    return rc;
}

enum rc labelled_cells_tokens(struct labelled_cells *l, struct embedder *m, double overlap,
                              struct cell_tokens *out, size_t *n_empty, struct err *e)
{
    size_t offset = 0;
    *n_empty = 0;
    for (size_t i = 0; i < l->n_files; i++) {
        const size_t before = out->n;
        const enum rc rc = l->vectors ? add_vectors(l, i, out, n_empty, e)
                                      : add_tokens(l, i, m, overlap, out, n_empty, e);
        if (rc)
            return err_wrap(e, "'%s'", l->path[i]);
        for (size_t k = before; k < out->n; k++)
            out->row[k] += offset;
        offset += l->file[i].obs.n_rows;
    }
    return RC_OK;
}
