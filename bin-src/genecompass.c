/* genecompass TOOL ARG...: starts the tool of that name, as git does. The tools lie in the folder
 * of this program (a build) or in ../libexec/genecompass (an installation); which tools there are,
 * and what each does, is asked of that folder and of the tools themselves. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/tool.h"
#include "lib/base/version.h"

static const char own_name[] = "genecompass";

static bool runs(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* The folder of the tools, to be freed; NULL when memory is short or /proc is not there. */
static char *folder_of_tools(void)
{
    char self[4096];
    if (!tool_folder(self, sizeof self))
        return NULL;
    char *installed = text_new("%s/../libexec/%s", self, own_name);
    if (installed && folder_exists(installed))
        return installed;
    free(installed);
    return text_new("%s", self);
}

/* What a tool says about itself: the third line of its --help. Empty when it says nothing. */
static void about(const char *path, char *line, size_t room)
{
    char *text = tool_says(path);
    const char *at = text;
    for (int i = 1; at && i < 3; i++)
        at = (at = strchr(at, '\n')) ? at + 1 : NULL;
    snprintf(line, room, "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
    free(text);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void list_tools(const char *folder)
{
    struct dirent **entry = NULL;
    const int n = scandir(folder, &entry, NULL, by_name);
    for (int i = 0; i < n; i++) {
        const char *name = entry[i]->d_name;
        char *path = text_new("%s/%s", folder, name);
        if (path && name[0] != '.' && strcmp(name, own_name) != 0 && runs(path)) {
            char line[160];
            about(path, line, sizeof line);
            printf("  %-18s %s\n", name, line);
        }
        free(path);
        free(entry[i]);
    }
    free(entry);
}

static int help(const char *folder)
{
    printf("Usage: %s TOOL [ARG...]\n\n"
           "Starts one of the tools below; `%s TOOL --help` tells how each is used.\n"
           "Example: %s import --help\n\n",
           own_name, own_name, own_name);
    fflush(stdout);
    list_tools(folder);
    return fflush(stdout) || fclose(stdout) ? RC_FAIL : RC_OK;
}

int main(int argc, char **argv)
{
    char *folder = folder_of_tools();
    if (!folder) {
        fprintf(stderr, "%s: cannot tell the folder of the tools\n", own_name);
        return RC_FAIL;
    }
    const char *name = argc > 1 ? argv[1] : "--help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        const int status = help(folder);
        if (status)
            fprintf(stderr, "%s: cannot write to stdout\n", own_name);
        free(folder);
        return argc > 1 || status ? status : RC_USAGE;
    }
    if (strcmp(name, "--version") == 0) {
        free(folder);
        printf("%s %s\n", own_name, GC_VERSION);
        return fclose(stdout) ? RC_FAIL : RC_OK;
    }
    /* A name, not a path: this starts tools of ours and nothing else. */
    char *path = text_new("%s/%s", folder, name);
    free(folder);
    if (!path || strchr(name, '/') || name[0] == '.' || strcmp(name, own_name) == 0 ||
        !runs(path)) {
        fprintf(stderr, "%s: there is no tool '%s'; `%s --help` lists them\n", own_name, name,
                own_name);
        free(path);
        return RC_USAGE;
    }
    argv[1] = path;
    execv(path, argv + 1);
    fprintf(stderr, "%s: cannot start '%s': %s\n", own_name, path, strerror(errno));
    free(path);
    return RC_FAIL;
}
