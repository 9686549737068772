#define _DEFAULT_SOURCE /* flock, mkdtemp */
#include "lib/io/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"

static char *object_path(const struct cache *c, const char *sha256)
{
    return text_new("%s/sha256/%.2s/%s", c->root, sha256, sha256 + 2);
}

static bool has_size(const char *path, uint64_t bytes)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == bytes;
}

bool cache_has(const struct cache *c, const char *sha256, uint64_t bytes)
{
    char *path = object_path(c, sha256);
    bool has = path && has_size(path, bytes);
    free(path);
    return has;
}

/* --- view --------------------------------------------------------------------------------- */

/* From view/a/b to sha256/..: one .. for each folder of the path and one for view itself. */
static char *link_target(const char *path, const char *sha256)
{
    size_t up = 1;
    for (const char *s = path; *s; s++)
        up += *s == '/';
    char *target = malloc(3 * up + SHA256_HEX + 16);
    if (!target)
        return NULL;
    for (size_t i = 0; i < up; i++)
        memcpy(target + 3 * i, "../", 3);
    snprintf(target + 3 * up, SHA256_HEX + 16, "sha256/%.2s/%s", sha256, sha256 + 2);
    return target;
}

static bool leads_to(const char *view, const char *target)
{
    size_t n = strlen(target);
    char *is = malloc(n + 2);
    ssize_t len = is ? readlink(view, is, n + 1) : -1;
    bool same = len >= 0 && (size_t)len == n && memcmp(is, target, n) == 0;
    free(is);
    return same;
}

