/* Counts chunk by chunk (H5Dwrite_chunk), so that the layout of the file is that of the content. */
#include "lib/io/h5ad_writer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"
#include "lib/io/h5frame.h"

/* ---- counts ---- */

enum rc h5ad_writer_open(struct h5ad_writer *w, const char *path, struct err *e)
{
    *w = (struct h5ad_writer){ .file = -1, .x = -1, .data.id = -1, .indices.id = -1,
                                .obsm = { .group = -1, .id = -1 } };
    if (outfile_reserve(&w->o, path, e))
        return e ? e->rc : RC_FAIL;
    enum rc rc = h5_create(w->o.tmp, &w->file, e);
    if (rc)
        h5ad_writer_abort(w);
    return rc;
}

static void column_release(struct h5ad_column *c)
{
    if (c->id >= 0)
        H5Dclose(c->id);
    free(c->room);
}

static void rows_out_release(struct h5ad_rows_out *m)
{
    if (m->id >= 0)
        H5Dclose(m->id);
    if (m->group >= 0)
        H5Gclose(m->group);
    free(m->room);
    free(m->name);
    *m = (struct h5ad_rows_out){ .group = -1, .id = -1 };
}

static void release(struct h5ad_writer *w)
{
    column_release(&w->data);
    column_release(&w->indices);
    rows_out_release(&w->obsm);
    spill_free(w->indptr);
    if (w->x >= 0)
        H5Gclose(w->x);
    w->data = w->indices = (struct h5ad_column){ .id = -1 };
    w->indptr = NULL;
    w->x = -1;
}

void h5ad_writer_abort(struct h5ad_writer *w)
{
    release(w);
    if (w->o.path && w->file >= 0)
        h5_finish(w->file, w->o.path, NULL);
    outfile_abort(&w->o);
    *w = (struct h5ad_writer){ .file = -1, .x = -1, .data.id = -1, .indices.id = -1,
                               .obsm = { .group = -1, .id = -1 } };
}

static enum rc begin_counts(struct h5ad_writer *w, size_t n_cols, struct err *e)
{
    if (n_cols > INT32_MAX)
        return err_set(e, RC_INPUT, "%zu genes are too many for 32-bit columns", n_cols);
    w->n_cols = n_cols;
    w->data.room = malloc(H5AD_CHUNK * sizeof *w->data.room);
    w->indices.room = malloc(H5AD_CHUNK * sizeof *w->indices.room);
    w->indptr = calloc(1024, sizeof *w->indptr);
    w->row_room = 1023;
    if (!w->data.room || !w->indices.room || !w->indptr)
        return err_set(e, RC_FAIL, "no memory to write counts");
    if (h5_new_group(w->file, "X", &w->x, e))
        return RC_FAIL;
    return h5_put_encoding(w->x, "csr_matrix", "0.1.0", e);
}

static hid_t create_column(hid_t at, const char *name)
{
    const hsize_t none = 0, chunk = H5AD_CHUNK, any = H5S_UNLIMITED;
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &none, &any);
    H5Pset_obj_track_times(dcpl, false);
    H5Pset_chunk(dcpl, 1, &chunk);
    hid_t id = H5Dcreate2(at, name, H5T_STD_I32LE, space, H5P_DEFAULT, dcpl, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(dcpl);
    return id;
}

/* What is in the room as one chunk, filled up with zeros. */
static enum rc write_chunk(struct h5ad_writer *w, const char *name, struct h5ad_column *c,
                           struct err *e)
{
    if (c->id < 0)
        c->id = create_column(w->x, name);
    const hsize_t at = c->done, end = c->done + c->n;
    memset(c->room + c->n, 0, (H5AD_CHUNK - c->n) * sizeof *c->room);
    if (c->id < 0 || H5Dset_extent(c->id, &end) < 0 ||
        H5Dwrite_chunk(c->id, H5P_DEFAULT, 0, &at, H5AD_CHUNK * sizeof *c->room, c->room) < 0)
        return h5_err(e, RC_FAIL, "cannot write '%s'", name);
    c->done = end;
    c->n = 0;
    return RC_OK;
}

