/* bench-sha256: how fast files are verified, one file per core.
 *   bench-sha256 [--files N] [--mib M] [--threads N] [--repeat R] [--folder DIR]
 * In turn, R rounds, the fastest of each counts: `manifest` (a stage's files, lib/manifest), `fetch
 * --verify` (what lies in the cache, lib/io/fetch), `openssl speed -evp sha256` on one core, and
 * sha256sum over the same files. Files lie in the page cache, so no disk is measured. One JSON
 * line. Rates of a core are by processor time, as openssl's own is, so that others on the machine
 * do not count; ratios are those of ours to openssl's. cores: how many worked at once. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/base/tool.h"
#include "lib/io/fetch.h"
#include "lib/io/number.h"
#include "lib/manifest/manifest.h"

static int64_t n_files = 8, mib = 64, repeat = 3;
static const char *folder = "/tmp";

static const struct opt opts[] = {
    OPT_I64("files", &n_files, "N", "files"),
    OPT_I64("mib", &mib, "N", "size of each in MiB"),
    OPT_I64("repeat", &repeat, "N", "rounds; the fastest counts"),
    OPT_STR("folder", &folder, "DIR", "where they lie meanwhile"),
    OPT_END,
};

/* The least seconds of wall and of processor time, over the rounds. */
struct cost {
    double wall_s, cpu_s;
};

static void take_cost(struct cost *c, double wall_from, clock_t cpu_from)
{
    c->wall_s = fmin(c->wall_s, clock_s() - wall_from);
    c->cpu_s = fmin(c->cpu_s, (double)(clock() - cpu_from) / CLOCKS_PER_SEC);
}

struct bench {
    char *dir; /* with mirror/ and cache/ */
    struct inputs in;
    struct cost manifest, fetch;
    double openssl, sha256sum_s; /* bytes a second; seconds */
};

/* Files that differ, and what inputs say of them. */
static enum rc make_files(struct bench *b, struct err *e)
{
    const size_t n = (size_t)mib << 20;
    char *data = calloc(n, 1), *path = text_new("%s/mirror/f00", b->dir);
    enum rc rc = data && path ? RC_OK : err_set(e, RC_FAIL, "no memory");
    inputs_init(&b->in);
    b->in.item = calloc((size_t)n_files, sizeof *b->in.item);
    if (!rc && !b->in.item)
        rc = err_set(e, RC_FAIL, "no memory");
    for (int64_t i = 0; !rc && i < n_files; i++) {
        struct outfile o;
        struct input *in = &b->in.item[i];
        snprintf(data, n, "file %lld", (long long)i);
        snprintf(path + strlen(path) - 2, 3, "%02d", (int)i);
        rc = outfile_open(&o, path, e);
        if (rc)
            break;
        fwrite(data, 1, n, o.f);
        rc = outfile_commit(&o, e);
        *in = (struct input){ .bytes = n };
        in->path = arena_text(&b->in.text, strrchr(path, '/') + 1);
        if (!rc)
            rc = sha256_bytes(data, n, in->sha256, e);
        b->in.n++;
    }
    free(data);
    free(path);
    return rc;
}

static enum rc by_fetch(struct bench *b, bool verify, struct cost *cost, struct err *e)
{
    char *cache = text_new("%s/cache", b->dir), *mirror = text_new("%s/mirror", b->dir);
    struct fetch_result *result = calloc(b->in.n, sizeof *result);
    struct fetch_options o = { .cache = { .root = cache },
                               .mirror = mirror,
                               .n_parallel = 1,
                               .max_tries = 1,
                               .n_workers = threads_count(),
                               .wait_s = 1,
                               .verify = verify };
    uint64_t n;
    enum rc rc = cache && mirror && result ? RC_OK : err_set(e, RC_FAIL, "no memory");
    const double start = clock_s();
    const clock_t cpu = clock();
    if (!rc)
        rc = fetch_run(&b->in, &o, result, &n, e);
    take_cost(cost, start, cpu);
    for (size_t i = 0; !rc && i < b->in.n; i++)
        if (result[i].status != (verify ? FETCH_HAVE : FETCH_NEW))
            rc = err_set(e, RC_CHECK, "a file was not found as it is");
    if (result)
        fetch_results_release(result, b->in.n);
    free(result);
    free(cache);
    free(mirror);
    return rc;
}

static enum rc by_manifest(struct bench *b, struct err *e)
{
    struct manifest m;
    char *dir = text_new("%s/mirror", b->dir);
    manifest_init(&m);
    const double start = clock_s();
    const clock_t cpu = clock();
    enum rc rc = dir ? manifest_add_outputs(&m, dir, e) : err_set(e, RC_FAIL, "no memory");
    take_cost(&b->manifest, start, cpu);
    if (!rc && (m.n != b->in.n || strcmp(m.row[0].sha256, b->in.item[0].sha256) != 0))
        rc = err_set(e, RC_CHECK, "other files than were made");
    manifest_release(&m);
    free(dir);
    return rc;
}

