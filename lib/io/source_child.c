#include "lib/io/source_child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/spill.h"
#include "lib/base/thread.h"

/* ---- sending ---- */

struct head {
    struct spool rows; /* of the child's: sizes, and how many tiles follow */
    bool spooled;
    uint64_t n_rows, n_cols, nnz, n_obs, n_obs_columns;
    struct counts_check check;
    size_t n_columns_left_out;
    char kind[16], where[256];
    bool has[4]; /* cell, id, name, type */
};

#define MISSING UINT32_MAX

enum { PIECE = 1 << 20 };

static bool put(FILE *to, const void *data, size_t n_bytes)
{
    bool good = true;
    for (size_t at = 0, n; good && at < n_bytes; at += n) {
        n = n_bytes - at < PIECE ? n_bytes - at : PIECE;
        good = fwrite((const char *)data + at, 1, n, to) == n;
        if (n_bytes > PIECE)
            spill_rest();
    }
    return good;
}

static bool put_text(FILE *to, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    uint32_t len = text ? (uint32_t)n : MISSING;
    return n < MISSING && put(to, &len, sizeof len) && put(to, text, n);
}

static bool put_texts(FILE *to, const char *const *text, size_t n)
{
    bool good = true;
    for (size_t i = 0; good && i < n; i++) {
        good = put_text(to, text[i]);
        spill_step(i);
    }
    return good;
}

bool source_send(const struct source *s, FILE *to)
{
    size_t nnz = (size_t)csr_nnz(&s->count), n = s->count.n_rows, m = s->count.n_cols;
    struct head h = { .rows = s->rows,
                      .spooled = s->spooled,
                      .n_rows = n,
                      .n_cols = m,
                      .nnz = nnz,
                      .n_obs = s->obs.n_rows,
                      .n_obs_columns = s->obs.n_cols,
                      .check = s->check,
                      .n_columns_left_out = s->n_columns_left_out,
                      .has = { s->cell, s->id, s->name, s->type } };
    memcpy(h.kind, s->kind, sizeof h.kind);
    memcpy(h.where, s->where, sizeof h.where);
    bool good = put(to, &h, sizeof h);
    if (s->spooled)
        good = good && put(to, s->rows.tile, s->rows.n_tiles * sizeof *s->rows.tile);
    else
        good = good && put(to, s->count.indptr, (n + 1) * sizeof(uint64_t)) &&
               put(to, s->count.index, nnz * sizeof(uint32_t)) &&
               put(to, s->count.value, nnz * sizeof(uint32_t));
    good = good && (!s->cell || put_texts(to, s->cell, n)) && (!s->id || put_texts(to, s->id, m)) &&
           (!s->name || put_texts(to, s->name, m)) && (!s->type || put_texts(to, s->type, m));
    for (size_t i = 0; good && i < s->obs.n_cols; i++) {
        const struct column *c = &s->obs.col[i];
        uint32_t kind = c->kind;
        good = put_text(to, c->name) && put(to, &kind, sizeof kind) &&
               (c->kind == COLUMN_TEXT ? put_texts(to, c->text, s->obs.n_rows)
                                       : put(to, c->i64, s->obs.n_rows * 8));
    }
    return good;
}

/* ---- receiving ---- */

static bool get(FILE *from, void *data, size_t n_bytes)
{
    bool good = true;
    for (size_t at = 0, n; good && at < n_bytes; at += n) {
        n = n_bytes - at < PIECE ? n_bytes - at : PIECE;
        good = fread((char *)data + at, 1, n, from) == n;
        if (n_bytes > PIECE)
            spill_rest();
    }
    return good;
}

static bool get_text(FILE *from, struct arena *a, const char **text)
{
    uint32_t n;
    *text = NULL;
    if (!get(from, &n, sizeof n))
        return false;
    if (n == MISSING)
        return true;
    char *to = arena_chars(a, (size_t)n + 1);
    if (!to || !get(from, to, n))
        return false;
    to[n] = '\0';
    *text = to;
    return true;
}

static bool get_texts(FILE *from, struct arena *a, const char **text, size_t n)
{
    bool good = text != NULL;
    for (size_t i = 0; good && i < n; i++) {
        good = get_text(from, a, &text[i]);
        spill_step(i);
    }
    return good;
}

static bool get_names(FILE *from, struct arena *a, bool there, size_t n, const char ***text)
{
    *text = there ? arena_get(a, (n + 1) * sizeof **text) : NULL;
    return !there || get_texts(from, a, *text, n);
}

static bool get_obs(FILE *from, const struct head *h, struct table *t)
{
    bool good = true;
    table_init(t, h->n_obs);
    for (uint64_t i = 0; good && i < h->n_obs_columns; i++) {
        const char *name;
        uint32_t kind = 0;
        good = get_text(from, &t->text, &name) && name && get(from, &kind, sizeof kind) &&
               kind <= COLUMN_F64;
        struct column *c = good ? table_add(t, name, (enum column_kind)kind) : NULL;
        good = c && (c->kind == COLUMN_TEXT ? get_texts(from, &t->text, c->text, t->n_rows)
                                            : get(from, c->i64, t->n_rows * 8));
    }
    return good;
}

