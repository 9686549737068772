#include "lib/io/download.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/sha256.h"

enum { MAX_ATTEMPTS = 100, BUSY_MS = 100, PIP_MS = 50 };
static const double first_pause_s = 0.5, longest_pause_s = 30;

struct host {
    struct host *next;
    bool answered, dead;
    char name[256];
    char why[HTTP_REASON_MAX];
};

enum rc downloads_open(struct downloads *d, const struct cache *c, int n_parallel, int max_tries,
                       double wait_s, struct err *e)
{
    *d = (struct downloads){ .cache = c, .n_parallel = n_parallel, .max_tries = max_tries };
    d->wait_s = wait_s;
    cache_sweep(c, "pip");
    return http_open(&d->http, wait_s, n_parallel, e);
}

void downloads_wake(struct downloads *d)
{
    http_wake(&d->http);
}

static struct host *host_of(struct downloads *d, const char *url)
{
    char name[sizeof d->hosts->name];
    http_host(url, name, sizeof name);
    for (struct host *h = d->hosts; h; h = h->next)
        if (strcmp(h->name, name) == 0)
            return h;
    struct host *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    memcpy(h->name, name, sizeof name);
    h->next = d->hosts;
    return d->hosts = h;
}

/* --- where the bytes lie ------------------------------------------------------------------- */

/* Direct downloads are parts of their object, whatever the source; archives go by their URL. */
static enum rc open_part(struct downloads *d, struct download *dl, bool *busy, struct err *e)
{
    if (dl->sha256)
        return cache_part_open(d->cache, dl->sha256, &dl->part, busy, e);
    char hex[SHA256_HEX];
    *busy = false;
    if (sha256_bytes(dl->where, strlen(dl->where), hex, e))
        return e ? e->rc : RC_FAIL;
    char *name = text_new("url-%.32s", hex);
    enum rc rc = name ? cache_part_open(d->cache, name, &dl->part, busy, e)
                      : err_set(e, RC_FAIL, "no memory for a path");
    free(name);
    return rc;
}

