/* norm: s = drop(x[i]) + r[i];  y[i] = (s - mean_i) rstd_i gamma + beta.   x, r, y, sum [n,d]
 *
 * Biased variance, eps inside the root, as in BERT (Ba et al. 2016, section 3). With eps 1e-12 the
 * variance must come from a second pass over s - mean, not from E[s^2] - E[s]^2.
 * backward, with xhat = (s - mean) rstd and h = dy gamma:
 *   ds = rstd (h - mean(h) - xhat mean(h xhat));  dx += ds * dropout factor;  dr += ds
 *   dgamma += sum_i dy xhat;  dbeta += sum_i dy
 * cpu: rows in blocks of NORM_ROWS; partial dgamma and dbeta of blocks are joined in block order.
 *
 * dropout: y = x * factor, and its backward. */
#ifndef GC_KERNELS_NORM_H
#define GC_KERNELS_NORM_H

#include "kernels/cpu_name.h"
#include "lib/tensor/backend.h"

void norm_forward_ref(const struct op_norm *o);
void norm_backward_ref(const struct op_norm *o);
void CPU(norm_forward)(const struct op_norm *o);
void CPU(norm_backward)(const struct op_norm *o);

void dropout_forward_ref(const struct op_dropout *o);
void dropout_backward_ref(const struct op_dropout *o);
void CPU(dropout_forward)(const struct op_dropout *o);
void CPU(dropout_backward)(const struct op_dropout *o);

#endif
