/* What attention looked at: shares worked out again from queries and keys, for read-outs and tests
 * (the kernels never hold them). */
#ifndef GC_NN_ATTENTION_SHARE_H
#define GC_NN_ATTENTION_SHARE_H

#include <stddef.h>

/* out[i,j] (row stride ld) = soft-max over j of q_i . k_j / sqrt(width), i, j < n; q and k are one
 * head's columns of matrices with row stride d. */
void attention_share(const double *q, const double *k, size_t n, size_t d, size_t width,
                     double *out, size_t ld);

#endif
