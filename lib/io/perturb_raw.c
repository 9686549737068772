#include "lib/io/perturb_raw.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io/child.h"
#include "lib/io/h5ad_read.h"
#include "lib/io/h5frame.h"
#include "lib/io/perturb_fill.h"
#include "lib/io/sparse.h"

enum rc filling_room(struct filling *f, size_t more, struct err *e)
{
    if (f->n + more <= f->room)
        return RC_OK;
    const size_t room = f->room + f->room / 2 + more + 1024;
    uint32_t *index = realloc(f->s->index, room * sizeof *index);
    if (index)
        f->s->index = index;
    double *value = realloc(f->s->value, room * sizeof *value);
    if (value)
        f->s->value = value;
    if (!index || !value)
        return err_set(e, RC_FAIL, "no memory for %zu values", f->n);
    f->room = room;
    return RC_OK;
}

enum rc perturb_take_names(struct perturb_set *s, const char *const *name, size_t n, struct err *e)
{
    s->n_genes = n;
    s->gene = calloc(n + 1, sizeof *s->gene);
    for (size_t i = 0; s->gene && i < n; i++)
        if (!(s->gene[i] = arena_text(&s->text, name[i] && *name[i] ? name[i] : "?")))
            return err_set(e, RC_FAIL, "no memory for %zu genes", n);
    return s->gene ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", n);
}

enum { DENSE_ROWS = 64 };

static enum rc read_dense(const struct h5_data *d, struct filling *f, struct err *e)
{
    struct perturb_set *s = f->s;
    if (d->n_dims != 2 || d->dim[0] != s->n_cells || d->dim[1] != s->n_genes)
        return err_set(e, RC_INPUT, "'X' is not %zu cells x %zu genes", s->n_cells, s->n_genes);
    double *row = malloc((DENSE_ROWS * s->n_genes + 1) * sizeof *row);
    enum rc rc = row ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", s->n_genes);
    for (size_t at = 0, n; !rc && at < s->n_cells; at += n) {
        n = s->n_cells - at < DENSE_ROWS ? s->n_cells - at : DENSE_ROWS;
        rc = h5_read_block_f64(d, at, n, 0, s->n_genes, row, e);
        for (size_t i = 0; !rc && i < n; i++) {
            rc = filling_room(f, s->n_genes, e);
            for (size_t j = 0; !rc && j < s->n_genes; j++) {
                const double x = row[i * s->n_genes + j];
                if (x > 0 || x < 0 || x != x) {
                    s->index[f->n] = (uint32_t)j;
                    s->value[f->n++] = x;
                }
            }
            s->indptr[at + i + 1] = f->n;
        }
    }
    free(row);
    return rc;
}

/* Columns to rows. */
static enum rc turn(struct perturb_set *s, uint64_t nnz, struct err *e)
{
    uint64_t *to = calloc(s->n_cells + 2, sizeof *to);
    uint32_t *index = malloc((nnz + 1) * sizeof *index);
    double *value = malloc((nnz + 1) * sizeof *value);
    if (!to || !index || !value) {
        free(to);
        free(index);
        free(value);
        return err_set(e, RC_FAIL, "no memory for %llu values", (unsigned long long)nnz);
    }
    for (uint64_t k = 0; k < nnz; k++)
        to[s->index[k] + 2]++;
    for (size_t i = 0; i < s->n_cells; i++)
        to[i + 2] += to[i + 1];
    for (size_t j = 0; j < s->n_genes; j++)
        for (uint64_t k = s->indptr[j]; k < s->indptr[j + 1]; k++) {
            const uint64_t at = to[s->index[k] + 1]++;
            index[at] = (uint32_t)j;
            value[at] = s->value[k];
        }
    free(s->indptr);
    free(s->index);
    free(s->value);
    s->indptr = to;
    s->index = index;
    s->value = value;
    return RC_OK;
}

static enum rc read_indices(const struct h5_data *d, uint64_t n, size_t n_minor, uint32_t *to,
                            struct err *e)
{
    enum { BLOCK = 1 << 16 };
    int64_t *block = malloc(BLOCK * sizeof *block);
    enum rc rc = block ? RC_OK : err_set(e, RC_FAIL, "no memory for indices");
    for (uint64_t at = 0, m; !rc && at < n; at += m) {
        m = n - at < BLOCK ? n - at : BLOCK;
        rc = h5_read_i64(d, at, (size_t)m, block, e);
        for (uint64_t k = 0; !rc && k < m; k++) {
            if (block[k] < 0 || (uint64_t)block[k] >= n_minor)
                rc = err_set(e, RC_INPUT, "entry %llu is in row or column %lld of %zu",
                             (unsigned long long)(at + k), (long long)block[k], n_minor);
            to[at + k] = (uint32_t)block[k];
        }
    }
    free(block);
    return rc;
}

