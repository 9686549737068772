#define _XOPEN_SOURCE 700 /* scandir */
#include "lib/report/corpus_ledger.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/io/number.h"
#include "lib/report/json.h"

const char *corpus_ledger_state_name(enum corpus_ledger_state s)
{
    static const char *const name[] = { "kept", "lost", "open" };
    return name[s];
}

void corpus_ledger_release(struct corpus_ledger *l)
{
    free(l->row);
    arena_release(&l->text);
    *l = (struct corpus_ledger){ 0 };
}

/* --- the reports of one sample --------------------------------------------------------------- */

/* RC_INPUT unless the report has that key with a whole number. */
static enum rc take(const json_t *j, const char *key, const char *path, uint64_t *to, struct err *e)
{
    const json_t *v = json_object_get(j, key);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return err_set(e, RC_INPUT, "'%s' has no number of cells '%s'", path, key);
    *to = (uint64_t)json_integer_value(v);
    return RC_OK;
}

/* The rules are those of the first report; every other must have the same, in the same order. */
static enum rc take_rule(struct corpus_ledger *l, size_t i, const char *name, const char *path,
                         struct err *e)
{
    if (i < l->n_rules)
        return strcmp(l->rule[i], name) == 0
                   ? RC_OK
                   : err_set(e, RC_INPUT, "'%s' has rule '%s' where other samples have '%s'", path,
                             name, l->rule[i]);
    if (i == LEDGER_MAX_RULES)
        return err_set(e, RC_INPUT, "'%s' has more than %d rules", path, LEDGER_MAX_RULES);
    l->rule[i] = arena_text(&l->text, name);
    l->n_rules++;
    return l->rule[i] ? RC_OK : err_set(e, RC_FAIL, "no memory for the rules");
}

static enum rc take_rules(struct corpus_ledger *l, struct corpus_ledger_row *r, const json_t *j,
                          const char *path, struct err *e)
{
    const json_t *dropped = json_object_get(j, "dropped");
    uint64_t left = r->in, n;
    size_t i = 0;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)dropped, name, value)
    {
        if (take_rule(l, i, name, path, e) || take(dropped, name, path, &n, e))
            return e ? e->rc : RC_INPUT;
        if (n > left)
            return err_set(e, RC_CHECK, "'%s': rule '%s' dropped %" PRIu64 " of %" PRIu64 " cells",
                           path, name, n, left);
        left -= n;
        r->after[i++] = left;
        if (n && !left)
            r->reason = l->rule[i - 1];
    }
    if (left != r->kept)
        return err_set(e, RC_CHECK, "'%s' keeps %" PRIu64 " cells, its rules leave %" PRIu64, path,
                       r->kept, left);
    return RC_OK;
}

static enum rc read_filter(struct corpus_ledger *l, struct corpus_ledger_row *r, const json_t *j,
                           const char *path, struct err *e)
{
    uint64_t in;
    if (take(j, "cells_in", path, &in, e) || take(j, "kept", path, &r->kept, e))
        return e ? e->rc : RC_INPUT;
    if (in != r->in)
        return err_set(e, RC_CHECK, "'%s' read %" PRIu64 " cells, import left %" PRIu64, path, in,
                       r->in);
    return take_rules(l, r, j, path, e);
}

static enum rc read_import(struct corpus_ledger_row *r, const json_t *j, const char *path,
                           struct err *e)
{
    const char *species = json_text_of(j, "species");
    if (take(j, "n_source_cells", path, &r->source, e) || take(j, "n_cells", path, &r->in, e))
        return e ? e->rc : RC_INPUT;
    bool one = species && (strcmp(species, "human") == 0 || strcmp(species, "mouse") == 0);
    if (one && strcmp(r->species, "-") == 0)
        r->species = strcmp(species, "human") == 0 ? "human" : "mouse";
    if (one && strcmp(species, r->species) != 0)
        return err_set(e, RC_CHECK, "'%s': %s cells, but the plan says %s", path, species,
                       r->species);
    return RC_OK;
}

/* *closed: the stage is done. Its report, or NULL. */
static enum rc open_report(const char *results, const char *stage, const char *sample, bool *closed,
                           char **path, json_t **j, struct err *e)
{
    char *manifest = text_new("%s/%s/%s/MANIFEST.tsv", results, stage, sample);
    *path = text_new("%s/%s/%s/report.json", results, stage, sample);
    *j = NULL;
    *closed = manifest && file_exists(manifest);
    free(manifest);
    if (!*path)
        return err_set(e, RC_FAIL, "no memory for a path");
    return *closed ? json_read(*path, j, e) : RC_OK;
}

