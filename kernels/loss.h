/* id_loss: cross-entropy over all classes, forward and gradient in one pass over chunks of rows.
 *   l = z e^T + b;  loss = scale * sum_i (log sum_c exp l[i,c] - l[i,label_i])
 *   g[i,c] = scale (softmax(l_i)[c] - [c = label_i]);  dz += g e;  de += g^T z;  db += sum_i g
 * In pre-training scale = 0.2 / n_masked, e is the word table (tied), spec/03 sections 4 and 5.
 *
 * square_loss: loss = scale * sum_i (x_i - t_i)^2;  dx_i += 2 scale (x_i - t_i).
 *
 * The backward pass starts here, so there is no dy. dz, de, db, dx may each be NULL. */
#ifndef GC_KERNELS_LOSS_H
#define GC_KERNELS_LOSS_H

#include "kernels/cpu_name.h"
#include "lib/tensor/backend.h"

size_t id_loss_work_bytes_ref(const struct op_id_loss *o);
void id_loss_ref(const struct op_id_loss *o);
size_t CPU(id_loss_work_bytes)(const struct op_id_loss *o);
void CPU(id_loss)(const struct op_id_loss *o);

void square_loss_ref(const struct op_square_loss *o);
void CPU(square_loss)(const struct op_square_loss *o);
size_t BF16(id_loss_work_bytes)(const struct op_id_loss *o);
void BF16(id_loss)(const struct op_id_loss *o);

#endif
