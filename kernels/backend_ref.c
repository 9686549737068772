/* The reference filling of the table, complete for every model. */
#include "kernels/attention.h"
#include "kernels/gather.h"
#include "kernels/linear.h"
#include "kernels/loss.h"
#include "kernels/norm.h"
#include "kernels/optim.h"
#include "lib/tensor/small.h"

const struct backend backend_ref = {
    .name = "ref",
    .type = REAL_F64,
    .real_bytes = sizeof(double),
    .attention_first = true,
    .small = &small_ref,
    .linear_forward = linear_forward_ref,
    .linear_backward = linear_backward_ref,
    .act_forward = act_forward_ref,
    .act_backward = act_backward_ref,
    .norm_forward = norm_forward_ref,
    .norm_backward = norm_backward_ref,
    .dropout_forward = dropout_forward_ref,
    .dropout_backward = dropout_backward_ref,
    .gather_forward = gather_forward_ref,
    .gather_backward = gather_backward_ref,
    .gather_axpy_forward = gather_axpy_forward_ref,
    .gather_axpy_backward = gather_axpy_backward_ref,
    .add_position_forward = add_position_forward_ref,
    .add_position_backward = add_position_backward_ref,
    .add_species_forward = add_species_forward_ref,
    .add_species_backward = add_species_backward_ref,
    .attention_forward = attention_forward_ref,
    .attention_backward = attention_backward_ref,
    .id_loss_work_bytes = id_loss_work_bytes_ref,
    .id_loss = id_loss_ref,
    .square_loss = square_loss_ref,
    .axpy = axpy_ref,
    .sum_squares = sum_squares_ref,
    .adamw = adamw_ref,
};