/* Both columns chunk by chunk: where a chunk lies in the file then depends on the entries only, not
 * on the blocks in which they came. */
static enum rc add_entries(struct h5ad_writer *w, const struct csr *b, struct err *e)
{
    struct h5ad_column *const to[2] = { &w->data, &w->indices };
    const uint32_t *const from[2] = { b->value, b->index };
    static const char *const name[2] = { "data", "indices" };
    for (size_t at = 0, m, nnz = (size_t)csr_nnz(b); at < nnz; at += m) {
        size_t room = H5AD_CHUNK - w->data.n;
        m = room < nnz - at ? room : nnz - at;
        for (int i = 0; i < 2; i++) {
            memcpy(to[i]->room + to[i]->n, from[i] + at, m * sizeof *from[i]);
            to[i]->n += m;
            if (to[i]->n == H5AD_CHUNK && write_chunk(w, name[i], to[i], e))
                return RC_FAIL;
        }
    }
    return RC_OK;
}

static enum rc check_counts(const struct h5ad_writer *w, const struct csr *c, struct err *e)
{
    for (size_t r = 0; r < c->n_rows; r++)
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++)
            if (c->value[k] > INT32_MAX)
                return err_set(e, RC_INPUT,
                               "row %zu, column %u: the count %u does not fit in 31 bits",
                               w->n_rows + r, c->index[k], c->value[k]);
    return RC_OK;
}

