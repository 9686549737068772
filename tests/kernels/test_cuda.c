/* Every cuda kernel against the reference, at sizes around the edges of warps and tiles. Built
 * twice from this file: test_cuda runs the kernels emulated (tests/cuemu), the one of `make cuda`
 * on a device; without a device that one exits 77.
 *
 * Bounds, of the largest value of an array: 2e-5 for f32, as for cpu (a few hundred units in the
 * last place: sums over some hundred products). bf16 products of inputs that are bf16 numbers are
 * exact before the sum, so the same bound holds; where a gradient is rounded to bf16 on its way
 * (id_loss, slopes of activations) 2^-8, its unit, times 2. */
#include "lib/tensor/tape.h"
#include "tests/kernels/attention_case.h"
#include "tests/kernels/cuda_case.h"
#include "tests/kernels/product_case.h"

static int linear_case(struct fixture *r)
{
    const size_t n = r->n, in = r->d, out = r->m, ld = in + r->extra;
    struct op_linear o = { .n = n, .in = in, .out = out, .ld_x = in, .ld_w = ld, .act = r->act };
    o.x = input(r, n * in);
    o.w = (char *)input(r, out * ld);
    o.b = input(r, out);
    o.y = output(r, n * out);
    o.pre = r->act == ACT_NONE ? NULL : output(r, n * out);
    o.dy = input(r, n * out);
    o.dx = first_gradient(r, n * in);
    o.dx_first = r->first;
    o.dw = gradient(r, out * ld);
    o.db = gradient(r, out);
    o.work = scratch(r, n * out);
    reserve(r, linear_work_cuda(r->c, &o));
    return BOTH(linear, r, o);
}

static int no_bias_case(struct fixture *r)
{
    struct op_linear o = {
        .n = r->n, .in = r->d, .out = r->m, .ld_x = r->d, .ld_w = r->d, .act = ACT_GELU
    };
    o.x = input(r, r->n * r->d);
    o.w = input(r, r->m * r->d);
    o.y = output(r, r->n * r->m); /* pre is NULL: inference */
    reserve(r, linear_work_cuda(r->c, &o));
    if (r->on_device)
        return QUIET(r, linear_forward_cuda(r->c, &o));
    backend_ref.linear_forward(&o);
    return 0;
}

static int act_case(struct fixture *r)
{
    struct op_act o = { .m = r->n * r->d, .act = r->act };
    o.x = input(r, o.m);
    o.y = output(r, o.m);
    o.dy = input(r, o.m);
    o.dx = gradient(r, o.m);
    return BOTH(act, r, o);
}

static int norm_case(struct fixture *r)
{
    const size_t n = r->n, d = r->d;
    struct op_norm o = { .n = n, .d = d, .eps = 1e-5 };
    o.x = input(r, n * d);
    o.gamma = input(r, d);
    o.beta = input(r, d);
    o.y = output(r, n * d);
    o.mean = output(r, n);
    o.rstd = output(r, n);
    o.sum = output(r, n * d);
    o.work = scratch(r, op_row_work(n, d));
    o.dy = input(r, n * d);
    o.dx = first_gradient(r, n * d);
    o.dx_first = o.dr_first = r->first;
    o.dgamma = gradient(r, d);
    o.dbeta = gradient(r, d);
    if (r->rate > 0) {
        o.r = input(r, n * d);
        o.dr = first_gradient(r, n * d);
        o.drop = dropped(r, n);
    }
    return BOTH(norm, r, o);
}

static int dropout_case(struct fixture *r)
{
    struct op_dropout o = { .n = r->n, .d = r->d, .drop = dropped(r, r->n) };
    o.x = input(r, r->n * r->d);
    o.y = output(r, r->n * r->d);
    o.dy = input(r, r->n * r->d);
    o.dx = gradient(r, r->n * r->d);
    return BOTH(dropout, r, o);
}

static int gather_case(struct fixture *r)
{
    const size_t ld = r->d + r->extra;
    struct op_gather o = { .n = r->n, .d = r->d, .n_table = r->m, .ld = ld, .no_grad_row = 0 };
    o.index = words(r, r->n, r->m);
    sorted(r, o.index, r->n, r->m, &o.order, &o.end);
    o.table = input(r, r->m * ld);
    o.y = output(r, r->n * r->d);
    o.dy = input(r, r->n * r->d);
    o.dtable = gradient(r, r->m * ld);
    return BOTH(gather, r, o);
}

