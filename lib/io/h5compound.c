#include "lib/io/h5compound.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 4096 };

struct member {
    char *name; /* HDF5's memory */
    hid_t type;
    bool text, vlen;
    size_t width; /* bytes of one entry in memory */
};

static enum rc member_open(hid_t compound, unsigned i, struct member *m, struct err *e)
{
    *m = (struct member){ .name = H5Tget_member_name(compound, i),
                          .type = H5Tget_member_type(compound, i) };
    if (!m->name || m->type < 0)
        return h5_err(e, RC_INPUT, "field %u is damaged", i);
    m->text = H5Tget_class(m->type) == H5T_STRING;
    m->vlen = m->text && H5Tis_variable_str(m->type) > 0;
    m->width = m->text && !m->vlen ? H5Tget_size(m->type) : 8;
    if (m->width == 0 || m->width > 1 << 20)
        return err_set(e, RC_INPUT, "field '%s' is %zu bytes wide", m->name, m->width);
    return RC_OK;
}

static void member_close(struct member *m)
{
    if (m->type >= 0)
        H5Tclose(m->type);
    H5free_memory(m->name);
}

/* Rows [at, at + n) of one field, packed. mem: the type of one entry. */
static enum rc read_field(const struct h5_data *d, const struct member *m, hid_t mem, uint64_t at,
                          uint64_t n, void *to, struct err *e)
{
    hid_t one = H5Tcreate(H5T_COMPOUND, H5Tget_size(mem));
    H5Tinsert(one, m->name, 0, mem);
    enum rc rc = h5_read_rows(d, at, n, one, to, e);
    H5Tclose(one);
    return rc;
}

static enum rc read_text_field(const struct h5_data *d, const struct member *m, struct arena *a,
                               const char ***text, struct err *e)
{
    size_t n = (size_t)d->n_items;
    uint64_t room = h5_file_bytes(d->id) + 65536;
    const char **t = arena_get_zero(a, n * sizeof *t);
    char *block = calloc(ROWS, m->width), *one = malloc(m->width + 1);
    enum rc rc = t && block && one ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu texts", n);
    for (size_t at = 0; !rc && at < n; at += ROWS) {
        size_t rows = n - at < ROWS ? n - at : ROWS;
        memset(block, 0, ROWS * m->width);
        rc = read_field(d, m, m->type, at, rows, block, e);
        for (size_t i = 0; i < rows; i++) {
            char *s = one;
            if (m->vlen) {
                memcpy(&s, block + i * m->width, sizeof s);
            } else {
                memcpy(one, block + i * m->width, m->width);
                one[m->width] = '\0';
            }
            size_t len = s ? strlen(s) : 0;
            if (!rc && m->vlen && len > room)
                rc = err_set(e, RC_INPUT, "texts are longer than the file");
            room -= !rc && m->vlen ? len : 0;
            if (!rc && !(t[at + i] = arena_text(a, s ? s : "")))
                rc = err_set(e, RC_FAIL, "no memory for %zu texts", n);
            if (m->vlen)
                H5free_memory(s);
        }
    }
    free(block);
    free(one);
    *text = t;
    return rc;
}

/* uns/NAME_categories, where it is. */
static enum rc categories(hid_t at, const char *name, struct arena *a, const char ***text,
                          size_t *n, struct err *e)
{
    char key[512];
    hid_t uns;
    *text = NULL;
    snprintf(key, sizeof key, "%s_categories", name);
    if (h5_kind_of(at, "uns", NULL) != H5_GROUP || h5_group_open(at, "uns", &uns, e))
        return RC_OK;
    enum rc rc = RC_OK;
    if (h5_kind_of(uns, key, NULL) == H5_DATASET)
        rc = h5frame_texts(uns, key, a, text, n, e);
    H5Gclose(uns);
    return rc;
}

