#include "lib/io/fetch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/thread.h"
#include "lib/io/fetch_job.h"

enum { MAX_WORKERS = 16, TURN_MS = 200 };
static const double busy_pause_s = 0.05;

struct run {
    const struct fetch_options *o;
    struct downloads down;
    struct job *job;
    size_t n, n_open;
    uint64_t bytes_done;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    size_t *queue; /* of jobs for the workers: a ring of n */
    size_t q_first, q_n;
    bool quit;
};

/* --- workers ------------------------------------------------------------------------------- */

static void *work(void *ctx)
{
    struct run *r = ctx;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (!r->q_n && !r->quit)
            pthread_cond_wait(&r->wake, &r->lock);
        if (r->quit)
            break;
        struct job *j = &r->job[r->queue[r->q_first]];
        r->q_first = (r->q_first + 1) % r->n;
        r->q_n--;
        j->state = JOB_STEPS;
        pthread_mutex_unlock(&r->lock);
        enum job_state state = job_step(j, r->o);
        pthread_mutex_lock(&r->lock);
        j->state = state;
        downloads_wake(&r->down);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* --- the caller's side --------------------------------------------------------------------- */

/* With the lock held. */
static void enqueue(struct run *r, struct job *j)
{
    j->state = JOB_QUEUED;
    r->queue[(r->q_first + r->q_n++) % r->n] = (size_t)(j - r->job);
    pthread_cond_signal(&r->wake);
}

/* Does an input that is not settled name this download further down its list? */
static bool still_listed(const struct run *r, const struct download *dl)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct job *j = &r->job[i];
        if (j->state == JOB_ENDED)
            continue;
        /* A worker may be moving `next` just now: then any source counts. */
        size_t k = j->state == JOB_STEPS || j->next == 0 ? 0 : j->next - 1;
        for (; k < j->in->n_sources; k++)
            if (j->in->source[k].member && strcmp(j->in->source[k].where, dl->where) == 0)
                return true;
    }
    return false;
}

static void leave(struct run *r, struct job *j)
{
    struct download *dl = j->dl;
    j->dl = NULL;
    free(j->dl_file);
    j->dl_file = NULL;
    if (dl)
        download_leave(&r->down, dl, still_listed(r, dl));
}

static enum rc attach(struct run *r, struct job *j, struct err *e)
{
    const struct source *s = &j->in->source[j->next - 1];
    bool direct = !s->member && s->kind == SOURCE_HTTP;
    j->dl = download_want(&r->down, s, direct ? j->in->sha256 : NULL, j->in->bytes);
    if (!j->dl)
        return err_set(e, RC_FAIL, "no memory for a download");
    j->state = JOB_WAITS;
    return RC_OK;
}

/* What a worker said about a job; with the lock held. */
static enum rc answer(struct run *r, struct job *j, double now, struct err *e)
{
    switch (j->state) {
    case JOB_HAVE:
    case JOB_LOST:
        j->state = JOB_ENDED;
        leave(r, j);
        r->n_open--;
        r->bytes_done += j->in->bytes;
        return RC_OK;
    case JOB_WANTS:
        leave(r, j);
        return attach(r, j, e);
    case JOB_BUSY:
        j->state = JOB_SLEEPS;
        j->due_s = now + busy_pause_s;
        return RC_OK;
    case JOB_AGAIN:
        /* Another input may have asked first: then the new round is on its way, or there. */
        if (j->round == j->dl->round)
            download_again(&r->down, j->dl);
        else
            j->dl->told = false;
        j->dl_ended = false;
        j->state = JOB_WAITS;
        return RC_OK;
    case JOB_BROKEN:
        return err_set(e, j->err.rc ? j->err.rc : RC_FAIL, "%s", j->err.text);
    case JOB_SLEEPS:
        if (j->due_s <= now)
            enqueue(r, j);
        return RC_OK;
    default:
        return RC_OK;
    }
}

/* A download has ended: those who waited for it go on. */
static enum rc hand_out(struct run *r, struct download *dl, struct err *e)
{
    for (size_t i = 0; i < r->n; i++) {
        struct job *j = &r->job[i];
        if (j->dl != dl || j->state != JOB_WAITS)
            continue;
        free(j->dl_file);
        j->dl_file = dl->file ? text_new("%s", dl->file) : NULL;
        if (dl->file && !j->dl_file)
            return err_set(e, RC_FAIL, "no memory for a path");
        j->dl_ended = true;
        j->dl_failed = dl->state == DOWNLOAD_FAILED;
        j->dl_resumed = dl->resumed;
        j->round = dl->round;
        enqueue(r, j);
    }
    return RC_OK;
}

