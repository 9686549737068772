/* What the files of annotate_train share; nobody else includes it. */
#ifndef GC_APP_ANNOTATE_TRAINING_H
#define GC_APP_ANNOTATE_TRAINING_H

#include "lib/app/annotate_train.h"
#include "lib/app/labelled_cells.h"
#include "lib/base/file.h"
#include "lib/nn/finetune.h"

/* Cells of one side, training or validation. */
struct side {
    struct batch_cell *cell; /* borrow from the tokens */
    uint32_t *class_of;
    size_t *row; /* [n] in the cells they are of */
    const struct labelled_cells *of;
    float *x; /* [n,D] vectors, of kind probe and for calibration */
    size_t n;
};

struct training {
    const struct train_classifier_options *o;
    enum classifier_kind kind;
    struct labelled_cells cells, chosen; /* chosen: of --validation */
    struct cell_tokens tokens, chosen_tokens;
    const char **class_name; /* owned list, borrowed texts */
    size_t n_classes;
    struct embedder m;
    struct classifier c;
    struct side train, val;
    size_t n_empty, n_unlabelled, n_unseen; /* unseen: validation cells of classes not trained on */
    struct outfile log;
    struct finetune_epoch best;
    double best_c; /* of the probe */
};

/* annotate_fit.c. Each leaves the vectors of the validation cells in t->val.x. */
enum rc training_probe(struct training *t, struct err *e);
enum rc training_tune(struct training *t, struct err *e);
/* Temperature and threshold from the validation cells. calibration[2]: error before and after. */
enum rc training_calibrate(struct training *t, double calibration[2], struct err *e);

#endif
