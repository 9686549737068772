/* linear and act on a device. Products go to cuBLASLt with the bias in its epilogue; its GELU is
 * the tanh form, ours is the exact one (spec/03 section 3.7), so activations are kernels of our
 * own: passes over memory, as below, or where product_wgmma_fits_cuda, with bf16, products of our own
 * with GELU in them (kernels/product_wgmma_cuda.cu), which save the passes.
 *
 * forward    pre = x w^T + b (product);  y = act(pre)       8 bytes an item besides the product
 * backward   g = dy act'(pre), and the column sums of g in the same pass   12 bytes an item
 *            dx += g w (product), dw += g^T x (product)
 * With bf16 an output that stands between products is kept rounded alone (y, pre and dy are NULL):
 * the product rounds pre, or y, as it writes it;
 * forward    y = act(pre)                                                4 bytes an item
 * backward   g = dy act'(pre) rounded, and its column sums               6 bytes an item
 *            without an activation dy is g, and its column sums are read from it (2 bytes), where
 *            the norm behind it has not made them
 *
 * With bf16 products take rounded forms. That of another g is written by the pass of the column
 * sums, 2 bytes an item, and g itself is not; w's is kept by AdamW and x's by whoever made x, or by
 * the first product that reads it (op_linear.w_low, x_low). What is not kept is rounded into
 * c->work: 6 bytes an item. */
#include "kernels/cuda_ops.h"

#include "kernels/cuda_act.h"
#include "kernels/cuda_pack.h"
#include "kernels/cuda_sums.h"

/* A thread owns one item. */
static __global__ void act_items(size_t m, enum act a, const float *x, float *y, uint16_t *low)
{
    const size_t i = cuda_item();
    if (i >= m)
        return;
    const float v = cuda_act(a, x[i]);
    y[i] = v;
    if (low)
        low[i] = cuda_bf16(v);
}

static __global__ void act_slopes(size_t m, enum act a, const float *x, const float *dy, float *dx)
{
    const size_t i = cuda_item();
    if (i < m)
        dx[i] += dy[i] * cuda_act_slope(a, x[i]);
}

/* A thread owns eight items. */
template <enum act A> static __global__ void act_items8(size_t m, const uint16_t *x, uint16_t *y)
{
    const size_t i = cuda_item() * 8;
    float v[8];
    if (i >= m)
        return;
    cuda_get8(x + i, v);
    for (int k = 0; k < 8; k++)
        v[k] = cuda_quick_act<A>(v[k]);
    cuda_put8(y + i, v);
}

/* f<ACT>, for the activation that o has. */
#define FOR_ACT(f, a, ...)                                                                         \
    ((a) == ACT_GELU         ? f<ACT_GELU>(__VA_ARGS__)                                            \
     : (a) == ACT_QUICK_GELU ? f<ACT_QUICK_GELU>(__VA_ARGS__)                                      \
     : (a) == ACT_TANH       ? f<ACT_TANH>(__VA_ARGS__)                                            \
     : (a) == ACT_RELU       ? f<ACT_RELU>(__VA_ARGS__)                                            \
                             : f<ACT_NONE>(__VA_ARGS__))

template <enum act A>
static int act_low(int status, const struct cuda *c, const struct op_linear *o)
{
    const size_t m = o->n * o->out;
    const auto kernel = act_items8<A>;
    CUDA_LAUNCH(status, c, kernel, cuda_blocks(m, CUDA_THREADS * 8), CUDA_THREADS, 0, m,
                (const uint16_t *)o->pre_low, (uint16_t *)o->y_low);
    return status;
}

static int act_forward_low(const struct cuda *c, const struct op_act *o, void *low)
{
    int status = 0;
    if (o->m)
        CUDA_LAUNCH(status, c, act_items, cuda_blocks(o->m, CUDA_THREADS), CUDA_THREADS, 0, o->m,
                    o->act, (const float *)o->x, (float *)o->y, (uint16_t *)low);
    return status;
}

int act_forward_cuda(const struct cuda *c, const struct op_act *o)
{
    return act_forward_low(c, o, NULL);
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
           cuda_pack_bytes(c, 1, o->out) + cuda_pack_bytes(c, o->n, o->out) +
           op_row_work(o->n, o->out) * sizeof(float) + 256 +
           (o->x_pre_low ? op_row_work(o->n, o->in) * sizeof(float) + 256 : 0);
}

