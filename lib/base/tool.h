/* What every executable shares: the common options, --help and --version, the exit status, and a
 * stdout that is closed with a check.
 *
 *   static enum rc run(const struct tool_args *a, struct err *e);
 *   int main(int argc, char **argv)
 *   {
 *       static const struct tool tool = { "vocab", "", "token dictionary from gene tables",
 *                                         "...", opts, 0, 0 };
 *       return tool_main(&tool, run, argc, argv);
 *   } */
#ifndef GC_BASE_TOOL_H
#define GC_BASE_TOOL_H

#include "lib/base/opt.h"

struct tool {
    const char *name;
    const char *args;  /* non-options as the usage line shows them: "INPUT..." */
    const char *about; /* one line, no full stop */
    const char *text;  /* paragraphs for --help, with an example; lines of at most 80 columns */
    const struct opt *opts;
    int min_args, max_args; /* of non-options; max_args < 0: any number */
};

/* Common options. Not every tool uses each of them; --help says which do what. */
struct tool_args {
    const char *out;     /* --out, NULL when not given */
    const char *report;  /* --report FILE.json, NULL when not given */
    const char *backend; /* auto, ref, cpu, cuda or cuda-bf16 */
    int64_t threads;     /* as given; threads_init was called with it */
    uint64_t seed;
    bool quiet;
    struct opt_list arg; /* the non-options */
};

int tool_main(const struct tool *tool, enum rc (*run)(const struct tool_args *, struct err *),
              int argc, char **argv);
/* For a tool of several parts, told by its first word; each is a tool of its own. `all` has their names
 * and the --help of the whole. */
struct tool_part {
    const char *word;
    const struct tool *tool;
    enum rc (*run)(const struct tool_args *, struct err *);
};
int tool_main_of_parts(const struct tool *all, const struct tool_part *part, size_t n, int argc,
                       char **argv);
/* What a tool says for --help, from its program at path; the caller frees. NULL: nothing. */
char *tool_says(const char *path);
/* Is there a program of that name in PATH? */
bool program_here(const char *name);
/* The folder of this program, where its fellows lie; NULL when it cannot be told. */
const char *tool_folder(char *to, size_t room);
/* RC_USAGE with a sentence when --out is missing. */
enum rc tool_need_out(const struct tool_args *a, struct err *e);

#endif