static int gather_axpy_case(struct fixture *r)
{
    struct op_gather_axpy o = { .n = r->n, .d = r->d, .n_table = r->m, .ld_w = 3 };
    o.index = words(r, r->n, r->m);
    sorted(r, o.index, r->n, r->m, &o.order, &o.end);
    o.table = input(r, r->m * r->d);
    o.value = input(r, r->n);
    o.y = output(r, r->n * r->d);
    o.dy = input(r, r->n * r->d);
    o.dtable = gradient(r, r->m * r->d);
    o.work = scratch(r, op_row_work(r->n, r->d));
    if (!r->extra) {
        o.w = input(r, 3 * r->d);
        o.dw = gradient(r, 3 * r->d);
    }
    return BOTH(gather_axpy, r, o);
}

static int position_case(struct fixture *r)
{
    struct op_add_position o = { .n = r->n, .d = r->d, .n_position = r->m };
    o.rank = words(r, r->n, r->m);
    sorted(r, o.rank, r->n, r->m, &o.order, &o.end);
    o.x = input(r, r->n * r->d);
    o.type = input(r, 2 * r->d);
    o.position = input(r, r->m * r->d);
    o.y = output(r, r->n * r->d);
    o.dy = input(r, r->n * r->d);
    o.dx = gradient(r, r->n * r->d);
    o.dtype = gradient(r, 2 * r->d);
    o.dposition = gradient(r, r->m * r->d);
    o.work = scratch(r, op_row_work(r->n, r->d));
    return BOTH(add_position, r, o);
}

static int species_case(struct fixture *r)
{
    size_t longest;
    uint8_t species[64];
    struct op_add_species o = { .n_cells = r->m, .d = r->d };
    for (size_t c = 0; c < r->m; c++)
        species[c] = (uint8_t)(c * 2 / 3 % 2);
    o.first = cells(r, r->n, r->m, &longest);
    o.species = array(r, INPUT, RAW, r->m, 1, species);
    o.x = input(r, (r->n - r->m) * r->d);
    o.cls = input(r, 2 * r->d);
    o.y = output(r, r->n * r->d);
    o.dy = input(r, r->n * r->d);
    o.dx = gradient(r, (r->n - r->m) * r->d);
    o.dcls = gradient(r, 2 * r->d);
    return BOTH(add_species, r, o);
}

static int id_loss_case(struct fixture *r)
{
    const size_t n = r->n, d = r->d, V = r->m;
    struct op_id_loss o = { .n = n, .d = d, .n_class = V, .scale = 0.2 / 7 };
    float *work = malloc(V * sizeof(double) + 8);
    o.label = words(r, n, V);
    o.z = input(r, n * d);
    o.e = input(r, V * d);
    o.b = r->extra ? NULL : input(r, V);
    o.loss = doubles(r, 1);
    o.row_loss = doubles(r, n);
    o.logits = output(r, n * V);
    o.dz = gradient(r, n * d);
    o.de = gradient(r, V * d);
    o.db = r->extra ? NULL : gradient(r, V);
    uint32_t *best = calloc(n + 1, sizeof *best);
    o.best = array(r, OUTPUT, RAW, n, sizeof *best, best);
    if (!r->on_device)
        o.work = work;
    reserve(r, id_loss_work_cuda(r->c, &o));
    const int status = r->on_device ? QUIET(r, id_loss_cuda(r->c, &o)) : 0;
    if (!r->on_device)
        backend_ref.id_loss(&o);
    free(best);
    free(work);
    return status;
}

static int square_case(struct fixture *r)
{
    struct op_square_loss o = { .n = r->n, .scale = 0.3 };
    float *target = calloc(r->n + 1, sizeof *target);
    for (size_t i = 0; i < r->n; i++)
        target[i] = normal(r, 77, i);
    o.x = input(r, r->n);
    o.target = array(r, INPUT, RAW, r->n, sizeof *target, target);
    o.loss = doubles(r, 1);
    o.dx = gradient(r, r->n);
    free(target);
    reserve(r, square_loss_work_cuda(&o));
    if (r->on_device)
        return QUIET(r, square_loss_cuda(r->c, &o));
    backend_ref.square_loss(&o);
    return 0;
}

