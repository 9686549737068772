/* Call order: tables are read; rows of predictions get the number of their group (dataset, method,
 * variant, split, seed); every group is counted; rows of the three tables look their group up. */
#include "lib/app/audit_scores.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/metrics_class.h"
#include "lib/nn/metrics_stat.h"

enum { N_METRICS = 6, MAX_NAMED = 20, MAX_CLASSES = 4096 };
static const char *const metric_name[N_METRICS] = { "accuracy",        "macro_f1",
                                                    "macro_precision", "macro_recall",
                                                    "weighted_f1",     "balanced_accuracy" };
/* Two columns may hold predictions; the second is scored under names with this at their end. */
static const char at_epoch[] = "_at_epoch";

struct group {
    const char *dataset, *method, *variant, *split, *seed;
    size_t first, n_rows;       /* in scores.row */
    size_t n[2];                /* cells with a truth and a prediction */
    double value[2][N_METRICS]; /* by column */
    bool seen[2];               /* metrics.tsv has a row of it */
};

struct scores {
    struct audit *a;
    const char *stage;
    struct table t;
    const char **dataset, **truth, **said[2], **method, **variant, **split, **seed; /* columns */
    struct group *group;                                                            /* owned */
    size_t n_groups;
    size_t *of_row, *row; /* [t.n_rows] owned: group of a row; rows group by group */
    struct map at;        /* "dataset\tmethod\t..." to group */
};

static const char *text_of(const char *const *column, size_t i, const char *otherwise)
{
    return column && column[i] ? column[i] : otherwise;
}

static char *key_of(const char *dataset, const char *method, const char *variant, const char *split,
                    const char *seed)
{
    return text_new("%s\t%s\t%s\t%s\t%s", dataset, method, variant, split, seed);
}

static enum rc group_row(struct scores *s, size_t i, struct err *e)
{
    struct group g = { .dataset = text_of(s->dataset, i, ""),
                       .method = text_of(s->method, i, ""),
                       .variant = text_of(s->variant, i, "clean"),
                       .split = text_of(s->split, i, ""),
                       .seed = text_of(s->seed, i, "") };
    char *key = key_of(g.dataset, g.method, g.variant, g.split, g.seed);
    uint64_t old = MAP_NONE;
    enum rc rc = key ? map_add(&s->at, key, s->n_groups, &old, e)
                     : err_set(e, RC_FAIL, "no memory for a group");
    free(key);
    if (rc)
        return rc;
    if (old == MAP_NONE) {
        /* Room doubles at powers of two. */
        if ((s->n_groups & (s->n_groups - 1)) == 0) {
            size_t room = s->n_groups ? 2 * s->n_groups : 1;
            struct group *more = realloc(s->group, room * sizeof *more);
            if (!more)
                return err_set(e, RC_FAIL, "no memory for %zu groups", room);
            s->group = more;
        }
        old = s->n_groups;
        s->group[s->n_groups++] = g;
    }
    s->of_row[i] = (size_t)old;
    s->group[old].n_rows++;
    return RC_OK;
}

/* --- counting ------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t class_of(const char *const *name, size_t n, const char *wanted)
{
    const char *const *at = bsearch(&wanted, name, n, sizeof *name, by_bytes);
    return (size_t)(at - name);
}

/* The names of a group in rising order: sums run over them as in the tool that wrote the table.
 * Averages pass over classes that do not occur, so those of other splits need not be known. */
