/* The reader trusts nothing: the header is parsed by jansson (which checks UTF-8 and, when asked,
 * names that come twice), every tensor's length is worked out from its type and dims, and the
 * offsets together must cover the data exactly once. What is handed out then lies in the map. */
#include "lib/io/safetensors.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "data is read as it lies in the file");

/* The limit of the reference implementation. */
#define HEADER_MAX_BYTES ((uint64_t)100 * 1000 * 1000)

/* The first ST_OTHER of them in the order of enum st_type. */
static const struct type_info {
    const char *name;
    enum st_type type;
    uint64_t bytes;
} types[] = {
    { "F32", ST_F32, 4 },       { "F64", ST_F64, 8 },    { "I64", ST_I64, 8 },
    { "I32", ST_I32, 4 },       { "U8", ST_U8, 1 },      { "F16", ST_F16, 2 },
    { "BF16", ST_BF16, 2 },     { "BOOL", ST_BOOL, 1 },  { "I8", ST_I8, 1 },
    { "I16", ST_I16, 2 },       { "U16", ST_OTHER, 2 },  { "U32", ST_OTHER, 4 },
    { "U64", ST_OTHER, 8 },     { "C64", ST_OTHER, 8 },  { "F8_E4M3", ST_OTHER, 1 },
    { "F8_E5M2", ST_OTHER, 1 },
};
enum { N_TYPES = sizeof types / sizeof *types };

const char *st_type_name(enum st_type t)
{
    return t < ST_OTHER ? types[t].name : "other";
}

size_t st_type_bytes(enum st_type t)
{
    assert(t < ST_OTHER);
    return (size_t)types[t].bytes;
}

bool st_count_items(struct st_tensor *t, uint64_t bytes)
{
    const uint64_t most = INT64_MAX / bytes;
    bool empty = false;
    for (int i = 0; i < t->n_dims; i++)
        empty = empty || t->dim[i] == 0;
    t->n_items = empty ? 0 : 1;
    for (int i = 0; i < t->n_dims && !empty; i++) {
        if (t->dim[i] > most / t->n_items)
            return false;
        t->n_items *= t->dim[i];
    }
    return true;
}

static bool whole(const json_t *j, uint64_t *to)
{
    if (!json_is_integer(j) || json_integer_value(j) < 0)
        return false;
    *to = (uint64_t)json_integer_value(j);
    return true;
}

static enum rc read_dims(struct st_tensor *t, const json_t *shape, struct err *e)
{
    if (!json_is_array(shape))
        return err_set(e, RC_INPUT, "tensor '%s' has no shape", t->name);
    size_t n = json_array_size(shape);
    if (n > ST_MAX_DIMS)
        return err_set(e, RC_INPUT, "tensor '%s' has %zu dimensions, at most %d are read", t->name,
                       n, ST_MAX_DIMS);
    t->n_dims = (int)n;
    for (size_t i = 0; i < n; i++)
        if (!whole(json_array_get(shape, i), &t->dim[i]))
            return err_set(e, RC_INPUT, "tensor '%s': dimension %zu is not a whole number", t->name,
                           i);
    return RC_OK;
}

/* One entry of the header; data holds n_data bytes. The name is set already. */
static enum rc read_tensor(struct st_tensor *t, const json_t *j, const unsigned char *data,
                           uint64_t n_data, struct err *e)
{
    const char *type = json_string_value(json_object_get(j, "dtype"));
    if (!type)
        return err_set(e, RC_INPUT, "tensor '%s' has no dtype", t->name);
    uint64_t bytes = 0; /* of a type that we do not know: its length cannot be checked */
    t->type = ST_OTHER;
    for (int i = 0; i < N_TYPES; i++)
        if (strcmp(types[i].name, type) == 0) {
            t->type = types[i].type;
            bytes = types[i].bytes;
        }
    if (read_dims(t, json_object_get(j, "shape"), e))
        return RC_INPUT;
    if (!st_count_items(t, bytes ? bytes : 1))
        return err_set(e, RC_INPUT, "tensor '%s' has more numbers than can be counted", t->name);
    const json_t *at = json_object_get(j, "data_offsets");
    uint64_t begin, end;
    if (json_array_size(at) != 2 || !whole(json_array_get(at, 0), &begin) ||
        !whole(json_array_get(at, 1), &end))
        return err_set(e, RC_INPUT, "tensor '%s' has no pair of data_offsets", t->name);
    if (begin > end || end > n_data)
        return err_set(e, RC_INPUT, "tensor '%s': bytes %llu..%llu of %llu", t->name,
                       (unsigned long long)begin, (unsigned long long)end,
                       (unsigned long long)n_data);
    t->n_bytes = end - begin;
    if (bytes && t->n_bytes != t->n_items * bytes)
        return err_set(e, RC_INPUT, "tensor '%s': %llu bytes for %llu numbers of type %s", t->name,
                       (unsigned long long)t->n_bytes, (unsigned long long)t->n_items, type);
    t->data = data + begin;
    return RC_OK;
}

