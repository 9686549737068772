/* Linear classifiers on dense features: multinomial logistic regression, and a linear support
 * vector machine (one class against the rest). */
#ifndef GC_NN_LOGISTIC_H
#define GC_NN_LOGISTIC_H

#include <stdint.h>

#include "lib/nn/mat.h"

/* Row c: weights of class c, then its intercept. */
struct linear_model {
    size_t d, n_classes;
    struct mat w; /* [n_classes, d + 1] */
    int n_steps;  /* of the optimiser */
};

void linear_model_release(struct linear_model *m);

/* Minimises sum of cross-entropies + |W|^2 / (2 c), intercepts free, as scikit-learn's
 * LogisticRegression does for three classes or more; own L-BFGS, to a gradient of at most 1e-5 per
 * cell. start: where to begin (the solution for a smaller c), or NULL for zeros. The minimum is one
 * and the same from any start. */
enum rc logistic_fit(const struct mat *x, const uint32_t *class_of, size_t n_classes, double c,
                     const struct linear_model *start, struct linear_model *out, struct err *e);
/* probability [x->n] of the predicted class; may be NULL. */
enum rc logistic_predict(const struct linear_model *m, const struct mat *x, uint32_t *predicted,
                         double *probability, struct err *e);

/* L2 penalty (intercept included, as in scikit-learn's LinearSVC), squared hinge loss; liblinear's
 * primal solver, which draws no random numbers. One problem per class, in parallel. */
enum rc svm_fit(const struct mat *x, const uint32_t *class_of, size_t n_classes, double c,
                struct linear_model *out, struct err *e);
/* margin [x->n]: value of the winner; may be NULL. Equal values go to the smaller class. */
enum rc svm_predict(const struct linear_model *m, const struct mat *x, uint32_t *predicted,
                    double *margin, struct err *e);

#endif
