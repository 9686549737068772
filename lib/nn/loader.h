/* The next step's batches, read and collated by a thread while this one computes.
 *
 * A ring of LOADER_SLOTS steps, each with an arena of its own: the thread fills a slot when it is
 * free, in the order of steps; loader_next hands out one and takes back the one before. So at most
 * LOADER_SLOTS steps are in memory, and once the arenas are as large as the largest step needs,
 * nothing is allocated any more. What a slot holds is a pure function of the step, whichever thread
 * filled it. Cells in mapped shards are read from the disk by this thread's first look at them. */
#ifndef GC_NN_LOADER_H
#define GC_NN_LOADER_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/nn/collate.h"
#include "lib/nn/sampler.h"

enum { LOADER_SLOTS = 3 };

struct loader_slot {
    struct arena arena;
    struct step_batch step;
    struct err err;
    bool full;
};

struct loader {
    struct sampler *sampler; /* the loader's alone while it runs */
    struct cell_source cells;
    struct collate collate;
    uint64_t first, next, end; /* the thread's first step; the one loader_next gives; behind all */
    uint32_t *index;           /* [batch] owned */
    struct loader_slot slot[LOADER_SLOTS];
    int held; /* slot that the caller has, -1: none */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t turn;
    bool open, started, stop;
    double waited_s; /* how long loader_next stood still */
};

/* Steps [from, end) of the sampler. sampler and what cells borrows live until close. */
enum rc loader_open(struct loader *l, struct sampler *sampler, const struct cell_source *cells,
                    const struct collate *c, uint64_t from, uint64_t end, struct err *e);
/* The next step; *s is valid until the next call. There must be one. */
enum rc loader_next(struct loader *l, struct step_batch **s, struct err *e);
void loader_close(struct loader *l); /* may be called twice */

#endif
