#include "lib/nn/loader.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/log.h"

static enum rc fill(struct loader *l, struct loader_slot *slot, uint64_t step)
{
    struct step_batch *s = &slot->step;
    uint64_t epoch;
    arena_reset(&slot->arena);
    err_clear(&slot->err);
    const size_t n = sampler_step(l->sampler, step, l->index, &epoch);
    enum rc rc = step_batch_init(s, &slot->arena, n, &slot->err);
    s->step = step;
    s->epoch = epoch;
    for (size_t i = 0; !rc && i < n; i++)
        s->cell[i] = l->cells.cell(l->cells.ctx, l->index[i]);
    return rc ? rc : collate(&l->collate, &slot->arena, epoch, s, &slot->err);
}

/* Steps in order; after one that failed there is nothing more to do. */
static void *work(void *arg)
{
    struct loader *l = arg;
    enum rc rc = RC_OK;
    for (uint64_t step = l->first; !rc && step < l->end; step++) {
        struct loader_slot *slot = &l->slot[step % LOADER_SLOTS];
        pthread_mutex_lock(&l->lock);
        while (slot->full && !l->stop)
            pthread_cond_wait(&l->turn, &l->lock);
        const bool stop = l->stop;
        pthread_mutex_unlock(&l->lock);
        if (stop)
            break;
        rc = fill(l, slot, step);
        pthread_mutex_lock(&l->lock);
        slot->full = true;
        pthread_cond_broadcast(&l->turn);
        pthread_mutex_unlock(&l->lock);
    }
    return NULL;
}

enum rc loader_open(struct loader *l, struct sampler *sampler, const struct cell_source *cells,
                    const struct collate *c, uint64_t from, uint64_t end, struct err *e)
{
    *l = (struct loader){ .sampler = sampler,
                          .cells = *cells,
                          .collate = *c,
                          .first = from,
                          .next = from,
                          .end = end,
                          .held = -1 };
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->turn, NULL);
    for (int i = 0; i < LOADER_SLOTS; i++)
        arena_init(&l->slot[i].arena, 1 << 20);
    l->index = malloc(sampler->batch * sizeof *l->index);
    enum rc rc = l->index ? RC_OK : err_set(e, RC_FAIL, "no memory for a batch");
    l->open = true;
    l->started = !rc && pthread_create(&l->thread, NULL, work, l) == 0;
    if (!rc && !l->started)
        rc = err_set(e, RC_FAIL, "cannot start the thread that reads batches");
    if (rc)
        loader_close(l);
    return rc;
}

enum rc loader_next(struct loader *l, struct step_batch **s, struct err *e)
{
    assert(l->next < l->end);
    struct loader_slot *slot = &l->slot[l->next % LOADER_SLOTS];
    const double start = clock_s();
    pthread_mutex_lock(&l->lock);
    if (l->held >= 0)
        l->slot[l->held].full = false;
    pthread_cond_broadcast(&l->turn);
    while (!slot->full)
        pthread_cond_wait(&l->turn, &l->lock);
    pthread_mutex_unlock(&l->lock);
    l->waited_s += clock_s() - start;
    l->held = (int)(l->next++ % LOADER_SLOTS);
    *s = &slot->step;
    return slot->err.rc ? err_set(e, slot->err.rc, "%s", slot->err.text) : RC_OK;
}

void loader_close(struct loader *l)
{
    if (!l->open)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->turn);
    pthread_mutex_unlock(&l->lock);
    if (l->started)
        pthread_join(l->thread, NULL);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->turn);
    for (int i = 0; i < LOADER_SLOTS; i++)
        arena_release(&l->slot[i].arena);
    free(l->index);
    *l = (struct loader){ .held = -1 };
}
