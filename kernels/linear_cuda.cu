/* linear and act on a device. Products go to cuBLASLt with the bias in its epilogue; its GELU is
 * the tanh form, ours is the exact one (spec/03 section 3.7), so activations are kernels of our
 * own.
 *
 * forward    pre = x w^T + b (product);  y = act(pre)       8 bytes an item besides the product
 * backward   g = dy act'(pre), and the column sums of g in the same pass   12 bytes an item
 *            dx += g w (product), dw += g^T x (product)
 * With bf16, x, w and g are rounded and packed into c->work first: 6 bytes an item. */
#include "kernels/cuda_ops.h"

#include "kernels/cuda_act.h"
#include "kernels/cuda_pack.h"
#include "kernels/cuda_sums.h"

/* A thread owns one item. */
static __global__ void act_items(size_t m, enum act a, const float *x, float *y)
{
    const size_t i = cuda_item();
    if (i < m)
        y[i] = cuda_act(a, x[i]);
}

static __global__ void act_slopes(size_t m, enum act a, const float *x, const float *dy, float *dx)
{
    const size_t i = cuda_item();
    if (i < m)
        dx[i] += dy[i] * cuda_act_slope(a, x[i]);
}

int act_forward_cuda(const struct cuda *c, const struct op_act *o)
{
    int status = 0;
    if (o->m)
        CUDA_LAUNCH(status, c, act_items, cuda_blocks(o->m, CUDA_THREADS), CUDA_THREADS, 0, o->m,
                    o->act, (const float *)o->x, (float *)o->y);
    return status;
}

int act_backward_cuda(const struct cuda *c, const struct op_act *o)
{
    int status = 0;
    if (o->m && o->dx)
        CUDA_LAUNCH(status, c, act_slopes, cuda_blocks(o->m, CUDA_THREADS), CUDA_THREADS, 0, o->m,
                    o->act, (const float *)o->x, (const float *)o->dy, (float *)o->dx);
    return status;
}

size_t linear_work_cuda(const struct cuda *c, const struct op_linear *o)
{
    return cuda_pack_bytes(c, o->n, o->in) + cuda_pack_bytes(c, o->out, o->in) +
           cuda_pack_bytes(c, o->n, o->out) + op_row_work(o->n, o->out) * sizeof(float);
}

int linear_forward_cuda(const struct cuda *c, const struct op_linear *o)
{
    char *at = c->work;
    int status = 0;
    if (!o->n)
        return 0;
    float *pre = (float *)(o->pre ? o->pre : o->y);
    const struct cuda_matrix x = cuda_packed(&status, c, &at, o->x, o->n, o->in, o->ld_x);
    const struct cuda_matrix w = cuda_packed(&status, c, &at, o->w, o->out, o->in, o->ld_w);
    const struct cuda_product p = { .m = o->n,
                                    .n = o->out,
                                    .k = o->in,
                                    .a = x.x,
                                    .b = w.x,
                                    .ld_a = x.ld,
                                    .ld_b = w.ld,
                                    .turn_a = false,
                                    .turn_b = true,
                                    .bf16 = c->bf16,
                                    .beta = 0,
                                    .bias = (const float *)o->b,
                                    .out = pre,
                                    .ld_out = o->out };
    if (!status)
        status = cuda_multiply(c, &p);
    if (!status && o->act != ACT_NONE) {
        const struct op_act act = {
            .m = o->n * o->out, .act = o->act, .x = pre, .y = o->y, .dy = NULL, .dx = NULL
        };
        status = act_forward_cuda(c, &act);
    }
    return status;
}

/* What row i adds to db; writes g on its way. */
struct linear_slope {
    enum act act;
    size_t out;
    const float *dy, *pre;
    float *g;

    __device__ void operator()(size_t i, size_t j, float v[1]) const
    {
        v[0] = dy[i * out + j];
        if (g)
            g[i * out + j] = v[0] *= cuda_act_slope(act, pre[i * out + j]);
    }
};

int linear_backward_cuda(const struct cuda *c, const struct op_linear *o)
{
    const bool act = o->act != ACT_NONE;
    int status = 0;
    char *at = c->work;
    if (!o->n)
        return 0;
    float *const g = act ? (float *)o->work : NULL, *const db[1] = { (float *)o->db };
    const struct linear_slope f = { o->act, o->out, (const float *)o->dy, (const float *)o->pre,
                                    g };
    if (g || o->db)
        status = cuda_column_sums<1>(status, c, f, o->n, o->out, at, db, 1);
    at += (op_row_work(o->n, o->out) * sizeof(float) + 255) / 256 * 256;
    const struct cuda_matrix dy =
        cuda_packed(&status, c, &at, act ? o->work : o->dy, o->n, o->out, o->out);
    if (!status && o->dx) {
        const struct cuda_matrix w = cuda_packed(&status, c, &at, o->w, o->out, o->in, o->ld_w);
        const struct cuda_product p = { .m = o->n,
                                        .n = o->in,
                                        .k = o->out,
                                        .a = dy.x,
                                        .b = w.x,
                                        .ld_a = dy.ld,
                                        .ld_b = w.ld,
                                        .turn_a = false,
                                        .turn_b = false,
                                        .bf16 = c->bf16,
                                        .beta = 1,
                                        .bias = NULL,
                                        .out = (float *)o->dx,
                                        .ld_out = o->ld_x };
        status = status ? status : cuda_multiply(c, &p);
    }
    if (!status && o->dw) {
        const struct cuda_matrix x = cuda_packed(&status, c, &at, o->x, o->n, o->in, o->ld_x);
        const struct cuda_product p = { .m = o->out,
                                        .n = o->in,
                                        .k = o->n,
                                        .a = dy.x,
                                        .b = x.x,
                                        .ld_a = dy.ld,
                                        .ld_b = x.ld,
                                        .turn_a = true,
                                        .turn_b = false,
                                        .bf16 = c->bf16,
                                        .beta = 1,
                                        .bias = NULL,
                                        .out = (float *)o->dw,
                                        .ld_out = o->ld_w };
        status = status ? status : cuda_multiply(c, &p);
    }
    return status;
}
