/* Vectors of cells from the weights once more, by the backend ref, and names from those vectors. */
#ifndef GC_APP_AUDIT_VECTORS_H
#define GC_APP_AUDIT_VECTORS_H

#include "lib/app/audit_run.h"

/* The cells that passed quality control, in the order of fetch/samples.tsv, which is that of the
 * run. */
void vectors_kept(const struct chain *c, struct audit_words *w);

/* stage: embed or embed-random. Rows of the tolerance table go to d, a verdict to a:
 *   largest difference of an element, over the root mean square of all    1e-3
 *   smallest cosine of a cell's two vectors, from 1                       1e-6
 *   for embed, share of names of `annotate` that differ (logistic, knn)   0.01
 * f32 keeps 24 bits, so sums of some hundred terms through a dozen layers differ by about 1e-5 of
 * their size; a hundred times that is no rounding. A name changes where two classes tie. */
enum rc audit_vectors(struct audit *a, struct audit_distances *d, const struct chain *c,
                      const char *stage, const struct audit_repeat *how, struct err *e);

#endif
