#define _XOPEN_SOURCE 700 /* realpath */
/* gpu-report: what jobs on a device printed (workflows/gpu.sh), as one JSON file with shares of the
 * peaks. gpu-report FOLDER --out FILE.json [--nominal FILE.tsv] FOLDER holds texts, each of which
 * may be missing: name, date, version, compiler, nvidia-smi, mig, budget; and jobs.tsv, a line a
 * job in order, without a heading: job  status  seconds  command         (tabs between them; status
 * -1: there was no time to start it) with what job K (from 0) printed in K.log and its samples of
 * the device in K.csv: clock, memory clock (MHz), watts, degrees, memory in use (MiB), of
 * nvidia-smi twice a second.
 *
 * A line of a log that is a JSON object is one of `numbers`. The line with product_tflops and
 * triad_gb_per_s (bench-device) gives the measured peaks; gflop_per_s (and model_tflops) and
 * gb_per_s of other lines get shares of them, and of the nominal peaks of that name in FILE.tsv
 * (reference/gpu/nominal.tsv) where there is one and the program saw the whole device:
 *   share_of_product = gflop_per_s / 1000 / product_tflops      share_of_memory = gb_per_s /
 * max(copy, triad)
 *
 * outcome of a job: passed; failed (its status); cut off (124, 137: by its limit); left out (77,
 * and its last line; or no time). passed: none failed or was cut off; complete: none left out.
 * Numbers of the emulation, and such as do not name their device, are refused in a folder named
 * reference/gpu. Status 4 when a job failed or was cut off, 77 when the first was left out, with
 * its sentence: there is no device, and no file. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/base/utf8.h"
#include "lib/io/lines.h"

static struct {
    const char *nominal;
} opt;

static const struct opt opts[] = {
    OPT_STR("nominal", &opt.nominal, "FILE", "table of nominal peaks"),
    OPT_END,
};

enum { LOG_MOST = 1 << 24, LINES = 40, SAMPLES = 5 };

/* The peaks; 0: not known. */
struct peaks {
    double tflops, gb_per_s;
};

struct report {
    const char *folder;
    json_t *top, *notes, *left_out;
    struct peaks measured, nominal;
    bool failed, emulated, device;
};

/* Bytes that are no UTF-8, and control characters but line ends and tabs, become '?'. */
static void make_plain(char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        const size_t len = utf8_char(s + i, n - i);
        if (!len || (len == 1 && (unsigned char)s[i] < 32 && s[i] != '\n' && s[i] != '\t'))
            s[i++] = '?';
        else
            i += len;
    }
}

/* The last LOG_MOST bytes of a file, or fewer, from the beginning of a line; NULL where it cannot be read. */
static char *end_of(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *text = f ? malloc(LOG_MOST + 1) : NULL;
    const bool whole = text && fseek(f, -(long)LOG_MOST, SEEK_END) != 0;
    if (whole)
        rewind(f);
    *n = text ? fread(text, 1, LOG_MOST, f) : 0;
    if (f)
        fclose(f);
    if (!text)
        return NULL;
    text[*n] = '\0';
    const char *line = whole ? text : memchr(text, '\n', *n);
    if (line && line != text) {
        *n -= (size_t)(++line - text);
        memmove(text, line, *n + 1);
    }
    return text;
}

/* The text of a file of the folder; NULL where there is none. The end of a long one. */
static char *text_of(const struct report *r, const char *name)
{
    char *path = text_new("%s/%s", r->folder, name);
    size_t n = 0;
    char *text = path ? end_of(path, &n) : NULL;
    free(path);
    if (text)
        make_plain(text, n);
    while (text && n && text[n - 1] == '\n')
        text[--n] = '\0';
    return text;
}

static void set_text(const struct report *r, const char *name)
{
    char *text = text_of(r, name);
    if (text)
        json_object_set_new(r->top, name, json_string(text));
    free(text);
}

static double number_of(const json_t *o, const char *key)
{
    const double x = json_number_value(json_object_get(o, key));
    return isfinite(x) ? x : 0;
}

static void set_share(json_t *o, const char *key, double x, double peak)
{
    if (x > 0 && peak > 0)
        json_object_set_new(o, key, json_real(x / peak));
}

static void add_shares(const struct report *r, json_t *o)
{
    const double gflop = number_of(o, "gflop_per_s"), model = number_of(o, "model_tflops");
    const double tflops = gflop > 0 ? gflop / 1000 : model, gb = number_of(o, "gb_per_s");
    set_share(o, "share_of_product", tflops, r->measured.tflops);
    set_share(o, "share_of_nominal_product", tflops, r->nominal.tflops);
    set_share(o, "share_of_memory", gb, r->measured.gb_per_s);
    set_share(o, "share_of_nominal_memory", gb, r->nominal.gb_per_s);
}

static double cell(const struct table *t, const char *column, size_t row)
{
    const char *text = table_find(t, column)->text[row];
    return text ? strtod(text, NULL) : 0;
}

static json_t *real_or_null(double x)
{
    return x > 0 ? json_real(x) : json_null();
}