/* The spool's file is shared with the child, its tiles come through the pipe. */
static bool get_tiles(FILE *from, const struct head *h, struct source *s)
{
    int fd = s->rows.fd;
    s->rows = h->rows;
    s->rows.fd = fd;
    s->rows.room = h->rows.n_tiles;
    s->rows.tile = spill_alloc((h->rows.n_tiles + 1) * sizeof *s->rows.tile);
    s->count.n_rows = h->n_rows;
    s->count.n_cols = h->n_cols;
    s->spooled = true;
    return s->rows.tile && get(from, s->rows.tile, h->rows.n_tiles * sizeof *s->rows.tile);
}

static bool get_counts(FILE *from, const struct head *h, struct source *s)
{
    return !csr_alloc(&s->count, h->n_rows, h->n_cols, h->nnz, NULL) &&
           get(from, s->count.indptr, (h->n_rows + 1) * sizeof(uint64_t)) &&
           s->count.indptr[h->n_rows] == h->nnz &&
           get(from, s->count.index, h->nnz * sizeof(uint32_t)) &&
           get(from, s->count.value, h->nnz * sizeof(uint32_t));
}

enum rc source_receive(FILE *from, struct source *s, struct err *e)
{
    struct head h;
    if (!get(from, &h, sizeof h))
        return err_set(e, RC_FAIL, "the reader sent nothing");
    s->check = h.check;
    s->n_columns_left_out = h.n_columns_left_out;
    memcpy(s->kind, h.kind, sizeof s->kind);
    memcpy(s->where, h.where, sizeof s->where);
    bool good = h.spooled ? get_tiles(from, &h, s) : get_counts(from, &h, s);
    good = good && get_names(from, &s->text, h.has[0], h.n_rows, &s->cell) &&
           get_names(from, &s->text, h.has[1], h.n_cols, &s->id) &&
           get_names(from, &s->text, h.has[2], h.n_cols, &s->name) &&
           get_names(from, &s->text, h.has[3], h.n_cols, &s->type) && get_obs(from, &h, &s->obs);
    return good ? RC_OK : err_set(e, RC_FAIL, "the reader broke off, or memory is short");
}

/* ---- the child ---- */

enum { BASE_SECONDS = 10, BASE_MB = 512, EXIT_DONE = 0, EXIT_REFUSED = 3 };

/* What the process has mapped now; 0 when the system does not say. */
static uint64_t mapped_bytes(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%llu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Memory above what the process has: no honest file unpacks to more than 8192 times its size. HDF5
 * else takes gigabytes for the length that a damaged text declares. */
static void set_limits(uint64_t file_bytes)
{
    rlim_t seconds = BASE_SECONDS + file_bytes / 1000000;
    const struct rlimit cpu = { seconds, seconds + 5 }, core = { 0, 0 };
    uint64_t mapped = mapped_bytes(), more = ((uint64_t)BASE_MB << 20) + 8192 * file_bytes;
    const struct rlimit memory = { mapped + more, mapped + more };
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
    if (mapped && file_bytes < (uint64_t)1 << 40)
        setrlimit(RLIMIT_AS, &memory);
}

/* First the status and the sentence, then the source. */
static void child(enum rc (*read)(const void *ctx, struct source *s, struct err *e),
                  const void *ctx, uint64_t file_bytes, struct source *s, FILE *to)
{
    struct err e = { 0 };
    threads_forked();
    set_limits(file_bytes);
    e.rc = read(ctx, s, &e);
    bool good = put(to, &e, sizeof e) && (e.rc || source_send(s, to)) && fflush(to) == 0;
    _exit(good ? EXIT_DONE : EXIT_REFUSED);
}

static enum rc say_death(int status, struct err *e)
{
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (signal == SIGKILL)
        return err_set(e, RC_FAIL, "the process that reads was killed: memory is short");
    if (signal == SIGXCPU)
        return err_set(e, RC_INPUT, "the file is damaged: reading it does not come to an end");
    return err_set(e, RC_INPUT, "the file is damaged: the HDF5 library breaks down over it (%s %d)",
                   signal ? "signal" : "status", signal ? signal : WEXITSTATUS(status));
}

enum rc source_read_in_child(enum rc (*read)(const void *ctx, struct source *s, struct err *e),
                             const void *ctx, uint64_t file_bytes, struct source *s, struct err *e)
{
    int fd[2], status = 0;
    /* Made here, so that the child's rows are in a file that we have as well. */
    if (s->rows.fd < 0 && spool_open(&s->rows, s->spool_folder, 0, e))
        return RC_FAIL;
    if (pipe(fd) != 0)
        return err_set(e, RC_FAIL, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        close(fd[0]);
        FILE *to = fdopen(fd[1], "wb");
        if (to)
            child(read, ctx, file_bytes, s, to);
        _exit(EXIT_REFUSED);
    }
    int why = errno;
    close(fd[1]);
    FILE *from = pid > 0 ? fdopen(fd[0], "rb") : NULL;
    if (!from) {
        close(fd[0]);
        if (pid > 0)
            waitpid(pid, &status, 0);
        return err_set(e, RC_FAIL, "cannot start a process: %s", strerror(why));
    }
    struct err said = { 0 };
    bool spoke = get(from, &said, sizeof said);
    enum rc rc = RC_OK;
    if (spoke && said.rc)
        rc = err_set(e, said.rc, "%s", said.text);
    else if (spoke)
        rc = source_receive(from, s, e);
    fclose(from); /* a child that still writes ends by this */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return spoke && (rc || status == 0) ? rc : say_death(status, e);
}
