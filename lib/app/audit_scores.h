/* Scores once more from the predictions: metrics.tsv, summary.tsv and comparisons.tsv of a task,
 * digit by digit. */
#ifndef GC_APP_AUDIT_SCORES_H
#define GC_APP_AUDIT_SCORES_H

#include "lib/manifest/audit.h"

/* stage: a folder below c->root with predictions.tsv (dataset, truth, prediction, method, split,
 * seed; variant and at_epoch where the task has them). Adds a verdict for each of the three tables
 * that is there; a row that differs is named FILE:LINE. Rows that no prediction stands behind
 * (shares of the corpus, chosen settings, cells outside the corpus) are counted in the verdict's
 * text. */
enum rc audit_scores(struct audit *a, const struct chain *c, const char *stage, struct err *e);

#endif