static enum rc read_whole_field(hid_t at, const struct h5_data *d, const struct member *m,
                                struct h5frame *f, struct err *e)
{
    const char **category = NULL;
    size_t n_categories = 0, n = f->table.n_rows;
    if (categories(at, m->name, &f->table.text, &category, &n_categories, e))
        return e ? e->rc : RC_INPUT;
    struct column *c = table_add(&f->table, m->name, COLUMN_I64);
    int64_t *v = c ? c->i64 : NULL;
    if (!v)
        return err_set(e, RC_FAIL, "no memory for column '%s'", m->name);
    /* HDF5 clips what does not fit; only unsigned values above 2^63 do not. */
    if (n && read_field(d, m, H5T_NATIVE_INT64, 0, n, v, e))
        return e ? e->rc : RC_INPUT;
    if (!category)
        return RC_OK;
    c = table_add(&f->table, m->name, COLUMN_TEXT); /* v stays valid in the arena */
    if (!c)
        return err_set(e, RC_FAIL, "no memory for column '%s'", m->name);
    for (size_t i = 0; i < n; i++) {
        if (v[i] >= 0 && (uint64_t)v[i] < n_categories)
            c->text[i] = category[v[i]];
        else if (v[i] != -1)
            return err_set(e, RC_INPUT, "row %zu has category %lld of %zu", i, (long long)v[i],
                           n_categories);
    }
    return RC_OK;
}

static enum rc read_member(hid_t at, const struct h5_data *d, const struct member *m,
                           struct h5frame *f, struct err *e)
{
    struct column *c;
    const char **text = NULL;
    enum rc rc;
    switch (H5Tget_class(m->type)) {
    case H5T_STRING:
        rc = read_text_field(d, m, &f->table.text, &text, e);
        if (!rc && !(c = table_add(&f->table, m->name, COLUMN_TEXT)))
            rc = err_set(e, RC_FAIL, "no memory for column '%s'", m->name);
        if (!rc)
            c->text = text;
        return rc;
    case H5T_INTEGER:
        return read_whole_field(at, d, m, f, e);
    case H5T_FLOAT:
        c = table_add(&f->table, m->name, COLUMN_F64);
        if (!c)
            return err_set(e, RC_FAIL, "no memory for column '%s'", m->name);
        return f->table.n_rows ? read_field(d, m, H5T_NATIVE_DOUBLE, 0, f->table.n_rows, c->f64, e)
                               : RC_OK;
    default:
        f->n_left_out++;
        return RC_OK;
    }
}

/* The index is called `index`; in files of others it is the first field of texts. */
static int index_field(hid_t compound)
{
    int n = H5Tget_nmembers(compound), first_text = -1;
    for (int i = 0; i < n; i++) {
        char *name = H5Tget_member_name(compound, (unsigned)i);
        bool text = H5Tget_member_class(compound, (unsigned)i) == H5T_STRING;
        bool index = text && name && (strcmp(name, "index") == 0 || strcmp(name, "_index") == 0);
        H5free_memory(name);
        if (index)
            return i;
        if (text && first_text < 0)
            first_text = i;
    }
    return first_text;
}

enum rc h5compound_read(hid_t at, const struct h5_data *d, struct h5frame *f, struct err *e)
{
    if (d->type != H5_COMPOUND_TYPE)
        return err_set(e, RC_INPUT, "are %s, not a data frame", h5_type_name(d->type));
    if (h5_data_want_1d(d, UINT64_MAX, e))
        return RC_INPUT;
    table_init(&f->table, (size_t)d->n_items);
    hid_t type = H5Dget_type(d->id);
    int n = H5Tget_nmembers(type), index = index_field(type);
    enum rc rc = index >= 0 ? RC_OK : err_set(e, RC_INPUT, "there is no index");
    for (int i = 0; !rc && i < n; i++) {
        struct member m;
        rc = member_open(type, (unsigned)i, &m, e);
        if (!rc && i == index)
            rc = read_text_field(d, &m, &f->table.text, &f->index, e);
        else if (!rc)
            rc = read_member(at, d, &m, f, e);
        if (rc && m.name)
            err_wrap(e, "column '%s'", m.name);
        member_close(&m);
    }
    H5Tclose(type);
    return rc;
}
