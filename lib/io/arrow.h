/* Arrow IPC streams, as far as the authors' datasets need them (spec 01 section 8): columns of
 * whole numbers, floats, texts, and lists of numbers. Compressed batches, dictionaries and other
 * types are refused by name.
 *
 * A stream is messages: 0xffffffff, the length of its metadata (a FlatBuffers table), the metadata,
 * and a body; the first is the schema, others are batches of rows, an empty one ends. Format: Arrow
 * columnar format 1.4, Message.fbs, Schema.fbs. */
#ifndef GC_IO_ARROW_H
#define GC_IO_ARROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/mapped.h"

enum arrow_type { ARROW_INT, ARROW_UINT, ARROW_FLOAT, ARROW_TEXT };

struct arrow_field {
    char *name;
    enum arrow_type type;
    unsigned bytes; /* of a number: 1, 2, 4, 8; of the offsets of a text: 4, 8 */
    bool list;
    unsigned list_bytes; /* of the offsets of a list */
};

struct arrow_file {
    struct mapped map; /* empty after arrow_view */
    const unsigned char *data;
    size_t n_bytes;
    struct arrow_field *field; /* owned */
    size_t n_fields;
    struct arrow_batch_at {
        size_t metadata, metadata_bytes, body, body_bytes;
        uint64_t n_rows;
    } *batch; /* owned */
    size_t n_batches;
    uint64_t n_rows;
};

/* One column of one batch: borrowed from the file. */
struct arrow_column {
    const struct arrow_field *field;
    uint64_t n_rows, n_items; /* n_items: of numbers, or of bytes of text */
    const unsigned char *list_at, *text_at; /* offsets, checked: rising and inside; NULL: none */
    const unsigned char *item;
};

/* RC_INPUT with the place and the trouble. On failure *f is empty. */
enum rc arrow_open(struct arrow_file *f, const char *path, struct err *e);
/* The same on bytes in memory, borrowed until close. */
enum rc arrow_view(struct arrow_file *f, const void *data, size_t n_bytes, struct err *e);
void arrow_close(struct arrow_file *f);
/* All columns of batch i, in the order of the fields; column [n_fields]. Rows that are missing
 * (null) are refused. */
enum rc arrow_batch(const struct arrow_file *f, size_t i, struct arrow_column *column,
                    struct err *e);
/* Items [*first, *first + *n) belong to a row (of a column that is no list: one). */
void arrow_row(const struct arrow_column *c, uint64_t row, uint64_t *first, uint64_t *n);
/* An item as a number. */
int64_t arrow_i64(const struct arrow_column *c, uint64_t item);
double arrow_f64(const struct arrow_column *c, uint64_t item);
/* A text of *n bytes, without a zero behind. */
const char *arrow_text(const struct arrow_column *c, uint64_t row, size_t *n);

/* ---- writing ---- */

/* metadata: key and text of one pair, kept with the schema. f is open for writing. */
enum rc arrow_put_schema(FILE *f, const struct arrow_field *field, size_t n, const char *key,
                         const char *text, struct err *e);
/* list_at and text_at of 4 bytes each, n_rows + 1 (n_items + 1 of texts). */
enum rc arrow_put_batch(FILE *f, const struct arrow_column *column, size_t n, struct err *e);
enum rc arrow_put_end(FILE *f, struct err *e);

#endif