/* The row of a device's name. A part of a device (MIG) has other peaks, and none are known. */
static enum rc find_nominal(struct report *r, const char *name, struct err *e)
{
    char *mig = text_of(r, "mig");
    const bool part = (mig && strstr(mig, "Enabled")) || strstr(name, " MIG ");
    free(mig);
    if (part)
        json_array_append_new(
            r->notes, json_string("MIG is on: the programs saw a part of the device, so there is "
                                  "no share of a nominal peak"));
    if (part || !opt.nominal || r->emulated)
        return RC_OK;
    struct table t;
    enum rc rc = tsv_read_need(opt.nominal, "device,tflops_bf16,gb_per_s,source", &t, e);
    if (rc)
        return rc;
    const char **device = table_find(&t, "device")->text, **source = table_find(&t, "source")->text;
    size_t i = 0;
    while (i < t.n_rows && !(device[i] && strcmp(device[i], name) == 0))
        i++;
    if (i < t.n_rows) {
        r->nominal.tflops = cell(&t, "tflops_bf16", i);
        r->nominal.gb_per_s = cell(&t, "gb_per_s", i);
        json_object_set_new(r->top, "nominal_source", json_string(source[i] ? source[i] : ""));
    } else
        json_array_append_new(r->notes, json_string("no nominal peak of this device is known "
                                                    "(reference/gpu/nominal.tsv)"));
    table_release(&t);
    return RC_OK;
}

/* The line of bench-device. */
static enum rc take_device(struct report *r, const json_t *o, struct err *e)
{
    const json_t *name = json_object_get(o, "device"), *notes = json_object_get(o, "notes");
    if (r->device || !json_is_string(name) || !json_object_get(o, "emulated"))
        return RC_OK;
    r->device = true;
    r->emulated = json_is_true(json_object_get(o, "emulated"));
    r->measured.tflops = number_of(o, "product_tflops");
    r->measured.gb_per_s = fmax(number_of(o, "copy_gb_per_s"), number_of(o, "triad_gb_per_s"));
    json_array_extend(r->notes, (json_t *)(uintptr_t)notes);
    json_object_set_new(r->top, "device", json_string(json_string_value(name)));
    json_object_set_new(r->top, "emulated", json_boolean(r->emulated));
    enum rc rc = find_nominal(r, json_string_value(name), e);
    json_object_set_new(r->top, "peaks",
                        json_pack("{s:o, s:o, s:o, s:o}", "product_tflops",
                                  real_or_null(r->measured.tflops), "memory_gb_per_s",
                                  real_or_null(r->measured.gb_per_s), "nominal_product_tflops",
                                  real_or_null(r->nominal.tflops), "nominal_memory_gb_per_s",
                                  real_or_null(r->nominal.gb_per_s)));
    return rc;
}

/* Cuts the log in place: JSON lines to numbers, the last lines to an array. */
static enum rc take_log(struct report *r, json_t *job, char *log, struct err *e)
{
    json_t *numbers = json_array(), *lines = json_array();
    enum rc rc = RC_OK;
    json_object_set_new(job, "numbers", numbers);
    json_object_set_new(job, "lines", lines);
    for (char *s = log, *next; !rc && s && *s; s = next) {
        char *end = strchr(s, '\n');
        next = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        json_t *o = s[0] == '{' ? json_loads(s, 0, NULL) : NULL;
        if (o) {
            rc = take_device(r, o, e);
            add_shares(r, o);
            json_array_append_new(numbers, o);
            continue;
        }
        if (json_array_size(lines) == LINES)
            json_array_remove(lines, 0);
        json_array_append_new(lines, json_string(s));
    }
    return rc;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Least, middle and largest of each column; what is no number ("[N/A]") is left out. */
static void take_samples(json_t *job, char *csv)
{
    static const char *const name[SAMPLES] = { "clock_mhz", "memory_clock_mhz", "watts", "degrees",
                                               "memory_mib" };
    size_t room = 1, n[SAMPLES] = { 0 };
    for (const char *s = csv; *s; s++)
        room += *s == '\n';
    double *x = calloc(room * SAMPLES, sizeof *x);
    for (char *s = csv, *next; x && s && *s; s = next) {
        char *end = strchr(s, '\n'), *field[SAMPLES];
        next = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        const size_t fields = fields_cut(s, ',', field, SAMPLES);
        for (size_t k = 0; k < fields && k < SAMPLES; k++) {
            char *stop;
            const double v = strtod(field[k], &stop);
            if (stop != field[k] && isfinite(v))
                x[k * room + n[k]++] = v;
        }
    }
    json_t *o = json_object();
    for (size_t k = 0; x && k < SAMPLES; k++) {
        double *at = x + k * room;
        if (!n[k])
            continue;
        qsort(at, n[k], sizeof *at, by_size);
        json_object_set_new(o, name[k], json_pack("[f,f,f]", at[0], at[n[k] / 2], at[n[k] - 1]));
    }
    json_object_set_new(job, "least_middle_most", o);
    free(x);
}

static const char *last_line(const json_t *job)
{
    const json_t *lines = json_object_get(job, "lines");
    const size_t n = json_array_size(lines);
    const char *text = n ? json_string_value(json_array_get(lines, n - 1)) : NULL;
    return text && *text ? text : "it said nothing";
}

static void judge(struct report *r, json_t *job, long status)
{
    const char *why = status == -1 ? "no time was left" : last_line(job);
    const char *outcome = status == 0                      ? "passed"
                          : status == -1 || status == 77   ? "left out"
                          : status == 124 || status == 137 ? "cut off"
                                                           : "failed";
    json_object_set_new(job, "outcome", json_string(outcome));
    if (status == -1 || status == 77)
        json_array_append_new(
            r->left_out, json_pack("{s:O, s:s}", "job", json_object_get(job, "job"), "why", why));
    else
        r->failed |= status != 0;
}

static enum rc take_job(struct report *r, size_t k, char *line, struct err *e)
{
    char *field[4], name[32];
    if (fields_cut(line, '\t', field, 4) != 4)
        return err_set(e, RC_INPUT, "jobs.tsv: line %zu has not four fields", k + 1);
    const long status = strtol(field[1], NULL, 10);
    json_t *job = json_pack("{s:s, s:s, s:i, s:f}", "job", field[0], "command", field[3], "status",
                            (int)status, "seconds", strtod(field[2], NULL));
    json_array_append_new(json_object_get(r->top, "jobs"), job);
    snprintf(name, sizeof name, "%zu.log", k);
    char *log = text_of(r, name);
    enum rc rc = take_log(r, job, log, e);
    snprintf(name, sizeof name, "%zu.csv", k);
    char *csv = text_of(r, name);
    if (csv)
        take_samples(job, csv);
    judge(r, job, status);
    if (!rc && k == 0 && status == 77)
        rc = err_set(e, RC_SKIP, "%s", last_line(job));
    free(log);
    free(csv);
    return rc;
}

static enum rc take_jobs(struct report *r, struct err *e)
{
    struct lines l;
    bool more = true;
    char *path = text_new("%s/jobs.tsv", r->folder);
    enum rc rc = path ? lines_open(&l, path, e) : err_set(e, RC_FAIL, "no memory");
    free(path);
    if (rc)
        return rc;
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        make_plain(l.text, l.n_bytes);
        rc = take_job(r, l.number - 1, l.text, e);
    }
    lines_close(&l);
    return rc;
}

