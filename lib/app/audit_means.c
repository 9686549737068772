/* Order: the sum and count of each group (dataset, method, variant, split, seed, metric) of the
 * predictions are kept in a map; then each row of metrics.tsv looks its group up. */
#include "lib/app/audit_means.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/io/number.h"

enum { MAX_NAMED = 20 };
/* Both tables have nine digits, so a mean is off by as many halves of the last. */
static const double digits = 1e-8;

struct sum {
    double sum, largest; /* largest size of an addend */
    size_t n;
    bool seen; /* metrics.tsv has a row of it */
};

struct means {
    struct audit *a;
    const char *stage;
    struct table predictions;
    struct sum *sum; /* owned */
    size_t n, room;
    struct map at; /* "dataset\tmethod\t..." to sum */
};

static char *key_of(const struct table *t, size_t row, const char *split, const char *seed,
                    const char *metric)
{
    return text_new("%s\t%s\t%s\t%s\t%s\t%s", table_text(t, "dataset", row),
                    table_text(t, "method", row), table_text(t, "variant", row), split, seed,
                    metric);
}

static enum rc add(struct means *m, size_t row, const char *split, const char *metric, double value,
                   struct err *e)
{
    uint64_t at = MAP_NONE;
    char *key =
        key_of(&m->predictions, row, split, table_text(&m->predictions, "split_seed", row), metric);
    enum rc rc =
        key ? map_add(&m->at, key, m->n, &at, e) : err_set(e, RC_FAIL, "no memory for a group");
    free(key);
    if (!rc && at == MAP_NONE) {
        if (m->n == m->room) {
            struct sum *more = realloc(m->sum, (2 * m->room + 64) * sizeof *more);
            if (!more)
                return err_set(e, RC_FAIL, "no memory for %zu groups", m->room);
            m->sum = more;
            m->room = 2 * m->room + 64;
        }
        at = m->n++;
        m->sum[at] = (struct sum){ 0 };
    }
    if (rc)
        return rc;
    m->sum[at].sum += value;
    m->sum[at].largest = fmax(m->sum[at].largest, fabs(value));
    m->sum[at].n++;
    return RC_OK;
}

/* Columns that say what a row is about; the others are metrics. */
static bool is_metric(const char *column)
{
    static const char *const about[] = { "dataset", "condition", "class",      "n_cells",
                                         "method",  "variant",   "split_seed", "training_seed" };
    for (size_t i = 0; i < sizeof about / sizeof *about; i++)
        if (strcmp(column, about[i]) == 0)
            return false;
    return true;
}

/* A condition counts in its class and in "test", which has all of them. */
static enum rc add_all(struct means *m, struct err *e)
{
    const struct table *p = &m->predictions;
    for (size_t i = 0; i < p->n_rows; i++)
        for (size_t k = 0; k < p->n_cols; k++) {
            const char *const name = p->col[k].name, *const text = p->col[k].text[i];
            double value;
            if (!is_metric(name) || !text || !number_parse(text, &value))
                continue; /* a nan is no number */
            enum rc rc = add(m, i, table_text(p, "class", i), name, value, e);
            if (!rc)
                rc = add(m, i, "test", name, value, e);
            if (rc)
                return rc;
        }
    return RC_OK;
}

/* Whether row i of metrics.tsv is what its group gives; *found: there is one. */
static enum rc holds(struct means *m, const struct table *t, size_t i, bool *found, bool *good,
                     char want[64], struct err *e)
{
    char *key = key_of(t, i, table_text(t, "split", i), table_text(t, "seed", i),
                       table_text(t, "metric", i));
    const uint64_t at = key ? map_get(&m->at, key) : MAP_NONE;
    double value;
    uint64_t n;
    if (!key)
        return err_set(e, RC_FAIL, "no memory for a group");
    free(key);
    *found = at != MAP_NONE;
    if (!*found)
        return RC_OK;
    struct sum *const s = &m->sum[at];
    s->seen = true;
    const double mean = s->sum / (double)s->n;
    *good = number_parse(table_text(t, "value", i), &value) &&
            fabs(value - mean) <= digits * s->largest &&
            number_whole(table_text(t, "n", i), &n, NULL) && n == s->n;
    snprintf(want, 64, "%.9g of %zu", mean, s->n);
    return RC_OK;
}

static enum rc compare(struct means *m, const struct table *t, struct err *e)
{
    size_t n_equal = 0, n_bad = 0, n_other = 0, n_missing = 0;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < t->n_rows; i++) {
        bool found = false, good = false;
        char want[64], subject[512];
        rc = holds(m, t, i, &found, &good, want, e);
        if (!rc && found && !good && n_bad++ < MAX_NAMED) {
            snprintf(subject, sizeof subject, "%s/metrics.tsv:%zu", m->stage, i + 2);
            rc = audit_add(m->a, AUDIT_FAILS, "scores", subject, e,
                           "%s is %s of %s; the predictions give %s", table_text(t, "metric", i),
                           table_text(t, "value", i), table_text(t, "n", i), want);
        }
        n_equal += found && good;
        n_other += !found;
    }
    char subject[512];
    snprintf(subject, sizeof subject, "%s/metrics.tsv", m->stage);
    for (size_t i = 0; i < m->n; i++)
        n_missing += !m->sum[i].seen;
    if (!rc && n_missing)
        rc = audit_add(m->a, AUDIT_FAILS, "scores", subject, e,
                       "no row for %zu means that the predictions give", n_missing);
    if (rc)
        return rc;
    if (n_bad || n_missing)
        return n_bad <= MAX_NAMED ? RC_OK
                                  : audit_add(m->a, AUDIT_FAILS, "scores", subject, e,
                                              "%zu more rows differ", n_bad - MAX_NAMED);
    return audit_add(
        m->a, n_equal ? AUDIT_HOLDS : AUDIT_FAILS, "scores", subject, e,
        "%zu of %zu rows are means of the predictions, within the digits that these have; no "
        "predictions stand behind the other %zu",
        n_equal, t->n_rows, n_other);
}

enum rc audit_means(struct audit *a, const struct chain *c, const char *stage, bool *mine,
                    struct err *e)
{
    struct means m = { .a = a, .stage = stage };
    struct table metrics;
    struct err why = { 0 };
    char *path = text_new("%s/%s/predictions.tsv", c->root, stage),
         *scores = text_new("%s/%s/metrics.tsv", c->root, stage);
    table_init(&m.predictions, 0);
    table_init(&metrics, 0);
    map_init(&m.at);
    enum rc rc = path && scores ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    *mine = !rc &&
            !tsv_read_need(path, "dataset,class,method,variant,split_seed", &m.predictions, &why);
    if (!rc && why.rc == RC_FAIL)
        rc = err_set(e, RC_FAIL, "%s", why.text);
    if (!rc && *mine) {
        if (tsv_read_need(scores, "dataset,method,variant,split,seed,metric,value,n", &metrics,
                          &why))
            rc = why.rc == RC_FAIL ? err_set(e, RC_FAIL, "%s", why.text)
                                   : audit_add(a, AUDIT_FAILS, "scores", stage, e,
                                               "metrics.tsv cannot be read as a table of scores");
        else
            rc = add_all(&m, e);
        if (!rc && !why.rc)
            rc = compare(&m, &metrics, e);
    }
    map_release(&m.at);
    table_release(&m.predictions);
    table_release(&metrics);
    free(m.sum);
    free(path);
    free(scores);
    return rc;
}
