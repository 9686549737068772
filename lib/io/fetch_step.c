/* What a worker does for one input: cache, mirror, files, ended downloads. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/io/archive_member.h"
#include "lib/io/fetch_job.h"

enum outcome { GOT, NEXT, BUSY, AGAIN, BROKEN };

enum rc job_note(struct job *j, const char *source, const char *reason, bool wrong)
{
    struct fetch_result *r = j->result;
    struct fetch_try *more = realloc(r->tries, (r->n_tries + 1) * sizeof *more);
    char *copy = text_new("%s", reason);
    if (more)
        r->tries = more;
    if (!more || !copy) {
        free(copy);
        return err_set(&j->err, RC_FAIL, "no memory for the list of failures");
    }
    r->tries[r->n_tries++] = (struct fetch_try){ source, copy, wrong };
    return RC_OK;
}

/* The next source, unless the trouble is the machine's: that ends the run. */
static enum outcome lost(struct job *j, const char *source, enum rc rc, const char *reason,
                         bool wrong)
{
    return rc == RC_FAIL || job_note(j, source, reason, wrong) ? BROKEN : NEXT;
}

static enum rc to_object(void *ctx, const void *data, size_t n, struct err *e)
{
    return cache_new_write(ctx, data, n, e);
}

static enum rc copy_file(int fd, struct cache_new *w, struct err *e)
{
    enum { CHUNK = 1 << 18 };
    char *buf = malloc(CHUNK);
    enum rc rc = buf ? RC_OK : err_set(e, RC_FAIL, "no memory to copy");
    while (!rc) {
        ssize_t n = read(fd, buf, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = err_set(e, RC_INPUT, "cannot be read: %s", strerror(errno));
        if (n <= 0)
            break;
        rc = cache_new_write(w, buf, (size_t)n, e);
    }
    free(buf);
    return rc;
}

/* A file on this machine, or a member of one, becomes the object. */
static enum outcome take_file(struct job *j, const struct fetch_options *o, const char *source,
                              const char *path, const char *member)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        char reason[128];
        snprintf(reason, sizeof reason, "%s", fd < 0 ? strerror(errno) : "no regular file");
        if (fd >= 0)
            close(fd);
        return lost(j, source, RC_INPUT, reason, false);
    }
    struct cache_new w;
    bool busy = false;
    enum rc rc = RC_OK;
    if (!member && (uint64_t)st.st_size != j->in->bytes)
        rc = err_set(&j->err, RC_INPUT, "%llu bytes, not %llu", (unsigned long long)st.st_size,
                     (unsigned long long)j->in->bytes);
    else
        rc = cache_new_open(&o->cache, j->in->sha256, j->in->bytes, &w, &busy, &j->err);
    if (!rc && !busy) {
        rc = member ? archive_member(path, member, to_object, &w, &j->err)
                    : copy_file(fd, &w, &j->err);
        if (rc)
            cache_new_abort(&w);
        else
            rc = cache_new_commit(&w, &j->err);
    }
    close(fd);
    if (rc)
        return lost(j, source, rc, j->err.text, true);
    return busy ? BUSY : GOT;
}

/* The bytes of a download that has ended. */
static enum outcome take_download(struct job *j, const struct fetch_options *o,
                                  const struct source *s)
{
    struct download *dl = j->dl;
    if (j->dl_failed) /* the reason stays as it is while it has users */
        return lost(j, s->text, RC_INPUT, dl->reason, false);
    bool direct = dl->sha256 && dl->kind == SOURCE_HTTP;
    enum outcome got = GOT;
    if (direct) {
        enum rc rc = cache_adopt(&o->cache, &dl->part, j->in->sha256, j->in->bytes, &j->err);
        if (!rc)
            return GOT;
        if (rc == RC_INPUT && j->dl_resumed && !j->again_was)
            return AGAIN;
        got = lost(j, s->text, rc, j->err.text, true);
        if (got == NEXT) /* not to be gone on with */
            cache_part_drop(&dl->part);
        return got;
    }
    size_t n = j->result->n_tries;
    got = take_file(j, o, s->text, j->dl_file, s->member);
    if (got == NEXT && j->dl_resumed && !j->again_was) {
        while (j->result->n_tries > n)
            free(j->result->tries[--j->result->n_tries].reason);
        return AGAIN;
    }
    return got;
}

static enum outcome try_next(struct job *j, const struct fetch_options *o)
{
    if (j->next == 0) {
        if (!o->mirror)
            return NEXT;
        char *path = text_new("%s/%s", o->mirror, j->in->path);
        if (!path) {
            err_set(&j->err, RC_FAIL, "no memory for a path");
            return BROKEN;
        }
        enum outcome got = take_file(j, o, "mirror", path, NULL);
        free(path);
        return got;
    }
    const struct source *s = &j->in->source[j->next - 1];
    if (s->kind == SOURCE_FILE)
        return take_file(j, o, s->text, s->where, s->member);
    return take_download(j, o, s);
}

static const char *source_name(const struct job *j)
{
    return j->next == 0 ? "mirror" : j->in->source[j->next - 1].text;
}

static bool wants_download(const struct job *j)
{
    return j->next > 0 && j->next <= j->in->n_sources &&
           j->in->source[j->next - 1].kind != SOURCE_FILE;
}

enum job_state job_step(struct job *j, const struct fetch_options *o)
{
    const struct input *in = j->in;
    for (;;) {
        err_clear(&j->err);
        if (cache_has(&o->cache, in->sha256, in->bytes)) {
            if (!cache_view_ok(&o->cache, in->path, in->sha256, in->bytes) &&
                cache_view(&o->cache, in->path, in->sha256, &j->err))
                return JOB_BROKEN;
            if (!j->result->status)
                j->result->status = FETCH_HAVE;
            return JOB_HAVE;
        }
        if (j->next > in->n_sources)
            return JOB_LOST;
        if (wants_download(j) && !j->dl_ended)
            return JOB_WANTS;
        switch (try_next(j, o)) {
        case GOT:
            j->result->status = FETCH_NEW;
            j->result->from = source_name(j);
            break;
        case NEXT:
            j->next++;
            j->dl_ended = j->again_was = false;
            break;
        case BUSY:
            return JOB_BUSY;
        case AGAIN:
            j->again_was = true;
            return JOB_AGAIN;
        case BROKEN:
            return JOB_BROKEN;
        }
    }
}
