/* What this machine's products can do, for the bench programs to print beside their own figures. */
#ifndef GC_BENCH_RATE_H
#define GC_BENCH_RATE_H

#include <stdlib.h>
#include <time.h>

#include "lib/base/thread.h"
#include "lib/tensor/backend.h"

/* Seconds of processor time that this process has taken, all threads together. */
static inline double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { RATE_SIDE = 1024, RATE_ROWS = 128, RATE_CALLS = 16 };
struct rate {
    const struct backend *b;
    float *m;
    char *scratch;
    size_t scratch_bytes; /* of a worker */
};

/* dx = dy w: of the cpu filling one call of the library, with nothing packed before it. */
static inline struct op_linear rate_op(float *m)
{
    const size_t n = RATE_SIDE;
    return (struct op_linear){ .n = RATE_ROWS,
                               .in = n,
                               .out = n,
                               .dy = m,
                               .w = m + n * n,
                               .ld_x = n,
                               .ld_w = n,
                               .dx = m + 2 * n * n };
}

static inline void rate_task(void *ctx, size_t i, int worker)
{
    const struct rate *r = ctx;
    (void)worker;
    const size_t n = RATE_SIDE;
    float *m = r->m + i * 3 * n * n;
    struct op_linear o = rate_op(m);
    o.scratch = r->scratch + i * r->scratch_bytes;
    for (int k = 0; k < RATE_CALLS; k++)
        r->b->linear_backward(&o);
}

/* GFLOP/s of b's products on 128 x 1024 x 1024, each worker its own; the best of five rounds. By
 * processor time, as if each worker had a core to itself: neighbours take time, not speed. 0: no
 * memory. */
static inline double rate_of_products(const struct backend *b)
{
    const size_t n = RATE_SIDE, w = (size_t)threads_count();
    const double flop = 2.0 * RATE_CALLS * RATE_ROWS * RATE_SIDE * RATE_SIDE * (double)w;
    struct rate r = { .b = b, .m = calloc(w * 3 * n * n, sizeof *r.m) };
    const struct op_linear o = rate_op(r.m);
    if (b->linear_scratch_bytes)
        r.scratch_bytes = (b->linear_scratch_bytes(&o, 1) + 63) / 64 * 64;
    r.scratch = malloc(w * r.scratch_bytes + 1);
    double best = 0;
    for (int k = 0; r.m && r.scratch && k < 5; k++) {
        const double start = cpu_s();
        threads_for(w, rate_task, &r);
        const double took = (cpu_s() - start) / (double)w;
        const double rate = flop / took * 1e-9;
        best = rate > best ? rate : best;
    }
    free(r.scratch);
    free(r.m);
    return best;
}

#endif
