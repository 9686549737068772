#include "lib/cell/token_block.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"

enum { TILE = 32 }; /* cells that a thread takes at once */

void token_block_init(struct token_block *b)
{
    *b = (struct token_block){ 0 };
}

void token_block_release(struct token_block *b)
{
    for (int i = 0; i < b->n_work; i++)
        token_work_release(&b->work[i]);
    free(b->work);
    free(b->start);
    free(b->length);
    free(b->n_nonzero);
    free(b->token);
    free(b->value);
    *b = (struct token_block){ 0 };
}

static enum rc grow(struct token_block *b, size_t n_cells, uint64_t n, struct err *e)
{
    if (!b->work) {
        b->work = calloc((size_t)threads_count(), sizeof *b->work);
        b->n_work = b->work ? threads_count() : 0;
    }
    if (n_cells > b->room_cells || !b->start) {
        free(b->start);
        free(b->length);
        free(b->n_nonzero);
        b->start = malloc((n_cells + 1) * sizeof *b->start);
        b->length = malloc((n_cells + 1) * sizeof *b->length);
        b->n_nonzero = malloc((n_cells + 1) * sizeof *b->n_nonzero);
        b->room_cells = n_cells;
    }
    if (n > b->room || !b->token) {
        free(b->token);
        free(b->value);
        b->token = malloc(((size_t)n + 1) * sizeof *b->token);
        b->value = malloc(((size_t)n + 1) * sizeof *b->value);
        b->room = n;
    }
    if (b->work && b->start && b->length && b->n_nonzero && b->token && b->value)
        return RC_OK;
    token_block_release(b);
    return err_set(e, RC_FAIL, "no memory for %zu cells of %llu tokens", n_cells,
                   (unsigned long long)n);
}

struct task {
    struct token_block *b;
    const struct token_columns *c;
    const struct csr *m;
    const int64_t *total;
    size_t max_length;
    atomic_bool failed; /* memory is the only way to fail */
};

static void fill_tile(void *ctx, size_t i, int worker)
{
    struct task *t = ctx;
    struct token_block *b = t->b;
    struct token_work *w = &b->work[worker];
    size_t end = (i + 1) * TILE < b->n_cells ? (i + 1) * TILE : b->n_cells;
    for (size_t r = i * TILE; r < end; r++) {
        uint64_t at = t->m->indptr[r];
        w->total = t->total ? (uint64_t)t->total[r] : 0;
        if (cell_tokenize(w, t->c, t->m->index + at, t->m->value + at,
                          (size_t)(t->m->indptr[r + 1] - at), t->max_length, NULL)) {
            atomic_store(&t->failed, true);
            return;
        }
        b->length[r] = w->n;
        b->n_nonzero[r] = w->n_nonzero;
        if (w->n) {
            memcpy(b->token + b->start[r], w->token, w->n * sizeof *w->token);
            memcpy(b->value + b->start[r], w->value, w->n * sizeof *w->value);
        }
    }
}

enum rc token_block_fill(struct token_block *b, const struct token_columns *c, const struct csr *m,
                         const int64_t *total, size_t max_length, struct err *e)
{
    uint64_t n = 0;
    for (size_t r = 0; r < m->n_rows; r++) {
        uint64_t k = m->indptr[r + 1] - m->indptr[r];
        n += k < max_length ? k : max_length;
    }
    if (grow(b, m->n_rows, n, e))
        return RC_FAIL;
    b->n_cells = m->n_rows;
    b->start[0] = 0;
    for (size_t r = 0; r < m->n_rows; r++) {
        uint64_t k = m->indptr[r + 1] - m->indptr[r];
        b->start[r + 1] = b->start[r] + (k < max_length ? k : max_length);
    }
    struct task t = { .b = b, .c = c, .m = m, .total = total, .max_length = max_length };
    atomic_init(&t.failed, false);
    threads_for((m->n_rows + TILE - 1) / TILE, fill_tile, &t);
    return atomic_load(&t.failed) ? err_set(e, RC_FAIL, "no memory to rank a cell") : RC_OK;
}
