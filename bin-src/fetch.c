/* fetch: verified inputs into the cache, and a table of what is there. */
#include <fnmatch.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/base/tool.h"
#include "lib/io/fetch.h"
#include "lib/io/inputs.h"

static const char *cache_dir, *mirror_dir, *only;
static int64_t n_parallel = 4, max_tries = 4;
static double wait_s = 8;
static bool want_verify;
static volatile sig_atomic_t stop;

static const struct opt opts[] = {
    OPT_STR("cache", &cache_dir, "DIR", "where verified inputs are kept"),
    OPT_STR("mirror", &mirror_dir, "DIR",
            "a folder that has inputs already, asked first; only read"),
    OPT_I64("jobs", &n_parallel, "N", "downloads at a time"),
    OPT_STR("only", &only, "GLOB", "only inputs whose path matches"),
    OPT_F64("wait", &wait_s, "SECONDS", "a host that is silent for so long is given up"),
    OPT_I64("tries", &max_tries, "N", "attempts at one URL that bring nothing new"),
    OPT_FLAG("verify", &want_verify, "hash again what the cache has; fetch anew what was changed"),
    OPT_END,
};

static const struct tool tool = {
    "fetch",
    "MANIFEST...",
    "Bring the inputs that manifests name into the cache, verified",
    "Each input is looked for in the cache, in the mirror, then at its sources in order:\n"
    "https://..., file:..., pip:NAME==VERSION, each with !MEMBER for a file in an\n"
    "archive. Nothing enters the cache unless size and SHA-256 are right. An optional\n"
    "input that cannot be had is left out and named; a required one ends the run with\n"
    "status 3. Broken downloads are gone on with, in this run and the next. Proxies and\n"
    "certificates come from the environment (https_proxy, no_proxy, SSL_CERT_FILE...).\n\n"
    "  fetch manifests/inputs/demo.tsv --cache cache --mirror ../shared/data \\\n"
    "      --out results/demo/fetch/inputs.tsv\n\n"
    "Inputs lie at CACHE/view/PATH after it. --out is a table of all inputs with status\n"
    "`have` or `left-out`; it does not tell machines or times.",
    opts,
    1,
    -1
};

static void on_signal(int which)
{
    (void)which;
    stop = 1;
}

/* Once: a second signal ends the process at once, and does no harm either. */
static void catch_signals(void)
{
    struct sigaction s = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
    sigemptyset(&s.sa_mask);
    sigaction(SIGINT, &s, NULL);
    sigaction(SIGTERM, &s, NULL);
}

static enum rc read_manifests(struct inputs *in, const struct opt_list *names, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < names->n; i++)
        rc = inputs_read(in, names->item[i], e);
    if (!rc)
        rc = inputs_finish(in, e);
    if (rc || !only)
        return rc;
    size_t n = 0;
    for (size_t i = 0; i < in->n; i++)
        if (fnmatch(only, in->item[i].path, 0) == 0)
            in->item[n++] = in->item[i];
    in->n = n;
    return n ? RC_OK : err_set(e, RC_USAGE, "no input matches --only '%s'", only);
}

/* --- what could not be had ----------------------------------------------------------------- */

/* "mirror: no such file; https://host: cannot be reached": what a line has room for. */
static char *reasons(const struct fetch_result *r)
{
    char *all = text_new("%s", r->n_tries ? "" : "no source but a mirror, and no mirror was given");
    for (size_t i = 0; i < r->n_tries && all; i++) {
        const struct fetch_try *t = &r->tries[i];
        bool local = strcmp(t->source, "mirror") == 0 || strncmp(t->source, "file:", 5) == 0;
        char *more = local ? text_new("%s%s%s: %s", all, i ? "; " : "", t->source, t->reason)
                           : text_new("%s%s%s", all, i ? "; " : "", t->reason);
        free(all);
        all = more;
    }
    return all;
}

/* Names the files of one folder in one line; returns the first input of another. */
static size_t say_folder(const struct inputs *in, char *const *why, size_t i)
{
    const char *slash = strrchr(in->item[i].path, '/');
    size_t n = slash ? (size_t)(slash - in->item[i].path) + 1 : 0, k = i + 1;
    char *line = text_new("%s", in->item[i].path);
    for (; line && k < in->n; k++) {
        const char *path = in->item[k].path;
        if (strncmp(path, in->item[i].path, n) != 0 || strchr(path + n, '/'))
            break;
        if (!why[k] || strcmp(why[k], why[i]) != 0)
            continue;
        char *more = text_new("%s, %s", line, path + n);
        free(line);
        line = more;
    }
    log_warn("    %s", line ? line : in->item[i].path);
    free(line);
    return k;
}

