#include "lib/io/shard_names.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

static bool is_shard(const char *name)
{
    if (strncmp(name, "shard-", 6) != 0)
        return false;
    size_t n = strspn(name + 6, "0123456789");
    return n > 0 && strcmp(name + 6 + n, ".h5") == 0;
}

/* Numbers are written with five digits or more: the shorter name is the smaller number. */
static int by_number(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    size_t n = strlen(x), m = strlen(y);
    return n != m ? (n > m) - (n < m) : strcmp(x, y);
}

void shard_names_free(char **name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(name[i]);
    free(name);
}

static enum rc add_name(char ***name, size_t *n, const char *text, struct err *e)
{
    char **more = realloc(*name, (*n + 1) * sizeof *more);
    char *copy = text_new("%s", text);
    if (more)
        *name = more;
    if (!more || !copy) {
        free(copy);
        return err_set(e, RC_FAIL, "no memory for %zu names", *n);
    }
    more[(*n)++] = copy;
    return RC_OK;
}

enum rc shard_names(const char *folder, char ***name, size_t *n, struct err *e)
{
    *name = NULL;
    *n = 0;
    DIR *d = opendir(folder);
    if (!d)
        return err_set(e, RC_INPUT, "cannot open folder '%s': %s", folder, strerror(errno));
    enum rc rc = RC_OK;
    const struct dirent *entry;
    while (!rc && (entry = readdir(d)))
        if (is_shard(entry->d_name))
            rc = add_name(name, n, entry->d_name, e);
    closedir(d);
    if (rc) {
        shard_names_free(*name, *n);
        *name = NULL;
        *n = 0;
    } else if (*n) {
        qsort(*name, *n, sizeof **name, by_number);
    }
    return rc;
}
