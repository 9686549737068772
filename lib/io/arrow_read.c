#include "lib/io/arrow.h"

#include <stdlib.h>
#include <string.h>

#include "lib/io/flatbuf.h"

/* Of Message.fbs and Schema.fbs. */
enum { HEADER_SCHEMA = 1, HEADER_DICTIONARY = 2, HEADER_BATCH = 3 };
enum { TYPE_INT = 2, TYPE_FLOAT = 3, TYPE_TEXT = 5, TYPE_LIST = 12, TYPE_LARGE_TEXT = 20,
       TYPE_LARGE_LIST = 21 };
enum { MESSAGE_TYPE = 1, MESSAGE_HEADER = 2, MESSAGE_BODY = 3 };
enum { FIELD_NAME = 0, FIELD_TYPE_KIND = 2, FIELD_TYPE = 3, FIELD_DICTIONARY = 4,
       FIELD_CHILDREN = 5 };
enum { MAX_FIELDS = 256, MAX_METADATA = 1 << 24 };

/* ---- the schema ---- */

static enum rc refuse_type(const char *name, unsigned kind, struct err *e)
{
    return err_set(e, RC_INPUT, "column '%.100s' is of Arrow type %u, which is not read", name,
                   kind);
}

/* Type and width of a field that is no list. */
static enum rc item_type(struct flatbuf *b, size_t field, struct arrow_field *f, struct err *e)
{
    unsigned kind = (unsigned)flatbuf_get(b, field, FIELD_TYPE_KIND, 1, 0);
    size_t type = flatbuf_follow(b, field, FIELD_TYPE);
    if (flatbuf_field(b, field, FIELD_DICTIONARY))
        return err_set(e, RC_INPUT, "column '%.100s' is a dictionary, which is not read", f->name);
    if (kind == TYPE_INT && type) {
        uint64_t bits = flatbuf_get(b, type, 0, 4, 0);
        f->type = flatbuf_get(b, type, 1, 1, 0) ? ARROW_INT : ARROW_UINT;
        f->bytes = (unsigned)(bits / 8);
        if (bits == 8 || bits == 16 || bits == 32 || bits == 64)
            return RC_OK;
    } else if (kind == TYPE_FLOAT && type) {
        uint64_t precision = flatbuf_get(b, type, 0, 2, 0);
        f->type = ARROW_FLOAT;
        f->bytes = precision == 1 ? 4 : 8;
        if (precision == 1 || precision == 2)
            return RC_OK;
    } else if (kind == TYPE_TEXT || kind == TYPE_LARGE_TEXT) {
        f->type = ARROW_TEXT;
        f->bytes = kind == TYPE_TEXT ? 4 : 8;
        return RC_OK;
    }
    return refuse_type(f->name, kind, e);
}

static enum rc read_field(struct flatbuf *b, size_t field, struct arrow_field *f, struct err *e)
{
    size_t n, name = flatbuf_vector(b, field, FIELD_NAME, 1, &n);
    *f = (struct arrow_field){ .name = calloc(n + 1, 1) };
    if (!f->name)
        return err_set(e, RC_FAIL, "no memory for a name");
    if (n)
        memcpy(f->name, b->data + name, n);
    unsigned kind = (unsigned)flatbuf_get(b, field, FIELD_TYPE_KIND, 1, 0);
    if (kind != TYPE_LIST && kind != TYPE_LARGE_LIST)
        return item_type(b, field, f, e);
    size_t children = flatbuf_vector(b, field, FIELD_CHILDREN, 4, &n);
    if (n != 1)
        return err_set(e, RC_INPUT, "column '%.100s' is a list of %zu kinds", f->name, n);
    f->list = true;
    f->list_bytes = kind == TYPE_LIST ? 4 : 8;
    enum rc rc = item_type(b, flatbuf_item(b, children, 0), f, e);
    return !rc && f->type == ARROW_TEXT ? refuse_type(f->name, kind, e) : rc;
}

static enum rc read_schema(struct arrow_file *f, struct flatbuf *b, size_t schema, struct err *e)
{
    size_t n, fields = flatbuf_vector(b, schema, 1, 4, &n);
    if (flatbuf_get(b, schema, 0, 2, 0) != 0)
        return err_set(e, RC_INPUT, "the numbers are big-endian");
    if (b->bad || n == 0 || n > MAX_FIELDS)
        return err_set(e, RC_INPUT, "the schema has %zu columns", n);
    f->field = calloc(n, sizeof *f->field);
    if (!f->field)
        return err_set(e, RC_FAIL, "no memory for %zu columns", n);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        rc = read_field(b, flatbuf_item(b, fields, i), &f->field[i], e);
        f->n_fields = i + 1;
    }
    return !rc && b->bad ? err_set(e, RC_INPUT, "the schema is damaged") : rc;
}

/* ---- messages ---- */

