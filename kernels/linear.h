/* linear: y[i,o] = act(sum_k x[i,k] w[o,k] + b[o]).     x [n,in], w [out,in], b [out], y [n,out]
 *
 * backward, with g = dy * act'(pre):
 *   dx[i,k] += sum_o g[i,o] w[o,k];  dw[o,k] += sum_i g[i,o] x[i,k];  db[o] += sum_i g[i,o]
 * GELU is x Phi(x) with the error function, quick-GELU x sigmoid(1.702 x) (spec/03
 * sections 3.4, 3.7).
 *
 * cpu: y and dx in blocks of rows; dw in tiles, each summed over DEPTH rows at a time, added in
 * rising order by one thread. The tiles depend on nothing else, so neither do the bits. */
#ifndef GC_KERNELS_LINEAR_H
#define GC_KERNELS_LINEAR_H

#include "kernels/cpu_name.h"
#include "lib/tensor/backend.h"

void linear_forward_ref(const struct op_linear *o);
void linear_backward_ref(const struct op_linear *o);
void CPU(linear_forward)(const struct op_linear *o);
void CPU(linear_backward)(const struct op_linear *o);
void CPU(linears_forward)(const struct op_linear *o, size_t ops);
void CPU(linears_backward)(const struct op_linear *o, size_t ops);

void act_forward_ref(const struct op_act *o);
void act_backward_ref(const struct op_act *o);
void CPU(act_forward)(const struct op_act *o);
void CPU(act_backward)(const struct op_act *o);
/* Bytes of op_linear.scratch, the larger of what forward and backward take; what backward packs for dw and
 * db is counted only where one of the operations has them. linear_back_bytes: of backward alone. */
size_t CPU(linear_scratch_bytes)(const struct op_linear *o, size_t ops);
size_t CPU(linear_back_bytes)(const struct op_linear *o, size_t ops);
size_t CPU(linear_packed_bytes)(const struct op_linear *o);
void CPU(linear_pack)(const struct op_linear *o, void *to);
size_t BF16(linear_packed_bytes)(const struct op_linear *o);
void BF16(linear_pack)(const struct op_linear *o, void *to);
size_t BF16(linear_scratch_bytes)(const struct op_linear *o, size_t ops);
void BF16(linear_forward)(const struct op_linear *o);
void BF16(linear_backward)(const struct op_linear *o);
void BF16(linears_forward)(const struct op_linear *o, size_t ops);
void BF16(linears_backward)(const struct op_linear *o, size_t ops);

#endif
