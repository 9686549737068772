/* A ring of chunks. The thread fills, the caller empties; both wait for each other at its ends. It
 * is started when the first chunk was not the last: most files are short. */
#include "lib/io/ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/base/file.h"
#include "lib/base/thread.h"

enum { N_CHUNKS = 4 };

struct chunk {
    char *byte; /* [AHEAD_CHUNK] */
    size_t n;
    enum rc rc;
    char why[128];
};

struct ahead {
    gzFile gz;
    char *room; /* of all chunks */
    struct chunk chunk[N_CHUNKS];
    bool first, threaded, stop;
    size_t n_full, at; /* chunks that are filled, from chunk [at] on; the caller has that one */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
};

enum rc ahead_open(struct ahead **to, const char *path, struct err *e)
{
    *to = NULL;
    if (folder_exists(path))
        return err_set(e, RC_INPUT, "'%s' is a folder", path);
    struct ahead *a = calloc(1, sizeof *a);
    if (a)
        a->room = malloc((size_t)N_CHUNKS * AHEAD_CHUNK);
    if (!a || !a->room) {
        free(a);
        return err_set(e, RC_FAIL, "no memory to read '%s'", path);
    }
    errno = 0;
    a->gz = gzopen(path, "rb");
    if (!a->gz) {
        enum rc rc = errno && errno != ENOMEM ? RC_INPUT : RC_FAIL;
        err_set(e, rc, "cannot open '%s': %s", path, errno ? strerror(errno) : "no memory");
        free(a->room);
        free(a);
        return rc;
    }
    gzbuffer(a->gz, AHEAD_CHUNK);
    for (size_t i = 0; i < N_CHUNKS; i++)
        a->chunk[i].byte = a->room + i * AHEAD_CHUNK;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->filled, NULL);
    pthread_cond_init(&a->emptied, NULL);
    a->first = true;
    *to = a;
    return RC_OK;
}

/* A cut stream gives its last bytes first and Z_BUF_ERROR with them or after. */
static void fill(struct ahead *a, struct chunk *c)
{
    int n = gzread(a->gz, c->byte, AHEAD_CHUNK), code = 0;
    const char *why = gzerror(a->gz, &code);
    bool bad = n < 0 || code == Z_BUF_ERROR || code == Z_DATA_ERROR;
    c->rc = code == Z_MEM_ERROR ? RC_FAIL : bad ? RC_INPUT : RC_OK;
    c->n = n > 0 ? (size_t)n : 0;
    c->why[0] = '\0';
    strncat(c->why, c->rc && why && *why ? why : "unexpected end", sizeof c->why - 1);
}

static void *work(void *arg)
{
    struct ahead *a = arg;
    bool last = false;
    pthread_mutex_lock(&a->lock);
    while (!last && !a->stop) {
        if (a->n_full == N_CHUNKS) {
            pthread_cond_wait(&a->emptied, &a->lock);
            continue;
        }
        struct chunk *c = &a->chunk[(a->at + a->n_full) % N_CHUNKS];
        pthread_mutex_unlock(&a->lock);
        fill(a, c);
        last = c->rc || c->n == 0;
        pthread_mutex_lock(&a->lock);
        a->n_full++;
        pthread_cond_signal(&a->filled);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* Gives chunk [at] back and waits for the next. */
static struct chunk *next_of_thread(struct ahead *a)
{
    pthread_mutex_lock(&a->lock);
    a->at = (a->at + 1) % N_CHUNKS;
    a->n_full--;
    pthread_cond_signal(&a->emptied);
    while (a->n_full == 0)
        pthread_cond_wait(&a->filled, &a->lock);
    struct chunk *c = &a->chunk[a->at];
    pthread_mutex_unlock(&a->lock);
    return c;
}

enum rc ahead_next(struct ahead *a, char **chunk, size_t *n, const char **why)
{
    struct chunk *c = &a->chunk[a->at];
    bool ended = !a->first && (c->rc || c->n == 0);
    if (!a->first && !ended && !a->threaded && threads_count() > 1) {
        a->n_full = 1;
        a->threaded = pthread_create(&a->thread, NULL, work, a) == 0;
    }
    if (a->threaded && !ended)
        c = next_of_thread(a);
    else if (!ended)
        fill(a, c);
    a->first = false;
    *chunk = c->byte;
    *n = c->n;
    *why = c->why;
    return c->rc;
}

void ahead_close(struct ahead *a)
{
    if (!a)
        return;
    if (a->threaded) {
        pthread_mutex_lock(&a->lock);
        a->stop = true;
        pthread_cond_signal(&a->emptied);
        pthread_mutex_unlock(&a->lock);
        pthread_join(a->thread, NULL);
    }
    pthread_cond_destroy(&a->emptied);
    pthread_cond_destroy(&a->filled);
    pthread_mutex_destroy(&a->lock);
    gzclose(a->gz);
    free(a->room);
    free(a);
}
