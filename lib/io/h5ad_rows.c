#include "lib/io/h5ad_rows.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/h5ad_read.h"
#include "lib/io/h5frame.h"

struct h5ad_rows_file {
    hid_t file;
    struct h5_data data, indices;
};

static enum rc read_head(hid_t file, struct cells *c, struct err *e)
{
    struct h5frame obs, var;
    enum rc rc = h5frame_read(file, "obs", &obs, e);
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
    c->cell = malloc((c->count.n_rows + 1) * sizeof *c->cell);
    c->gene = malloc((c->count.n_cols + 1) * sizeof *c->gene);
    if (!c->cell || !c->gene)
        return err_set(e, RC_FAIL, "no memory for names");
    for (size_t i = 0; i < c->count.n_rows; i++)
        c->cell[i] = obs.index[i];
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
    struct h5_data indptr = { 0 };
    struct h5ad_rows_file *f = r->file;
    enum rc rc = check_matrix(x, &r->head.count, e);
    if (!rc)
        rc = h5_data_open(x, "data", &f->data, e);
    if (!rc)
        rc = h5_data_open(x, "indices", &f->indices, e);
    if (!rc)
        rc = h5_data_open(x, "indptr", &indptr, e);
    if (!rc)
        rc = h5_data_want_1d(&f->data, UINT64_MAX, e);
    if (!rc)
        rc = h5_data_want_1d(&f->indices, f->data.n_items, e);
    if (!rc)
        rc = h5_data_want_1d(&indptr, (uint64_t)r->head.count.n_rows + 1, e);
    if (!rc) {
        r->indptr = malloc((r->head.count.n_rows + 1) * sizeof *r->indptr);
        rc = r->indptr ? RC_OK : err_set(e, RC_FAIL, "no memory for offsets");
    }
    if (!rc)
        rc = h5ad_read_indptr(&indptr, r->head.count.n_rows, f->data.n_items, r->indptr, e);
    h5_data_close(&indptr);
    return rc;
}

enum rc h5ad_rows_open(struct h5ad_rows *r, const char *path, struct err *e)
{
    hid_t file, x;
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
    enum rc rc = read_head(file, &r->head, e);
    if (!rc && !(rc = h5_group_open(file, "X", &x, e))) {
        rc = open_matrix(r, x, e);
        H5Gclose(x);
        if (rc)
            err_wrap(e, "X");
    }
    if (!rc)
        return RC_OK;
    h5ad_rows_close(r);
    return err_wrap(e, "cannot read '%s'", path);
}

void h5ad_rows_close(struct h5ad_rows *r)
{
    if (r->file) {
        h5_data_close(&r->file->data);
        h5_data_close(&r->file->indices);
        H5Fclose(r->file->file);
    }
    cells_release(&r->head);
    free(r->file);
    free(r->indptr);
    free(r->path);
    *r = (struct h5ad_rows){ 0 };
}

static enum rc read_values(const struct h5ad_rows_file *f, uint64_t at, size_t n, uint32_t *to,
                           double *room, struct err *e)
{
    enum rc rc = h5_read_f64(&f->data, at, n, room, e);
    for (size_t i = 0; !rc && i < n; i++) {
        if (!(room[i] >= 0 && room[i] <= UINT32_MAX) || floor(room[i]) != room[i])
            rc = err_set(e, RC_INPUT, "entry %llu is %g, not a count", (unsigned long long)(at + i),
                         room[i]);
        else
            to[i] = (uint32_t)room[i];
    }
    return rc;
}

static enum rc read_indices(const struct h5ad_rows_file *f, uint64_t at, size_t n, uint32_t *to,
                            int64_t *room, struct err *e)
{
    enum rc rc = h5_read_i64(&f->indices, at, n, room, e);
    for (size_t i = 0; !rc && i < n; i++) {
        if (room[i] < 0 || room[i] >= UINT32_MAX)
            rc = err_set(e, RC_INPUT, "entry %llu has column %lld", (unsigned long long)(at + i),
                         (long long)room[i]);
        else
            to[i] = (uint32_t)room[i];
    }
    return rc;
}

enum rc h5ad_rows_read(struct h5ad_rows *r, size_t first, size_t n, struct csr *block,
                       struct err *e)
{
    assert(first <= r->head.count.n_rows && n <= r->head.count.n_rows - first);
    uint64_t at = r->indptr[first];
    size_t nnz = (size_t)(r->indptr[first + n] - at);
    if (csr_alloc(block, n, r->head.count.n_cols, nnz, e))
        return RC_FAIL;
    union {
        double *f64;
        int64_t *i64;
        void *any;
    } room = { .any = malloc((nnz + 1) * 8) };
    enum rc rc = room.any ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu counts", nnz);
    for (size_t i = 0; i <= n; i++)
        block->indptr[i] = r->indptr[first + i] - at;
    if (!rc && nnz)
        rc = read_indices(r->file, at, nnz, block->index, room.i64, e);
    if (!rc && nnz)
        rc = read_values(r->file, at, nnz, block->value, room.f64, e);
    free(room.any);
    if (!rc)
        rc = csr_check(block, e);
    if (!rc)
        return RC_OK;
    csr_release(block);
    return err_wrap(e, "cannot read '%s': cells %zu..%zu", r->path, first, first + n);
}
