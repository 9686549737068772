/* The MANIFEST.tsv of every stage: in the order of a run, then folders that no list knows. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/sha256.h"
#include "lib/manifest/manifest.h"
#include "lib/report/results.h"

/* Stages of a whole run. The page says which of them are not there. */
static const char *const order[] = {
    "fetch",       "tables",       "import",   "homolog-map", "qc-filter",        "vocab",
    "median-part", "median",       "tokenize", "knowledge",   "knowledge-report", "pretrain",
    "embed",       "embed-random", "map",      "map-random",  "map-counts",       "annotate",
    "zero-shot",
};
enum { N_ORDER = sizeof order / sizeof *order };

static struct stage *add_stage(struct results *r, const char *name)
{
    struct stage *more = realloc(r->stage, (r->n_stages + 1) * sizeof *more);
    if (!more)
        return NULL;
    r->stage = more;
    more += r->n_stages++;
    *more = (struct stage){ .name = name };
    return more;
}

static enum rc take(struct results *r, struct stage *s, const struct manifest *m, struct err *e)
{
    s->param = calloc(m->n + 1, sizeof *s->param);
    if (!s->param)
        return err_set(e, RC_FAIL, "no memory for the manifest of '%s'", s->name);
    for (size_t i = 0; i < m->n; i++) {
        const struct manifest_row *w = &m->row[i];
        s->n_inputs += w->kind == MANIFEST_INPUT;
        s->n_outputs += w->kind == MANIFEST_OUTPUT;
        if (w->kind == MANIFEST_OUTPUT)
            s->bytes += w->bytes;
        if (w->kind == MANIFEST_VERSION)
            s->version = results_text(r, w->name);
        if (w->kind == MANIFEST_PARAM && !(s->param[s->n_params++] = results_text(r, w->name)))
            return err_set(e, RC_FAIL, "no memory for the manifest of '%s'", s->name);
    }
    return RC_OK;
}

/* Reads NAME/MANIFEST.tsv when it is there. */
static enum rc read_stage(struct results *r, const char *name, struct err *e)
{
    struct stage *s = name ? add_stage(r, name) : NULL;
    if (!s)
        return err_set(e, RC_FAIL, "no memory for a stage");
    const char *folder = results_path(r, "%s", name);
    const char *path = results_path(r, "%s/" MANIFEST_NAME, name);
    if (!folder || !path)
        return err_set(e, RC_FAIL, "no memory for a stage");
    s->there = folder_exists(folder);
    s->closed = file_exists(path);
    if (!s->closed)
        return RC_OK;
    struct manifest m;
    enum rc rc = sha256_file(path, s->sha256, NULL, e);
    if (!rc)
        rc = manifest_read(&m, path, e);
    if (rc)
        return rc;
    rc = take(r, s, &m, e);
    manifest_release(&m);
    return rc;
}

static const char *part_name(struct results *r, const char *stage, const char *part)
{
    char *name = text_new("%s/%s", stage, part);
    const char *kept = results_text(r, name);
    free(name);
    return kept;
}

/* One folder below the stage per sample, each with a manifest of its own. */
static enum rc read_parts(struct results *r, const char *name, struct err *e)
{
    const char **part = NULL, *folder = results_path(r, "%s", name);
    size_t n = 0;
    enum rc rc = folder ? results_list(r, folder, 'd', &part, &n, e)
                        : err_set(e, RC_FAIL, "no memory for a path");
    for (size_t i = 0; !rc && i < n; i++) {
        const char *path = results_path(r, "%s/%s/" MANIFEST_NAME, name, part[i]);
        if (!path)
            rc = err_set(e, RC_FAIL, "no memory for a path");
        else if (file_exists(path))
            rc = read_stage(r, part_name(r, name, part[i]), e);
    }
    free(part);
    return rc;
}

static bool is_known(const char *name)
{
    for (int i = 0; i < N_ORDER; i++)
        if (strcmp(order[i], name) == 0)
            return true;
    /* Made from the page, or after it. */
    return strcmp(name, "report") == 0 || strcmp(name, "crate") == 0 || strcmp(name, "paper") == 0;
}

enum rc results_stages(struct results *r, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < N_ORDER; i++) {
        if (!results_has(r, order[i]))
            continue;
        rc = read_stage(r, order[i], e);
        if (!rc)
            rc = read_parts(r, order[i], e);
    }
    const char **name = NULL;
    size_t n = 0;
    if (!rc)
        rc = results_list(r, r->folder, 'd', &name, &n, e);
    for (size_t i = 0; !rc && i < n; i++)
        if (!is_known(name[i])) {
            rc = read_stage(r, name[i], e);
            if (!rc)
                rc = read_parts(r, name[i], e);
        }
    free(name);
    return rc;
}
