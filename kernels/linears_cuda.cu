/* Several linear operations on one x, backward (backend.linears_backward): dw and db one after the
 * other, and where the rounded gradients of their outputs lie side by side (tape_linears_between)
 * one product for dx, which then is read and written once: 2 n (sum of out) + 8 n in bytes, and
 * copies of the rounded weights, 4 (sum of out) in. */
#include "kernels/cuda_ops.h"

#include "kernels/cuda_pack.h"

/* Whether the gradients of all y lie side by side, so that dx is one product. */
static bool side_by_side(const struct op_linear *o, size_t ops)
{
    size_t at = 0;
    for (size_t i = 0; i < ops; at += o[i++].out)
        if (!o[i].dy_low || o[i].ld_dy != o->ld_dy || o[i].in % 8 || o[i].act != ACT_NONE ||
            (const uint16_t *)o[i].dy_low != (const uint16_t *)o->dy_low + at || o[i].ld_w != o->in)
            return false;
    return ops > 1 && at == o->ld_dy && o->dx;
}

size_t linears_work_cuda(const struct cuda *c, const struct op_linear *o, size_t ops)
{
    size_t most = 0, out = 0;
    for (size_t i = 0; i < ops; i++) {
        const size_t work = linear_work_cuda(c, &o[i]);
        most = work > most ? work : most;
        out += o[i].out;
    }
    const size_t all = cuda_pack_bytes(c, out, o->in);
    return all > most ? all : most;
}

/* dx of all: the rounded weights, below each other, times the gradients beside each other. */
static int common_dx(int status, const struct cuda *c, const struct op_linear *o, size_t ops)
{
    uint16_t *at = (uint16_t *)c->work;
    for (size_t i = 0; i < ops; at += o[i++].out * o->in)
        if (!o[i].w_low)
            cuda_pack_to(&status, c, o[i].w, o[i].out, o->in, o->in, at);
        else if (!status)
            status = cuda_copy(c, at, o[i].w_low, o[i].out * o->in * sizeof *at);
    const struct cuda_product p = { .m = o->n,
                                    .n = o->in,
                                    .k = o->ld_dy,
                                    .a = o->dy_low,
                                    .b = c->work,
                                    .ld_a = o->ld_dy,
                                    .ld_b = o->in,
                                    .turn_a = false,
                                    .turn_b = false,
                                    .bf16 = true,
                                    .out_bf16 = false,
                                    .beta = o[ops - 1].dx_first ? 0.0f : 1.0f,
                                    .bias = NULL,
                                    .out = o->dx,
                                    .ld_out = o->ld_x };
    return status ? status : cuda_multiply(c, &p);
}

/* Newest first, as the tape runs single ones; so the newest is told who is first. */
int linears_backward_cuda(const struct cuda *c, const struct op_linear *o, size_t ops)
{
    const bool common = side_by_side(o, ops);
    int status = 0;
    for (size_t i = ops; !status && i-- > 0;) {
        struct op_linear one = o[i];
        if (common)
            one.dx = NULL;
        status = linear_backward_cuda(c, &one);
    }
    return common && o->n ? common_dx(status, c, o, ops) : status;
}
