/* perturb-predict evaluate: splits, methods, tables. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_predict_parts.h"
#include "lib/base/log.h"
#include "lib/io/json.h"
#include "lib/io/lines.h"

void perturb_run_release(struct perturb_run *r)
{
    free(r->part);
    free(r->class_of);
    free(r->column);
    free(r->target);
    mat_release(&r->mean);
    perturb_reference_release(&r->reference);
    *r = (struct perturb_run){ 0 };
}

/* Names of the perturbations (the control left out), split as GEARS does. */
static enum rc draw_split(struct perturb_run *r, const struct perturb_set *s, struct err *e)
{
    const char **name = malloc((s->n_conditions + 1) * sizeof *name);
    enum part *part = malloc((s->n_conditions + 1) * sizeof *part);
    enum gears_class *class_of = malloc((s->n_conditions + 1) * sizeof *class_of);
    size_t n = 0;
    enum rc rc = name && part && class_of ? RC_OK : err_set(e, RC_FAIL, "no memory for a split");
    for (size_t c = 0; !rc && c < s->n_conditions; c++)
        if (c != s->control)
            name[n++] = s->condition[c].name;
    if (!rc)
        rc = gears_split(name, n, (uint32_t)r->split_seed, part, class_of, e);
    for (size_t c = 0, k = 0; !rc && c < s->n_conditions; c++) {
        r->part[c] = c == s->control ? PART_TRAIN : part[k];
        r->class_of[c] = c == s->control ? GEARS_SEEN : class_of[k++];
    }
    free(name);
    free(part);
    free(class_of);
    return rc;
}

/* By the genes that are perturbed in a training condition. */
static enum rc classify(struct perturb_run *r, const struct perturb_inputs *in, struct err *e)
{
    const struct perturb_set *s = &in->set;
    bool *seen = calloc(in->facts.n_targets + 1, sizeof *seen);
    if (!seen)
        return err_set(e, RC_FAIL, "no memory for a split");
    for (size_t c = 0; c < s->n_conditions; c++)
        for (int k = 0; r->part[c] == PART_TRAIN && k < s->condition[c].n_genes; k++)
            seen[in->facts.target[c].gene[k]] = true;
    for (size_t c = 0; c < s->n_conditions; c++) {
        const struct perturbation *p = &in->facts.target[c];
        int n = 0;
        for (int k = 0; k < p->n_genes; k++)
            n += seen[p->gene[k]];
        r->class_of[c] = r->part[c] == PART_TRAIN ? GEARS_SEEN
                         : p->n_genes == 1        ? GEARS_UNSEEN_SINGLE
                         : n == 2                 ? GEARS_COMBO_SEEN2
                         : n == 1                 ? GEARS_COMBO_SEEN1
                                                  : GEARS_COMBO_SEEN0;
    }
    free(seen);
    return RC_OK;
}

/* Parts from a table; a condition that it does not name is left out of this split. */
static enum rc read_split(struct perturb_run *r, const struct perturb_inputs *in, const char *path,
                          struct err *e)
{
    const struct perturb_set *s = &in->set;
    struct table t;
    struct map at;
    enum rc rc = tsv_read_need(path, "condition,part", &t, e);
    if (rc)
        return rc;
    const char **text = table_find(&t, "part")->text, **name = table_find(&t, "condition")->text;
    map_init(&at);
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        uint64_t old;
        int p = 0;
        while (p < 3 && (!text[i] || strcmp(text[i], part_name((enum part)p)) != 0))
            p++;
        rc = p == 3 ? err_set(e, RC_INPUT, "row %zu: part '%s' is not train, val or test", i + 1,
                              text[i] ? text[i] : "")
                    : map_add(&at, name[i] ? name[i] : "", (uint64_t)p, &old, e);
        if (!rc && old != MAP_NONE)
            rc = err_set(e, RC_INPUT, "condition '%s' stands there twice", name[i]);
    }
    size_t n = 0;
    for (size_t c = 0; !rc && c < s->n_conditions; c++) {
        const uint64_t p = map_get(&at, s->condition[c].name);
        n += p != MAP_NONE && c != s->control;
        r->part[c] = c == s->control ? PART_TRAIN : p == MAP_NONE ? PERTURB_NO_PART : (enum part)p;
    }
    if (!rc && !n)
        rc = err_set(e, RC_INPUT, "names no condition of the set");
    map_release(&at);
    table_release(&t);
    return rc ? err_wrap(e, "split '%s'", path) : classify(r, in, e);
}

