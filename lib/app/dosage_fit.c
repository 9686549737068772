/* A linear classifier of genes by logistic regression, and the area under its curve. */
#include <math.h>
#include <stdlib.h>

#include "lib/app/dosage_parts.h"
#include "lib/nn/logistic.h"
#include "lib/nn/metrics_rank.h"
#include "lib/nn/split.h"

enum { INNER_FOLDS = 4 };
#define FEW_GENES_C 1e-2 /* where a class has too few genes to choose by */

double dosage_linear(const double *w, double shift, const double *x, size_t d)
{
    double z = shift;
    for (size_t k = 0; k < d; k++)
        z += w[k] * x[k];
    return z;
}

/* Mean and population standard deviation over the training rows; 1 where there is no spread. */
static void scale_of(const struct mat *x, const unsigned char *train, double *mean, double *sd)
{
    for (size_t k = 0; k < x->d; k++) {
        double sum = 0, square = 0;
        size_t n = 0;
        for (size_t i = 0; i < x->n; i++)
            if (train[i]) {
                sum += mat_row(x, i)[k];
                n++;
            }
        mean[k] = sum / (double)n;
        for (size_t i = 0; i < x->n; i++)
            if (train[i])
                square += (mat_row(x, i)[k] - mean[k]) * (mat_row(x, i)[k] - mean[k]);
        sd[k] = sqrt(square / (double)n);
        if (!(sd[k] > 0))
            sd[k] = 1;
    }
}

/* logistic_fit has a weight vector for each class, which for two classes are opposite: |W|^2 = |w|^2 / 2 for
 * w = w1 - w0. So its 1 / (2 c) |W|^2 is scikit-learn's 1 / (2 C) |w|^2 with C = 2 c. */
enum rc dosage_fit(const struct mat *x, const uint32_t *class_of, const unsigned char *train, double c,
                   double *w, double *shift, struct err *e)
{
    const size_t d = x->d;
    size_t n = 0;
    struct mat z = { 0 };
    struct linear_model fit = { 0 };
    double *mean = malloc(2 * d * sizeof *mean + 1), *sd = mean + d;
    uint32_t *class_of_row = malloc((x->n + 1) * sizeof *class_of_row);
    for (size_t i = 0; i < x->n; i++)
        n += train[i];
    enum rc rc = mean && class_of_row ? mat_alloc(&z, n, d, e)
                                      : err_set(e, RC_FAIL, "no memory for %zu numbers", d);
    if (!rc) {
        scale_of(x, train, mean, sd);
        for (size_t i = 0, row = 0; i < x->n; i++)
            if (train[i]) {
                for (size_t k = 0; k < d; k++)
                    mat_row(&z, row)[k] = (mat_row(x, i)[k] - mean[k]) / sd[k];
                class_of_row[row++] = class_of[i];
            }
        rc = logistic_fit(&z, class_of_row, 2, c / 2, NULL, &fit, e);
    }
    if (!rc) {
        const double *w0 = mat_row(&fit.w, 0), *w1 = mat_row(&fit.w, 1);
        *shift = w1[d] - w0[d];
        for (size_t k = 0; k < d; k++) {
            w[k] = (w1[k] - w0[k]) / sd[k];
            *shift -= w[k] * mean[k];
        }
    }
    linear_model_release(&fit);
    mat_release(&z);
    free(mean);
    free(class_of_row);
    return rc;
}

enum rc dosage_auc(const double *score, const uint32_t *class_of, const unsigned char *in, size_t n,
                   double *auc, size_t *n_in, size_t *points, struct err *e)
{
    double *s = malloc((n + 1) * sizeof *s);
    bool *positive = malloc((n + 1) * sizeof *positive);
    struct rank_metrics m = { .auroc = NAN };
    size_t k = 0;
    enum rc rc = s && positive ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu scores", n);
    for (size_t i = 0; !rc && i < n; i++)
        if (!in || in[i]) {
            s[k] = score[i];
            positive[k++] = class_of[i] == 1;
        }
    if (!rc && k)
        rc = rank_metrics_get(s, positive, k, &m, e);
    *auc = m.auroc;
    if (n_in)
        *n_in = k;
    if (points)
        *points = m.roc_points;
    free(s);
    free(positive);
    return rc;
}

