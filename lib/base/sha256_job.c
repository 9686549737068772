#include "lib/base/sha256_job.h"

#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/thread.h"

static void *work(void *arg)
{
    struct sha256_job *j = arg;
    sha256_stream(j->f, j->path, &j->stop, j->hex, NULL, &j->trouble);
    return NULL;
}

enum rc sha256_job_start(struct sha256_job *j, const char *path, struct err *e)
{
    struct err own = { 0 };
    *j = (struct sha256_job){ .path = text_new("%s", path) };
    if (!j->path)
        err_set(&own, RC_FAIL, "no memory for a path");
    else
        j->f = sha256_open(path, &own);
    if (own.rc) {
        sha256_job_release(j);
        if (e)
            *e = own;
        return own.rc;
    }
    j->threaded = threads_count() > 1 && pthread_create(&j->thread, NULL, work, j) == 0;
    return RC_OK;
}

enum rc sha256_job_wait(struct sha256_job *j, struct err *e)
{
    if (j->done)
        return RC_OK;
    if (j->threaded)
        pthread_join(j->thread, NULL);
    else if (!j->trouble.rc)
        work(j);
    j->threaded = false;
    j->done = !j->trouble.rc;
    if (!j->done && e)
        *e = j->trouble;
    return j->trouble.rc;
}

void sha256_job_release(struct sha256_job *j)
{
    atomic_store(&j->stop, true);
    if (j->threaded)
        pthread_join(j->thread, NULL);
    if (j->f)
        fclose(j->f);
    free(j->path);
    *j = (struct sha256_job){ .done = false };
}
