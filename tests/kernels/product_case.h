/* A feed-forward of rounded numbers on a device against the reference: GELU in the products where
 * they are (kernels/product_wgmma_cuda.cu), at sizes around the edges of their tiles, else in
 * passes; for test_cuda.c. */
#ifndef GC_TESTS_KERNELS_PRODUCT_CASE_H
#define GC_TESTS_KERNELS_PRODUCT_CASE_H

#include "tests/kernels/cuda_case.h"

/* pre = x w1^T + b, h = GELU(pre), and backward from dy, the gradient of h w2^T. */
struct feed {
    struct op_linear up, down; /* D -> F, F -> K */
    double *slope;             /* of the reference: gradient of pre */
};

static void feed_reference(struct feed *f)
{
    struct op_linear *const up = &f->up, *const down = &f->down;
    const size_t items = up->n * up->out;
    double *dh = calloc(items + 1, sizeof *dh), *g = calloc(items + 1, sizeof *g);
    double *w = calloc(items + 1, sizeof *w);
    backend_ref.linear_forward(up);
    down->dx = dh;
    backend_ref.linear_backward(down);
    const struct op_act act = {
        .m = items, .act = up->act, .x = up->pre, .y = dh, .dy = dh, .dx = g
    };
    backend_ref.act_backward(&act);
    memcpy(f->slope, g, items * sizeof *g);
    up->dy = dh;
    up->work = w;
    backend_ref.linear_backward(up);
    free(dh);
    free(g);
    free(w);
}

/* As the tape does it: who can makes the slope, else it is made behind. */
static int feed_device(struct fixture *r, const struct cuda *c, struct feed *f)
{
    struct op_linear *const up = &f->up, *const down = &f->down;
    down->x_act = up->act;
    down->x_pre_low = up->pre_low;
    down->x_db = up->db;
    up->slope_made = linear_takes_slope_cuda(c, down);
    if (!up->slope_made)
        down->x_pre_low = NULL;
    return QUIET(r, linear_forward_cuda(c, up)) || QUIET(r, linear_backward_cuda(c, down)) ||
           QUIET(r, linear_backward_cuda(c, up));
}

/* n rows, d, m and extra columns. rate > 0: no bias, and every other run of the device is by passes
 * over memory, as on one of another capability; what they write must be the same bytes. */
static int feed_case(struct fixture *r)
{
    static int run;
    const size_t n = r->n, D = r->d, F = r->m, K = r->extra, ld_y = low_ld(K);
    const bool other = r->rate > 0;
    struct feed f = {
        .up = { .n = n, .in = D, .out = F, .ld_x = D, .ld_w = D, .act = r->act, .ld_dy = F },
        .down = { .n = n, .in = F, .out = K, .ld_x = F, .ld_w = F, .ld_dy = ld_y, .dx_first = true }
    };
    struct op_linear *const up = &f.up, *const down = &f.down;
    void *x = numbers(r, INPUT, LOW, n * D), *w1 = numbers(r, INPUT, LOW, F * D);
    void *b = numbers(r, INPUT, LOW, F), *w2 = numbers(r, INPUT, LOW, K * F);
    void *dy = numbers(r, INPUT, LOW, n * ld_y);
    void *pre = numbers(r, OUTPUT, LOW, n * F), *h = numbers(r, OUTPUT, LOW, n * F);
    void *g = numbers(r, other ? SCRATCH : OUTPUT, LOW, n * F); /* by passes it holds that of h */
    up->dx = gradient(r, n * D);
    up->dw = gradient(r, F * D);
    up->db = other ? NULL : gradient(r, F);
    if (!r->on_device) {
        double *tight = calloc(n * K + 1, sizeof *tight);
        for (size_t i = 0; i < n * K; i++)
            tight[i] = ((const double *)dy)[i / K * ld_y + i % K];
        up->x = x, up->w = w1, up->b = other ? NULL : b, up->y = h, up->pre = pre;
        down->x = h, down->w = w2, down->dy = tight;
        f.slope = g;
        feed_reference(&f);
        free(tight);
        return 0;
    }
    up->x_low = x, up->w_low = w1, up->b_low = b, up->b = other ? NULL : b;
    up->x_low_made = true;
    up->y_low = h, up->pre_low = pre, up->dy_low = g;
    down->x_low = h, down->w_low = w2, down->dy_low = dy, down->dx_low = g;
    down->x_pre_low = pre;
    reserve(r, linear_work_cuda(r->c, up));
    reserve(r, linear_work_cuda(r->c, down));
    struct cuda c = *r->c;
    if (other && run++ % 2)
        c.capability = 80;
    const int status = feed_device(r, &c, &f);
    return status;
}

static void products(void)
{
    static const size_t edge[][4] = {
        /* rows, D, F, K; tiles have 128 rows, 256 columns, 64 terms */
        { 0, 8, 8, 8 },       { 1, 8, 8, 1 },       { 63, 24, 64, 8 },    { 64, 64, 248, 64 },
        { 65, 72, 256, 65 },  { 127, 200, 264, 9 }, { 128, 8, 512, 264 }, { 129, 64, 40, 7 },
        { 257, 328, 8, 130 }, { 385, 16, 776, 24 }
    };
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
        const size_t *e = edge[i];
        at("feed-forward, rounded", e[0], e[1], e[2], e[3], 0, ACT_GELU, true, bf16, feed_case);
        if (cuemu_order) /* whose sums of a product are added in one order */
            at("feed-forward, rounded, by products and by passes", e[0], e[1], e[2], e[3], 1,
               ACT_GELU, true, bf16, feed_case);
    }
    at("feed-forward, rounded, by passes", 65, 72, 264, 65, 1, ACT_TANH, true, bf16, feed_case);
}

#endif
