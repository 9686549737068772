/* Principal components, exact: eigenvectors of the smaller of X'X and XX' (LAPACK dsyevr).
 *
 * The sign of a component is fixed: its entry of largest absolute value (the first such) is
 * positive. Components whose variance is below 1e-12 of the first's are left out. */
#ifndef GC_NN_PCA_H
#define GC_NN_PCA_H

#include "lib/nn/mat.h"

struct pca {
    double *mean;     /* [d], owned */
    double *variance; /* [k] of the components (n - 1), owned */
    struct mat axis;  /* [k, d] */
};

/* At most k components of the rows of x. RC_INPUT when there are fewer than 2 rows or no spread. */
enum rc pca_fit(const struct mat *x, size_t k, struct pca *p, struct err *e);
void pca_release(struct pca *p);
/* out [x->n, k]: coordinates. */
enum rc pca_apply(const struct pca *p, const struct mat *x, struct mat *out, struct err *e);

#endif
