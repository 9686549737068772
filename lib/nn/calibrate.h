/* From a classifier's logits to probabilities that can be believed.
 *
 * Temperature scaling (Guo et al. 2017, "On calibration of modern neural networks"): p = softmax(z
 * / T), T the one number that makes the log loss of cells not trained on least. It changes no
 * decision. */
#ifndef GC_NN_CALIBRATE_H
#define GC_NN_CALIBRATE_H

#include <stddef.h>
#include <stdint.h>

/* Index of the largest; of equals the first. n at least 1. */
size_t largest_of(const double *x, size_t n);
/* p[c] = softmax(z / t); p may be z. */
void softmax_at(const double *z, size_t n_classes, double t, double *p);
/* Mean of -log p[class] at temperature t; 0 when n is 0. logit [n, n_classes]. */
double log_loss(const double *logit, const uint32_t *class_of, size_t n, size_t n_classes,
                double t);
/* T within [0.05, 20] to three digits by golden section; 1 when n is 0. */
double temperature_of(const double *logit, const uint32_t *class_of, size_t n, size_t n_classes);
/* Expected calibration error: ten bins of the winner's probability, mean of |accuracy -
 * probability| weighted by the bins' cells. NaN when n is 0. */
double calibration_error(const double *probability, const unsigned char *right, size_t n);
/* The least probability from which on at least `accuracy` of the cells are right; 0 when all
 * together are, more than 1 when not even the surest are. */
double sure_from(const double *probability, const unsigned char *right, size_t n, double accuracy);

#endif