static int block_case(struct fixture *r)
{
    struct op_axpy o = { .n = r->n, .a = -0.7 };
    o.x = input(r, r->n);
    o.y = gradient(r, r->n);
    double *sum = doubles(r, 1);
    reserve(r, sum_squares_work_cuda(r->n));
    if (r->on_device)
        return QUIET(r, axpy_cuda(r->c, &o)) || QUIET(r, sum_squares_cuda(r->c, o.x, r->n, sum));
    backend_ref.axpy(&o);
    *sum = backend_ref.sum_squares(o.x, r->n);
    return 0;
}

static int adamw_case(struct fixture *r)
{
    const size_t begin[] = { 0, r->n / 3, r->n };
    const bool decay[] = { true, false };
    struct op_adamw o = { .n_segments = 2,
                          .begin = begin,
                          .decay = decay,
                          .lr = 1e-2,
                          .beta1 = 0.9,
                          .beta2 = 0.999,
                          .eps = 1e-8,
                          .weight_decay = 0.1,
                          .grad_scale = 0.5,
                          .step = 3 };
    float *v = calloc(r->n + 1, sizeof *v);
    for (size_t i = 0; i < r->n; i++) /* a second moment is positive */
        v[i] = 0.01f + fabsf(normal(r, 78, i));
    o.p = gradient(r, r->n);
    o.g = input(r, r->n);
    o.m = gradient(r, r->n);
    o.v = array(r, GRADIENT, REALS, r->n, sizeof *v, v);
    free(v);
    if (r->on_device)
        return QUIET(r, adamw_cuda(r->c, &o));
    backend_ref.adamw(&o);
    return 0;
}

static void linears(void)
{
    static const size_t edge[][3] = { { 0, 8, 8 },    { 1, 1, 1 },     { 31, 33, 1 },
                                      { 64, 32, 64 }, { 65, 31, 129 }, { 130, 257, 48 } };
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
        const size_t n = edge[i][0], d = edge[i][1], m = edge[i][2];
        at("linear", n, d, m, 0, 0, ACT_NONE, false, f32, linear_case);
        at("linear, bf16", n, d, m, 0, 0, ACT_NONE, true, f32, linear_case);
    }
    for (int a = ACT_GELU; a <= ACT_RELU; a++) {
        at("linear with activation", 65, 31, 33, 3, 0, (enum act)a, false, f32, linear_case);
        at("linear with activation, bf16", 65, 31, 33, 3, 0, (enum act)a, true, bf16, linear_case);
        at("activation", 5, 301, 0, 0, 0, (enum act)a, false, f32, act_case);
    }
    check(&device, (struct fixture){ "activation of nothing", .act = ACT_GELU, .bound = f32,
                                     .f = act_case });
    at("linear without bias, in place", 33, 65, 31, 0, 0, ACT_GELU, false, f32, no_bias_case);
}

static void rows(void)
{
    static const size_t widths[] = { 1, 7, 8, 31, 32, 33, 255, 256, 257, 768, 1000 };
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        at("norm", 3 + 62 * (i % 2), widths[i], 0, 0, 0, ACT_NONE, false, f32, norm_case);
        at("norm with residual and dropout", 63 + i % 3, widths[i], 0, 0, 0.1, ACT_NONE, false, f32,
           norm_case);
        at("dropout", 5, widths[i], 0, 0, 0.3, ACT_NONE, false, f32, dropout_case);
    }
    at("norm of nothing", 0, 8, 0, 0, 0.1, ACT_NONE, false, f32, norm_case);
    at("dropout of nothing", 0, 8, 0, 0, 0.1, ACT_NONE, false, f32, dropout_case);
}

static void look_ups(void)
{
    static int (*const all[])(struct fixture *) = { gather_case, gather_axpy_case, position_case };
    static const char *const names[] = { "gather", "gather and axpy", "add position" };
    static const size_t edge[][3] = { { 0, 8, 3 },    { 1, 1, 1 },     { 33, 31, 2 },
                                      { 64, 32, 70 }, { 129, 33, 65 }, { 700, 129, 9 } };
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < sizeof edge / sizeof *edge; i++)
            at(names[k], edge[i][0], edge[i][1], edge[i][2], i % 2, 0, ACT_NONE, false, f32,
               all[k]);
    static const size_t cell[][3] = { { 0, 8, 0 }, { 1, 1, 1 }, { 40, 33, 3 }, { 300, 31, 40 } };
    for (size_t i = 0; i < sizeof cell / sizeof *cell; i++)
        at("add species", cell[i][0], cell[i][1], cell[i][2], 0, 0, ACT_NONE, false, f32,
           species_case);
}

