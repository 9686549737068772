/* Gradients of linear beside sums in double: over blocks of rows, into a part of a wider matrix,
 * for operations of which any may stand still, in scratch that has not a byte to spare. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/tensor/backend.h"
#include "tests/tap.h"

enum { OPS = 2, IN = 37, GUARD = 5, LD = IN + GUARD, MOST_OUT = 50, MOST_ROWS = 1030 };
static const size_t outs[OPS] = { MOST_OUT, 7 };

struct linears {
    float x[MOST_ROWS * LD], dx[MOST_ROWS * LD];
    float w[OPS][MOST_OUT * LD], dw[OPS][MOST_OUT * LD], db[OPS][MOST_OUT];
    float dy[OPS][MOST_ROWS * MOST_OUT];
};

static void fill(float *x, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)rng_normal(seed, RNG_TEST, 2, i);
}

static void make(struct linears *l)
{
    fill(l->x, sizeof l->x / sizeof *l->x, 1);
    fill(l->dx, sizeof l->dx / sizeof *l->dx, 2);
    for (uint64_t i = 0; i < OPS; i++) {
        fill(l->w[i], sizeof l->w[i] / sizeof *l->w[i], 3 + i);
        fill(l->dw[i], sizeof l->dw[i] / sizeof *l->dw[i], 5 + i);
        fill(l->db[i], MOST_OUT, 7 + i);
        fill(l->dy[i], sizeof l->dy[i] / sizeof *l->dy[i], 9 + i);
    }
}

/* Bit i of `wanted`: dw of operation i; bit OPS + i: its db. */
static bool wants(unsigned wanted, size_t bit)
{
    return wanted >> bit & 1;
}

static bool dx_is_right(const struct linears *got, const struct linears *was, size_t n)
{
    bool right = true;
    for (size_t r = 0; r < n; r++)
        for (size_t k = 0; k < LD; k++) {
            double sum = (double)was->dx[r * LD + k];
            for (size_t i = 0; k < IN && i < OPS; i++)
                for (size_t j = 0; j < outs[i]; j++)
                    sum += (double)was->dy[i][r * outs[i] + j] * (double)was->w[i][j * LD + k];
            right &= near((double)got->dx[r * LD + k], sum, k < IN ? 1e-4 : 0, 0);
        }
    return right;
}

static bool dw_is_right(const struct linears *got, const struct linears *was, size_t n,
                        unsigned wanted)
{
    bool right = true;
    for (size_t i = 0; i < OPS; i++)
        for (size_t j = 0; j < MOST_OUT; j++) {
            double bias = (double)was->db[i][j];
            const bool there = j < outs[i];
            for (size_t r = 0; there && wants(wanted, OPS + i) && r < n; r++)
                bias += (double)was->dy[i][r * outs[i] + j];
            right &= near((double)got->db[i][j], bias, there ? 1e-4 : 0, 0);
            for (size_t k = 0; k < LD; k++) {
                const bool inside = there && k < IN && wants(wanted, i);
                double sum = (double)was->dw[i][j * LD + k];
                for (size_t r = 0; inside && r < n; r++)
                    sum += (double)was->dy[i][r * outs[i] + j] * (double)was->x[r * LD + k];
                right &= near((double)got->dw[i][j * LD + k], sum, inside ? 1e-3 : 0, 0);
            }
        }
    return right;
}

static void check(const struct backend *b, const char *name, struct linears *l,
                  const struct linears *was, size_t n, unsigned wanted)
{
    struct op_linear o[OPS];
    make(l);
    for (size_t i = 0; i < OPS; i++)
        o[i] = (struct op_linear){ .n = n,
                                   .in = IN,
                                   .out = outs[i],
                                   .ld_x = LD,
                                   .ld_w = LD,
                                   .x = l->x,
                                   .w = l->w[i],
                                   .dy = l->dy[i],
                                   .dx = l->dx,
                                   .dw = wants(wanted, i) ? l->dw[i] : NULL,
                                   .db = wants(wanted, OPS + i) ? l->db[i] : NULL };
    void *scratch = malloc(b->linear_scratch_bytes(o, OPS));
    for (size_t i = 0; i < OPS; i++)
        o[i].scratch = scratch;
    if (scratch)
        b->linears_backward(o, OPS);
    free(scratch);
    ok(scratch && dx_is_right(l, was, n) && dw_is_right(l, was, n, wanted),
       "%s, %zu rows: gradients of %s, %s | %s, %s", name, n, wants(wanted, 0) ? "w" : "-",
       wants(wanted, OPS) ? "b" : "-", wants(wanted, 1) ? "w" : "-",
       wants(wanted, OPS + 1) ? "b" : "-");
}

int main(void)
{
    static const char *const names[] = { "cpu", "cpu-avx2" };
    static const size_t rows[] = { 1, 11, 511, 512, 513, MOST_ROWS };
    struct linears *l = malloc(sizeof *l), *was = malloc(sizeof *was);
    if (!l || !was)
        return 1;
    make(was);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *why;
        const struct backend *b = backend_find(names[i], &why);
        if (!b) {
            skip("gradients of linear: %s", why);
            continue;
        }
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
            check(b, names[i], l, was, rows[k], (1U << (2 * OPS)) - 1);
        for (unsigned wanted = 0; wanted < 1U << (2 * OPS); wanted++)
            check(b, names[i], l, was, 600, wanted);
    }
    free(l);
    free(was);
    threads_stop();
    return tap_end();
}
