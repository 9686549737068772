#include "lib/app/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/app/model_file.h"
#include "lib/base/file.h"
#include "lib/io/h5.h"

static hid_t real_h5(const struct params *p)
{
    return p->b->type == REAL_F32 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE;
}

static enum rc put_block(hid_t file, const char *name, const struct params *p, const void *x,
                         struct err *e)
{
    const uint64_t n = p->n_items;
    void *here = p->b->memory ? malloc(n * p->b->real_bytes + 1) : NULL;
    if (p->b->memory && !here)
        return err_set(e, RC_FAIL, "no memory for %zu parameters", p->n_items);
    if (here)
        backend_read(p->b, here, x, n * p->b->real_bytes);
    const enum rc rc =
        h5_put_data(file, name, real_h5(p), real_h5(p), 1, &n, here ? here : x, NULL, e);
    free(here);
    return rc;
}

static enum rc write_state(const struct model *m, const char *path, uint64_t step,
                           const char *fingerprint, struct err *e)
{
    const struct params *p = &m->params;
    const int64_t number[2] = { (int64_t)step, m->warm_steps };
    hid_t file;
    enum rc rc = h5_create(path, &file, e);
    if (rc)
        return rc;
    const struct {
        const char *name;
        const void *x;
    } block[] = { { "weights", p->x }, { "moment1", p->m }, { "moment2", p->v } };
    for (int i = 0; !rc && i < 3; i++)
        rc = put_block(file, block[i].name, p, block[i].x, e);
    if (!rc)
        rc = h5_put_attr_i64(file, "step", number, 1, e);
    if (!rc)
        rc = h5_put_attr_i64(file, "warm_steps", number + 1, 1, e);
    if (!rc)
        rc = h5_put_attr_text(file, "backend", p->b->name, e);
    if (!rc)
        rc = h5_put_attr_text(file, "fingerprint", fingerprint, e);
    if (rc) {
        H5Fclose(file);
        return rc;
    }
    return h5_finish(file, path, e);
}

/* Brings what was written to a file, or the names in a folder, onto the disk. */
static enum rc sync_one(const char *path, struct err *e)
{
    const int fd = path ? open(path, O_RDONLY) : -1;
    /* EINVAL: a file system that has nothing to bring anywhere. */
    const bool bad = fd < 0 || (fsync(fd) != 0 && errno != EINVAL);
    const int was = errno;
    if (fd >= 0)
        close(fd);
    return bad ? err_set(e, RC_FAIL, "cannot write '%s': %s", path ? path : "", strerror(was))
               : RC_OK;
}

/* All files of a folder, then the folder: after the rename that follows, loss of power can take the
 * checkpoint, but not leave a torn one under its name. */
static enum rc folder_sync(const char *path, struct err *e)
{
    DIR *d = opendir(path);
    if (!d)
        return err_set(e, RC_FAIL, "cannot open '%s': %s", path, strerror(errno));
    enum rc rc = RC_OK;
    for (struct dirent *f; !rc && (f = readdir(d));) {
        if (f->d_name[0] == '.')
            continue;
        char *name = text_new("%s/%s", path, f->d_name);
        rc = sync_one(name, e);
        free(name);
    }
    closedir(d);
    return rc ? rc : sync_one(path, e);
}

enum rc checkpoint_save(const struct model *m, const char *run, uint64_t step,
                        const char fingerprint[SHA256_HEX], char *const *beside, size_t n_beside,
                        struct err *e)
{
    const unsigned long long n = step;
    char *part = text_new("%s/step-%llu.part", run, n), *final = text_new("%s/step-%llu", run, n);
    char *state = text_new("%s/step-%llu.part/state.h5", run, n);
    enum rc rc = part && final && state ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc) {
        folder_remove(part); /* of an interrupted run */
        rc = folder_make(part, e);
    }
    if (!rc)
        rc = model_save(m, part, e);
    if (!rc)
        rc = write_state(m, state, step, fingerprint, e);
    for (size_t i = 0; !rc && i < n_beside; i++)
        rc = model_copy_beside(part, beside[i], e);
    if (!rc)
        rc = folder_sync(part, e);
    if (!rc && folder_exists(final))
        folder_remove(final);
    if (!rc && rename(part, final) != 0)
        rc = err_set(e, RC_FAIL, "cannot rename '%s': %s", part, strerror(errno));
    if (!rc) /* older checkpoints are removed next: the new name must last before that */
        rc = sync_one(run, e);
    if (rc && part)
        folder_remove(part);
    free(part);
    free(final);
    free(state);
    return rc;
}

/* The step of "step-N", or UINT64_MAX. */
static uint64_t step_of(const char *name)
{
    if (strncmp(name, "step-", 5) != 0 || !name[5])
        return UINT64_MAX;
    char *end;
    errno = 0;
    uint64_t n = strtoull(name + 5, &end, 10);
    return *end || errno || name[5] == '-' ? UINT64_MAX : n;
}

