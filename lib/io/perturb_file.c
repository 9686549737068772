#include "lib/io/perturb_file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/io/h5frame.h"
#include "lib/io/h5ad_read.h"
#include "lib/io/number.h"
#include "lib/io/sheet.h"
#include "lib/io/sparse.h"

/* Entries of a set that grows. */
struct filling {
    struct perturb_set *s;
    size_t n, room;
};

static enum rc room_for(struct filling *f, size_t more, struct err *e)
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

static enum rc take_names(struct perturb_set *s, const char *const *name, size_t n, struct err *e)
{
    s->n_genes = n;
    s->gene = calloc(n + 1, sizeof *s->gene);
    for (size_t i = 0; s->gene && i < n; i++)
        if (!(s->gene[i] = arena_text(&s->text, name[i] && *name[i] ? name[i] : "?")))
            return err_set(e, RC_FAIL, "no memory for %zu genes", n);
    return s->gene ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", n);
}

/* ---- HDF5 ---- */

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
            rc = room_for(f, s->n_genes, e);
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

enum rc perturb_file_matrix(hid_t file, size_t n_cells, struct perturb_set *s, struct err *e)
{
    const char *const names = "gene_name";
    struct h5frame var = { 0 };
    perturb_set_init(s);
    enum rc rc = h5frame_read_some(file, "var", &names, 1, true, &var, e);
    if (!rc && (n_cells >= UINT32_MAX || var.table.n_rows >= UINT32_MAX))
        rc = err_set(e, RC_INPUT, "too many cells or genes");
    if (!rc) {
        const struct column *name = table_find(&var.table, names);
        s->n_cells = n_cells;
        rc = take_names(s, name && name->kind == COLUMN_TEXT ? name->text : var.index,
                        var.table.n_rows, e);
    }
    if (!rc)
        rc = read_x(file, s, e);
    h5frame_release(&var);
    if (rc)
        perturb_set_release(s);
    return rc;
}

enum rc perturb_file_from(hid_t file, const char *column, const struct perturb_rules *rules,
                          struct perturb_set *s, struct err *e)
{
    const char *const want = column ? column : "condition";
    struct h5frame obs = { 0 };
    *s = (struct perturb_set){ 0 };
    enum rc rc = h5frame_read_some(file, "obs", &want, 1, false, &obs, e);
    const struct column *condition = rc ? NULL : table_find(&obs.table, want);
    if (!rc && (!condition || condition->kind != COLUMN_TEXT))
        rc = err_set(e, RC_INPUT, "no obs column '%s' with conditions", want);
    if (!rc)
        rc = perturb_file_matrix(file, obs.table.n_rows, s, e);
    if (!rc)
        rc = perturb_set_finish(s, condition->text, rules, e);
    h5frame_release(&obs);
    return rc;
}

/* ---- text ---- */

static bool is_no_gene(const char *name)
{
    static const char *const word[] = { "cell", "barcode", "cell_id", "" };
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (strcasecmp(name, word[i]) == 0)
            return true;
    return false;
}

struct text_job {
    struct sheet t;
    struct filling f;
    size_t condition;     /* field */
    uint32_t *gene_of;    /* [fields], UINT32_MAX: none */
    const char **of_cell; /* [n_cells], texts in the set */
    size_t room;
};

static enum rc head(struct text_job *j, const char *column, struct err *e)
{
    const struct sheet *t = &j->t;
    const char **name = calloc(t->n_head + 1, sizeof *name);
    size_t n = 0;
    j->gene_of = malloc((t->n_fields + 1) * sizeof *j->gene_of);
    if (!name || !j->gene_of) {
        free(name);
        return err_set(e, RC_FAIL, "no memory for %zu columns", t->n_head);
    }
    j->condition = SIZE_MAX;
    for (size_t i = 0; i < t->n_fields; i++)
        j->gene_of[i] = UINT32_MAX;
    for (size_t i = 0; i < t->n_head; i++) {
        if (strcmp(t->head[i], column) == 0) {
            j->condition = i + t->r_style;
        } else if (!is_no_gene(t->head[i])) {
            j->gene_of[i + t->r_style] = (uint32_t)n;
            name[n++] = t->head[i];
        }
    }
    enum rc rc = j->condition == SIZE_MAX
                     ? err_set(e, RC_INPUT, "no column '%s' with conditions", column)
                     : take_names(j->f.s, name, n, e);
    free(name);
    return rc;
}

static enum rc add_row(struct text_job *j, struct err *e)
{
    struct perturb_set *s = j->f.s;
    const struct sheet *t = &j->t;
    if (s->n_cells + 1 >= j->room) {
        const size_t room = 2 * j->room + 1024;
        uint64_t *indptr = realloc(s->indptr, (room + 1) * sizeof *indptr);
        if (indptr)
            s->indptr = indptr;
        const char **of = realloc(j->of_cell, room * sizeof *of);
        if (of)
            j->of_cell = of;
        if (!indptr || !of)
            return err_set(e, RC_FAIL, "no memory for %zu cells", s->n_cells);
        j->room = room;
    }
    enum rc rc = room_for(&j->f, s->n_genes, e);
    for (size_t i = 0; !rc && i < t->n_fields; i++) {
        double x;
        if (j->gene_of[i] == UINT32_MAX)
            continue;
        if (!number_parse(t->field[i], &x))
            return err_set(e, RC_INPUT, "line %zu, gene '%.60s': '%.60s' is no number", t->l.number,
                           s->gene[j->gene_of[i]], t->field[i]);
        if (x > 0 || x < 0) {
            s->index[j->f.n] = j->gene_of[i];
            s->value[j->f.n++] = x;
        }
    }
    if (!rc && !(j->of_cell[s->n_cells] = arena_text(&s->text, t->field[j->condition])))
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", s->n_cells);
    s->indptr[0] = 0;
    s->indptr[++s->n_cells] = j->f.n;
    return rc;
}

static enum rc read_text(const char *path, const char *column, const struct perturb_rules *rules,
                         struct perturb_set *s, struct err *e)
{
    struct text_job j = { .f = { .s = s } };
    bool more = true;
    perturb_set_init(s);
    if (sheet_open(&j.t, path, e)) {
        perturb_set_release(s);
        return e ? e->rc : RC_INPUT;
    }
    enum rc rc = head(&j, column, e);
    while (!rc && !(rc = sheet_next(&j.t, &more, e)) && more)
        rc = add_row(&j, e);
    if (rc)
        perturb_set_release(s);
    else
        rc = perturb_set_finish(s, j.of_cell, rules, e);
    sheet_close(&j.t);
    free(j.gene_of);
    free(j.of_cell);
    return rc;
}

enum rc perturb_file_read(const char *path, const char *column, const struct perturb_rules *rules,
                          struct perturb_set *s, struct err *e)
{
    const size_t n = strlen(path);
    enum rc rc;
    if (n > 3 &&
        (strcmp(path + n - 3, ".h5") == 0 || (n > 5 && strcmp(path + n - 5, ".h5ad") == 0))) {
        hid_t file;
        *s = (struct perturb_set){ 0 };
        if (h5_open(path, &file, e))
            return e ? e->rc : RC_INPUT;
        rc = perturb_file_from(file, column, rules, s, e);
        H5Fclose(file);
    } else {
        rc = read_text(path, column ? column : "condition", rules, s, e);
    }
    return rc ? err_wrap(e, "cannot read '%s'", path) : RC_OK;
}
