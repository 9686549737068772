#define _GNU_SOURCE
#include "lib/io/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/spill.h"

enum {
    TILE_ENTRIES = 1 << 18,
    TILE_ROWS = 1 << 16,
    LARGE = 255,
    NARROW_COLS = 1 << 16,
    BYTES_A_ROW = 128 /* that go with a row: its name, where it starts, what a table knows of it */
};

enum rc spool_open(struct spool *s, const char *folder, size_t n_cols, struct err *e)
{
    *s = (struct spool){ .fd = -1, .n_cols = n_cols };
    return file_unnamed(folder, &s->fd, e);
}

void spool_reset(struct spool *s, size_t n_cols)
{
    s->n_tiles = s->n_rows = 0;
    s->nnz = s->n_bytes = 0;
    s->n_cols = n_cols;
}

void spool_close(struct spool *s)
{
    if (s->fd > 0)
        close(s->fd);
    spill_free(s->tile);
    *s = (struct spool){ .fd = -1 };
}

/* ---- packing ---- */

size_t spool_room(size_t n_rows, size_t nnz, size_t n_cols)
{
    return n_rows * 4 + nnz * (n_cols <= NARROW_COLS ? 7u : 9u);
}

size_t spool_pack(const struct csr *c, size_t first, size_t n, unsigned char *to)
{
    uint64_t at = c->indptr[first], nnz = c->indptr[first + n] - at;
    unsigned char *p = to;
    for (size_t r = first; r < first + n; r++, p += 4)
        memcpy(p, &(uint32_t){ (uint32_t)(c->indptr[r + 1] - c->indptr[r]) }, 4);
    if (c->n_cols <= NARROW_COLS) {
        for (uint64_t k = at; k < at + nnz; k++, p += 2)
            memcpy(p, &(uint16_t){ (uint16_t)c->index[k] }, 2);
    } else if (nnz) {
        memcpy(p, c->index + at, nnz * 4);
        p += nnz * 4;
    }
    unsigned char *large = p + nnz;
    for (uint64_t k = at; k < at + nnz; k++) {
        uint32_t v = c->value[k];
        *p++ = v < LARGE ? (unsigned char)v : LARGE;
        if (v >= LARGE) {
            memcpy(large, &v, 4);
            large += 4;
        }
    }
    return (size_t)(large - to);
}

void spool_unpack(const struct spool_tile *t, size_t n_cols, const unsigned char *from,
                  struct csr *c)
{
    c->n_rows = t->n_rows;
    c->n_cols = n_cols;
    c->indptr[0] = 0;
    for (size_t r = 0; r < t->n_rows; r++, from += 4) {
        uint32_t n;
        memcpy(&n, from, 4);
        c->indptr[r + 1] = c->indptr[r] + n;
    }
    if (n_cols <= NARROW_COLS) {
        for (uint64_t k = 0; k < t->nnz; k++, from += 2) {
            uint16_t j;
            memcpy(&j, from, 2);
            c->index[k] = j;
        }
    } else if (t->nnz) {
        memcpy(c->index, from, t->nnz * 4);
        from += t->nnz * 4;
    }
    const unsigned char *large = from + t->nnz;
    for (uint64_t k = 0; k < t->nnz; k++) {
        c->value[k] = from[k];
        if (from[k] == LARGE) {
            memcpy(&c->value[k], large, 4);
            large += 4;
        }
    }
}

/* ---- the file ---- */

enum rc spool_place(struct spool *s, size_t n_bytes, size_t n_rows, uint64_t nnz, struct err *e)
{
    if (s->n_tiles == s->room) {
        size_t room = 2 * s->room + 256;
        struct spool_tile *more =
            spill_grow(s->tile, s->n_tiles * sizeof *more, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu tiles", room);
        s->tile = more;
        s->room = room;
    }
    s->tile[s->n_tiles++] = (struct spool_tile){
        .at = s->n_bytes, .nnz = nnz, .n_bytes = n_bytes, .first = s->n_rows, .n_rows = n_rows
    };
    s->n_rows += n_rows;
    s->nnz += nnz;
    s->n_bytes += n_bytes;
    return RC_OK;
}

enum rc spool_put(const struct spool *s, size_t tile, const unsigned char *packed, struct err *e)
{
    const struct spool_tile *t = &s->tile[tile];
    for (size_t done = 0; done < t->n_bytes;) {
        ssize_t n = pwrite(s->fd, packed + done, (size_t)t->n_bytes - done, (off_t)(t->at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(e, RC_FAIL, "cannot write a temporary file: %s", strerror(errno));
        done += (size_t)n;
    }
    return RC_OK;
}

enum rc spool_add(struct spool *s, const unsigned char *packed, size_t n_bytes, size_t n_rows,
                  uint64_t nnz, struct err *e)
{
    enum rc rc = spool_place(s, n_bytes, n_rows, nnz, e);
    return rc ? rc : spool_put(s, s->n_tiles - 1, packed, e);
}

static enum rc read_at(const struct spool *s, uint64_t at, size_t n_bytes, void *to, struct err *e)
{
    for (size_t done = 0; done < n_bytes;) {
        ssize_t got = pread(s->fd, (char *)to + done, n_bytes - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(e, RC_FAIL, "cannot read a temporary file: %s",
                           got ? strerror(errno) : "it ends early");
        done += (size_t)got;
    }
    return RC_OK;
}

enum rc spool_get(const struct spool *s, size_t first, size_t n, unsigned char *to, struct err *e)
{
    uint64_t at = s->tile[first].at;
    const struct spool_tile *last = &s->tile[first + n - 1];
    return read_at(s, at, (size_t)(last->at + last->n_bytes - at), to, e);
}

enum rc spool_get_lengths(const struct spool *s, size_t tile, uint32_t *n_of, struct err *e)
{
    return read_at(s, s->tile[tile].at, s->tile[tile].n_rows * sizeof *n_of, n_of, e);
}

/* Rows from `first` on that make a tile. */
static size_t tile_rows(const struct csr *c, size_t first)
{
    size_t n = 1;
    while (first + n < c->n_rows && n < TILE_ROWS &&
           c->indptr[first + n + 1] - c->indptr[first] <= TILE_ENTRIES)
        n++;
    return n;
}

enum rc spool_add_rows(struct spool *s, const struct csr *c, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t first = 0, n; !rc && first < c->n_rows; first += n) {
        n = tile_rows(c, first);
        uint64_t nnz = c->indptr[first + n] - c->indptr[first];
        unsigned char *packed = malloc(spool_room(n, (size_t)nnz, c->n_cols) + 1);
        if (!packed)
            return err_set(e, RC_FAIL, "no memory for %zu rows", n);
        rc = spool_add(s, packed, spool_pack(c, first, n, packed), n, nnz, e);
        free(packed);
    }
    return rc;
}

enum rc spool_get_rows(const struct spool *s, size_t tile, struct csr *c, struct err *e)
{
    const struct spool_tile *t = &s->tile[tile];
    spill_used(sizeof *t + t->n_rows * BYTES_A_ROW);
    if (csr_alloc(c, t->n_rows, s->n_cols, (size_t)t->nnz, e))
        return RC_FAIL;
    unsigned char *packed = malloc((size_t)t->n_bytes + 1);
    enum rc rc = packed ? spool_get(s, tile, 1, packed, e)
                        : err_set(e, RC_FAIL, "no memory for %zu rows", t->n_rows);
    if (!rc)
        spool_unpack(t, s->n_cols, packed, c);
    free(packed);
    if (rc)
        csr_release(c);
    return rc;
}
