#include "lib/io/source.h"

#include <stdlib.h>

void source_init(struct source *s)
{
    *s = (struct source){ 0 };
    arena_init(&s->text, 1 << 16);
}

void source_release(struct source *s)
{
    csr_release(&s->count);
    table_release(&s->obs);
    arena_release(&s->text);
    *s = (struct source){ 0 };
}

static enum rc no_room(const struct csr_builder *b, struct err *e)
{
    return err_set(e, RC_FAIL, "no memory for %zu rows with %zu counts", b->n_rows, b->nnz);
}

enum rc builder_add(struct csr_builder *b, uint32_t index, uint32_t value, struct err *e)
{
    if (b->nnz == b->room) {
        size_t room = 2 * b->room + 4096;
        uint32_t *i = realloc(b->c.index, room * sizeof *i);
        if (i)
            b->c.index = i;
        uint32_t *v = realloc(b->c.value, room * sizeof *v);
        if (v)
            b->c.value = v;
        if (!i || !v)
            return no_room(b, e);
        b->room = room;
    }
    b->c.index[b->nnz] = index;
    b->c.value[b->nnz++] = value;
    return RC_OK;
}

enum rc builder_end_row(struct csr_builder *b, struct err *e)
{
    if (b->n_rows + 1 >= b->room_rows) {
        size_t room = 2 * b->room_rows + 1024;
        uint64_t *p = realloc(b->c.indptr, room * sizeof *p);
        if (!p)
            return no_room(b, e);
        p[0] = 0;
        b->c.indptr = p;
        b->room_rows = room;
    }
    b->c.indptr[++b->n_rows] = b->nnz;
    return RC_OK;
}

enum rc builder_finish(struct csr_builder *b, size_t n_cols, struct csr *out, struct err *e)
{
    if (b->n_rows == 0 || b->nnz == 0) {
        size_t n = b->n_rows;
        builder_release(b);
        return csr_alloc(out, n, n_cols, 0, e);
    }
    b->c.n_rows = b->n_rows;
    b->c.n_cols = n_cols;
    *out = b->c;
    *b = (struct csr_builder){ 0 };
    return RC_OK;
}

void builder_release(struct csr_builder *b)
{
    csr_release(&b->c);
    *b = (struct csr_builder){ 0 };
}

enum rc source_turn(struct csr *c, struct csr *out, struct err *e)
{
    enum rc rc = csr_transpose(c, out, e);
    csr_release(c);
    return rc;
}
