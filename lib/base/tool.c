#include "lib/base/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/base/log.h"
#include "lib/base/spill.h"
#include "lib/base/thread.h"
#include "lib/base/version.h"

static void help(const struct tool *t, const struct opt *common)
{
    printf("Usage: %s%s%s [options]\n\n%s.\n", t->name, *t->args ? " " : "", t->args, t->about);
    if (t->text && *t->text)
        printf("\n%s\n", t->text);
    if (t->opts && t->opts->kind != OPT_KIND_END) {
        printf("\nOptions:\n");
        opt_help(t->opts, stdout);
    }
    printf("\nCommon options:\n");
    opt_help(common, stdout);
    printf("\nExit status: 0 done, 1 machine, 2 usage, 3 input refused, 4 own check failed, "
           "77 cannot run here.\n");
}

static int end(const char *name, enum rc rc)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "%s: cannot write stdout: %s\n", name, strerror(errno));
        return RC_FAIL;
    }
    return (int)rc;
}

enum rc tool_need_out(const struct tool_args *a, struct err *e)
{
    return a->out ? RC_OK : err_set(e, RC_USAGE, "--out is missing");
}

/* What the run cost, for whoever named a file in GC_TIMES (the stages do): one line "name, seconds,
 * seconds of processor time, most memory of it or a child in kB". Beside the results, never among
 * them. */
static void note_cost(const char *name, double start_s)
{
    const char *path = getenv("GC_TIMES");
    struct rusage u, children;
    if (!path || !*path || getrusage(RUSAGE_SELF, &u) || getrusage(RUSAGE_CHILDREN, &children))
        return;
    const long most = u.ru_maxrss > children.ru_maxrss ? u.ru_maxrss : children.ru_maxrss;
    FILE *f = fopen(path, "a");
    if (!f)
        return; /* a cost that cannot be written down fails nothing */
    const double cpu_s = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                         1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    fprintf(f, "%s\t%.3f\t%.3f\t%ld\n", name, clock_s() - start_s, cpu_s, most);
    fclose(f);
}

int tool_main(const struct tool *tool, enum rc (*run)(const struct tool_args *, struct err *),
              int argc, char **argv)
{
    static const struct opt none[] = { OPT_END };
    struct tool_args a = { .backend = "auto" };
    bool want_help = false, want_version = false;
    const struct opt common[] = {
        OPT_STR("out", &a.out, "PATH", "where the result goes"),
        OPT_STR("report", &a.report, "FILE", "numbers of this run as JSON"),
        OPT_I64("threads", &a.threads, "N", "threads to use; 0 is all. Never changes a result"),
        OPT_U64("seed", &a.seed, "N", "seed of every random number"),
        OPT_CHOICE("backend", &a.backend, "auto|ref|cpu|cpu-bf16|cpu-avx2|cpu-avx512bf16|cuda|cuda-bf16", "how the model is computed"),
        OPT_FLAG("quiet", &a.quiet, "say nothing but warnings and errors"),
        OPT_FLAG("help", &want_help, "print this and stop"),
        OPT_FLAG("version", &want_version, "print the version and stop"),
        OPT_END,
    };
    const struct opt *tables[] = { tool->opts ? tool->opts : none, common, NULL };
    struct err e = { 0 };
    const double start_s = clock_s();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of write(), not a silent death */
    enum rc rc = RC_OK;
    /* Help before anything else: `tool --help` must work beside options that are wrong. */
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        want_help = want_help || strcmp(argv[i], "--help") == 0;
    if (want_help) {
        help(tool, common);
        return end(tool->name, RC_OK);
    }
    rc = opt_parse(tables, argc, argv, &a.arg, &e);
    if (!rc && want_version) {
        printf("%s %s\n", tool->name, GC_VERSION);
        free(a.arg.item);
        return end(tool->name, RC_OK);
    }
    if (!rc && a.arg.n < tool->min_args)
        rc = err_set(&e, RC_USAGE, "wants %s", tool->args);
    if (!rc && tool->max_args >= 0 && a.arg.n > tool->max_args)
        rc = err_set(&e, RC_USAGE, "does not know what to do with '%s'", a.arg.item[tool->max_args]);
    if (!rc && (a.threads < 0 || a.threads > 1024))
        rc = err_set(&e, RC_USAGE, "--threads is 0 to 1024, not %lld", (long long)a.threads);
    if (!rc) {
        log_init(tool->name, a.quiet);
        threads_init((int)a.threads);
        spill_beside(a.out);
        rc = run(&a, &e);
        threads_stop();
        spill_beside(NULL);
        note_cost(tool->name, start_s);
    }
    /* No sentence: another process says it (lib/nn/dist.h). */
    if (rc && *e.text)
        fprintf(stderr, "%s: %s\n", tool->name, e.text);
    if (rc == RC_USAGE && *e.text)
        fprintf(stderr, "%s: try '%s --help'\n", tool->name, tool->name);
    free(a.arg.item);
    return end(tool->name, rc);
}

/* Of tool_main_of_parts, for no_part, which tool_main calls. */
static const struct tool_part *parts;
static size_t n_parts;

static enum rc no_part(const struct tool_args *a, struct err *e)
{
    char words[256] = "";
    size_t used = 0;
    if (a->arg.n)
        return err_set(e, RC_USAGE, "does not know '%s'", a->arg.item[0]);
    for (size_t i = 0; i < n_parts && used < sizeof words; i++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s",
                                 i == 0             ? ""
                                 : i + 1 == n_parts ? " or "
                                                    : ", ",
                                 parts[i].word);
    return err_set(e, RC_USAGE, "wants %s", words);
}

int tool_main_of_parts(const struct tool *all, const struct tool_part *part, size_t n, int argc,
                       char **argv)
{
    for (size_t i = 0; argc > 1 && i < n; i++)
        if (strcmp(argv[1], part[i].word) == 0)
            return tool_main(part[i].tool, part[i].run, argc - 1, argv + 1);
    parts = part;
    n_parts = n;
    return tool_main(all, no_part, argc, argv);
}
