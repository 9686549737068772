/* manifest: closes a stage's folder with the sums of all that lies in it, or looks at it again. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/base/version.h"
#include "lib/manifest/manifest.h"

static const char *stage, *params_file;
static struct opt_list params, inputs, bases, excludes;
static bool want_check;

static const struct opt opts[] = {
    OPT_STR("stage", &stage, "NAME", "name of the stage that wrote DIR"),
    OPT_LIST("param", &params, "KEY=TEXT", "a parameter as the stage used it"),
    OPT_STR("params", &params_file, "FILE", "parameters as lines of a file"),
    OPT_LIST("input", &inputs, "FILE", "what the stage read, mostly other MANIFEST.tsv"),
    OPT_LIST("base", &bases, "DIR", "inputs are named relative to the first DIR above them"),
    OPT_LIST("exclude", &excludes, "GLOB", "files that are no outputs"),
    OPT_FLAG("check", &want_check, "hash DIR again and compare; status 4 when it differs"),
    OPT_END,
};

static const struct tool tool = {
    "manifest",
    "DIR",
    "Close a stage's folder with a MANIFEST.tsv, or check one",
    "Writes DIR/MANIFEST.tsv: the stage's name, the version, its parameters, the files\n"
    "it read and all files below DIR with bytes and SHA-256. Equal runs have equal\n"
    "manifests: no time, no absolute path. DIR/MANIFEST.tsv itself, `params`, *.log and\n"
    "*.part are left out.\n\n"
    "  manifest results/demo/vocab --stage vocab --params results/demo/vocab/params \\\n"
    "      --input results/demo/tables/MANIFEST.tsv --base results/demo\n"
    "  manifest --check results/demo/vocab\n\n"
    "--check names each file that is missing, changed or extra on stdout; with --base\n"
    "it looks at the inputs too. --out writes the manifest to another place.",
    opts,
    1,
    1
};

/* One row per line; empty lines say nothing. */
static enum rc add_lines(struct manifest *m, struct err *e)
{
    char *text;
    size_t n;
    if (file_read(params_file, 1 << 24, &text, &n, e))
        return e->rc;
    enum rc rc = RC_OK;
    char *rest = text;
    for (char *s; !rc && (s = strtok_r(rest, "\r\n", &rest));)
        rc = manifest_add(m, MANIFEST_PARAM, s, e);
    free(text);
    return rc;
}

static enum rc fill(struct manifest *m, const char *dir, struct err *e)
{
    static const char *const here[] = { "." };
    const char *const *base = bases.n ? bases.item : here;
    size_t n_bases = bases.n ? (size_t)bases.n : 1;
    enum rc rc = manifest_add(m, MANIFEST_STAGE, stage, e);
    if (!rc)
        rc = manifest_add(m, MANIFEST_VERSION, GC_VERSION, e);
    for (int i = 0; !rc && i < params.n; i++)
        rc = strchr(params.item[i], '=') && params.item[i][0] != '='
                 ? manifest_add(m, MANIFEST_PARAM, params.item[i], e)
                 : err_set(e, RC_USAGE, "--param wants KEY=TEXT, not '%s'", params.item[i]);
    if (!rc && params_file)
        rc = add_lines(m, e);
    for (int i = 0; !rc && i < excludes.n; i++)
        rc = manifest_add(m, MANIFEST_EXCLUDE, excludes.item[i], e);
    for (int i = 0; !rc && i < inputs.n; i++)
        rc = manifest_add_input(m, inputs.item[i], base, n_bases, e);
    return rc ? rc : manifest_add_outputs(m, dir, e);
}

static enum rc report(const char *path, size_t n_files, uint64_t n_bytes, size_t n_troubles,
                      struct err *e)
{
    if (!path)
        return RC_OK;
    struct outfile o;
    if (outfile_open(&o, path, e))
        return e->rc;
    json_t *j = json_pack("{s:I,s:I,s:I}", "n_files", (json_int_t)n_files, "n_bytes",
                          (json_int_t)n_bytes, "n_troubles", (json_int_t)n_troubles);
    if (!j || json_dumpf(j, o.f, JSON_INDENT(2)) != 0) {
        json_decref(j);
        outfile_abort(&o);
        return err_set(e, RC_FAIL, "cannot write '%s'", path);
    }
    fputc('\n', o.f);
    json_decref(j);
    return outfile_commit(&o, e);
}

static enum rc write_it(const struct tool_args *a, const char *dir, struct err *e)
{
    if (!stage || !*stage)
        return err_set(e, RC_USAGE, "--stage is missing");
    if (!folder_exists(dir))
        return err_set(e, RC_INPUT, "no folder '%s'", dir);
    struct manifest m;
    manifest_init(&m);
    enum rc rc = fill(&m, dir, e);
    char *path = a->out ? text_new("%s", a->out) : text_new("%s/%s", dir, MANIFEST_NAME);
    if (!rc)
        rc = path ? manifest_write(&m, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    size_t n_files = 0;
    uint64_t n_bytes = 0;
    for (size_t i = 0; i < m.n; i++) {
        n_files += m.row[i].kind == MANIFEST_OUTPUT;
        n_bytes += m.row[i].kind == MANIFEST_OUTPUT ? m.row[i].bytes : 0;
    }
    if (!rc)
        rc = report(a->report, n_files, n_bytes, 0, e);
    free(path);
    manifest_release(&m);
    return rc;
}

static enum rc check_it(const struct tool_args *a, const char *dir, struct err *e)
{
    static const char *const word[] = { "missing", "changed", "extra" };
    if (stage || params_file || params.n || inputs.n || excludes.n || a->out)
        return err_set(e, RC_USAGE, "--check goes with --base and --report only");
    struct manifest_verdict v;
    if (manifest_check(&v, dir, bases.item, (size_t)bases.n, e))
        return e->rc;
    for (size_t i = 0; i < v.n; i++)
        printf("%s\t%s\n", word[v.item[i].what], v.item[i].name);
    enum rc rc = report(a->report, v.n_checked, v.n_bytes, v.n, e);
    if (!rc && v.n)
        rc = err_set(e, RC_CHECK, "'%s' differs from its manifest in %zu file%s: %s '%s'%s", dir,
                     v.n, v.n == 1 ? "" : "s", word[v.item[0].what], v.item[0].name,
                     v.n > 1 ? " and others" : "");
    else if (!rc)
        log_say("'%s': %zu files as in the manifest", dir, v.n_checked);
    manifest_verdict_release(&v);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    const char *dir = a->arg.item[0];
    return want_check ? check_it(a, dir, e) : write_it(a, dir, e);
}

int main(int argc, char **argv)
{
    int status = tool_main(&tool, run, argc, argv);
    free(params.item);
    free(inputs.item);
    free(bases.item);
    free(excludes.item);
    return status;
}
