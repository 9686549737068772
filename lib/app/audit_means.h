/* Scores that are means over conditions once more from predictions.tsv, which has them for each
 * condition: those of perturb-predict evaluate. */
#ifndef GC_APP_AUDIT_MEANS_H
#define GC_APP_AUDIT_MEANS_H

#include <stdbool.h>

#include "lib/manifest/audit.h"

/* stage: a folder below c->root with predictions.tsv and metrics.tsv. *mine: predictions.tsv has
 * the columns dataset, class, method, variant and split_seed, and one for each metric; else nothing
 * is done. A row of metrics.tsv is the mean and the number of its metric's finite values over the
 * conditions of the class that its split names, or of all for "test". Adds a verdict for the table;
 * a row that differs is named FILE:LINE. */
enum rc audit_means(struct audit *a, const struct chain *c, const char *stage, bool *mine,
                    struct err *e);

#endif