static enum rc count_group(struct scores *s, struct group *g, int column, struct err *e)
{
    const char **name = malloc((2 * g->n_rows + 1) * sizeof *name);
    size_t n = 0, k = 0, *confusion = NULL;
    const char *const *said = (const char *const *)s->said[column];
    if (!name)
        return err_set(e, RC_FAIL, "no memory for %zu predictions", g->n_rows);
    for (size_t i = g->first; i < g->first + g->n_rows; i++) {
        const char *truth = text_of(s->truth, s->row[i], "-"), *p = text_of(said, s->row[i], "-");
        if (strcmp(truth, "-") == 0 || strcmp(p, "-") == 0)
            continue;
        name[n++] = truth;
        name[n++] = p;
        g->n[column]++;
    }
    qsort(name, n, sizeof *name, by_bytes);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(name[i], name[k - 1]) != 0)
            name[k++] = name[i];
    if (k <= MAX_CLASSES)
        confusion = calloc(k * k + 1, sizeof *confusion);
    enum rc rc = confusion ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu classes", k);
    for (size_t i = g->first; !rc && i < g->first + g->n_rows; i++) {
        const char *truth = text_of(s->truth, s->row[i], "-"), *p = text_of(said, s->row[i], "-");
        if (strcmp(truth, "-") != 0 && strcmp(p, "-") != 0)
            confusion[class_of(name, k, truth) * k + class_of(name, k, p)]++;
    }
    struct class_metrics m;
    if (!rc) {
        class_metrics_get(confusion, k, &m, NULL);
        const double all[N_METRICS] = { m.accuracy,     m.macro_f1,    m.macro_precision,
                                        m.macro_recall, m.weighted_f1, m.balanced_accuracy };
        memcpy(g->value[column], all, sizeof all);
    }
    free(confusion);
    free(name);
    return rc;
}

static const char **column_text(const struct table *t, const char *name)
{
    const struct column *c = table_find(t, name);
    return c ? c->text : NULL;
}

static enum rc read_predictions(struct scores *s, const char *path, struct err *e)
{
    if (tsv_read_need(path, "dataset,truth,prediction,method,split,seed", &s->t, e))
        return e->rc;
    s->dataset = column_text(&s->t, "dataset");
    s->truth = column_text(&s->t, "truth");
    s->said[0] = column_text(&s->t, "prediction");
    s->said[1] = column_text(&s->t, "at_epoch");
    s->method = column_text(&s->t, "method");
    s->variant = column_text(&s->t, "variant");
    s->split = column_text(&s->t, "split");
    s->seed = column_text(&s->t, "seed");
    s->of_row = malloc((s->t.n_rows + 1) * sizeof *s->of_row);
    s->row = malloc((s->t.n_rows + 1) * sizeof *s->row);
    enum rc rc = s->of_row && s->row ? RC_OK : err_set(e, RC_FAIL, "no memory for predictions");
    for (size_t i = 0; !rc && i < s->t.n_rows; i++)
        rc = group_row(s, i, e);
    size_t first = 0;
    for (size_t g = 0; !rc && g < s->n_groups; g++) {
        s->group[g].first = first;
        first += s->group[g].n_rows;
        s->group[g].n_rows = 0; /* counted again below */
    }
    for (size_t i = 0; !rc && i < s->t.n_rows; i++) {
        struct group *g = &s->group[s->of_row[i]];
        s->row[g->first + g->n_rows++] = i;
    }
    for (size_t g = 0; !rc && g < s->n_groups; g++)
        for (int c = 0; !rc && c < 2; c++)
            if (s->said[c])
                rc = count_group(s, &s->group[g], c, e);
    return rc;
}

/* --- looking up ------------------------------------------------------------------------------ */

/* The metric's number and the column that it was counted on; false for another name. */
static bool metric_of(const char *name, int *metric, int *column)
{
    for (*metric = 0; *metric < N_METRICS; ++*metric) {
        size_t n = strlen(metric_name[*metric]);
        if (strncmp(name, metric_name[*metric], n) != 0)
            continue;
        *column = strcmp(name + n, at_epoch) == 0;
        if (!name[n] || *column)
            return true;
    }
    return false;
}

static struct group *find(const struct scores *s, const char *dataset, const char *method,
                          const char *variant, const char *split, const char *seed)
{
    char *key = key_of(dataset, method, variant, split, seed);
    uint64_t at = key ? map_get(&s->at, key) : MAP_NONE;
    free(key);
    return at == MAP_NONE ? NULL : &s->group[at];
}

/* How the rows of one table came off. */
struct tally {
    const char *file;
    size_t n_rows, n_equal, n_bad, n_other;
};

static enum rc blame(const struct scores *s, struct tally *y, size_t row, const char *what,
                     const char *is, const char *want, struct err *e)
{
    char subject[512];
    if (y->n_bad++ >= MAX_NAMED)
        return RC_OK;
    snprintf(subject, sizeof subject, "%s/%s:%zu", s->stage, y->file, row + 1);
    return audit_add(s->a, AUDIT_FAILS, "scores", subject, e, "%s is %s; the predictions give %s",
                     what, is, want);
}

