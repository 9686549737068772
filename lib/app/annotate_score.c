/* How right the names are: metrics.tsv, classes.tsv, confusion.tsv, confusion.svg. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/annotate_prediction.h"
#include "lib/base/log.h"
#include "lib/io/gnuplot.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/calibrate.h"
#include "lib/nn/metrics_class.h"

enum { CELL_PX = 22, MAX_DRAWN = 60 };

/* Labels of the cells as rows: the classes of the classifier, then those it never saw. */
struct truth {
    const char **name; /* [n_names], owned; texts borrowed */
    size_t n_names, n_known;
    size_t *count;   /* [n_names, n_classes + 1]; the last column: no prediction */
    size_t n_unseen; /* cells of unknown classes */
};

static size_t row_of(struct truth *t, const struct prediction *p, const char *label)
{
    const uint32_t known = classifier_find(&p->c, label);
    if (known != NO_CLASS)
        return known;
    size_t i = t->n_known;
    while (strcmp(t->name[i], label) != 0)
        i++;
    return i;
}

static enum rc count_all(struct truth *t, const struct prediction *p, struct err *e)
{
    const char **all = NULL;
    size_t n = 0;
    *t = (struct truth){ .n_known = p->c.n_classes };
    enum rc rc = labelled_cells_classes(&p->cells, &all, &n, e);
    if (rc)
        return rc;
    const size_t width = p->c.n_classes + 1;
    t->name = malloc((p->c.n_classes + n) * sizeof *t->name);
    t->count = calloc((p->c.n_classes + n) * width, sizeof *t->count);
    if (!t->name || !t->count) {
        free(all);
        return err_set(e, RC_FAIL, "no memory for %zu classes", n);
    }
    for (size_t c = 0; c < p->c.n_classes; c++)
        t->name[t->n_names++] = p->c.name[c];
    for (size_t i = 0; i < n; i++)
        if (classifier_find(&p->c, all[i]) == NO_CLASS)
            t->name[t->n_names++] = all[i];
    free(all);
    for (size_t i = 0; i < p->n; i++) {
        if (!p->cells.label[i])
            continue;
        const size_t row = row_of(t, p, p->cells.label[i]);
        t->count[row * width + (p->best[i] == NO_CLASS ? p->c.n_classes : p->best[i])]++;
        t->n_unseen += row >= t->n_known;
    }
    return RC_OK;
}

/* Square table of the known classes and, last, "no prediction", which is nobody's label. */
static size_t *square(const struct truth *t, size_t k)
{
    size_t *s = calloc((k + 1) * (k + 1), sizeof *s);
    if (s)
        memcpy(s, t->count, k * (k + 1) * sizeof *s);
    return s;
}

