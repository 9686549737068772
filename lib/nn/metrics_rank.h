/* How well a score ranks the positives of a binary question first (GRN edges, dosage sensitivity).
 *
 * Areas treat equal scores as one step; the "first k" measures take equal scores in the order of
 * the file, as a stable falling sort does. A set with only one kind of label has no AUROC: NaN. */
#ifndef GC_NN_METRICS_RANK_H
#define GC_NN_METRICS_RANK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

struct rank_metrics {
    size_t n, n_positive;
    double auroc;             /* ties count half */
    double average_precision; /* sum of precision x step in recall */
    double auprc_ratio;       /* average precision / share of positives */
    double auprc_trapezoid;   /* trapezoids under precision-recall, from (0, 1) */
    size_t roc_points_all;    /* one per distinct score, and the origin */
    size_t roc_points; /* without points in line with both neighbours (scikit-learn's default) */
    double early_precision; /* among the first k = n_positive */
    double early_precision_ratio;
    double best_f1; /* over all thresholds */
};

enum rc rank_metrics_get(const double *score, const bool *positive, size_t n,
                         struct rank_metrics *m, struct err *e);
/* Scores in falling order, once for many questions. On failure *o is empty. */
struct rank_order {
    struct rank_item *item; /* owned */
    size_t n;
};
enum rc rank_order_make(struct rank_order *o, const double *score, const bool *positive, size_t n,
                        struct err *e);
/* The average precision when those without kept[i] have the score `least`, which no score is below:
 * the same number as rank_metrics_get has. */
double rank_order_average_precision(const struct rank_order *o, const bool *kept, double least);
void rank_order_release(struct rank_order *o);
/* Precision among the first k (all, when there are fewer). */
enum rc precision_at(const double *score, const bool *positive, size_t n, size_t k, double *out,
                     struct err *e);
/* Scores read as log-odds: share of right signs, mean log loss, mean squared error. */
double sign_accuracy(const double *score, const bool *positive, size_t n);
double sigmoid_log_loss(const double *score, const bool *positive, size_t n);
double sigmoid_brier(const double *score, const bool *positive, size_t n);
/* Mean and standard deviation of value, weighted (weights need not sum to 1). Spec 05 section 10.
 */
void weighted_mean_sd(const double *value, const double *weight, size_t n, double *mean,
                      double *sd);

/* GRN recognition by ranked lists (spec 05 section 3): is_target[i] tells of the i-th of n_listed
 * genes, n_targets counts all known targets. When there are more targets than listed genes the
 * precision is over the list, else over its first n_targets. */
double ranked_precision(const bool *is_target, size_t n_listed, size_t n_targets);
/* The share of targets in the list: what a random order of the same genes gives. */
double ranked_random(const bool *is_target, size_t n_listed);

#endif
