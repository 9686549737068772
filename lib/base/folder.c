#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void folder_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

enum rc file_unnamed(const char *folder, int *fd, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    folder = folder ? folder : tmp && *tmp ? tmp : "/tmp";
    char *path = text_new("%s/genecompass-XXXXXX", folder);
    *fd = -1;
    if (!path)
        return err_set(e, RC_FAIL, "no memory for a path");
    *fd = mkstemp(path);
    enum rc rc = *fd >= 0 ? RC_OK
                          : err_set(e, RC_FAIL, "cannot make a temporary file in '%s': %s", folder,
                                    strerror(errno));
    if (*fd >= 0)
        unlink(path);
    free(path);
    return rc;
}

enum rc folder_scratch(const char *name, char **path, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    *path = text_new("%s/gc-%s-XXXXXX", tmp && *tmp ? tmp : "/tmp", name);
    if (!*path)
        return err_set(e, RC_FAIL, "no memory for a path");
    if (mkdtemp(*path))
        return RC_OK;
    enum rc rc = err_set(e, RC_FAIL, "cannot make folder '%s': %s", *path, strerror(errno));
    free(*path);
    *path = NULL;
    return rc;
}