static enum rc close_tally(const struct scores *s, const struct tally *y, struct err *e)
{
    char subject[512];
    snprintf(subject, sizeof subject, "%s/%s", s->stage, y->file);
    if (y->n_bad > MAX_NAMED)
        return audit_add(s->a, AUDIT_FAILS, "scores", subject, e, "%zu more rows differ",
                         y->n_bad - MAX_NAMED);
    return y->n_bad ? RC_OK
                    : audit_add(s->a, AUDIT_HOLDS, "scores", subject, e,
                                "%zu of %zu rows counted again, equal in every digit; no "
                                "predictions stand behind the other %zu",
                                y->n_equal, y->n_rows, y->n_other);
}

static enum rc check_metrics(struct scores *s, const struct table *t, struct err *e)
{
    struct tally y = { .file = "metrics.tsv", .n_rows = t->n_rows };
    const char *const name[] = { "dataset", "method", "variant", "split",
                                 "seed",    "metric", "value",   "n" };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < t->n_rows; i++) {
        const char *v[8];
        int metric, column;
        for (int k = 0; k < 8; k++)
            v[k] = text_of(column_text(t, name[k]), i, "");
        struct group *g = find(s, v[0], v[1], v[2], v[3], v[4]);
        if (!g || !metric_of(v[5], &metric, &column) || !s->said[column]) {
            y.n_other++;
            continue;
        }
        char want[32], count[32];
        metric_text(g->value[column][metric], want);
        snprintf(count, sizeof count, "%zu", g->n[column]);
        g->seen[column] = true;
        if (strcmp(want, v[6]) != 0)
            rc = blame(s, &y, i + 1, v[5], v[6], want, e);
        else if (strcmp(count, v[7]) != 0)
            rc = blame(s, &y, i + 1, "n", v[7], count, e);
        else
            y.n_equal++;
    }
    for (size_t g = 0; !rc && g < s->n_groups; g++)
        if (s->group[g].n[0] && !s->group[g].seen[0]) {
            y.n_bad++;
            rc = audit_add(s->a, AUDIT_FAILS, "scores", s->stage, e,
                           "metrics.tsv has no row for the predictions of %s, %s, %s, seed %s",
                           s->group[g].dataset, s->group[g].method, s->group[g].split,
                           s->group[g].seed);
        }
    return rc ? rc : close_tally(s, &y, e);
}

struct seed_value {
    uint64_t seed;
    double value;
};

static int by_seed(const void *a, const void *b)
{
    const struct seed_value *x = a, *y = b;
    return (x->seed > y->seed) - (x->seed < y->seed);
}

/* Values on the test cells over the seeds, by rising seed; the caller frees *to. */
static enum rc seeds_of(const struct scores *s, const char *dataset, const char *method, int metric,
                        double **to, size_t *n, struct err *e)
{
    struct seed_value *v = malloc((s->n_groups + 1) * sizeof *v);
    *to = malloc((s->n_groups + 1) * sizeof **to);
    *n = 0;
    if (!v || !*to) {
        free(v);
        return err_set(e, RC_FAIL, "no memory for seeds");
    }
    for (size_t g = 0; g < s->n_groups; g++) {
        const struct group *p = &s->group[g];
        if (strcmp(p->dataset, dataset) == 0 && strcmp(p->method, method) == 0 &&
            strcmp(p->variant, "clean") == 0 && strcmp(p->split, "test") == 0)
            v[(*n)++] = (struct seed_value){ strtoull(p->seed, NULL, 10), p->value[0][metric] };
    }
    qsort(v, *n, sizeof *v, by_seed);
    for (size_t i = 0; i < *n; i++)
        (*to)[i] = v[i].value;
    free(v);
    return RC_OK;
}

