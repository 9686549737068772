/* import, homolog-map and qc-filter leave one report.json per sample:
 *   import       species, kind, n_cells, n_genes, nnz, total
 *   homolog-map  species, genes_mapped
 *   qc-filter    cells_in, dropped and cells_after {rule: cells} in the order of the rules, kept,
 *                genes {genes_with_token}
 * tests/e2e.t.sh holds this to what the tools write. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/report/json.h"
#include "lib/report/results.h"

static const char *const stages[] = { "import", "homolog-map", "qc-filter" };
enum { N_STAGES = sizeof stages / sizeof *stages };

static struct sample *sample_at(struct results *r, const char *name)
{
    for (size_t i = 0; i < r->n_samples; i++)
        if (strcmp(r->sample[i].name, name) == 0)
            return &r->sample[i];
    struct sample *more = realloc(r->sample, (r->n_samples + 1) * sizeof *more);
    if (!more)
        return NULL;
    r->sample = more;
    more += r->n_samples++;
    *more = (struct sample){ .name = name,
                             .cells_in = NAN,
                             .genes_in = NAN,
                             .nnz = NAN,
                             .total = NAN,
                             .genes_mapped = NAN,
                             .cells_kept = NAN,
                             .genes_kept = NAN };
    return more;
}

static int by_name(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static enum rc read_rules(struct results *r, struct sample *s, const json_t *j, struct err *e)
{
    const json_t *after = json_object_get(j, "cells_after");
    const char *name;
    json_t *dropped;
    json_object_foreach(json_object_get(j, "dropped"), name, dropped)
    {
        const json_t *left = json_object_get(after, name);
        if (!json_is_number(dropped) || !json_is_number(left))
            return err_set(e, RC_INPUT, "qc-filter/%s/report.json: rule '%.40s' has no number",
                           s->name, name);
        struct rule *more = realloc(s->rule, (s->n_rules + 1) * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for the rules of '%s'", s->name);
        s->rule = more;
        more[s->n_rules++] = (struct rule){ results_text(r, name), json_number_value(dropped),
                                            json_number_value(left) };
    }
    return RC_OK;
}

static enum rc read_report(struct results *r, struct sample *s, int stage, const json_t *j,
                           struct err *e)
{
    const char *species = json_text_of(j, "species");
    if (species)
        s->species = results_text(r, species);
    if (stage == 0) {
        s->imported = true;
        s->cells_in = json_number_of(j, "n_cells");
        s->genes_in = json_number_of(j, "n_genes");
        s->nnz = json_number_of(j, "nnz");
        s->total = json_number_of(j, "total");
        s->kind = results_text(r, json_text_of(j, "kind"));
        return RC_OK;
    }
    if (stage == 1) {
        s->mapped = true;
        s->genes_mapped = json_number_of(j, "genes_mapped");
        return RC_OK;
    }
    s->filtered = true;
    s->cells_kept = json_number_of(j, "kept");
    s->genes_kept = json_number_of(json_object_get(j, "genes"), "genes_with_token");
    return read_rules(r, s, j, e);
}

/* A sample without an input has a manifest and nothing else. */
static enum rc note_left_out(struct results *r, const char *name, const char *manifest, bool *out,
                             struct err *e)
{
    for (size_t i = 0; i < r->n_left_out; i++)
        if (strcmp(r->left_out[i], name) == 0)
            return *out = true, RC_OK;
    *out = file_exists(manifest);
    if (!*out)
        return RC_OK;
    const char **more = realloc(r->left_out, (r->n_left_out + 1) * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for sample '%s'", name);
    r->left_out = more;
    more[r->n_left_out++] = name;
    return RC_OK;
}

static enum rc read_stage(struct results *r, int stage, struct err *e)
{
    const char **name = NULL, *folder = results_path(r, "%s", stages[stage]);
    size_t n = 0;
    if (!folder)
        return err_set(e, RC_FAIL, "no memory for a path");
    enum rc rc = results_list(r, folder, 'd', &name, &n, e);
    for (size_t i = 0; !rc && i < n; i++) {
        json_t *j = NULL;
        bool out = false;
        const char *path = results_path(r, "%s/%s/report.json", stages[stage], name[i]);
        const char *manifest = results_path(r, "%s/%s/MANIFEST.tsv", stages[stage], name[i]);
        rc = path && manifest ? json_read(path, &j, e)
                              : err_set(e, RC_FAIL, "no memory for sample '%s'", name[i]);
        if (!rc && !j)
            rc = note_left_out(r, name[i], manifest, &out, e);
        struct sample *s = rc || out ? NULL : sample_at(r, name[i]);
        if (!rc && !out && !s)
            rc = err_set(e, RC_FAIL, "no memory for sample '%s'", name[i]);
        if (!rc && j)
            rc = read_report(r, s, stage, j, e);
        json_decref(j);
    }
    free(name);
    return rc;
}

enum rc results_samples(struct results *r, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < N_STAGES; i++)
        rc = read_stage(r, i, e);
    if (!rc && r->n_samples)
        qsort(r->sample, r->n_samples, sizeof *r->sample, by_name);
    return rc;
}
