#include "lib/tensor/product_rate.h"

#include <dnnl.h>
#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"

/* Rows that do not begin a multiple of 4,096 bytes apart: with 1,024 numbers a row the library's
 * products took 2.5 times as long on one AVX2 machine. */
enum { ROWS = 128, WIDTH = 960, CALLS = 8 };
#define SECONDS 0.1

extern void omp_set_num_threads(int n);

struct yard {
    const struct backend *b;
    struct op_linear *o; /* of each worker */
    bool library;
};

static void product_task(void *ctx, size_t i, int worker)
{
    const struct yard *y = ctx;
    (void)worker;
    omp_set_num_threads(1); /* the library would start a team in each worker */
    for (int k = 0; k < CALLS; k++)
        if (y->library)
            dnnl_sgemm('N', 'N', ROWS, WIDTH, WIDTH, 1, y->o[i].x, WIDTH, y->o[i].w, WIDTH, 0,
                       y->o[i].y, WIDTH);
        else
            y->b->linear_forward(&y->o[i]);
}

static double seconds(enum rate_clock clock)
{
    return clock == RATE_WALL ? clock_s() : processor_s() / threads_count();
}

static double best_of(struct yard *y, enum rate_clock clock)
{
    const size_t n = (size_t)threads_count();
    const double begin = clock_s();
    double best = 0;
    for (int k = 0; k < 3 || clock_s() - begin < SECONDS; k++) {
        const double start = seconds(clock);
        threads_for(n, product_task, y);
        const double rate =
            (double)n * CALLS * 2.0 * ROWS * WIDTH * WIDTH / (seconds(clock) - start);
        best = k && rate > best ? rate : best; /* the first round warms up */
    }
    return best;
}

/* One worker's operation; its memory is each[0..] bytes from at on: matrices, scratch, packed. */
static struct op_linear product_of(const struct backend *b, char *at, const size_t each[3])
{
    const size_t x = (size_t)ROWS * WIDTH, w = (size_t)WIDTH * WIDTH;
    float *m = (float *)at;
    for (size_t i = 0; m && i < 2 * x + w; i++)
        m[i] = (float)(i % 7);
    struct op_linear o = { .n = ROWS, .in = WIDTH, .out = WIDTH, .ld_x = WIDTH, .ld_w = WIDTH };
    if (!m)
        return o;
    o.w = m;
    o.x = m + w;
    o.y = m + w + x;
    o.scratch = at + each[0];
    if (each[2]) {
        b->linear_pack(&o, at + each[0] + each[1]);
        o.packed = at + each[0] + each[1];
    }
    return o;
}

static size_t whole_lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

double product_rate(const struct backend *b, enum rate_clock clock)
{
    if (b->memory || b->real_bytes != sizeof(float))
        return 0;
    const size_t n = (size_t)threads_count();
    const struct op_linear o = product_of(b, NULL, NULL);
    const size_t each[3] = {
        whole_lines((2 * (size_t)ROWS * WIDTH + (size_t)WIDTH * WIDTH) * sizeof(float)),
        b->linear_scratch_bytes ? whole_lines(b->linear_scratch_bytes(&o, 1)) : 0,
        b->linear_packed_bytes ? whole_lines(b->linear_packed_bytes(&o)) : 0
    };
    const size_t whole = each[0] + each[1] + each[2];
    char *m = memory_pages(n * whole);
    struct yard y = { .b = b, .o = calloc(n, sizeof *y.o) };
    double best = 0;
    if (m && y.o) {
        for (size_t i = 0; i < n; i++)
            y.o[i] = product_of(b, m + i * whole, each);
        best = best_of(&y, clock);
        y.library = true;
        const double library = best_of(&y, clock);
        best = library > best ? library : best;
    }
    free(y.o);
    free(m);
    return best;
}
