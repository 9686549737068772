/* Sections classification, binary, numbers, ranked_precision: plain lists of numbers. */
#ifndef GC_TESTS_PARITY_METRICS_PLAIN_H
#define GC_TESTS_PARITY_METRICS_PLAIN_H

#include "lib/nn/metrics_class.h"
#include "lib/nn/metrics_rank.h"
#include "lib/nn/metrics_stat.h"
#include "tests/parity/metrics.h"

static void class_table(const json_t *want, const struct factor *f, const size_t *confusion,
                        const struct class_row *row)
{
    const json_t *rows = json_object_get(want, "confusion_rows_true"),
                 *per = json_object_get(want, "per_class"),
                 *labels = json_object_get(want, "labels");
    size_t other = json_array_size(labels) != f->n_levels;
    double off = 0;
    for (size_t i = 0; i < f->n_levels; i++) {
        const json_t *name = json_array_get(labels, i), *p = json_object_get(per, f->level[i]);
        const double got[] = { row[i].precision, row[i].recall, row[i].f1, (double)row[i].support };
        other += !name || strcmp(json_string_value(name), f->level[i]) != 0;
        for (size_t j = 0; j < 4; j++) {
            const double gap = fabs(got[j] - json_number_value(json_array_get(p, j)));
            off = gap <= off ? off : gap;
        }
        for (size_t j = 0; j < f->n_levels; j++)
            other += (size_t)json_integer_value(json_array_get(json_array_get(rows, i), j)) !=
                     confusion[i * f->n_levels + j];
    }
    ok(other == 0, "classes.tsv: the confusion table of %zu classes", f->n_levels);
    ok(off <= 1e-9, "classes.tsv: precision, recall, F1 and support by class, off by %.1e", off);
}

