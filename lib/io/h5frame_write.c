/* Writing data frames as anndata >= 0.8 does. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/spill.h"
#include "lib/io/h5frame.h"

static int by_bytes(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* The distinct texts of a column by rising bytes; *place gives their number. */
struct levels {
    const char **text;
    size_t n;
    bool missing;
    struct map place;
};

static void levels_release(struct levels *l)
{
    spill_free(l->text);
    map_release(&l->place);
}

static enum rc levels_find(const char *const *text, size_t n, struct levels *l, struct err *e)
{
    *l = (struct levels){ .text = spill_alloc((n + 1) * sizeof *l->text) };
    map_init(&l->place);
    struct map seen;
    map_init(&seen);
    enum rc rc = l->text ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu texts", n);
    for (size_t i = 0; !rc && i < n; i++) {
        uint64_t old = MAP_NONE;
        spill_step(i);
        l->missing = l->missing || !text[i];
        if (!text[i])
            continue;
        rc = map_add(&seen, text[i], 1, &old, e);
        if (!rc && old == MAP_NONE)
            l->text[l->n++] = text[i];
    }
    if (!rc)
        qsort(l->text, l->n, sizeof *l->text, by_bytes);
    for (size_t i = 0; !rc && i < l->n; i++)
        rc = map_add(&l->place, l->text[i], i, NULL, e);
    map_release(&seen);
    return rc;
}

/* Codes as narrow as pandas makes them. */
static enum rc write_codes(hid_t group, const char *const *text, size_t n, const struct levels *l,
                           struct err *e)
{
    int32_t *code = spill_alloc((n + 1) * sizeof *code);
    if (!code)
        return err_set(e, RC_FAIL, "no memory for %zu codes", n);
    for (size_t i = 0; i < n; i++) {
        code[i] = text[i] ? (int32_t)map_get(&l->place, text[i]) : -1;
        spill_step(i);
    }
    hid_t type = l->n < 128 ? H5T_STD_I8LE : l->n < 32768 ? H5T_STD_I16LE : H5T_STD_I32LE;
    hid_t id;
    uint64_t dim = n;
    enum rc rc = h5_put_data(group, "codes", type, H5T_NATIVE_INT32, 1, &dim, code, &id, e);
    if (!rc) {
        rc = h5_put_encoding(id, "array", "0.2.0", e);
        H5Dclose(id);
    }
    spill_free(code);
    return rc;
}

static enum rc write_categorical(hid_t at, const char *name, const char *const *text, size_t n,
                                 const struct levels *l, struct err *e)
{
    hid_t group;
    if (l->n > INT32_MAX)
        return err_set(e, RC_INPUT, "%zu categories are too many", l->n);
    if (h5_new_group(at, name, &group, e))
        return RC_FAIL;
    enum rc rc = h5_put_encoding(group, "categorical", "0.2.0", e);
    if (!rc)
        rc = h5_put_attr_bool(group, "ordered", false, e);
    if (!rc)
        rc = h5_put_string_array(group, "categories", l->text, l->n, e);
    if (!rc)
        rc = write_codes(group, text, n, l, e);
    H5Gclose(group);
    return rc;
}

static enum rc write_texts(hid_t at, const char *name, const char *const *text, size_t n,
                           struct err *e)
{
    struct levels l;
    bool differ = false;
    enum rc rc = texts_differ(text, n, &differ, e);
    if (rc || differ)
        return rc ? rc : h5_put_string_array(at, name, text, n, e);
    rc = levels_find(text, n, &l, e);
    if (!rc)
        rc = l.missing || l.n < n ? write_categorical(at, name, text, n, &l, e)
                                  : h5_put_string_array(at, name, text, n, e);
    levels_release(&l);
    return rc;
}

static enum rc write_column(hid_t at, const struct column *c, size_t n, struct err *e)
{
    uint64_t dim = n;
    hid_t id;
    if (!*c->name || strchr(c->name, '/') || strcmp(c->name, ".") == 0)
        return err_set(e, RC_INPUT, "column '%s' cannot be a name in HDF5", c->name);
    if (c->kind == COLUMN_TEXT)
        return write_texts(at, c->name, c->text, n, e);
    enum rc rc =
        c->kind == COLUMN_I64
            ? h5_put_data(at, c->name, H5T_STD_I64LE, H5T_NATIVE_INT64, 1, &dim, c->i64, &id, e)
            : h5_put_data(at, c->name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, &dim, c->f64, &id, e);
    if (rc)
        return rc;
    rc = h5_put_encoding(id, "array", "0.2.0", e);
    H5Dclose(id);
    return rc;
}

static enum rc write_order(hid_t group, const struct table *t, struct err *e)
{
    const char **name = malloc((t->n_cols + 1) * sizeof *name);
    if (!name)
        return err_set(e, RC_FAIL, "no memory for names");
    for (size_t i = 0; i < t->n_cols; i++)
        name[i] = t->col[i].name;
    enum rc rc = h5_put_attr_texts(group, "column-order", name, t->n_cols, e);
    free(name);
    return rc;
}

enum rc h5frame_write(hid_t at, const char *name, const struct table *t, const char *const *index,
                      struct err *e)
{
    hid_t group;
    if (h5_new_group(at, name, &group, e))
        return RC_FAIL;
    enum rc rc = h5_put_encoding(group, "dataframe", "0.2.0", e);
    if (!rc)
        rc = h5_put_attr_text(group, "_index", "_index", e);
    if (!rc)
        rc = write_order(group, t, e);
    if (!rc)
        rc = h5_put_string_array(group, "_index", index, t->n_rows, e);
    for (size_t i = 0; !rc && i < t->n_cols; i++)
        if (write_column(group, &t->col[i], t->n_rows, e))
            rc = err_wrap(e, "column '%s'", t->col[i].name);
    H5Gclose(group);
    return rc ? err_wrap(e, "'%s'", name) : RC_OK;
}