static enum rc loop(struct run *r, struct err *e)
{
    while (r->n_open) {
        if (r->o->cache.stop && *r->o->cache.stop)
            return err_set(e, RC_FAIL, "interrupted; what has come is kept, a new run goes on");
        int wait_ms = TURN_MS;
        enum rc rc = RC_OK;
        pthread_mutex_lock(&r->lock);
        double now = clock_s();
        for (size_t i = 0; i < r->n && !rc; i++) {
            rc = answer(r, &r->job[i], now, e);
            if (r->job[i].state == JOB_SLEEPS)
                wait_ms = (int)(1e3 * busy_pause_s);
        }
        for (struct download *dl; !rc && (dl = downloads_ended(&r->down));)
            rc = hand_out(r, dl, e);
        pthread_mutex_unlock(&r->lock);
        if (!rc && r->n_open)
            rc = downloads_turn(&r->down, wait_ms, e);
        if (rc)
            return rc;
        if (r->o->progress)
            progress_at(r->o->progress, (size_t)(r->bytes_done + downloads_under_way(&r->down)));
    }
    return RC_OK;
}

static enum rc run_jobs(struct run *r, struct err *e)
{
    pthread_t thread[MAX_WORKERS];
    int want = r->o->n_workers < 1 ? 1 : r->o->n_workers, n = 0;
    while (n < want && n < MAX_WORKERS && pthread_create(&thread[n], NULL, work, r) == 0)
        n++;
    enum rc rc = n ? loop(r, e) : err_set(e, RC_FAIL, "cannot start a thread");
    pthread_mutex_lock(&r->lock);
    r->quit = true;
    pthread_cond_broadcast(&r->wake);
    pthread_mutex_unlock(&r->lock);
    for (int i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    return rc;
}

/* Most runs find everything where it should be: no thread, no libcurl, a few stat calls. */
static bool at_hand(const struct fetch_options *o, const struct input *in)
{
    return cache_view_ok(&o->cache, in->path, in->sha256, in->bytes);
}

struct verify_job {
    const struct inputs *in;
    const struct fetch_options *o;
    struct fetch_result *result;
    struct err *err;
};

static void verify_one(void *ctx, size_t i, int worker)
{
    (void)worker;
    struct verify_job *v = ctx;
    const struct input *in = &v->in->item[i];
    if (!cache_has(&v->o->cache, in->sha256, in->bytes))
        return;
    if (cache_verify(&v->o->cache, in->sha256, in->bytes, &v->err[i]) == RC_CHECK)
        cache_forget(&v->o->cache, in->sha256);
}

/* What was changed in the cache is named, taken out and fetched anew. */
static enum rc verify(const struct inputs *in, const struct fetch_options *o,
                      struct fetch_result *result, struct err *e)
{
    struct verify_job v = { in, o, result, calloc(in->n + 1, sizeof *v.err) };
    if (!v.err)
        return err_set(e, RC_FAIL, "no memory to verify %zu files", in->n);
    threads_for(in->n, verify_one, &v);
    enum rc rc = RC_OK;
    for (size_t i = 0; i < in->n && !rc; i++) {
        struct job j = { .in = &in->item[i], .result = &result[i] };
        if (v.err[i].rc == RC_CHECK && job_note(&j, "cache", v.err[i].text, true))
            rc = err_set(e, RC_FAIL, "%s", j.err.text);
        else if (v.err[i].rc == RC_FAIL)
            rc = err_set(e, RC_FAIL, "%s", v.err[i].text);
    }
    free(v.err);
    return rc;
}

static enum rc prepare(struct run *r, const struct inputs *in, const struct fetch_options *o,
                       struct fetch_result *result, struct err *e)
{
    r->o = o;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, NULL);
    r->job = calloc(in->n + 1, sizeof *r->job);
    r->queue = calloc(in->n + 1, sizeof *r->queue);
    if (!r->job || !r->queue)
        return err_set(e, RC_FAIL, "no memory for %zu inputs", in->n);
    for (size_t i = 0; i < in->n; i++) {
        if (at_hand(o, &in->item[i])) {
            result[i].status = FETCH_HAVE;
            r->bytes_done += in->item[i].bytes;
            continue;
        }
        r->job[r->n] = (struct job){ .in = &in->item[i], .result = &result[i] };
        r->queue[r->n] = r->n;
        r->n++;
    }
    r->q_n = r->n_open = r->n;
    return RC_OK;
}

enum rc fetch_run(const struct inputs *in, const struct fetch_options *o,
                  struct fetch_result *result, uint64_t *n_network_bytes, struct err *e)
{
    struct run r = { 0 };
    memset(result, 0, in->n * sizeof *result);
    *n_network_bytes = 0;
    enum rc rc = o->verify ? verify(in, o, result, e) : RC_OK;
    if (!rc)
        rc = prepare(&r, in, o, result, e);
    if (!rc && r.n) {
        rc = downloads_open(&r.down, &o->cache, o->n_parallel, o->max_tries, o->wait_s, e);
        if (!rc)
            rc = run_jobs(&r, e);
        *n_network_bytes = r.down.n_bytes;
        downloads_close(&r.down);
    }
    for (size_t i = 0; i < r.n; i++)
        free(r.job[i].dl_file);
    free(r.job);
    free(r.queue);
    return rc;
}

void fetch_results_release(struct fetch_result *result, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < result[i].n_tries; k++)
            free(result[i].tries[k].reason);
        free(result[i].tries);
    }
    memset(result, 0, n * sizeof *result);
}
