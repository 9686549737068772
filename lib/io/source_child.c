#include "lib/io/source_child.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/spill.h"
#include "lib/io/child.h"

/* ---- sending ---- */

struct head {
    struct spool rows; /* of the child's: sizes, and how many tiles follow */
    bool spooled;
    uint64_t n_rows, n_cols, nnz, n_obs;
    struct counts_check check;
    size_t n_columns_left_out;
    char kind[16], where[256];
    bool has[4]; /* cell, id, name, type */
};

bool source_send(const struct source *s, FILE *to)
{
    size_t nnz = (size_t)csr_nnz(&s->count), n = s->count.n_rows, m = s->count.n_cols;
    struct head h = { .rows = s->rows,
                      .spooled = s->spooled,
                      .n_rows = n,
                      .n_cols = m,
                      .nnz = nnz,
                      .n_obs = s->obs.n_rows,
                      .check = s->check,
                      .n_columns_left_out = s->n_columns_left_out,
                      .has = { s->cell, s->id, s->name, s->type } };
    memcpy(h.kind, s->kind, sizeof h.kind);
    memcpy(h.where, s->where, sizeof h.where);
    bool good = child_put(to, &h, sizeof h);
    if (s->spooled)
        good = good && child_put(to, s->rows.tile, s->rows.n_tiles * sizeof *s->rows.tile);
    else
        good = good && child_put(to, s->count.indptr, (n + 1) * sizeof(uint64_t)) &&
               child_put(to, s->count.index, nnz * sizeof(uint32_t)) &&
               child_put(to, s->count.value, nnz * sizeof(uint32_t));
    good = good && (!s->cell || child_put_texts(to, s->cell, n)) &&
           (!s->id || child_put_texts(to, s->id, m)) &&
           (!s->name || child_put_texts(to, s->name, m)) &&
           (!s->type || child_put_texts(to, s->type, m));
    return good && child_put_columns(to, &s->obs);
}

/* ---- receiving ---- */

static bool get_names(FILE *from, struct arena *a, bool there, size_t n, const char ***text)
{
    *text = there ? arena_get(a, (n + 1) * sizeof **text) : NULL;
    return !there || child_get_texts(from, a, *text, n);
}

/* The spool's file is shared with the child, its tiles come through the pipe. */
static bool get_tiles(FILE *from, const struct head *h, struct source *s)
{
    int fd = s->rows.fd;
    s->rows = h->rows;
    s->rows.fd = fd;
    s->rows.room = h->rows.n_tiles;
    s->rows.tile = spill_alloc((h->rows.n_tiles + 1) * sizeof *s->rows.tile);
    s->count.n_rows = h->n_rows;
    s->count.n_cols = h->n_cols;
    s->spooled = true;
    return s->rows.tile && child_get(from, s->rows.tile, h->rows.n_tiles * sizeof *s->rows.tile);
}

static bool get_counts(FILE *from, const struct head *h, struct source *s)
{
    return !csr_alloc(&s->count, h->n_rows, h->n_cols, h->nnz, NULL) &&
           child_get(from, s->count.indptr, (h->n_rows + 1) * sizeof(uint64_t)) &&
           s->count.indptr[h->n_rows] == h->nnz &&
           child_get(from, s->count.index, h->nnz * sizeof(uint32_t)) &&
           child_get(from, s->count.value, h->nnz * sizeof(uint32_t));
}

enum rc source_receive(FILE *from, struct source *s, struct err *e)
{
    struct head h;
    if (!child_get(from, &h, sizeof h))
        return err_set(e, RC_FAIL, "the reader sent nothing");
    s->check = h.check;
    s->n_columns_left_out = h.n_columns_left_out;
    memcpy(s->kind, h.kind, sizeof s->kind);
    memcpy(s->where, h.where, sizeof s->where);
    s->kind[sizeof s->kind - 1] = s->where[sizeof s->where - 1] = '\0';
    if (!child_fits(h.n_rows) || !child_fits(h.n_cols) || !child_fits(h.rows.n_tiles))
        return err_set(e, RC_INPUT, "the file is damaged: its sizes make no sense");
    bool good = h.spooled ? get_tiles(from, &h, s) : get_counts(from, &h, s);
    good = good && get_names(from, &s->text, h.has[0], h.n_rows, &s->cell) &&
           get_names(from, &s->text, h.has[1], h.n_cols, &s->id) &&
           get_names(from, &s->text, h.has[2], h.n_cols, &s->name) &&
           get_names(from, &s->text, h.has[3], h.n_cols, &s->type) &&
           child_get_columns(from, &s->obs, h.n_obs);
    return good ? RC_OK : err_set(e, RC_FAIL, "the reader broke off, or memory is short");
}

/* ---- the child ---- */

struct source_task {
    enum rc (*read)(const void *ctx, struct source *s, struct err *e);
    const void *ctx;
    struct source *s;
};

static enum rc read_one(void *what, struct err *e)
{
    struct source_task *t = what;
    return t->read(t->ctx, t->s, e);
}

static bool send_one(void *what, FILE *to)
{
    return source_send(((struct source_task *)what)->s, to);
}

static enum rc receive_one(FILE *from, void *what, struct err *e)
{
    return source_receive(from, ((struct source_task *)what)->s, e);
}

enum rc source_read_in_child(enum rc (*read)(const void *ctx, struct source *s, struct err *e),
                             const void *ctx, uint64_t file_bytes, struct source *s, struct err *e)
{
    struct source_task what = { read, ctx, s };
    const struct child_task t = { read_one, send_one, receive_one, &what };
    /* Made here, so that the child's rows are in a file that we have as well. */
    if (s->rows.fd < 0 && spool_open(&s->rows, s->spool_folder, 0, e))
        return RC_FAIL;
    return child_read(&t, file_bytes, e);
}
