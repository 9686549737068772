/* The filling that users without a GPU run, complete for every model. This file and
 * kernels/NAME_cpu.c are compiled twice, for AVX2 and for AVX-512 (kernels/cpu_name.h). */
#include "kernels/attention.h"
#include "kernels/gather.h"
#include "kernels/linear.h"
#include "kernels/loss.h"
#include "kernels/norm.h"
#include "kernels/optim.h"
#include "lib/tensor/small.h"

const struct backend CPU(backend) = {
    .name = "cpu",
    .isa = CPU_ISA,
    .type = REAL_F32,
    .real_bytes = sizeof(float),
    .attention_first = true,
    .small = &CPU(small),
    .linear_scratch_bytes = CPU(linear_scratch_bytes),
    .linear_packed_bytes = CPU(linear_packed_bytes),
    .linear_pack = CPU(linear_pack),
    .linears_forward = CPU(linears_forward),
    .linears_backward = CPU(linears_backward),
    .linear_forward = CPU(linear_forward),
    .linear_backward = CPU(linear_backward),
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
    .attention_forward = CPU(attention_forward),
    .attention_backward = CPU(attention_backward),
    .id_loss_work_bytes = CPU(id_loss_work_bytes),
    .id_loss = CPU(id_loss),
    .square_loss = CPU(square_loss),
    .axpy = CPU(axpy),
    .sum_squares = CPU(sum_squares),
    .adamw = CPU(adamw),
};
