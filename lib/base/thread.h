/* A fixed set of workers and a loop over tasks.
 *
 * Which worker takes which task is free; what a task computes must depend on its number alone.
 * That is the whole rule by which equal runs give equal bytes at any thread count (STYLE.md):
 * cut work by a size that belongs to the operation, never by the number of threads. */
#ifndef GC_BASE_THREAD_H
#define GC_BASE_THREAD_H

#include <stddef.h>

/* n = 0: all processors that this process may use. Call once, before the first loop. */
void threads_init(int n);
int threads_count(void);

/* Calls fn(ctx, i, worker) for i in [0, n), worker in [0, threads_count()); returns when all are
 * done. A loop inside a loop runs on the calling worker alone, which then is `worker`. */
void threads_for(size_t n, void (*fn)(void *ctx, size_t i, int worker), void *ctx);
/* For a thread that is none of the workers: its loops run on itself alone. */
void threads_keep_out(void);
/* In a child of fork, which has none of the parent's workers: forgets them. */
void threads_forked(void);
/* Ends the workers (at exit, for leak checkers). */
void threads_stop(void);

#endif
