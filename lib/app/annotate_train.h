/* annotate train: labelled cells and a model to a classifier (spec/05 section 4). */
#ifndef GC_APP_ANNOTATE_TRAIN_H
#define GC_APP_ANNOTATE_TRAIN_H

#include "lib/app/classifier.h"
#include "lib/base/opt.h"

struct train_classifier_options {
    const char *const *input; /* [n_inputs] */
    size_t n_inputs;
    struct opt_list validation; /* files of cells to choose by; none: a share of the input's */
    const char *model, *out, *report, *label, *species, *labels, *label_column;
    const char *mode; /* probe, frozen, full */
    const struct backend *backend;
    double lr; /* 0: that of the mode */
    double weight_decay, clip, validation_share, sure, overlap;
    int64_t epochs, batch, warmup, patience, micro_rows; /* epochs, batch 0: those of the mode */
    bool balance, as_released;
    uint64_t seed;
};

/* Writes the folder o->out: the classifier, and log.tsv, a line for every epoch (or setting of the
 * probe). RC_INPUT: fewer than two classes, no overlap, unreadable inputs. */
enum rc annotate_train(const struct train_classifier_options *o, struct err *e);

#endif
