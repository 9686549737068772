#include "lib/nn/metrics_class.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static double ratio(double a, double b)
{
    return b != 0 ? a / b : 0;
}

void confusion_count(const uint32_t *truth, const uint32_t *predicted, size_t n, size_t n_classes,
                     size_t *confusion)
{
    memset(confusion, 0, n_classes * n_classes * sizeof *confusion);
    for (size_t i = 0; i < n; i++) {
        assert(truth[i] < n_classes && predicted[i] < n_classes);
        confusion[truth[i] * n_classes + predicted[i]]++;
    }
}

void class_metrics_get(const size_t *confusion, size_t n_classes, struct class_metrics *m,
                       struct class_row *row)
{
    *m = (struct class_metrics){ 0 };
    for (size_t i = 0; i < n_classes * n_classes; i++)
        m->n += confusion[i];
    double n = (double)m->n, hits = 0, together = 0, true_sq = 0, said_sq = 0;
    size_t n_seen = 0, n_true = 0;
    for (size_t c = 0; c < n_classes; c++) {
        double truth = 0, said = 0, hit = (double)confusion[c * n_classes + c];
        for (size_t o = 0; o < n_classes; o++) {
            truth += (double)confusion[c * n_classes + o];
            said += (double)confusion[o * n_classes + c];
        }
        double precision = ratio(hit, said), recall = ratio(hit, truth);
        double f1 = ratio(2 * hit, truth + said);
        if (row)
            row[c] = (struct class_row){ precision, recall, f1, (size_t)truth };
        hits += hit;
        together += truth * said;
        true_sq += truth * truth;
        said_sq += said * said;
        n_seen += truth + said > 0;
        n_true += truth > 0;
        m->balanced_accuracy += recall;
        m->macro_precision += precision;
        m->macro_recall += recall;
        m->macro_f1 += f1;
        m->weighted_precision += precision * truth;
        m->weighted_recall += recall * truth;
        m->weighted_f1 += f1 * truth;
    }
    m->accuracy = ratio(hits, n);
    /* Over all classes a miss is one false positive and one false negative: the three agree. */
    m->micro_precision = m->micro_recall = m->micro_f1 = m->accuracy;
    m->balanced_accuracy = ratio(m->balanced_accuracy, (double)n_true);
    m->macro_precision = ratio(m->macro_precision, (double)n_seen);
    m->macro_recall = ratio(m->macro_recall, (double)n_seen);
    m->macro_f1 = ratio(m->macro_f1, (double)n_seen);
    m->weighted_precision = ratio(m->weighted_precision, n);
    m->weighted_recall = ratio(m->weighted_recall, n);
    m->weighted_f1 = ratio(m->weighted_f1, n);
    double chance = ratio(together, n * n);
    m->cohen_kappa = ratio(m->accuracy - chance, 1 - chance);
    m->mcc = ratio(hits * n - together, sqrt((n * n - true_sq) * (n * n - said_sq)));
}
