/* perturb-predict join: runs that were scored one by one, as if one call had done them all.
 *
 * runs.tsv of each is read: what draws nothing stands there once for every training of its split,
 * the same each time, and counts once. Rows are put in order of split, method and training, so the
 * order of the folders says nothing. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_predict_parts.h"
#include "lib/io/lines.h"
#include "lib/io/metrics_tsv.h"
#include "lib/io/number.h"

struct joined {
    struct perturb_value v; /* seed: of the training itself, SIZE_MAX for none; split: its seed */
    uint64_t have;          /* metrics, a bit each */
};

struct joining {
    struct joined *item; /* [n] owned */
    size_t n, room;
    struct map at; /* "method split seed class" to item */
    const char *dataset, *variant;
    struct arena text;
};

enum { DATASET, METHOD, VARIANT, SPLIT, SPLIT_SEED, TRAINING_SEED, METRIC, VALUE, N, N_COLUMNS };
static const char columns[] =
    "dataset,method,variant,split,split_seed,training_seed,metric,value,n";

static enum rc find(struct joining *j, const char *const f[N_COLUMNS], struct joined **out,
                    struct err *e)
{
    char key[512];
    uint64_t old = MAP_NONE;
    const int length = snprintf(key, sizeof key, "%s\t%s\t%s\t%s", f[METHOD], f[SPLIT],
                                f[SPLIT_SEED], f[TRAINING_SEED]);
    if (length < 0 || (size_t)length >= sizeof key)
        return err_set(e, RC_INPUT, "a name is too long");
    if (map_add(&j->at, key, j->n, &old, e))
        return e->rc;
    if (old != MAP_NONE) {
        *out = &j->item[old];
        return RC_OK;
    }
    if (j->n == j->room) {
        const size_t room = 2 * j->room + 256;
        struct joined *item = realloc(j->item, room * sizeof *item);
        if (!item)
            return err_set(e, RC_FAIL, "no memory for %zu runs", room);
        j->item = item;
        j->room = room;
    }
    *out = &j->item[j->n++];
    **out = (struct joined){ .v.method = arena_text(&j->text, f[METHOD]) };
    return (*out)->v.method ? RC_OK : err_set(e, RC_FAIL, "no memory for names");
}

/* The words and whole numbers of a line. */
static enum rc parse(const char *const f[N_COLUMNS], struct perturb_value *v, int *metric,
                     double *value, struct err *e)
{
    uint64_t split, seed = 0, n;
    size_t class = 0;
    *metric = 0;
    while (class < PERTURB_CLASSES &&
           strcmp(f[SPLIT], class ? gears_class_name((enum gears_class) class) : "test") != 0)
        class ++;
    while (*metric < PERTURB_N_METRICS && strcmp(f[METRIC], perturb_metric_name[*metric]) != 0)
        ++*metric;
    const bool drawn = strcmp(f[TRAINING_SEED], "-") != 0;
    if (class == PERTURB_CLASSES || *metric == PERTURB_N_METRICS)
        return err_set(e, RC_INPUT, "no split '%.40s' or no metric '%.40s'", f[SPLIT], f[METRIC]);
    if (!number_whole(f[SPLIT_SEED], &split, NULL) || !number_whole(f[N], &n, NULL) || !n ||
        (drawn && (!number_whole(f[TRAINING_SEED], &seed, NULL) || seed == SIZE_MAX)))
        return err_set(e, RC_INPUT, "a seed or n is no whole number");
    *value = NAN;
    if (strcmp(f[VALUE], "nan") != 0 && !number_parse(f[VALUE], value))
        return err_set(e, RC_INPUT, "'%.40s' is no number", f[VALUE]);
    v->class = class;
    v->split = (size_t)split;
    v->seed = drawn ? (size_t)seed : SIZE_MAX;
    v->n = (size_t)n;
    return RC_OK;
}

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : a <= b && a >= b;
}

static enum rc add_line(struct joining *j, const char *const f[N_COLUMNS], struct err *e)
{
    struct perturb_value v = { 0 };
    struct joined *to = NULL;
    double value;
    int metric;
    enum rc rc = parse(f, &v, &metric, &value, e);
    if (!rc && !j->dataset) {
        j->dataset = arena_text(&j->text, f[DATASET]);
        j->variant = arena_text(&j->text, f[VARIANT]);
        rc = j->dataset && j->variant ? RC_OK : err_set(e, RC_FAIL, "no memory for names");
    }
    if (!rc && (strcmp(j->dataset, f[DATASET]) != 0 || strcmp(j->variant, f[VARIANT]) != 0))
        rc = err_set(e, RC_INPUT, "'%s' (%s) beside '%s' (%s)", f[DATASET], f[VARIANT], j->dataset,
                     j->variant);
    if (!rc)
        rc = find(j, f, &to, e);
    if (rc)
        return rc;
    const uint64_t bit = (uint64_t)1 << metric;
    if (to->have && to->v.n != v.n)
        rc = err_set(e, RC_INPUT, "%s, split %s: %zu conditions and %zu", f[METHOD], f[SPLIT_SEED],
                     to->v.n, v.n);
    else if ((to->have & bit) && !same(to->v.metric[metric], value))
        rc = err_set(e, RC_INPUT, "%s, split %s: %s is %.9g and %.9g", f[METHOD], f[SPLIT_SEED],
                     f[METRIC], to->v.metric[metric], value);
    v.method = to->v.method;
    memcpy(v.metric, to->v.metric, sizeof v.metric);
    v.metric[metric] = value;
    to->v = v;
    to->have |= bit;
    return rc;
}

