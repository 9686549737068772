/* The names that a pickle may use, and what calling them makes. All of it is data: nothing is
 * looked up anywhere but in this table. Sources: torch/_utils.py (_rebuild_tensor_v2,
 * _rebuild_parameter), numpy's ndarray.__reduce__ and __reduce_ex__ (protocol 5), dtype.__reduce__.
 */
#include <stdio.h>
#include <string.h>

#include "lib/io/pickle_parts.h"

enum name {
    ORDERED_DICT,
    TENSOR,
    PARAMETER,
    STORAGE,
    NDARRAY,
    DTYPE,
    RECONSTRUCT,
    SCALAR,
    FROM_BUFFER,
    ENCODE
};

static const struct known {
    const char *module, *name;
    enum name is;
    enum st_type type; /* of a storage */
} known[] = {
    { "collections", "OrderedDict", ORDERED_DICT, ST_OTHER },
    { "torch._utils", "_rebuild_tensor_v2", TENSOR, ST_OTHER },
    { "torch._utils", "_rebuild_parameter", PARAMETER, ST_OTHER },
    { "torch", "FloatStorage", STORAGE, ST_F32 },
    { "torch", "DoubleStorage", STORAGE, ST_F64 },
    { "torch", "HalfStorage", STORAGE, ST_F16 },
    { "torch", "BFloat16Storage", STORAGE, ST_BF16 },
    { "torch", "LongStorage", STORAGE, ST_I64 },
    { "torch", "IntStorage", STORAGE, ST_I32 },
    { "torch", "ShortStorage", STORAGE, ST_I16 },
    { "torch", "CharStorage", STORAGE, ST_I8 },
    { "torch", "ByteStorage", STORAGE, ST_U8 },
    { "torch", "BoolStorage", STORAGE, ST_BOOL },
    { "numpy", "ndarray", NDARRAY, ST_OTHER },
    { "numpy", "dtype", DTYPE, ST_OTHER },
    { "numpy.core.multiarray", "_reconstruct", RECONSTRUCT, ST_OTHER },
    { "numpy.core.multiarray", "scalar", SCALAR, ST_OTHER },
    { "numpy.core.numeric", "_frombuffer", FROM_BUFFER, ST_OTHER },
    { "_codecs", "encode", ENCODE, ST_OTHER },
};
enum { N_KNOWN = sizeof known / sizeof *known };

static bool same(const char *s, size_t n, const char *text)
{
    return n == strlen(text) && memcmp(s, text, n) == 0;
}

/* For a message: at most 100 bytes, without control characters. */
static const char *shown(char *to, size_t room, const char *s, size_t n)
{
    size_t k = 0;
    for (; k < n && k + 1 < room; k++)
        to[k] = (unsigned char)s[k] < 0x20 || s[k] == 0x7f ? '?' : s[k];
    to[k] = '\0';
    return to;
}

bool pickle_global(struct pickle_reader *r, const char *module, size_t n_module, const char *name,
                   size_t n_name, struct pickle_value *v)
{
    char place[128] = "", a[100], b[100];
    if (n_module < sizeof place) { /* numpy 2 calls it numpy._core */
        memcpy(place, module, n_module);
        const size_t n_new = strlen("numpy._core.");
        if (n_module > n_new && memcmp(place, "numpy._core.", n_new) == 0) {
            memmove(place + 6, place + 7, n_module - 7);
            n_module--;
        }
        place[n_module] = '\0';
    }
    for (int i = 0; i < N_KNOWN; i++)
        if (same(place, n_module, known[i].module) && same(name, n_name, known[i].name)) {
            *v = (struct pickle_value){ .kind = PICKLE_GLOBAL, .whole = i };
            return true;
        }
    return pickle_fail(r, "refuses '%s.%s'",
                       shown(a, sizeof a, n_module < sizeof place ? place : module, n_module),
                       shown(b, sizeof b, name, n_name));
}

enum st_type pickle_storage_type(const struct pickle_value *v)
{
    return v->kind == PICKLE_GLOBAL ? known[v->whole].type : ST_OTHER;
}

/* ---- arguments ---- */

/* Kinds of arguments by letter: t text, y bytes, i whole number not below 0, b bool, T tuple,
 * d dict, a array, s storage, D dtype, G global, n None, . anything */
