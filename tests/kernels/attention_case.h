/* Attention on a device against the reference, at sizes around the edges of each kind of kernels;
 * for test_cuda.c. */
#ifndef GC_TESTS_KERNELS_ATTENTION_CASE_H
#define GC_TESTS_KERNELS_ATTENTION_CASE_H

#include "tests/kernels/cuda_case.h"

static int attention_case(struct fixture *r)
{
    const size_t n = r->n, all = n * r->d;
    struct op_attention o = { .n_cells = r->m, .n = n, .d = r->d, .heads = r->extra };
    o.first = cells(r, n, r->m, &o.longest);
    o.q = input(r, all);
    o.k = input(r, all);
    o.v = input(r, all);
    o.y = output(r, all);
    o.row_max = output(r, n * o.heads);
    o.row_sum = output(r, n * o.heads);
    o.dy = input(r, all);
    o.dq = first_gradient(r, all);
    o.dk = first_gradient(r, all);
    o.dv = first_gradient(r, all);
    o.dq_first = o.dk_first = o.dv_first = r->first;
    if (r->rate > 0)
        o.drop = dropped(r, n);
    reserve(r, attention_work_cuda(r->c, &o));
    return BOTH(attention, r, o);
}

/* e: rows, width of a head, cells, heads. */
static void rounded_attention(const char *how, const size_t e[4], bool without)
{
    char name[64];
    snprintf(name, sizeof name, "attention, %s", how);
    if (without)
        at(name, e[0], e[1] * e[3], e[2], e[3], 0, ACT_NONE, true, bf16, attention_case);
    snprintf(name, sizeof name, "attention with dropout, %s", how);
    at(name, e[0], e[1] * e[3], e[2], e[3], 0.1, ACT_NONE, true, bf16, attention_case);
}

static void attentions(void)
{
    static const size_t edge[][4] = {
        /* rows, width of a head, cells, heads */
        { 0, 8, 0, 2 },    { 1, 4, 1, 2 },    { 31, 8, 1, 1 },   { 63, 16, 1, 2 },
        { 64, 64, 1, 1 },  { 65, 24, 1, 3 },  { 130, 64, 9, 2 }, { 129, 72, 5, 1 },
        { 33, 128, 1, 1 }, { 40, 136, 3, 1 }, { 65, 256, 1, 1 }, { 300, 32, 60, 2 },
        { 2049, 8, 1, 1 },
    };
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
        const size_t *e = edge[i];
        if (e[0] < 2049) /* once is enough of the longest */
            at("attention", e[0], e[1] * e[3], e[2], e[3], 0, ACT_NONE, false, f32, attention_case);
        at("attention with dropout", e[0], e[1] * e[3], e[2], e[3], 0.1, ACT_NONE, false, f32,
           attention_case);
    }
    static const size_t mma[][4] = { /* around its tiles of 32, 64 and 128 rows; wider: f32 */
                                     { 0, 8, 0, 2 },    { 1, 4, 1, 2 },    { 31, 16, 1, 1 },
                                     { 32, 17, 1, 2 },  { 33, 32, 1, 2 },  { 63, 33, 1, 1 },
                                     { 64, 64, 1, 1 },  { 65, 64, 1, 2 },  { 127, 24, 1, 1 },
                                     { 128, 64, 1, 1 }, { 129, 64, 5, 1 }, { 300, 32, 60, 2 },
                                     { 257, 64, 9, 2 }, { 40, 72, 3, 1 },  { 2049, 16, 1, 1 }
    };
    static const size_t groups[][4] = { /* around tiles of 64 rows, two or three of a block */
                                        { 1, 64, 1, 2 },   { 31, 33, 1, 1 },   { 63, 40, 1, 2 },
                                        { 64, 64, 1, 1 },  { 65, 64, 1, 2 },   { 128, 48, 1, 1 },
                                        { 129, 64, 5, 1 }, { 191, 36, 1, 1 },  { 192, 64, 1, 1 },
                                        { 193, 64, 1, 1 }, { 300, 33, 60, 2 }, { 521, 64, 1, 1 }
    };
    const int capability = device.capability;
    device.capability = capability < 80 ? capability : 80;
    for (size_t i = 0; i < sizeof mma / sizeof *mma; i++)
        rounded_attention("bf16", mma[i], mma[i][0] < 2049);
    device.capability = capability;
    if (capability != 90)
        skip("attention by warpgroups is for devices of capability 9.0");
    for (size_t i = 0; capability == 90 && i < sizeof groups / sizeof *groups; i++)
        rounded_attention("warpgroups", groups[i], groups[i][0] < 521);
}

/* A NaN in the third row of a cell of n rows that are queries, keys and values: whether it comes out of
 * every row. No maximum, no guard for rows beyond the end may hide it. */
static bool spreads(size_t n, size_t width, bool rounded, int capability)
{
    const struct cuda was = device;
    const uint32_t first[] = { 0, (uint32_t)n };
    float *x = calloc(n * width, sizeof *x), *d = cuda_memory(n * width * sizeof *x);
    float *y = cuda_memory(n * (width + 2) * sizeof *y);
    uint32_t *f = cuda_memory(sizeof first);
    for (size_t k = 0; k < n * width; k++)
        x[k] = k == 2 * width + 5 ? NAN : 0.01f * (float)(k % 7);
    const struct op_attention a = { .n_cells = 1,
                                    .n = n,
                                    .d = width,
                                    .heads = 1,
                                    .first = f,
                                    .longest = n,
                                    .q = d,
                                    .k = d,
                                    .v = d,
                                    .y = y,
                                    .row_max = y + n * width,
                                    .row_sum = y + n * (width + 1) };
    device.bf16 = rounded;
    device.capability = capability;
    const int status = cuda_copy(&device, d, x, n * width * sizeof *x) ||
                       cuda_copy(&device, f, first, sizeof first) ||
                       cuda_reserve(&device, attention_work_cuda(&device, &a)) ||
                       attention_forward_cuda(&device, &a) ||
                       cuda_copy(&device, x, y, n * width * sizeof *x) || cuda_wait(&device);
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        found += isnan(x[i * width + 1]) != 0;
    device.bf16 = was.bf16;
    device.capability = was.capability;
    cuda_release(d);
    cuda_release(y);
    cuda_release(f);
    free(x);
    return !status && found == n;
}

static void attention_not_a_number(void)
{
    const int here = device.capability;
    ok(spreads(3, 8, false, here), "a NaN in a key makes every row of its cell NaN");
    ok(spreads(70, 64, true, here < 80 ? here : 80), "and with bf16");
    if (here == 90)
        ok(spreads(70, 64, true, 90), "and by warpgroups");
}

static void refusals(void)
{
    const struct op_attention a = { .n_cells = 1, .n = 3, .d = 264, .heads = 1 };
    ok(attention_forward_cuda(&device, &a) && attention_backward_cuda(&device, &a),
       "a head wider than %d is refused with a status", CUDA_HEAD_WIDTH);
}

#endif
