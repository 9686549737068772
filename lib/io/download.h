/* Downloads that are retried, resumed and shared: the part of `fetch` that talks to the network.
 *
 * A download is one URL or one wheel on its way to a file. It is used from one thread only.
 *
 *   new -> busy (another run holds the part) -> new
 *   new -> runs -> waits (back-off) -> runs ... -> done | failed
 *
 * Attempts that bring bytes do not count against the number of attempts. A host that is silent
 * before it has ever answered is given up: what is on its way to it fails, and it is not asked
 * again. */
#ifndef GC_IO_DOWNLOAD_H
#define GC_IO_DOWNLOAD_H

#include "lib/io/cache.h"
#include "lib/io/http.h"
#include "lib/io/inputs.h"
#include "lib/io/pip.h"

struct host; /* one web server: has it answered, was it given up */

struct download {
    struct download *next; /* in the list */
    enum source_kind kind; /* SOURCE_HTTP or SOURCE_PIP */
    const char *where;     /* borrowed */
    const char *sha256;    /* of the whole file, NULL: an archive that is known by its members */
    uint64_t bytes;        /* the same, HTTP_NO_SIZE */
    int users;             /* inputs that wait for it or read it */
    int round;             /* how often it was begun anew */
    enum {
        DOWNLOAD_NEW,
        DOWNLOAD_BUSY,
        DOWNLOAD_WAITS,
        DOWNLOAD_RUNS,
        DOWNLOAD_DONE,
        DOWNLOAD_FAILED
    } state;
    bool told;                            /* its end was handed out by downloads_ended */
    bool resumed;                         /* some bytes come from an earlier run */
    char *file;                           /* while DONE: where the bytes are */
    char reason[2 * HTTP_REASON_MAX + 8]; /* while FAILED */
    /* --- of the module --- */
    struct part part;
    struct host *host;
    struct http_get get;
    struct pip pip;
    char *folder; /* pip's */
    int folder_lock;
    double due_s;
    int n_tries, n_attempts; /* without progress; in all */
    uint64_t furthest;       /* bytes of the best attempt */
};

struct downloads {
    const struct cache *cache;
    struct http http;
    struct download *list;
    struct host *hosts;
    int n_parallel, n_running, max_tries;
    double wait_s;
    uint64_t n_bytes; /* that came over the network */
};

enum rc downloads_open(struct downloads *d, const struct cache *c, int n_parallel, int max_tries,
                       double wait_s, struct err *e);
/* Breaks off what runs. Parts of direct downloads stay for the next run, archives go. */
void downloads_close(struct downloads *d);
/* A download of the file itself (sha256 given) or of an archive, which is shared: the same `where`
 * gives the same download. NULL: no memory. Counts one user. */
struct download *download_want(struct downloads *d, const struct source *s, const char *sha256,
                               uint64_t bytes);
/* One user less. keep: others may come; else an archive without users is removed. A part that is
 * not whole stays for a later run. */
void download_leave(struct downloads *d, struct download *dl, bool keep);
/* The bytes were wrong and some came from an earlier run: once more from the start. */
void download_again(struct downloads *d, struct download *dl);
/* Starts what is due and moves all on, waiting at most timeout_ms. */
enum rc downloads_turn(struct downloads *d, int timeout_ms, struct err *e);
/* The next download that is done or failed since it was last handed out, or NULL. */
struct download *downloads_ended(struct downloads *d);
/* Bytes on disk of all downloads that run. */
uint64_t downloads_under_way(const struct downloads *d);
void downloads_wake(struct downloads *d);

#endif