/* The last field of the last line of a command is a number; NaN when there is none. */
static double last_number(const char *command)
{
    char line[512], *colon;
    double v = NAN, x;
    FILE *f = popen(command, "r");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        colon = strrchr(line, ':');
        if (line[0] == '+' && line[1] == 'F' && colon && number_parse(colon + 1, &x))
            v = x;
    }
    return f && pclose(f) == 0 ? v : NAN;
}

static void by_others(struct bench *b)
{
    b->openssl = fmax(b->openssl, last_number("openssl speed -mr -seconds 1 -bytes 262144 -evp "
                                              "sha256 2>/dev/null"));
    char *command =
        text_new("ls %s/mirror/* | xargs -n 1 -P %d sha256sum >/dev/null", b->dir, threads_count());
    const double start = clock_s();
    if (command && system(command) == 0)
        b->sha256sum_s = fmin(b->sha256sum_s, clock_s() - start);
    free(command);
}

static void put_cost(json_t *j, const char *name, const struct cost *c, double n, double openssl)
{
    char key[64];
    snprintf(key, sizeof key, "%s_bytes_per_s", name);
    json_object_set_new(j, key, json_real(n / c->wall_s));
    snprintf(key, sizeof key, "%s_bytes_per_core_s", name);
    json_object_set_new(j, key, json_real(n / c->cpu_s));
    snprintf(key, sizeof key, "%s_cores", name);
    json_object_set_new(j, key, json_real(c->cpu_s / c->wall_s));
    snprintf(key, sizeof key, "%s_ratio", name);
    if (openssl > 0)
        json_object_set_new(j, key, json_real(n / c->cpu_s / openssl));
}

static enum rc put(const struct bench *b, struct err *e)
{
    const double n = (double)n_files * (double)mib * 1048576;
    json_t *j = json_pack("{s:s, s:i, s:I, s:I}", "bench", "sha256", "threads", threads_count(),
                          "files", (json_int_t)n_files, "mib", (json_int_t)mib);
    if (j && b->openssl > 0)
        json_object_set_new(j, "openssl_bytes_per_core_s", json_real(b->openssl));
    if (j && isfinite(b->sha256sum_s))
        json_object_set_new(j, "sha256sum_bytes_per_s", json_real(n / b->sha256sum_s));
    if (j)
        put_cost(j, "manifest", &b->manifest, n, b->openssl);
    if (j)
        put_cost(j, "fetch_verify", &b->fetch, n, b->openssl);
    char *text = j ? json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(4)) : NULL;
    if (text)
        puts(text);
    free(text);
    json_decref(j);
    return text ? RC_OK : err_set(e, RC_FAIL, "no memory");
}

static enum rc measure(struct bench *b, struct err *e)
{
    struct cost copied = { INFINITY, INFINITY };
    enum rc rc = make_files(b, e);
    if (!rc)
        rc = by_fetch(b, false, &copied, e);
    for (int64_t i = 0; !rc && i < repeat; i++) {
        rc = by_manifest(b, e);
        if (!rc)
            rc = by_fetch(b, true, &b->fetch, e);
        if (!rc)
            by_others(b);
    }
    return rc ? rc : put(b, e);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    (void)a;
    struct bench b = { .manifest = { INFINITY, INFINITY },
                       .fetch = { INFINITY, INFINITY },
                       .sha256sum_s = INFINITY };
    if (n_files < 1 || n_files > 100 || mib < 1 || mib > 4096 || repeat < 1)
        return err_set(e, RC_USAGE, "1 to 100 files of 1 to 4096 MiB, at least one round");
    b.dir = text_new("%s/bench-sha256-%ld", folder, (long)getpid());
    char *remove_all = b.dir ? text_new("rm -rf '%s'", b.dir) : NULL;
    enum rc rc = remove_all ? folder_make(b.dir, e) : err_set(e, RC_FAIL, "no memory");
    if (!rc)
        rc = measure(&b, e);
    inputs_release(&b.in);
    if (remove_all && system(remove_all) != 0 && !rc)
        rc = err_set(e, RC_FAIL, "cannot remove '%s'", b.dir);
    free(remove_all);
    free(b.dir);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "bench-sha256",
                                      "",
                                      "speed of verification, one file per core",
                                      "Prints one JSON line.",
                                      opts,
                                      0,
                                      0 };
    return tool_main(&tool, run, argc, argv);
}
