/* The step of spec/04 section 3: clip by the global norm, AdamW (HF form), linear schedule. */
#ifndef GC_NN_OPTIM_H
#define GC_NN_OPTIM_H

#include "lib/tensor/params.h"

struct optim {
    double peak_lr, weight_decay, max_grad_norm; /* max_grad_norm 0: no clipping */
    uint64_t warmup_steps, total_steps;
};

/* Rate of step t (from 0): linear from 0 to the peak, then linear to 0 at total_steps. */
double optim_rate(const struct optim *o, uint64_t t);
/* Global L2 norm of all gradients. */
double optim_norm(const struct params *p);
/* One step with the gradients as they are; t from 0. norm: what optim_norm gave. */
void optim_step(const struct optim *o, struct params *p, uint64_t t, double norm);

#endif
