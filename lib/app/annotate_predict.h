/* annotate predict and annotate evaluate: cells of any source, named by a trained classifier. */
#ifndef GC_APP_ANNOTATE_PREDICT_H
#define GC_APP_ANNOTATE_PREDICT_H

#include "lib/base/opt.h"
#include "lib/tensor/backend.h"

struct predict_options {
    const char *const *input; /* [n_inputs] */
    size_t n_inputs;
    const char *model, *out, *report, *label, *species, *labels, *label_column;
    const char *templates; /* folder of the gnuplot templates; evaluate only */
    const struct backend *backend;
    double threshold; /* below 0: that of the classifier */
    double overlap;
    bool evaluate; /* the cells have labels: score the predictions */
    uint64_t seed;
};

/* Into the folder o->out: predictions.tsv, cells.h5ad (obs with the predictions, obsm with the
 * vectors); evaluate adds metrics.tsv, classes.tsv, confusion.tsv and confusion.svg. Cells whose
 * class the classifier never saw are counted, and left out of every score but accuracy_all. */
enum rc annotate_predict(const struct predict_options *o, struct err *e);

#endif
