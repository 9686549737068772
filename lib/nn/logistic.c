#include "lib/nn/logistic.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/lbfgs.h"

void linear_model_release(struct linear_model *m)
{
    mat_release(&m->w);
    *m = (struct linear_model){ 0 };
}

enum rc linear_model_copy(const struct linear_model *m, struct linear_model *out, struct err *e)
{
    *out = (struct linear_model){ .d = m->d, .n_classes = m->n_classes, .n_steps = m->n_steps };
    if (mat_alloc(&out->w, m->w.n, m->w.d, e))
        return RC_FAIL;
    memcpy(out->w.x, m->w.x, m->w.n * m->w.d * sizeof *m->w.x);
    return RC_OK;
}

enum loss_kind { LOSS_SOFTMAX, LOSS_HINGE2 };

/* The optimiser moves v = w scale: columns of very different spread (principal components) would
 * else cost it a thousand steps. */
struct loss {
    enum loss_kind kind;
    const struct mat *x; /* [n, d + 1], the last column is 1 */
    const uint32_t *class_of;
    size_t n_classes;
    double ridge;  /* 1 / (c n): everything is per cell */
    double *scale; /* [d + 1] */
    struct mat w;  /* [n_classes, d + 1] */
    struct mat z;  /* [n, n_classes]: scores, then the slope of the loss by them */
};

/* Scores of one cell to probabilities; returns ln of the sum of their exponentials. */
static double soft_max(double *z, size_t k)
{
    double most = z[0], sum = 0;
    for (size_t c = 1; c < k; c++)
        most = fmax(most, z[c]);
    for (size_t c = 0; c < k; c++) {
        z[c] = exp(z[c] - most);
        sum += z[c];
    }
    for (size_t c = 0; c < k; c++)
        z[c] /= sum;
    return most + log(sum);
}

/* Both turn the scores of a cell into slopes and return its loss. */
static double cross_entropy(double *z, size_t k, size_t own)
{
    double score = z[own], loss = soft_max(z, k) - score;
    z[own] -= 1;
    return loss;
}

/* Sum over the classes of max(0, 1 - y z)^2, y = 1 for the cell's own class, -1 for the rest. */
static double squared_hinge(double *z, size_t k, size_t own)
{
    double loss = 0;
    for (size_t c = 0; c < k; c++) {
        double y = c == own ? 1 : -1, short_by = fmax(0, 1 - y * z[c]);
        loss += short_by * short_by;
        z[c] = -2 * y * short_by;
    }
    return loss;
}

static double loss_at(void *ctx, const double *v, double *gradient)
{
    struct loss *l = ctx;
    size_t d1 = l->x->d, k = l->n_classes;
    double n = (double)l->x->n, sum = 0, square = 0;
    struct mat g = { .n = k, .d = d1, .x = gradient };
    for (size_t c = 0; c < k; c++)
        for (size_t j = 0; j < d1; j++)
            mat_row(&l->w, c)[j] = v[c * d1 + j] / l->scale[j];
    mat_mul_nt(l->x, &l->w, &l->z);
    for (size_t i = 0; i < l->x->n; i++)
        sum += (l->kind == LOSS_SOFTMAX ? cross_entropy : squared_hinge)(mat_row(&l->z, i), k,
                                                                         l->class_of[i]);
    mat_mul_tn(&l->z, l->x, &g);
    for (size_t c = 0; c < k; c++)
        for (size_t j = 0; j < d1; j++) {
            double *to = &gradient[c * d1 + j], w = mat_row(&l->w, c)[j];
            if (j + 1 == d1 && l->kind == LOSS_SOFTMAX)
                w = 0; /* its intercepts go free */
            *to = (*to / n + l->ridge * w) / l->scale[j];
            square += w * w;
        }
    return sum / n + l->ridge * square / 2;
}

/* Root of the curvature along each column, up to a common factor. */
static void set_scale(struct loss *l)
{
    size_t d1 = l->x->d;
    for (size_t j = 0; j < d1; j++)
        l->scale[j] = 0;
    for (size_t i = 0; i < l->x->n; i++)
        for (size_t j = 0; j < d1; j++)
            l->scale[j] += mat_row(l->x, i)[j] * mat_row(l->x, i)[j];
    for (size_t j = 0; j < d1; j++)
        l->scale[j] = sqrt(l->scale[j] / (double)l->x->n / 4 + l->ridge);
}

static enum rc with_ones(const struct mat *x, struct mat *out, struct err *e)
{
    if (mat_alloc(out, x->n, x->d + 1, e))
        return RC_FAIL;
    for (size_t i = 0; i < x->n; i++) {
        memcpy(mat_row(out, i), mat_row(x, i), x->d * sizeof(double));
        mat_row(out, i)[x->d] = 1;
    }
    return RC_OK;
}