static enum rc add_offsets(struct h5ad_writer *w, const struct csr *b, struct err *e)
{
    if (w->n_rows + b->n_rows > w->row_room) {
        size_t room = (w->n_rows + b->n_rows) + (w->n_rows + b->n_rows) / 2;
        uint64_t *more =
            spill_grow(w->indptr, (w->n_rows + 1) * sizeof *more, (room + 1) * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu rows", room);
        w->indptr = more;
        w->row_room = room;
    }
    uint64_t base = w->indptr[w->n_rows];
    for (size_t r = 1; r <= b->n_rows; r++)
        w->indptr[w->n_rows + r] = base + b->indptr[r];
    w->n_rows += b->n_rows;
    return RC_OK;
}

enum rc h5ad_writer_add(struct h5ad_writer *w, const struct csr *b, struct err *e)
{
    enum rc rc = w->x < 0 ? begin_counts(w, b->n_cols, e) : RC_OK;
    if (!rc)
        rc = check_counts(w, b, e);
    if (!rc)
        rc = add_offsets(w, b, e);
    if (!rc)
        rc = add_entries(w, b, e);
    return rc ? err_wrap(e, "cannot write '%s': X", w->o.path) : RC_OK;
}

static enum rc end_column(struct h5ad_writer *w, const char *name, struct h5ad_column *c,
                          struct err *e)
{
    const uint64_t n = c->n;
    if (c->id >= 0)
        return c->n ? write_chunk(w, name, c, e) : RC_OK;
    return h5_put_data(w->x, name, H5T_STD_I32LE, H5T_NATIVE_UINT32, 1, &n, c->room, NULL, e);
}

static enum rc end_counts(struct h5ad_writer *w, struct err *e)
{
    const int64_t shape[2] = { (int64_t)w->n_rows, (int64_t)w->n_cols };
    const uint64_t n = w->n_rows + 1;
    enum rc rc = h5_put_attr_i64(w->x, "shape", shape, 2, e);
    if (!rc)
        rc = end_column(w, "data", &w->data, e);
    if (!rc)
        rc = end_column(w, "indices", &w->indices, e);
    if (!rc)
        rc = h5_put_data(w->x, "indptr", H5T_STD_I64LE, H5T_NATIVE_UINT64, 1, &n, w->indptr, NULL,
                         e);
    return rc ? err_wrap(e, "X") : RC_OK;
}

/* ---- rows of obsm ---- */

static enum rc begin_obsm(struct h5ad_writer *w, const char *name, size_t n_cols, struct err *e)
{
    struct h5ad_rows_out *m = &w->obsm;
    m->n_cols = n_cols;
    m->name = text_new("%s", name);
    m->room = malloc(H5AD_CHUNK_ROWS * n_cols * sizeof *m->room + 1);
    if (!m->name || !m->room)
        return err_set(e, RC_FAIL, "no memory to write '%s'", name);
    return h5_new_group(w->file, "obsm", &m->group, e);
}

static hid_t create_rows(const struct h5ad_rows_out *m)
{
    const hsize_t none[2] = { 0, m->n_cols }, any[2] = { H5S_UNLIMITED, m->n_cols },
                  chunk[2] = { H5AD_CHUNK_ROWS, m->n_cols };
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, none, any);
    H5Pset_obj_track_times(dcpl, false);
    H5Pset_chunk(dcpl, 2, chunk);
    hid_t id = H5Dcreate2(m->group, m->name, H5T_IEEE_F32LE, space, H5P_DEFAULT, dcpl, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(dcpl);
    return id;
}

/* What is in the room as one chunk, filled up with zeros. */
static enum rc write_rows(struct h5ad_rows_out *m, struct err *e)
{
    if (m->id < 0)
        m->id = create_rows(m);
    const hsize_t at[2] = { m->done, 0 }, end[2] = { m->done + m->n, m->n_cols };
    memset(m->room + m->n * m->n_cols, 0,
           (H5AD_CHUNK_ROWS - m->n) * m->n_cols * sizeof *m->room);
    if (m->id < 0 || H5Dset_extent(m->id, end) < 0 ||
        H5Dwrite_chunk(m->id, H5P_DEFAULT, 0, at,
                       H5AD_CHUNK_ROWS * m->n_cols * sizeof *m->room, m->room) < 0)
        return h5_err(e, RC_FAIL, "cannot write '%s'", m->name);
    m->done = end[0];
    m->n = 0;
    return RC_OK;
}

enum rc h5ad_writer_add_obsm(struct h5ad_writer *w, const char *name, const float *x, size_t n_rows,
                             size_t n_cols, struct err *e)
{
    struct h5ad_rows_out *m = &w->obsm;
    enum rc rc = m->name ? RC_OK : begin_obsm(w, name, n_cols, e);
    for (size_t at = 0, n; !rc && at < n_rows; at += n) {
        n = H5AD_CHUNK_ROWS - m->n < n_rows - at ? H5AD_CHUNK_ROWS - m->n : n_rows - at;
        memcpy(m->room + m->n * n_cols, x + at * n_cols, n * n_cols * sizeof *x);
        m->n += n;
        if (m->n == H5AD_CHUNK_ROWS)
            rc = write_rows(m, e);
    }
    return rc ? err_wrap(e, "cannot write '%s': obsm", w->o.path) : RC_OK;
}

static enum rc end_obsm(struct h5ad_writer *w, size_t n_rows, struct err *e)
{
    struct h5ad_rows_out *m = &w->obsm;
    const uint64_t dim[2] = { m->n, m->n_cols };
    enum rc rc = RC_OK;
    if (m->done + m->n != n_rows)
        return err_set(e, RC_FAIL, "'%s' has %zu rows, but obs has %zu", m->name,
                       (size_t)m->done + m->n, n_rows);
    if (m->id < 0)
        rc = h5_put_data(m->group, m->name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, dim, m->room,
                         &m->id, e);
    else if (m->n)
        rc = write_rows(m, e);
    return rc ? rc : h5_put_encoding(m->id, "array", "0.2.0", e);
}

/* ---- the rest ---- */

/* obsm, varm and the groups that stay empty. */
static enum rc write_matrices(hid_t file, const char *name, const struct h5ad_matrix *m, size_t n,
                              size_t n_rows, struct err *e)
{
    hid_t group;
    const bool there = h5_kind_of(file, name, NULL) == H5_GROUP; /* its rows came before */
    if (there ? h5_group_open(file, name, &group, e) : h5_new_group(file, name, &group, e))
        return RC_FAIL;
    enum rc rc = h5_put_encoding(group, "dict", "0.1.0", e);
    for (size_t i = 0; !rc && i < n; i++) {
        hid_t id = -1;
        const uint64_t dim[2] = { m[i].n_rows, m[i].n_cols };
        if (m[i].n_rows != n_rows)
            rc = err_set(e, RC_INPUT, "'%s/%s' has %zu rows, not %zu", name, m[i].name, m[i].n_rows,
                         n_rows);
        else
            rc = h5_put_data(group, m[i].name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 2, dim, m[i].data,
                             &id, e);
        if (!rc) {
            rc = h5_put_encoding(id, "array", "0.2.0", e);
            H5Dclose(id);
        }
    }
    H5Gclose(group);
    return rc;
}

static enum rc write_uns(hid_t file, const struct h5ad_extra *x, struct err *e)
{
    hid_t group;
    if (h5_new_group(file, "uns", &group, e))
        return RC_FAIL;
    enum rc rc = h5_put_encoding(group, "dict", "0.1.0", e);
    for (size_t i = 0; !rc && i < x->n_uns; i++) {
        hid_t id;
        rc = h5_put_texts(group, x->uns[i][0], &x->uns[i][1], SIZE_MAX, &id, e);
        if (!rc) {
            rc = h5_put_encoding(id, "string", "0.2.0", e);
            H5Dclose(id);
        }
    }
    H5Gclose(group);
    return rc;
}

static enum rc write_rest(hid_t file, const struct cells *c, const struct h5ad_extra *x,
                          struct err *e)
{
    size_t n_obs = c->obs.n_rows, n_var = c->var.n_rows;
    enum rc rc = h5_put_encoding(file, "anndata", "0.1.0", e);
    if (!rc)
        rc = h5frame_write(file, "obs", &c->obs, c->cell, e);
    if (!rc)
        rc = h5frame_write(file, "var", &c->var, c->gene, e);
    if (!rc)
        rc = write_matrices(file, "obsm", x->obsm, x->n_obsm, n_obs, e);
    if (!rc)
        rc = write_matrices(file, "varm", x->varm, x->n_varm, n_var, e);
    static const char *const empty[] = { "layers", "obsp", "varp" };
    for (size_t i = 0; !rc && i < 3; i++)
        rc = write_matrices(file, empty[i], NULL, 0, 0, e);
    return rc ? rc : write_uns(file, x, e);
}

enum rc h5ad_writer_close(struct h5ad_writer *w, const struct cells *c,
                          const struct h5ad_extra *extra, struct err *e)
{
    static const struct h5ad_extra none = { 0 };
    enum rc rc = RC_OK;
    if (w->x >= 0 && (w->n_rows != c->obs.n_rows || w->n_cols != c->var.n_rows))
        rc = err_set(e, RC_FAIL, "X is %zu x %zu, but obs has %zu rows and var %zu", w->n_rows,
                     w->n_cols, c->obs.n_rows, c->var.n_rows);
    if (!rc && w->x >= 0)
        rc = end_counts(w, e);
    if (!rc && w->obsm.name)
        rc = end_obsm(w, c->obs.n_rows, e);
    if (!rc)
        rc = write_rest(w->file, c, extra ? extra : &none, e);
    release(w);
    /* The first trouble is the one to tell. */
    enum rc closed = h5_finish(w->file, w->o.path, rc ? NULL : e);
    rc = rc ? err_wrap(e, "cannot write '%s'", w->o.path) : closed;
    w->file = -1;
    if (!rc)
        return outfile_commit(&w->o, e);
    outfile_abort(&w->o);
    return rc;
}

enum rc h5ad_write(const char *path, const struct cells *c, const struct h5ad_extra *extra,
                   struct err *e)
{
    struct h5ad_writer w;
    enum rc rc = h5ad_writer_open(&w, path, e);
    if (!rc && c->count.indptr && (rc = h5ad_writer_add(&w, &c->count, e)) != RC_OK)
        h5ad_writer_abort(&w);
    return rc ? rc : h5ad_writer_close(&w, c, extra, e);
}
