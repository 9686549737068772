#include "lib/app/sgemm_rate.h"

#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/tensor/backend.h"

enum { ROWS = 128, WIDTH = 1024, TIMES = 4 };
#define SECONDS 0.1

/* 128 x 1024 times 1024 x 1024, a few times over: the way of linear that packs nothing first. */
static void product_task(void *ctx, size_t i, int worker)
{
    const size_t each = ROWS * WIDTH * 2 + WIDTH * WIDTH;
    float *x = (float *)ctx + i * each, *w = x + ROWS * WIDTH, *y = w + WIDTH * WIDTH;
    (void)worker;
    const struct op_linear o = {
        .n = ROWS, .in = WIDTH, .out = WIDTH, .w = w, .ld_x = WIDTH, .ld_w = WIDTH, .dy = x, .dx = y
    };
    for (int k = 0; k < TIMES; k++)
        backend_cpu.linear_backward(&o);
}

double sgemm_rate(void)
{
    const char *why;
    const size_t n = (size_t)threads_count();
    const size_t reals = n * (ROWS * WIDTH * 2 + WIDTH * WIDTH);
    float *m = backend_find("cpu", &why) ? memory_pages(reals * sizeof *m) : NULL;
    double best = 0;
    for (size_t i = 0; m && i < reals; i++)
        m[i] = (float)(i % 7);
    const double begin = clock_s();
    for (int k = 0; m && (k < 3 || clock_s() - begin < SECONDS); k++) {
        const double start = clock_s();
        threads_for(n, product_task, m);
        const double rate = (double)n * TIMES * 2.0 * ROWS * WIDTH * WIDTH / (clock_s() - start);
        best = k && rate > best ? rate : best; /* the first round warms up */
    }
    free(m);
    return best;
}