/* x as a product wants it: kept, kept from now on, or made for this call. */
static struct cuda_matrix product_x(int *status, const struct cuda *c, char **at,
                                    const struct op_linear *o, bool made)
{
    if (!c->bf16 || !o->x_low)
        return cuda_packed(status, c, at, o->x, o->n, o->in, o->ld_x);
    if (!made)
        cuda_pack_to(status, c, o->x, o->n, o->in, o->ld_x, o->x_low);
    return { o->x_low, low_ld(o->in) };
}

static struct cuda_matrix product_w(int *status, const struct cuda *c, char **at,
                                    const struct op_linear *o)
{
    if (!c->bf16 || !o->w_low)
        return cuda_packed(status, c, at, o->w, o->out, o->in, o->ld_w);
    return { o->w_low, o->ld_w };
}

int linear_forward_cuda(const struct cuda *c, const struct op_linear *o)
{
    char *at = c->work;
    int status = 0;
    if (!o->n)
        return 0;
    void *const pre = o->pre_low ? o->pre_low : !o->y ? o->y_low : o->pre ? o->pre : o->y;
    const void *bias = o->b;
    if (bias && !o->y)
        bias = o->b_low ? o->b_low : cuda_packed(&status, c, &at, o->b, 1, o->out, o->out).x;
    const struct cuda_matrix x = product_x(&status, c, &at, o, o->x_low_made);
    const struct cuda_matrix w = product_w(&status, c, &at, o);
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
                                    .out_bf16 = !o->y,
                                    .beta = 0,
                                    .bias = bias,
                                    .out = pre,
                                    .ld_out = o->out };
    if (!status && o->pre_low && product_wgmma_fits_cuda(c, o->act, &p))
        return product_gelu_cuda(c, &p, o->pre_low, o->y_low);
    if (!status)
        status = cuda_multiply(c, &p);
    if (!status && o->pre_low)
        status = FOR_ACT(act_low, o->act, status, c, o);
    else if (!status && o->act != ACT_NONE) {
        const struct op_act act = {
            .m = o->n * o->out, .act = o->act, .x = pre, .y = o->y, .dy = NULL, .dx = NULL
        };
        status = act_forward_low(c, &act, o->y_low);
    }
    return status;
}

/* What row i adds to db; writes g on its way, or its rounded form alone. */
struct linear_slope {
    enum act act;
    size_t out;
    const float *dy, *pre;
    float *g;
    uint16_t *low;
    size_t ld;

    __device__ void operator()(size_t i, size_t j, float v[1]) const
    {
        v[0] = dy[i * out + j];
        if (act != ACT_NONE)
            v[0] *= cuda_act_slope(act, pre[i * out + j]);
        if (g)
            g[i * out + j] = v[0];
        if (low)
            low[i * ld + j] = cuda_bf16(v[0]);
    }
};

/* What row i adds to db of an output that is kept rounded alone; as rounded as the products take
 * it. */
template <enum act A> struct low_slope {
    size_t out, ld;
    const uint16_t *dy, *pre;
    uint16_t *g; /* not without an activation, whose dy is g */

    __device__ void operator()(size_t i, size_t j, float v[8]) const
    {
        cuda_get8(dy + i * ld + j, v);
        if (A == ACT_NONE)
            return;
        float x[8];
        cuda_get8(pre + i * out + j, x);
        for (int k = 0; k < 8; k++)
            v[k] *= cuda_quick_slope<A>(x[k]);
        cuda_put8(g + i * out + j, v);
    }
};

template <enum act A>
static int low_sums(int status, const struct cuda *c, const struct op_linear *o, uint16_t *g,
                    void *work)
{
    const struct low_slope<A> f = {
        o->out, o->ld_dy, (const uint16_t *)o->dy_low, (const uint16_t *)o->pre_low, g
    };
    return cuda_column_sums8(status, c, f, o->n, o->out, work, (float *)o->db);
}

