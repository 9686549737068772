#include "lib/app/perturb_steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/io/lines.h"
#include "lib/io/metrics_tsv.h"
#include "lib/io/number.h"
#include "lib/nn/metrics_stat.h"

enum {
    FIRST_MEASURE = 4
}; /* columns of cells.tsv: perturbation, sample, cell, cell_id, measures */

struct step {
    char *name; /* owned */
    struct table cells, predictions;
    struct map by_cell; /* "perturbation\tcell_id" to a row of cells */
    bool has_cells, has_predictions;
};

struct job {
    const struct perturb_steps_options *o;
    struct step *step; /* [n] owned */
    size_t n;
    struct outfile predictions, metrics;
    double *x, *y; /* room for the cells of a step; owned */
};

/* ---- reading ---- */

static const char *text_at(const struct table *t, const char *column, size_t row)
{
    return table_find(t, column)->text[row];
}

/* "nan" is a number here. */
static enum rc number_at(const struct table *t, const char *column, size_t row, const char *step,
                         double *x, struct err *e)
{
    const struct column *c = table_find(t, column);
    if (!c)
        return err_set(e, RC_INPUT, "step '%s' has no column '%s'", step, column);
    const char *text = c->text[row];
    *x = NAN;
    if (strcmp(text, "nan") == 0 || number_parse(text, x))
        return RC_OK;
    return err_set(e, RC_INPUT, "step '%s': '%.40s' in column '%s' is no number", step, text,
                   column);
}

static enum rc key_of(const struct step *s, size_t row, char **key, struct err *e)
{
    *key = text_new("%s\t%s", text_at(&s->cells, "perturbation", row),
                    text_at(&s->cells, "cell_id", row));
    return *key ? RC_OK : err_set(e, RC_FAIL, "no memory for a cell's name");
}

static enum rc number_cells(struct step *s, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < s->cells.n_rows; i++) {
        char *key;
        rc = key_of(s, i, &key, e);
        if (!rc && map_get(&s->by_cell, key) != MAP_NONE)
            rc = err_set(e, RC_INPUT, "step '%s': cell %s stands twice for '%s'", s->name,
                         text_at(&s->cells, "cell_id", i), text_at(&s->cells, "perturbation", i));
        if (!rc)
            rc = map_add(&s->by_cell, key, i, NULL, e);
        free(key);
    }
    return rc;
}

static enum rc read_step(struct step *s, const char *arg, struct err *e)
{
    const char *eq = strchr(arg, '=');
    *s = (struct step){ 0 };
    map_init(&s->by_cell);
    if (!eq || eq == arg || !eq[1])
        return err_set(e, RC_USAGE, "--steps wants NAME=DIR, not '%s'", arg);
    s->name = text_new("%.*s", (int)(eq - arg), arg);
    char *cells = text_new("%s/cells.tsv", eq + 1);
    char *predictions = text_new("%s/predictions.tsv", eq + 1);
    enum rc rc =
        s->name && cells && predictions ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = tsv_read_need(cells, "perturbation,sample,cell,cell_id,cls_shift", &s->cells, e);
    s->has_cells = !rc;
    if (!rc)
        rc = tsv_read_need(predictions, "perturbation,n_controls", &s->predictions, e);
    s->has_predictions = !rc && s->has_cells;
    free(cells);
    free(predictions);
    return rc ? rc : number_cells(s, e);
}