static enum rc add_file(struct joining *j, const char *path, struct err *e)
{
    struct table t;
    const struct column *c[N_COLUMNS];
    char names[sizeof columns], *name = names, *end;
    enum rc rc = tsv_read_need(path, columns, &t, e);
    if (rc)
        return rc;
    memcpy(names, columns, sizeof columns);
    for (int k = 0; k < N_COLUMNS; k++, name = end + 1) {
        end = name + strcspn(name, ",");
        *end = '\0';
        c[k] = table_find(&t, name);
    }
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        const char *f[N_COLUMNS];
        for (int k = 0; k < N_COLUMNS; k++)
            f[k] = c[k]->text[i] ? c[k]->text[i] : "";
        if ((rc = add_line(j, f, e)))
            err_wrap(e, "row %zu", i + 1);
    }
    table_release(&t);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}

static int method_order(const char *method)
{
    /* As perturb_evaluate runs them. */
    static const char *const order[] = { "no-change",  "train-mean",       "additive",
                                         "nearest-go", "linear-pca",       "linear-genecompass",
                                         "gears",      "gears+genecompass" };
    int k = 0;
    while (k < (int)(sizeof order / sizeof *order) && strcmp(order[k], method) != 0)
        k++;
    return k;
}

static int by_run(const void *a, const void *b)
{
    const struct perturb_value *x = &((const struct joined *)a)->v,
                               *y = &((const struct joined *)b)->v;
    const int d = method_order(x->method) - method_order(y->method),
              name = strcmp(x->method, y->method);
    if (x->split != y->split)
        return x->split < y->split ? -1 : 1;
    if (d)
        return d;
    if (name)
        return name;
    if (x->seed != y->seed)
        return x->seed < y->seed ? -1 : 1;
    return (x->class > y->class) - (x->class < y->class);
}

static enum rc write_all(struct joining *from, const char *out, struct err *e)
{
    struct perturb_options o = { .out = out,
                                 .dataset = from->dataset,
                                 .as_released = strcmp(from->variant, "as-released") == 0 };
    struct perturb_job j = { .o = &o };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < from->n; i++)
        if (from->item[i].have != ((uint64_t)1 << PERTURB_N_METRICS) - 1)
            rc = err_set(e, RC_INPUT, "%s, split %zu lacks a metric", from->item[i].v.method,
                         from->item[i].v.split);
    if (rc)
        return rc;
    qsort(from->item, from->n, sizeof *from->item, by_run);
    o.seed = from->item[0].v.split;
    o.n_splits = (int64_t)(from->item[from->n - 1].v.split - o.seed + 1);
    if (o.n_splits < 1 || o.n_splits > 1000)
        return err_set(e, RC_INPUT, "splits %" PRIu64 " to %zu: at most 1000", o.seed,
                       from->item[from->n - 1].v.split);
    rc = predict_tables_open(&j, e);
    for (size_t i = 0; !rc && i < from->n; i++) {
        struct perturb_value v = from->item[i].v;
        j.run.split_seed = v.split;
        v.split -= o.seed;
        rc = perturb_keep(&j, &v, e);
    }
    rc = predict_tables_close(&j, rc, e);
    free(j.value);
    return rc;
}

enum rc perturb_join(const char *const *folder, size_t n, const char *out, struct err *e)
{
    struct joining j = { 0 };
    enum rc rc = RC_OK;
    map_init(&j.at);
    arena_init(&j.text, 1 << 12);
    for (size_t i = 0; !rc && i < n; i++) {
        char *path = text_new("%s/runs.tsv", folder[i]);
        rc = path ? add_file(&j, path, e) : err_set(e, RC_FAIL, "no memory for a path");
        free(path);
    }
    if (!rc && !j.n)
        rc = err_set(e, RC_INPUT, "'%s' has no run", folder[0]);
    if (!rc)
        rc = write_all(&j, out, e);
    map_release(&j.at);
    arena_release(&j.text);
    free(j.item);
    return rc;
}