static enum rc read_meta(struct st_file *f, const json_t *j, struct err *e)
{
    if (!json_is_object(j))
        return err_set(e, RC_INPUT, "__metadata__ is not an object");
    size_t n = json_object_size(j);
    f->meta_key = calloc(n + 1, sizeof *f->meta_key);
    f->meta_text = calloc(n + 1, sizeof *f->meta_text);
    if (!f->meta_key || !f->meta_text)
        return err_set(e, RC_FAIL, "no memory for %zu texts", n);
    const char *key;
    json_t *text;
    json_object_foreach((json_t *)j, key, text)
    {
        if (!json_is_string(text))
            return err_set(e, RC_INPUT, "__metadata__: '%s' is not a text", key);
        f->meta_key[f->n_meta] = text_new("%s", key);
        f->meta_text[f->n_meta] = text_new("%s", json_string_value(text));
        f->n_meta++;
        if (!f->meta_key[f->n_meta - 1] || !f->meta_text[f->n_meta - 1])
            return err_set(e, RC_FAIL, "no memory for %zu texts", n);
    }
    return RC_OK;
}

int st_by_name(const void *a, const void *b)
{
    const struct st_tensor *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int by_place(const void *a, const void *b)
{
    const struct st_tensor *x = *(const struct st_tensor *const *)a,
                           *y = *(const struct st_tensor *const *)b;
    const char *p = x->data, *q = y->data;
    if (p != q)
        return p < q ? -1 : 1;
    return (x->n_bytes > y->n_bytes) - (x->n_bytes < y->n_bytes);
}

/* Every byte of the data belongs to one tensor, no more and no less. */
static enum rc check_cover(const struct st_file *f, const unsigned char *data, uint64_t n_data,
                           struct err *e)
{
    const struct st_tensor **t = malloc((f->n + 1) * sizeof *t);
    if (!t)
        return err_set(e, RC_FAIL, "no memory for %zu tensors", f->n);
    for (size_t i = 0; i < f->n; i++)
        t[i] = &f->tensor[i];
    qsort(t, f->n, sizeof *t, by_place);
    enum rc rc = RC_OK;
    uint64_t at = 0;
    for (size_t i = 0; !rc && i < f->n; i++) {
        uint64_t begin = (uint64_t)((const unsigned char *)t[i]->data - data);
        if (begin < at)
            rc = err_set(e, RC_INPUT, "tensors '%s' and '%s' overlap", i ? t[i - 1]->name : "",
                         t[i]->name);
        else if (begin > at)
            rc = err_set(e, RC_INPUT, "bytes %llu..%llu in front of tensor '%s' belong to none",
                         (unsigned long long)at, (unsigned long long)begin, t[i]->name);
        at = begin + t[i]->n_bytes;
    }
    free(t);
    if (!rc && at != n_data)
        rc = err_set(e, RC_INPUT, "bytes %llu..%llu at the end belong to no tensor",
                     (unsigned long long)at, (unsigned long long)n_data);
    return rc;
}

static enum rc read_header(struct st_file *f, const json_t *head, const unsigned char *data,
                           uint64_t n_data, struct err *e)
{
    f->tensor = calloc(json_object_size(head) + 1, sizeof *f->tensor);
    if (!f->tensor)
        return err_set(e, RC_FAIL, "no memory for %zu tensors", json_object_size(head));
    const char *key;
    json_t *j;
    enum rc rc = RC_OK;
    json_object_foreach((json_t *)head, key, j)
    {
        if (strcmp(key, "__metadata__") == 0) {
            rc = read_meta(f, j, e);
        } else {
            struct st_tensor *t = &f->tensor[f->n];
            t->name = text_new("%s", key);
            if (!t->name)
                return err_set(e, RC_FAIL, "no memory for '%s'", key);
            f->n++;
            rc = read_tensor(t, j, data, n_data, e);
        }
        if (rc)
            return rc;
    }
    qsort(f->tensor, f->n, sizeof *f->tensor, st_by_name);
    return check_cover(f, data, n_data, e);
}

enum rc st_view(struct st_file *f, const void *bytes, size_t n_bytes, struct err *e)
{
    *f = (struct st_file){ 0 };
    uint64_t n_head;
    if (n_bytes < sizeof n_head)
        return err_set(e, RC_INPUT, "%zu bytes are too few for safetensors", n_bytes);
    memcpy(&n_head, bytes, sizeof n_head);
    if (n_head > HEADER_MAX_BYTES || n_head > n_bytes - sizeof n_head)
        return err_set(e, RC_INPUT, "a header of %llu bytes in a file of %zu",
                       (unsigned long long)n_head, n_bytes);
    const char *text = (const char *)bytes + sizeof n_head;
    if (n_head == 0 || *text != '{')
        return err_set(e, RC_INPUT, "the header does not begin with '{'");
    json_error_t je;
    json_t *head = json_loadb(text, (size_t)n_head, JSON_REJECT_DUPLICATES, &je);
    if (!head)
        return err_set(e, RC_INPUT, "header, byte %d: %s", je.position, je.text);
    enum rc rc =
        read_header(f, head, (const unsigned char *)text + n_head, n_bytes - 8 - n_head, e);
    json_decref(head);
    if (rc)
        st_close(f);
    return rc;
}

enum rc st_open(struct st_file *f, const char *path, struct err *e)
{
    *f = (struct st_file){ 0 };
    struct mapped map;
    enum rc rc = mapped_open(&map, path, MAPPED_OWN, e);
    if (rc)
        return rc;
    rc = st_view(f, map.at, map.bytes, e);
    if (rc) {
        mapped_close(&map);
        err_wrap(e, "'%s'", path);
        return rc;
    }
    f->map = map;
    return RC_OK;
}

void st_close(struct st_file *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->tensor[i].name);
    for (size_t i = 0; i < f->n_meta; i++) {
        free(f->meta_key[i]);
        free(f->meta_text[i]);
    }
    free(f->tensor);
    free(f->meta_key);
    free(f->meta_text);
    mapped_close(&f->map);
    *f = (struct st_file){ 0 };
}

