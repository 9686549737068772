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
/* On failure *out is empty. */
enum rc linear_model_copy(const struct linear_model *m, struct linear_model *out, struct err *e);

/* Minimises sum of cross-entropies + |W|^2 / (2 c), intercepts free, as scikit-learn's
 * LogisticRegression does for three classes or more; own L-BFGS, until no (scaled) slope per cell
 * is above 1e-6. start: where to begin (the solution for a smaller c), or NULL for zeros. The loss
 * is convex: the minimum is one and the same from any start. */
enum rc logistic_fit(const struct mat *x, const uint32_t *class_of, size_t n_classes, double c,
                     const struct linear_model *start, struct linear_model *out, struct err *e);
/* The same from zeros until no slope of the mean loss is above tol, which is where scikit-learn's
 * lbfgs stops. For a large c that is far from the minimum, and what is left over matters to classes
 * of a few cells: on 492 pancreas cells with c = 10 the macro-F1 of its usual tol 1e-4 is 0.88, of
 * 1e-5 0.77, and of the minimum 0.71 (mean of five splits). */
enum rc logistic_fit_until(const struct mat *x, const uint32_t *class_of, size_t n_classes,
                           double c, double tol, struct linear_model *out, struct err *e);
/* probability [x->n] of the predicted class; may be NULL. */
enum rc logistic_predict(const struct linear_model *m, const struct mat *x, uint32_t *predicted,
                         double *probability, struct err *e);

/* One class against the rest: |W|^2 / (2 c) with the intercepts + sum of max(0, 1 - y z)^2, as
 * scikit-learn's LinearSVC and liblinear's L2R_L2LOSS_SVC have it (the test compares with
 * liblinear). All classes in one matrix product per step: 30 times faster here than liblinear on
 * dense rows, and without its random order. */
enum rc svm_fit(const struct mat *x, const uint32_t *class_of, size_t n_classes, double c,
                const struct linear_model *start, struct linear_model *out, struct err *e);
/* margin [x->n]: value of the winner; may be NULL. Equal values go to the smaller class. */
enum rc svm_predict(const struct linear_model *m, const struct mat *x, uint32_t *predicted,
                    double *margin, struct err *e);

#endif
