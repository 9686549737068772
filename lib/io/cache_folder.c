/* Working folders inside the cache. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#define _DEFAULT_SOURCE   /* flock */
#include "lib/io/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"

/* -1: another holds it, or it is gone. */
static int lock_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat a, b;
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
        a.st_ino == b.st_ino && a.st_dev == b.st_dev)
        return fd;
    close(fd);
    return -1;
}

enum rc cache_folder_new(const struct cache *c, const char *prefix, char **path, int *lock_fd,
                         struct err *e)
{
    char *dir = text_new("%s/part", c->root);
    enum rc rc = dir ? folder_make(dir, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(dir);
    *path = NULL;
    *lock_fd = -1;
    /* A run that sweeps may take the folder between its making and its locking: then once more. */
    for (int i = 0; !rc && *lock_fd < 0 && i < 16; i++) {
        free(*path);
        *path = text_new("%s/part/%s-XXXXXX", c->root, prefix);
        if (!*path)
            rc = err_set(e, RC_FAIL, "no memory for a path");
        else if (!mkdtemp(*path))
            rc = err_set(e, RC_FAIL, "cannot make folder '%s': %s", *path, strerror(errno));
        else
            *lock_fd = lock_folder(*path);
    }
    if (!rc && *lock_fd < 0)
        rc = err_set(e, RC_FAIL, "cannot lock a folder in '%s/part'", c->root);
    if (rc) {
        free(*path);
        *path = NULL;
    }
    return rc;
}

void cache_folder_drop(char *path, int lock_fd)
{
    if (path)
        folder_remove(path);
    if (lock_fd >= 0)
        close(lock_fd);
    free(path);
}

void cache_sweep(const struct cache *c, const char *prefix)
{
    char *dir = text_new("%s/part", c->root);
    DIR *d = dir ? opendir(dir) : NULL;
    size_t n = strlen(prefix);
    for (struct dirent *t; d && (t = readdir(d));) {
        if (strncmp(t->d_name, prefix, n) != 0 || t->d_name[n] != '-')
            continue;
        char *path = text_new("%s/%s", dir, t->d_name);
        int fd = path ? lock_folder(path) : -1;
        if (fd >= 0)
            cache_folder_drop(path, fd);
        else
            free(path);
    }
    if (d)
        closedir(d);
    free(dir);
}
