#include "lib/app/embed_stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/token_reader.h"
#include "lib/base/thread.h"
#include "lib/io/h5ad_writer.h"

enum {
    N_BATCHES = 3, /* one being encoded, one waiting, one being filled */
    FIRST_CELLS = H5AD_CHUNK_ROWS, /* of the first batch, and before folding */
    FOLD_CELLS = 64   /* about the genes of the vocabulary once */
};

struct waiting {
    struct cell_tokens tokens; /* rows: places in the batch */
    size_t n_cells;            /* those without tokens, too */
};

struct stream {
    struct embedder *m;
    struct cell_blocks *in;
    struct token_reader reader;
    embed_stream_take *take;
    void *ctx;
    float *x; /* [x_cells, D] vectors of a batch */
    size_t x_cells;
    bool folding; /* there are cells enough */
    size_t n_written; /* cells given to take */
    struct waiting batch[N_BATCHES];
    size_t fill, max_cells; /* the reader's: the batch being filled, and when it is full */
    size_t at, n_full;     /* batches [at, at + n_full) wait, or the first of them is being encoded */
    bool threaded, stop, ended;
    struct err trouble; /* of the thread, when it ended */
    pthread_t thread;
    pthread_mutex_t lock, hdf5;
    pthread_cond_t filled, emptied;
};

/* ---- the caller's side ---- */

static enum rc make_room(struct stream *s, size_t n, struct err *e)
{
    const size_t d = s->m->model.config.d;
    if (n > s->x_cells) {
        free(s->x);
        s->x = malloc(n * d * sizeof *s->x);
        s->x_cells = s->x ? n : 0;
        if (!s->x)
            return err_set(e, RC_FAIL, "no memory for %zu vectors", n);
    }
    memset(s->x, 0, n * d * sizeof *s->x);
    return RC_OK;
}

/* Folding waits until the first cells are in the file, whose writer keeps them back until they are
 * H5AD_CHUNK_ROWS: with long cells that is more than one batch. No bit depends on it. */
static enum rc encode(struct stream *s, struct waiting *w, struct err *e)
{
    enum rc rc = make_room(s, w->n_cells, e);
    if (!rc && s->folding && s->n_written >= FIRST_CELLS && !s->m->model.folded.table)
        rc = model_fold(&s->m->model, e);
    if (!rc)
        rc = embedder_encode(s->m, &w->tokens, s->x, e);
    if (rc)
        return rc;
    pthread_mutex_lock(&s->hdf5);
    rc = s->take(s->ctx, s->x, w->n_cells, e);
    pthread_mutex_unlock(&s->hdf5);
    s->n_written += w->n_cells;
    return rc;
}

static void clear(struct waiting *w)
{
    cell_tokens_clear(&w->tokens);
    w->n_cells = 0;
}

/* ---- the reader's side ---- */

/* The batch that is being filled is whole. RC_FAIL without a sentence: nobody wants more. */
static enum rc hand_over(struct stream *s, struct err *e)
{
    s->max_cells = s->m->max_rows;
    if (!s->threaded) {
        enum rc rc = encode(s, &s->batch[s->fill], e);
        clear(&s->batch[s->fill]);
        return rc;
    }
    s->fill = (s->fill + 1) % N_BATCHES;
    pthread_mutex_lock(&s->lock);
    s->n_full++;
    pthread_cond_signal(&s->filled);
    while (s->n_full == N_BATCHES && !s->stop)
        pthread_cond_wait(&s->emptied, &s->lock);
    const bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop ? RC_FAIL : RC_OK;
}

static enum rc add_cell(void *ctx, size_t row, uint64_t cell_id, enum species species,
                        const struct token_work *t, struct err *e)
{
    struct stream *s = ctx;
    const struct waiting *now = &s->batch[s->fill];
    enum rc rc = RC_OK;
    (void)row;
    if (now->n_cells &&
        (now->tokens.rows + t->n + 1 > s->m->max_rows || now->n_cells == s->max_cells))
        rc = hand_over(s, e);
    struct waiting *w = &s->batch[s->fill];
    if (!rc && t->n)
        rc = cell_tokens_add(&w->tokens, t, cell_id, species, w->n_cells, e);
    w->n_cells += !rc;
    return rc;
}

