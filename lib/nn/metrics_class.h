/* How well predicted classes agree with true ones.
 *
 * Averages run over the classes that occur in truth or prediction; a ratio 0/0 counts as 0, as in
 * scikit-learn's zero_division=0. balanced_accuracy runs over the classes in truth. */
#ifndef GC_NN_METRICS_CLASS_H
#define GC_NN_METRICS_CLASS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct class_metrics {
    size_t n;
    double accuracy, balanced_accuracy, cohen_kappa, mcc;
    double macro_precision, macro_recall, macro_f1;
    double weighted_precision, weighted_recall, weighted_f1;
    double micro_precision, micro_recall, micro_f1;
};

struct class_row {
    double precision, recall, f1;
    size_t support; /* in truth */
};

/* confusion [n_classes, n_classes], rows are the truth, filled by this. Class numbers are below
 * n_classes. */
void confusion_count(const uint32_t *truth, const uint32_t *predicted, size_t n, size_t n_classes,
                     size_t *confusion);
/* row [n_classes] may be NULL. */
void class_metrics_get(const size_t *confusion, size_t n_classes, struct class_metrics *m,
                       struct class_row *row);

#endif
