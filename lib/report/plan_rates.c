#define _XOPEN_SOURCE 700 /* scandir */
#include "lib/report/plan_rates.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/arena.h"
#include "lib/base/file.h"
#include "lib/base/sha256.h"
#include "lib/io/lines.h"
#include "lib/io/number.h"
#include "lib/manifest/manifest.h"
#include "lib/report/json.h"

/* What a stage tells: `NAME_cpu_s_per_cell` by the cells that it read, `NAME_bytes_per_cell` by
 * those that it wrote. */
struct kind {
    const char *stage;
    bool per_sample;
    const char *name, *cells_in, *cells_out;
    const char *output; /* names of the files counted begin so; NULL: none is */
};

static const struct kind kinds[] = {
    { "import", true, "import", "n_cells", "n_cells", "cells.h5ad" },
    { "homolog-map", true, "map", "n_cells", "n_cells", "cells.h5ad" },
    { "qc-filter", true, "filter", "cells_in", "kept", "cells.h5ad" },
    { "median-part", true, "partial", "n_cells", "n_cells", "cells.median" },
    { "median", false, "merge", "n_cells", "n_cells", NULL },
    { "tokenize", false, "tokenize", "n_cells", "n_cells", "shard-" },
};

struct sums {
    size_t n_stages;
    double cells_in, cells_out, cpu_s, bytes, source_bytes, tokens;
};

static enum rc add_time(const char *path, struct sums *s, struct err *e)
{
    struct lines l;
    bool more = true;
    enum rc rc = lines_open(&l, path, e);
    if (rc)
        return rc;
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        char *field[4];
        double cpu_s;
        if (fields_cut(l.text, '\t', field, 4) != 4 || !number_parse(field[2], &cpu_s))
            rc = err_set(e, RC_INPUT, "'%s': line %zu is no cost of a tool", path, l.number);
        else
            s->cpu_s += cpu_s;
    }
    lines_close(&l);
    return rc;
}

static enum rc add_bytes(const char *path, const char *output, struct sums *s, struct err *e)
{
    struct manifest m;
    enum rc rc = manifest_read(&m, path, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < m.n; i++)
        if (m.row[i].kind == MANIFEST_OUTPUT && output &&
            strncmp(m.row[i].name, output, strlen(output)) == 0)
            s->bytes += (double)m.row[i].bytes;
    manifest_release(&m);
    return RC_OK;
}

static enum rc add_report(const char *path, const struct kind *k, struct sums *s, struct err *e)
{
    json_t *j;
    enum rc rc = json_read(path, &j, e);
    if (rc)
        return rc;
    const double in = json_number_of(j, k->cells_in), out = json_number_of(j, k->cells_out);
    const double source = json_number_of(j, "bytes"), tokens = json_number_of(j, "n_tokens");
    if (isnan(in) || isnan(out))
        rc = err_set(e, RC_INPUT, "'%s' has no number '%s'", path,
                     isnan(in) ? k->cells_in : k->cells_out);
    s->cells_in += in;
    s->cells_out += out;
    s->source_bytes += isnan(source) ? 0 : source;
    s->tokens += isnan(tokens) ? 0 : tokens;
    json_decref(j);
    return rc;
}

/* One closed stage that left something; others do not count. */
static enum rc add_stage(const char *folder, const struct kind *k, struct sums *s, struct err *e)
{
    char *manifest = text_new("%s/MANIFEST.tsv", folder),
         *report = text_new("%s/report.json", folder);
    char *times = text_new("%s/time.log", folder);
    enum rc rc = manifest && report && times ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && file_exists(manifest) && file_exists(report) && file_exists(times)) {
        rc = add_time(times, s, e);
        if (!rc)
            rc = add_report(report, k, s, e);
        if (!rc)
            rc = add_bytes(manifest, k->output, s, e);
        s->n_stages++;
    }
    free(manifest);
    free(report);
    free(times);
    return rc;
}