static void parity_classes(const char *dir, const json_t *want)
{
    struct table t = table_of(dir, "classes.tsv");
    struct factor f = factor_of(texts(&t, "true"), texts(&t, "predicted"), t.n_rows);
    uint32_t *predicted = room(t.n_rows, sizeof *predicted);
    size_t *confusion = room(f.n_levels * f.n_levels, sizeof *confusion);
    struct class_row *row = room(f.n_levels, sizeof *row);
    struct class_metrics m;
    factor_number(&f, texts(&t, "true"), f.of);
    factor_number(&f, texts(&t, "predicted"), predicted);
    confusion_count(f.of, predicted, t.n_rows, f.n_levels, confusion);
    class_metrics_get(confusion, f.n_levels, &m, row);
    class_table(want, &f, confusion, row);
    const struct {
        const char *key;
        double got;
    } all[] = { { "accuracy", m.accuracy },
                { "balanced_accuracy", m.balanced_accuracy },
                { "cohen_kappa", m.cohen_kappa },
                { "mcc", m.mcc },
                { "macro_precision", m.macro_precision },
                { "macro_recall", m.macro_recall },
                { "macro_f1", m.macro_f1 },
                { "weighted_precision", m.weighted_precision },
                { "weighted_recall", m.weighted_recall },
                { "weighted_f1", m.weighted_f1 },
                { "micro_precision", m.micro_precision },
                { "micro_recall", m.micro_recall },
                { "micro_f1", m.micro_f1 } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        equals(want, "classification", all[i].key, all[i].got);
    free(row);
    free(confusion);
    free(predicted);
    factor_release(&f);
    table_release(&t);
}

/* One fold; returns its AUROC and number of ROC points. */
static void binary_fold(const json_t *want, const char *name, const double *score,
                        const bool *positive, size_t n, double *auroc, double *points)
{
    char what[64];
    struct rank_metrics m;
    struct err e = { 0 };
    double at10 = NAN;
    snprintf(what, sizeof what, "fold %s", name);
    if (rank_metrics_get(score, positive, n, &m, &e) ||
        precision_at(score, positive, n, 10, &at10, &e))
        dies(e.text);
    const struct {
        const char *key;
        double got;
    } all[] = { { "n", (double)m.n },
                { "positives", (double)m.n_positive },
                { "auroc", m.auroc },
                { "average_precision", m.average_precision },
                { "auprc_trapezoid", m.auprc_trapezoid },
                { "roc_points", (double)m.roc_points },
                { "roc_points_all", (double)m.roc_points_all },
                { "auprc_ratio", m.auprc_ratio },
                { "early_precision_file_order_ties", m.early_precision },
                { "early_precision_ratio", m.early_precision_ratio },
                { "precision_at_10", at10 },
                { "best_f1", m.best_f1 },
                { "accuracy_at_0", sign_accuracy(score, positive, n) },
                { "log_loss_sigmoid", sigmoid_log_loss(score, positive, n) },
                { "brier_sigmoid", sigmoid_brier(score, positive, n) } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        equals(want, what, all[i].key, all[i].got);
    *auroc = m.auroc;
    *points = (double)m.roc_points;
}

static void parity_binary(const char *dir, const json_t *want)
{
    enum { MAX_FOLDS = 64 };
    struct table t = table_of(dir, "binary.tsv");
    double *all = numbers_of(&t, "score"), *label = numbers_of(&t, "label");
    double *score = room(t.n_rows, sizeof *score), auc[MAX_FOLDS], weight[MAX_FOLDS], mean, sd;
    bool *positive = room(t.n_rows, sizeof *positive);
    size_t n_folds = 0;
    const char *fold;
    json_t *o;
    json_object_foreach(json_object_get(want, "per_fold"), fold, o)
    {
        size_t n = 0;
        for (size_t i = 0; i < t.n_rows; i++)
            if (strcmp(texts(&t, "fold")[i], fold) == 0) {
                score[n] = all[i];
                positive[n++] = label[i] > 0;
            }
        if (n_folds < MAX_FOLDS && n)
            binary_fold(o, fold, score, positive, n, &auc[n_folds], &weight[n_folds]), n_folds++;
    }
    ok(n_folds > 0 && n_folds == json_object_size(json_object_get(want, "per_fold")),
       "binary.tsv: %zu folds", n_folds);
    weighted_mean_sd(auc, weight, n_folds, &mean, &sd);
    const json_t *w = json_object_get(want, "weighted_by_roc_points");
    equals(w, "weighted by ROC points", "mean_auc", mean);
    equals(w, "weighted by ROC points", "sd", sd);
    free(positive);
    free(score);
    free(label);
    free(all);
    table_release(&t);
}

static void numbers_groups(const json_t *want, const double *a, size_t n_a, const double *b,
                           size_t n_b)
{
    struct test_result u, z, w = welch_t(a, n_a, b, n_b), s = student_t(a, n_a, b, n_b);
    struct err e = { 0 };
    double ks = NAN;
    if (mann_whitney(a, n_a, b, n_b, &u, &e) || rank_sum_z(a, n_a, b, n_b, &z, &e) ||
        kolmogorov_smirnov_d(a, n_a, b, n_b, &ks, &e))
        dies(e.text);
    equals(want, "groups", "mannwhitney_u", u.statistic);
    equals(want, "groups", "mannwhitney_p_two_sided_tie_and_continuity_corrected", u.p);
    equals(want, "groups", "ranksums_z_no_tie_correction", z.statistic);
    equals(want, "groups", "ranksums_p", z.p);
    equals(want, "groups", "welch_t", w.statistic);
    equals(want, "groups", "welch_df", w.df);
    equals(want, "groups", "welch_p", w.p);
    equals(want, "groups", "student_t", s.statistic);
    equals(want, "groups", "student_p", s.p);
    equals(want, "groups", "ks_d", ks);
}

static void numbers_adjusted(const json_t *want)
{
    const json_t *p = json_object_get(want, "p"), *q = json_object_get(want, "adjusted");
    const size_t n = json_array_size(p);
    double *x = room(n, sizeof *x), *y = room(n, sizeof *y), off = 0;
    for (size_t i = 0; i < n; i++)
        x[i] = json_number_value(json_array_get(p, i));
    if (benjamini_hochberg(x, n, y, NULL))
        dies("no memory");
    for (size_t i = 0; i < n; i++) {
        const double gap = fabs(y[i] - json_number_value(json_array_get(q, i)));
        off = gap <= off ? off : gap;
    }
    ok(n > 0 && n == json_array_size(q) && off <= 1e-9,
       "Benjamini-Hochberg of %zu p values, off by %.1e", n, off);
    free(x);
    free(y);
}

/* p values may be tiny: relative to 1e-9 whatever their size. */
static void p_equals(const json_t *o, const char *key, double got)
{
    const double want = json_number_value(json_object_get(o, key));
    ok(near(got, want, 0, 1e-9), "numbers %s: %.12g, expected %.12g", key, got, want);
}

static void parity_numbers(const char *dir, const json_t *want)
{
    struct table t = table_of(dir, "numbers.tsv");
    const size_t n = t.n_rows;
    double *x = numbers_of(&t, "x"), *y = numbers_of(&t, "y"), *group = numbers_of(&t, "group");
    double *a = room(n, sizeof *a), *b = room(n, sizeof *b);
    size_t n_a = 0, n_b = 0;
    struct test_result r = pearson(x, y, n), rank, pairs;
    struct err e = { 0 };
    if (spearman(x, y, n, &rank, &e) || wilcoxon_signed(x, y, n, &pairs, &e))
        dies(e.text);
    equals(want, "numbers", "pearson", r.statistic);
    p_equals(want, "pearson_p", r.p);
    equals(want, "numbers", "spearman", rank.statistic);
    p_equals(want, "spearman_p", rank.p);
    equals(want, "numbers", "kendall_tau_b", kendall_tau_b(x, y, n));
    equals(want, "numbers", "r2_true_x_pred_y", r2_score(x, y, n));
    equals(want, "numbers", "r2_true_y_pred_x", r2_score(y, x, n));
    equals(want, "numbers", "mse", mean_squared_error(x, y, n));
    equals(want, "numbers", "rmse", sqrt(mean_squared_error(x, y, n)));
    equals(want, "numbers", "mae", mean_absolute_error(x, y, n));
    equals(want, "numbers", "cosine", cosine_of(x, y, n));
    for (size_t i = 0; i < n; i++)
        if (group[i] > 0)
            b[n_b++] = x[i];
        else
            a[n_a++] = x[i];
    numbers_groups(json_object_get(want, "group0_vs_group1_of_x"), a, n_a, b, n_b);
    const json_t *w = json_object_get(want, "wilcoxon_signed_x_y");
    equals(w, "signed ranks", "statistic", pairs.statistic);
    equals(w, "signed ranks", "p_normal_no_continuity_zeros_dropped", pairs.p);
    numbers_adjusted(json_object_get(want, "bh"));
    equals(want, "numbers", "t_quantile_975_df4", t_quantile(0.975, 4));
    const json_t *ci = json_object_get(want, "mean_ci95_of_first_5_x");
    ok(n >= 5 && near(mean_of(x, 5), json_number_value(json_array_get(ci, 0)), 1e-9, 1e-9) &&
           near(mean_ci95(x, 5), json_number_value(json_array_get(ci, 1)), 1e-9, 1e-9),
       "numbers: mean and 95 %% interval of the first five");
    free(b);
    free(a);
    free(group);
    free(y);
    free(x);
    table_release(&t);
}

struct listed {
    double cosine;
    size_t at;
    bool is_target;
};

static int listed_order(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    if (x->cosine < y->cosine || x->cosine > y->cosine)
        return x->cosine < y->cosine ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Genes by rising cosine, equal ones as listed (spec 05 section 3). */
static void parity_ranked(const char *dir, const json_t *want)
{
    struct table t = table_of(dir, "ranked_targets.tsv");
    double *cosine = numbers_of(&t, "cosine"), *target = numbers_of(&t, "is_target");
    struct listed *list = room(t.n_rows, sizeof *list);
    bool *is_target = room(t.n_rows, sizeof *is_target);
    const char *tf;
    json_t *o;
    json_object_foreach((json_t *)want, tf, o)
    {
        size_t n = 0;
        for (size_t i = 0; i < t.n_rows; i++)
            if (strcmp(texts(&t, "tf")[i], tf) == 0) {
                list[n] = (struct listed){ cosine[i], n, target[i] > 0 };
                n++;
            }
        qsort(list, n, sizeof *list, listed_order);
        for (size_t i = 0; i < n; i++)
            is_target[i] = list[i].is_target;
        const size_t targets = (size_t)json_integer_value(json_object_get(o, "targets"));
        equals(o, tf, "listed", (double)n);
        equals(o, tf, "precision", ranked_precision(is_target, n, targets));
        equals(o, tf, "random_fair", ranked_random(is_target, n));
        /* The paper divides by the size of its vocabulary. */
        equals(o, tf, "random_paper", (double)targets / 23115);
    }
    ok(json_object_size(want) > 0, "ranked_targets.tsv: %zu lists", json_object_size(want));
    free(is_target);
    free(list);
    free(target);
    free(cosine);
    table_release(&t);
}

#endif