static enum rc read_stages(struct corpus_ledger *l, struct corpus_ledger_row *r,
                           const char *results, struct err *e)
{
    bool imported, filtered;
    char *path, *path2 = NULL;
    json_t *j, *k = NULL;
    enum rc rc = open_report(results, "import", r->sample, &imported, &path, &j, e);
    if (!rc && j)
        rc = read_import(r, j, path, e);
    if (!rc)
        rc = open_report(results, "qc-filter", r->sample, &filtered, &path2, &k, e);
    if (!rc && k && !j)
        rc = err_set(e, RC_CHECK, "'%s' is there, but no report of import", path2);
    if (!rc && k)
        rc = read_filter(l, r, k, path2, e);
    if (!rc && imported && !j) {
        r->state = LEDGER_LOST;
        r->reason = "its input could not be had";
    } else if (!rc && k) {
        r->state = r->kept ? LEDGER_KEPT : LEDGER_LOST;
        if (r->kept)
            r->reason = "-";
        else if (!r->in)
            r->reason = "no cell in the source";
    } else if (!rc && imported) {
        r->reason = "imported, not filtered yet";
    }
    json_decref(j);
    json_decref(k);
    free(path);
    free(path2);
    return rc;
}

/* --- rows ------------------------------------------------------------------------------------ */

static enum rc add_row(struct corpus_ledger *l, const struct corpus_plan *p, const char *sample,
                       const char *results, struct err *e)
{
    const struct corpus_row *plan = corpus_plan_find(p, sample);
    struct corpus_ledger_row *more = realloc(l->row, (l->n + 1) * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for the ledger");
    l->row = more;
    struct corpus_ledger_row *r = &l->row[l->n++];
    *r = (struct corpus_ledger_row){ .sample = arena_text(&l->text, sample),
                                     .accession = plan ? plan->accession : "-",
                                     .species = plan ? plan->species : "-",
                                     .state = LEDGER_OPEN };
    if (!r->sample)
        return err_set(e, RC_FAIL, "no memory for the ledger");
    if (read_stages(l, r, results, e))
        return e ? e->rc : RC_INPUT;
    if (!r->reason)
        r->reason = plan && plan->kind == CORPUS_ACCESSION ? "its files are not listed yet"
                                                           : "not part of this run";
    return RC_OK;
}

static int by_sample(const void *a, const void *b)
{
    return strcmp(((const struct corpus_ledger_row *)a)->sample,
                  ((const struct corpus_ledger_row *)b)->sample);
}

static int visible(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

/* Samples of the run that the plan does not have: the simulator's, or somebody's own. */
static enum rc add_unplanned(struct corpus_ledger *l, const struct corpus_plan *p,
                             const char *results, struct err *e)
{
    struct dirent **d = NULL;
    char *folder = text_new("%s/import", results);
    if (!folder)
        return err_set(e, RC_FAIL, "no memory for a path");
    int n = folder_exists(folder) ? scandir(folder, &d, visible, NULL) : 0;
    enum rc rc = n < 0 ? err_set(e, RC_FAIL, "cannot read folder '%s'", folder) : RC_OK;
    for (int i = 0; i < n; i++) {
        if (!rc && !corpus_plan_find(p, d[i]->d_name))
            rc = add_row(l, p, d[i]->d_name, results, e);
        free(d[i]);
    }
    free(d);
    free(folder);
    return rc;
}

/* --- sums ------------------------------------------------------------------------------------ */

static void add_up(struct corpus_ledger *l)
{
    static const char *const what[] = { "human", "mouse", "total" };
    for (int s = 0; s < 3; s++) {
        struct corpus_ledger_sum *to = &l->sum[s];
        to->what = what[s];
        for (size_t i = 0; i < l->n; i++) {
            const struct corpus_ledger_row *r = &l->row[i];
            if (s < 2 && strcmp(r->species, what[s]) != 0)
                continue;
            to->n[r->state]++;
            to->source += r->source;
            to->in += r->in;
            to->kept += r->kept;
            for (size_t k = 0; k < l->n_rules; k++)
                to->after[k] += r->after[k];
        }
    }
}

static enum rc read_published(struct corpus_ledger *l, const char *path, struct err *e)
{
    struct table t;
    if (tsv_read_need(path, "what,cells,source", &t, e))
        return e ? e->rc : RC_INPUT;
    const char **what = table_find(&t, "what")->text, **cells = table_find(&t, "cells")->text;
    enum rc rc = RC_OK;
    for (int s = 0; !rc && s < 3; s++) {
        size_t i = 0;
        while (i < t.n_rows && strcmp(what[i], l->sum[s].what) != 0)
            i++;
        if (i == t.n_rows || !number_whole(cells[i], &l->sum[s].published, NULL))
            rc = err_set(e, RC_INPUT, "'%s' has no number of cells for '%s'", path, l->sum[s].what);
    }
    if (!rc && l->sum[0].published + l->sum[1].published != l->sum[2].published)
        rc = err_set(e, RC_INPUT, "'%s': human and mouse do not add up to the total", path);
    table_release(&t);
    return rc;
}

enum rc corpus_ledger_read(struct corpus_ledger *l, const struct corpus_plan *p,
                           const char *results, const char *reference, struct err *e)
{
    *l = (struct corpus_ledger){ 0 };
    arena_init(&l->text, 1 << 14);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < p->n; i++)
        rc = add_row(l, p, p->row[i].sample, results, e);
    if (!rc)
        rc = add_unplanned(l, p, results, e);
    if (!rc && l->n)
        qsort(l->row, l->n, sizeof *l->row, by_sample);
    if (!rc) {
        add_up(l);
        rc = read_published(l, reference, e);
    }
    if (rc)
        corpus_ledger_release(l);
    return rc;
}
