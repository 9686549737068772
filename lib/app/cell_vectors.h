/* Vectors that `embed` or `annotate predict` wrote, taken instead of encoding the cells once more.
 */
#ifndef GC_APP_CELL_VECTORS_H
#define GC_APP_CELL_VECTORS_H

#include "lib/base/sha256.h"
#include "lib/data/cells.h"

struct cell_vectors {
    float *x; /* [n,d] finite, owned; rows of zeros: cells without a known gene */
    size_t n, d;
    char model_sha256[SHA256_HEX]; /* of the weights that made them */
};

/* *has: path is such a file, with obsm X_genecompass and the model's hash, and no counts. Then *c
 * has its cells and obs, else *c and *v stay empty and nothing is wrong. RC_INPUT: it is one, and
 * damaged, or of random weights. On failure both are empty. */
enum rc cell_vectors_read(const char *path, struct cells *c, struct cell_vectors *v, bool *has,
                          struct err *e);
void cell_vectors_release(struct cell_vectors *v);
/* RC_INPUT: they are of another width, or of weights that are neither `own` nor `base` (NULL, or
 * digits). */
enum rc cell_vectors_check(const struct cell_vectors *v, size_t d, const char *own,
                           const char *base, struct err *e);

#endif
