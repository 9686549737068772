#include "lib/nn/dist.h"

#include <assert.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/tool.h"

static int number_in(const char *name)
{
    const char *text = getenv(name);
    char *end = NULL;
    const long n = text ? strtol(text, &end, 10) : 0;
    return text && end > text && !*end && n > 0 && n < 1 << 24 ? (int)n : 0;
}

/* OpenMPI's mpirun; MPICH's and Intel's; srun, which sets its number only in a step's tasks. */
int dist_wanted(void)
{
    static const char *const name[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE",
                                        "SLURM_STEP_NUM_TASKS" };
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        if (number_in(name[i]))
            return number_in(name[i]);
    return 1;
}

struct dist dist_alone(void)
{
    return (struct dist){ .size = 1 };
}

/* gc-mpi.so lies in ../lib of the program's folder (a build; one more up for programs with cuda
 * kernels) or beside it (installed). */
static char *plugin_path(void)
{
    static const char *const place[] = { "../lib/gc-mpi.so", "../../lib/gc-mpi.so", "gc-mpi.so" };
    char own[4096];
    const char *folder = tool_folder(own, sizeof own);
    for (size_t i = 0; folder && i < sizeof place / sizeof *place; i++) {
        char *path = text_new("%s/%s", folder, place[i]);
        if (path && file_exists(path))
            return path;
        free(path);
    }
    return NULL;
}

static enum rc load(struct dist *d, int wanted, struct err *e)
{
    char why[DIST_WHY] = "";
    char *path = plugin_path();
    if (!path)
        return err_set(e, RC_FAIL,
                       "started as one of %d ranks, but lib/gc-mpi.so was not built: install "
                       "libopenmpi-dev (mpicc) and build again",
                       wanted);
    /* MPI has plugins of its own, which look for its symbols. */
    d->library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    dist_open_fn *open_fn = NULL;
    if (d->library)
        *(void **)&open_fn = dlsym(d->library, DIST_OPEN);
    enum rc rc = RC_OK;
    if (!open_fn)
        rc = err_set(e, RC_FAIL, "cannot open '%s': %s", path, dlerror());
    else if (open_fn(&d->rank, &d->size, &d->state, &d->calls, why))
        rc = err_set(e, RC_FAIL, "MPI does not start: %s", why);
    free(path);
    return rc;
}

enum rc dist_open(struct dist *d, struct err *e)
{
    const int wanted = dist_wanted();
    *d = dist_alone();
    if (wanted == 1)
        return RC_OK;
    enum rc rc = load(d, wanted, e);
    if (!rc && d->size != wanted)
        rc = err_set(e, RC_FAIL,
                     "started as one of %d ranks, but MPI sees %d: start it with the mpirun of the "
                     "MPI it was built with, or with srun --mpi=pmix",
                     wanted, d->size);
    return rc;
}

void dist_close(struct dist *d, int status)
{
    if (d->calls)
        d->calls->close(d->state, d->agreed ? 0 : status);
    *d = dist_alone(); /* the library stays: MPI does not like to be unloaded */
}

size_t dist_first(const struct dist *d, size_t n, int rank)
{
    return (n * (size_t)rank + (size_t)d->size - 1) / (size_t)d->size;
}

int dist_owner(const struct dist *d, size_t n, size_t i)
{
    assert(i < n);
    return (int)(i * (size_t)d->size / n);
}

enum rc dist_send(struct dist *d, int to, const void *data, size_t n_bytes, struct err *e)
{
    char why[DIST_WHY] = "";
    if (!d->calls || !d->calls->send(d->state, to, data, n_bytes, why))
        return RC_OK;
    return err_set(e, RC_FAIL, "rank %d cannot send to rank %d: %s", d->rank, to, why);
}

enum rc dist_recv(struct dist *d, int from, void *data, size_t n_bytes, struct err *e)
{
    char why[DIST_WHY] = "";
    if (!d->calls || !d->calls->recv(d->state, from, data, n_bytes, why))
        return RC_OK;
    return err_set(e, RC_FAIL, "rank %d cannot receive from rank %d: %s", d->rank, from, why);
}

enum rc dist_bcast(struct dist *d, void *data, size_t n_bytes, struct err *e)
{
    char why[DIST_WHY] = "";
    if (!d->calls || !d->calls->bcast(d->state, data, n_bytes, why))
        return RC_OK;
    return err_set(e, RC_FAIL, "rank %d cannot share with all: %s", d->rank, why);
}

enum rc dist_gather(struct dist *d, void *item, size_t item_bytes, size_t n, struct err *e)
{
    enum rc rc = RC_OK;
    for (int r = 1; !rc && r < d->size; r++) {
        const size_t at = dist_first(d, n, r), bytes = (dist_first(d, n, r + 1) - at) * item_bytes;
        if (d->rank == 0)
            rc = dist_recv(d, r, (char *)item + at * item_bytes, bytes, e);
        else if (d->rank == r)
            rc = dist_send(d, 0, (char *)item + at * item_bytes, bytes, e);
    }
    return rc ? rc : dist_bcast(d, item, n * item_bytes, e);
}

enum rc dist_sum(struct dist *d, uint64_t *x, size_t n, struct err *e)
{
    assert(n <= DIST_SUMS);
    enum rc rc = d->rank ? dist_send(d, 0, x, n * sizeof *x, e) : RC_OK;
    for (int r = 1; !rc && d->rank == 0 && r < d->size; r++) {
        uint64_t other[DIST_SUMS] = { 0 };
        rc = dist_recv(d, r, other, n * sizeof *x, e);
        for (size_t i = 0; i < n; i++)
            x[i] += other[i];
    }
    return rc ? rc : dist_bcast(d, x, n * sizeof *x, e);
}

/* The sentence of rank `from` to rank 0, which says it. */
static enum rc pass_sentence(struct dist *d, int from, enum rc why, struct err *e)
{
    char text[ERR_TEXT_MAX] = "";
    enum rc rc = RC_OK;
    if (from && d->rank == from)
        rc = dist_send(d, 0, e->text, sizeof e->text, e);
    if (from && d->rank == 0) {
        rc = dist_recv(d, from, text, sizeof text, e);
        text[sizeof text - 1] = '\0';
        if (!rc)
            err_set(e, why, "rank %d: %.2000s", from, text);
    }
    if (rc)
        return rc;
    if (d->rank)
        err_set(e, why, "%s", "");
    d->agreed = true;
    return why;
}

enum rc dist_agree(struct dist *d, enum rc rc, struct err *e)
{
    if (!d->calls || d->agreed || d->broken)
        return rc;
    /* One number each: in a gather of `size` things every rank owns one. */
    unsigned char *all = calloc((size_t)d->size, 1);
    if (!all)
        return err_set(e, RC_FAIL, "no memory for %d ranks", d->size);
    all[d->rank] = (unsigned char)rc;
    enum rc carried = dist_gather(d, all, 1, (size_t)d->size, e);
    int first = 0;
    while (!carried && first < d->size && !all[first])
        first++;
    const enum rc why = carried || first == d->size ? RC_OK : (enum rc)all[first];
    free(all);
    return carried ? carried : why ? pass_sentence(d, first, why, e) : RC_OK;
}