/* l->w holds the start, then the end. scaled: by the curvature along each column; else not. */
static enum rc minimise(struct loss *l, double tol, bool scaled, int *n_steps, struct err *e)
{
    enum { MAX_STEPS = 2000 };
    size_t d1 = l->x->d, n = l->n_classes * d1;
    double *v = malloc((n + d1) * sizeof *v);
    struct lbfgs_end end = { 0 };
    if (!v)
        return err_set(e, RC_FAIL, "no memory for %zu weights", n);
    l->scale = v + n;
    set_scale(l);
    for (size_t j = 0; !scaled && j < d1; j++)
        l->scale[j] = 1;
    for (size_t i = 0; i < n; i++)
        v[i] = l->w.x[i] * l->scale[i % d1];
    enum rc rc = mat_alloc(&l->z, l->x->n, l->n_classes, e);
    if (!rc)
        rc = lbfgs_minimise(loss_at, l, n, v, tol, MAX_STEPS, &end, e);
    for (size_t i = 0; i < n; i++)
        l->w.x[i] = v[i] / l->scale[i % d1];
    *n_steps = end.n_steps;
    mat_release(&l->z);
    free(v);
    return rc;
}

static enum rc fit(enum loss_kind kind, const struct mat *x, const uint32_t *class_of,
                   size_t n_classes, double c, const struct linear_model *start, double tol,
                   bool scaled, struct linear_model *out, struct err *e)
{
    *out = (struct linear_model){ .d = x->d, .n_classes = n_classes };
    if (!x->n || !n_classes || !(c > 0))
        return err_set(e, RC_INPUT, "a linear classifier on %zu cells, %zu classes, c = %g", x->n,
                       n_classes, c);
    struct mat ones = { 0 };
    struct loss l = { .kind = kind,
                      .x = &ones,
                      .class_of = class_of,
                      .n_classes = n_classes,
                      .ridge = 1 / (c * (double)x->n) };
    enum rc rc = with_ones(x, &ones, e);
    if (!rc)
        rc = mat_alloc(&l.w, n_classes, x->d + 1, e);
    if (!rc && start)
        memcpy(l.w.x, start->w.x, n_classes * (x->d + 1) * sizeof(double));
    if (!rc)
        rc = minimise(&l, tol, scaled, &out->n_steps, e);
    mat_release(&ones);
    if (rc)
        mat_release(&l.w);
    out->w = l.w;
    return rc;
}

enum rc logistic_fit(const struct mat *x, const uint32_t *class_of, size_t n_classes, double c,
                     const struct linear_model *start, struct linear_model *out, struct err *e)
{
    return fit(LOSS_SOFTMAX, x, class_of, n_classes, c, start, 1e-6, true, out, e);
}

enum rc logistic_fit_until(const struct mat *x, const uint32_t *class_of, size_t n_classes,
                           double c, double tol, struct linear_model *out, struct err *e)
{
    return fit(LOSS_SOFTMAX, x, class_of, n_classes, c, NULL, tol, false, out, e);
}

enum rc svm_fit(const struct mat *x, const uint32_t *class_of, size_t n_classes, double c,
                const struct linear_model *start, struct linear_model *out, struct err *e)
{
    return fit(LOSS_HINGE2, x, class_of, n_classes, c, start, 1e-6, true, out, e);
}

static enum rc scores_of(const struct linear_model *m, const struct mat *x, struct mat *z,
                         struct err *e)
{
    struct mat ones = { 0 };
    enum rc rc = with_ones(x, &ones, e);
    if (!rc)
        rc = mat_alloc(z, x->n, m->n_classes, e);
    if (!rc)
        mat_mul_nt(&ones, &m->w, z);
    mat_release(&ones);
    return rc;
}

static uint32_t first_largest(const double *z, size_t k)
{
    uint32_t best = 0;
    for (uint32_t c = 1; c < k; c++)
        if (z[c] > z[best])
            best = c;
    return best;
}

enum rc logistic_predict(const struct linear_model *m, const struct mat *x, uint32_t *predicted,
                         double *probability, struct err *e)
{
    struct mat z = { 0 };
    enum rc rc = scores_of(m, x, &z, e);
    for (size_t i = 0; !rc && i < x->n; i++) {
        double *zi = mat_row(&z, i);
        predicted[i] = first_largest(zi, m->n_classes);
        soft_max(zi, m->n_classes);
        if (probability)
            probability[i] = zi[predicted[i]];
    }
    mat_release(&z);
    return rc;
}

enum rc svm_predict(const struct linear_model *m, const struct mat *x, uint32_t *predicted,
                    double *margin, struct err *e)
{
    struct mat z = { 0 };
    enum rc rc = scores_of(m, x, &z, e);
    for (size_t i = 0; !rc && i < x->n; i++) {
        predicted[i] = first_largest(mat_row(&z, i), m->n_classes);
        if (margin)
            margin[i] = mat_row(&z, i)[predicted[i]];
    }
    mat_release(&z);
    return rc;
}