static bool is_kind(const struct pickle_value *v, char c)
{
    static const char letters[] = "tyibTdasDGn";
    static const enum pickle_kind kinds[] = { PICKLE_TEXT,   PICKLE_BYTES,   PICKLE_INT,
                                              PICKLE_BOOL,   PICKLE_TUPLE,   PICKLE_DICT,
                                              PICKLE_ARRAY,  PICKLE_STORAGE, PICKLE_DTYPE,
                                              PICKLE_GLOBAL, PICKLE_NONE };
    return c == '.' ||
           (v->kind == kinds[strchr(letters, c) - letters] && (c != 'i' || v->whole >= 0));
}

static bool want(struct pickle_reader *r, const char *what, const struct pickle_list *args,
                 const char *kinds)
{
    bool good = args->n == strlen(kinds);
    for (size_t i = 0; good && i < args->n; i++)
        good = is_kind(&args->at[i], kinds[i]);
    return good || pickle_fail(r, "'%s' with arguments that it does not take", what);
}

/* A tuple of counts. */
static bool counts(struct pickle_reader *r, const struct pickle_list *l, uint64_t *to)
{
    if (l->n > ST_MAX_DIMS)
        return pickle_fail(r, "an array of %zu dimensions, at most %d are read", l->n, ST_MAX_DIMS);
    for (size_t i = 0; i < l->n; i++) {
        if (!is_kind(&l->at[i], 'i'))
            return pickle_fail(r, "a size or stride that is no count");
        to[i] = (uint64_t)l->at[i].whole;
    }
    return true;
}

/* ---- arrays ---- */

enum { MAX_SURPLUS = 1 << 24 };

static bool finish_array(struct pickle_reader *r, struct array *a)
{
    if (array_check(a, r->e))
        return pickle_fail(r, "%s", r->e->text);
    if (a->n_items > a->store->n_items)
        r->n_surplus += a->n_items - a->store->n_items;
    if (r->n_surplus > MAX_SURPLUS)
        return pickle_fail(r, "views that repeat more than %d numbers", MAX_SURPLUS);
    return true;
}

static struct array *new_array(struct pickle_reader *r, struct pickle_value *v)
{
    struct array *a = arena_get_zero(&r->p->arena, sizeof *a);
    if (!a)
        pickle_no_memory(r);
    *v = (struct pickle_value){ .kind = PICKLE_ARRAY, .array = a };
    return a;
}

static bool tensor(struct pickle_reader *r, const struct pickle_list *args, struct pickle_value *v)
{
    const bool seven = args->n == 7 && (args->at[6].kind == PICKLE_NONE ||
                                        (args->at[6].kind == PICKLE_DICT && !args->at[6].list->n));
    if (!want(r, "_rebuild_tensor_v2", args, seven ? "siTTbd." : "siTTbd"))
        return false;
    struct array *a = new_array(r, v);
    if (!a)
        return false;
    a->store = args->at[0].store;
    a->offset = (uint64_t)args->at[1].whole;
    a->n_dims = (int)args->at[2].list->n;
    if (args->at[3].list->n != args->at[2].list->n)
        return pickle_fail(r, "a tensor with %zu sizes and %zu strides", args->at[2].list->n,
                           args->at[3].list->n);
    return counts(r, args->at[2].list, a->dim) && counts(r, args->at[3].list, a->stride) &&
           finish_array(r, a);
}

/* The bytes of a numpy array. */
static bool fill(struct pickle_reader *r, struct array *a, const struct pickle_dtype *type,
                 const struct pickle_value *bytes, const struct pickle_list *shape, bool fortran)
{
    struct array_store *s = arena_get_zero(&r->p->arena, sizeof *s);
    const size_t size = st_type_bytes(type->type);
    if (!s)
        return pickle_no_memory(r);
    if (a->store)
        return pickle_fail(r, "an array that is filled twice");
    *s = (struct array_store){ .type = type->type,
                               .big_endian = type->big_endian,
                               .n_items = bytes->n_bytes / size,
                               .data = (const unsigned char *)bytes->text };
    if (!counts(r, shape, a->dim))
        return false;
    a->n_dims = (int)shape->n;
    array_set_strides(a, fortran);
    a->store = s;
    if (!finish_array(r, a))
        return false;
    return a->n_items * size == bytes->n_bytes ||
           pickle_fail(r, "an array of %llu numbers in %u bytes", (unsigned long long)a->n_items,
                       bytes->n_bytes);
}

