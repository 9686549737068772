/* Figures 2, 3b to 3d, 4 and 5: all methods on a data set by one metric, in an order that does not
 * depend on who wins. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report/figures.h"

enum { MAX_ROWS = 40, ROW_HEIGHT = 36, TOP = 8 };

/* Beginnings of names; the longest that fits decides. Bars stand in this order. */
static const struct {
    const char *begin;
    enum { OURS, CONTROL, DEEP, SIMPLE, OTHER } group;
} order[] = {
    { "deepsem+genecompass+", OURS },
    { "genecompass+cosine", OURS },
    { "deepsem+genecompass-shuffled", CONTROL },
    { "genecompass-shuffled", CONTROL },
    { "genecompass", OURS },
    { "genecompass-without-knowledge", CONTROL },
    { "genecompass-random", CONTROL },
    { "random-weights", CONTROL },
    { "shuffled", CONTROL },
    { "trained-without-knowledge", CONTROL },
    { "released", OURS },
    { "no-pretraining", CONTROL },
    { "geneformer", DEEP },
    { "tosica", DEEP },
    { "came", DEEP },
    { "logistic-1to1", SIMPLE },
    { "hvg", SIMPLE },
    { "pca", SIMPLE },
    { "majority", SIMPLE },
    { "cpa+", OURS },
    { "cpa+shuffled", CONTROL },
    { "cpa", DEEP },
    { "interpolate", SIMPLE },
    { "drug-mean", SIMPLE },
    { "deepce+genecompass", OURS },
    { "deepce+shuffled", CONTROL },
    { "deepce", DEEP },
    { "ridge", SIMPLE },
    { "knn", SIMPLE },
    { "cell-dose-mean", SIMPLE },
    { "gears+genecompass", OURS },
    { "gears", DEEP },
    { "additive", SIMPLE },
    { "linear", SIMPLE },
    { "nearest-go", SIMPLE },
    { "train-mean", SIMPLE },
    { "no-change", SIMPLE },
    { "word-rows", OURS },
    { "gene-length", SIMPLE },
    { "expression", SIMPLE },
    { "deepsem+coexpression", DEEP },
    { "deepsem", DEEP },
    { "coexpression", SIMPLE },
    { "trees", SIMPLE },
    { "pearson", SIMPLE },
    { "spearman", SIMPLE },
    { "outdegree", SIMPLE },
    { "random", SIMPLE },
    { "correlation", SIMPLE },
    { "co-expression", SIMPLE },
};
enum { N_ORDER = sizeof order / sizeof *order };

static size_t rank_of(const char *method)
{
    size_t best = N_ORDER, most = 0;
    for (size_t i = 0; i < N_ORDER; i++) {
        const size_t n = strlen(order[i].begin);
        if (n > most && strncmp(order[i].begin, method, n) == 0) {
            best = i;
            most = n;
        }
    }
    return best;
}

static int by_order(const void *a, const void *b)
{
    const struct score *x = *(const struct score *const *)a;
    const struct score *y = *(const struct score *const *)b;
    const size_t p = rank_of(x->method), q = rank_of(y->method);
    if (p != q)
        return p < q ? -1 : 1;
    const int c = strcmp(x->method, y->method);
    return c ? c : -strcmp(x->variant, y->variant); /* clean, then as-released */
}

/* What the colours stand for. */
enum { N_GROUPS = OTHER + 1 };
static const char *const group_words[N_GROUPS] = { "this project's model",
                                                   "its controls: random, shuffled or taken away",
                                                   "other deep models", "simple methods",
                                                   "methods not known here" };

static size_t group_of(const char *method)
{
    const size_t i = rank_of(method);
    return i < N_ORDER ? (size_t)order[i].group : OTHER;
}

static const char *colour_of(size_t group)
{
    const char *const colour[N_GROUPS] = { [OURS] = figure_colour[0],
                                           [CONTROL] = figure_colour[4], /* the lighter blue */
                                           [DEEP] = figure_colour[3],
                                           [SIMPLE] = FIGURE_GREY,
                                           [OTHER] = "#cccccc" };
    return colour[group];
}

/* The colours that a bar has. Returns where the notes may begin. */
static double key(struct figure *f, const struct score *const *row, size_t n_rows, double top)
{
    const char *word[N_GROUPS], *colour[N_GROUPS];
    size_t n = 0;
    for (size_t g = 0; g < N_GROUPS; g++) {
        size_t i = 0;
        while (i < n_rows && group_of(row[i]->method) != g)
            i++;
        if (i == n_rows)
            continue;
        word[n] = group_words[g];
        colour[n++] = colour_of(g);
    }
    figure_key(f, word, colour, n, top);
    return top + 18 * (double)n + 8;
}

