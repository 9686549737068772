#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/arrow.h"
#include "lib/io/flatbuf.h"

enum { VERSION_5 = 4 };
enum { TYPE_INT = 2, TYPE_FLOAT = 3, TYPE_TEXT = 5, TYPE_LIST = 12 };

static size_t up_to_8(size_t n)
{
    return (n + 7) / 8 * 8;
}

static enum rc cannot_write(struct err *e)
{
    return err_set(e, RC_FAIL, "cannot write the batch");
}

/* The mark, the metadata filled up to a multiple of 8, and then the body is the caller's. */
static enum rc put_message(FILE *f, struct flatbuf_out *o, struct err *e)
{
    static const unsigned char zero[8] = { 0 };
    if (o->failed)
        return err_set(e, RC_FAIL, "no memory for a message");
    size_t n = up_to_8(o->n);
    const uint32_t head[2] = { UINT32_MAX, (uint32_t)n };
    bool good = fwrite(head, 4, 2, f) == 2 && fwrite(o->data, 1, o->n, f) == o->n &&
                fwrite(zero, 1, n - o->n, f) == n - o->n;
    return good ? RC_OK : cannot_write(e);
}

/* The message table; returns where the header's offset lies. */
static size_t begin(struct flatbuf_out *o, uint64_t kind, uint64_t body_bytes)
{
    struct flatbuf_slot m[] = { { 2, VERSION_5, 0 }, { 1, kind, 0 }, { 4, 0, 0 },
                                { 8, body_bytes, 0 } };
    flatbuf_out_init(o);
    flatbuf_put_table(o, m, 4);
    return m[2].at;
}

/* ---- the schema ---- */

static void put_type(struct flatbuf_out *o, size_t from, unsigned kind, const struct arrow_field *f)
{
    struct flatbuf_slot number[] = { { 4, 8 * f->bytes, 0 }, { 1, f->type == ARROW_INT, 0 } };
    struct flatbuf_slot precision[] = { { 2, f->bytes == 4 ? 1 : 2, 0 } };
    size_t at = kind == TYPE_INT     ? flatbuf_put_table(o, number, 2)
                : kind == TYPE_FLOAT ? flatbuf_put_table(o, precision, 1)
                                     : flatbuf_put_table(o, NULL, 0);
    flatbuf_lead(o, from, at);
}

static unsigned kind_of(const struct arrow_field *f)
{
    return f->type == ARROW_TEXT ? TYPE_TEXT : f->type == ARROW_FLOAT ? TYPE_FLOAT : TYPE_INT;
}

/* name, nullable, kind of type, type, (dictionary), children */
static size_t put_field(struct flatbuf_out *o, const struct arrow_field *f, const char *name,
                        bool list)
{
    unsigned kind = list ? TYPE_LIST : kind_of(f);
    struct flatbuf_slot s[] = { { 4, 0, 0 }, { 1, 1, 0 }, { 1, kind, 0 },
                                { 4, 0, 0 }, { 0, 0, 0 }, { 4, 0, 0 } };
    size_t at = flatbuf_put_table(o, s, 6), first;
    flatbuf_lead(o, s[0].at, flatbuf_put_text(o, name));
    put_type(o, s[3].at, kind, f);
    flatbuf_lead(o, s[5].at, flatbuf_put_vector(o, list, 4, &first));
    if (list)
        flatbuf_lead(o, first, put_field(o, f, "item", false));
    return at;
}

static void put_metadata(struct flatbuf_out *o, size_t from, const char *key, const char *text)
{
    struct flatbuf_slot s[] = { { 4, 0, 0 }, { 4, 0, 0 } };
    size_t first;
    flatbuf_lead(o, from, flatbuf_put_vector(o, 1, 4, &first));
    flatbuf_lead(o, first, flatbuf_put_table(o, s, 2));
    flatbuf_lead(o, s[0].at, flatbuf_put_text(o, key));
    flatbuf_lead(o, s[1].at, flatbuf_put_text(o, text));
}

