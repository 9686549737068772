/* Brings inputs into the cache: the mirror first, then each source in order, until one gives the
 * right bytes.
 *
 * The calling thread runs the downloads (lib/io/download.h); workers look at the cache, copy from
 * mirrors, take members out of archives and hash. An input is always with one of them:
 *
 *   worker: in the cache? in the mirror? file: source?   -> have | lost | wants a download
 *   caller: the download, with its retries and hosts     -> back to a worker, which verifies */
#ifndef GC_IO_FETCH_H
#define GC_IO_FETCH_H

#include "lib/base/log.h"
#include "lib/io/cache.h"
#include "lib/io/inputs.h"

struct fetch_options {
    struct cache cache;
    const char *mirror; /* folder or NULL */
    int n_parallel;     /* downloads at a time */
    int max_tries;      /* of one URL without progress */
    int n_workers;
    double wait_s;             /* how long a host may be silent */
    bool verify;               /* hash what the cache has, too */
    struct progress *progress; /* NULL, or started by the caller; counts bytes */
};

/* Why one source did not do. */
struct fetch_try {
    const char *source; /* "mirror" or as written in the manifest; borrowed */
    char *reason;       /* owned */
    bool wrong;         /* bytes were there, but not the right ones */
};

struct fetch_result {
    enum { FETCH_LOST, FETCH_HAVE, FETCH_NEW } status; /* HAVE: was in the cache before */
    const char *from;                                  /* the source of a new one; borrowed */
    struct fetch_try *tries;                           /* owned */
    size_t n_tries;
};

/* result: one per input. RC_OK also when inputs are lost: who calls knows which are required.
 * RC_FAIL: the disk is full, memory is short, *stop was set. What was fetched before stays. */
enum rc fetch_run(const struct inputs *in, const struct fetch_options *o,
                  struct fetch_result *result, uint64_t *n_network_bytes, struct err *e);
void fetch_results_release(struct fetch_result *result, size_t n);

#endif