/* What a slot is told to write may hold anything before. */
static void first_gradients(void)
{
    struct fixture all[] = {
        { "linear, first gradient", .n = 65, .d = 31, .m = 33, .bound = f32, .f = linear_case },
        { "norm, first gradients", .n = 65, .d = 257, .rate = 0.1, .bound = f32, .f = norm_case },
        { "attention, first gradients", .n = 130, .d = 72, .m = 3, .extra = 2, .bound = f32 },
        { "attention, bf16, first gradients", .n = 130, .d = 64, .m = 3, .extra = 2, .bf16 = true },
        { "attention, warpgroups, first gradients", .n = 130, .d = 96, .m = 3, .extra = 2 },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        all[i].first = true;
        if (i >= 3) {
            all[i].bf16 = true;
            all[i].bound = bf16;
        }
        if (i >= 2)
            all[i].f = attention_case;
        check(&device, all[i]);
    }
}

static void losses(void)
{
    static const size_t edge[][3] = { { 0, 8, 5 },    { 1, 4, 2 },     { 31, 16, 255 },
                                      { 65, 8, 257 }, { 513, 16, 40 }, { 1025, 8, 33 } };
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++) {
        const size_t n = edge[i][0], d = edge[i][1], m = edge[i][2];
        at("id loss", n, d, m, i % 2, 0, ACT_NONE, false, f32, id_loss_case);
        at("id loss, bf16", n, d, m, i % 2, 0, ACT_NONE, true, bf16, id_loss_case);
    }
    static const size_t items[] = { 0, 1, 255, 256, 257, 4096, 4097, 9000 };
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        check(&device,
              (struct fixture){ "square loss", .n = items[i], .bound = f32, .f = square_case });
        check(&device, (struct fixture){ "axpy and sum of squares", .n = items[i], .bound = f32,
                                         .f = block_case });
        check(&device, (struct fixture){ "adamw", .n = items[i], .bound = f32, .f = adamw_case });
    }
}

/* NaN in, NaN out: no maximum, no guard for rows beyond the end may hide it. */
static void not_a_number(void)
{
    float x[24], *d = cuda_memory(sizeof x);
    const uint32_t label[] = { 1, 0 };
    uint32_t *f = cuda_memory(sizeof label);
    double loss, *l = cuda_memory(sizeof loss);
    for (size_t k = 0; k < 24; k++)
        x[k] = k == 5 ? NAN : 0.1f * (float)k;
    const struct op_id_loss o = {
        .n = 2, .d = 8, .n_class = 3, .z = d, .e = d, .label = f, .scale = 1, .loss = l
    };
    device.bf16 = false;
    int status = cuda_copy(&device, d, x, sizeof x) || cuda_copy(&device, f, label, sizeof label) ||
                 cuda_reserve(&device, id_loss_work_cuda(&device, &o)) ||
                 id_loss_cuda(&device, &o) || cuda_copy(&device, &loss, l, sizeof loss) ||
                 cuda_wait(&device);
    ok(!status && isnan(loss), "a NaN in a hidden row makes the loss NaN");
    loss = 0;
    status = status || cuda_reserve(&device, sum_squares_work_cuda(24)) ||
             sum_squares_cuda(&device, d, 24, l) || cuda_copy(&device, &loss, l, sizeof loss) ||
             cuda_wait(&device);
    ok(!status && isnan(loss), "and the norm");
    cuda_release(d);
    cuda_release(f);
    cuda_release(l);
}

