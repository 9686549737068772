/* Values, attributes and lists of HDF5 objects. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"
#include "lib/io/h5.h"

static enum rc refuse_type(const struct h5_data *d, const char *wanted, struct err *e)
{
    return err_set(e, RC_INPUT, "'%s' are %s, not %s", d->name, h5_type_name(d->type), wanted);
}

enum rc h5_read_rows(const struct h5_data *d, uint64_t at, uint64_t n, hid_t mem_type, void *to,
                     struct err *e)
{
    hsize_t start[H5_MAX_DIMS] = { at }, count[H5_MAX_DIMS] = { n };
    uint64_t items = n;
    for (int i = 1; i < d->n_dims; i++) {
        count[i] = d->dim[i];
        items *= d->dim[i];
    }
    if (items == 0)
        return RC_OK;
    hid_t file = H5Dget_space(d->id);
    hid_t mem =
        H5Screate_simple(d->n_dims ? d->n_dims : 1, d->n_dims ? count : &(hsize_t){ 1 }, NULL);
    if (d->n_dims)
        H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL);
    enum rc rc = RC_OK;
    if (H5Dread(d->id, mem_type, mem, file, H5P_DEFAULT, to) < 0)
        rc = h5_err(e, RC_INPUT, "cannot read '%s'", d->name);
    H5Sclose(mem);
    H5Sclose(file);
    return rc;
}

/* Booleans are enumerations over one byte; they are read as that byte. */
static enum rc read_bool(const struct h5_data *d, uint64_t at, size_t n, signed char *to,
                         struct err *e)
{
    hid_t type = H5Dget_type(d->id);
    enum rc rc = h5_read_rows(d, at, n, type, to, e);
    H5Tclose(type);
    return rc;
}

enum rc h5_read_i64(const struct h5_data *d, uint64_t at, size_t n, int64_t *to, struct err *e)
{
    if (d->type != H5_SIGNED && d->type != H5_UNSIGNED)
        return refuse_type(d, "whole numbers", e);
    if (d->type == H5_SIGNED)
        return h5_read_rows(d, at, n, H5T_NATIVE_INT64, to, e);
    if (h5_read_rows(d, at, n, H5T_NATIVE_UINT64, to, e))
        return e ? e->rc : RC_INPUT;
    for (size_t i = 0; i < n; i++)
        if (to[i] < 0)
            return err_set(e, RC_INPUT, "'%s': entry %" PRIu64 " is too large", d->name, at + i);
    return RC_OK;
}

bool h5_is_number(const struct h5_data *d)
{
    return d->type == H5_SIGNED || d->type == H5_UNSIGNED || d->type == H5_FLOAT;
}

enum rc h5_read_f64(const struct h5_data *d, uint64_t at, size_t n, double *to, struct err *e)
{
    if (h5_is_number(d))
        return h5_read_rows(d, at, n, H5T_NATIVE_DOUBLE, to, e);
    if (d->type != H5_BOOL)
        return refuse_type(d, "numbers", e);
    signed char *b = malloc(n + 1);
    if (!b)
        return err_set(e, RC_FAIL, "no memory for %zu values", n);
    enum rc rc = read_bool(d, at, n, b, e);
    for (size_t i = 0; !rc && i < n; i++)
        to[i] = b[i] != 0;
    free(b);
    return rc;
}

enum rc h5_read_block_f64(const struct h5_data *d, uint64_t row, uint64_t n_rows, uint64_t col,
                          uint64_t n_cols, double *to, struct err *e)
{
    const hsize_t start[2] = { row, col }, count[2] = { n_rows, n_cols };
    if (!h5_is_number(d))
        return refuse_type(d, "numbers", e);
    if (n_rows == 0 || n_cols == 0)
        return RC_OK;
    hid_t file = H5Dget_space(d->id), mem = H5Screate_simple(2, count, NULL);
    H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL);
    enum rc rc = H5Dread(d->id, H5T_NATIVE_DOUBLE, mem, file, H5P_DEFAULT, to) < 0
                     ? h5_err(e, RC_INPUT, "cannot read '%s'", d->name)
                     : RC_OK;
    H5Sclose(mem);
    H5Sclose(file);
    return rc;
}

/* ---- texts ---- */

enum { TEXT_BLOCK = 4096 };

static enum rc keep_text(struct arena *a, const char *s, size_t n, const char **to, struct err *e)
{
    char *copy = arena_chars(a, n + 1);
    if (!copy)
        return err_set(e, RC_FAIL, "no memory for texts");
    memcpy(copy, s, n);
    copy[n] = '\0';
    *to = copy;
    return RC_OK;
}

/* A stored variable-length text takes at least its own length in the file, so more bytes than the
 * file has are an attack (many entries that point to one long text). */