static enum rc add_batch(struct arrow_file *f, const struct arrow_batch_at *at, struct err *e)
{
    if ((f->n_batches & (f->n_batches - 1)) == 0) {
        size_t room = f->n_batches ? 2 * f->n_batches : 1;
        struct arrow_batch_at *more = realloc(f->batch, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu batches", room);
        f->batch = more;
    }
    f->batch[f->n_batches++] = *at;
    f->n_rows += at->n_rows;
    return RC_OK;
}

/* The message at *at, which moves behind it; *end: there is none left. */
static enum rc next_message(struct arrow_file *f, size_t *at, bool *end, struct err *e)
{
    struct flatbuf all = { f->data, f->n_bytes, false };
    *end = *at == f->n_bytes;
    if (*end)
        return f->field ? RC_OK : err_set(e, RC_INPUT, "there is no schema");
    uint64_t n = flatbuf_number(&all, *at, 4);
    size_t start = *at + 4;
    if (n == UINT32_MAX) { /* before format 0.15 there was no mark */
        n = flatbuf_number(&all, *at + 4, 4);
        start += 4;
    }
    *end = n == 0;
    if (all.bad || n > MAX_METADATA || n > f->n_bytes - start)
        return err_set(e, RC_INPUT, "byte %zu: a message is cut or damaged", *at);
    if (n == 0)
        return f->field ? RC_OK : err_set(e, RC_INPUT, "there is no schema");
    struct flatbuf b = { f->data + start, (size_t)n, false };
    size_t message = flatbuf_root(&b), header = flatbuf_follow(&b, message, MESSAGE_HEADER);
    unsigned type = (unsigned)flatbuf_get(&b, message, MESSAGE_TYPE, 1, 0);
    uint64_t body = flatbuf_get(&b, message, MESSAGE_BODY, 8, 0);
    if (b.bad || !header || body > f->n_bytes - start - n)
        return err_set(e, RC_INPUT, "byte %zu: a message is cut or damaged", *at);
    const struct arrow_batch_at batch = { .metadata = start,
                                          .metadata_bytes = (size_t)n,
                                          .body = start + (size_t)n,
                                          .body_bytes = (size_t)body,
                                          .n_rows = flatbuf_get(&b, header, 0, 8, 0) };
    enum rc rc;
    if (type == HEADER_SCHEMA)
        rc = f->field ? err_set(e, RC_INPUT, "byte %zu: a second schema", *at)
                      : read_schema(f, &b, header, e);
    else if (type == HEADER_BATCH && f->field)
        rc = batch.n_rows > UINT32_MAX
                 ? err_set(e, RC_INPUT, "byte %zu: a batch of too many rows", *at)
                 : add_batch(f, &batch, e);
    else
        rc = err_set(e, RC_INPUT, "byte %zu: a message of kind %u%s, which is not read", *at, type,
                     type == HEADER_DICTIONARY ? " (a dictionary)" : "");
    *at = start + (size_t)n + (size_t)body;
    return rc;
}

enum rc arrow_view(struct arrow_file *f, const void *data, size_t n_bytes, struct err *e)
{
    size_t at = 0;
    bool end = false;
    *f = (struct arrow_file){ .data = data, .n_bytes = n_bytes };
    if (n_bytes >= 6 && memcmp(data, "ARROW1", 6) == 0)
        return err_set(e, RC_INPUT, "is an Arrow file, not a stream");
    enum rc rc = RC_OK;
    while (!rc && !end)
        rc = next_message(f, &at, &end, e);
    if (rc)
        arrow_close(f);
    return rc;
}

enum rc arrow_open(struct arrow_file *f, const char *path, struct err *e)
{
    struct mapped map;
    *f = (struct arrow_file){ 0 };
    enum rc rc = mapped_open(&map, path, MAPPED_READ, e);
    if (rc)
        return rc;
    rc = arrow_view(f, map.at, map.bytes, e);
    if (rc) {
        mapped_close(&map);
        return err_wrap(e, "'%s'", path);
    }
    f->map = map;
    return RC_OK;
}

void arrow_close(struct arrow_file *f)
{
    mapped_close(&f->map);
    for (size_t i = 0; i < f->n_fields; i++)
        free(f->field[i].name);
    free(f->field);
    free(f->batch);
    *f = (struct arrow_file){ 0 };
}

/* ---- batches ---- */

/* Goes through nodes and buffers, which lie in the order of the columns. */
struct walk {
    struct flatbuf b;
    const unsigned char *body;
    size_t body_bytes;
    size_t nodes, n_nodes, node, buffers, n_buffers, buffer;
};

static bool next_node(struct walk *w, uint64_t *n, uint64_t *n_missing)
{
    if (w->node == w->n_nodes)
        return false;
    size_t at = w->nodes + 16 * w->node++;
    *n = flatbuf_number(&w->b, at, 8);
    *n_missing = flatbuf_number(&w->b, at + 8, 8);
    return true;
}

/* The next buffer, which must have n items of item_bytes at least. */
static bool next_buffer(struct walk *w, uint64_t n, size_t item_bytes, const unsigned char **at)
{
    if (w->buffer == w->n_buffers)
        return false;
    size_t place = w->buffers + 16 * w->buffer++;
    uint64_t offset = flatbuf_number(&w->b, place, 8), length = flatbuf_number(&w->b, place + 8, 8);
    if (offset > w->body_bytes || length > w->body_bytes - offset || n > length / item_bytes)
        return false;
    *at = w->body + offset;
    return true;
}

static uint64_t offset_at(const unsigned char *at, unsigned bytes, uint64_t i)
{
    uint64_t v = 0;
    memcpy(&v, at + i * bytes, bytes);
    return v;
}

/* n + 1 offsets, not falling; *end is the last. Of no rows there may be none at all. */
static bool next_offsets(struct walk *w, uint64_t n, unsigned bytes, const unsigned char **at,
                         uint64_t *end)
{
    *end = 0;
    if (!next_buffer(w, n ? n + 1 : 0, bytes, at))
        return false;
    for (uint64_t i = 0; n && i < n; i++)
        if (offset_at(*at, bytes, i + 1) < offset_at(*at, bytes, i))
            return false;
    *end = n ? offset_at(*at, bytes, n) : 0;
    return true;
}

static bool read_column(struct walk *w, struct arrow_column *c, uint64_t *n_missing)
{
    const struct arrow_field *f = c->field;
    const unsigned char *valid;
    uint64_t n, end;
    if (!next_node(w, &n, n_missing) || n != c->n_rows || !next_buffer(w, 0, 1, &valid))
        return false;
    if (*n_missing)
        return true;
    if (f->list) {
        if (!next_offsets(w, n, f->list_bytes, &c->list_at, &end) ||
            !next_node(w, &n, n_missing) || n < end || !next_buffer(w, 0, 1, &valid))
            return false;
        if (*n_missing)
            return true;
    }
    c->n_items = n;
    if (f->type == ARROW_TEXT) {
        if (!next_offsets(w, n, f->bytes, &c->text_at, &end))
            return false;
        c->n_items = end;
    }
    return next_buffer(w, c->n_items, f->type == ARROW_TEXT ? 1 : f->bytes, &c->item);
}

enum rc arrow_batch(const struct arrow_file *f, size_t i, struct arrow_column *column,
                    struct err *e)
{
    const struct arrow_batch_at *at = &f->batch[i];
    struct walk w = { .b = { f->data + at->metadata, at->metadata_bytes, false },
                      .body = f->data + at->body,
                      .body_bytes = at->body_bytes };
    size_t batch = flatbuf_follow(&w.b, flatbuf_root(&w.b), MESSAGE_HEADER);
    w.nodes = flatbuf_vector(&w.b, batch, 1, 16, &w.n_nodes);
    w.buffers = flatbuf_vector(&w.b, batch, 2, 16, &w.n_buffers);
    if (flatbuf_field(&w.b, batch, 3))
        return err_set(e, RC_INPUT, "batch %zu is compressed, which is not read", i + 1);
    for (size_t k = 0; k < f->n_fields; k++) {
        uint64_t n_missing = 0;
        column[k] = (struct arrow_column){ .field = &f->field[k], .n_rows = at->n_rows };
        if (!read_column(&w, &column[k], &n_missing) || w.b.bad)
            return err_set(e, RC_INPUT, "batch %zu: column '%.100s' does not fit its body", i + 1,
                           f->field[k].name);
        if (n_missing)
            return err_set(e, RC_INPUT, "batch %zu: column '%.100s' has missing values", i + 1,
                           f->field[k].name);
    }
    return RC_OK;
}

void arrow_row(const struct arrow_column *c, uint64_t row, uint64_t *first, uint64_t *n)
{
    *first = row;
    *n = 1;
    if (c->list_at) {
        *first = offset_at(c->list_at, c->field->list_bytes, row);
        *n = offset_at(c->list_at, c->field->list_bytes, row + 1) - *first;
    }
}

int64_t arrow_i64(const struct arrow_column *c, uint64_t item)
{
    unsigned bytes = c->field->bytes;
    uint64_t v = offset_at(c->item, bytes, item);
    if (c->field->type == ARROW_FLOAT)
        return (int64_t)arrow_f64(c, item);
    if (c->field->type == ARROW_INT && bytes < 8 && v >> (8 * bytes - 1))
        v |= UINT64_MAX << 8 * bytes;
    return (int64_t)v;
}

double arrow_f64(const struct arrow_column *c, uint64_t item)
{
    float f;
    double d;
    if (c->field->type != ARROW_FLOAT)
        return (double)arrow_i64(c, item);
    if (c->field->bytes == 4) {
        memcpy(&f, c->item + item * 4, 4);
        return f;
    }
    memcpy(&d, c->item + item * 8, 8);
    return d;
}

const char *arrow_text(const struct arrow_column *c, uint64_t row, size_t *n)
{
    uint64_t from = offset_at(c->text_at, c->field->bytes, row);
    *n = (size_t)(offset_at(c->text_at, c->field->bytes, row + 1) - from);
    return (const char *)c->item + from;
}