/* state of numpy.ndarray: version, shape, dtype, Fortran order, bytes */
static bool fill_from_state(struct pickle_reader *r, struct array *a,
                            const struct pickle_value *state)
{
    if (state->kind != PICKLE_TUPLE || !want(r, "numpy.ndarray", state->list, "iTDby"))
        return state->kind != PICKLE_TUPLE ? pickle_fail(r, "an array whose state is no tuple")
                                           : false;
    const struct pickle_value *s = state->list->at;
    return fill(r, a, s[2].dtype, &s[4], s[1].list, s[3].whole);
}

static bool scalar(struct pickle_reader *r, const struct pickle_list *args, struct pickle_value *v)
{
    const struct pickle_list none = { 0 };
    return want(r, "numpy.core.multiarray.scalar", args, "Dy") && new_array(r, v) &&
           fill(r, v->array, args->at[0].dtype, &args->at[1], &none, false);
}

/* Axis i becomes what was axis order[i]. */
static bool transpose(struct pickle_reader *r, struct array *a, const struct pickle_list *order)
{
    const struct array old = *a;
    uint64_t axis[ST_MAX_DIMS], seen = 0;
    if (!counts(r, order, axis))
        return false;
    for (size_t i = 0; i < order->n; i++) {
        if (axis[i] >= (uint64_t)a->n_dims || seen >> axis[i] & 1)
            break;
        seen |= (uint64_t)1 << axis[i];
        a->dim[i] = old.dim[axis[i]];
        a->stride[i] = old.stride[axis[i]];
    }
    return (order->n == (size_t)a->n_dims && seen == ((uint64_t)1 << a->n_dims) - 1) ||
           pickle_fail(r, "an order of axes that is none");
}

/* bytes, dtype, shape, order; since numpy 2.3 also the order of the axes, for order 'K' */
static bool from_buffer(struct pickle_reader *r, const struct pickle_list *args,
                        struct pickle_value *v)
{
    if (!want(r, "numpy.core.numeric._frombuffer", args, args->n == 5 ? "yDTt." : "yDTt"))
        return false;
    const struct pickle_value *order = &args->at[3], *axes = args->n == 5 ? &args->at[4] : NULL;
    const bool fortran = pickle_is_text(order, "F"), keep = pickle_is_text(order, "K");
    if (keep ? !axes || axes->kind != PICKLE_TUPLE : !fortran && !pickle_is_text(order, "C"))
        return pickle_fail(r, "an array in an order that is not known");
    return new_array(r, v) &&
           fill(r, v->array, args->at[1].dtype, &args->at[0], args->at[2].list, fortran) &&
           (!keep || transpose(r, v->array, axes->list));
}

/* ---- dtypes ---- */

static bool set_order(struct pickle_dtype *d, char c)
{
    d->big_endian = c == '>';
    return c == '<' || c == '>' || c == '=' || c == '|';
}

static bool dtype(struct pickle_reader *r, const struct pickle_list *args, struct pickle_value *v)
{
    static const struct {
        const char *name;
        enum st_type type;
    } types[] = { { "f8", ST_F64 }, { "f4", ST_F32 }, { "f2", ST_F16 },
                  { "i8", ST_I64 }, { "i4", ST_I32 }, { "i2", ST_I16 },
                  { "i1", ST_I8 },  { "u1", ST_U8 },  { "b1", ST_BOOL } };
    if (args->n == 0 || !want(r, "numpy.dtype", args, args->n == 1 ? "t" : "tbb"))
        return args->n ? false : pickle_fail(r, "a dtype without a name");
    const char *s = args->at[0].text;
    size_t n = args->at[0].n_bytes;
    struct pickle_dtype *d = arena_get_zero(&r->p->arena, sizeof *d);
    if (!d)
        return pickle_no_memory(r);
    if (n == 3 && set_order(d, s[0]))
        s++, n--;
    *v = (struct pickle_value){ .kind = PICKLE_DTYPE, .dtype = d };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (same(s, n, types[i].name)) {
            d->type = types[i].type;
            return true;
        }
    char a[40];
    return pickle_fail(r, "refuses arrays of type '%s'", shown(a, sizeof a, s, n));
}

