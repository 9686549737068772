/* Which files an input is made of. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/io/import_parts.h"
#include "lib/io/lines.h"

void input_release(struct input *in)
{
    free(in->main);
    free(in->features);
    free(in->barcodes);
    *in = (struct input){ 0 };
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* *to: folder/prefix + name, or the same with .gz; NULL when neither is a file. */
static enum rc either(const char *folder, const char *prefix, const char *name, char **to,
                      struct err *e)
{
    *to = NULL;
    for (int gz = 0; !*to && gz < 2; gz++) {
        char *path = text_new("%s/%s%s%s", folder, prefix, name, gz ? ".gz" : "");
        if (!path)
            return err_set(e, RC_FAIL, "no memory for a path");
        if (file_exists(path))
            *to = path;
        else
            free(path);
    }
    return RC_OK;
}

/* The three files of a matrix whose names start with prefix; main is taken over. */
static enum rc find_names(char *matrix, const char *folder, const char *prefix, struct input *in,
                          struct err *e)
{
    *in = (struct input){ .kind = INPUT_MTX, .main = matrix };
    enum rc rc = either(folder, prefix, "features.tsv", &in->features, e);
    if (!rc && !in->features)
        rc = either(folder, prefix, "genes.tsv", &in->features, e);
    if (!rc)
        rc = either(folder, prefix, "barcodes.tsv", &in->barcodes, e);
    if (!rc && !(in->features && in->barcodes))
        rc = err_set(e, RC_INPUT, "'%s' has no %s%s", folder, prefix,
                     in->features ? "barcodes.tsv or barcodes.tsv.gz"
                                  : "features.tsv or genes.tsv, plain or .gz");
    if (rc)
        input_release(in);
    return rc;
}

struct listing {
    char *matrix_prefix, *folder; /* the last seen; owned */
    size_t n_matrices, n_folders;
};

static enum rc list_folder(const char *path, struct listing *l, struct err *e)
{
    *l = (struct listing){ 0 };
    DIR *d = opendir(path);
    if (!d)
        return err_set(e, errno == ENOMEM ? RC_FAIL : RC_INPUT, "cannot open '%s': %s", path,
                       strerror(errno));
    enum rc rc = RC_OK;
    for (struct dirent *x; !rc && (x = readdir(d));) {
        const char *name = x->d_name;
        bool gz = ends_with(name, "matrix.mtx.gz"), plain = ends_with(name, "matrix.mtx");
        if (name[0] == '.')
            continue;
        char *full = text_new("%s/%s", path, name);
        if (!full) {
            rc = err_set(e, RC_FAIL, "no memory for a path");
        } else if ((gz || plain) && file_exists(full)) {
            size_t n = strlen(name) - strlen(gz ? "matrix.mtx.gz" : "matrix.mtx");
            char *prefix = text_new("%.*s", (int)n, name);
            bool same = l->matrix_prefix && prefix && strcmp(l->matrix_prefix, prefix) == 0;
            l->n_matrices += !same; /* plain and .gz of one name are one */
            free(l->matrix_prefix);
            l->matrix_prefix = prefix;
            if (!prefix)
                rc = err_set(e, RC_FAIL, "no memory for a path");
        } else if (folder_exists(full)) {
            l->n_folders++;
            free(l->folder);
            l->folder = full;
            full = NULL;
        }
        free(full);
    }
    closedir(d);
    return rc;
}

/* Cell Ranger 2 puts the files one folder deeper, named after the genome. */
static enum rc find_in_folder(const char *path, int depth, struct input *in, struct err *e)
{
    struct listing l;
    char *matrix = NULL;
    const char *prefix = "";
    enum rc rc = list_folder(path, &l, e);
    if (!rc)
        rc = either(path, "", "matrix.mtx", &matrix, e);
    if (!rc && !matrix && l.n_matrices == 1 && l.matrix_prefix) {
        prefix = l.matrix_prefix;
        rc = either(path, prefix, "matrix.mtx", &matrix, e);
    }
    if (matrix)
        rc = find_names(matrix, path, prefix, in, e);
    else if (!rc && l.n_matrices > 1)
        rc = err_set(e, RC_INPUT, "'%s' has %zu matrices; name one of the files", path,
                     l.n_matrices);
    else if (!rc && l.n_folders == 1 && l.folder && depth < 2)
        rc = find_in_folder(l.folder, depth + 1, in, e);
    else if (!rc)
        rc = err_set(e, RC_INPUT, "'%s' is a folder without matrix.mtx or matrix.mtx.gz", path);
    free(l.matrix_prefix);
    free(l.folder);
    return rc;
}

static bool is_hdf5(const char *path)
{
    static const char magic[8] = { '\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n' };
    static const char *const end[] = { ".h5ad", ".h5", ".hdf5", ".loom" };
    char head[8] = "";
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool yes = fd >= 0 && read(fd, head, 8) == 8 && memcmp(head, magic, 8) == 0;
    if (fd >= 0)
        close(fd);
    for (size_t i = 0; !yes && i < 4; i++)
        yes = ends_with(path, end[i]);
    return yes;
}

static enum rc first_line_is_mtx(const char *path, bool *yes, struct err *e)
{
    struct lines l;
    bool more = false;
    *yes = false;
    enum rc rc = lines_open(&l, path, e);
    if (!rc)
        rc = lines_next(&l, &more, e);
    if (!rc && !more)
        rc = err_set(e, RC_INPUT, "'%s' is empty", path);
    if (!rc)
        *yes = strncmp(l.text, "%%MatrixMarket", 14) == 0;
    lines_close(&l);
    return rc;
}

/* A matrix file given by itself: its folder, and what stands before "matrix.mtx" in its name. */
static enum rc find_beside(const char *path, struct input *in, struct err *e)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *word = strstr(base, "matrix.mtx");
    char *folder = slash ? text_new("%.*s", (int)(slash - path), path) : text_new(".");
    char *prefix = text_new("%.*s", word ? (int)(word - base) : 0, base);
    char *matrix = text_new("%s", path);
    enum rc rc = RC_FAIL;
    if (folder && prefix && matrix) {
        rc = find_names(matrix, *folder ? folder : "/", prefix, in, e);
    } else {
        free(matrix);
        err_set(e, RC_FAIL, "no memory for a path");
    }
    free(folder);
    free(prefix);
    return rc;
}

enum rc input_find(const char *path, struct input *in, struct err *e)
{
    struct stat st;
    bool mtx = false;
    *in = (struct input){ 0 };
    if (stat(path, &st) != 0)
        return err_set(e, RC_INPUT, "cannot open '%s': %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return find_in_folder(path, 0, in, e);
    bool hdf5 = is_hdf5(path);
    if (!hdf5 && first_line_is_mtx(path, &mtx, e))
        return e ? e->rc : RC_INPUT;
    if (mtx)
        return find_beside(path, in, e);
    in->kind = hdf5 ? INPUT_HDF5 : INPUT_TEXT;
    in->main = text_new("%s", path);
    return in->main ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
}
