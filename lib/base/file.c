#include "lib/base/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *text_new(const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = n < 0 ? NULL : malloc((size_t)n + 1);
    if (s)
        vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool folder_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

enum rc folder_make(const char *path, struct err *e)
{
    char *p = text_new("%s", path);
    if (!p)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = RC_OK;
    for (char *s = p + 1; !rc; s++) {
        char c = *s;
        if (c != '/' && c != '\0')
            continue;
        *s = '\0';
        if (mkdir(p, 0777) != 0 && !folder_exists(p))
            rc = err_set(e, RC_FAIL, "cannot make folder '%s': %s", p, strerror(errno));
        *s = c;
        if (c == '\0')
            break;
    }
    free(p);
    return rc;
}

static enum rc make_parent(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return RC_OK;
    char *dir = text_new("%.*s", (int)(slash - path), path);
    if (!dir)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = folder_exists(dir) ? RC_OK : folder_make(dir, e);
    free(dir);
    return rc;
}

/* A device or pipe: renaming onto it would put a plain file in its place. So it would with the names
 * of open files: /dev/stdout is a link, and what it leads to is a regular file after `>FILE`. */
static bool is_special(const char *path)
{
    struct stat st;
    if (strncmp(path, "/proc/", 6) == 0 ||
        (strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0))
        return true;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

enum rc outfile_reserve(struct outfile *o, const char *path, struct err *e)
{
    *o = (struct outfile){ 0 };
    if (is_special(path))
        return err_set(e, RC_FAIL, "cannot write '%s': no regular file", path);
    if (make_parent(path, e))
        return e ? e->rc : RC_FAIL;
    o->path = text_new("%s", path);
    o->tmp = text_new("%s.part", path);
    if (o->path && o->tmp)
        return RC_OK;
    outfile_abort(o);
    return err_set(e, RC_FAIL, "no memory for a path");
}

enum rc outfile_open(struct outfile *o, const char *path, struct err *e)
{
    bool special = is_special(path);
    *o = (struct outfile){ .path = special ? text_new("%s", path) : NULL };
    if (special && !o->path)
        return err_set(e, RC_FAIL, "no memory for a path");
    if (!special && outfile_reserve(o, path, e))
        return e ? e->rc : RC_FAIL;
    const char *at = special ? o->path : o->tmp;
    o->f = fopen(at, "wb");
    if (o->f)
        return RC_OK;
    err_set(e, RC_FAIL, "cannot write '%s': %s", at, strerror(errno));
    outfile_abort(o);
    return e ? e->rc : RC_FAIL;
}

enum rc outfile_commit(struct outfile *o, struct err *e)
{
    enum rc rc = RC_OK;
    if (o->f) {
        bool bad = ferror(o->f) != 0;
        int was = errno;
        if (fflush(o->f) != 0) {
            bad = true;
            was = errno;
        }
        if (fclose(o->f) != 0 && !bad) {
            bad = true;
            was = errno;
        }
        o->f = NULL;
        if (bad)
            rc = err_set(e, RC_FAIL, "cannot write '%s': %s", o->path, strerror(was));
    }
    if (!rc && o->tmp && rename(o->tmp, o->path) != 0)
        rc = err_set(e, RC_FAIL, "cannot rename '%s': %s", o->tmp, strerror(errno));
    if (!rc) {
        free(o->tmp);
        o->tmp = NULL;
    }
    outfile_abort(o);
    return rc;
}

void outfile_abort(struct outfile *o)
{
    if (o->f)
        fclose(o->f);
    if (o->tmp)
        unlink(o->tmp);
    free(o->path);
    free(o->tmp);
    *o = (struct outfile){ 0 };
}

enum rc outfile_close(struct outfile *o, enum rc rc, struct err *e)
{
    if (!rc)
        return outfile_commit(o, e);
    outfile_abort(o);
    return rc;
}

enum rc file_read(const char *path, size_t max_bytes, char **data, size_t *n_bytes, struct err *e)
{
    *data = NULL;
    *n_bytes = 0;
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st) != 0) {
        err_set(e, RC_INPUT, "cannot open '%s': %s", path, strerror(errno));
        if (f)
            fclose(f);
        return e ? e->rc : RC_INPUT;
    }
    enum rc rc = RC_OK;
    if (S_ISDIR(st.st_mode))
        rc = err_set(e, RC_INPUT, "'%s' is a folder", path);
    size_t n = 0, room = st.st_size > 0 ? (size_t)st.st_size + 1 : 1 << 16;
    char *buf = NULL;
    while (!rc) {
        char *more = n > max_bytes ? NULL : realloc(buf, room + 1);
        if (!more) {
            rc = n > max_bytes
                     ? err_set(e, RC_INPUT, "'%s' is larger than %zu bytes", path, max_bytes)
                     : err_set(e, RC_FAIL, "no memory for '%s'", path);
            break;
        }
        buf = more;
        n += fread(buf + n, 1, room - n, f);
        if (n < room)
            break;
        room *= 2;
    }
    if (!rc && ferror(f))
        rc = err_set(e, RC_FAIL, "cannot read '%s': %s", path, strerror(errno));
    if (!rc && n > max_bytes)
        rc = err_set(e, RC_INPUT, "'%s' is larger than %zu bytes", path, max_bytes);
    fclose(f);
    if (rc) {
        free(buf);
        return rc;
    }
    buf[n] = '\0';
    *data = buf;
    *n_bytes = n;
    return RC_OK;
}

enum rc file_copy(const char *from, const char *to, struct err *e)
{
    FILE *f = fopen(from, "rb");
    if (!f)
        return err_set(e, RC_INPUT, "cannot open '%s': %s", from, strerror(errno));
    struct outfile o;
    char buf[1 << 14];
    enum rc rc = outfile_open(&o, to, e);
    for (size_t n = 1; !rc && n;) {
        n = fread(buf, 1, sizeof buf, f);
        fwrite(buf, 1, n, o.f);
    }
    if (!rc && ferror(f))
        rc = err_set(e, RC_FAIL, "cannot read '%s': %s", from, strerror(errno));
    fclose(f);
    if (!rc)
        return outfile_commit(&o, e);
    outfile_abort(&o);
    return rc;
}