enum rc arrow_put_schema(FILE *f, const struct arrow_field *field, size_t n, const char *key,
                         const char *text, struct err *e)
{
    struct flatbuf_out o;
    size_t header = begin(&o, 1, 0), first;
    struct flatbuf_slot s[] = { { 2, 0, 0 }, { 4, 0, 0 }, { 4, 0, 0 } };
    flatbuf_lead(&o, header, flatbuf_put_table(&o, s, 3));
    flatbuf_lead(&o, s[1].at, flatbuf_put_vector(&o, n, 4, &first));
    for (size_t i = 0; i < n; i++)
        flatbuf_lead(&o, first + 4 * i, put_field(&o, &field[i], field[i].name, field[i].list));
    put_metadata(&o, s[2].at, key, text);
    enum rc rc = put_message(f, &o, e);
    flatbuf_out_release(&o);
    return rc;
}

/* ---- a batch ---- */

struct buffer {
    const void *data;
    size_t n;
};

/* The buffers of a column: validity (none), offsets, of the items validity (none), data. */
static size_t buffers_of(const struct arrow_column *c, struct buffer *to)
{
    size_t n = 0;
    to[n++] = (struct buffer){ NULL, 0 };
    if (c->field->list) {
        to[n++] = (struct buffer){ c->list_at, ((size_t)c->n_rows + 1) * 4 };
        to[n++] = (struct buffer){ NULL, 0 };
    }
    if (c->field->type == ARROW_TEXT)
        to[n++] = (struct buffer){ c->text_at, ((size_t)c->n_rows + 1) * 4 };
    to[n++] = (struct buffer){ c->item, (size_t)c->n_items *
                                            (c->field->type == ARROW_TEXT ? 1 : c->field->bytes) };
    return n;
}

static size_t put_nodes(struct flatbuf_out *o, const struct arrow_column *c, size_t n)
{
    size_t n_nodes = 0, at, first;
    for (size_t i = 0; i < n; i++)
        n_nodes += c[i].field->list ? 2 : 1;
    at = flatbuf_put_vector(o, n_nodes, 16, &first);
    for (size_t i = 0; i < n; i++, first += 16) {
        flatbuf_set(o, first, 8, c[i].n_rows);
        if (c[i].field->list)
            flatbuf_set(o, first += 16, 8, c[i].n_items);
    }
    return at;
}

static size_t put_buffers(struct flatbuf_out *o, const struct buffer *b, size_t n)
{
    size_t first, at = flatbuf_put_vector(o, n, 16, &first);
    uint64_t offset = 0;
    for (size_t i = 0; i < n; i++) {
        flatbuf_set(o, first + 16 * i, 8, offset);
        flatbuf_set(o, first + 16 * i + 8, 8, b[i].n);
        offset += up_to_8(b[i].n);
    }
    return at;
}

enum rc arrow_put_batch(FILE *f, const struct arrow_column *c, size_t n, struct err *e)
{
    static const unsigned char zero[8] = { 0 };
    enum { MAX_COLUMNS = 16 };
    struct buffer b[4 * MAX_COLUMNS];
    struct flatbuf_out o;
    size_t n_buffers = 0, body = 0;
    assert(n <= MAX_COLUMNS);
    for (size_t i = 0; i < n; i++)
        n_buffers += buffers_of(&c[i], b + n_buffers);
    for (size_t i = 0; i < n_buffers; i++)
        body += up_to_8(b[i].n);
    size_t header = begin(&o, 3, body);
    struct flatbuf_slot s[] = { { 8, n ? c[0].n_rows : 0, 0 }, { 4, 0, 0 }, { 4, 0, 0 } };
    flatbuf_lead(&o, header, flatbuf_put_table(&o, s, 3));
    flatbuf_lead(&o, s[1].at, put_nodes(&o, c, n));
    flatbuf_lead(&o, s[2].at, put_buffers(&o, b, n_buffers));
    enum rc rc = put_message(f, &o, e);
    flatbuf_out_release(&o);
    for (size_t i = 0; !rc && i < n_buffers; i++) {
        size_t pad = up_to_8(b[i].n) - b[i].n;
        if ((b[i].n && fwrite(b[i].data, 1, b[i].n, f) != b[i].n) || fwrite(zero, 1, pad, f) != pad)
            rc = cannot_write(e);
    }
    return rc;
}

enum rc arrow_put_end(FILE *f, struct err *e)
{
    const uint32_t end[2] = { UINT32_MAX, 0 };
    return fwrite(end, 4, 2, f) == 2 ? RC_OK : cannot_write(e);
}
