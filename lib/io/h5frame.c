/* Reading data frames: groups of columns. The compound form is in h5compound.c. */
#include "lib/io/h5frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"
#include "lib/io/h5compound.h"

void h5frame_release(struct h5frame *f)
{
    table_release(&f->table);
    *f = (struct h5frame){ 0 };
}

/* ---- one column ---- */

static enum rc no_memory(const char *name, struct err *e)
{
    return err_set(e, RC_FAIL, "no memory for column '%s'", name);
}

/* mask[i] is true where an entry of a nullable array is missing; *mask NULL when there is none. */
static enum rc read_mask(hid_t group, size_t n, double **mask, struct err *e)
{
    struct h5_data d = { 0 };
    *mask = NULL;
    if (h5_kind_of(group, "mask", NULL) == H5_ABSENT)
        return RC_OK;
    enum rc rc = h5_data_open(group, "mask", &d, e);
    if (!rc)
        rc = h5_data_want_1d(&d, n, e);
    if (!rc && !(*mask = spill_alloc((n + 1) * sizeof **mask)))
        rc = err_set(e, RC_FAIL, "no memory for a mask");
    for (size_t at = 0; !rc && at < n; at += SPILL_STEP) {
        rc = h5_read_f64(&d, at, n - at < SPILL_STEP ? n - at : SPILL_STEP, *mask + at, e);
        spill_rest();
    }
    h5_data_close(&d);
    if (rc) {
        spill_free(*mask);
        *mask = NULL;
    }
    return rc;
}

static enum rc nullable_texts(hid_t group, struct arena *a, const char ***text, size_t *n,
                              struct err *e)
{
    struct h5_data d = { 0 };
    double *mask = NULL;
    enum rc rc = h5_data_open(group, "values", &d, e);
    if (!rc)
        rc = h5_read_texts(&d, a, text, n, e);
    if (!rc)
        rc = read_mask(group, *n, &mask, e);
    for (size_t i = 0; !rc && mask && i < *n; i++) {
        if (mask[i] != 0)
            (*text)[i] = NULL;
        spill_step(i);
    }
    spill_free(mask);
    h5_data_close(&d);
    return rc;
}

