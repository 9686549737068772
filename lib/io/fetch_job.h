/* Inside lib/io/fetch: one input on its way, and what a worker does for it. */
#ifndef GC_IO_FETCH_JOB_H
#define GC_IO_FETCH_JOB_H

#include "lib/io/download.h"
#include "lib/io/fetch.h"

enum job_state {
    JOB_QUEUED, /* for a worker */
    JOB_STEPS,  /* a worker has it */
    /* what a worker says: */
    JOB_HAVE,
    JOB_LOST,
    JOB_WANTS, /* the download of source next - 1 */
    JOB_BUSY,  /* another holds the object's lock: again in a moment */
    JOB_AGAIN, /* wrong bytes, some of them from an earlier run */
    JOB_BROKEN,
    /* the caller has it: */
    JOB_WAITS, /* for its download */
    JOB_SLEEPS,
    JOB_ENDED
};

struct job {
    const struct input *in;
    struct fetch_result *result;
    size_t next; /* 0: the mirror, then source next - 1 */
    enum job_state state;
    double due_s;
    struct err err;
    /* Set by the caller before a worker gets the job: */
    struct download *dl;
    int round;
    bool dl_ended, dl_failed, dl_resumed;
    char *dl_file; /* owned: another input may start the download anew meanwhile */
    bool again_was;
};

/* As far as it goes without the network: looks at the cache, tries the mirror and file: sources,
 * takes the bytes of a download that has ended. Returns one of the states that a worker may say. */
enum job_state job_step(struct job *j, const struct fetch_options *o);
/* Notes why a source did not do. RC_FAIL: no memory. */
enum rc job_note(struct job *j, const char *source, const char *reason, bool wrong);

#endif