static enum rc read_sparse(hid_t group, struct perturb_set *s, struct err *e)
{
    struct h5_data data = { 0 }, indices = { 0 }, indptr = { 0 };
    bool by_cell = false;
    int64_t shape[2] = { 0 };
    enum rc rc = sparse_orientation(group, &by_cell, shape, e);
    if (!rc && ((uint64_t)shape[0] != s->n_cells || (uint64_t)shape[1] != s->n_genes))
        rc = err_set(e, RC_INPUT, "is not %zu cells x %zu genes", s->n_cells, s->n_genes);
    if (!rc)
        rc = h5_data_open(group, "data", &data, e);
    if (!rc)
        rc = h5_data_open(group, "indices", &indices, e);
    if (!rc)
        rc = h5_data_open(group, "indptr", &indptr, e);
    if (!rc)
        rc = h5_data_want_1d(&data, UINT64_MAX, e);
    if (!rc)
        rc = h5_data_want_1d(&indices, data.n_items, e);
    const size_t major = by_cell ? s->n_cells : s->n_genes;
    const uint64_t nnz = rc ? 0 : data.n_items;
    if (!rc) {
        free(s->indptr);
        s->indptr = calloc(major + 1, sizeof *s->indptr);
        s->index = malloc((nnz + 1) * sizeof *s->index);
        s->value = malloc((nnz + 1) * sizeof *s->value);
        if (!s->indptr || !s->index || !s->value)
            rc = err_set(e, RC_FAIL, "no memory for %llu values", (unsigned long long)nnz);
    }
    if (!rc)
        rc = h5ad_read_indptr(&indptr, major, nnz, s->indptr, e);
    if (!rc)
        rc = read_indices(&indices, nnz, by_cell ? s->n_genes : s->n_cells, s->index, e);
    if (!rc)
        rc = h5_read_f64(&data, 0, (size_t)nnz, s->value, e);
    if (!rc && !by_cell)
        rc = turn(s, nnz, e);
    h5_data_close(&data);
    h5_data_close(&indices);
    h5_data_close(&indptr);
    return rc;
}

static enum rc read_x(hid_t file, struct perturb_set *s, struct err *e)
{
    struct filling f = { .s = s };
    struct h5_data d = { 0 };
    hid_t group;
    s->indptr = calloc(s->n_cells + 1, sizeof *s->indptr);
    if (!s->indptr)
        return err_set(e, RC_FAIL, "no memory for %zu cells", s->n_cells);
    enum rc rc;
    if (h5_kind_of(file, "X", NULL) == H5_DATASET) {
        rc = h5_data_open(file, "X", &d, e);
        if (!rc)
            rc = read_dense(&d, &f, e);
        h5_data_close(&d);
    } else {
        rc = h5_group_open(file, "X", &group, e);
        if (!rc) {
            rc = read_sparse(group, s, e);
            H5Gclose(group);
            rc = rc ? err_wrap(e, "'X'") : RC_OK;
        }
    }
    return rc;
}

static enum rc read_matrix(hid_t file, struct perturb_set *s, struct err *e)
{
    const char *const names = "gene_name";
    struct h5frame var = { 0 };
    enum rc rc = h5frame_read_some(file, "var", &names, 1, true, &var, e);
    if (!rc && (s->n_cells >= UINT32_MAX || var.table.n_rows >= UINT32_MAX))
        rc = err_set(e, RC_INPUT, "too many cells or genes");
    if (!rc) {
        const struct column *name = table_find(&var.table, names);
        rc = perturb_take_names(s, name && name->kind == COLUMN_TEXT ? name->text : var.index,
                                var.table.n_rows, e);
    }
    if (!rc)
        rc = read_x(file, s, e);
    h5frame_release(&var);
    return rc;
}

void perturb_raw_release(struct perturb_raw *r)
{
    perturb_set_release(&r->x);
    table_release(&r->obs);
}

static void raw_init(struct perturb_raw *r)
{
    perturb_set_init(&r->x);
    table_init(&r->obs, 0);
}

