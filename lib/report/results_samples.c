/* import, homolog-map and qc-filter leave one report.json per sample. Their layouts are read
 * generously: a number is looked for under each name that it may have. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* {"rule": ..., "left": ..., "dropped": ...}; what one number does not say, the other does.
 * before: cells before the rule. */
static enum rc add_rule(struct results *r, struct sample *s, const char *name, const json_t *j,
                        double *before, struct err *e)
{
    double left = json_number_of(j, "cells_left,cells_after,left,n_cells,cells,cells_kept");
    double dropped = json_number_of(j, "cells_dropped,dropped,n_dropped,removed");
    if (json_is_number(j))
        left = json_number_value(j);
    if (isnan(dropped) && !isnan(left))
        dropped = *before - left;
    if (isnan(left))
        left = *before - dropped;
    if (isnan(dropped)) /* a rule about genes only */
        return RC_OK;
    struct rule *more = realloc(s->rule, (s->n_rules + 1) * sizeof *more);
    if (!more || !name)
        return err_set(e, RC_FAIL, "no memory for the rules of '%s'", s->name);
    s->rule = more;
    more[s->n_rules++] = (struct rule){ results_text(r, name), dropped, left };
    *before = left;
    return RC_OK;
}

/* {"P1": 12, "P4": 3}: cells that each rule dropped. */
static enum rc read_dropped(struct results *r, struct sample *s, const json_t *rules,
                            double *before, struct err *e)
{
    const char *name;
    json_t *value;
    enum rc rc = RC_OK;
    json_object_foreach((json_t *)rules, name, value)
    {
        if (rc || !json_is_number(value) || strcmp(name, "kept") == 0)
            continue;
        json_t *rule = json_pack("{s:O}", "dropped", value);
        rc = rule ? add_rule(r, s, name, rule, before, e)
                  : err_set(e, RC_FAIL, "no memory for the rules of '%s'", s->name);
        json_decref(rule);
    }
    return rc;
}

static enum rc read_rules(struct results *r, struct sample *s, const json_t *j, struct err *e)
{
    json_t *rules = json_value_of(j, "rules,steps,after_rule"), *item;
    double before = s->cells_in;
    double said = json_number_of(j, "cells_in,n_cells_in,cells_before");
    if (!isnan(said))
        before = said;
    enum rc rc = RC_OK;
    if (json_is_array(rules)) {
        size_t i;
        json_array_foreach(rules, i, item)
        {
            const char *name = json_text_of(item, "rule,name,id,step");
            if (!rc && json_is_object(item))
                rc = add_rule(r, s, name ? name : "rule", item, &before, e);
        }
    } else if (json_is_object(rules)) {
        const char *name;
        json_object_foreach(rules, name, item) if (!rc) rc = add_rule(r, s, name, item, &before, e);
    }
    if (!rc && !s->n_rules)
        rc = read_dropped(r, s, json_value_of(j, "dropped,verdicts,cells_dropped"), &before, e);
    return rc;
}

static enum rc read_report(struct results *r, struct sample *s, int stage, const json_t *j,
                           struct err *e)
{
    const char *species = json_text_of(j, "species");
    if (species)
        s->species = results_text(r, species);
    if (stage == 0) {
        s->imported = true;
        s->cells_in = json_number_of(j, "n_cells,cells");
        s->genes_in = json_number_of(j, "n_genes,genes");
        s->nnz = json_number_of(j, "nnz");
        s->total = json_number_of(j, "total");
        s->kind = results_text(r, json_text_of(j, "kind"));
        return RC_OK;
    }
    if (stage == 1) {
        s->mapped = true;
        s->genes_mapped = json_number_of(j, "n_genes_out,genes_out,n_genes,genes");
        return RC_OK;
    }
    s->filtered = true;
    s->cells_kept = json_number_of(j, "cells_out,n_cells_out,cells_kept,n_cells,cells");
    s->genes_kept = json_number_of(j, "genes_out,n_genes_out,genes_kept,n_genes,genes");
    return read_rules(r, s, j, e);
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
        struct sample *s = sample_at(r, name[i]);
        const char *path = results_path(r, "%s/%s/report.json", stages[stage], name[i]);
        if (!s || !path)
            rc = err_set(e, RC_FAIL, "no memory for sample '%s'", name[i]);
        if (!rc)
            rc = json_read(path, &j, e);
        if (!rc && j)
            rc = read_report(r, s, stage, j, e);
        json_decref(j);
    }
    free(name);
    return rc;
}

/* A rule that says nothing about the end leaves it to the last rule. */
static void fill_in(struct sample *s)
{
    if (s->n_rules && isnan(s->cells_kept))
        s->cells_kept = s->rule[s->n_rules - 1].left;
    if (isnan(s->cells_in) && s->n_rules)
        s->cells_in = s->rule[0].left + s->rule[0].dropped;
}

enum rc results_samples(struct results *r, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < N_STAGES; i++)
        rc = read_stage(r, i, e);
    for (size_t i = 0; !rc && i < r->n_samples; i++)
        fill_in(&r->sample[i]);
    if (!rc && r->n_samples)
        qsort(r->sample, r->n_samples, sizeof *r->sample, by_name);
    return rc;
}
