/* Arithmetic of the model by the formulas of spec/04 section 7 (a multiply-add is 2). What is counted is
 * what the model needs, not what a program executes: true lengths, the ID head at masked rows only. */
#ifndef GC_NN_COST_H
#define GC_NN_COST_H

#include "lib/nn/model.h"

/* Forward pass of one cell of n genes with m masked ones (0: encoder only). Backward is twice that. */
double cost_forward(const struct model_config *c, double n, double m);

#endif