/* AUC of held-out scores, all inner folds together. */
static enum rc inner_auc(const struct mat *x, const uint32_t *class_of, const unsigned char *train,
                         const uint32_t *fold, double c, unsigned char *use, double *score, double *w,
                         double *auc, struct err *e)
{
    enum rc rc = RC_OK;
    for (uint32_t f = 0; !rc && f < INNER_FOLDS; f++) {
        double shift;
        for (size_t i = 0; i < x->n; i++)
            use[i] = train[i] && fold[i] != f;
        rc = dosage_fit(x, class_of, use, c, w, &shift, e);
        for (size_t i = 0; !rc && i < x->n; i++)
            if (train[i] && fold[i] == f)
                score[i] = dosage_linear(w, shift, mat_row(x, i), x->d);
    }
    return rc ? rc : dosage_auc(score, class_of, train, x->n, auc, NULL, NULL, e);
}

/* fold [G] of the training genes, told from them alone; *least: of the class with fewer. */
static enum rc inner_folds(const struct mat *x, const uint32_t *class_of, const unsigned char *train,
                           const uint64_t *id, uint64_t seed, uint32_t *fold, size_t *least,
                           struct err *e)
{
    uint32_t *class_of_row = malloc((x->n + 1) * sizeof *class_of_row);
    uint32_t *fold_of_row = malloc((x->n + 1) * sizeof *fold_of_row);
    uint64_t *id_of_row = malloc((x->n + 1) * sizeof *id_of_row);
    size_t n = 0, n_sensitive = 0;
    enum rc rc = class_of_row && fold_of_row && id_of_row
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu genes", x->n);
    for (size_t i = 0; !rc && i < x->n; i++)
        if (train[i]) {
            n_sensitive += class_of[i];
            class_of_row[n] = class_of[i];
            id_of_row[n++] = id[i];
        }
    *least = n_sensitive < n - n_sensitive ? n_sensitive : n - n_sensitive;
    if (!rc)
        rc = split_folds(class_of_row, id_of_row, n, INNER_FOLDS, seed, fold_of_row, e);
    for (size_t i = 0, row = 0; !rc && i < x->n; i++)
        fold[i] = train[i] ? fold_of_row[row++] : UINT32_MAX;
    free(class_of_row);
    free(fold_of_row);
    free(id_of_row);
    return rc;
}

enum rc dosage_choose_c(const struct mat *x, const uint32_t *class_of, const unsigned char *train,
                        const uint64_t *id, uint64_t seed, double *c, struct err *e)
{
    static const double strength[] = { 1e-4, 1e-3, 1e-2, 1e-1, 1 };
    uint32_t *fold = malloc((x->n + 1) * sizeof *fold);
    unsigned char *use = malloc(x->n + 1);
    double *score = malloc((x->n + 1) * sizeof *score), *w = malloc((x->d + 1) * sizeof *w);
    double best = -1;
    size_t least = 0;
    enum rc rc = fold && use && score && w ? RC_OK
                                           : err_set(e, RC_FAIL, "no memory for %zu genes", x->n);
    *c = FEW_GENES_C;
    if (!rc)
        rc = inner_folds(x, class_of, train, id, seed, fold, &least, e);
    for (size_t i = 0; !rc && least >= 2 * INNER_FOLDS && i < sizeof strength / sizeof *strength; i++) {
        double auc;
        rc = inner_auc(x, class_of, train, fold, strength[i], use, score, w, &auc, e);
        if (!rc && auc > best) {
            best = auc;
            *c = strength[i];
        }
    }
    free(fold);
    free(use);
    free(score);
    free(w);
    return rc;
}