static enum rc open_in(struct outfile *o, const struct prediction *p, const char *name,
                       struct err *e)
{
    char *path = text_new("%s/%s", p->o->out, name);
    enum rc rc = path ? outfile_open(o, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    return rc;
}

static enum rc write_confusion(const struct truth *t, const struct prediction *p, struct err *e)
{
    struct outfile o;
    const size_t k = p->c.n_classes;
    if (open_in(&o, p, "confusion.tsv", e))
        return e->rc;
    fputs("truth\tprediction\tcells\tseen_in_training\n", o.f);
    for (size_t r = 0; r < t->n_names; r++)
        for (size_t c = 0; c <= k; c++) {
            if (!t->count[r * (k + 1) + c])
                continue;
            field_put(t->name[r], o.f);
            fputc('\t', o.f);
            field_put(c < k ? p->c.name[c] : "-", o.f);
            fprintf(o.f, "\t%zu\t%s\n", t->count[r * (k + 1) + c], r < t->n_known ? "yes" : "no");
        }
    return outfile_commit(&o, e);
}

static enum rc write_classes(const struct prediction *p, const struct class_row *row, struct err *e)
{
    struct outfile o;
    char text[3][32];
    if (open_in(&o, p, "classes.tsv", e))
        return e->rc;
    fputs("class\tcells\tprecision\trecall\tf1\ttrained_on\n", o.f);
    for (size_t c = 0; c < p->c.n_classes; c++) {
        metric_text(row[c].precision, text[0]);
        metric_text(row[c].recall, text[1]);
        metric_text(row[c].f1, text[2]);
        field_put(p->c.name[c], o.f);
        fprintf(o.f, "\t%zu\t%s\t%s\t%s\t%zu\n", row[c].support, text[0], text[1], text[2],
                p->c.n_train[c]);
    }
    return outfile_commit(&o, e);
}

/* Probabilities against outcomes, over cells of known classes with a prediction. */
struct trust {
    double error, share_sure, accuracy_sure;
    size_t n, n_sure;
};

static enum rc trust_of(const struct prediction *p, struct trust *t, struct err *e)
{
    double *q = malloc((p->n + 1) * sizeof *q);
    unsigned char *right = malloc(p->n + 1);
    size_t hits = 0;
    *t = (struct trust){ 0 };
    for (size_t i = 0; q && right && i < p->n; i++) {
        const uint32_t c = classifier_find(&p->c, p->cells.label[i]);
        if (c == NO_CLASS || p->best[i] == NO_CLASS)
            continue;
        q[t->n] = p->p_best[i];
        right[t->n++] = c == p->best[i];
        if (prediction_is_sure(p, i)) {
            t->n_sure++;
            hits += c == p->best[i];
        }
    }
    const bool good = q && right;
    if (good) {
        t->error = calibration_error(q, right, t->n);
        t->share_sure = t->n ? (double)t->n_sure / (double)t->n : NAN;
        t->accuracy_sure = t->n_sure ? (double)hits / (double)t->n_sure : NAN;
    }
    free(q);
    free(right);
    return good ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", p->n);
}

static enum rc write_metrics(const struct prediction *p, const struct class_metrics *m,
                             const struct truth *t, const struct trust *trust, struct err *e)
{
    struct outfile o;
    char *path = text_new("%s/metrics.tsv", p->o->out);
    enum rc rc = path ? metrics_tsv_open(&o, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    size_t n_files = p->cells.n_files;
    const struct column *s = table_find(&p->cells.file[0].obs, "sample");
    const char *name =
        n_files == 1 && s && s->kind == COLUMN_TEXT && s->text[0] ? s->text[0] : "all";
    struct metric_row row = { "annotate",
                              name,
                              classifier_kind_name(p->c.kind),
                              p->c.as_released ? "as-released" : "clean",
                              "test",
                              p->o->seed,
                              "",
                              0,
                              0 };
    const double all = (double)(m->n + t->n_unseen);
    const struct {
        const char *metric;
        double value;
        size_t n;
    } line[] = {
        { "accuracy", m->accuracy, m->n },
        { "macro_f1", m->macro_f1, m->n },
        { "macro_precision", m->macro_precision, m->n },
        { "macro_recall", m->macro_recall, m->n },
        { "weighted_f1", m->weighted_f1, m->n },
        { "balanced_accuracy", m->balanced_accuracy, m->n },
        { "accuracy_all", all > 0 ? m->accuracy * (double)m->n / all : NAN, m->n + t->n_unseen },
        { "calibration_error", trust->error, trust->n },
        { "share_sure", trust->share_sure, trust->n },
        { "accuracy_sure", trust->accuracy_sure, trust->n_sure },
        { "cells_of_unseen_classes", (double)t->n_unseen, m->n + t->n_unseen },
    };
    for (size_t i = 0; i < sizeof line / sizeof *line; i++) {
        row.metric = line[i].metric;
        row.value = line[i].value;
        row.n = line[i].n;
        metrics_tsv_add(&o, &row);
    }
    return outfile_commit(&o, e);
}

/* Rows are truths with cells, columns predictions; a square is as dark as its share of the row. */
static enum rc draw(const struct truth *t, const struct prediction *p, struct err *e)
{
    const size_t k = p->c.n_classes;
    const char *rows[MAX_DRAWN];
    size_t from[MAX_DRAWN], n = 0;
    for (size_t r = 0; r < t->n_names && n < MAX_DRAWN; r++) {
        size_t sum = 0;
        for (size_t c = 0; c <= k; c++)
            sum += t->count[r * (k + 1) + c];
        if (sum) {
            from[n] = r;
            rows[n++] = t->name[r];
        }
    }
    if (k > MAX_DRAWN || !n)
        return RC_OK; /* too many to read; the table has them */
    struct figure f;
    struct markup svg = { 0 };
    figure_init(&f, "confusion", "Cells by their label (rows) and the name they got (columns)");
    figure_size(&f, 190.0 + (double)(k * CELL_PX), 170.0 + (double)(n * CELL_PX));
    figure_number(&f, "n_rows", (double)n);
    figure_number(&f, "n_columns", (double)k);
    figure_number(&f, "cell", CELL_PX);
    figure_words(&f, "row_names", rows, n);
    figure_words(&f, "column_names", (const char *const *)(uintptr_t)p->c.name, k);
    static const char *const axis[] = { "label", "prediction" };
    figure_words(&f, "axes", axis, 2);
    figure_block(&f, "shares");
    for (size_t i = 0; i < n; i++) {
        size_t sum = 0;
        for (size_t c = 0; c <= k; c++)
            sum += t->count[from[i] * (k + 1) + c];
        for (size_t c = 0; c < k; c++)
            if (t->count[from[i] * (k + 1) + c])
                figure_row(
                    &f, "%zu\t%zu\t%d", i + 1, c + 1,
                    (int)(0.5 + 255 * (1 - (double)t->count[from[i] * (k + 1) + c] / (double)sum)));
    }
    figure_block_end(&f);
    char *path = text_new("%s/confusion.svg", p->o->out);
    enum rc rc = path ? figure_draw(&f, p->o->templates, "confusion", &svg, e)
                      : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = figure_save(&svg, path, e);
    free(path);
    figure_release(&f);
    markup_release(&svg);
    return rc;
}

enum rc prediction_score(const struct prediction *p, struct err *e)
{
    struct truth t;
    struct trust trust = { 0 };
    struct class_metrics m;
    const size_t k = p->c.n_classes;
    enum rc rc = count_all(&t, p, e);
    size_t *table = rc ? NULL : square(&t, k);
    struct class_row *row = calloc(k + 1, sizeof *row);
    if (!rc && (!table || !row))
        rc = err_set(e, RC_FAIL, "no memory for %zu classes", k);
    if (!rc) {
        class_metrics_get(table, k + 1, &m, row);
        rc = trust_of(p, &trust, e);
    }
    if (!rc && !m.n)
        rc = err_set(e, RC_INPUT, "no cell has a label that the classifier knows");
    if (!rc)
        rc = write_metrics(p, &m, &t, &trust, e);
    if (!rc)
        rc = write_classes(p, row, e);
    if (!rc)
        rc = write_confusion(&t, p, e);
    if (!rc)
        rc = draw(&t, p, e);
    if (!rc) {
        log_say("accuracy %.4f, macro-F1 %.4f on %zu cells; of %.1f %% it is sure, and right in "
                "%.1f %% "
                "of these",
                m.accuracy, m.macro_f1, m.n, 100 * trust.share_sure, 100 * trust.accuracy_sure);
        if (t.n_unseen)
            log_warn("%zu cells have labels that the classifier never saw: only accuracy_all "
                     "counts them",
                     t.n_unseen);
    }
    free(t.name);
    free(t.count);
    free(table);
    free(row);
    return rc;
}
