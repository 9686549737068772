/* axpy: y += a x.  sum_squares: sum of x^2 over blocks of OPTIM_BLOCK items, blocks joined in a
 * fixed binary tree; the result in double.
 *
 * adamw, transformers 4.30.0's form (spec/04 section 3), for t = step from 1, g scaled by grad_scale:
 *   m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
 *   p -= lr sqrt(1-b2^t)/(1-b1^t) m / (sqrt(v) + eps);  p -= lr wd p   (decay segments, after)
 */
#ifndef GC_KERNELS_OPTIM_H
#define GC_KERNELS_OPTIM_H

#include "kernels/cpu_name.h"
#include "lib/tensor/backend.h"

void axpy_ref(const struct op_axpy *o);
void CPU(axpy)(const struct op_axpy *o);
double sum_squares_ref(const void *x, size_t n);
double CPU(sum_squares)(const void *x, size_t n);
void adamw_ref(const struct op_adamw *o);
void CPU(adamw)(const struct op_adamw *o);

#endif
