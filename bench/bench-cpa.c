/* bench-cpa: training steps of CPA on a made-up set. Options and JSON keys are those of
 * bench/cpa-torch.py. A round is three steps, one of the autoencoder and two of the adversaries, as
 * the release alternates. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/tool.h"
#include "lib/nn/cpa_train.h"

static struct {
    int64_t genes, drugs, width, batch, rounds, cells;
} opt = { 5000, 4, 128, 256, 5, 2000 };

static const struct opt opts[] = {
    OPT_I64("genes", &opt.genes, "N", "measured genes"),
    OPT_I64("drugs", &opt.drugs, "N", "drugs, each at seven doses"),
    OPT_I64("width", &opt.width, "N", "of the network and its latent space"),
    OPT_I64("batch", &opt.batch, "N", "cells of a step"),
    OPT_I64("rounds", &opt.rounds, "N", "timed rounds of three steps, behind one that is not"),
    OPT_I64("cells", &opt.cells, "N", "of the set"),
    OPT_END,
};

/* Every fourth cell is control; every third gene of a cell is expressed. */
static enum rc make_set(struct dose_set *s, uint64_t seed, struct err *e)
{
    const size_t n = (size_t)opt.cells, g = (size_t)opt.genes, each = g / 3;
    const char **drug = malloc((n + 1) * sizeof *drug);
    double *dose = malloc((n + 1) * sizeof *dose);
    char name[32];
    dose_set_init(s);
    s->x.n_cells = n;
    s->x.n_genes = g;
    s->x.indptr = calloc(n + 1, sizeof *s->x.indptr);
    s->x.index = malloc((n * each + 1) * sizeof *s->x.index);
    s->x.value = malloc((n * each + 1) * sizeof *s->x.value);
    s->x.gene = calloc(g + 1, sizeof *s->x.gene);
    enum rc rc = RC_OK;
    if (!drug || !dose || !s->x.indptr || !s->x.index || !s->x.value || !s->x.gene)
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t j = 0; !rc && j < g; j++) {
        snprintf(name, sizeof name, "G%zu", j);
        s->x.gene[j] = arena_text(&s->x.text, name);
    }
    for (size_t i = 0; !rc && i < n; i++) {
        snprintf(name, sizeof name, "D%zu", i / 4 % (size_t)opt.drugs);
        drug[i] = i % 4 ? arena_text(&s->x.text, name) : "control";
        dose[i] = (double)(1 + rng_below(seed, RNG_TEST, i, 0, 7)) / 7;
        for (size_t k = 0; k < each; k++) {
            const uint64_t u = rng_u64(seed, RNG_TEST, i, k + 1);
            s->x.index[i * each + k] = (uint32_t)(3 * k + u % 3);
            s->x.value[i * each + k] = 0.1 + (double)(u >> 32) * 0x1p-31;
        }
        s->x.indptr[i + 1] = (i + 1) * each;
    }
    const struct dose_columns c = { drug, NULL, NULL, dose };
    const struct dose_rules rules = { { PERTURB_LOG, 1e4, 1 }, "control", true };
    if (!rc)
        rc = dose_set_finish(s, &c, &rules, e);
    else
        dose_set_release(s);
    free(drug);
    free(dose);
    return rc;
}

static enum rc rounds(struct cpa_training *t, size_t n, struct err *e)
{
    struct cpa_losses l;
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < 3 * n; k++)
        rc =
            cpa_training_step(t, t->cell + k * t->plan.batch % (t->n_train - t->plan.batch), &l, e);
    return rc;
}

static enum rc measure(struct cpa_training *t, struct err *e)
{
    struct rusage use;
    enum rc rc = rounds(t, 1, e);
    const double wall = clock_s(), cpu = processor_s();
    if (!rc)
        rc = rounds(t, (size_t)opt.rounds, e);
    const double cells = 3 * (double)opt.rounds * (double)t->plan.batch;
    getrusage(RUSAGE_SELF, &use);
    if (!rc)
        printf("{\"bench\": \"cpa\", \"cells_per_s\": %.4g, \"cells_per_cpu_s\": %.4g, "
               "\"peak_rss_mib\": %.1f}\n",
               cells / (clock_s() - wall), cells / (processor_s() - cpu),
               (double)use.ru_maxrss / 1024);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct dose_set s;
    struct cpa_training t;
    const struct backend *b;
    if (backend_need(a->backend, &b, e))
        return RC_SKIP;
    if (opt.genes < 3 || opt.drugs < 1 || opt.width < 2 || opt.batch < 2 || opt.rounds < 1 ||
        opt.cells < opt.batch + 1)
        return err_set(e, RC_USAGE, "sizes are out of range");
    enum rc rc = make_set(&s, a->seed, e);
    if (rc)
        return rc;
    unsigned char *part = calloc(s.x.n_cells + 1, 1); /* all of them DOSE_TRAIN */
    struct cpa_plan plan = cpa_plan_published;
    plan.d = plan.width = plan.doser_width = (size_t)opt.width;
    plan.adversary_width = (size_t)opt.width / 2;
    plan.batch = (size_t)opt.batch;
    plan.seed = a->seed;
    const struct cpa_task task = { .set = &s, .part = part };
    rc = part ? cpa_training_init(&t, &task, &plan, b, e)
              : err_set(e, RC_FAIL, "no memory for %zu cells", s.x.n_cells);
    if (!rc) {
        rc = measure(&t, e);
        cpa_training_release(&t);
    }
    free(part);
    dose_set_release(&s);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "bench-cpa", "", "Time training steps of CPA", "  bench-cpa --rounds 5 --threads 2", opts,
        0,           0
    };
    return tool_main(&tool, run, argc, argv);
}
