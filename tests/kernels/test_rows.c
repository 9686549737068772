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
static bool part_is_equal(const struct op_linear *whole, size_t from, size_t n)
{
    float *y = malloc(n * whole->out * sizeof *y), *pre = malloc(n * whole->out * sizeof *pre);
    struct op_linear part = *whole;
    part.n = n;
    part.x = (const float *)whole->x + from * whole->ld_x;
    part.y = y;
    part.pre = whole->pre ? pre : NULL;
    bool same = y && pre;
    if (same) {
        backend_cpu.linear_forward(&part);
        const size_t at = from * whole->out, bytes = n * whole->out * sizeof *y;
        same = memcmp(y, (const float *)whole->y + at, bytes) == 0 &&
               (!whole->pre || memcmp(pre, (const float *)whole->pre + at, bytes) == 0);
    }
    free(y);
    free(pre);
    return same;
}

static void check(size_t in, size_t out, enum act act)
{
    float *x = some(ROWS * in, 1), *w = some(out * in, 2), *b = some(out, 3);
    float *y = malloc(ROWS * out * sizeof *y), *pre = malloc(ROWS * out * sizeof *pre);
    if (!x || !w || !b || !y || !pre) {
        ok(false, "memory");
        exit(1);
    }
    for (int bias = 0; bias < 2; bias++) {
        const struct op_linear o = { .n = ROWS,
                                     .in = in,
                                     .out = out,
                                     .ld_x = in,
                                     .ld_w = in,
                                     .x = x,
                                     .w = w,
                                     .b = bias ? b : NULL,
                                     .y = y,
                                     .act = act,
                                     .pre = act != ACT_NONE ? pre : NULL };
        backend_cpu.linear_forward(&o);
        size_t wrong = 0, first = 0;
        for (size_t n = 1; n < 140; n++)
            for (size_t from = 0; from + n <= ROWS; from += 37)
                if (!part_is_equal(&o, from, n) && !wrong++)
                    first = n;
        if (!ok(!wrong, "%zu to %zu%s: rows alone are as among %d", in, out,
                bias ? " with bias" : "", ROWS))
            note("%zu places differ, the first with %zu rows", wrong, first);
    }
    free(x);
    free(w);
    free(b);
    free(y);
    free(pre);
}

int main(void)
{
    const char *why;
    if (!backend_find("cpu", &why)) {
        skip("rows alone: %s", why);
        return tap_end();
    }
    check(48, 48, ACT_NONE);
    check(64, 256, ACT_GELU);
    check(512, 128, ACT_NONE);
    check(128, 7, ACT_NONE);
    check(2, 128, ACT_NONE);
    check(6500, 40, ACT_NONE); /* wider than the memory on the stack */
    threads_stop();
    return tap_end();
}
