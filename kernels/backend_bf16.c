/* The cpu filling with products of bf16 numbers and sums in f32; all else is the AVX-512 one.
 * Compiled twice, for AVX512-BF16 alone and with AMX tiles (kernels/cpu_name.h). */
#include "kernels/attention.h"
#include "kernels/gather.h"
#include "kernels/linear.h"
#include "kernels/loss.h"
#include "kernels/norm.h"
#include "kernels/optim.h"
#include "lib/tensor/small.h"

const struct backend BF16(backend) = {
    .name = "cpu-bf16",
    .isa = BF16_ISA,
    .type = REAL_F32,
    .real_bytes = sizeof(float),
    .attention_first = true,
    .small = &CPU(small),
    .linear_scratch_bytes = BF16(linear_scratch_bytes),
    .linear_packed_bytes = BF16(linear_packed_bytes),
    .linear_pack = BF16(linear_pack),
    .linears_forward = BF16(linears_forward),
    .linears_backward = BF16(linears_backward),
    .linear_forward = BF16(linear_forward),
    .linear_backward = BF16(linear_backward),
    .act_forward = CPU(act_forward),
    .act_backward = CPU(act_backward),
    .norm_forward = CPU(norm_forward),
    .norm_backward = CPU(norm_backward),
    .dropout_forward = CPU(dropout_forward),
    .dropout_backward = CPU(dropout_backward),
    .gather_forward = CPU(gather_forward),
    .gather_backward = CPU(gather_backward),
    .gather_axpy_forward = CPU(gather_axpy_forward),
    .gather_axpy_backward = CPU(gather_axpy_backward),
    .add_position_forward = CPU(add_position_forward),
    .add_position_backward = CPU(add_position_backward),
    .add_species_forward = CPU(add_species_forward),
    .add_species_backward = CPU(add_species_backward),
    .attention_forward = BF16(attention_forward),
    .attention_backward = BF16(attention_backward),
    .id_loss_work_bytes = BF16(id_loss_work_bytes),
    .id_loss = BF16(id_loss),
    .square_loss = CPU(square_loss),
    .axpy = CPU(axpy),
    .sum_squares = CPU(sum_squares),
    .adamw = CPU(adamw),
};