static enum rc read_steps(struct job *j, struct err *e)
{
    size_t most = 0;
    enum rc rc = RC_OK;
    j->step = calloc((size_t)j->o->steps.n + 1, sizeof *j->step);
    if (!j->step)
        return err_set(e, RC_FAIL, "no memory for %d steps", j->o->steps.n);
    for (int i = 0; !rc && i < j->o->steps.n; i++) {
        struct step *s = &j->step[j->n++];
        rc = read_step(s, j->o->steps.item[i], e);
        const struct table *t = &s->cells, *first = &j->step[0].cells;
        if (!rc && t->n_cols != first->n_cols)
            rc = err_set(e, RC_INPUT, "steps '%s' and '%s' have other measures", j->step[0].name,
                         s->name);
        for (size_t c = 0; !rc && c < t->n_cols; c++)
            if (strcmp(t->col[c].name, first->col[c].name) != 0)
                rc = err_set(e, RC_INPUT, "steps '%s' and '%s' have other measures: '%s' and '%s'",
                             j->step[0].name, s->name, first->col[c].name, t->col[c].name);
        most = !rc && t->n_rows > most ? t->n_rows : most;
    }
    j->x = malloc((most + 1) * sizeof *j->x);
    j->y = malloc((most + 1) * sizeof *j->y);
    if (!rc && (!j->x || !j->y))
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", most);
    return rc;
}

/* ---- one perturbation, one measure, one step ---- */

struct found {
    double mean, low, high, null_mean, p; /* of perturb: interval by bootstrap over cells */
    double step, step_low, step_high, step_p;
    size_t n_cells, n_both;
};

static enum rc beside_random(const struct step *s, size_t row, const char *measure, struct found *f,
                             struct err *e)
{
    static const char *const end[] = { "", "_low", "_high", "_null", "_p" };
    double *to[] = { &f->mean, &f->low, &f->high, &f->null_mean, &f->p };
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < 5; k++) {
        char *column = text_new("%s%s", measure, end[k]);
        rc = column ? number_at(&s->predictions, column, row, s->name, to[k], e)
                    : err_set(e, RC_FAIL, "no memory for a name");
        free(column);
    }
    return rc;
}

/* Cells of s that stand in `before`, too. */
static enum rc beside_before(struct job *j, const struct step *s, const struct step *before,
                             const char *perturbation, const char *measure, struct found *f,
                             struct err *e)
{
    struct test_result w = { NAN, NAN, NAN };
    enum rc rc = RC_OK;
    f->step = f->step_low = f->step_high = f->step_p = NAN;
    for (size_t i = 0; !rc && i < s->cells.n_rows; i++) {
        if (strcmp(text_at(&s->cells, "perturbation", i), perturbation) != 0)
            continue;
        char *key;
        double now, then = NAN;
        rc = number_at(&s->cells, measure, i, s->name, &now, e);
        f->n_cells += !rc;
        if (rc || !before || (rc = key_of(s, i, &key, e)))
            continue;
        const uint64_t at = map_get(&before->by_cell, key);
        free(key);
        if (at != MAP_NONE)
            rc = number_at(&before->cells, measure, (size_t)at, before->name, &then, e);
        if (rc || isnan(now) || isnan(then))
            continue;
        j->x[f->n_both] = now;
        j->y[f->n_both++] = then;
    }
    if (!rc && f->n_both)
        rc = wilcoxon_signed(j->x, j->y, f->n_both, &w, e);
    if (rc || !f->n_both)
        return rc;
    for (size_t i = 0; i < f->n_both; i++)
        j->x[i] -= j->y[i];
    const double width = mean_ci95(j->x, f->n_both);
    f->step = mean_of(j->x, f->n_both);
    f->step_low = f->step - width;
    f->step_high = f->step + width;
    f->step_p = w.p;
    return RC_OK;
}

static void put(struct job *j, const char *step, const char *perturbation, const char *measure,
                const char *end, double value, size_t n)
{
    char metric[160];
    snprintf(metric, sizeof metric, "%.100s%s", measure, end);
    const struct metric_row row = { "perturb",  j->o->dataset, step,  "clean", perturbation,
                                    j->o->seed, metric,        value, n };
    metrics_tsv_add(&j->metrics, &row);
}

