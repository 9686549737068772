#include "lib/nn/metrics_rank.h"

#include <math.h>
#include <stdlib.h>

struct rank_item {
    double score;
    size_t at;
    bool positive;
};

static int falling(const void *a, const void *b)
{
    const struct rank_item *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at); /* then order of the file */
}

static struct rank_item *sorted(const double *score, const bool *positive, size_t n)
{
    struct rank_item *s = malloc((n ? n : 1) * sizeof *s);
    if (!s)
        return NULL;
    for (size_t i = 0; i < n; i++)
        s[i] = (struct rank_item){ score[i], i, positive[i] };
    qsort(s, n, sizeof *s, falling);
    return s;
}

static double first_share(const struct rank_item *s, size_t n, size_t k)
{
    size_t hits = 0;
    if (k > n)
        k = n;
    for (size_t i = 0; i < k; i++)
        hits += s[i].positive;
    return k ? (double)hits / (double)k : NAN;
}

/* One pass over the distinct scores, best first; p, q count positives and negatives so far. */
static void sweep(const struct rank_item *s, struct rank_metrics *m)
{
    double all_p = (double)m->n_positive, all_q = (double)(m->n - m->n_positive);
    double p = 0, q = 0, area = 0, step_p = 0, step_q = 0, precision_before = 1;
    size_t in_line = 0;
    m->roc_points_all = 1;
    for (size_t i = 0; i < m->n;) {
        double dp = 0, dq = 0;
        size_t j = i;
        for (; j < m->n && s[j].score == s[i].score; j++) {
            dp += s[j].positive;
            dq += !s[j].positive;
        }
        /* A point is in line when the steps before and behind it are equal; the first distinct
         * score has no step before it that counts, as in sklearn.metrics.roc_curve. */
        in_line += m->roc_points_all >= 3 && dp == step_p && dq == step_q;
        step_p = dp;
        step_q = dq;
        m->roc_points_all++;
        area += dq * (p + dp / 2);
        p += dp;
        q += dq;
        double precision = p / (p + q), recall_step = dp / all_p;
        m->average_precision += precision * recall_step;
        m->auprc_trapezoid += recall_step * (precision + precision_before) / 2;
        precision_before = precision;
        m->best_f1 = fmax(m->best_f1, 2 * p / (p + q + all_p));
        i = j;
    }
    m->roc_points = m->roc_points_all - in_line;
    m->auroc = area / (all_p * all_q);
}

enum rc rank_metrics_get(const double *score, const bool *positive, size_t n,
                         struct rank_metrics *m, struct err *e)
{
    *m = (struct rank_metrics){ .n = n };
    for (size_t i = 0; i < n; i++) {
        m->n_positive += positive[i];
        if (isnan(score[i]))
            return err_set(e, RC_INPUT, "score %zu is not a number", i + 1);
    }
    struct rank_item *s = sorted(score, positive, n);
    if (!s)
        return err_set(e, RC_FAIL, "no memory to rank %zu scores", n);
    double share = (double)m->n_positive / (double)n;
    sweep(s, m);
    m->auprc_ratio = m->average_precision / share;
    m->early_precision = first_share(s, n, m->n_positive);
    m->early_precision_ratio = m->early_precision / share;
    free(s);
    return RC_OK;
}

enum rc rank_order_make(struct rank_order *o, const double *score, const bool *positive, size_t n,
                        struct err *e)
{
    *o = (struct rank_order){ 0 };
    for (size_t i = 0; i < n; i++)
        if (isnan(score[i]))
            return err_set(e, RC_INPUT, "score %zu is not a number", i + 1);
    *o = (struct rank_order){ sorted(score, positive, n), n };
    return o->item ? RC_OK : err_set(e, RC_FAIL, "no memory to rank %zu scores", n);
}

double rank_order_average_precision(const struct rank_order *o, const bool *kept, double least)
{
    double all_p = 0, p = 0, q = 0, last_p = 0, last_q = 0, sum = 0;
    for (size_t i = 0; i < o->n; i++)
        all_p += o->item[i].positive;
    for (size_t i = 0; i < o->n;) {
        double dp = 0, dq = 0;
        const double score = o->item[i].score;
        for (; i < o->n && o->item[i].score == score; i++) {
            const struct rank_item *x = &o->item[i];
            const bool last = !kept[x->at] || !(score > least);
            *(last ? x->positive ? &last_p : &last_q : x->positive ? &dp : &dq) += 1;
        }
        p += dp;
        q += dq;
        if (dp > 0)
            sum += p / (p + q) * (dp / all_p);
    }
    return last_p > 0 ? sum + (p + last_p) / (p + q + last_p + last_q) * (last_p / all_p) : sum;
}

void rank_order_release(struct rank_order *o)
{
    free(o->item);
    *o = (struct rank_order){ 0 };
}

enum rc precision_at(const double *score, const bool *positive, size_t n, size_t k, double *out,
                     struct err *e)
{
    struct rank_item *s = sorted(score, positive, n);
    if (!s)
        return err_set(e, RC_FAIL, "no memory to rank %zu scores", n);
    *out = first_share(s, n, k);
    free(s);
    return RC_OK;
}

double sign_accuracy(const double *score, const bool *positive, size_t n)
{
    size_t right = 0;
    for (size_t i = 0; i < n; i++)
        right += (score[i] > 0) == positive[i];
    return (double)right / (double)n;
}

double sigmoid_log_loss(const double *score, const bool *positive, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += log1p(exp(positive[i] ? -score[i] : score[i]));
    return sum / (double)n;
}

double sigmoid_brier(const double *score, const bool *positive, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double off = 1 / (1 + exp(-score[i])) - positive[i];
        sum += off * off;
    }
    return sum / (double)n;
}

void weighted_mean_sd(const double *value, const double *weight, size_t n, double *mean, double *sd)
{
    double w = 0, s = 0, v = 0;
    for (size_t i = 0; i < n; i++) {
        w += weight[i];
        s += weight[i] * value[i];
    }
    *mean = s / w;
    for (size_t i = 0; i < n; i++)
        v += weight[i] * (value[i] - *mean) * (value[i] - *mean);
    *sd = sqrt(v / w);
}

double ranked_precision(const bool *is_target, size_t n_listed, size_t n_targets)
{
    size_t k = n_targets > n_listed ? n_listed : n_targets, hits = 0;
    for (size_t i = 0; i < k; i++)
        hits += is_target[i];
    return k ? (double)hits / (double)k : NAN;
}

double ranked_random(const bool *is_target, size_t n_listed)
{
    return ranked_precision(is_target, n_listed, n_listed);
}