/* One layer, its loss and all gradients, as a step makes them. */
enum { STEP_WIDTH = 32, STEP_HEADS = 2, STEP_CELLS = 2, STEP_CLASSES = 40 };
static void small_step(struct tape *t, const uint32_t *first, const uint32_t *label, size_t n)
{
    static const struct dropout none = { 0 };
    struct tensor *x = tape_new(t, n, STEP_WIDTH), *y;
    struct id_loss loss = { 0 };
    y = tape_linear(t, x, tape_new(t, STEP_WIDTH, STEP_WIDTH), tape_new(t, 1, STEP_WIDTH),
                    ACT_GELU);
    y = tape_attention(t, y, y, y, STEP_HEADS, first, STEP_CELLS, &none);
    y = tape_norm(t, y, x, tape_new(t, 1, STEP_WIDTH), tape_new(t, 1, STEP_WIDTH), 1e-12, &none);
    tape_id_loss(t, y, tape_new(t, STEP_CLASSES, STEP_WIDTH), NULL, label, 1, &loss);
    tape_backward(t);
}

/* Bytes: values and gradients of x and the five parameters, and the gradient of what the loss
 * reads. */
static size_t small_step_zeros(size_t n)
{
    return (2 * (n * STEP_WIDTH + STEP_WIDTH * STEP_WIDTH + 3 * STEP_WIDTH +
                 STEP_CLASSES * STEP_WIDTH) +
            n * STEP_WIDTH) *
           sizeof(float);
}

/* The emulation counts what a device is asked for. */
static void steps(const char *name)
{
    enum { MOST = 150 };
    const char *why;
    const struct backend *b = backend_cuda_find(name, &why);
    const size_t n[] = { MOST, MOST, 70, MOST };
    static const uint32_t label[MOST];
    struct tape t;
    size_t before = 0;
    struct err e = { 0 };
    if (!&cuemu_allocations || !b) {
        skip("steps of a shape ask for no memory: only the emulation counts");
        return;
    }
    tape_init(&t, b, true);
    bool zeros = true;
    for (size_t k = 0; k < sizeof n / sizeof *n; k++) {
        const size_t zeroed = cuemu_zeroed;
        const uint32_t first[] = { 0, 3, (uint32_t)n[k] };
        before = k ? before : cuemu_allocations;
        tape_reset(&t);
        small_step(&t, first, label, n[k]);
        zeros = zeros && cuemu_zeroed - zeroed == small_step_zeros(n[k]);
        if (k == 0)
            ok(cuemu_allocations > before, "the first step with %s asks for device memory", name);
        if (k < 2) /* the second joins what the first found too small */
            before = cuemu_allocations;
    }
    ok(!tape_check(&t, &e) && !backend_cuda_trouble() && cuemu_allocations == before,
       "steps of the same or a smaller shape do not");
    ok(zeros, "only what is given and the gradient of the loss is set to zero with %s", name);
    tape_release(&t);
}

/* More of them: test_ranks_cuda. */
static void exchange_alone(void)
{
    enum { N = 5 };
    char id[CUDA_ID_BYTES];
    float x[2 * N];
    struct cuda_ranks r;
    float *d = cuda_memory(sizeof x);
    int status = cuda_ranks_id(id) || cuda_ranks_open(&r, id, 0, 1);
    for (int i = 0; i < 2 * N; i++)
        x[i] = (float)i;
    status = status || cuda_copy(&device, d, x, sizeof x) || cuda_wait(&device);
    const struct backend_transfer send[] = { { 0, d, N * sizeof *x } },
                                  recv[] = { { 0, d + N, N * sizeof *x } };
    status = status || cuda_ranks_exchange(&device, &r, send, 1, recv, 1) ||
             cuda_ranks_wait(&device, &r) || cuda_copy(&device, x, d, sizeof x) ||
             cuda_wait(&device);
    ok(!status && memcmp(x, x + N, N * sizeof *x) == 0 && x[1] == 1.0f,
       "a rank exchanges memory with itself");
    cuda_release(d);
    cuda_ranks_close(&r);
}

static uint16_t bf16_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* Rounded forms that are kept: the same bytes as rounding in each call, and what is kept is the
 * rounded number. */
static int kept_case(struct fixture *r)
{
    const size_t n = r->n, in = r->d, out = r->m;
    struct op_linear o = { .n = n, .in = in, .out = out, .ld_x = in, .ld_w = in, .act = r->act };
    o.x = input(r, n * in);
    o.w = input(r, out * in);
    o.b = input(r, out);
    o.y = output(r, n * out);
    o.pre = output(r, n * out);
    o.dy = input(r, n * out);
    o.dx = gradient(r, n * in);
    o.dw = gradient(r, out * in);
    o.db = gradient(r, out);
    o.work = scratch(r, n * out);
    uint16_t *w_low = scratch(r, out * in), *y_low = scratch(r, n * out);
    o.x_low = scratch(r, n * low_ld(in));
    reserve(r, linear_work_cuda(r->c, &o));
    if (r->on_device) {
        if (round_cuda(r->c, o.w, out * in, w_low))
            return 1;
        o.w_low = w_low;
        o.y_low = y_low;
    }
    return BOTH(linear, r, o);
}