static void put_all(struct job *j, const struct step *s, const char *before,
                    const char *perturbation, const char *measure, const struct found *f)
{
    const double number[] = { f->mean, f->low, f->high, f->null_mean, f->p };
    const double step[] = { f->step, f->step_low, f->step_high, f->step_p };
    char text[32];
    FILE *out = j->predictions.f;
    put(j, s->name, perturbation, measure, "", f->mean, f->n_cells);
    if (!isnan(f->null_mean)) {
        put(j, s->name, perturbation, measure, "_beyond_random", f->mean - f->null_mean,
            f->n_cells);
        put(j, s->name, perturbation, measure, "_beyond_random_low", f->low - f->null_mean,
            f->n_cells);
        put(j, s->name, perturbation, measure, "_beyond_random_high", f->high - f->null_mean,
            f->n_cells);
        put(j, s->name, perturbation, measure, "_beyond_random_p", f->p, f->n_cells);
    }
    if (f->n_both) {
        put(j, s->name, perturbation, measure, "_step", f->step, f->n_both);
        put(j, s->name, perturbation, measure, "_step_low", f->step_low, f->n_both);
        put(j, s->name, perturbation, measure, "_step_high", f->step_high, f->n_both);
        put(j, s->name, perturbation, measure, "_step_p", f->step_p, f->n_both);
    }
    field_put(j->o->dataset, out);
    fputc('\t', out);
    field_put(perturbation, out);
    fprintf(out, "\t%s\t%s\t%zu", measure, s->name, f->n_cells);
    for (size_t k = 0; k < 5; k++) {
        metric_text(number[k], text);
        fprintf(out, "\t%s", text);
    }
    fprintf(out, "\t%s\t%zu", before, f->n_both);
    for (size_t k = 0; k < 4; k++) {
        metric_text(step[k], text);
        fprintf(out, "\t%s", text);
    }
    fputc('\n', out);
}

/* Row `row` of the predictions of step k. */
static enum rc one(struct job *j, size_t k, size_t row, struct err *e)
{
    const struct step *s = &j->step[k], *before = k ? &j->step[k - 1] : NULL;
    const char *perturbation = text_at(&s->predictions, "perturbation", row);
    enum rc rc = RC_OK;
    for (size_t c = FIRST_MEASURE; !rc && c < s->cells.n_cols; c++) {
        struct found f = { 0 };
        rc = beside_random(s, row, s->cells.col[c].name, &f, e);
        if (!rc)
            rc = beside_before(j, s, before, perturbation, s->cells.col[c].name, &f, e);
        if (!rc && f.n_cells)
            put_all(j, s, before ? before->name : "-", perturbation, s->cells.col[c].name, &f);
    }
    return rc;
}

static enum rc write_all(struct job *j, struct err *e)
{
    enum rc rc = metrics_tsv_open_beside(&j->predictions, &j->metrics, j->o->out, e);
    if (rc)
        return rc;
    fputs(
        "dataset\tperturbation\tmeasure\tstep\tn_cells\tmean\tlow\thigh\trandom\tp_random\tbefore\t"
        "n_in_both\tmore\tmore_low\tmore_high\twilcoxon_p\n",
        j->predictions.f);
    for (size_t k = 0; !rc && k < j->n; k++)
        for (size_t i = 0; !rc && i < j->step[k].predictions.n_rows; i++)
            rc = one(j, k, i, e);
    if (!rc)
        rc = outfile_commit(&j->predictions, e);
    return rc ? rc : outfile_commit(&j->metrics, e);
}

enum rc perturb_steps(const struct perturb_steps_options *o, struct err *e)
{
    struct job j = { .o = o };
    enum rc rc = read_steps(&j, e);
    if (!rc)
        rc = write_all(&j, e);
    for (size_t i = 0; i < j.n; i++) {
        struct step *s = &j.step[i];
        free(s->name);
        map_release(&s->by_cell);
        if (s->has_cells)
            table_release(&s->cells);
        if (s->has_predictions)
            table_release(&s->predictions);
    }
    free(j.step);
    free(j.x);
    free(j.y);
    outfile_abort(&j.predictions);
    outfile_abort(&j.metrics);
    return rc;
}