static int by_step_falling(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* Steps of all whole checkpoints, newest first; the caller frees *step. */
static enum rc list_steps(const char *run, uint64_t **step, size_t *n, struct err *e)
{
    *step = NULL;
    *n = 0;
    DIR *d = opendir(run);
    enum rc rc = RC_OK;
    for (struct dirent *f; !rc && d && (f = readdir(d));) {
        const uint64_t s = step_of(f->d_name);
        if (s == UINT64_MAX)
            continue;
        uint64_t *more = realloc(*step, (*n + 1) * sizeof *more);
        if (!more)
            rc = err_set(e, RC_FAIL, "no memory to list '%s'", run);
        else
            (*step = more)[(*n)++] = s;
    }
    if (d)
        closedir(d);
    if (*n)
        qsort(*step, *n, sizeof **step, by_step_falling);
    return rc;
}

enum rc checkpoint_newest(const char *run, uint64_t *step, struct err *e)
{
    uint64_t *all;
    size_t n;
    enum rc rc = list_steps(run, &all, &n, e);
    *step = !rc && n ? all[0] : UINT64_MAX;
    free(all);
    return rc;
}

enum rc checkpoint_prune(const char *run, size_t keep, struct err *e)
{
    uint64_t *all;
    size_t n;
    enum rc rc = list_steps(run, &all, &n, e);
    for (size_t i = keep; !rc && i < n; i++) {
        char *path = text_new("%s/step-%llu", run, (unsigned long long)all[i]);
        if (path)
            folder_remove(path);
        free(path);
    }
    free(all);
    return rc;
}

static enum rc read_rows_into(struct h5_data *d, const struct params *p, void *to, struct err *e)
{
    if (!p->b->memory)
        return h5_read_rows(d, 0, p->n_items, real_h5(p), to, e);
    void *here = malloc(p->n_items * p->b->real_bytes + 1);
    if (!here)
        return err_set(e, RC_FAIL, "no memory for %zu parameters", p->n_items);
    const enum rc rc = h5_read_rows(d, 0, p->n_items, real_h5(p), here, e);
    if (!rc)
        backend_write(p->b, to, here, p->n_items * p->b->real_bytes);
    free(here);
    return rc;
}

static enum rc read_block(hid_t file, const char *name, const struct params *p, void *to,
                          struct err *e)
{
    struct h5_data d;
    if (h5_data_open(file, name, &d, e))
        return e->rc;
    enum rc rc = h5_data_want_1d(&d, p->n_items, e);
    if (!rc)
        rc = read_rows_into(&d, p, to, e);
    h5_data_close(&d);
    return rc;
}

static enum rc check_text(hid_t file, const char *attr, const char *want, const char *what,
                          struct err *e)
{
    struct arena a;
    const char *text = NULL;
    arena_init(&a, 0);
    enum rc rc = h5_attr_text(file, attr, &a, &text, e);
    if (!rc && (!text || strcmp(text, want) != 0))
        rc = err_set(e, RC_INPUT, "%s (its %s is '%s', not '%s')", what, attr,
                     text ? text : "missing", want);
    arena_release(&a);
    return rc;
}

/* A run may go on on a device, or without it: what tells one number from another is the rounding. */
static enum rc check_backend(hid_t file, const char *name, struct err *e)
{
    struct arena a;
    const char *text = NULL;
    arena_init(&a, 0);
    enum rc rc = h5_attr_text(file, "backend", &a, &text, e);
    if (!rc && (!text || strcmp(checkpoint_rounding(text), checkpoint_rounding(name)) != 0))
        rc = err_set(e, RC_INPUT,
                     "the run was begun with another backend (its backend is '%s', not '%s')",
                     text ? text : "missing", name);
    arena_release(&a);
    return rc;
}

const char *checkpoint_rounding(const char *backend)
{
    return strcmp(backend, "cuda") == 0        ? "cpu"
           : strcmp(backend, "cuda-bf16") == 0 ? "cpu-bf16"
                                               : backend;
}

enum rc checkpoint_load(struct model *m, const char *run, uint64_t step,
                        const char fingerprint[SHA256_HEX], struct err *e)
{
    const struct params *p = &m->params;
    int64_t number[2] = { -1, -1 };
    size_t n = 0, n2 = 0;
    hid_t file;
    char *path = text_new("%s/step-%llu/state.h5", run, (unsigned long long)step);
    enum rc rc = path ? h5_open(path, &file, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (rc) {
        free(path);
        return rc;
    }
    rc = check_text(file, "fingerprint", fingerprint,
                    "the run was begun with other options or inputs", e);
    if (!rc)
        rc = check_backend(file, p->b->name, e);
    if (!rc)
        rc = read_block(file, "weights", p, p->x, e);
    if (!rc)
        rc = read_block(file, "moment1", p, p->m, e);
    if (!rc)
        rc = read_block(file, "moment2", p, p->v, e);
    h5_attr_i64(file, "step", number, 1, &n);
    h5_attr_i64(file, "warm_steps", number + 1, 1, &n2);
    if (!rc && (n != 1 || n2 != 1 || number[0] != (int64_t)step))
        rc = err_set(e, RC_INPUT, "it is not of step %llu", (unsigned long long)step);
    if (!rc)
        m->warm_steps = number[1];
    H5Fclose(file);
    if (rc)
        err_wrap(e, "cannot resume from '%s'", path);
    free(path);
    return rc;
}
