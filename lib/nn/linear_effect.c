/* The linear baseline of lib/nn/perturbation.h:
 *   W = (Z'Z + r I)^-1 Z' (Y - b) P (P'P + r I)^-1,   prediction = control + Z W p + b */
#include <assert.h>
#include <lapacke.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/pca.h"
#include "lib/nn/perturbation.h"

void linear_effect_release(struct linear_effect *m)
{
    mat_release(&m->z);
    mat_release(&m->p);
    mat_release(&m->w);
    free(m->b);
    *m = (struct linear_effect){ 0 };
}

/* to[k] += rows of z over the genes of p; genes that are not in the table add nothing. */
static void embed_perturbation(const struct mat *z, const struct perturbation *p, double *to)
{
    for (int i = 0; i < p->n_genes; i++)
        for (size_t c = 0; p->gene[i] < z->n && c < z->d; c++)
            to[c] += mat_row(z, p->gene[i])[c];
}

/* b := (a'a + r I)^-1 b, b [a.d, m]. */
static enum rc ridge_solve(const struct mat *a, double ridge, double *b, size_t m, struct err *e)
{
    struct mat g;
    if (mat_alloc(&g, a->d, a->d, e))
        return RC_FAIL;
    mat_mul_tn(a, a, &g);
    for (size_t i = 0; i < g.n; i++)
        mat_row(&g, i)[i] += ridge;
    const lapack_int n = (lapack_int)g.n,
                     info = LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', n, (lapack_int)m, g.x, n, b,
                                          (lapack_int)m);
    mat_release(&g);
    return info ? err_set(e, RC_INPUT, "the embedding has no full rank and no ridge") : RC_OK;
}

/* left = Z' (Y - b) P, [k, k]; the control's column of Y is 0. */
static void middle(const struct perturb_training *t, const struct linear_effect *m, double *left)
{
    const size_t k = m->z.d, d = m->z.n;
    double *row = left + k * k; /* (Y - b) P of one gene */
    for (size_t g = 0; g < d; g++) {
        memset(row, 0, k * sizeof *row);
        for (size_t i = 0; i < m->p.n; i++) {
            const double y = (i ? mat_row(t->mean, i - 1)[g] - t->control[g] : 0) - m->b[g];
            for (size_t c = 0; c < k; c++)
                row[c] += y * mat_row(&m->p, i)[c];
        }
        for (size_t r = 0; r < k; r++)
            for (size_t c = 0; c < k; c++)
                left[r * k + c] += mat_row(&m->z, g)[r] * row[c];
    }
}

static enum rc solve(const struct perturb_training *t, double ridge, struct linear_effect *m,
                     struct err *e)
{
    const size_t k = m->z.d;
    double *a = calloc(k * k + k + 1, sizeof *a);
    if (!a)
        return err_set(e, RC_FAIL, "no memory for %zu x %zu weights", k, k);
    middle(t, m, a);
    enum rc rc = ridge_solve(&m->z, ridge, a, k, e);
    /* a (P'P + r I)^-1 is the transposed of a solution: the matrix in brackets is symmetric. */
    for (size_t r = 0; r < k; r++)
        for (size_t c = 0; c < k; c++)
            mat_row(&m->w, c)[r] = a[r * k + c];
    if (!rc)
        rc = ridge_solve(&m->p, ridge, m->w.x, k, e);
    for (size_t r = 0; r < k; r++)
        for (size_t c = 0; c < r; c++) {
            const double x = mat_row(&m->w, r)[c];
            mat_row(&m->w, r)[c] = mat_row(&m->w, c)[r];
            mat_row(&m->w, c)[r] = x;
        }
    free(a);
    return rc;
}

enum rc linear_effect_fit(const struct perturb_training *t, const struct mat *z, double ridge,
                          struct linear_effect *m, struct err *e)
{
    const size_t n = t->mean->n, d = t->mean->d;
    assert(z->n == d);
    *m = (struct linear_effect){ .b = calloc(d + 1, sizeof *m->b) };
    enum rc rc = m->b ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", d);
    if (!rc)
        rc = mat_alloc(&m->z, d, z->d, e);
    if (!rc)
        rc = mat_alloc(&m->p, n + 1, z->d, e);
    if (!rc)
        rc = mat_alloc(&m->w, z->d, z->d, e);
    if (!rc) {
        memcpy(m->z.x, z->x, d * z->d * sizeof *z->x);
        for (size_t i = 0; i < n; i++)
            embed_perturbation(z, &t->what[i], mat_row(&m->p, i + 1));
        for (size_t g = 0; g < d; g++) {
            for (size_t i = 0; i < n; i++)
                m->b[g] += mat_row(t->mean, i)[g] - t->control[g];
            m->b[g] /= (double)(n + 1);
        }
        rc = solve(t, ridge, m, e);
    }
    if (rc)
        linear_effect_release(m);
    return rc;
}

enum rc linear_effect_pca(const struct perturb_training *t, size_t k, double ridge,
                          struct linear_effect *m, struct err *e)
{
    const size_t n = t->mean->n, d = t->mean->d;
    struct mat x, z = { 0 };
    struct pca pca = { 0 };
    *m = (struct linear_effect){ 0 };
    if (mat_alloc(&x, d, n + 1, e))
        return RC_FAIL;
    for (size_t g = 0; g < d; g++) {
        mat_row(&x, g)[0] = t->control[g];
        for (size_t i = 0; i < n; i++)
            mat_row(&x, g)[i + 1] = mat_row(t->mean, i)[g];
    }
    enum rc rc = pca_fit(&x, k, &pca, e);
    if (!rc)
        rc = pca_apply(&pca, &x, &z, e);
    if (!rc)
        rc = linear_effect_fit(t, &z, ridge, m, e);
    pca_release(&pca);
    mat_release(&x);
    mat_release(&z);
    return rc;
}

enum rc linear_effect_predict(const struct linear_effect *m, const double *control,
                              const struct perturbation *p, double *out, struct err *e)
{
    const size_t k = m->z.d;
    double *a = calloc(2 * k + 1, sizeof *a), *wp = a ? a + k : NULL;
    if (!a)
        return err_set(e, RC_FAIL, "no memory for a vector of %zu", k);
    embed_perturbation(&m->z, p, a);
    for (size_t r = 0; r < k; r++)
        for (size_t c = 0; c < k; c++)
            wp[r] += mat_row(&m->w, r)[c] * a[c];
    for (size_t g = 0; g < m->z.n; g++) {
        double s = m->b[g];
        for (size_t c = 0; c < k; c++)
            s += mat_row(&m->z, g)[c] * wp[c];
        out[g] = control[g] + s;
    }
    free(a);
    return RC_OK;
}