/* A row of summary.tsv, or with `against` of comparisons.tsv. */
static enum rc check_mean(const struct scores *s, struct tally *y, size_t row,
                          const char *const v[7], struct err *e)
{
    int metric, column;
    double *x = NULL, *z = NULL;
    size_t n = 0, n_against = 0;
    if (!metric_of(v[2], &metric, &column) || column) {
        y->n_other++;
        return RC_OK;
    }
    enum rc rc = seeds_of(s, v[0], v[1], metric, &x, &n, e);
    if (!rc && v[6]) {
        rc = seeds_of(s, v[0], v[6], metric, &z, &n_against, e);
        for (size_t i = 0; !rc && n == n_against && i < n; i++)
            x[i] -= z[i];
    }
    char mean[32], width[32], count[32];
    snprintf(count, sizeof count, "%zu", n);
    if (!rc && (n == 0 || (v[6] && n != n_against))) {
        y->n_other++;
    } else if (!rc) {
        metric_text(mean_of(x, n), mean);
        metric_text(mean_ci95(x, n), width);
        if (strcmp(count, v[3]) != 0)
            rc = blame(s, y, row, "n_seeds", v[3], count, e);
        else if (strcmp(mean, v[4]) != 0)
            rc = blame(s, y, row, "the mean", v[4], mean, e);
        else if (strcmp(width, v[5]) != 0)
            rc = blame(s, y, row, "ci95", v[5], width, e);
        else
            y->n_equal++;
    }
    free(x);
    free(z);
    return rc;
}

static enum rc check_means(const struct scores *s, const struct table *t, const char *file,
                           bool pairs, struct err *e)
{
    struct tally y = { .file = file, .n_rows = t->n_rows };
    const char *const name[] = {
        "dataset", "method", "metric", "n_seeds", pairs ? "mean_difference" : "mean",
        "ci95",    "against"
    };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < t->n_rows; i++) {
        const char *v[7] = { 0 };
        for (int k = 0; k < (pairs ? 7 : 6); k++)
            v[k] = text_of(column_text(t, name[k]), i, "");
        rc = check_mean(s, &y, i + 1, v, e);
    }
    return rc ? rc : close_tally(s, &y, e);
}

/* A table that is there, or not; one that is broken is told by audit, not refused. */
static enum rc check_table(struct scores *s, const char *root, const char *file,
                           const char *columns, struct err *e)
{
    char *path = text_new("%s/%s/%s", root, s->stage, file);
    struct table t;
    struct err why = { 0 };
    table_init(&t, 0);
    enum rc rc = path ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && file_exists(path)) {
        if (tsv_read_need(path, columns, &t, &why)) {
            char subject[512];
            snprintf(subject, sizeof subject, "%s/%s", s->stage, file);
            rc = why.rc == RC_FAIL ? err_set(e, RC_FAIL, "%s", why.text)
                                   : audit_add(s->a, AUDIT_FAILS, "scores", subject, e,
                                               "cannot be read as a table of scores");
        } else if (strcmp(file, "metrics.tsv") == 0) {
            rc = check_metrics(s, &t, e);
        } else {
            rc = check_means(s, &t, file, strcmp(file, "comparisons.tsv") == 0, e);
        }
    }
    table_release(&t);
    free(path);
    return rc;
}

enum rc audit_scores(struct audit *a, const struct chain *c, const char *stage, struct err *e)
{
    struct scores s = { .a = a, .stage = stage };
    struct err why = { 0 };
    char *path = text_new("%s/%s/predictions.tsv", c->root, stage);
    table_init(&s.t, 0);
    map_init(&s.at);
    enum rc rc = path ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && read_predictions(&s, path, &why)) {
        rc = why.rc == RC_FAIL ? err_set(e, RC_FAIL, "%s", why.text)
                               : audit_add(a, AUDIT_FAILS, "scores", stage, e,
                                           "predictions.tsv cannot be read as predictions");
    } else if (!rc) {
        rc = check_table(&s, c->root, "metrics.tsv",
                         "dataset,method,variant,split,seed,metric,value,n", e);
        if (!rc)
            rc = check_table(&s, c->root, "summary.tsv", "dataset,method,metric,n_seeds,mean,ci95",
                             e);
        if (!rc)
            rc = check_table(&s, c->root, "comparisons.tsv",
                             "dataset,metric,method,against,n_seeds,mean_difference,ci95", e);
    }
    map_release(&s.at);
    table_release(&s.t);
    free(s.group);
    free(s.of_row);
    free(s.row);
    free(path);
    return rc;
}
