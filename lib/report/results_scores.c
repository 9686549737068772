/* STAGE/metrics.tsv of every stage that has one: the scores of a method over its seeds become a
 * mean and a 95 % interval (Student's t with n - 1 degrees of freedom). */
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/report/results.h"

struct row {
    const char *task, *dataset, *method, *variant, *split, *metric, *seed;
    double value, n;
};

struct rows {
    struct row *row;
    size_t n;
};

static int by_group(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int d = strcmp(x->task, y->task);
    d = d ? d : strcmp(x->dataset, y->dataset);
    d = d ? d : strcmp(x->split, y->split);
    d = d ? d : strcmp(x->variant, y->variant);
    d = d ? d : strcmp(x->metric, y->metric);
    return d ? d : strcmp(x->method, y->method);
}

static int by_seed(const void *a, const void *b)
{
    int d = by_group(a, b);
    return d ? d : strcmp(((const struct row *)a)->seed, ((const struct row *)b)->seed);
}

/* A metric that could not be computed is nan or NA; it stays out of the mean. */
static enum rc number(const char *text, const char *path, size_t row, const char *column,
                      double *to, struct err *e)
{
    char *end;
    *to = strtod(text, &end);
    if (strcmp(text, "NA") == 0 || strcmp(text, "-") == 0 || !*text)
        *to = NAN;
    else if (end == text || *end)
        return err_set(e, RC_INPUT, "'%s': data row %zu: %s is '%.40s', not a number", path,
                       row + 1, column, text);
    return RC_OK;
}

static enum rc add_rows(struct results *r, const struct table *t, const char *path,
                        struct rows *rows, struct err *e)
{
    static const char *const names[] = { "task",  "dataset", "method", "variant",
                                         "split", "metric",  "seed" };
    const struct column *c[7], *value = table_find(t, "value"), *n = table_find(t, "n");
    for (int k = 0; k < 7; k++)
        c[k] = table_find(t, names[k]);
    struct row *more = realloc(rows->row, (rows->n + t->n_rows + 1) * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for %zu scores", t->n_rows);
    rows->row = more;
    for (size_t i = 0; i < t->n_rows; i++) {
        struct row *w = &more[rows->n + i];
        const char *text[7];
        for (int k = 0; k < 7; k++)
            if (!(text[k] = results_text(r, c[k]->text[i])))
                return err_set(e, RC_FAIL, "no memory for %zu scores", t->n_rows);
        *w = (struct row){ text[0], text[1], text[2], text[3], text[4], text[5], text[6], 0, 0 };
        if (number(value->text[i], path, i, "value", &w->value, e) ||
            number(n->text[i], path, i, "n", &w->n, e))
            return e ? e->rc : RC_INPUT;
    }
    rows->n += t->n_rows;
    return RC_OK;
}

static struct score reduce(const struct row *w, size_t n)
{
    struct score s = { .task = w->task,
                       .dataset = w->dataset,
                       .method = w->method,
                       .variant = w->variant,
                       .split = w->split,
                       .metric = w->metric,
                       .lo = NAN,
                       .hi = NAN,
                       .n = NAN };
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(w[i].value))
            continue;
        sum += w[i].value;
        s.n_seeds++;
        if (!(w[i].n <= s.n))
            s.n = w[i].n;
    }
    s.mean = s.n_seeds ? sum / (double)s.n_seeds : (double)NAN;
    for (size_t i = 0; i < n; i++)
        if (!isnan(w[i].value))
            squares += (w[i].value - s.mean) * (w[i].value - s.mean);
    if (s.n_seeds > 1) {
        double df = (double)s.n_seeds - 1;
        double half =
            gsl_cdf_tdist_Pinv(SCORE_QUANTILE, df) * sqrt(squares / df / (double)s.n_seeds);
        s.lo = s.mean - half;
        s.hi = s.mean + half;
    }
    return s;
}

/* A method's chosen setting stands among the metrics, but is no score. */
static bool is_setting(const char *metric)
{
    return strncmp(metric, "chosen_", 7) == 0;
}

static enum rc reduce_all(struct results *r, struct rows *rows, struct err *e)
{
    if (rows->n)
        qsort(rows->row, rows->n, sizeof *rows->row, by_seed);
    r->scores.s = calloc(rows->n + 1, sizeof *r->scores.s);
    if (!r->scores.s)
        return err_set(e, RC_FAIL, "no memory for %zu scores", rows->n);
    for (size_t i = 0, j; i < rows->n; i = j) {
        for (j = i + 1; j < rows->n && by_group(&rows->row[i], &rows->row[j]) == 0; j++)
            ;
        struct score s = reduce(&rows->row[i], j - i);
        if (s.n_seeds && !is_setting(s.metric))
            r->scores.s[r->scores.n++] = s;
    }
    return RC_OK;
}

/* Scores without training answer another question: their own list, not one more figure or mean. */
static enum rc set_apart(struct results *r, struct err *e)
{
    struct scores *all = &r->scores, *apart = &r->zero_shot;
    size_t n = 0;
    apart->s = calloc(all->n + 1, sizeof *apart->s);
    if (!apart->s)
        return err_set(e, RC_FAIL, "no memory for %zu scores", all->n);
    for (size_t i = 0; i < all->n; i++) {
        if (strcmp(all->s[i].task, "zero-shot") == 0)
            apart->s[apart->n++] = all->s[i];
        else
            all->s[n++] = all->s[i];
    }
    all->n = n;
    apart->present = apart->n > 0;
    return RC_OK;
}

enum rc results_score_files(struct results *r, const char *const *path, size_t n, struct err *e)
{
    struct rows rows = { 0 };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        struct table t;
        rc = tsv_read_need(path[i], "task,dataset,method,variant,split,seed,metric,value,n", &t, e);
        if (rc)
            break;
        r->scores.present = true;
        rc = add_rows(r, &t, path[i], &rows, e);
        table_release(&t);
    }
    if (!rc)
        rc = reduce_all(r, &rows, e);
    if (!rc)
        rc = set_apart(r, e);
    free(rows.row);
    return rc;
}

enum rc results_scores(struct results *r, struct err *e)
{
    const char **stage = NULL;
    size_t n = 0, n_files = 0;
    enum rc rc = results_list(r, r->folder, 'd', &stage, &n, e);
    for (size_t i = 0; !rc && i < n; i++) {
        const char *path = results_path(r, "%s/metrics.tsv", stage[i]);
        if (!path)
            rc = err_set(e, RC_FAIL, "no memory for a path");
        else if (file_exists(path))
            stage[n_files++] = path;
    }
    if (!rc)
        rc = results_score_files(r, stage, n_files, e);
    free(stage);
    return rc;
}
