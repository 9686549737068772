#define _XOPEN_SOURCE 700 /* nftw, realpath */
#include "lib/io/pip.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"

extern char **environ;

/* The child's environment: ours, with TMPDIR in the folder, so that half a wheel does not fill
 * somebody's /tmp and its growth can be seen. Strings are borrowed but for the first. */
static char **child_environment(const char *tmp)
{
    size_t n = 0, k = 0;
    while (environ[n])
        n++;
    char **env = calloc(n + 2, sizeof *env);
    char *own = text_new("TMPDIR=%s", tmp);
    if (!env || !own) {
        free(env);
        free(own);
        return NULL;
    }
    env[k++] = own;
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], "TMPDIR=", 7) != 0)
            env[k++] = environ[i];
    return env;
}

/* Its own process group, so that what pip starts ends with it; signals as a fresh program has. */
static int set_attributes(posix_spawnattr_t *a)
{
    sigset_t normal, none;
    sigemptyset(&none);
    sigemptyset(&normal);
    sigaddset(&normal, SIGPIPE);
    sigaddset(&normal, SIGINT);
    sigaddset(&normal, SIGTERM);
    int bad = posix_spawnattr_setflags(a, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETSIGMASK);
    bad = bad ? bad : posix_spawnattr_setpgroup(a, 0);
    bad = bad ? bad : posix_spawnattr_setsigdefault(a, &normal);
    return bad ? bad : posix_spawnattr_setsigmask(a, &none);
}

static int spawn(pid_t *pid, char *const *argv, char *const *env, const char *log)
{
    posix_spawn_file_actions_t f;
    posix_spawnattr_t a;
    posix_spawn_file_actions_init(&f);
    posix_spawnattr_init(&a);
    int bad = posix_spawn_file_actions_addopen(&f, 0, "/dev/null", O_RDONLY, 0);
    if (!bad)
        bad = posix_spawn_file_actions_addopen(&f, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (!bad)
        bad = posix_spawn_file_actions_adddup2(&f, 1, 2);
    if (!bad)
        bad = set_attributes(&a);
    if (!bad)
        bad = posix_spawnp(pid, argv[0], &f, &a, argv, env);
    posix_spawnattr_destroy(&a);
    posix_spawn_file_actions_destroy(&f);
    return bad;
}

static enum rc run(struct pip *p, const char *spec, struct err *e)
{
    char *got = text_new("%s/got", p->folder), *tmp = text_new("%s/tmp", p->folder);
    char *log = text_new("%s/pip.txt", p->folder);
    const char *timeout = getenv("PIP_DEFAULT_TIMEOUT");
    char seconds[32];
    snprintf(seconds, sizeof seconds, "%.0f", p->patience_s);
    char *argv[24] = { "python3",    "-m",
                       "pip",        "download",
                       "--no-deps",  "--only-binary",
                       ":all:",      "--disable-pip-version-check",
                       "--no-input", "--progress-bar",
                       "off",        "--dest",
                       got,          NULL };
    size_t n = 13;
    if (!getenv("PIP_RETRIES")) {
        argv[n++] = "--retries";
        argv[n++] = "1";
    }
    if (!timeout) {
        argv[n++] = "--timeout";
        argv[n++] = seconds;
    } else if (strtod(timeout, NULL) > p->patience_s) {
        p->patience_s = strtod(timeout, NULL);
    }
    char *word = text_new("%s", spec);
    argv[n++] = word;
    argv[n] = NULL;
    enum rc rc = RC_OK;
    if (!got || !tmp || !log || !word)
        rc = err_set(e, RC_FAIL, "no memory to start pip");
    if (!rc)
        rc = folder_make(tmp, e);
    if (!rc)
        rc = folder_make(got, e);
    char **env = rc ? NULL : child_environment(tmp);
    if (!rc && !env)
        rc = err_set(e, RC_FAIL, "no memory to start pip");
    if (!rc) {
        int bad = spawn(&p->pid, argv, env, log);
        if (bad) {
            p->pid = 0;
            rc = err_set(e, RC_SKIP, "cannot run python3: %s", strerror(bad));
        }
    }
    if (env)
        free(env[0]);
    free(env);
    free(got);
    free(tmp);
    free(log);
    free(word);
    return rc;
}

enum rc pip_start(struct pip *p, const char *spec, const char *folder, double wait_s, struct err *e)
{
    /* A whole path: pip changes its folder. */
    *p = (struct pip){ .folder = realpath(folder, NULL), .alive_s = clock_s() };
    p->patience_s = wait_s;
    if (!p->folder)
        return err_set(e, RC_FAIL, "cannot find '%s': %s", folder, strerror(errno));
    enum rc rc = run(p, spec, e);
    if (rc)
        pip_kill(p);
    return rc;
}

static _Thread_local uint64_t sum_bytes;

static int add_bytes(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)path;
    (void)at;
    if (kind == FTW_F)
        sum_bytes += (uint64_t)st->st_size;
    return 0;
}

