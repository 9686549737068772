/* Mantel's test: do two sets of vectors of the same things agree on which of them are alike? */
#ifndef GC_NN_MANTEL_H
#define GC_NN_MANTEL_H

#include <stdint.h>

#include "lib/nn/mat.h"

struct mantel {
    double r; /* Pearson correlation of cosines over all pairs; NaN when either has no spread */
    double p; /* (1 + permutations that reach r) / (1 + permutations) */
};

/* a, b: n rows each, of any widths; row i of both is the same thing. Permutations deal b's rows
 * anew. RC_INPUT: fewer than 3 rows, or not as many in both. */
enum rc mantel_test(const struct mat *a, const struct mat *b, uint32_t permutations, uint64_t seed,
                    struct mantel *m, struct err *e);

#endif