enum rc h5frame_texts(hid_t at, const char *name, struct arena *a, const char ***text, size_t *n,
                      struct err *e)
{
    if (h5_kind_of(at, name, NULL) == H5_GROUP) {
        hid_t group;
        enum rc rc = h5_group_open(at, name, &group, e);
        if (!rc) {
            rc = nullable_texts(group, a, text, n, e);
            H5Gclose(group);
        }
        return rc ? err_wrap(e, "'%s'", name) : RC_OK;
    }
    struct h5_data d;
    if (h5_data_open(at, name, &d, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = h5_read_texts(&d, a, text, n, e);
    h5_data_close(&d);
    return rc;
}

/* How many rows an index has, which is not read. */
static enum rc count_texts(hid_t at, const char *name, size_t *n, struct err *e)
{
    struct h5_data d = { 0 };
    hid_t group = -1;
    bool nullable = h5_kind_of(at, name, NULL) == H5_GROUP;
    enum rc rc = nullable ? h5_group_open(at, name, &group, e) : RC_OK;
    if (!rc)
        rc = nullable ? h5_data_open(group, "values", &d, e) : h5_data_open(at, name, &d, e);
    if (!rc)
        rc = h5_data_want_1d(&d, d.n_items, e);
    *n = rc ? 0 : (size_t)d.n_items;
    h5_data_close(&d);
    if (group >= 0)
        H5Gclose(group);
    return rc;
}

/* codes: a data set of one dimension; -1 (and, unsigned, the largest value) is missing. */
static enum rc decode(struct h5frame *f, const char *name, const struct h5_data *codes,
                      const char **category, size_t n_categories, struct err *e)
{
    size_t n = f->table.n_rows;
    if (h5_data_want_1d(codes, n, e))
        return RC_INPUT;
    int64_t *code = malloc(SPILL_STEP * sizeof *code);
    struct column *c = code ? table_add(&f->table, name, COLUMN_TEXT) : NULL;
    enum rc rc = c ? RC_OK : no_memory(name, e);
    for (size_t at = 0, m; !rc && at < n; at += m) {
        m = n - at < SPILL_STEP ? n - at : SPILL_STEP;
        rc = h5_read_i64(codes, at, m, code, e);
        for (size_t i = 0; !rc && i < m; i++) {
            if (code[i] >= 0 && (uint64_t)code[i] < n_categories)
                c->text[at + i] = category[code[i]];
            else if (code[i] != -1)
                rc = err_set(e, RC_INPUT, "column '%s': row %zu has category %lld of %zu", name,
                             at + i, (long long)code[i], n_categories);
        }
        spill_rest();
    }
    free(code);
    return rc;
}

static enum rc read_categorical(hid_t group, const char *name, struct h5frame *f, struct err *e)
{
    const char **category = NULL;
    size_t n = 0;
    struct h5_data codes = { 0 };
    enum rc rc = h5frame_texts(group, "categories", &f->table.text, &category, &n, e);
    if (!rc)
        rc = h5_data_open(group, "codes", &codes, e);
    if (!rc)
        rc = decode(f, name, &codes, category, n, e);
    h5_data_close(&codes);
    return rc;
}

/* A column of numbers; mask (may be NULL) makes whole numbers fractional, for NaN. */
static enum rc read_numbers(const struct h5_data *d, const char *name, const double *mask,
                            struct h5frame *f, struct err *e)
{
    size_t n = f->table.n_rows;
    bool whole = d->type != H5_FLOAT && !mask;
    struct column *c = table_add(&f->table, name, whole ? COLUMN_I64 : COLUMN_F64);
    if (!c)
        return no_memory(name, e);
    enum rc rc = RC_OK;
    for (size_t at = 0, m; !rc && at < n; at += m) {
        m = n - at < SPILL_STEP ? n - at : SPILL_STEP;
        rc = whole ? h5_read_i64(d, at, m, c->i64 + at, e) : h5_read_f64(d, at, m, c->f64 + at, e);
        for (size_t i = at; !rc && mask && i < at + m; i++)
            if (mask[i] != 0)
                c->f64[i] = NAN;
        spill_rest();
    }
    return rc;
}

/* A data set as it is, a text for texts and booleans. */
static enum rc read_plain(const struct h5_data *d, const char *name, const double *mask,
                          struct h5frame *f, struct err *e)
{
    size_t n = 0;
    const char **text = NULL;
    if (d->type == H5_COMPOUND_TYPE || d->type == H5_OTHER || d->n_dims != 1) {
        f->n_left_out++;
        return RC_OK;
    }
    if (h5_data_want_1d(d, f->table.n_rows, e))
        return RC_INPUT;
    if (d->type != H5_TEXT && d->type != H5_BOOL)
        return read_numbers(d, name, mask, f, e);
    enum rc rc = h5_read_texts(d, &f->table.text, &text, &n, e);
    struct column *c = rc ? NULL : table_add(&f->table, name, COLUMN_TEXT);
    if (!rc && !c)
        rc = no_memory(name, e);
    for (size_t i = 0; !rc && i < n; i++) {
        c->text[i] = mask && mask[i] != 0 ? NULL : text[i];
        spill_step(i);
    }
    return rc;
}

/* anndata 0.7: the codes carry a reference to their categories. */
static enum rc read_referring(const struct h5_data *d, const char *name, struct h5frame *f,
                              struct err *e)
{
    struct h5_data c = { 0 };
    const char **category = NULL;
    size_t n = 0;
    enum rc rc = h5_data_open_ref(d->id, "categories", &c, e);
    if (!rc)
        rc = h5_read_texts(&c, &f->table.text, &category, &n, e);
    h5_data_close(&c);
    return rc ? rc : decode(f, name, d, category, n, e);
}

static enum rc read_nullable(hid_t group, const char *name, struct h5frame *f, struct err *e)
{
    struct h5_data d = { 0 };
    double *mask = NULL;
    enum rc rc = h5_data_open(group, "values", &d, e);
    if (!rc)
        rc = read_mask(group, f->table.n_rows, &mask, e);
    if (!rc)
        rc = read_plain(&d, name, mask, f, e);
    spill_free(mask);
    h5_data_close(&d);
    return rc;
}

static enum rc read_group_column(hid_t frame, const char *name, struct h5frame *f, struct err *e)
{
    hid_t group;
    if (h5_group_open(frame, name, &group, e))
        return RC_INPUT;
    enum rc rc = RC_OK;
    if (h5_kind_of(group, "codes", NULL) != H5_ABSENT)
        rc = read_categorical(group, name, f, e);
    else if (h5_kind_of(group, "values", NULL) != H5_ABSENT)
        rc = read_nullable(group, name, f, e);
    else
        f->n_left_out++;
    H5Gclose(group);
    return rc;
}

static enum rc read_column(hid_t frame, const char *name, struct h5frame *f, struct err *e)
{
    enum h5_kind kind = h5_kind_of(frame, name, e);
    if (kind == H5_BROKEN)
        return e ? e->rc : RC_INPUT;
    if (kind == H5_ABSENT)
        return err_set(e, RC_INPUT, "is named but not there");
    if (kind == H5_GROUP)
        return read_group_column(frame, name, f, e);
    struct h5_data d;
    if (h5_data_open(frame, name, &d, e))
        return RC_INPUT;
    enum rc rc = h5_has_attr(d.id, "categories") ? read_referring(&d, name, f, e)
                                                 : read_plain(&d, name, NULL, f, e);
    h5_data_close(&d);
    return rc;
}

/* ---- the frame ---- */

static enum rc find_index(hid_t frame, struct arena *a, const char **name, struct err *e)
{
    static const char *const usual[] = { "_index", "index", "obs_names", "var_names" };
    if (h5_attr_text(frame, "_index", a, name, e))
        return RC_FAIL;
    for (size_t i = 0; !*name && i < sizeof usual / sizeof *usual; i++)
        if (h5_kind_of(frame, usual[i], NULL) == H5_DATASET)
            *name = usual[i];
    return *name ? RC_OK : err_set(e, RC_INPUT, "there is no index");
}

/* column NULL: all. */
struct wanted {
    const char *const *column;
    size_t n;
    bool index;
};

static bool is_wanted(const struct wanted *w, const char *name)
{
    bool yes = !w->column;
    for (size_t i = 0; !yes && i < w->n; i++)
        yes = strcmp(w->column[i], name) == 0;
    return yes;
}

static enum rc read_index(hid_t frame, const char *name, const struct wanted *w, struct h5frame *f,
                          struct err *e)
{
    const char **text = NULL;
    size_t n = 0;
    enum rc rc = w->index ? h5frame_texts(frame, name, &f->table.text, &text, &n, e)
                          : count_texts(frame, name, &n, e);
    for (size_t i = 0; !rc && text && i < n; i++) {
        if (!text[i])
            rc = err_set(e, RC_INPUT, "entry %zu of the index is missing", i);
        spill_step(i);
    }
    f->table.n_rows = n;
    f->index = text;
    return rc;
}

static enum rc read_group(hid_t frame, const struct wanted *w, struct h5frame *f, struct err *e)
{
    const char *index = NULL, **column = NULL;
    size_t n_columns = 0;
    struct arena names;
    arena_init(&names, 4096);
    table_init(&f->table, 0);
    enum rc rc = find_index(frame, &names, &index, e);
    if (!rc)
        rc = read_index(frame, index, w, f, e);
    /* The order of the columns as anndata keeps it; older files have none. */
    if (!rc)
        rc = h5_attr_texts(frame, "column-order", &names, &column, &n_columns, e);
    if (!rc && !column)
        rc = h5_list(frame, &names, &column, &n_columns, e);
    for (size_t i = 0; !rc && i < n_columns; i++)
        if (strcmp(column[i], index) != 0 && strcmp(column[i], "__categories") != 0 &&
            is_wanted(w, column[i]) && read_column(frame, column[i], f, e))
            rc = err_wrap(e, "column '%s'", column[i]);
    arena_release(&names);
    return rc;
}

static enum rc read_frame(hid_t at, const char *name, const struct wanted *w, struct h5frame *f,
                          struct err *e)
{
    *f = (struct h5frame){ 0 };
    enum rc rc;
    if (h5_kind_of(at, name, NULL) == H5_DATASET) {
        struct h5_data d;
        rc = h5_data_open(at, name, &d, e);
        if (!rc) {
            rc = h5compound_read(at, &d, f, e);
            h5_data_close(&d);
        }
    } else {
        hid_t frame;
        rc = h5_group_open(at, name, &frame, e);
        if (rc)
            return rc;
        rc = read_group(frame, w, f, e);
        H5Gclose(frame);
    }
    if (!rc)
        return RC_OK;
    h5frame_release(f);
    return err_wrap(e, "'%s'", name);
}

enum rc h5frame_read(hid_t at, const char *name, struct h5frame *f, struct err *e)
{
    return read_frame(at, name, &(struct wanted){ .index = true }, f, e);
}

enum rc h5frame_read_some(hid_t at, const char *name, const char *const *column, size_t n_columns,
                          bool index, struct h5frame *f, struct err *e)
{
    return read_frame(at, name, &(struct wanted){ column, n_columns, index }, f, e);
}