static bool is_hard_link(const char *view, const char *object)
{
    struct stat a, b;
    return lstat(view, &a) == 0 && stat(object, &b) == 0 && S_ISREG(a.st_mode) &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool cache_view_ok(const struct cache *c, const char *path, const char *sha256, uint64_t bytes)
{
    char *view = text_new("%s/view/%s", c->root, path);
    char *target = link_target(path, sha256);
    char *object = object_path(c, sha256);
    bool good = view && target && object && has_size(view, bytes) &&
                (leads_to(view, target) || is_hard_link(view, object));
    free(view);
    free(target);
    free(object);
    return good;
}

static enum rc make_parent(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    char *dir = text_new("%.*s", (int)(slash - path), path);
    if (!dir)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = folder_exists(dir) ? RC_OK : folder_make(dir, e);
    free(dir);
    return rc;
}

enum rc cache_view(const struct cache *c, const char *path, const char *sha256, struct err *e)
{
    char *view = text_new("%s/view/%s", c->root, path);
    char *target = link_target(path, sha256);
    char *object = object_path(c, sha256);
    char *tmp = text_new("%s/part/view-%ld-%.16s", c->root, (long)getpid(), sha256);
    /* Two paths may share an object: the path's hash keeps their temporary names apart. */
    uint64_t h = 5381;
    for (const char *s = path; *s; s++)
        h = h * 33 + (unsigned char)*s;
    char *own = tmp ? text_new("%s-%016llx", tmp, (unsigned long long)h) : NULL;
    enum rc rc = RC_OK;
    if (!view || !target || !object || !own)
        rc = err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = make_parent(own, e);
    if (!rc)
        rc = make_parent(view, e);
    if (!rc) {
        unlink(own);
        if (symlink(target, own) != 0 && link(object, own) != 0)
            rc = err_set(e, RC_FAIL, "cannot link '%s': %s", view, strerror(errno));
        else if (rename(own, view) != 0)
            rc = err_set(e, RC_FAIL, "cannot rename to '%s': %s", view, strerror(errno));
        unlink(own); /* still there after a failure, and when both names were one file */
    }
    free(view);
    free(target);
    free(object);
    free(tmp);
    free(own);
    return rc;
}

/* --- parts -------------------------------------------------------------------------------- */

/* Opens and locks; *busy when another holds the lock. */
static enum rc lock_file(const char *path, int *fd, bool *busy, struct err *e)
{
    *busy = false;
    for (;;) {
        struct stat a, b;
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (*fd < 0)
            return err_set(e, RC_FAIL, "cannot write '%s': %s", path, strerror(errno));
        if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
            *busy = errno == EWOULDBLOCK;
            int was = errno;
            close(*fd);
            *fd = -1;
            return *busy ? RC_OK : err_set(e, RC_FAIL, "cannot lock '%s': %s", path, strerror(was));
        }
        /* Its last owner may have renamed or removed it between our two calls. */
        if (fstat(*fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
            a.st_ino == b.st_ino)
            return RC_OK;
        close(*fd);
    }
}

enum rc cache_part_open(const struct cache *c, const char *name, struct part *p, bool *busy,
                        struct err *e)
{
    *p = (struct part){ .fd = -1, .path = text_new("%s/part/%s.part", c->root, name) };
    *busy = false;
    enum rc rc = p->path ? make_parent(p->path, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = lock_file(p->path, &p->fd, busy, e);
    if (rc || *busy)
        cache_part_close(p);
    return rc;
}

void cache_part_close(struct part *p)
{
    if (p->path && p->fd >= 0)
        close(p->fd);
    free(p->path);
    *p = (struct part){ .fd = -1 };
}

void cache_part_drop(struct part *p)
{
    if (p->path && p->fd >= 0)
        unlink(p->path);
    cache_part_close(p);
}

static bool stopped(const struct cache *c)
{
    return c->stop && *c->stop;
}

static enum rc hash_fd(const struct cache *c, int fd, const char *path, char hex[SHA256_HEX],
                       uint64_t *n_bytes, struct err *e)
{
    enum { CHUNK = 1 << 18 };
    unsigned char *buf = malloc(CHUNK);
    struct sha256 s = { NULL };
    enum rc rc = buf ? sha256_init(&s, e) : err_set(e, RC_FAIL, "no memory to hash '%s'", path);
    *n_bytes = 0;
    while (!rc) {
        ssize_t n = pread(fd, buf, CHUNK, (off_t)*n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = err_set(e, RC_FAIL, "cannot read '%s': %s", path, strerror(errno));
        else if (stopped(c))
            rc = err_set(e, RC_FAIL, "interrupted");
        if (n <= 0 || rc)
            break;
        *n_bytes += (uint64_t)n;
        rc = sha256_add(&s, buf, (size_t)n, e);
    }
    if (!rc)
        rc = sha256_end(&s, hex, e);
    else
        sha256_release(&s);
    free(buf);
    return rc;
}

static enum rc compare(const char *want, uint64_t want_bytes, const char *is, uint64_t is_bytes,
                       struct err *e)
{
    if (is_bytes != want_bytes)
        return err_set(e, RC_INPUT, "%llu bytes, not %llu", (unsigned long long)is_bytes,
                       (unsigned long long)want_bytes);
    if (strcmp(want, is) != 0)
        return err_set(e, RC_INPUT, "wrong bytes: SHA-256 %.12s..., not %.12s...", is, want);
    return RC_OK;
}

/* The last step: on disk before it has its name, so that a power cut leaves no empty object. */
static enum rc enter(const struct cache *c, int fd, const char *tmp, const char *sha256,
                     struct err *e)
{
    char *object = object_path(c, sha256);
    enum rc rc = object ? make_parent(object, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && (fchmod(fd, 0444) != 0 || (fsync(fd) != 0 && errno != EINVAL)))
        rc = err_set(e, RC_FAIL, "cannot write '%s': %s", tmp, strerror(errno));
    if (!rc && rename(tmp, object) != 0)
        rc = err_set(e, RC_FAIL, "cannot rename '%s': %s", tmp, strerror(errno));
    free(object);
    return rc;
}

enum rc cache_adopt(const struct cache *c, struct part *p, const char *sha256, uint64_t bytes,
                    struct err *e)
{
    char hex[SHA256_HEX] = "";
    uint64_t n = 0;
    if (hash_fd(c, p->fd, p->path, hex, &n, e) || compare(sha256, bytes, hex, n, e) ||
        enter(c, p->fd, p->path, sha256, e))
        return e ? e->rc : RC_FAIL;
    cache_part_close(p);
    return RC_OK;
}

enum rc cache_verify(const struct cache *c, const char *sha256, uint64_t bytes, struct err *e)
{
    char *path = object_path(c, sha256);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char hex[SHA256_HEX] = "";
    uint64_t n = 0;
    enum rc rc = RC_OK;
    if (fd < 0)
        rc = err_set(e, RC_CHECK, "cannot open '%s': %s", path ? path : "?", strerror(errno));
    else
        rc = hash_fd(c, fd, path, hex, &n, e);
    if (!rc && compare(sha256, bytes, hex, n, e))
        rc = err_set(e, RC_CHECK, "'%s' was changed in the cache", path);
    if (fd >= 0)
        close(fd);
    free(path);
    return rc;
}

void cache_forget(const struct cache *c, const char *sha256)
{
    char *path = object_path(c, sha256);
    if (path)
        unlink(path);
    free(path);
}

/* --- new objects -------------------------------------------------------------------------- */

enum rc cache_new_open(const struct cache *c, const char *sha256, uint64_t bytes,
                       struct cache_new *w, bool *busy, struct err *e)
{
    *w = (struct cache_new){ .cache = c, .sha256 = sha256, .bytes = bytes, .fd = -1 };
    w->lock.fd = -1;
    if (cache_part_open(c, sha256, &w->lock, busy, e) || *busy)
        return *busy ? RC_OK : RC_FAIL;
    enum rc rc = RC_OK;
    w->tmp = text_new("%s/part/%s.new", c->root, sha256);
    if (w->tmp)
        w->fd = open(w->tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (!w->tmp)
        rc = err_set(e, RC_FAIL, "no memory for a path");
    else if (w->fd < 0)
        rc = err_set(e, RC_FAIL, "cannot write '%s': %s", w->tmp, strerror(errno));
    else
        rc = sha256_init(&w->sum, e);
    if (rc)
        cache_new_abort(w);
    return rc;
}

enum rc cache_new_write(struct cache_new *w, const void *data, size_t n, struct err *e)
{
    if (stopped(w->cache))
        return err_set(e, RC_FAIL, "interrupted");
    if (n > w->bytes - w->n)
        return err_set(e, RC_INPUT, "more than %llu bytes", (unsigned long long)w->bytes);
    for (const char *s = data; n;) {
        ssize_t put = write(w->fd, s, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return err_set(e, RC_FAIL, "cannot write '%s': %s", w->tmp, strerror(errno));
        if (sha256_add(&w->sum, s, (size_t)put, e))
            return RC_FAIL;
        s += put;
        n -= (size_t)put;
        w->n += (uint64_t)put;
    }
    return RC_OK;
}

enum rc cache_new_commit(struct cache_new *w, struct err *e)
{
    char hex[SHA256_HEX];
    enum rc rc = sha256_end(&w->sum, hex, e);
    if (!rc)
        rc = compare(w->sha256, w->bytes, hex, w->n, e);
    if (!rc)
        rc = enter(w->cache, w->fd, w->tmp, w->sha256, e);
    if (!rc) { /* what a broken download left is of no use now */
        free(w->tmp);
        w->tmp = NULL;
        cache_part_drop(&w->lock);
    }
    cache_new_abort(w);
    return rc;
}

void cache_new_abort(struct cache_new *w)
{
    if (w->tmp)
        unlink(w->tmp);
    if (w->fd >= 0)
        close(w->fd);
    sha256_release(&w->sum);
    struct stat st;
    if (w->lock.fd >= 0 && fstat(w->lock.fd, &st) == 0 && st.st_size == 0)
        cache_part_drop(&w->lock);
    cache_part_close(&w->lock);
    free(w->tmp);
    *w = (struct cache_new){ .fd = -1 };
    w->lock.fd = -1;
}