static enum rc read_all(struct stream *s, struct err *e)
{
    enum rc rc = RC_OK;
    for (bool more = true; !rc && more;) {
        struct csr rows;
        const size_t first = s->in->first;
        pthread_mutex_lock(&s->hdf5);
        rc = cell_blocks_next(s->in, &rows, e);
        pthread_mutex_unlock(&s->hdf5);
        more = !rc && rows.n_rows;
        if (more)
            rc = token_reader_block(&s->reader, &rows, first, add_cell, s, e);
        csr_release(&rows);
    }
    if (!rc && s->batch[s->fill].n_cells)
        rc = hand_over(s, e);
    return rc;
}

static void *work(void *arg)
{
    struct stream *s = arg;
    struct err e = { 0 };
    threads_keep_out();
    read_all(s, &e);
    pthread_mutex_lock(&s->lock);
    s->trouble = e;
    s->ended = true;
    pthread_cond_signal(&s->filled);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- the two together ---- */

/* The next batch that waits; NULL when all came. */
static struct waiting *next_batch(struct stream *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->n_full && !s->ended)
        pthread_cond_wait(&s->filled, &s->lock);
    struct waiting *w = s->n_full ? &s->batch[s->at] : NULL;
    pthread_mutex_unlock(&s->lock);
    return w;
}

static void give_back(struct stream *s, struct waiting *w)
{
    clear(w);
    pthread_mutex_lock(&s->lock);
    s->at = (s->at + 1) % N_BATCHES;
    s->n_full--;
    pthread_cond_signal(&s->emptied);
    pthread_mutex_unlock(&s->lock);
}

static enum rc with_thread(struct stream *s, struct err *e)
{
    struct waiting *w;
    enum rc rc = RC_OK;
    while (!rc && (w = next_batch(s)) != NULL) {
        rc = encode(s, w, e);
        give_back(s, w);
    }
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->emptied);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    if (!rc && s->trouble.rc) {
        *e = s->trouble;
        rc = e->rc;
    }
    return rc;
}

static enum rc run(struct stream *s, struct err *e)
{
    /* Set before the thread looks at it. */
    s->threaded = threads_count() > 1;
    if (s->threaded && pthread_create(&s->thread, NULL, work, s) != 0)
        s->threaded = false;
    return s->threaded ? with_thread(s, e) : read_all(s, e);
}

enum rc embed_stream(struct embedder *m, struct cell_blocks *in, double least,
                     embed_stream_take *take, void *ctx, struct embed_report *rep, struct err *e)
{
    struct stream s = { .m = m,
                        .in = in,
                        .take = take,
                        .ctx = ctx,
                        .max_cells = FIRST_CELLS,
                        .folding = in->head.count.n_rows >= FOLD_CELLS,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .hdf5 = PTHREAD_MUTEX_INITIALIZER,
                        .filled = PTHREAD_COND_INITIALIZER,
                        .emptied = PTHREAD_COND_INITIALIZER };
    *rep = (struct embed_report){ 0 };
    enum rc rc = token_reader_open(&s.reader, m, &in->head, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < N_BATCHES; i++)
        cell_tokens_init(&s.batch[i].tokens);
    if (in->head.count.n_rows)
        rc = embedder_check_overlap(&s.reader.rep, least, e);
    if (!rc)
        rc = run(&s, e);
    *rep = s.reader.rep;
    for (size_t i = 0; i < N_BATCHES; i++)
        cell_tokens_release(&s.batch[i].tokens);
    token_reader_close(&s.reader);
    free(s.x);
    return rc;
}
