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
/* Where the backend has memory of its own: part of the block. */
struct optim_part {
    size_t from, to; /* items of the block */
    void *m, *v;     /* their moments: [to - from] */
};
/* The step of a part, with the squared norm of the whole. */
void optim_step_part(const struct optim *o, const struct params *p, uint64_t t, double *square_sum,
                     const struct optim_part *part);
/* Norm and step where the backend has memory of its own, without waiting: the squared norm is left in
 * *square_sum, in that memory; weights stay as they are where it is not finite. */
void optim_step_there(const struct optim *o, struct params *p, uint64_t t, double *square_sum);

#endif
