#include "lib/io/npy.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/array.h"

static const size_t max_bytes = (size_t)1 << 34;

/* The text behind 'key': in the header, blanks left out; NULL: not there. */
static const char *value_of(const char *head, const char *key)
{
    const size_t n = strlen(key);
    for (const char *s = head; (s = strstr(s, key)); s += n)
        if (s > head && (s[-1] == '\'' || s[-1] == '"') && (s[n] == '\'' || s[n] == '"')) {
            s += n + 1;
            while (*s == ' ')
                s++;
            if (*s++ != ':')
                return NULL;
            while (*s == ' ')
                s++;
            return s;
        }
    return NULL;
}

static bool type_of(const char *descr, struct array_store *store)
{
    static const struct {
        char name[3];
        enum st_type type;
    } known[] = { { "f2", ST_F16 }, { "f4", ST_F32 }, { "f8", ST_F64 }, { "i1", ST_I8 },
                  { "i4", ST_I32 }, { "i8", ST_I64 }, { "u1", ST_U8 } };
    const char quote = *descr;
    if ((quote != '\'' && quote != '"') || !strchr("<>|=", descr[1]) || !descr[1] ||
        strnlen(descr, 5) < 5 || descr[4] != quote)
        return false;
    store->big_endian = descr[1] == '>';
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (memcmp(descr + 2, known[k].name, 2) == 0) {
            store->type = known[k].type;
            return true;
        }
    return false;
}

/* "(3, 4)" and so on: how many sizes, SIZE_MAX if they cannot be read. */
static size_t shape_of(const char *s, uint64_t dim[2])
{
    size_t n = 0;
    if (*s++ != '(')
        return SIZE_MAX;
    for (;;) {
        char *end;
        while (*s == ' ' || *s == ',')
            s++;
        if (*s == ')')
            return n;
        if (!isdigit((unsigned char)*s))
            return SIZE_MAX;
        const unsigned long long v = strtoull(s, &end, 10);
        if (n < 2)
            dim[n] = v;
        n++;
        s = end;
    }
}

static enum rc to_floats(const struct array *a, float **x, struct err *e)
{
    struct st_tensor t;
    void *copy = NULL;
    *x = malloc(((size_t)a->n_items + 1) * sizeof **x);
    enum rc rc = *x ? array_tensor(a, &t, &copy, e) : err_set(e, RC_FAIL, "no memory");
    if (!rc)
        rc = st_get_f32(&t, *x, e);
    for (size_t i = 0; !rc && i < a->n_items; i++)
        if (!isfinite((*x)[i]))
            rc = err_set(e, RC_INPUT, "row %zu holds no finite number", i / (size_t)a->dim[1] + 1);
    free(copy);
    if (rc) {
        free(*x);
        *x = NULL;
    }
    return rc;
}

static enum rc parse(const char *data, size_t n, float **x, size_t *n_rows, size_t *n_cols,
                     struct err *e)
{
    const unsigned char *b = (const unsigned char *)data;
    if (n < 12 || memcmp(b, "\x93NUMPY", 6) != 0 || b[6] < 1 || b[6] > 3)
        return err_set(e, RC_INPUT, "no .npy file");
    const size_t from = b[6] == 1 ? 10 : 12;
    size_t size = b[8] | (size_t)b[9] << 8;
    if (b[6] > 1)
        size |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (size > n - from)
        return err_set(e, RC_INPUT, "its header is cut");
    char *head = text_new("%.*s", (int)(size < 65536 ? size : 65536), data + from);
    if (!head)
        return err_set(e, RC_FAIL, "no memory for its header");
    struct array_store store = { 0 };
    struct array a = { .store = &store, .n_dims = 2 };
    const char *descr = value_of(head, "descr"), *order = value_of(head, "fortran_order");
    const char *shape = value_of(head, "shape");
    enum rc rc = RC_OK;
    if (!descr || !order || !shape)
        rc = err_set(e, RC_INPUT, "its header lacks descr, fortran_order or shape");
    else if (!type_of(descr, &store))
        rc = err_set(e, RC_INPUT, "its numbers are of type %.8s, which is not read", descr);
    else if (shape_of(shape, a.dim) != 2 || !a.dim[0] || !a.dim[1])
        rc = err_set(e, RC_INPUT, "it is no matrix");
    const size_t left = n - from - size;
    const size_t each = rc ? 1 : st_type_bytes(store.type);
    if (!rc && (a.dim[0] > left / each / a.dim[1] || a.dim[0] * a.dim[1] * each != left))
        rc = err_set(e, RC_INPUT, "it holds %zu bytes of numbers, which is not what its shape says",
                     left);
    if (!rc) {
        store.n_items = a.dim[0] * a.dim[1];
        store.data = b + from + size;
        array_set_strides(&a, strncmp(order, "True", 4) == 0);
        rc = array_check(&a, e);
    }
    free(head);
    if (!rc)
        rc = to_floats(&a, x, e);
    *n_rows = rc ? 0 : (size_t)a.dim[0];
    *n_cols = rc ? 0 : (size_t)a.dim[1];
    return rc;
}

enum rc npy_read(const char *path, float **x, size_t *n_rows, size_t *n_cols, struct err *e)
{
    char *data;
    size_t n;
    *x = NULL;
    *n_rows = *n_cols = 0;
    enum rc rc = file_read(path, max_bytes, &data, &n, e);
    if (rc)
        return rc;
    rc = parse(data, n, x, n_rows, n_cols, e);
    free(data);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}
