/* What `embed` rests on: a row of a product depends on that row and the weights alone, not on how
 * many rows are computed with it. Libraries take other ways for a few rows than for many. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/tensor/backend.h"
#include "tests/tap.h"

enum { ROWS = 300 };

static float *some(size_t n, uint64_t seed)
{
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; x && i < n; i++)
        x[i] = (float)rng_normal(seed, RNG_TEST, 1, i);
    return x;
}

/* Rows [from, from + n) alone, beside the same rows of the whole. */
static bool part_is_equal(const struct backend *b, const struct op_linear *whole, size_t from,
                          size_t n)
{
    float *y = malloc(n * whole->out * sizeof *y), *pre = malloc(n * whole->out * sizeof *pre);
    struct op_linear part = *whole;
    part.n = n; /* and the scratch of the whole, which is enough */
    part.x = (const float *)whole->x + from * whole->ld_x;
    part.y = y;
    part.pre = whole->pre ? pre : NULL;
    bool same = y && pre;
    if (same) {
        b->linear_forward(&part);
        const size_t at = from * whole->out, bytes = n * whole->out * sizeof *y;
        same = memcmp(y, (const float *)whole->y + at, bytes) == 0 &&
               (!whole->pre || memcmp(pre, (const float *)whole->pre + at, bytes) == 0);
    }
    free(y);
    free(pre);
    return same;
}

/* The same of dx, which begins with what is there; of y as its gradient. */
static bool part_dx_is_equal(const struct backend *b, const struct op_linear *whole, size_t from,
                             size_t n)
{
    struct op_linear part = *whole;
    float *dx = some(n * whole->ld_x, 4), *work = malloc(n * whole->out * sizeof *work);
    part.n = n;
    part.dy = (const float *)whole->dy + from * whole->out;
    part.pre = whole->pre ? (float *)whole->pre + from * whole->out : NULL;
    part.dx = dx;
    part.work = work;
    bool same = dx && work;
    if (same) {
        for (size_t r = 0; r < n; r++)
            memcpy(dx + r * part.ld_x, (const float *)whole->x + (from + r) * part.ld_x,
                   part.in * sizeof *dx);
        b->linear_backward(&part);
        for (size_t r = 0; same && r < n; r++)
            same = memcmp(dx + r * part.ld_x, (const float *)whole->dx + (from + r) * part.ld_x,
                          part.in * sizeof *dx) == 0;
    }
    free(dx);
    free(work);
    return same;
}

/* dx of all rows, on top of a copy of x. */
static void check_dx(const struct backend *b, const char *name, struct op_linear o)
{
    float *dx = malloc(o.n * o.ld_x * sizeof *dx), *work = malloc(o.n * o.out * sizeof *work);
    if (!dx || !work) {
        ok(false, "memory");
        exit(1);
    }
    memcpy(dx, o.x, o.n * o.ld_x * sizeof *dx);
    o.dy = o.y;
    o.dx = dx;
    o.work = work;
    b->linear_backward(&o);
    size_t wrong = 0, first = 0;
    for (size_t n = 1; n < 140; n += n < 14 ? 1 : 9)
        for (size_t from = 0; from + n <= ROWS; from += 37)
            if (!part_dx_is_equal(b, &o, from, n) && !wrong++)
                first = n;
    if (!ok(!wrong, "%s, %zu to %zu: gradients of rows alone are as among %d", name, o.in, o.out,
            ROWS))
        note("%zu places differ, the first with %zu rows", wrong, first);
    free(dx);
    free(work);
}

static void check(const struct backend *b, const char *name, size_t in, size_t out, enum act act)
{
    float *x = some(ROWS * in, 1), *w = some(out * in, 2), *bias_of = some(out, 3);
    float *y = malloc(ROWS * out * sizeof *y), *pre = malloc(ROWS * out * sizeof *pre);
    if (!x || !w || !bias_of || !y || !pre) {
        ok(false, "memory");
        exit(1);
    }
    for (int bias = 0; bias < 2; bias++) {
        struct op_linear o = { .n = ROWS,
                               .in = in,
                               .out = out,
                               .ld_x = in,
                               .ld_w = in,
                               .x = x,
                               .w = w,
                               .b = bias ? bias_of : NULL,
                               .y = y,
                               .act = act,
                               .pre = act != ACT_NONE ? pre : NULL };
        o.scratch = b->linear_scratch_bytes ? malloc(b->linear_scratch_bytes(&o, 1)) : NULL;
        b->linear_forward(&o);
        size_t wrong = 0, first = 0;
        for (size_t n = 1; n < 140; n++)
            for (size_t from = 0; from + n <= ROWS; from += 37)
                if (!part_is_equal(b, &o, from, n) && !wrong++)
                    first = n;
        if (!ok(!wrong, "%s, %zu to %zu%s: rows alone are as among %d", name, in, out,
                bias ? " with bias" : "", ROWS))
            note("%zu places differ, the first with %zu rows", wrong, first);
        if (!bias)
            check_dx(b, name, o);
        free(o.scratch);
    }
    free(x);
    free(w);
    free(bias_of);
    free(y);
    free(pre);
}

int main(void)
{
    static const char *const names[] = { "cpu", "cpu-avx2", "cpu-bf16", "cpu-avx512bf16" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *why;
        const struct backend *b = backend_find(names[i], &why);
        if (!b) {
            skip("rows alone: %s", why);
            continue;
        }
        check(b, names[i], 48, 48, ACT_NONE);
        check(b, names[i], 64, 256, ACT_GELU);
        check(b, names[i], 512, 128, ACT_NONE);
        check(b, names[i], 128, 7, ACT_NONE);
        check(b, names[i], 37, 600, ACT_QUICK_GELU); /* sums of dx in pieces */
        check(b, names[i], 2, 128, ACT_NONE);
        check(b, names[i], 6500, 40, ACT_NONE); /* many pieces of weights, one after the other */
    }
    threads_stop();
    return tap_end();
}
