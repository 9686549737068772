/* The hash of a file, computed beside other work.
 *
 *   sha256_job_start     a thread of its own begins; with --threads 1 there is none
 *   sha256_job_wait      the digits; without a thread they are computed here
 *   sha256_job_release   in every case; a hash that nobody waits for is broken off
 * The file stays open from the first call on, so it is the one that was there then. */
#ifndef GC_BASE_SHA256_JOB_H
#define GC_BASE_SHA256_JOB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/base/sha256.h"

struct sha256_job {
    char hex[SHA256_HEX]; /* set once done */
    bool done;            /* sha256_job_wait has returned RC_OK */
    /* private */
    char *path; /* owned */
    FILE *f;
    bool threaded;
    atomic_bool stop;
    pthread_t thread;
    struct err trouble;
};

/* RC_INPUT: the file cannot be opened. On failure *j is empty. *j must not move until it is
 * released. */
enum rc sha256_job_start(struct sha256_job *j, const char *path, struct err *e);
/* Fills j->hex; may be called again. RC_FAIL: reading broke off. */
enum rc sha256_job_wait(struct sha256_job *j, struct err *e);
/* Of a *j that is all zeros, too. */
void sha256_job_release(struct sha256_job *j);

#endif