static uint64_t size_of(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

static bool is_idle_archive(const struct download *dl)
{
    return !dl->sha256 && dl->users == 0 && dl->state == DOWNLOAD_DONE;
}

/* An archive whose members are out is of no more use; a broken-off one can be gone on with. */
static void forget_bytes(struct download *dl)
{
    bool used_up = !dl->sha256 && dl->state == DOWNLOAD_DONE;
    if (dl->folder)
        cache_folder_drop(dl->folder, dl->folder_lock);
    dl->folder = NULL;
    pip_kill(&dl->pip);
    if (used_up || size_of(dl->part.fd) == 0)
        cache_part_drop(&dl->part);
    else
        cache_part_close(&dl->part);
    free(dl->file);
    dl->file = NULL;
    if (used_up) { /* for one who asks again */
        dl->state = DOWNLOAD_NEW;
        dl->n_tries = 0;
    }
}

/* Two runs that each hold an archive and wait for the other's would wait for ever: whoever has to
 * wait lets go of what nobody reads just now. */
static void let_go(struct downloads *d)
{
    for (struct download *dl = d->list; dl; dl = dl->next)
        if (is_idle_archive(dl) && dl->kind == SOURCE_HTTP) /* a pip folder is nobody else's */
            forget_bytes(dl);
}

/* --- attempts ------------------------------------------------------------------------------ */

static void fail(struct download *dl, const char *who, const char *why)
{
    dl->state = DOWNLOAD_FAILED;
    dl->told = false;
    snprintf(dl->reason, sizeof dl->reason, "%.255s%s%.255s", who, *who ? ": " : "", why);
}

static enum rc done(struct download *dl, struct err *e)
{
    dl->state = DOWNLOAD_DONE;
    dl->told = false;
    if (!dl->file && dl->kind == SOURCE_HTTP) {
        dl->file = text_new("%s", dl->part.path);
        if (!dl->file)
            return err_set(e, RC_FAIL, "no memory for a path");
    }
    return RC_OK;
}

/* Doubles from half a second, half of it by lot, so that many runs do not come back together. */
static double pause_s(const struct download *dl)
{
    double s = first_pause_s * pow(2, dl->n_tries - 1);
    double lot =
        rng_unit((uint64_t)getpid(), RNG_JITTER, hash_text(dl->where), (uint64_t)dl->n_attempts);
    s = s * (0.5 + lot);
    if (s < dl->get.retry_after_s)
        s = dl->get.retry_after_s;
    return s < longest_pause_s ? s : longest_pause_s;
}

static bool has_answered(const struct downloads *d, struct host *h)
{
    for (const struct download *dl = d->list; dl && !h->answered; dl = dl->next)
        if (dl->host == h && dl->state == DOWNLOAD_RUNS && dl->get.answered)
            h->answered = true;
    return h->answered;
}

/* Everything that is on its way to a host that was given up fails with it. */
static void give_up_host(struct downloads *d, struct host *h, const char *why)
{
    h->dead = true;
    snprintf(h->why, sizeof h->why, "%s", why);
    for (struct download *dl = d->list; dl; dl = dl->next) {
        if (dl->host != h || dl->kind != SOURCE_HTTP)
            continue;
        if (dl->state == DOWNLOAD_RUNS) {
            http_abort(&d->http, &dl->get);
            d->n_running--;
        } else if (dl->state != DOWNLOAD_WAITS) {
            continue;
        }
        fail(dl, h->name, h->why);
    }
}

static enum rc attempt_ended(struct downloads *d, struct download *dl, struct err *e)
{
    struct http_get *g = &dl->get;
    struct host *h = dl->host;
    d->n_running--;
    h->answered = h->answered || g->answered;
    bool progress = g->at > dl->furthest;
    if (progress)
        dl->furthest = g->at;
    if (g->at > g->first_at)
        d->n_bytes += g->at - g->first_at;
    switch (g->end) {
    case HTTP_OK:
        return done(dl, e);
    case HTTP_MACHINE:
        return err_set(e, RC_FAIL, "cannot write '%s': %s", dl->part.path, g->reason);
    case HTTP_REFUSED:
        fail(dl, h->name, g->reason);
        return RC_OK;
    case HTTP_SILENT:
        if (!has_answered(d, h)) {
            fail(dl, h->name, g->reason);
            give_up_host(d, h, g->reason);
            return RC_OK;
        }
        break;
    case HTTP_AGAIN:
        break;
    }
    dl->n_tries = progress ? 1 : dl->n_tries + 1;
    if (dl->n_tries >= d->max_tries || dl->n_attempts >= MAX_ATTEMPTS) {
        fail(dl, h->name, g->reason);
        return RC_OK;
    }
    dl->state = DOWNLOAD_WAITS;
    dl->due_s = clock_s() + pause_s(dl);
    return RC_OK;
}

static enum rc start_http(struct downloads *d, struct download *dl, struct err *e)
{
    struct host *h = dl->host;
    if (h->dead) {
        fail(dl, h->name, h->why);
        return RC_OK;
    }
    uint64_t at = size_of(dl->part.fd);
    if (dl->n_attempts == 0)
        dl->resumed = at > 0;
    if (dl->bytes != HTTP_NO_SIZE && at > dl->bytes) {
        if (ftruncate(dl->part.fd, 0) != 0)
            return err_set(e, RC_FAIL, "cannot cut '%s': %s", dl->part.path, strerror(errno));
        at = 0;
    }
    if (dl->bytes != HTTP_NO_SIZE && at == dl->bytes)
        return done(dl, e);
    if (dl->furthest < at)
        dl->furthest = at;
    dl->get = (struct http_get){ .url = dl->where, .fd = dl->part.fd, .at = at, .owner = dl };
    dl->get.want_bytes = dl->bytes;
    dl->n_attempts++;
    if (http_start(&d->http, &dl->get, e))
        return e ? e->rc : RC_FAIL;
    dl->state = DOWNLOAD_RUNS;
    d->n_running++;
    return RC_OK;
}

static enum rc start_pip(struct downloads *d, struct download *dl, struct err *e)
{
    if (cache_folder_new(d->cache, "pip", &dl->folder, &dl->folder_lock, e))
        return e ? e->rc : RC_FAIL;
    struct err why = { 0 };
    enum rc rc = pip_start(&dl->pip, dl->where, dl->folder, d->wait_s, &why);
    if (rc == RC_SKIP) {
        fail(dl, "", why.text);
        return RC_OK;
    }
    if (rc)
        return err_set(e, rc, "%s", why.text);
    dl->state = DOWNLOAD_RUNS;
    d->n_running++;
    return RC_OK;
}

static enum rc start(struct downloads *d, struct download *dl, struct err *e)
{
    if (dl->kind == SOURCE_PIP)
        return start_pip(d, dl, e);
    if (dl->host->dead) { /* not worth a lock */
        fail(dl, dl->host->name, dl->host->why);
        return RC_OK;
    }
    if (dl->part.fd < 0) {
        bool busy;
        if (open_part(d, dl, &busy, e))
            return e ? e->rc : RC_FAIL;
        /* Another run may have brought it while we waited for the lock, or may hold it now. */
        if (dl->sha256 && cache_has(d->cache, dl->sha256, dl->bytes)) {
            cache_part_drop(&dl->part);
            dl->state = DOWNLOAD_DONE;
            dl->told = false;
            return RC_OK;
        }
        if (busy) {
            let_go(d);
            dl->state = DOWNLOAD_BUSY;
            dl->due_s = clock_s() + 1e-3 * BUSY_MS;
            return RC_OK;
        }
    }
    return start_http(d, dl, e);
}

static enum rc look_at_pip(struct downloads *d, struct download *dl, struct err *e)
{
    char reason[HTTP_REASON_MAX];
    enum pip_state state = pip_poll(&dl->pip, &dl->file, reason, sizeof reason);
    if (state == PIP_RUNS)
        return RC_OK;
    d->n_running--;
    d->n_bytes += pip_bytes(&dl->pip);
    pip_kill(&dl->pip);
    if (state == PIP_DONE)
        return done(dl, e);
    fail(dl, "", reason);
    return RC_OK;
}

/* --- for the caller ------------------------------------------------------------------------ */

static bool is_due(const struct download *dl, double now)
{
    return dl->users > 0 &&
           (dl->state == DOWNLOAD_NEW ||
            ((dl->state == DOWNLOAD_BUSY || dl->state == DOWNLOAD_WAITS) && dl->due_s <= now));
}

/* Until the next timer, or the next look at a child. */
static int next_ms(const struct downloads *d, int timeout_ms)
{
    double now = clock_s();
    for (const struct download *dl = d->list; dl; dl = dl->next) {
        if (dl->state == DOWNLOAD_RUNS && dl->kind == SOURCE_PIP && timeout_ms > PIP_MS)
            timeout_ms = PIP_MS;
        if (dl->state != DOWNLOAD_BUSY && dl->state != DOWNLOAD_WAITS)
            continue;
        double ms = dl->due_s > now ? 1e3 * (dl->due_s - now) + 1 : 0;
        if (ms < timeout_ms)
            timeout_ms = (int)ms;
    }
    return timeout_ms;
}

enum rc downloads_turn(struct downloads *d, int timeout_ms, struct err *e)
{
    enum rc rc = RC_OK;
    bool ended = false;
    double now = clock_s();
    for (struct download *dl = d->list; dl && !rc && d->n_running < d->n_parallel; dl = dl->next)
        if (is_due(dl, now)) {
            rc = start(d, dl, e);
            ended = ended || dl->state == DOWNLOAD_DONE || dl->state == DOWNLOAD_FAILED;
        }
    if (!rc)
        rc = http_turn(&d->http, ended ? 0 : next_ms(d, timeout_ms), e);
    for (struct http_get *g; !rc && (g = http_next(&d->http));)
        rc = attempt_ended(d, g->owner, e);
    for (struct download *dl = d->list; dl && !rc; dl = dl->next)
        if (dl->state == DOWNLOAD_RUNS && dl->kind == SOURCE_PIP)
            rc = look_at_pip(d, dl, e);
    return rc;
}

struct download *downloads_ended(struct downloads *d)
{
    for (struct download *dl = d->list; dl; dl = dl->next)
        if (!dl->told && dl->users > 0 &&
            (dl->state == DOWNLOAD_DONE || dl->state == DOWNLOAD_FAILED)) {
            dl->told = true;
            return dl;
        }
    return NULL;
}

struct download *download_want(struct downloads *d, const struct source *s, const char *sha256,
                               uint64_t bytes)
{
    for (struct download *dl = d->list; dl && !sha256; dl = dl->next)
        if (!dl->sha256 && dl->kind == s->kind && strcmp(dl->where, s->where) == 0) {
            dl->users++;
            dl->told = false; /* the newcomer wants to hear it too */
            return dl;
        }
    struct download *dl = calloc(1, sizeof *dl);
    if (!dl)
        return NULL;
    *dl = (struct download){ .kind = s->kind, .where = s->where, .sha256 = sha256, .users = 1 };
    dl->bytes = sha256 ? bytes : HTTP_NO_SIZE;
    dl->part.fd = dl->folder_lock = -1;
    dl->host = s->kind == SOURCE_HTTP ? host_of(d, s->where) : NULL;
    if (s->kind == SOURCE_HTTP && !dl->host) {
        free(dl);
        return NULL;
    }
    struct download **end = &d->list; /* in the order of asking */
    while (*end)
        end = &(*end)->next;
    return *end = dl;
}

void download_leave(struct downloads *d, struct download *dl, bool keep)
{
    (void)d;
    dl->users--;
    if (dl->users == 0 && !(keep && !dl->sha256))
        forget_bytes(dl);
}

void download_again(struct downloads *d, struct download *dl)
{
    (void)d;
    /* Away with the file, not only its bytes: others may still be reading it. */
    cache_part_drop(&dl->part);
    free(dl->file);
    dl->file = NULL;
    dl->round++;
    dl->resumed = false;
    dl->n_tries = 0;
    dl->furthest = 0;
    dl->n_attempts = 1; /* what there is now did not come from an earlier run */
    dl->state = DOWNLOAD_NEW;
    dl->told = false;
}

uint64_t downloads_under_way(const struct downloads *d)
{
    uint64_t n = 0;
    for (const struct download *dl = d->list; dl; dl = dl->next)
        if (dl->state == DOWNLOAD_RUNS)
            n += dl->kind == SOURCE_PIP ? dl->pip.seen_bytes : dl->get.at;
    return n;
}

void downloads_close(struct downloads *d)
{
    for (struct download *dl = d->list, *next; dl; dl = next) {
        next = dl->next;
        http_abort(&d->http, &dl->get);
        forget_bytes(dl);
        free(dl);
    }
    for (struct host *h = d->hosts, *next; h; h = next) {
        next = h->next;
        free(h);
    }
    http_close(&d->http);
    *d = (struct downloads){ 0 };
}
