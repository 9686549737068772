#include "lib/nn/pca.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static enum rc centre(const struct mat *x, double *mean, struct mat *out, struct err *e)
{
    if (mat_alloc(out, x->n, x->d, e))
        return RC_FAIL;
    for (size_t i = 0; i < x->n; i++)
        for (size_t j = 0; j < x->d; j++)
            mean[j] += mat_row(x, i)[j];
    for (size_t j = 0; j < x->d; j++)
        mean[j] /= (double)x->n;
    for (size_t i = 0; i < x->n; i++)
        for (size_t j = 0; j < x->d; j++)
            mat_row(out, i)[j] = mat_row(x, i)[j] - mean[j];
    return RC_OK;
}

/* The k largest eigenvalues of g and their vectors as rows of v, largest first. */
static enum rc top_eigen(struct mat *g, size_t k, double *value, struct mat *v, struct err *e)
{
    int n = (int)g->n, found = 0;
    struct mat z = { 0 };
    double *w = malloc(g->n * sizeof *w);
    int *support = malloc(2 * k * sizeof *support);
    enum rc rc = w && support ? mat_alloc(&z, g->n, k, e)
                              : err_set(e, RC_FAIL, "no memory for %zu eigenvalues", g->n);
    openblas_set_num_threads(1);
    if (!rc && LAPACKE_dsyevr(LAPACK_ROW_MAJOR, 'V', 'I', 'U', n, g->x, n, 0, 0, n - (int)k + 1, n,
                              0, &found, w, z.x, (int)k, support) != 0)
        rc = err_set(e, RC_FAIL, "dsyevr fails on a matrix of %d x %d", n, n);
    for (size_t c = 0; !rc && c < k; c++) {
        value[c] = w[k - 1 - c];
        for (size_t i = 0; i < g->n; i++)
            mat_row(v, c)[i] = mat_row(&z, i)[k - 1 - c];
    }
    mat_release(&z);
    free(w);
    free(support);
    return rc;
}

static void fix_sign_and_length(double *axis, size_t d)
{
    double length = 0, most = 0;
    for (size_t j = 0; j < d; j++) {
        length += axis[j] * axis[j];
        if (fabs(axis[j]) > fabs(most))
            most = axis[j];
    }
    double scale = (most < 0 ? -1 : 1) / sqrt(length);
    for (size_t j = 0; j < d; j++)
        axis[j] *= scale;
}

static enum rc fit(const struct mat *x, size_t k, struct pca *p, struct err *e)
{
    struct mat c = { 0 }, g = { 0 }, v = { 0 };
    bool wide = x->n < x->d; /* then XX' is smaller, and an axis is X'u */
    size_t side = wide ? x->n : x->d;
    enum rc rc = centre(x, p->mean, &c, e);
    if (!rc)
        rc = mat_alloc(&g, side, side, e);
    if (!rc)
        rc = mat_alloc(&v, k, side, e);
    if (!rc) {
        (wide ? mat_mul_nt : mat_mul_tn)(&c, &c, &g);
        rc = top_eigen(&g, k, p->variance, &v, e);
    }
    size_t kept = 0;
    while (!rc && kept < k && p->variance[kept] > 1e-12 * p->variance[0])
        kept++;
    if (!rc && !kept)
        rc = err_set(e, RC_INPUT, "the cells do not differ: no principal component");
    v.n = rc ? 0 : kept;
    if (!rc)
        rc = mat_alloc(&p->axis, kept, x->d, e);
    for (size_t i = 0; !rc && !wide && i < kept * x->d; i++)
        p->axis.x[i] = v.x[i];
    if (!rc && wide)
        mat_mul_nn(&v, &c, &p->axis);
    for (size_t i = 0; !rc && i < kept; i++) {
        p->variance[i] /= (double)(x->n - 1);
        fix_sign_and_length(mat_row(&p->axis, i), x->d);
    }
    mat_release(&c);
    mat_release(&g);
    mat_release(&v);
    return rc;
}

enum rc pca_fit(const struct mat *x, size_t k, struct pca *p, struct err *e)
{
    *p = (struct pca){ 0 };
    if (x->n < 2 || !x->d || !k)
        return err_set(e, RC_INPUT, "principal components of %zu cells x %zu columns", x->n, x->d);
    size_t most = x->n - 1 < x->d ? x->n - 1 : x->d;
    k = k < most ? k : most;
    p->mean = calloc(x->d, sizeof *p->mean);
    p->variance = calloc(k, sizeof *p->variance);
    enum rc rc = p->mean && p->variance ? fit(x, k, p, e)
                                        : err_set(e, RC_FAIL, "no memory for %zu components", k);
    if (rc)
        pca_release(p);
    return rc;
}

void pca_release(struct pca *p)
{
    free(p->mean);
    free(p->variance);
    mat_release(&p->axis);
    *p = (struct pca){ 0 };
}

enum rc pca_apply(const struct pca *p, const struct mat *x, struct mat *out, struct err *e)
{
    struct mat c = { 0 };
    enum rc rc = mat_alloc(&c, x->n, x->d, e);
    if (!rc)
        rc = mat_alloc(out, x->n, p->axis.n, e);
    for (size_t i = 0; !rc && i < x->n; i++)
        for (size_t j = 0; j < x->d; j++)
            mat_row(&c, i)[j] = mat_row(x, i)[j] - p->mean[j];
    if (!rc)
        mat_mul_nt(&c, &p->axis, out);
    mat_release(&c);
    return rc;
}