static void kept(void)
{
    static const size_t rows[] = { 1, 31, 65 };
    for (size_t i = 0; i < 3; i++)
        check(&device, (struct fixture){ .name = "linear, rounded forms kept",
                                         .n = rows[i],
                                         .d = 24,
                                         .m = 40,
                                         .act = ACT_GELU,
                                         .bf16 = true,
                                         .bound = bf16,
                                         .f = kept_case });
}

/* What AdamW, norm and a linear operation keep is what they wrote, rounded to nearest, ties to
 * even. */
static void kept_numbers(void)
{
    enum { N = 16, D = 8 };
    float x[N * D], y[N * D], g[D], v[N * D] = { 0 };
    uint16_t low[N * D];
    const size_t all[] = { 0, N * D };
    const bool decay = true;
    for (int i = 0; i < N * D; i++)
        x[i] = (float)rng_normal(8, RNG_TEST, 9, (uint64_t)i);
    for (int i = 0; i < D; i++)
        g[i] = 1 + (float)i / 7;
    char *d = cuda_memory(8 * sizeof x);
    float *at[7];
    for (int i = 0; i < 7; i++)
        at[i] = (float *)(void *)(d + (size_t)i * sizeof x);
    int status = cuda_copy(&device, at[0], x, sizeof x) || cuda_copy(&device, at[1], g, sizeof g) ||
                 cuda_copy(&device, at[5], v, sizeof v) || cuda_copy(&device, at[6], v, sizeof v);
    const struct op_norm norm = { .n = N,
                                  .d = D,
                                  .x = at[0],
                                  .gamma = at[1],
                                  .beta = at[1],
                                  .eps = 1e-5,
                                  .y = at[2],
                                  .sum = at[3],
                                  .y_low = d + 7 * sizeof x,
                                  .mean = at[4],
                                  .rstd = at[4] + N };
    status = status || norm_forward_cuda(&device, &norm) ||
             cuda_copy(&device, y, at[2], sizeof y) ||
             cuda_copy(&device, low, norm.y_low, sizeof low) || cuda_wait(&device);
    bool same = !status;
    for (int i = 0; i < N * D; i++)
        same = same && low[i] == bf16_of(y[i]);
    ok(same, "norm keeps its rows rounded");
    const struct op_adamw adam = { .n_segments = 1,
                                   .begin = all,
                                   .decay = &decay,
                                   .p = at[0],
                                   .g = at[2],
                                   .m = at[5],
                                   .v = at[6],
                                   .lr = 0.1,
                                   .beta1 = 0.9,
                                   .beta2 = 0.999,
                                   .eps = 1e-8,
                                   .weight_decay = 0.1,
                                   .grad_scale = 1,
                                   .step = 1,
                                   .low = d + 7 * sizeof x };
    status = status || adamw_cuda(&device, &adam) || cuda_copy(&device, y, at[0], sizeof y) ||
             cuda_copy(&device, low, adam.low, sizeof low) || cuda_wait(&device);
    bool moved = false;
    same = !status;
    for (int i = 0; i < N * D; i++) {
        same = same && low[i] == bf16_of(y[i]);
        moved = moved || y[i] != x[i];
    }
    ok(same && moved, "AdamW keeps its weights rounded");
    cuda_release(d);
}

int main(void)
{
    const char *why;
    if (!cuda_open(&device, false, &why)) {
        fprintf(stderr, "test_cuda: cannot run here: %s\n", why);
        return 77;
    }
    linears();
    products();
    rows();
    look_ups();
    attentions();
    first_gradients();
    losses();
    not_a_number();
    attention_not_a_number();
    refusals();
    steps("cuda");
    steps("cuda-bf16");
    kept();
    kept_numbers();
    exchange_alone();
    cuda_close(&device);
    return tap_end();
}
