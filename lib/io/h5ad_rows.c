#include "lib/io/h5ad_rows.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/spill.h"
#include "lib/io/h5ad_read.h"
#include "lib/io/h5frame.h"
#include "lib/io/sparse_rows.h"

struct h5ad_rows_file {
    hid_t file;
    struct sparse_rows rows;
};

/* What of obs is asked for; all NULL and names: everything. */
struct wanted {
    const char *const *column;
    size_t n_columns;
    bool names;
};

static enum rc read_head(hid_t file, const struct wanted *w, struct cells *c, struct err *e)
{
    struct h5frame obs, var;
    enum rc rc = w->column ? h5frame_read_some(file, "obs", w->column, w->n_columns, w->names, &obs, e)
                           : h5frame_read(file, "obs", &obs, e);
    if (rc)
        return rc;
    c->obs = obs.table;
    rc = h5frame_read(file, "var", &var, e);
    if (rc)
        return rc;
    c->var = var.table;
    c->count.n_rows = obs.table.n_rows;
    c->count.n_cols = var.table.n_rows;
    /* A struct cells owns its arrays of names; a frame's lie in its arena. */
    if (w->names)
        c->cell = spill_alloc((c->count.n_rows + 1) * sizeof *c->cell);
    c->gene = malloc((c->count.n_cols + 1) * sizeof *c->gene);
    if ((w->names && !c->cell) || !c->gene)
        return err_set(e, RC_FAIL, "no memory for names");
    if (c->cell)
        spill_copy(c->cell, obs.index, c->count.n_rows * sizeof *c->cell);
    for (size_t i = 0; i < c->count.n_cols; i++)
        c->gene[i] = var.index[i];
    return RC_OK;
}

static enum rc check_matrix(hid_t x, const struct csr *c, struct err *e)
{
    int64_t shape[2];
    size_t n = 0;
    struct arena a;
    const char *kind = NULL;
    arena_init(&a, 256);
    h5_attr_i64(x, "shape", shape, 2, &n);
    enum rc rc = h5_attr_text(x, "encoding-type", &a, &kind, e);
    if (!rc && (!kind || strcmp(kind, "csr_matrix") != 0))
        rc = err_set(e, RC_INPUT, "is not in rows (csr_matrix); import makes it so");
    if (!rc && (n != 2 || shape[0] < 0 || shape[1] < 0))
        rc = err_set(e, RC_INPUT, "there is no shape");
    if (!rc && ((uint64_t)shape[0] != c->n_rows || (uint64_t)shape[1] != c->n_cols))
        rc = err_set(e, RC_INPUT, "is %lld x %lld, but obs has %zu rows and var %zu",
                     (long long)shape[0], (long long)shape[1], c->n_rows, c->n_cols);
    arena_release(&a);
    return rc;
}

static enum rc open_matrix(struct h5ad_rows *r, hid_t x, struct err *e)
{
    const struct csr *c = &r->head.count;
    enum rc rc = check_matrix(x, c, e);
    if (!rc)
        rc = sparse_rows_open(x, c->n_rows, c->n_cols, false, &r->file->rows, e);
    r->indptr = r->file->rows.indptr;
    return rc;
}

static enum rc open_x(struct h5ad_rows *r, struct err *e)
{
    hid_t x;
    if (h5_group_open(r->file->file, "X", &x, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = open_matrix(r, x, e);
    H5Gclose(x);
    return rc ? err_wrap(e, "X") : RC_OK;
}

enum rc h5ad_rows_restart(struct h5ad_rows *r, struct err *e)
{
    if (r->file->rows.next == 0)
        return RC_OK;
    sparse_rows_close(&r->file->rows);
    r->indptr = NULL;
    return open_x(r, e) ? err_wrap(e, "cannot read '%s'", r->path) : RC_OK;
}

static enum rc open_rows(struct h5ad_rows *r, const char *path, const struct wanted *w, struct err *e)
{
    hid_t file;
    *r = (struct h5ad_rows){ 0 };
    cells_init(&r->head);
    if (h5_open(path, &file, e))
        return e ? e->rc : RC_INPUT;
    r->file = calloc(1, sizeof *r->file);
    r->path = text_new("%s", path);
    if (!r->file || !r->path) {
        H5Fclose(file);
        h5ad_rows_close(r);
        return err_set(e, RC_FAIL, "no memory to read '%s'", path);
    }
    r->file->file = file;
    r->file->rows.data.d.id = r->file->rows.indices.d.id = -1;
    enum rc rc = read_head(file, w, &r->head, e);
    if (!rc)
        rc = open_x(r, e);
    if (!rc)
        return RC_OK;
    h5ad_rows_close(r);
    return err_wrap(e, "cannot read '%s'", path);
}

enum rc h5ad_rows_open(struct h5ad_rows *r, const char *path, struct err *e)
{
    return open_rows(r, path, &(struct wanted){ .names = true }, e);
}

enum rc h5ad_rows_open_some(struct h5ad_rows *r, const char *path, const char *const *column,
                            size_t n_columns, bool names, struct err *e)
{
    return open_rows(r, path, &(struct wanted){ column, n_columns, names }, e);
}

void h5ad_rows_close(struct h5ad_rows *r)
{
    if (r->file) {
        sparse_rows_close(&r->file->rows);
        H5Fclose(r->file->file);
    }
    cells_release(&r->head);
    free(r->file);
    free(r->path);
    *r = (struct h5ad_rows){ 0 };
}

size_t h5ad_rows_block(const struct h5ad_rows *r, size_t first)
{
    return sparse_rows_block(&r->file->rows, first);
}

enum rc h5ad_rows_read(struct h5ad_rows *r, size_t first, size_t n, struct csr *block,
                       struct err *e)
{
    struct sparse_rows *s = &r->file->rows;
    enum rc rc = sparse_rows_read(s, first, n, block, e);
    if (!rc && counts_bad(&s->check))
        rc = counts_refuse(&s->check, e);
    if (!rc)
        rc = csr_check(block, e);
    if (!rc)
        return RC_OK;
    *block = (struct csr){ 0 };
    return err_wrap(e, "cannot read '%s': cells %zu..%zu", r->path, first, first + n);
}