uint64_t pip_bytes(const struct pip *p)
{
    sum_bytes = 0;
    if (p->folder)
        nftw(p->folder, add_bytes, 16, FTW_PHYS);
    return sum_bytes;
}

/* The one file that came; the first by name if there are several. */
static char *find_wheel(const struct pip *p)
{
    char *got = text_new("%s/got", p->folder), *best = NULL;
    DIR *d = got ? opendir(got) : NULL;
    for (struct dirent *t; d && (t = readdir(d));) {
        if (t->d_name[0] == '.' || (best && strcmp(t->d_name, best) > 0))
            continue;
        free(best);
        best = text_new("%s", t->d_name);
    }
    if (d)
        closedir(d);
    char *path = best ? text_new("%s/%s", got, best) : NULL;
    free(best);
    free(got);
    return path;
}

/* pip's last line that says ERROR, or its last line. When no registry answers it only says that it
 * found no such package, so that is added. */
static void last_words(const struct pip *p, char *to, size_t n)
{
    char *log = text_new("%s/pip.txt", p->folder), *text = NULL;
    const char *words = "failed without a word";
    size_t len;
    struct err e;
    bool error = false, silent = false;
    if (log && file_read(log, 1 << 24, &text, &len, &e) == RC_OK) {
        char *rest = text;
        for (char *s; (s = strtok_r(rest, "\r\n", &rest));) {
            bool is_error = strncmp(s, "ERROR: ", 7) == 0;
            if (is_error || !error)
                words = is_error ? s + 7 : s;
            error = error || is_error;
            silent = silent || strstr(s, "connection broken by") != NULL;
        }
    }
    snprintf(to, n, "pip: %.150s%s", words, silent ? " (a registry cannot be reached)" : "");
    free(text);
    free(log);
}

enum pip_state pip_poll(struct pip *p, char **file, char *reason, size_t n)
{
    int status;
    *file = NULL;
    pid_t ended = waitpid(p->pid, &status, WNOHANG);
    if (ended == 0) {
        uint64_t bytes = pip_bytes(p);
        double now = clock_s();
        if (bytes != p->seen_bytes) {
            p->seen_bytes = bytes;
            p->alive_s = now;
        }
        /* Two attempts with some back-off of its own, and the start of python. */
        double patience = 3 * p->patience_s + 10;
        if (now - p->alive_s < patience)
            return PIP_RUNS;
        pip_kill(p);
        snprintf(reason, n, "pip showed no sign of life for %.0f s", patience);
        return PIP_FAILED;
    }
    p->pid = 0;
    if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 && (*file = find_wheel(p)))
        return PIP_DONE;
    last_words(p, reason, n);
    return PIP_FAILED;
}

void pip_kill(struct pip *p)
{
    if (p->pid > 0) {
        kill(-p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    free(p->folder);
    *p = (struct pip){ 0 };
}
