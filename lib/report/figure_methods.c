/* Figures 3b to 3d: all methods on a data set by macro-F1, in an order that does not depend on who wins. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report/figures.h"

enum { MAX_ROWS = 40, ROW_HEIGHT = 36, TOP = 8 };

/* Beginnings of names; the first that fits decides. */
static const struct {
    const char *begin;
    enum { OURS, DEEP, SIMPLE, OTHER } group;
} order[] = {
    { "came+genecompass", OURS }, { "genecompass", OURS },    { "random-weights", OURS },
    { "shuffled", OURS },         { "no-pretraining", OURS }, { "geneformer", DEEP },
    { "tosica", DEEP },           { "came", DEEP },           { "logistic-1to1", SIMPLE },
    { "hvg", SIMPLE },            { "pca", SIMPLE },          { "majority", SIMPLE },
};
enum { N_ORDER = sizeof order / sizeof *order };

static size_t rank_of(const char *method)
{
    size_t i = 0;
    while (i < N_ORDER && strncmp(order[i].begin, method, strlen(order[i].begin)) != 0)
        i++;
    return i;
}

static int by_order(const void *a, const void *b)
{
    const struct score *x = *(const struct score *const *)a;
    const struct score *y = *(const struct score *const *)b;
    const size_t p = rank_of(x->method), q = rank_of(y->method);
    if (p != q)
        return p < q ? -1 : 1;
    return strcmp(x->method, y->method);
}

static const char *colour_of(const char *method)
{
    const size_t i = rank_of(method);
    const int group = i < N_ORDER ? (int)order[i].group : OTHER;
    return group == OURS ? figure_colour[0] : group == DEEP ? figure_colour[3] : FIGURE_GREY;
}

static size_t rows_of(const struct results *r, const char *dataset, const struct score *row[MAX_ROWS])
{
    size_t n = 0;
    for (size_t i = 0; i < r->scores.n && n < MAX_ROWS; i++) {
        const struct score *s = &r->scores.s[i];
        if (strcmp(s->dataset, dataset) == 0 && strcmp(s->metric, "macro_f1") == 0 &&
            strcmp(s->split, "test") == 0 && strcmp(s->variant, "clean") == 0)
            row[n++] = s;
    }
    if (n)
        qsort(row, n, sizeof *row, by_order);
    return n;
}

bool methods_fill(const struct results *r, const char *dataset, const char *name, struct figure *f,
                  double *notes_top)
{
    static const char *const group[] = { "this project's model", "other deep models",
                                         "simple methods" };
    const char *const colour[] = { figure_colour[0], figure_colour[3], FIGURE_GREY };
    const struct score *row[MAX_ROWS];
    const char *names[MAX_ROWS], *values[MAX_ROWS];
    char value[MAX_ROWS][64], label[256];
    const char *x_label = label;
    const size_t n = rows_of(r, dataset, row);
    if (!n)
        return false;
    snprintf(label, sizeof label, "macro-F1 on %.100s", dataset);
    figure_init(f, name, label);
    figure_block(f, "bars");
    for (size_t i = 0; i < n; i++) {
        const struct score *s = row[i];
        names[i] = score_method_words(s->method);
        if (isnan(s->lo))
            snprintf(value[i], sizeof value[i], "%.3f (one seed)", s->mean);
        else
            snprintf(value[i], sizeof value[i], "%.3f ± %.3f", s->mean, s->hi - s->mean);
        values[i] = value[i];
        figure_row(f, "%zu\t0\t%.9g\t%ld", i + 1, s->mean,
                   figure_colour_number(colour_of(s->method)));
    }
    figure_block_end(f);
    figure_block(f, "intervals");
    for (size_t i = 0; i < n; i++)
        if (!isnan(row[i]->lo))
            figure_row(f, "%zu\t%.9g\t%.9g", i + 1, fmax(row[i]->lo, 0), fmin(row[i]->hi, 1));
    figure_block_end(f);
    figure_number(f, "n_rows", (double)n);
    figure_number(f, "x_max", 1);
    figure_words(f, "names", names, n);
    figure_words(f, "values", values, n);
    figure_words(f, "x_label", &x_label, 1);
    const double top = TOP + ROW_HEIGHT * (double)n + 6 + 56;
    figure_key(f, group, colour, 3, top);
    *notes_top = top + 3 * 18 + 8;
    figure_size(f, 480, *notes_top);
    return true;
}