/* Optional inputs with the same reason stand under one heading. */
static void say_left_out(const struct inputs *in, const struct fetch_result *r)
{
    char **why = calloc(in->n + 1, sizeof *why);
    for (size_t i = 0; why && i < in->n; i++)
        if (!r[i].status && !in->item[i].required)
            why[i] = reasons(&r[i]);
    for (size_t i = 0; why && i < in->n; i++) {
        if (!why[i])
            continue;
        log_warn("optional inputs are left out: %s", why[i]);
        for (size_t k = i; k < in->n;)
            k = why[k] && strcmp(why[k], why[i]) == 0 ? say_folder(in, why, k) : k + 1;
        for (size_t k = in->n; k-- > i;) {
            if (why[k] && (k == i || strcmp(why[k], why[i]) == 0)) {
                free(why[k]);
                why[k] = NULL;
            }
        }
    }
    free(why);
}

/* Required ones have a line for each source. */
static enum rc say_missing(const struct inputs *in, const struct fetch_result *r, struct err *e)
{
    char names[1024] = "";
    size_t n = 0, n_named = 0, n_required = 0, used = 0;
    for (size_t i = 0; i < in->n; i++) {
        const struct input *it = &in->item[i];
        n_required += it->required;
        if (r[i].status || !it->required)
            continue;
        log_warn("required input '%s' (%" PRIu64 " bytes) cannot be had:", it->path, it->bytes);
        if (!mirror_dir)
            log_warn("    mirror: none was given");
        for (size_t k = 0; k < r[i].n_tries; k++)
            log_warn("    %s: %s", r[i].tries[k].source, r[i].tries[k].reason);
        size_t len = strlen(it->path) + 4;
        if (used + len < sizeof names) {
            used += (size_t)snprintf(names + used, sizeof names - used, "%s'%s'", n ? ", " : "",
                                     it->path);
            n_named++;
        }
        n++;
    }
    if (!n)
        return RC_OK;
    return err_set(e, RC_INPUT,
                   "%zu of %zu required inputs missing: %s%s; name a folder that has them "
                   "(make MIRROR=DIR, fetch --mirror DIR), or let pip or the network reach one of "
                   "the sources above",
                   n, n_required, names, n_named < n ? " and more" : "");
}

/* Bytes that were there but wrong are worth a word even when another source was right. */
static void say_wrong(const struct inputs *in, const struct fetch_result *r)
{
    for (size_t i = 0; i < in->n; i++)
        for (size_t k = 0; k < r[i].n_tries; k++) {
            const struct fetch_try *t = &r[i].tries[k];
            if (!t->wrong || !r[i].status)
                continue;
            if (strcmp(t->source, "mirror") == 0)
                log_warn("mirror file '%s/%s' was passed over: %s", mirror_dir, in->item[i].path,
                         t->reason);
            else
                log_warn("'%s' from %s was passed over: %s", in->item[i].path, t->source,
                         t->reason);
        }
}

/* --- what was had -------------------------------------------------------------------------- */

/* The same on every machine that could have the same inputs: the first source, not the one used. */
static enum rc write_table(const char *path, const struct inputs *in, const struct fetch_result *r,
                           struct err *e)
{
    struct outfile o;
    if (outfile_open(&o, path, e))
        return e->rc;
    fputs("path\tbytes\tsha256\tneed\tstatus\tlicence\tsource\n", o.f);
    for (size_t i = 0; i < in->n; i++) {
        const struct input *it = &in->item[i];
        fprintf(o.f, "%s\t%" PRIu64 "\t%s\t%s\t%s\t%s\t%s\n", it->path, it->bytes, it->sha256,
                it->required ? "required" : "optional", r[i].status ? "have" : "left-out",
                it->licence, it->n_sources ? it->source[0].text : "-");
    }
    return outfile_commit(&o, e);
}

static json_t *tries_json(const struct fetch_result *r)
{
    json_t *list = json_array();
    for (size_t k = 0; k < r->n_tries; k++)
        json_array_append_new(list, json_pack("{s:s,s:s%}", "source", r->tries[k].source, "reason",
                                              r->tries[k].reason, strlen(r->tries[k].reason)));
    return list;
}

