#include "lib/io/source.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"

void source_init(struct source *s)
{
    *s = (struct source){ .rows.fd = -1, .spool_from = SOURCE_SPOOL_FROM };
    spill_arena(&s->text, 1 << 16);
}

void source_release(struct source *s)
{
    csr_release(&s->count);
    spool_close(&s->rows);
    table_release(&s->obs);
    arena_release(&s->text);
    *s = (struct source){ .rows.fd = -1 };
}

void source_rows_begin(struct source *s, size_t n_cols)
{
    csr_release(&s->count);
    s->count.n_cols = n_cols;
    s->room = s->room_rows = 0;
    s->spooled = false;
    spool_reset(&s->rows, n_cols);
}

static enum rc grow_rows(struct source *s, size_t n_rows, size_t nnz, struct err *e)
{
    struct csr *c = &s->count;
    if (n_rows + 1 > s->room_rows || !c->indptr) {
        size_t room = n_rows + n_rows / 2 + 64;
        uint64_t *p = realloc(c->indptr, (room + 1) * sizeof *p);
        if (!p)
            return err_set(e, RC_FAIL, "no memory for %zu cells", n_rows);
        p[0] = 0;
        c->indptr = p;
        s->room_rows = room;
    }
    if (nnz > s->room || !c->index) {
        size_t room = nnz + nnz / 2 + 64;
        uint32_t *i = realloc(c->index, room * sizeof *i);
        if (i)
            c->index = i;
        uint32_t *v = realloc(c->value, room * sizeof *v);
        if (v)
            c->value = v;
        if (!i || !v)
            return err_set(e, RC_FAIL, "no memory for %zu counts", nnz);
        s->room = room;
    }
    return RC_OK;
}

/* What was gathered goes to the spool, as will all that comes. */
static enum rc start_spool(struct source *s, struct err *e)
{
    struct csr *c = &s->count;
    size_t n_rows = c->n_rows, n_cols = c->n_cols;
    if (s->rows.fd < 0 && spool_open(&s->rows, s->spool_folder, n_cols, e))
        return RC_FAIL;
    enum rc rc = spool_add_rows(&s->rows, c, e);
    csr_release(c);
    c->n_rows = n_rows;
    c->n_cols = n_cols;
    s->room = s->room_rows = 0;
    s->spooled = true;
    return rc;
}

enum rc source_rows_add(struct source *s, const struct csr *b, struct err *e)
{
    struct csr *c = &s->count;
    size_t nnz = (size_t)csr_nnz(b), have = (size_t)csr_nnz(c);
    if (s->spooled) {
        c->n_rows += b->n_rows;
        return spool_add_rows(&s->rows, b, e);
    }
    if (grow_rows(s, c->n_rows + b->n_rows, have + nnz, e))
        return RC_FAIL;
    if (nnz) {
        memcpy(c->index + have, b->index, nnz * sizeof *b->index);
        memcpy(c->value + have, b->value, nnz * sizeof *b->value);
    }
    for (size_t r = 1; r <= b->n_rows; r++)
        c->indptr[c->n_rows + r] = have + b->indptr[r];
    c->n_rows += b->n_rows;
    /* Cells without counts are cells as well. */
    return have + nnz > s->spool_from || c->n_rows > s->spool_from / 64 ? start_spool(s, e) : RC_OK;
}

void source_swap_rows(struct source *a, struct source *b)
{
    const struct source t = *a;
    a->count = b->count;
    a->rows = b->rows;
    a->spooled = b->spooled;
    a->room_rows = b->room_rows;
    a->room = b->room;
    b->count = t.count;
    b->rows = t.rows;
    b->spooled = t.spooled;
    b->room_rows = t.room_rows;
    b->room = t.room;
}

size_t source_blocks(const struct source *s)
{
    return s->spooled ? s->rows.n_tiles : 1;
}

size_t source_block_first(const struct source *s, size_t i)
{
    return s->spooled ? s->rows.tile[i].first : 0;
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
