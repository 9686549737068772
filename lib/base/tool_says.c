#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/tool.h"

bool program_here(const char *name)
{
    const char *dir = getenv("PATH");
    bool found = false;
    while (dir && *dir && !found) {
        const size_t n = strcspn(dir, ":");
        char *path = text_new("%.*s/%s", (int)n, dir, name);
        found = path && access(path, X_OK) == 0;
        free(path);
        dir += n + (dir[n] == ':');
    }
    return found;
}

/* All of f, to its end: who writes it must not see EPIPE. */
static char *read_all(FILE *f)
{
    size_t n = 0, room = 0;
    char *text = NULL;
    do {
        if (room - n < 2) {
            char *more = realloc(text, room = 2 * room + 4096);
            if (!more) {
                free(text);
                return NULL;
            }
            text = more;
        }
        n += fread(text + n, 1, room - n - 1, f);
        text[n] = '\0';
    } while (!feof(f) && !ferror(f));
    return text;
}

char *tool_says(const char *path)
{
    int end[2];
    char *text = NULL;
    if (pipe(end))
        return NULL;
    const pid_t child = fork();
    if (child == 0) {
        dup2(end[1], STDOUT_FILENO);
        close(end[0]);
        close(end[1]);
        execl(path, path, "--help", (char *)NULL);
        _exit(127);
    }
    close(end[1]);
    FILE *f = child > 0 ? fdopen(end[0], "r") : NULL;
    if (f) {
        text = read_all(f);
        fclose(f);
    } else {
        close(end[0]);
    }
    if (child > 0)
        waitpid(child, NULL, 0);
    return text;
}