const struct st_tensor *st_find(const struct st_file *f, const char *name)
{
    struct st_tensor key = { .name = (char *)name };
    return f->n ? bsearch(&key, f->tensor, f->n, sizeof *f->tensor, st_by_name) : NULL;
}

const char *st_meta(const struct st_file *f, const char *key)
{
    for (size_t i = 0; i < f->n_meta; i++)
        if (strcmp(f->meta_key[i], key) == 0)
            return f->meta_text[i];
    return NULL;
}

static float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* IEEE half to single, exact; subnormals by their value, NaN keeps its bits. */
static float float_of_half(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 0x1f, part = h & 0x3ff;
    if (exponent == 0) {
        float x = (float)part * 0x1p-24f;
        return sign ? -x : x;
    }
    return float_of_bits(sign | (exponent == 31 ? 0xffu : exponent + 112) << 23 | part << 13);
}

#define ITEM(type_, name_)                                                                         \
    type_ name_;                                                                                   \
    memcpy(&name_, (const char *)t->data + i * sizeof name_, sizeof name_)

/* Number i of the tensor. memcpy: nothing in the file is aligned. */
static double item_at(const struct st_tensor *t, uint64_t i)
{
    switch (t->type) {
    case ST_F32: {
        ITEM(float, x);
        return (double)x;
    }
    case ST_F64: {
        ITEM(double, x);
        return x;
    }
    case ST_I64: {
        ITEM(int64_t, x);
        return (double)x;
    }
    case ST_I32: {
        ITEM(int32_t, x);
        return x;
    }
    case ST_U8: {
        ITEM(uint8_t, x);
        return x;
    }
    case ST_BOOL: {
        ITEM(uint8_t, x);
        return x != 0;
    }
    case ST_I8: {
        ITEM(int8_t, x);
        return x;
    }
    case ST_I16: {
        ITEM(int16_t, x);
        return x;
    }
    case ST_F16: {
        ITEM(uint16_t, x);
        return (double)float_of_half(x);
    }
    case ST_BF16: {
        ITEM(uint16_t, x);
        return (double)float_of_bits((uint32_t)x << 16);
    }
    default:
        return 0;
    }
}

static enum rc refuse_other(const struct st_tensor *t, struct err *e)
{
    return t->type != ST_OTHER
               ? RC_OK
               : err_set(e, RC_INPUT, "tensor '%s' has a type that is not read", t->name);
}

enum rc st_get_f64(const struct st_tensor *t, double *to, struct err *e)
{
    if (refuse_other(t, e))
        return RC_INPUT;
    for (uint64_t i = 0; i < t->n_items; i++)
        to[i] = item_at(t, i);
    return RC_OK;
}

enum rc st_get_f32(const struct st_tensor *t, float *to, struct err *e)
{
    if (refuse_other(t, e))
        return RC_INPUT;
    if (t->type == ST_F32 && t->n_bytes)
        memcpy(to, t->data, t->n_bytes);
    else
        for (uint64_t i = 0; i < t->n_items; i++)
            to[i] = (float)item_at(t, i);
    return RC_OK;
}

const float *st_floats(const struct st_tensor *t)
{
    const bool good = t->type == ST_F32 && (uintptr_t)t->data % _Alignof(float) == 0;
    return good ? t->data : NULL;
}
