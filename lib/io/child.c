#include "lib/io/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/spill.h"
#include "lib/base/thread.h"

#define MISSING UINT32_MAX

enum { PIECE = 1 << 20 }; /* bytes after which spilled arrays may leave memory */

/* ---- sending ---- */

bool child_put(FILE *to, const void *data, size_t n_bytes)
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
    return n < MISSING && child_put(to, &len, sizeof len) && child_put(to, text, n);
}

bool child_put_texts(FILE *to, const char *const *text, size_t n)
{
    bool good = true;
    for (size_t i = 0; good && i < n; i++) {
        good = put_text(to, text[i]);
        spill_step(i);
    }
    return good;
}

bool child_put_columns(FILE *to, const struct table *t)
{
    const uint64_t n = t->n_cols;
    bool good = child_put(to, &n, sizeof n);
    for (size_t i = 0; good && i < n; i++) {
        const struct column *c = &t->col[i];
        const uint32_t kind = c->kind;
        good = put_text(to, c->name) && child_put(to, &kind, sizeof kind) &&
               (c->kind == COLUMN_TEXT ? child_put_texts(to, c->text, t->n_rows)
                                       : child_put(to, c->i64, t->n_rows * 8));
    }
    return good;
}

/* ---- receiving ---- */

bool child_get(FILE *from, void *data, size_t n_bytes)
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
    if (!child_get(from, &n, sizeof n))
        return false;
    if (n == MISSING)
        return true;
    char *to = arena_chars(a, (size_t)n + 1);
    if (!to || !child_get(from, to, n))
        return false;
    to[n] = '\0';
    *text = to;
    return true;
}

bool child_get_texts(FILE *from, struct arena *a, const char **text, size_t n)
{
    bool good = text != NULL;
    for (size_t i = 0; good && i < n; i++) {
        good = get_text(from, a, &text[i]);
        spill_step(i);
    }
    return good;
}

bool child_fits(uint64_t n)
{
    return n < SIZE_MAX / 16;
}

bool child_get_columns(FILE *from, struct table *t, size_t n_rows)
{
    uint64_t n = 0;
    table_init(t, n_rows);
    bool good = child_fits(n_rows) && child_get(from, &n, sizeof n);
    for (uint64_t i = 0; good && i < n; i++) {
        const char *name;
        uint32_t kind = 0;
        good = get_text(from, &t->text, &name) && name && child_get(from, &kind, sizeof kind) &&
               kind <= COLUMN_F64;
        struct column *c = good ? table_add(t, name, (enum column_kind)kind) : NULL;
        good = c && (c->kind == COLUMN_TEXT ? child_get_texts(from, &t->text, c->text, t->n_rows)
                                            : child_get(from, c->i64, t->n_rows * 8));
    }
    return good;
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

/* First the status and the sentence, then what was read. */
static void run(const struct child_task *t, uint64_t file_bytes, FILE *to)
{
    struct err e = { 0 };
    threads_forked();
    set_limits(file_bytes);
    e.rc = t->read(t->what, &e);
    bool good = child_put(to, &e, sizeof e) && (e.rc || t->send(t->what, to)) && fflush(to) == 0;
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

enum rc child_read(const struct child_task *t, uint64_t file_bytes, struct err *e)
{
    int fd[2], status = 0;
    if (pipe(fd) != 0)
        return err_set(e, RC_FAIL, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        close(fd[0]);
        FILE *to = fdopen(fd[1], "wb");
        if (to)
            run(t, file_bytes, to);
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
    bool spoke = child_get(from, &said, sizeof said);
    enum rc rc = RC_OK;
    said.text[sizeof said.text - 1] = '\0';
    if (spoke && said.rc)
        rc = err_set(e, said.rc, "%s", said.text);
    else if (spoke)
        rc = t->receive(from, t->what, e);
    fclose(from); /* a child that still writes ends by this */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return spoke && (rc || status == 0) ? rc : say_death(status, e);
}
