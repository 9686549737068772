/* What the files of annotate_predict share; nobody else includes it. */
#ifndef GC_APP_ANNOTATE_PREDICTION_H
#define GC_APP_ANNOTATE_PREDICTION_H

#include "lib/app/annotate_predict.h"
#include "lib/app/classifier.h"
#include "lib/app/labelled_cells.h"

struct prediction {
    const struct predict_options *o;
    struct labelled_cells cells;
    struct classifier c;
    struct embedder m;
    size_t n, n_empty, n_sure;
    double shift; /* of the vectors, see classifier_shift */
    /* [n], in the order of the files; owned */
    uint32_t *best, *second; /* NO_CLASS: a cell without a known gene */
    double *p_best, *p_second;
    float *x; /* [n,D] */
};

bool prediction_is_sure(const struct prediction *p, size_t i);
/* annotate_score.c: the tables and the figure of evaluate. */
enum rc prediction_score(const struct prediction *p, struct err *e);

#endif
