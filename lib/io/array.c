#include "lib/io/array.h"

#include <stdlib.h>
#include <string.h>

void array_set_strides(struct array *a, bool columns_first)
{
    uint64_t step = 1;
    for (int k = 0; k < a->n_dims; k++) {
        const int i = columns_first ? k : a->n_dims - 1 - k;
        a->stride[i] = step;
        step *= a->dim[i]; /* may wrap: array_check looks at the dims first */
    }
}

static bool multiply(uint64_t a, uint64_t b, uint64_t *to)
{
    *to = a * b;
    return !b || a <= INT64_MAX / b;
}

enum rc array_check(struct array *a, struct err *e)
{
    bool empty = false, good = true;
    for (int i = 0; i < a->n_dims; i++)
        empty = empty || a->dim[i] == 0;
    a->n_items = empty ? 0 : 1;
    for (int i = 0; i < a->n_dims && good && !empty; i++)
        good = multiply(a->n_items, a->dim[i], &a->n_items);
    if (!good || a->n_items > INT64_MAX / 16)
        return err_set(e, RC_INPUT, "an array of more numbers than can be counted");
    uint64_t last = a->offset;
    good = last <= INT64_MAX;
    for (int i = 0; i < a->n_dims && good && !empty; i++) {
        uint64_t far;
        good = multiply(a->dim[i] - 1, a->stride[i], &far) && far <= INT64_MAX - last;
        last += good ? far : 0;
    }
    if (!good || (empty ? a->offset > a->store->n_items : last >= a->store->n_items))
        return err_set(e, RC_INPUT, "an array reaches beyond its storage of %llu numbers",
                       (unsigned long long)a->store->n_items);
    return RC_OK;
}

static void copy_item(unsigned char *to, const unsigned char *from, size_t bytes, bool turn)
{
    if (!turn)
        memcpy(to, from, bytes);
    for (size_t i = 0; turn && i < bytes; i++)
        to[i] = from[bytes - 1 - i];
}

void array_copy(const struct array *a, void *to)
{
    const size_t bytes = st_type_bytes(a->store->type);
    uint64_t index[ST_MAX_DIMS] = { 0 }, at = a->offset;
    unsigned char *out = to;
    for (uint64_t n = 0; n < a->n_items; n++, out += bytes) {
        copy_item(out, a->store->data + at * bytes, bytes, a->store->big_endian);
        for (int i = a->n_dims - 1; i >= 0; i--) { /* the next index, last one fastest */
            at += a->stride[i];
            if (++index[i] < a->dim[i])
                break;
            at -= a->stride[i] * a->dim[i];
            index[i] = 0;
        }
    }
}

/* Row by row and in this machine's order. A dim of 1 has any stride. */
static bool lies_plainly(const struct array *a)
{
    uint64_t step = 1;
    for (int i = a->n_dims - 1; i >= 0 && a->n_items; i--) {
        if (a->dim[i] != 1 && a->stride[i] != step)
            return false;
        step *= a->dim[i];
    }
    return !a->store->big_endian || st_type_bytes(a->store->type) == 1;
}

enum rc array_tensor(const struct array *a, struct st_tensor *t, void **copy, struct err *e)
{
    const size_t bytes = st_type_bytes(a->store->type);
    *copy = NULL;
    *t = (struct st_tensor){ .type = a->store->type,
                             .n_dims = a->n_dims,
                             .n_items = a->n_items,
                             .n_bytes = a->n_items * bytes };
    memcpy(t->dim, a->dim, (size_t)a->n_dims * sizeof *t->dim);
    if (!a->n_items) {
        t->data = "";
    } else if (lies_plainly(a)) {
        t->data = a->store->data + a->offset * bytes;
    } else {
        *copy = malloc(t->n_bytes);
        if (!*copy)
            return err_set(e, RC_FAIL, "no memory for %llu numbers",
                           (unsigned long long)a->n_items);
        array_copy(a, *copy);
        t->data = *copy;
    }
    return RC_OK;
}