static size_t rows_of(const struct results *r, const char *dataset, const char *metric,
                      const char *split, bool released, const struct score *row[MAX_ROWS])
{
    size_t n = 0;
    for (size_t i = 0; i < r->scores.n && n < MAX_ROWS; i++) {
        const struct score *s = &r->scores.s[i];
        if (strcmp(s->dataset, dataset) == 0 && strcmp(s->metric, metric) == 0 &&
            strcmp(s->split, split) == 0 &&
            (released || strcmp(s->variant, "clean") == 0 || strcmp(s->method, "released") == 0))
            row[n++] = s;
    }
    if (n)
        qsort(row, n, sizeof *row, by_order);
    return n;
}

/* Metrics that have words; shares and correlations end at 1, others where the largest value does.
 */
static const struct {
    const char *metric, *words;
    bool to_1;
} metric_words[] = {
    { "macro_f1", "macro-F1", true },
    { "accuracy", "accuracy", true },
    { "auroc_gene", "AUC of genes", true },
    { "auroc_occurrence", "AUC of genes in cells", true },
    { "r2_mean", "R² of the means of all genes", true },
    { "r2_mean_de", "R² of means, most changed genes,", true },
    { "pearson_change_de", "correlation of changes, most changed genes,", true },
    { "auroc", "AUROC", true },
    { "rmse", "root mean squared error", false },
    { "pearson", "correlation over genes", true },
    { "mse_top20", "squared error, 20 most changed genes,", false },
    { "deviation_top20", "sum of errors, 20 most changed genes,", false },
    { "wrong_direction_top20", "of the 20 most changed genes, those in the wrong direction,",
      false },
    { "spearman_delta", "rank correlation of changes", true },
    { "pearson_delta", "correlation of changes", true },
    { "auprc_ratio", "area under precision-recall, over chance,", false },
    { "pearson_from_centroid", "correlation of changes beyond the shared one", true },
};

static double end_of(const struct score *const *row, size_t n, bool to_1)
{
    double most = to_1 ? 1 : 0;
    for (size_t i = 0; !to_1 && i < n; i++)
        most = fmax(most, isnan(row[i]->hi) ? row[i]->mean : row[i]->hi);
    return most > 0 ? most : 1;
}

bool methods_fill(const struct results *r, const char *dataset, const char *metric,
                  const char *split, bool released, const char *name, struct figure *f,
                  double *notes_top)
{
    const struct score *row[MAX_ROWS];
    const char *names[MAX_ROWS], *values[MAX_ROWS];
    char value[MAX_ROWS][64], label[256], word[MAX_ROWS][96];
    const char *x_label = label;
    const size_t n = rows_of(r, dataset, metric, split, released, row);
    size_t k = 0;
    while (k < sizeof metric_words / sizeof *metric_words &&
           strcmp(metric_words[k].metric, metric) != 0)
        k++;
    const bool known = k < sizeof metric_words / sizeof *metric_words;
    if (!n)
        return false;
    const double end = end_of(row, n, known && metric_words[k].to_1);
    snprintf(label, sizeof label, "%.80s on %.100s%s%.40s", known ? metric_words[k].words : metric,
             dataset, strcmp(split, "test") ? ", " : "", strcmp(split, "test") ? split : "");
    figure_init(f, name, label);
    figure_block(f, "bars");
    for (size_t i = 0; i < n; i++) {
        const struct score *s = row[i];
        names[i] = score_method_words(s->method);
        if (strcmp(s->variant, "clean") != 0 && strcmp(s->method, "released") != 0) {
            snprintf(word[i], sizeof word[i], "%.60s, %.30s", names[i], s->variant);
            names[i] = word[i];
        }
        if (isnan(s->lo))
            snprintf(value[i], sizeof value[i], "%.3f (one seed)", s->mean);
        else
            snprintf(value[i], sizeof value[i], "%.3f ± %.3f", s->mean, s->hi - s->mean);
        values[i] = value[i];
        figure_row(f, "%zu\t0\t%.9g\t%ld", i + 1, fmax(s->mean, 0),
                   figure_colour_number(colour_of(group_of(s->method))));
    }
    figure_block_end(f);
    figure_block(f, "intervals");
    for (size_t i = 0; i < n; i++)
        if (!isnan(row[i]->lo))
            figure_row(f, "%zu\t%.9g\t%.9g", i + 1, fmax(row[i]->lo, 0),
                       fmax(fmin(row[i]->hi, end), 0));
    figure_block_end(f);
    figure_number(f, "n_rows", (double)n);
    figure_number(f, "x_max", end);
    figure_words(f, "names", names, n);
    figure_words(f, "values", values, n);
    figure_words(f, "x_label", &x_label, 1);
    *notes_top = key(f, row, n, TOP + ROW_HEIGHT * (double)n + 6 + 56);
    figure_size(f, 480, *notes_top);
    return true;
}
