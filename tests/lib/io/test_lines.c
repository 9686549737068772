/* lib/io/lines.h: a table that is another one when it is read the second time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/io/lines.h"
#include "tests/tap.h"

enum { PATIENCE_S = 60 };

static char dir[] = "/tmp/gc-test-lines-XXXXXX", path[64];

/* A heading and n rows to whoever opens the pipe. */
static void put(int n)
{
    FILE *f = fopen(path, "w");
    if (!f)
        _exit(1);
    fputs("a\tb\n", f);
    for (int i = 0; i < n; i++)
        fprintf(f, "%d\ttext %d\n", i, i);
    fclose(f);
}

/* Reads a named pipe, which gives `first` rows and, opened again, `second`. */
static enum rc read_twice(int first, int second, struct table *t, struct err *e)
{
    int watch = inotify_init1(IN_CLOEXEC);
    if (watch < 0 || inotify_add_watch(watch, path, IN_CLOSE_NOWRITE) < 0)
        return err_set(e, RC_FAIL, "no watch");
    pid_t pid = fork();
    if (pid == 0) {
        char event[1024];
        alarm(PATIENCE_S);
        put(first);
        if (read(watch, event, sizeof event) > 0) /* the reader has closed it */
            put(second);
        _exit(0);
    }
    alarm(PATIENCE_S);
    enum rc rc = tsv_read(path, '\t', t, e);
    alarm(0);
    close(watch);
    waitpid(pid, NULL, 0);
    return rc;
}

static bool says(int first, int second, const char *words)
{
    struct table t;
    struct err e = { 0 };
    enum rc rc = read_twice(first, second, &t, &e);
    bool good = rc == RC_INPUT && strstr(e.text, words) && !t.n_cols;
    if (!rc)
        table_release(&t);
    return good;
}

int main(void)
{
    struct table t;
    struct err e = { 0 };
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/pipe", dir);
    if (!ok(mkfifo(path, 0600) == 0, "a named pipe"))
        return tap_end();
    ok(!read_twice(3, 3, &t, &e) && t.n_rows == 3 && strcmp(t.col[1].text[2], "text 2") == 0,
       "is a table%s", e.text);
    table_release(&t);
    ok(says(2, 50000, "grew while it was read"), "one that grew is refused");
    ok(says(50, 3, "shrank while it was read"), "so is one that shrank");
    unlink(path);
    rmdir(dir);
    return tap_end();
}