static enum rc read_vlen(const struct h5_data *d, hid_t type, struct arena *a, const char **text,
                         struct err *e)
{
    char **block = calloc(TEXT_BLOCK, sizeof *block);
    uint64_t room = h5_file_bytes(d->id) + 65536;
    enum rc rc = block ? RC_OK : err_set(e, RC_FAIL, "no memory for texts");
    for (uint64_t at = 0; !rc && at < d->n_items; at += TEXT_BLOCK) {
        uint64_t n = d->n_items - at < TEXT_BLOCK ? d->n_items - at : TEXT_BLOCK;
        memset(block, 0, TEXT_BLOCK * sizeof *block);
        rc = h5_read_rows(d, at, n, type, block, e);
        for (uint64_t i = 0; i < n; i++) {
            size_t len = block[i] ? strlen(block[i]) : 0;
            if (!rc && len > room)
                rc = err_set(e, RC_INPUT, "the texts of '%s' are longer than the file", d->name);
            if (!rc) {
                room -= len;
                rc = keep_text(a, block[i] ? block[i] : "", len, &text[at + i], e);
            }
            H5free_memory(block[i]);
        }
        spill_step(at + TEXT_BLOCK - 1);
    }
    free(block);
    return rc;
}

static enum rc read_fixed(const struct h5_data *d, hid_t type, struct arena *a, const char **text,
                          struct err *e)
{
    size_t width = H5Tget_size(type);
    if (width == 0 || width > (size_t)1 << 24)
        return err_set(e, RC_INPUT, "the texts of '%s' are %zu bytes wide", d->name, width);
    uint64_t step = TEXT_BLOCK * 64 / width + 1;
    bool spaces = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
    char *block = malloc(step * width);
    enum rc rc = block ? RC_OK : err_set(e, RC_FAIL, "no memory for texts");
    for (uint64_t at = 0; !rc && at < d->n_items; at += step) {
        uint64_t n = d->n_items - at < step ? d->n_items - at : step;
        rc = h5_read_rows(d, at, n, type, block, e);
        for (uint64_t i = 0; !rc && i < n; i++) {
            size_t len = strnlen(block + i * width, width);
            while (spaces && len && block[i * width + len - 1] == ' ')
                len--;
            rc = keep_text(a, block + i * width, len, &text[at + i], e);
        }
        if (d->n_items > step)
            spill_rest();
    }
    free(block);
    return rc;
}

static enum rc read_strings(const struct h5_data *d, struct arena *a, const char **text,
                            struct err *e)
{
    hid_t type = H5Dget_type(d->id);
    enum rc rc = H5Tis_variable_str(type) > 0 ? read_vlen(d, type, a, text, e)
                                              : read_fixed(d, type, a, text, e);
    H5Tclose(type);
    return rc;
}

/* Numbers and booleans as pandas would print them. */
static enum rc print_numbers(const struct h5_data *d, struct arena *a, const char **text,
                             struct err *e)
{
    enum rc rc = RC_OK;
    for (uint64_t at = 0; !rc && at < d->n_items; at++) {
        spill_step(at);
        char s[64];
        int64_t whole = 0;
        double x = 0;
        if (d->type == H5_SIGNED || d->type == H5_UNSIGNED) {
            rc = h5_read_i64(d, at, 1, &whole, e);
            snprintf(s, sizeof s, "%" PRId64, whole);
        } else {
            rc = h5_read_f64(d, at, 1, &x, e);
            if (d->type == H5_BOOL)
                snprintf(s, sizeof s, "%s", x != 0 ? "True" : "False");
            else
                snprintf(s, sizeof s, "%.15g", x);
        }
        if (!rc)
            rc = keep_text(a, s, strlen(s), &text[at], e);
    }
    return rc;
}

enum rc h5_read_texts(const struct h5_data *d, struct arena *a, const char ***text, size_t *n,
                      struct err *e)
{
    if (d->n_dims > 1)
        return err_set(e, RC_INPUT, "'%s' has %d dimensions, not one", d->name, d->n_dims);
    if (d->type == H5_COMPOUND_TYPE || d->type == H5_OTHER)
        return refuse_type(d, "texts", e);
    if (d->n_items > SIZE_MAX / 16)
        return err_set(e, RC_INPUT, "'%s' declares too many texts", d->name);
    const char **t = arena_get_zero(a, (size_t)d->n_items * sizeof *t);
    if (!t)
        return err_set(e, RC_FAIL, "no memory for %zu texts", (size_t)d->n_items);
    enum rc rc = d->type == H5_TEXT ? read_strings(d, a, t, e) : print_numbers(d, a, t, e);
    if (rc)
        return rc;
    *text = t;
    *n = (size_t)d->n_items;
    return RC_OK;
}

/* ---- attributes ---- */

bool h5_has_attr(hid_t at, const char *name)
{
    htri_t yes = H5Aexists(at, name);
    H5Eclear2(H5E_DEFAULT);
    return yes > 0;
}