static void tell_split(const struct perturb_run *r, const struct perturb_set *s)
{
    size_t n[PERTURB_NO_PART + 1] = { 0 }, in_class[PERTURB_CLASSES] = { 0 };
    for (size_t c = 0; c < s->n_conditions; c++) {
        n[r->part[c]] += c != s->control;
        in_class[r->class_of[c]] += r->part[c] == PART_TEST;
    }
    log_say("split %" PRIu64 ": %zu perturbations to train, %zu to validate, %zu to test",
            r->split_seed, n[PART_TRAIN], n[PART_VAL], n[PART_TEST]);
    for (int k = 1; k < PERTURB_CLASSES; k++)
        if (!in_class[k])
            log_warn("split %" PRIu64 " leaves class %s of the test set empty", r->split_seed,
                     gears_class_name((enum gears_class)k));
}

enum rc perturb_run_init(struct perturb_run *r, const struct perturb_inputs *in,
                         const struct perturb_options *o, size_t split, struct err *e)
{
    const struct perturb_set *s = &in->set;
    const size_t room = s->n_conditions + 1;
    const uint64_t seed = o->seed + split;
    *r = (struct perturb_run){ .split = split,
                               .split_seed = seed,
                               .part = malloc(room * sizeof *r->part),
                               .class_of = malloc(room * sizeof *r->class_of),
                               .column = malloc(room * sizeof *r->column),
                               .target = malloc(room * sizeof *r->target) };
    size_t n = 0, n_test = 0;
    enum rc rc = r->part && r->class_of && r->column && r->target
                     ? (o->split ? read_split(r, in, o->split, e) : draw_split(r, s, e))
                     : err_set(e, RC_FAIL, "no memory for a split");
    for (size_t c = 0; !rc && c < s->n_conditions; c++) {
        n += c != s->control && r->part[c] == PART_TRAIN;
        n_test += r->part[c] == PART_TEST;
    }
    if (!rc && (!n || !n_test))
        rc =
            err_set(e, RC_INPUT, "split %" PRIu64 " has %zu perturbations to train and %zu to test",
                    seed, n, n_test);
    if (!rc)
        rc = mat_alloc(&r->mean, n, s->n_genes, e);
    for (size_t c = 0, k = 0; !rc && c < s->n_conditions; c++) {
        if (c == s->control || r->part[c] != PART_TRAIN)
            continue;
        memcpy(mat_row(&r->mean, k), mat_row(&in->facts.m.mean, c), s->n_genes * sizeof(double));
        r->column[k] = in->facts.column[c];
        r->target[k++] = in->facts.target[c];
    }
    if (!rc)
        rc = perturb_reference_init(&r->reference, &in->facts, r->part, e);
    return rc;
}

static enum rc report(const struct perturb_job *j, struct err *e)
{
    const struct perturb_set *s = &j->in.set;
    if (!j->o->report)
        return RC_OK;
    return json_write(
        j->o->report,
        json_pack("{s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "n_cells",
                  (json_int_t)s->n_cells, "n_genes", (json_int_t)s->n_genes, "n_conditions",
                  (json_int_t)s->n_conditions, "were_counts", s->were_counts, "other_spellings",
                  (json_int_t)s->n_spellings, "renamed_genes", (json_int_t)s->n_renamed,
                  "not_measured", (json_int_t)s->n_not_measured, "small_conditions",
                  (json_int_t)s->n_small, "small_cells", (json_int_t)s->n_small_cells,
                  "not_in_graph", (json_int_t)j->in.n_not_in_graph, "dropped_for_graph",
                  (json_int_t)j->in.n_dropped, "with_a_vector", (json_int_t)j->in.n_vectors),
        e);
}

enum rc perturb_evaluate(const struct perturb_options *o, struct err *e)
{
    struct perturb_job j = { .o = o };
    if (!o->go)
        log_say("without --go neither GEARS nor nearest-go");
    enum rc rc = perturb_inputs_read(&j.in, o, e);
    for (size_t k = 0; !rc && k < (size_t)o->n_splits; k++) {
        rc = perturb_run_init(&j.run, &j.in, o, k, e);
        if (!rc && !k)
            rc = predict_tables_open(&j, e);
        if (!rc) {
            tell_split(&j.run, &j.in.set);
            perturb_split_write(&j);
            rc = perturb_simple(&j, e);
            if (!rc)
                rc = perturb_network(&j, e);
        }
        perturb_run_release(&j.run);
    }
    rc = predict_tables_close(&j, rc, e);
    if (!rc)
        rc = report(&j, e);
    free(j.value);
    perturb_inputs_release(&j.in);
    return rc;
}
