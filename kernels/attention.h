/* attention over ragged cells: for every cell, head and query row i of the cell
 *   s[j] = q_i . k_j / sqrt(d / heads);  p = softmax(s) over the cell's rows;
 *   y_i = sum_j p[j] f[i,j] v_j,  f the dropout factor with plane = head, column = row j of the cell
 * first_only: of i = row 0 of each cell alone, with the same bits.
 * backward, with g = dy_i:
 *   dv_j += p[j] f[i,j] g;  dp[j] = f[i,j] (g . v_j);  ds[j] = p[j] (dp[j] - sum_m p[m] dp[m])
 *   dq_i += sum_j ds[j] k_j / sqrt(.);  dk_j += ds[j] q_i / sqrt(.)
 * and sum_m p[m] dp[m] = g . y_i. No T x T array: cpu works on tiles of ATTENTION_QUERIES rows, one
 * (cell, head) per task, so dk and dv are summed over tiles in rising order by one thread. */
#ifndef GC_KERNELS_ATTENTION_H
#define GC_KERNELS_ATTENTION_H

#include "kernels/cpu_name.h"
#include "lib/tensor/backend.h"

void attention_forward_ref(const struct op_attention *o);
void attention_backward_ref(const struct op_attention *o);
void CPU(attention_forward)(const struct op_attention *o);
void CPU(attention_backward)(const struct op_attention *o);
void BF16(attention_forward)(const struct op_attention *o);
void BF16(attention_backward)(const struct op_attention *o);

#endif
