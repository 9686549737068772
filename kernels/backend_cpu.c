/* The filling that users without a GPU run, complete for every model. */
#include "kernels/attention.h"
#include "kernels/gather.h"
#include "kernels/linear.h"
#include "kernels/loss.h"
#include "kernels/norm.h"
#include "kernels/optim.h"
#include "lib/tensor/small.h"

const struct backend backend_cpu = {
    .name = "cpu",
    .type = REAL_F32,
    .real_bytes = sizeof(float),
    .small = &small_cpu,
    .linear_forward = linear_forward_cpu,
    .linear_backward = linear_backward_cpu,
    .act_forward = act_forward_cpu,
    .act_backward = act_backward_cpu,
    .norm_forward = norm_forward_cpu,
    .norm_backward = norm_backward_cpu,
    .dropout_forward = dropout_forward_cpu,
    .dropout_backward = dropout_backward_cpu,
    .gather_forward = gather_forward_cpu,
    .gather_backward = gather_backward_cpu,
    .gather_axpy_forward = gather_axpy_forward_cpu,
    .gather_axpy_backward = gather_axpy_backward_cpu,
    .add_position_forward = add_position_forward_cpu,
    .add_position_backward = add_position_backward_cpu,
    .add_species_forward = add_species_forward_cpu,
    .add_species_backward = add_species_backward_cpu,
    .attention_forward = attention_forward_cpu,
    .attention_backward = attention_backward_cpu,
    .id_loss_work_bytes = id_loss_work_bytes_cpu,
    .id_loss = id_loss_cpu,
    .square_loss = square_loss_cpu,
    .axpy = axpy_cpu,
    .sum_squares = sum_squares_cpu,
    .adamw = adamw_cpu,
};