/* Into an empty *r, which is to be released whatever comes. */
static enum rc fill(hid_t file, const char *const *column, size_t n, struct perturb_raw *r,
                    struct err *e)
{
    struct h5frame obs = { 0 };
    enum rc rc = h5frame_read_some(file, "obs", column, n, false, &obs, e);
    if (rc)
        return rc;
    table_release(&r->obs);
    r->obs = obs.table; /* moved; there is no index */
    for (size_t i = 0; !rc && i < n; i++)
        if (!table_find(&r->obs, column[i]))
            rc = err_set(e, RC_INPUT, "no obs column '%s'", column[i]);
    r->x.n_cells = r->obs.n_rows;
    return rc ? rc : read_matrix(file, &r->x, e);
}

enum rc perturb_raw_from(hid_t file, const char *const *column, size_t n, struct perturb_raw *r,
                         struct err *e)
{
    raw_init(r);
    enum rc rc = fill(file, column, n, r, e);
    if (rc)
        perturb_raw_release(r);
    return rc;
}

/* ---- through a pipe ---- */

struct raw_task {
    const char *path;
    const char *const *column;
    size_t n;
    struct perturb_raw *r;
};

static enum rc read_file(void *what, struct err *e)
{
    struct raw_task *t = what;
    hid_t file;
    if (h5_open(t->path, &file, e))
        return e->rc;
    enum rc rc = fill(file, t->column, t->n, t->r, e);
    H5Fclose(file);
    return rc;
}

/* Indices are given back once they are sent: the receiver has them now. */
static bool send_raw(void *what, FILE *to)
{
    struct perturb_raw *r = ((struct raw_task *)what)->r;
    struct perturb_set *s = &r->x;
    const uint64_t nnz = s->indptr[s->n_cells], size[] = { s->n_cells, s->n_genes, nnz };
    bool good = child_put(to, size, sizeof size) && child_put_columns(to, &r->obs) &&
                child_put_texts(to, s->gene, s->n_genes) &&
                child_put(to, s->indptr, (s->n_cells + 1) * sizeof *s->indptr) &&
                child_put(to, s->index, nnz * sizeof *s->index);
    free(s->index);
    s->index = NULL;
    return good && child_put(to, s->value, nnz * sizeof *s->value);
}

/* A child whose memory a damaged file has spoiled may send anything. */
static bool is_sound(const struct perturb_set *s, uint64_t nnz)
{
    bool good = s->indptr[0] == 0 && s->indptr[s->n_cells] == nnz;
    for (size_t i = 0; good && i < s->n_cells; i++)
        good = s->indptr[i] <= s->indptr[i + 1];
    for (uint64_t k = 0; good && k < nnz; k++)
        good = s->index[k] < s->n_genes;
    return good;
}

static enum rc receive_raw(FILE *from, void *what, struct err *e)
{
    struct perturb_raw *r = ((struct raw_task *)what)->r;
    struct perturb_set *s = &r->x;
    uint64_t size[3];
    bool good = child_get(from, size, sizeof size) && child_fits(size[1]) && child_fits(size[2]);
    if (good) {
        s->n_cells = size[0];
        s->n_genes = size[1];
        table_release(&r->obs);
        good = child_get_columns(from, &r->obs, s->n_cells);
    }
    if (good) {
        s->gene = calloc(s->n_genes + 1, sizeof *s->gene);
        s->indptr = malloc((s->n_cells + 1) * sizeof *s->indptr);
        s->index = malloc((size[2] + 1) * sizeof *s->index);
        s->value = malloc((size[2] + 1) * sizeof *s->value);
        good = s->gene && s->indptr && s->index && s->value &&
               child_get_texts(from, &s->text, s->gene, s->n_genes) &&
               child_get(from, s->indptr, (s->n_cells + 1) * sizeof *s->indptr) &&
               child_get(from, s->index, size[2] * sizeof *s->index) &&
               child_get(from, s->value, size[2] * sizeof *s->value);
    }
    if (!good)
        return err_set(e, RC_FAIL, "the reader broke off, or memory is short");
    return is_sound(s, size[2])
               ? RC_OK
               : err_set(e, RC_INPUT, "the file is damaged: its matrix makes no sense");
}

enum rc perturb_raw_read(const char *path, const char *const *column, size_t n,
                         struct perturb_raw *r, struct err *e)
{
    struct raw_task what = { path, column, n, r };
    const struct child_task t = { read_file, send_raw, receive_raw, &what };
    struct stat st;
    raw_init(r);
    enum rc rc = child_read(&t, stat(path, &st) == 0 ? (uint64_t)st.st_size : 0, e);
    if (rc)
        perturb_raw_release(r);
    return rc;
}
