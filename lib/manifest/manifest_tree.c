/* The files of a stage's folder and their sums. */
#include "lib/manifest/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/thread.h"

/* A chain of folders deeper than this is a loop or a mistake. */
enum { MAX_DEPTH = 64 };

struct walk {
    const struct manifest *m;
    const char *dir;
    struct arena *text;
    struct manifest_row *row;
    size_t n, room;
    struct err *e;
};

static bool left_out(const struct manifest *m, const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *last = slash ? slash + 1 : name;
    if (strcmp(name, MANIFEST_NAME) == 0 || strcmp(last, "params") == 0 ||
        fnmatch("*.log", last, 0) == 0 || fnmatch("*.part", last, 0) == 0)
        return true;
    for (size_t i = 0; i < m->n; i++)
        if (m->row[i].kind == MANIFEST_EXCLUDE &&
            (fnmatch(m->row[i].name, name, 0) == 0 || fnmatch(m->row[i].name, last, 0) == 0))
            return true;
    return false;
}

static enum rc add(struct walk *w, const char *name)
{
    if (w->n == w->room) {
        size_t room = w->room ? 2 * w->room : 64;
        struct manifest_row *more = realloc(w->row, room * sizeof *more);
        if (!more)
            return err_set(w->e, RC_FAIL, "no memory for the files of '%s'", w->dir);
        w->row = more;
        w->room = room;
    }
    w->row[w->n] = (struct manifest_row){ .kind = MANIFEST_OUTPUT };
    w->row[w->n].name = arena_text(w->text, name);
    if (!w->row[w->n].name)
        return err_set(w->e, RC_FAIL, "no memory for the files of '%s'", w->dir);
    w->n++;
    return RC_OK;
}

static enum rc walk(struct walk *w, const char *below, int depth);

/* One entry; name is relative to the stage's folder. */
static enum rc visit(struct walk *w, const char *name, int depth)
{
    char *path = text_new("%s/%s", w->dir, name);
    struct stat st;
    enum rc rc = RC_OK;
    if (!path)
        rc = err_set(w->e, RC_FAIL, "no memory for a path");
    else if (lstat(path, &st) != 0)
        rc = err_set(w->e, RC_FAIL, "cannot look at '%s': %s", path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        rc = walk(w, name, depth + 1);
    else if (left_out(w->m, name))
        rc = RC_OK;
    else if (!S_ISREG(st.st_mode))
        rc = err_set(w->e, RC_INPUT, "'%s' is %s: a stage's outputs are plain files", path,
                     S_ISLNK(st.st_mode) ? "a symbolic link" : "no regular file");
    else
        rc = add(w, name);
    free(path);
    return rc;
}

static enum rc walk(struct walk *w, const char *below, int depth)
{
    char *path = *below ? text_new("%s/%s", w->dir, below) : text_new("%s", w->dir);
    if (!path)
        return err_set(w->e, RC_FAIL, "no memory for a path");
    DIR *d = depth < MAX_DEPTH ? opendir(path) : NULL;
    enum rc rc = RC_OK;
    if (!d)
        rc = depth < MAX_DEPTH
                 ? err_set(w->e, RC_INPUT, "cannot read folder '%s': %s", path, strerror(errno))
                 : err_set(w->e, RC_INPUT, "'%s': folders are nested too deep", path);
    for (struct dirent *t; !rc && (errno = 0, t = readdir(d));) {
        if (strcmp(t->d_name, ".") == 0 || strcmp(t->d_name, "..") == 0)
            continue;
        char *name = *below ? text_new("%s/%s", below, t->d_name) : text_new("%s", t->d_name);
        rc = name ? visit(w, name, depth) : err_set(w->e, RC_FAIL, "no memory for a path");
        free(name);
    }
    if (!rc && errno)
        rc = err_set(w->e, RC_FAIL, "cannot read folder '%s': %s", path, strerror(errno));
    if (d)
        closedir(d);
    free(path);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct manifest_row *)a)->name, ((const struct manifest_row *)b)->name);
}

enum rc manifest_tree(const struct manifest *m, const char *dir, struct arena *text,
                      struct manifest_row **row, size_t *n, struct err *e)
{
    struct walk w = { .m = m, .dir = dir, .text = text, .e = e };
    enum rc rc = walk(&w, "", 0);
    if (rc) {
        free(w.row);
        w = (struct walk){ 0 };
    }
    if (w.n)
        qsort(w.row, w.n, sizeof *w.row, by_name);
    *row = w.row;
    *n = w.n;
    return rc;
}

struct hash_job {
    struct manifest_row *row;
    const char *dir;
    unsigned char *missing;
    struct err *err; /* one per file */
};

static void hash_one(void *ctx, size_t i, int worker)
{
    (void)worker;
    struct hash_job *j = ctx;
    char *path = text_new("%s/%s", j->dir, j->row[i].name);
    if (!path)
        err_set(&j->err[i], RC_FAIL, "no memory for a path");
    else if (j->missing && !file_exists(path))
        j->missing[i] = 1;
    else
        sha256_file(path, j->row[i].sha256, &j->row[i].bytes, &j->err[i]);
    free(path);
}

enum rc manifest_hash(struct manifest_row *row, size_t n, const char *dir, unsigned char *missing,
                      struct err *e)
{
    struct hash_job j = { row, dir, missing, calloc(n ? n : 1, sizeof *j.err) };
    if (!j.err)
        return err_set(e, RC_FAIL, "no memory to hash %zu files", n);
    threads_for(n, hash_one, &j);
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && !rc; i++)
        if (j.err[i].rc)
            rc = err_set(e, j.err[i].rc, "%s", j.err[i].text);
    free(j.err);
    return rc;
}
