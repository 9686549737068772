#include "lib/io/latex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/tool.h"

extern char **environ;

enum { LOG_MAX_BYTES = 16 << 20, EXIT_NO_PROGRAM = 127 };

static const char *const programs[] = { "pdflatex", "bibtex", "rsvg-convert" };
enum { N_PROGRAMS = sizeof programs / sizeof *programs };

const char *latex_missing(void)
{
    for (int i = 0; i < N_PROGRAMS; i++)
        if (!program_here(programs[i]))
            return programs[i];
    return NULL;
}

/* Never returns. The environment is ours alone but for PATH: the date of TeX is the epoch, lines of
 * its log are whole, it writes below its folder only, and its caches of fonts lie there. */
static void child(const char *const *word, const char *folder, const char *log)
{
    static char path[8192];
    char *const env[] = { path,
                          "LC_ALL=C",
                          "HOME=/nonexistent",
                          "XDG_CACHE_HOME=/nonexistent",
                          "SOURCE_DATE_EPOCH=0",
                          "FORCE_SOURCE_DATE=1",
                          "max_print_line=2000",
                          "openout_any=p",
                          "TEXMFVAR=.",
                          NULL };
    const char *given = getenv("PATH");
    const int in = open("/dev/null", O_RDONLY), out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    snprintf(path, sizeof path, "PATH=%s", given ? given : "/usr/bin:/bin");
    if (in < 0 || out < 0 || (folder && chdir(folder) != 0) || dup2(in, 0) < 0 ||
        dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(1);
    environ = (char **)(uintptr_t)env;
    execvp(word[0], (char *const *)(uintptr_t)word);
    _exit(errno == ENOENT ? EXIT_NO_PROGRAM : 1);
}

/* *status: what the program ended with, -1 for a signal. log gets what it said. */
static enum rc run(const char *const *word, const char *folder, const char *log, int *status,
                   struct err *e)
{
    int code = 0;
    const pid_t pid = fork();
    if (pid == 0)
        child(word, folder, log);
    if (pid < 0)
        return err_set(e, RC_FAIL, "cannot start %s: %s", word[0], strerror(errno));
    while (waitpid(pid, &code, 0) < 0)
        if (errno != EINTR)
            return err_set(e, RC_FAIL, "cannot wait for %s: %s", word[0], strerror(errno));
    *status = WIFEXITED(code) ? WEXITSTATUS(code) : -1;
    if (*status == EXIT_NO_PROGRAM)
        return err_set(e, RC_FAIL,
                       "%s is not on this machine (not found in PATH): install the packages "
                       "texlive-latex-base, lmodern and librsvg2-bin",
                       word[0]);
    return RC_OK;
}

static char *read_log(const char *path)
{
    char *text = NULL;
    size_t n;
    return file_read(path, LOG_MAX_BYTES, &text, &n, NULL) ? NULL : text;
}

/* The line at s as one sentence, at most `most` bytes of it. */
static void one_line(const char *s, char *to, size_t most)
{
    snprintf(to, most, "%.*s", (int)strcspn(s, "\n"), s);
    for (size_t n = strlen(to); n && (to[n - 1] == '.' || to[n - 1] == ' ');)
        to[--n] = '\0';
}

enum rc latex_figure(const char *svg, const char *pdf, struct err *e)
{
    const char *const word[] = { "rsvg-convert", "-f", "pdf", "-o", pdf, svg, NULL };
    char *log = text_new("%s.log", pdf), said[200] = "";
    int status = 0;
    enum rc rc =
        log ? run(word, NULL, log, &status, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && status) {
        char *text = read_log(log);
        one_line(text ? text : "", said, sizeof said);
        free(text);
        rc = err_set(e, RC_FAIL, "rsvg-convert failed on '%s': %s", svg, said);
    }
    if (log)
        unlink(log);
    free(log);
    return rc;
}

/* "! Undefined control sequence. l.12 text \gcNone" of a log, or the first of the warnings that
 * make a text wrong. False when there is neither. */
static bool trouble(const char *log, bool last, char *to, size_t room)
{
    static const char *const warning[] = { "LaTeX Warning: Reference ", "LaTeX Warning: Citation ",
                                           "LaTeX Warning: Label ", "Package hyperref Warning: " };
    const char *at = strncmp(log, "! ", 2) == 0 ? log : strstr(log, "\n! ");
    char line[300], place[300] = "";
    if (at) {
        at += *at == '\n';
        const char *where = strstr(at, "\nl.");
        if (where)
            one_line(where + 1, place, sizeof place);
        one_line(at + 2, line, sizeof line);
        snprintf(to, room, "%s%s%s", line, where ? ", " : "", place);
        return true;
    }
    for (size_t i = 0; last && i < sizeof warning / sizeof *warning; i++)
        if ((at = strstr(log, warning[i])) != NULL) {
            one_line(at + strcspn(at, ":") + 2, to, room);
            return true;
        }
    return false;
}

static enum rc pass(const char *const *word, const char *folder, bool last, struct err *e)
{
    char *log = text_new("%s/said.txt", folder), *text = NULL, why[700] = "";
    int status = 0;
    enum rc rc =
        log ? run(word, folder, log, &status, e) : err_set(e, RC_FAIL, "no memory for a path");
    size_t n;
    if (!rc) /* a log that nobody read tells of no trouble */
        rc = file_read(log, LOG_MAX_BYTES, &text, &n, e);
    if (!rc && trouble(text, last, why, sizeof why))
        rc = err_set(e, RC_INPUT, "%s: %s", word[0], why);
    else if (!rc && status) {
        one_line(text, why, sizeof why);
        rc = err_set(e, RC_INPUT, "%s ended with status %d: %s", word[0], status, why);
    }
    free(text);
    free(log);
    return rc;
}

enum rc latex_run(const char *folder, struct err *e)
{
    static const char *const tex[] = {
        "pdflatex",       "-no-shell-escape", "-interaction=nonstopmode",
        "-halt-on-error", "main.tex",         NULL
    };
    static const char *const bib[] = { "bibtex", "main", NULL };
    enum rc rc = pass(tex, folder, false, e);
    if (!rc)
        rc = pass(bib, folder, false, e);
    for (int i = 0; !rc && i < 3; i++) /* references, then the widths of tables of several pages */
        rc = pass(tex, folder, i == 2, e);
    return rc;
}

enum rc latex_programs(const char *path, struct err *e)
{
    struct outfile o;
    char *log = text_new("%s.log", path);
    enum rc rc = log ? outfile_open(&o, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (rc) {
        free(log);
        return rc;
    }
    fputs("program\tversion\n", o.f);
    for (int i = 0; !rc && i < N_PROGRAMS; i++) {
        const char *const word[] = { programs[i], "--version", NULL };
        char line[200] = "";
        int status = 0;
        rc = run(word, NULL, log, &status, e);
        char *text = rc ? NULL : read_log(log);
        one_line(text ? text : "", line, sizeof line);
        free(text);
        if (!rc && (status || !line[0]))
            rc = err_set(e, RC_FAIL, "%s does not tell its version", programs[i]);
        for (char *s = line; *s; s++)
            if (*s == '\t')
                *s = ' ';
        fprintf(o.f, "%s\t%s\n", programs[i], line);
    }
    unlink(log);
    free(log);
    return outfile_close(&o, rc, e);
}
