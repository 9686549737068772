/* Launchers of the cuda kernels: the contracts of kernels/NAME.h for floats in device memory.
 *
 * A launcher queues its work on c->stream, never allocates and never waits, uses c->work up to
 * NAME_work_cuda bytes (0 where there is no such function), accepts n = 0, and returns a status of
 * lib/tensor/cuda_device.h. The struct itself and the arrays begin and decay of adamw are read on
 * the host (adamw takes 4 bytes of c->work where square_sum is given); all else an op points to is read and written on the device, *loss too. */
#ifndef GC_KERNELS_CUDA_OPS_H
#define GC_KERNELS_CUDA_OPS_H

#include "lib/tensor/backend.h"
#include "lib/tensor/cuda_device.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { CUDA_HEAD_WIDTH = 256 }; /* widest head that attention takes */

size_t linear_work_cuda(const struct cuda *c, const struct op_linear *o);
int linear_forward_cuda(const struct cuda *c, const struct op_linear *o);
int linear_backward_cuda(const struct cuda *c, const struct op_linear *o);
/* Of `ops` of them on one x, as backend.linears_backward. */
size_t linears_work_cuda(const struct cuda *c, const struct op_linear *o, size_t ops);
int linears_backward_cuda(const struct cuda *c, const struct op_linear *o, size_t ops);
/* Whether backward of o can make the gradient of x_pre_low; as backend.linear_takes_slope. */
bool linear_takes_slope_cuda(const struct cuda *c, const struct op_linear *o);
/* Products with GELU in them by warpgroups, where this says so (kernels/product_wgmma_cuda.cu); of p
 * neither turn_a, turn_b, beta, out, out_bf16 nor ld_out is read. m may be 0.
 *   gelu         pre [m,n] = a b^T + bias rounded (turn_b), y [m,n] = GELU(pre) rounded
 *   gelu_slope   g [m,n] = GELU'(pre) * (a b rounded) rounded; part [blocks of OP_ROW_BLOCK rows][n]
 *                sums of what g is before it is rounded */
bool product_wgmma_fits_cuda(const struct cuda *c, enum act act, const struct cuda_product *p);
int product_gelu_cuda(const struct cuda *c, const struct cuda_product *p, void *pre, void *y);
int product_gelu_slope_cuda(const struct cuda *c, const struct cuda_product *p, const void *pre,
                            void *g, float *part);
int act_forward_cuda(const struct cuda *c, const struct op_act *o);
int act_backward_cuda(const struct cuda *c, const struct op_act *o);
int norm_forward_cuda(const struct cuda *c, const struct op_norm *o);
int norm_backward_cuda(const struct cuda *c, const struct op_norm *o);
int dropout_forward_cuda(const struct cuda *c, const struct op_dropout *o);
int dropout_backward_cuda(const struct cuda *c, const struct op_dropout *o);
int gather_forward_cuda(const struct cuda *c, const struct op_gather *o);
int gather_backward_cuda(const struct cuda *c, const struct op_gather *o);
int gather_axpy_forward_cuda(const struct cuda *c, const struct op_gather_axpy *o);
int gather_axpy_backward_cuda(const struct cuda *c, const struct op_gather_axpy *o);
int add_position_forward_cuda(const struct cuda *c, const struct op_add_position *o);
int add_position_backward_cuda(const struct cuda *c, const struct op_add_position *o);
int add_species_forward_cuda(const struct cuda *c, const struct op_add_species *o);
int add_species_backward_cuda(const struct cuda *c, const struct op_add_species *o);
size_t attention_work_cuda(const struct cuda *c, const struct op_attention *o);
int attention_forward_cuda(const struct cuda *c, const struct op_attention *o);
int attention_backward_cuda(const struct cuda *c, const struct op_attention *o);
size_t attention_kept_cuda(const struct cuda *c, const struct op_attention *o); /* op.kept */
/* On the plain cores; the three above call one of these kinds (kernels/attention_pick_cuda.cu). */
size_t attention_f32_work_cuda(const struct op_attention *o);
int attention_f32_forward_cuda(const struct cuda *c, const struct op_attention *o);
int attention_f32_backward_cuda(const struct cuda *c, const struct op_attention *o);
/* On the tensor cores, where c->bf16 and heads are at most MMA_WIDEST wide
 * (kernels/attention_tiles.h). n is at least 1, here and below. */
size_t attention_bf16_work_cuda(const struct op_attention *o);
size_t attention_bf16_kept_cuda(const struct op_attention *o);
int attention_bf16_forward_cuda(const struct cuda *c, const struct op_attention *o);
int attention_bf16_backward_cuda(const struct cuda *c, const struct op_attention *o);
/* The same by warpgroups, where the device is one of sm_90 and heads are at least WG_NARROWEST
 * wide. */
size_t attention_wgmma_work_cuda(const struct op_attention *o);
size_t attention_wgmma_kept_cuda(const struct op_attention *o);
int attention_wgmma_forward_cuda(const struct cuda *c, const struct op_attention *o);
int attention_wgmma_backward_cuda(const struct cuda *c, const struct op_attention *o);
size_t id_loss_work_cuda(const struct cuda *c, const struct op_id_loss *o);
int id_loss_cuda(const struct cuda *c, const struct op_id_loss *o);
size_t square_loss_work_cuda(const struct op_square_loss *o);
int square_loss_cuda(const struct cuda *c, const struct op_square_loss *o);
int axpy_cuda(const struct cuda *c, const struct op_axpy *o);
size_t sum_squares_work_cuda(size_t n);
int sum_squares_cuda(const struct cuda *c, const void *x, size_t n, double *sum);
int square_parts_cuda(const struct cuda *c, const void *x, size_t n, double *part);
int join_parts_cuda(const struct cuda *c, const double *part, size_t n_parts, double *sum);
int round_cuda(const struct cuda *c, const void *x, size_t n, void *low); /* to bf16 */
int adamw_cuda(const struct cuda *c, const struct op_adamw *o);

/* "cuda", or "cuda-bf16" (products in bf16): see struct cuda. NULL where this machine cannot run
 * it; *why then says so. Only in programs linked with these kernels. */
const struct backend *backend_cuda_find(const char *name, const char **why);
/* No slot can fail: after the first failure of the device slots do nothing, losses and norms are
 * NaN, and this says what failed. NULL: nothing did. */
const char *backend_cuda_trouble(void);

#ifdef __cplusplus
}
#endif
#endif
