/* The additive model of pairs: y_ab = e_a + e_b, an effect for each gene, by least squares over the
 * pairs that were measured. What it says of a pair is told without that pair:
 *   y_ab - left_out_ab = (y_ab - e_a - e_b) / (1 - h_ab),   h_ab = G'_aa + G'_bb + 2 G'_ab,
 * G' the inverse of G: pairs of a on the diagonal, 1 where a and b were measured together (the
 * leverage of a row in least squares: Cook and Weisberg 1982, section 2.2). */
#ifndef GC_NN_PAIR_EFFECTS_H
#define GC_NN_PAIR_EFFECTS_H

#include <stddef.h>

#include "lib/base/err.h"

/* y [n, n] symmetric, NaN: not measured; the diagonal is not looked at. effect [n], NaN for genes
 * without a pair. left_out [n, n], NaN where y is, on the diagonal, and where the other pairs do
 * not tell. RC_INPUT: the effects cannot be told apart (as with fewer than three genes that were
 * all measured together). */
enum rc pair_effects(const double *y, size_t n, double *effect, double *left_out, struct err *e);

#endif
