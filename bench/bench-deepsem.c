/* bench-deepsem: training passes of DeepSEM on made-up cells, one network a thread as `grn` trains
 * seeds. Options and JSON keys are those of bench/deepsem-torch.py. Of three passes one moves the
 * networks and two move A, as published. */
#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/base/tool.h"
#include "lib/nn/deepsem_fit.h"

static struct {
    int64_t genes, cells, passes;
} opt = { 821, 383, 6 };

static const struct opt opts[] = {
    OPT_I64("genes", &opt.genes, "N", "genes; BEELINE's dendritic cells have 821"),
    OPT_I64("cells", &opt.cells, "N", "cells; 383 there"),
    OPT_I64("passes", &opt.passes, "N", "timed passes over the cells; published: 41"),
    OPT_END,
};

struct job {
    const double *x;
    uint64_t seed;
    struct err e;
};

static void train(void *ctx, size_t i, int worker)
{
    struct job *j = (struct job *)ctx + i;
    const struct deepsem_config c = { (size_t)opt.genes, 128, 100, 1 };
    struct deepsem_options o = deepsem_defaults();
    struct deepsem m;
    (void)worker;
    o.n_passes = (size_t)opt.passes;
    o.seed = j->seed + i;
    if (deepsem_init(&m, &c, &backend_ref, true, &j->e))
        return;
    deepsem_fit(&m, j->x, (size_t)opt.cells, &o, &j->e);
    deepsem_release(&m);
}

/* Normal numbers: the cells are z-scored. */
static double *made_up(uint64_t seed)
{
    const size_t n = (size_t)(opt.cells * opt.genes);
    double *x = malloc(n * sizeof *x);
    for (size_t i = 0; x && i < n; i++)
        x[i] = sqrt(-2 * log(1 - rng_unit(seed, RNG_TEST, i, 0))) *
               cos(6.283185307179586 * rng_unit(seed, RNG_TEST, i, 1));
    return x;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    if (opt.genes < 2 || opt.cells < 2 || opt.passes < 1 || opt.genes > 100000 ||
        opt.cells > 1000000)
        return err_set(e, RC_USAGE, "sizes are out of range");
    const size_t n = (size_t)threads_count();
    struct job *job = calloc(n, sizeof *job);
    double *x = made_up(a->seed);
    struct rusage use;
    enum rc rc = job && x ? RC_OK : err_set(e, RC_FAIL, "no memory for the cells");
    for (size_t i = 0; !rc && i < n; i++)
        job[i] = (struct job){ .x = x, .seed = a->seed };
    const double wall = clock_s(), cpu = processor_s();
    if (!rc)
        threads_for(n, train, job);
    const double cells = (double)(opt.cells * opt.passes) * (double)n;
    for (size_t i = 0; !rc && i < n; i++)
        if (job[i].e.rc)
            rc = err_set(e, job[i].e.rc, "%s", job[i].e.text);
    getrusage(RUSAGE_SELF, &use);
    if (!rc)
        printf("{\"bench\": \"deepsem\", \"cells_per_s\": %.4g, \"cells_per_cpu_s\": %.4g, "
               "\"peak_rss_mib\": %.1f}\n",
               cells / (clock_s() - wall), cells / (processor_s() - cpu),
               (double)use.ru_maxrss / 1024);
    free(job);
    free(x);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "bench-deepsem",
                                      "",
                                      "Time training passes of DeepSEM",
                                      "  bench-deepsem --passes 6 --threads 2",
                                      opts,
                                      0,
                                      0 };
    return tool_main(&tool, run, argc, argv);
}