/* version, byte order, and six places for what plain numbers do not have */
static bool dtype_state(struct pickle_reader *r, struct pickle_dtype *d,
                        const struct pickle_value *state)
{
    const struct pickle_list *l = state->kind == PICKLE_TUPLE ? state->list : NULL;
    if (!l || l->n < 5 || l->at[1].kind != PICKLE_TEXT || l->at[1].n_bytes != 1 ||
        !set_order(d, l->at[1].text[0]))
        return pickle_fail(r, "a dtype with a state that is not known");
    for (size_t i = 2; i < 5; i++) /* part of, names, fields */
        if (l->at[i].kind != PICKLE_NONE)
            return pickle_fail(r, "refuses arrays of records");
    return true;
}

/* ---- calls ---- */

static bool ordered_dict(struct pickle_reader *r, const struct pickle_list *args,
                         struct pickle_value *v)
{
    struct pickle_list *d = pickle_list_new(r, 0);
    if (!d)
        return false;
    *v = (struct pickle_value){ .kind = PICKLE_DICT, .list = d };
    if (!args->n)
        return true;
    const struct pickle_value *from = args->at; /* a list of pairs */
    if (args->n != 1 || from->kind != PICKLE_LIST)
        return pickle_fail(r, "an OrderedDict of something else than pairs");
    for (size_t i = 0; i < from->list->n; i++) {
        const struct pickle_value *p = &from->list->at[i];
        if ((p->kind != PICKLE_LIST && p->kind != PICKLE_TUPLE) || p->list->n != 2)
            return pickle_fail(r, "an OrderedDict of something else than pairs");
        if (!pickle_list_add(r, d, p->list->at, 2))
            return false;
    }
    return true;
}

static bool call(struct pickle_reader *r, const struct known *f, const struct pickle_list *args,
                 struct pickle_value *v)
{
    switch (f->is) {
    case ORDERED_DICT:
        return ordered_dict(r, args, v);
    case TENSOR:
        return tensor(r, args, v);
    case PARAMETER:
        *v = args->n ? args->at[0] : (struct pickle_value){ 0 };
        return want(r, "_rebuild_parameter", args, "abd");
    case RECONSTRUCT:
        return want(r, "_reconstruct", args, "GTy") && new_array(r, v);
    case DTYPE:
        return dtype(r, args, v);
    case SCALAR:
        return scalar(r, args, v);
    case FROM_BUFFER:
        return from_buffer(r, args, v);
    case ENCODE:
        if (!want(r, "_codecs.encode", args, "tt"))
            return false;
        if (!pickle_is_text(&args->at[1], "latin1"))
            return pickle_fail(r, "bytes in an encoding that is not latin1");
        return pickle_latin1(r, &args->at[0], v);
    default:
        return pickle_fail(r, "refuses to call '%s.%s'", f->module, f->name);
    }
}

bool pickle_reduce(struct pickle_reader *r)
{
    const struct pickle_value *args = pickle_top(r, 0), *f = args ? pickle_top(r, 1) : NULL;
    struct pickle_value v;
    if (!f)
        return false;
    if (f->kind != PICKLE_GLOBAL || args->kind != PICKLE_TUPLE)
        return pickle_fail(r, "calls %s with %s", pickle_kind_name(f->kind),
                           pickle_kind_name(args->kind));
    if (!call(r, &known[f->whole], args->list, &v))
        return false;
    pickle_drop(r, 2);
    return pickle_push(r, v);
}

bool pickle_set_state(struct pickle_reader *r)
{
    const struct pickle_value *state = pickle_top(r, 0), *v = state ? pickle_top(r, 1) : NULL;
    if (!v)
        return false;
    bool good;
    if (v->kind == PICKLE_ARRAY)
        good = fill_from_state(r, v->array, state);
    else if (v->kind == PICKLE_DTYPE)
        good = dtype_state(r, v->dtype, state);
    else /* attributes of an OrderedDict, such as _metadata, are no content */
        good = (v->kind == PICKLE_DICT && state->kind == PICKLE_DICT) ||
               pickle_fail(r, "sets the state of %s", pickle_kind_name(v->kind));
    if (good)
        pickle_drop(r, 1);
    return good;
}