/* g as products want it, and db. */
static struct cuda_matrix low_slopes(int *status, const struct cuda *c, char **at,
                                     const struct op_linear *o)
{
    const bool act = o->act != ACT_NONE && !o->slope_made;
    char *const sums = *at;
    *at += (op_row_work(o->n, o->out) * sizeof(float) + 255) / 256 * 256;
    uint16_t *const g = act ? (uint16_t *)*at : NULL;
    *at += cuda_pack_bytes(c, o->n, o->out);
    if (act || (o->db && !o->db_made && !o->slope_made))
        *status = FOR_ACT(low_sums, o->act, *status, c, o, g, sums);
    return { act ? g : o->dy_low, act ? o->out : o->ld_dy };
}

/* The same of any other output. */
static struct cuda_matrix slopes(int *status, const struct cuda *c, char **at,
                                 const struct op_linear *o)
{
    const bool act = o->act != ACT_NONE;
    float *const g = act && !c->bf16 ? (float *)o->work : NULL;
    float *const db[1] = { (float *)o->db };
    char *const sums = *at;
    *at += (op_row_work(o->n, o->out) * sizeof(float) + 255) / 256 * 256;
    uint16_t *const low = c->bf16 ? (uint16_t *)*at : NULL;
    const struct cuda_matrix dy = { low ? (const void *)low
                                    : g ? g
                                        : o->dy,
                                    low ? low_ld(o->out) : o->out };
    *at += cuda_pack_bytes(c, o->n, o->out);
    const struct linear_slope f = { o->act, o->out, (const float *)o->dy, (const float *)o->pre, g,
                                    low,    dy.ld };
    if (act || o->db)
        *status = cuda_column_sums<1>(*status, c, f, o->n, o->out, sums, db, 1);
    else if (low)
        cuda_pack_to(status, c, o->dy, o->n, o->out, o->out, low);
    return dy;
}

/* w is kept, or packed into c->work, where every matrix lies well. */
bool linear_takes_slope_cuda(const struct cuda *c, const struct op_linear *o)
{
    const struct cuda_product p = { .m = o->n,
                                    .n = o->in,
                                    .k = o->out,
                                    .a = NULL,
                                    .b = o->w_low,
                                    .ld_a = o->dy_low ? o->ld_dy : 0,
                                    .ld_b = o->w_low ? o->ld_w : 0,
                                    .turn_a = false,
                                    .turn_b = false,
                                    .bf16 = c->bf16,
                                    .out_bf16 = true,
                                    .beta = 0,
                                    .bias = NULL,
                                    .out = o->dx_low,
                                    .ld_out = o->in };
    return o->x_pre_low && o->dx_low && product_wgmma_fits_cuda(c, o->x_act, &p);
}

/* dx through the activation that made x, and the sums of that. */
static int slope_product(int status, const struct cuda *c, char **at, const struct op_linear *o,
                         const struct cuda_product *p)
{
    float *const part = (float *)*at;
    float *const to[1] = { (float *)o->x_db };
    *at += (op_row_work(o->n, o->in) * sizeof(float) + 255) / 256 * 256;
    if (!status)
        status = product_gelu_slope_cuda(c, p, o->x_pre_low, o->dx_low, part);
    return cuda_join_parts<1>(status, c, part, o->n, o->in, to, 1);
}

int linear_backward_cuda(const struct cuda *c, const struct op_linear *o)
{
    int status = 0;
    char *at = c->work;
    if (!o->n)
        return 0;
    const struct cuda_matrix dy =
        o->dy_low ? low_slopes(&status, c, &at, o) : slopes(&status, c, &at, o);
    if (!status && (o->dx || o->dx_low)) {
        const struct cuda_matrix w = product_w(&status, c, &at, o);
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
                                        .out_bf16 = o->dx_low != NULL,
                                        .beta = o->dx_first ? 0.0f : 1.0f,
                                        .bias = NULL,
                                        .out = o->dx_low ? o->dx_low : o->dx,
                                        .ld_out = o->dx_low ? low_ld(o->in) : o->ld_x };
        if (o->x_pre_low)
            status = slope_product(status, c, &at, o, &p);
        else
            status = status ? status : cuda_multiply(c, &p);
    }
    if (!status && o->dw) {
        const struct cuda_matrix x = product_x(&status, c, &at, o, true);
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
                                        .out_bf16 = false,
                                        .beta = 1,
                                        .bias = NULL,
                                        .out = o->dw,
                                        .ld_out = o->ld_w };
        status = status ? status : cuda_multiply(c, &p);
    }
    return status;
}