static enum rc add_samples(const char *folder, const struct kind *k, struct sums *s, struct err *e)
{
    struct dirent **entry = NULL;
    const int n = scandir(folder, &entry, NULL, alphasort); /* sums in one order */
    enum rc rc = RC_OK;
    for (int i = 0; i < n; i++) {
        char *path = text_new("%s/%s", folder, entry[i]->d_name);
        if (!rc && !path)
            rc = err_set(e, RC_FAIL, "no memory for a path");
        if (!rc && entry[i]->d_name[0] != '.')
            rc = add_stage(path, k, s, e);
        free(path);
        free(entry[i]);
    }
    free(entry);
    return rc;
}

static enum rc put(struct plan *p, const struct kind *k, const char *what, double of, double cells,
                   const char *unit, const char *results, size_t n_stages, struct err *e)
{
    char name[64], source[512];
    snprintf(name, sizeof name, "%s_%s_per_cell", k->name, what);
    snprintf(source, sizeof source, "%.6g %s for %.0f cells in %zu stage%s, logs of %.300s/%s", of,
             unit, cells, n_stages, n_stages == 1 ? "" : "s", results, k->stage);
    return plan_rate(p, name, of / cells, unit, source, e);
}

static enum rc rates_of_stage(struct plan *p, const char *results, const struct kind *k,
                              struct err *e)
{
    struct sums s = { 0 };
    char *folder = text_new("%s/%s", results, k->stage), source[400];
    enum rc rc = folder ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = k->per_sample ? add_samples(folder, k, &s, e) : add_stage(folder, k, &s, e);
    free(folder);
    if (!rc && (!(s.cells_in > 0) || !(s.cells_out > 0)))
        return err_set(e, RC_INPUT, "'%s' has no closed stage '%s' with cells to take rates from",
                       results, k->stage);
    if (!rc)
        rc = put(p, k, "cpu_s", s.cpu_s, s.cells_in, "s", results, s.n_stages, e);
    if (!rc && k->output)
        rc = put(p, k, "bytes", s.bytes, s.cells_out, "B", results, s.n_stages, e);
    if (!rc && s.source_bytes > 0) {
        const struct kind source_kind = { .stage = k->stage, .name = "source" };
        rc =
            put(p, &source_kind, "bytes", s.source_bytes, s.cells_out, "B", results, s.n_stages, e);
    }
    if (!rc && s.tokens > 0) {
        snprintf(source, sizeof source, "%.0f tokens of %.0f cells, report of %.300s/%s", s.tokens,
                 s.cells_out, results, k->stage);
        rc = plan_rate(p, "tokens_per_cell", s.tokens / s.cells_out, "tokens", source, e);
    }
    return rc;
}

enum rc plan_rates_of(struct plan *p, const char *results, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < sizeof kinds / sizeof *kinds; i++)
        rc = rates_of_stage(p, results, &kinds[i], e);
    return rc;
}

enum rc plan_rates_sha256(struct plan *p, struct err *e)
{
    enum { MIB = 64 };
    const size_t n = (size_t)MIB << 20;
    char hex[SHA256_HEX];
    double best = INFINITY;
    unsigned char *data = memory_pages(n);
    if (!data)
        return err_set(e, RC_FAIL, "no memory for a measurement");
    memset(data, 1, n);
    enum rc rc = RC_OK;
    for (int round = 0; !rc && round < 3; round++) {
        const clock_t start = clock(); /* processor time: others on the machine do not count */
        rc = sha256_bytes(data, n, hex, e);
        best = fmin(best, (double)(clock() - start) / CLOCKS_PER_SEC);
    }
    free(data);
    return rc ? rc
              : plan_rate(
                    p, "sha256_bytes_per_s", (double)n / best, "B",
                    "a second, one core; best of 3 rounds over 64 MiB in memory, measured now", e);
}