/* Whether the file would lie in a folder named reference/gpu, by whatever name that folder is
 * given. */
static bool among_results(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? text_new("%.*s", (int)(slash - path), path) : text_new(".");
    char *real = folder ? realpath(folder, NULL) : NULL;
    const char *tail = real ? real : folder;
    const size_t n = tail ? strlen(tail) : 0, want = strlen("reference/gpu");
    const bool yes = n >= want && strcmp(tail + n - want, "reference/gpu") == 0;
    free(real);
    free(folder);
    return yes;
}

static enum rc write_report(const struct report *r, const char *path, struct err *e)
{
    struct outfile f;
    if ((r->emulated || !r->device) && among_results(path))
        return err_set(e, RC_USAGE, "%s do not belong among results of devices: '%s'",
                       r->emulated ? "numbers of the emulation"
                                   : "numbers for which no device was named (bench-device failed)",
                       path);
    char *text = json_dumps(r->top, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    enum rc rc = text ? outfile_open(&f, path, e) : err_set(e, RC_FAIL, "no memory");
    if (!rc) {
        fprintf(f.f, "%s\n", text);
        rc = outfile_commit(&f, e);
    }
    free(text);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    static const char *const head[] = { "name",       "date", "version", "compiler",
                                        "nvidia-smi", "mig",  "budget" };
    struct report r = { .folder = a->arg.item[0] };
    enum rc rc = tool_need_out(a, e);
    if (rc)
        return rc;
    r.top = json_object();
    r.notes = json_array();
    r.left_out = json_array();
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        set_text(&r, head[i]);
    json_object_set_new(r.top, "device", json_null());
    json_object_set_new(r.top, "emulated", json_false());
    json_object_set_new(r.top, "passed", json_false());
    json_object_set_new(r.top, "complete", json_false());
    json_object_set_new(r.top, "left_out", r.left_out);
    json_object_set_new(r.top, "notes", r.notes);
    json_object_set_new(r.top, "peaks", json_null());
    json_object_set_new(r.top, "jobs", json_array());
    rc = take_jobs(&r, e);
    if (!rc && !json_array_size(json_object_get(r.top, "jobs")))
        rc = err_set(e, RC_INPUT, "jobs.tsv has no job");
    json_object_set_new(r.top, "passed", json_boolean(!r.failed));
    json_object_set_new(r.top, "complete", json_boolean(json_array_size(r.left_out) == 0));
    if (!rc)
        rc = write_report(&r, a->out, e);
    json_decref(r.top);
    return !rc && r.failed ? err_set(e, RC_CHECK, "a job failed or was cut off: see '%s'", a->out)
                           : rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "gpu-report",
                                      "FOLDER",
                                      "What jobs on a device printed, as one JSON file",
                                      "FOLDER is laid out by workflows/gpu.sh.",
                                      opts,
                                      1,
                                      1 };
    return tool_main(&tool, run, argc, argv);
}
