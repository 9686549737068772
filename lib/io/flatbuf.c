#include "lib/io/flatbuf.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static bool inside(struct flatbuf *b, size_t at, size_t n)
{
    if (at <= b->n && n <= b->n - at)
        return true;
    b->bad = true;
    return false;
}

uint64_t flatbuf_number(struct flatbuf *b, size_t at, size_t size)
{
    uint64_t v = 0;
    if (inside(b, at, size))
        for (size_t i = 0; i < size; i++)
            v |= (uint64_t)b->data[at + i] << 8 * i;
    return v;
}

size_t flatbuf_root(struct flatbuf *b)
{
    return (size_t)flatbuf_number(b, 0, 4);
}

size_t flatbuf_field(struct flatbuf *b, size_t table, unsigned slot)
{
    int64_t back = (int32_t)flatbuf_number(b, table, 4), vtable = (int64_t)table - back;
    if (b->bad || vtable < 0) {
        b->bad = true;
        return 0;
    }
    size_t n_bytes = (size_t)flatbuf_number(b, (size_t)vtable, 2), at = 4 + 2 * (size_t)slot;
    if (b->bad || at + 2 > n_bytes)
        return 0;
    size_t offset = (size_t)flatbuf_number(b, (size_t)vtable + at, 2);
    return offset ? table + offset : 0;
}

uint64_t flatbuf_get(struct flatbuf *b, size_t table, unsigned slot, size_t size, uint64_t other)
{
    size_t at = flatbuf_field(b, table, slot);
    return at ? flatbuf_number(b, at, size) : other;
}

size_t flatbuf_follow(struct flatbuf *b, size_t table, unsigned slot)
{
    size_t at = flatbuf_field(b, table, slot);
    return at ? at + (size_t)flatbuf_number(b, at, 4) : 0;
}

size_t flatbuf_vector(struct flatbuf *b, size_t table, unsigned slot, size_t item_bytes, size_t *n)
{
    size_t at = flatbuf_follow(b, table, slot);
    *n = at ? (size_t)flatbuf_number(b, at, 4) : 0;
    if (!at || b->bad || !inside(b, at + 4, *n * item_bytes)) {
        *n = 0;
        return 0;
    }
    return at + 4;
}

size_t flatbuf_item(struct flatbuf *b, size_t vector, size_t i)
{
    size_t at = vector + 4 * i;
    return at + (size_t)flatbuf_number(b, at, 4);
}

/* ---- building ---- */

static bool grow(struct flatbuf_out *o, size_t n)
{
    if (!o->failed && o->n + n > o->room) {
        size_t room = 2 * o->room + n + 256;
        unsigned char *more = realloc(o->data, room);
        o->failed = !more;
        if (more) {
            o->data = more;
            o->room = room;
        }
    }
    return !o->failed;
}

/* n zero bytes, behind zeros that bring the end to `rest` above a multiple of `align`. */
static size_t put_zeros(struct flatbuf_out *o, size_t n, size_t align, size_t rest)
{
    size_t pad = (align + rest - o->n % align) % align;
    if (!grow(o, pad + n))
        return 0;
    memset(o->data + o->n, 0, pad + n);
    o->n += pad + n;
    return o->n - n;
}

void flatbuf_out_init(struct flatbuf_out *o)
{
    *o = (struct flatbuf_out){ 0 };
    put_zeros(o, 4, 8, 0);
}

void flatbuf_out_release(struct flatbuf_out *o)
{
    free(o->data);
    *o = (struct flatbuf_out){ 0 };
}

void flatbuf_set(struct flatbuf_out *o, size_t at, size_t size, uint64_t value)
{
    for (size_t i = 0; !o->failed && i < size; i++)
        o->data[at + i] = (unsigned char)(value >> 8 * i);
}

void flatbuf_lead(struct flatbuf_out *o, size_t from, size_t to)
{
    flatbuf_set(o, from, 4, to - from);
}

/* The vtable, then the table: on a multiple of 8, its fields in the order of the slots, each on a
 * multiple of its size. */
size_t flatbuf_put_table(struct flatbuf_out *o, struct flatbuf_slot *slot, size_t n)
{
    size_t vtable = put_zeros(o, 4 + 2 * n, 2, 0), n_bytes = 4;
    size_t table = put_zeros(o, 0, 8, 0);
    for (size_t i = 0; i < n; i++) {
        if (slot[i].size == 0)
            continue;
        n_bytes = (n_bytes + slot[i].size - 1) / slot[i].size * slot[i].size;
        flatbuf_set(o, vtable + 4 + 2 * i, 2, n_bytes);
        slot[i].at = table + n_bytes;
        n_bytes += slot[i].size;
    }
    put_zeros(o, n_bytes, 1, 0);
    flatbuf_set(o, vtable, 2, 4 + 2 * n);
    flatbuf_set(o, vtable + 2, 2, n_bytes);
    flatbuf_set(o, table, 4, table - vtable);
    for (size_t i = 0; i < n; i++)
        if (slot[i].size)
            flatbuf_set(o, slot[i].at, slot[i].size, slot[i].value);
    if (!o->failed && flatbuf_number(&(struct flatbuf){ o->data, o->n, false }, 0, 4) == 0)
        flatbuf_lead(o, 0, table);
    return table;
}

size_t flatbuf_put_text(struct flatbuf_out *o, const char *text)
{
    size_t len = strlen(text), at = put_zeros(o, 4 + len + 1, 4, 0);
    flatbuf_set(o, at, 4, len);
    if (!o->failed)
        memcpy(o->data + at + 4, text, len);
    return at;
}

size_t flatbuf_put_vector(struct flatbuf_out *o, size_t n, size_t item_bytes, size_t *first)
{
    /* The items, behind a count of 4 bytes, lie on a multiple of 8. */
    size_t at = put_zeros(o, 4 + n * item_bytes, 8, 4);
    flatbuf_set(o, at, 4, n);
    *first = at + 4;
    return at;
}
