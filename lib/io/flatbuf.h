/* As much of FlatBuffers as Arrow's messages need: tables, vectors, texts.
 *
 * Reading never goes outside the buffer: a place that is not inside gives 0 and sets `bad`, which the
 * caller asks for once, at the end. Numbers are little-endian and may lie on any address. */
#ifndef GC_IO_FLATBUF_H
#define GC_IO_FLATBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flatbuf {
    const unsigned char *data;
    size_t n;
    bool bad;
};

/* An unsigned number of `size` bytes (1, 2, 4, 8) at `at`. */
uint64_t flatbuf_number(struct flatbuf *b, size_t at, size_t size);
size_t flatbuf_root(struct flatbuf *b);
/* Where field `slot` of the table at `table` lies; 0: it is not there. */
size_t flatbuf_field(struct flatbuf *b, size_t table, unsigned slot);
/* A number in a field; `other` when it is not there. */
uint64_t flatbuf_get(struct flatbuf *b, size_t table, unsigned slot, size_t size, uint64_t other);
/* What the offset in a field leads to; 0: it is not there. */
size_t flatbuf_follow(struct flatbuf *b, size_t table, unsigned slot);
/* The first of *n items of item_bytes each of a vector in a field, which lie inside. */
size_t flatbuf_vector(struct flatbuf *b, size_t table, unsigned slot, size_t item_bytes, size_t *n);
/* Table i of a vector of offsets to tables. */
size_t flatbuf_item(struct flatbuf *b, size_t vector, size_t i);

/* ---- building: a table first, what it leads to behind it ---- */

struct flatbuf_out {
    unsigned char *data; /* owned */
    size_t n, room;
    bool failed; /* memory */
};

struct flatbuf_slot {
    size_t size; /* 0: the field is left out; 4 with lead: an offset, set later */
    uint64_t value;
    size_t at; /* out: where it lies */
};

void flatbuf_out_init(struct flatbuf_out *o); /* the root offset is set by the first table */
void flatbuf_out_release(struct flatbuf_out *o);
/* A table; returns where it lies. */
size_t flatbuf_put_table(struct flatbuf_out *o, struct flatbuf_slot *slot, size_t n);
/* Makes the offset that lies at `from` lead to `to`, which lies behind it. */
void flatbuf_lead(struct flatbuf_out *o, size_t from, size_t to);
size_t flatbuf_put_text(struct flatbuf_out *o, const char *text);
/* A vector of n items of item_bytes, of zeros (or offsets to be set); *first is its first item. */
size_t flatbuf_put_vector(struct flatbuf_out *o, size_t n, size_t item_bytes, size_t *first);
void flatbuf_set(struct flatbuf_out *o, size_t at, size_t size, uint64_t value);

#endif
