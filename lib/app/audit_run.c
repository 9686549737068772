#include "lib/app/audit_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"

/* What the child ends with when there is no such program. */
enum { EXIT_NO_PROGRAM = 127 };

void words_init(struct audit_words *w)
{
    *w = (struct audit_words){ 0 };
    arena_init(&w->text, 1 << 12);
}

void words_release(struct audit_words *w)
{
    free(w->item);
    arena_release(&w->text);
    *w = (struct audit_words){ 0 };
}

static void add(struct audit_words *w, const char *text)
{
    if (w->n + 1 >= w->room) { /* one more for the NULL at the end */
        size_t room = w->room ? 2 * w->room : 64;
        const char **more = realloc(w->item, room * sizeof *more);
        if (!more) {
            w->failed = true;
            return;
        }
        w->item = more;
        w->room = room;
    }
    w->item[w->n] = text ? arena_text(&w->text, text) : NULL;
    w->failed |= !w->item[w->n];
    w->n++;
}

void words_add(struct audit_words *w, const char *fmt, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, fmt);
    int n = vsnprintf(NULL, 0, fmt, list);
    va_end(list);
    if (n >= 0 && (text = malloc((size_t)n + 1)) != NULL) {
        va_start(list, fmt);
        vsnprintf(text, (size_t)n + 1, fmt, list);
        va_end(list);
    }
    add(w, text);
    free(text);
}

void words_split(struct audit_words *w, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, " ");
        if (n)
            words_add(w, "%.*s", (int)n, text);
        text += n + (text[n] == ' ');
    }
}

static void child(const char *path, const char *const *word, const char *log)
{
    int null = open("/dev/null", O_RDWR), out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (null < 0 || out < 0)
        _exit(EXIT_NO_PROGRAM);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execv(path, (char *const *)(uintptr_t)word);
    _exit(EXIT_NO_PROGRAM);
}

/* The last line of a log that is not empty. */
static void last_line(const char *path, char why[512])
{
    char *text = NULL;
    size_t n = 0;
    why[0] = '\0';
    if (file_read(path, 1 << 20, &text, &n, NULL))
        return;
    while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))
        text[--n] = '\0';
    const char *line = strrchr(text, '\n');
    snprintf(why, 512, "%s", line ? line + 1 : text);
    free(text);
}

enum rc audit_run(const struct audit_repeat *how, struct audit_words *w, enum audit_ran *ran,
                  char why[512], struct err *e)
{
    words_add(w, "--threads");
    words_add(w, "%d", how->threads);
    words_add(w, "--quiet");
    char *log = text_new("%s/stderr", how->scratch);
    char *path = w->failed ? NULL : text_new("%s/%s", how->tools, w->item[0]);
    if (!log || !path) {
        free(log);
        free(path);
        return err_set(e, RC_FAIL, "no memory for a command");
    }
    w->item[w->n] = NULL;
    int status = 0;
    enum rc rc = RC_OK;
    pid_t pid = fork();
    if (pid == 0)
        child(path, w->item, log);
    if (pid < 0)
        rc = err_set(e, RC_FAIL, "cannot start '%s': %s", path, strerror(errno));
    while (!rc && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    last_line(log, why);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (!rc && code == EXIT_NO_PROGRAM)
        snprintf(why, 512, "there is no tool '%s' beside this one", w->item[0]);
    if (!rc && code < 0)
        snprintf(why, 512, "'%s' was ended by signal %d", w->item[0], WTERMSIG(status));
    *ran = code == 0                                          ? AUDIT_RAN
           : code < 0 || code == RC_INPUT || code == RC_CHECK ? AUDIT_REFUSED
                                                              : AUDIT_CANNOT;
    free(log);
    free(path);
    return rc;
}

static bool begins_with_one(const char *name, const char *const *without)
{
    for (; without && *without; without++)
        if (strncmp(name, *without, strlen(*without)) == 0)
            return true;
    return false;
}

enum rc audit_same(struct audit *a, const struct chain *c, const char *stage, const char *folder,
                   const char *const *without, struct err *e)
{
    size_t at = chain_stage_of(c, stage), n = 0, n_bad = 0;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < c->stage[at].m.n; i++) {
        const struct manifest_row *r = &c->stage[at].m.row[i];
        if (r->kind != MANIFEST_OUTPUT || begins_with_one(r->name, without))
            continue;
        struct manifest_row is = *r;
        unsigned char missing = 0;
        char subject[512];
        snprintf(subject, sizeof subject, "%s/%s", stage, r->name);
        rc = manifest_hash(&is, 1, folder, &missing, e);
        n++;
        if (!rc && (missing || is.bytes != r->bytes || strcmp(is.sha256, r->sha256) != 0)) {
            n_bad++;
            rc = audit_add(a, AUDIT_FAILS, "repeat", subject, e, "%s",
                           missing ? "was not made when the stage was run again"
                                   : "came out with other bytes when the stage was run again");
        }
    }
    if (!rc && !n_bad)
        rc = audit_add(a, AUDIT_HOLDS, "repeat", stage, e,
                       "run again: %zu file%s with the same bytes", n, n == 1 ? "" : "s");
    return rc;
}
