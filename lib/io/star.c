#include "lib/io/star.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"

enum { EXIT_NO_PROGRAM = 127, LOG_MAX_BYTES = 64 << 20 };

void star_begin(struct star_call *c, const char *program)
{
    *c = (struct star_call){ .n = 1 };
    c->arg[0] = program ? program : "STAR";
}

void star_add(struct star_call *c, ...)
{
    va_list ap;
    va_start(ap, c);
    for (const char *word; (word = va_arg(ap, const char *));) {
        assert(c->n < STAR_MAX_ARGS - 1);
        c->arg[c->n++] = word;
    }
    va_end(ap);
    c->arg[c->n] = NULL;
}

/* Never returns. */
static void child(const struct star_call *c, const char *folder)
{
    int in = open("/dev/null", O_RDONLY);
    if (chdir(folder) != 0 || in < 0)
        _exit(1);
    int log = open("star.log", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (log < 0 || dup2(in, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(1);
    signal(SIGPIPE, SIG_DFL);
    execvp(c->arg[0], (char *const *)c->arg);
    _exit(errno == ENOENT ? EXIT_NO_PROGRAM : 1);
}

/* The program's own sentence: what stands from "EXITING" on, else its last line. */
static void last_words(const char *folder, char *words, size_t room)
{
    char *path = text_new("%s/star.log", folder), *text = NULL;
    size_t n;
    snprintf(words, room, "%s", "it said nothing");
    if (path && !file_read(path, LOG_MAX_BYTES, &text, &n, NULL) && n) {
        const char *from = strstr(text, "EXITING");
        if (!from) {
            while (n && text[n - 1] == '\n')
                text[--n] = '\0';
            const char *line = strrchr(text, '\n');
            from = line ? line + 1 : text;
        }
        snprintf(words, room, "%s", from);
        char *advice = strstr(words, "SOLUTION"); /* and the time of day */
        if (advice)
            *advice = '\0';
        for (char *c = words; *c; c++)
            if (*c == '\n' || *c == '\t')
                *c = ' ';
        for (size_t k = strlen(words); k && words[k - 1] == ' ';)
            words[--k] = '\0';
    }
    free(text);
    free(path);
}

enum rc star_run(const struct star_call *c, const char *folder, struct err *e)
{
    char words[600];
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        child(c, folder);
    if (pid < 0)
        return err_set(e, RC_FAIL, "cannot start '%s': %s", c->arg[0], strerror(errno));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (status == 0)
        return RC_OK;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PROGRAM)
        return err_set(e, RC_SKIP, "'%s' is not installed (Debian packages: rna-star, sra-toolkit)",
                       c->arg[0]);
    if (WIFSIGNALED(status))
        return err_set(e, RC_FAIL, "'%s' was ended by signal %d", c->arg[0], WTERMSIG(status));
    last_words(folder, words, sizeof words);
    enum rc rc = strstr(words, "INPUT") || strstr(words, "input") ? RC_INPUT : RC_FAIL;
    return err_set(e, rc, "'%s' ended with status %d: %s", c->arg[0], WEXITSTATUS(status), words);
}