static enum rc write_report(const char *path, const struct inputs *in, const struct fetch_result *r,
                            uint64_t n_network_bytes, struct err *e)
{
    static const char *const word[] = { "left-out", "have", "new" };
    size_t n[3] = { 0 };
    json_t *list = json_array();
    for (size_t i = 0; i < in->n; i++) {
        n[r[i].status]++;
        json_array_append_new(list, json_pack("{s:s,s:s,s:s?,s:o}", "path", in->item[i].path,
                                              "status", word[r[i].status], "from", r[i].from,
                                              "tried", tries_json(&r[i])));
    }
    json_t *j =
        json_pack("{s:I,s:I,s:I,s:I,s:I,s:o}", "n_inputs", (json_int_t)in->n, "n_had",
                  (json_int_t)n[1], "n_new", (json_int_t)n[2], "n_left_out", (json_int_t)n[0],
                  "network_bytes", (json_int_t)n_network_bytes, "inputs", list);
    struct outfile o;
    enum rc rc = j ? outfile_open(&o, path, e) : err_set(e, RC_FAIL, "no memory for the report");
    if (!rc) {
        if (json_dumpf(j, o.f, JSON_INDENT(1)) == 0)
            fputc('\n', o.f);
        rc = outfile_commit(&o, e);
    }
    json_decref(j);
    return rc;
}

static enum rc tell(const struct tool_args *a, const struct inputs *in,
                    const struct fetch_result *r, uint64_t n_network_bytes, struct err *e)
{
    size_t n_new = 0, n_out = 0;
    for (size_t i = 0; i < in->n; i++) {
        n_new += r[i].status == FETCH_NEW;
        n_out += !r[i].status;
    }
    say_wrong(in, r);
    say_left_out(in, r);
    enum rc rc = a->report ? write_report(a->report, in, r, n_network_bytes, e) : RC_OK;
    if (!rc)
        rc = say_missing(in, r, e);
    if (!rc && a->out)
        rc = write_table(a->out, in, r, e);
    if (!rc)
        log_say("%zu inputs in '%s' (%zu new, %.1f MB over the network), %zu left out",
                in->n - n_out, cache_dir, n_new, 1e-6 * (double)n_network_bytes, n_out);
    return rc;
}

/* --- the run ------------------------------------------------------------------------------- */

static enum rc check_options(struct err *e)
{
    if (!cache_dir || !*cache_dir)
        return err_set(e, RC_USAGE, "--cache is missing");
    if (n_parallel < 1 || n_parallel > 64)
        return err_set(e, RC_USAGE, "--jobs is 1 to 64, not %" PRId64, n_parallel);
    if (max_tries < 1 || max_tries > 100)
        return err_set(e, RC_USAGE, "--tries is 1 to 100, not %" PRId64, max_tries);
    if (!(wait_s > 0 && wait_s <= 3600))
        return err_set(e, RC_USAGE, "--wait is up to 3600 seconds, not %g", wait_s);
    if (mirror_dir && !folder_exists(mirror_dir))
        return err_set(e, RC_INPUT, "no mirror '%s'", mirror_dir);
    return RC_OK;
}

static enum rc fetch_all(const struct tool_args *a, const struct inputs *in, struct err *e)
{
    struct fetch_result *r = calloc(in->n + 1, sizeof *r);
    if (!r)
        return err_set(e, RC_FAIL, "no memory for %zu inputs", in->n);
    uint64_t total = 0, n_network_bytes;
    for (size_t i = 0; i < in->n; i++)
        total += in->item[i].bytes;
    struct progress progress;
    progress_start(&progress, "bytes", (size_t)total);
    struct fetch_options o = { .cache = { cache_dir, &stop },
                               .mirror = mirror_dir,
                               .n_parallel = (int)n_parallel,
                               .max_tries = (int)max_tries,
                               .n_workers = threads_count(),
                               .wait_s = wait_s,
                               .verify = want_verify,
                               .progress = &progress };
    enum rc rc = fetch_run(in, &o, r, &n_network_bytes, e);
    if (!rc)
        rc = tell(a, in, r, n_network_bytes, e);
    fetch_results_release(r, in->n);
    free(r);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (check_options(e))
        return e->rc;
    struct inputs in;
    inputs_init(&in);
    enum rc rc = read_manifests(&in, &a->arg, e);
    if (!rc)
        rc = fetch_all(a, &in, e);
    inputs_release(&in);
    return rc;
}

int main(int argc, char **argv)
{
    catch_signals();
    return tool_main(&tool, run, argc, argv);
}