enum rc h5_attr_text(hid_t at, const char *name, struct arena *a, const char **text, struct err *e)
{
    *text = NULL;
    hid_t attr = h5_has_attr(at, name) ? H5Aopen(at, name, H5P_DEFAULT) : -1;
    if (attr < 0)
        return RC_OK;
    hid_t type = H5Aget_type(attr), space = H5Aget_space(attr);
    enum rc rc = RC_OK;
    bool one = type >= 0 && space >= 0 && H5Tget_class(type) == H5T_STRING &&
               H5Sget_simple_extent_npoints(space) == 1;
    if (one && H5Tis_variable_str(type) > 0) {
        char *s = NULL;
        if (H5Aread(attr, type, &s) >= 0 && s)
            rc = keep_text(a, s, strlen(s), text, e);
        H5free_memory(s);
    } else if (one) {
        size_t width = H5Tget_size(type);
        char *s = width < 65536 ? calloc(width + 1, 1) : NULL;
        if (s && H5Aread(attr, type, s) >= 0)
            rc = keep_text(a, s, strlen(s), text, e);
        free(s);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attr);
    H5Eclear2(H5E_DEFAULT);
    return rc;
}

enum rc h5_attr_texts(hid_t at, const char *name, struct arena *a, const char ***text, size_t *n,
                      struct err *e)
{
    *text = NULL;
    *n = 0;
    hid_t attr = h5_has_attr(at, name) ? H5Aopen(at, name, H5P_DEFAULT) : -1;
    if (attr < 0)
        return RC_OK;
    hid_t type = H5Aget_type(attr), space = H5Aget_space(attr);
    hssize_t have = H5Sget_simple_extent_npoints(space);
    bool good = H5Tis_variable_str(type) > 0 && have >= 0 && have < 1 << 20;
    char **s = good ? calloc((size_t)have + 1, sizeof *s) : NULL;
    enum rc rc = RC_OK;
    if (s && (have == 0 || H5Aread(attr, type, s) >= 0) &&
        (*text = arena_get_zero(a, ((size_t)have + 1) * sizeof **text))) {
        *n = (size_t)have;
        for (size_t i = 0; !rc && i < *n; i++)
            rc = keep_text(a, s[i] ? s[i] : "", s[i] ? strlen(s[i]) : 0, &(*text)[i], e);
    }
    for (hssize_t i = 0; s && i < have; i++)
        H5free_memory(s[i]);
    free(s);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attr);
    H5Eclear2(H5E_DEFAULT);
    return rc;
}

void h5_attr_i64(hid_t at, const char *name, int64_t *to, size_t max, size_t *n)
{
    *n = 0;
    hid_t attr = h5_has_attr(at, name) ? H5Aopen(at, name, H5P_DEFAULT) : -1;
    if (attr < 0)
        return;
    hid_t type = H5Aget_type(attr), space = H5Aget_space(attr);
    hssize_t have = space >= 0 ? H5Sget_simple_extent_npoints(space) : 0;
    bool whole = type >= 0 && H5Tget_class(type) == H5T_INTEGER;
    if (whole && have > 0 && (uint64_t)have <= max && H5Aread(attr, H5T_NATIVE_INT64, to) >= 0)
        *n = (size_t)have;
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attr);
    H5Eclear2(H5E_DEFAULT);
}

/* ---- lists ---- */

struct name_list {
    struct arena *a;
    const char **name;
    size_t n, room;
    bool bad;
};

static herr_t add_name(hid_t at, const char *name, const H5L_info_t *info, void *ctx)
{
    struct name_list *l = ctx;
    (void)at, (void)info;
    if (l->n == l->room) {
        const char **more = realloc(l->name, (2 * l->room + 16) * sizeof *more);
        if (!more) {
            l->bad = true;
            return -1;
        }
        l->name = more;
        l->room = 2 * l->room + 16;
    }
    l->name[l->n] = arena_text(l->a, name);
    l->bad = !l->name[l->n];
    l->n += !l->bad;
    return l->bad ? -1 : 0;
}

static int by_bytes(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

enum rc h5_list(hid_t group, struct arena *a, const char ***name, size_t *n, struct err *e)
{
    struct name_list l = { .a = a };
    *name = NULL;
    *n = 0;
    herr_t bad = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, add_name, &l);
    enum rc rc = RC_OK;
    if (l.bad)
        rc = err_set(e, RC_FAIL, "no memory for a list of names");
    else if (bad < 0)
        rc = h5_err(e, RC_INPUT, "cannot list a group");
    else if (!(*name = arena_get(a, (l.n + 1) * sizeof *l.name)))
        rc = err_set(e, RC_FAIL, "no memory for a list of names");
    if (!rc && l.n) {
        memcpy(*name, l.name, l.n * sizeof *l.name);
        qsort(*name, l.n, sizeof **name, by_bytes);
    }
    if (!rc)
        *n = l.n;
    free(l.name);
    return rc;
}
