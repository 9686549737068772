#include "lib/nn/logistic.h"

#include <math.h>
#include <string.h>

#include "lib/nn/lbfgs.h"

void linear_model_release(struct linear_model *m)
{
    mat_release(&m->w);
    *m = (struct linear_model){ 0 };
}

struct loss {
    const struct mat *x; /* [n, d + 1], the last column is 1 */
    const uint32_t *class_of;
    size_t n_classes;
    double ridge; /* 1 / (c n): everything is per cell */
    struct mat z; /* [n, n_classes]: scores, then p - truth */
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

static double loss_at(void *ctx, const double *w, double *gradient)
{
    struct loss *l = ctx;
    size_t d1 = l->x->d, k = l->n_classes;
    double n = (double)l->x->n, sum = 0, square = 0;
    struct mat weights = { .n = k, .d = d1 }, g = { .n = k, .d = d1, .x = gradient };
    /* Only read: the matrix type has no const twin. */
    memcpy(&weights.x, &w, sizeof w);
    mat_mul_nt(l->x, &weights, &l->z);
    for (size_t i = 0; i < l->x->n; i++) {
        double *z = mat_row(&l->z, i), own = z[l->class_of[i]];
        sum += soft_max(z, k) - own;
        z[l->class_of[i]] -= 1;
    }
    mat_mul_tn(&l->z, l->x, &g);
    for (size_t c = 0; c < k; c++)
        for (size_t j = 0; j < d1; j++) {
            double v = j + 1 < d1 ? w[c * d1 + j] : 0; /* the intercept goes free */
            gradient[c * d1 + j] = gradient[c * d1 + j] / n + l->ridge * v;
            square += v * v;
        }
    return sum / n + l->ridge * square / 2;
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

enum rc logistic_fit(const struct mat *x, const uint32_t *class_of, size_t n_classes, double c,
                     const struct linear_model *start, struct linear_model *out, struct err *e)
{
    enum { MAX_STEPS = 1000 };
    *out = (struct linear_model){ .d = x->d, .n_classes = n_classes };
    if (!x->n || !n_classes || !(c > 0))
        return err_set(e, RC_INPUT, "logistic regression on %zu cells, %zu classes, c = %g", x->n,
                       n_classes, c);
    struct mat ones = { 0 };
    struct loss l = { .class_of = class_of,
                      .n_classes = n_classes,
                      .ridge = 1 / (c * (double)x->n) };
    enum rc rc = with_ones(x, &ones, e);
    l.x = &ones;
    if (!rc)
        rc = mat_alloc(&l.z, x->n, n_classes, e);
    if (!rc)
        rc = mat_alloc(&out->w, n_classes, x->d + 1, e);
    if (!rc && start)
        memcpy(out->w.x, start->w.x, n_classes * (x->d + 1) * sizeof(double));
    struct lbfgs_end end = { 0 };
    if (!rc)
        rc =
            lbfgs_minimise(loss_at, &l, n_classes * (x->d + 1), out->w.x, 1e-5, MAX_STEPS, &end, e);
    out->n_steps = end.n_steps;
    mat_release(&ones);
    mat_release(&l.z);
    if (rc)
        linear_model_release(out);
    return rc;
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
