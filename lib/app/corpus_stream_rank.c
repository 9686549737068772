/* From the spool to ranked tokens: some tiles at a time, each read, unpacked and ranked by one
 * thread, then handed over in order. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/corpus_stream_parts.h"
#include "lib/base/spill.h"
#include "lib/base/thread.h"

enum { READ_TILES = 32 };

void stream_ranked_release(struct stream_ranked *r)
{
    free(r->token);
    free(r->value);
    free(r->start);
    free(r->length);
    *r = (struct stream_ranked){ 0 };
}

/* What was there before is not kept. */
static bool grow(struct stream_ranked *r, size_t n_rows, size_t nnz)
{
    if (nnz > r->room || !r->token) {
        free(r->token);
        free(r->value);
        r->room = nnz + nnz / 4 + 1;
        r->token = malloc(r->room * sizeof *r->token);
        r->value = malloc(r->room * sizeof *r->value);
    }
    if (n_rows > r->row_room || !r->start) {
        free(r->start);
        free(r->length);
        r->row_room = n_rows + 1;
        r->start = malloc(r->row_room * sizeof *r->start);
        r->length = malloc(r->row_room * sizeof *r->length);
    }
    if (r->token && r->value && r->start && r->length)
        return true;
    stream_ranked_release(r);
    return false;
}

struct rank_task {
    struct corpus_stream *s;
    size_t first, max_length;  /* first tile */
    uint64_t base[READ_TILES]; /* where the entries of a tile begin, and its cells' tokens */
    atomic_int rc;
};

static enum rc unpack(const struct corpus_stream *s, struct stream_work *w, size_t tile)
{
    const struct spool_tile *t = &s->spool.tile[tile];
    if (t->n_bytes > w->packed_room) {
        free(w->packed);
        w->packed_room = (size_t)t->n_bytes + (size_t)t->n_bytes / 4;
        w->packed = malloc(w->packed_room);
        if (!w->packed)
            w->packed_room = 0;
    }
    if ((t->n_bytes && !w->packed) || !stream_grow_rows(w, t->n_rows, (size_t)t->nnz))
        return RC_FAIL;
    if (t->n_bytes && spool_get(&s->spool, tile, 1, w->packed, NULL))
        return RC_INPUT;
    spool_unpack(t, s->columns.n_cols, w->packed, &w->rows);
    return RC_OK;
}

static enum rc rank_rows(struct rank_task *k, size_t i, struct stream_work *w)
{
    struct corpus_stream *s = k->s;
    const struct spool_tile *first = &s->spool.tile[k->first], *t = first + i;
    for (size_t r = 0; r < t->n_rows; r++) {
        const uint64_t at = w->rows.indptr[r], to = k->base[i] + at;
        const size_t row = t->first - first->first + r;
        s->ranked.start[row] = to;
        s->ranked.length[row] = 0;
        if (s->qc[t->first + r].verdict != QC_KEPT)
            continue;
        if (cell_tokenize(&w->token, &s->columns, w->rows.index + at, w->rows.value + at,
                          (size_t)(w->rows.indptr[r + 1] - at), k->max_length, NULL))
            return RC_FAIL;
        s->ranked.length[row] = w->token.n;
        if (w->token.n) {
            memcpy(s->ranked.token + to, w->token.token, w->token.n * sizeof *s->ranked.token);
            memcpy(s->ranked.value + to, w->token.value, w->token.n * sizeof *s->ranked.value);
        }
    }
    return RC_OK;
}

static void rank_tile(void *ctx, size_t i, int worker)
{
    struct rank_task *k = ctx;
    struct stream_work *w = &k->s->work[worker];
    enum rc rc = unpack(k->s, w, k->first + i);
    if (!rc)
        rc = rank_rows(k, i, w);
    if (rc)
        atomic_store(&k->rc, (int)rc);
}

static enum rc rank_some(struct rank_task *k, size_t n_tiles, struct err *e)
{
    struct corpus_stream *s = k->s;
    const struct spool_tile *t = &s->spool.tile[k->first];
    uint64_t nnz = 0;
    for (size_t i = 0; i < n_tiles; i++) {
        k->base[i] = nnz;
        nnz += t[i].nnz;
    }
    const size_t n_rows = t[n_tiles - 1].first + t[n_tiles - 1].n_rows - t->first;
    if (!grow(&s->ranked, n_rows, (size_t)nnz))
        return err_set(e, RC_FAIL, "no memory for %zu cells", n_rows);
    threads_for(n_tiles, rank_tile, k);
    const int rc = atomic_load(&k->rc);
    if (rc == RC_INPUT)
        return err_set(e, RC_FAIL, "cannot read a temporary file");
    return rc ? err_set(e, RC_FAIL, "no memory to rank a cell") : RC_OK;
}

enum rc corpus_stream_rank(struct corpus_stream *s, size_t max_length,
                           enum rc (*take)(void *ctx, size_t cell, const uint16_t *token,
                                           const float *value, uint32_t n, struct err *e),
                           void *ctx, struct err *e)
{
    struct rank_task k = { .s = s, .max_length = max_length };
    const struct stream_ranked *ranked = &s->ranked;
    enum rc rc = RC_OK;
    atomic_init(&k.rc, RC_OK);
    for (size_t at = 0, n; !rc && at < s->spool.n_tiles; at += n) {
        n = s->spool.n_tiles - at < READ_TILES ? s->spool.n_tiles - at : READ_TILES;
        k.first = at;
        rc = rank_some(&k, n, e);
        const size_t first = s->spool.tile[at].first,
                     end = s->spool.tile[at + n - 1].first + s->spool.tile[at + n - 1].n_rows;
        for (size_t cell = first, r = 0; !rc && cell < end; cell++, r++)
            if (s->qc[cell].verdict == QC_KEPT)
                rc = take(ctx, cell, ranked->token + ranked->start[r],
                          ranked->value + ranked->start[r], ranked->length[r], e);
        spill_rest();
    }
    return rc;
}
