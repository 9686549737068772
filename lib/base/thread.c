/* The pool: workers sleep on a condition; a loop publishes a job with a generation number, each
 * worker that wakes takes task numbers from one atomic counter until none is left. The caller
 * works too, as worker 0. */
#define _GNU_SOURCE
#include "lib/base/thread.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MAX_THREADS = 1024 };

static struct pool {
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    pthread_t thread[MAX_THREADS];
    int n;              /* workers, the caller included; 0 before init */
    int started;        /* threads that exist */
    unsigned long round;
    int busy;           /* workers still inside the round */
    bool stop;
    size_t n_tasks;
    atomic_size_t next;
    void (*fn)(void *, size_t, int);
    void *ctx;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER,
           .wake = PTHREAD_COND_INITIALIZER,
           .idle = PTHREAD_COND_INITIALIZER };

static _Thread_local int my_worker = -1; /* >= 0 inside a loop */

void threads_init(int n)
{
    if (n <= 0) {
        cpu_set_t set;
        n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    }
    if (n > MAX_THREADS)
        n = MAX_THREADS;
    threads_stop();
    pool.n = n;
}

int threads_count(void)
{
    if (!pool.n)
        threads_init(0);
    return pool.n;
}

static void take_tasks(int worker)
{
    my_worker = worker;
    size_t i;
    while ((i = atomic_fetch_add(&pool.next, 1)) < pool.n_tasks)
        pool.fn(pool.ctx, i, worker);
    my_worker = -1;
}

static void *work(void *arg)
{
    int worker = (int)(size_t)arg;
    unsigned long seen = 0;
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        while (pool.round == seen && !pool.stop)
            pthread_cond_wait(&pool.wake, &pool.lock);
        if (pool.stop)
            break;
        seen = pool.round;
        pthread_mutex_unlock(&pool.lock);
        take_tasks(worker);
        pthread_mutex_lock(&pool.lock);
        if (--pool.busy == 0)
            pthread_cond_signal(&pool.idle);
    }
    pthread_mutex_unlock(&pool.lock);
    return NULL;
}

/* Fewer threads than asked for is no error: results do not depend on it. */
static void start_workers(void)
{
    while (pool.started < pool.n - 1) {
        void *id = (void *)(size_t)(pool.started + 1);
        if (pthread_create(&pool.thread[pool.started], NULL, work, id) != 0)
            break;
        pool.started++;
    }
}

void threads_for(size_t n, void (*fn)(void *ctx, size_t i, int worker), void *ctx)
{
    if (my_worker >= 0 || n <= 1 || threads_count() == 1) {
        int worker = my_worker >= 0 ? my_worker : 0;
        int before = my_worker;
        my_worker = worker;
        for (size_t i = 0; i < n; i++)
            fn(ctx, i, worker);
        my_worker = before;
        return;
    }
    pthread_mutex_lock(&pool.lock);
    /* Before the round is published: a thread born now must not miss it, and one born later
     * must not take part without being counted. */
    if (pool.started < pool.n - 1 && pool.round == 0)
        start_workers();
    pool.n_tasks = n;
    pool.fn = fn;
    pool.ctx = ctx;
    atomic_store(&pool.next, 0);
    pool.busy = pool.started;
    pool.round++;
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
    take_tasks(0);
    pthread_mutex_lock(&pool.lock);
    while (pool.busy)
        pthread_cond_wait(&pool.idle, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

void threads_keep_out(void)
{
    my_worker = 0;
}

void threads_forked(void)
{
    int n = pool.n;
    pool = (struct pool){ .lock = PTHREAD_MUTEX_INITIALIZER,
                          .wake = PTHREAD_COND_INITIALIZER,
                          .idle = PTHREAD_COND_INITIALIZER,
                          .n = n };
    my_worker = -1;
}

void threads_stop(void)
{
    assert(my_worker < 0);
    pthread_mutex_lock(&pool.lock);
    pool.stop = true;
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
    for (int i = 0; i < pool.started; i++)
        pthread_join(pool.thread[i], NULL);
    pool.started = 0;
    pool.stop = false;
    pool.round = 0;
    pool.n = 0;
}
