/* bench-gears: training steps of GEARS on a made-up set. Options and JSON keys are those of
 * bench/gears-torch.py; --cells is the size of the set in memory (Norman et al. 2019 has 91,000
 * cells with a third of the genes each). */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/tool.h"
#include "lib/nn/gears_train.h"

static struct {
    int64_t genes, nodes, neighbours, width, batch, steps, cells;
    const char *style;
} opt = { 3040, 9853, 20, 64, 16, 5, 2000, "shared" };

static const struct opt opts[] = {
    OPT_I64("genes", &opt.genes, "N", "measured genes"),
    OPT_I64("nodes", &opt.nodes, "N", "genes of the perturbation graph"),
    OPT_I64("neighbours", &opt.neighbours, "N", "of each of them"),
    OPT_I64("width", &opt.width, "N", "of the network"),
    OPT_I64("batch", &opt.batch, "N", "cells of a step"),
    OPT_I64("steps", &opt.steps, "N", "timed steps, behind one that is not"),
    OPT_I64("cells", &opt.cells, "N", "of the set"),
    OPT_CHOICE("style", &opt.style, "released|shared", "the gene branch for every cell, or once"),
    OPT_END,
};

enum { CONDITIONS = 200 };

/* Every third gene of a cell is expressed; condition c perturbs genes c and c + 1. */
static enum rc make_set(struct perturb_set *s, uint64_t seed, struct err *e)
{
    const size_t n = (size_t)opt.cells, g = (size_t)opt.genes, each = g / 3;
    const char **of = malloc((n + 1) * sizeof *of);
    char name[64];
    const struct perturb_rules rules = { PERTURB_LOG, 1e4, 1 };
    perturb_set_init(s);
    s->n_cells = n;
    s->n_genes = g;
    s->indptr = calloc(n + 1, sizeof *s->indptr);
    s->index = malloc(n * each * sizeof *s->index);
    s->value = malloc(n * each * sizeof *s->value);
    s->gene = calloc(g + 1, sizeof *s->gene);
    if (!of || !s->indptr || !s->index || !s->value || !s->gene) {
        free(of);
        perturb_set_release(s);
        return err_set(e, RC_FAIL, "no memory for %zu cells", n);
    }
    for (size_t j = 0; j < g; j++) {
        snprintf(name, sizeof name, "G%zu", j);
        s->gene[j] = arena_text(&s->text, name);
    }
    const char *condition[CONDITIONS];
    for (size_t c = 0; c < CONDITIONS; c++) {
        snprintf(name, sizeof name, "G%zu+G%zu", c, c + 1);
        condition[c] = c ? arena_text(&s->text, name) : "ctrl";
    }
    for (size_t i = 0; i < n; i++) {
        of[i] = condition[i % CONDITIONS];
        for (size_t k = 0; k < each; k++) {
            const uint64_t u = rng_u64(seed, RNG_TEST, i, k);
            s->index[i * each + k] = (uint32_t)(3 * k + u % 3);
            s->value[i * each + k] = 0.1 + (double)(u >> 32) * 0x1p-31;
        }
        s->indptr[i + 1] = (i + 1) * each;
    }
    enum rc rc = perturb_set_finish(s, of, &rules, e);
    free(of);
    return rc;
}

static enum rc make_graph(struct gears_graph *g, size_t n, size_t k, uint64_t seed, struct err *e)
{
    *g = (struct gears_graph){ 0, malloc(n * (k + 1) * sizeof *g->from),
                               malloc(n * (k + 1) * sizeof *g->to),
                               malloc(n * (k + 1) * sizeof *g->weight) };
    if (!g->from || !g->to || !g->weight)
        return err_set(e, RC_FAIL, "no memory for a graph");
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= k; j++) {
            g->from[g->n] =
                j ? (uint32_t)((i + 1 + rng_below(seed, RNG_TEST, i, j, n - 1)) % n) : (uint32_t)i;
            g->to[g->n] = (uint32_t)i;
            g->weight[g->n++] = 0.1 + rng_unit(seed, RNG_TEST, i, 1000 + j);
        }
    return RC_OK;
}

static enum rc measure(struct gears_training *t, struct err *e)
{
    const size_t n = t->plan.batch;
    struct rusage use;
    enum rc rc = gears_training_step(t, t->cell, &(double){ 0 }, e);
    const double wall = clock_s(), cpu = processor_s();
    for (size_t k = 0; !rc && k < (size_t)opt.steps; k++)
        rc = gears_training_step(t, t->cell + (k + 1) * n % (t->n_train - n), &(double){ 0 }, e);
    const double cells = (double)opt.steps * (double)n;
    getrusage(RUSAGE_SELF, &use);
    if (!rc)
        printf("{\"bench\": \"gears\", \"style\": \"%s\", \"cells_per_s\": %.4g, "
               "\"cells_per_cpu_s\": %.4g, \"peak_rss_mib\": %.1f}\n",
               opt.style, cells / (clock_s() - wall), cells / (processor_s() - cpu),
               (double)use.ru_maxrss / 1024);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct perturb_set s;
    struct perturb_facts f;
    struct gears_graph go = { 0 }, co = { 0 };
    struct gears_training t;
    enum part part[CONDITIONS] = { PART_TRAIN };
    uint32_t node[CONDITIONS + 1];
    const struct backend *b;
    if (backend_need(a->backend, &b, e))
        return RC_SKIP;
    if (opt.genes < 3 * CONDITIONS || opt.nodes < 2 * CONDITIONS || opt.cells < 2 * CONDITIONS ||
        opt.batch < 1 || opt.batch > CONDITIONS || opt.steps < 1 || opt.neighbours < 0 ||
        opt.width < 1)
        return err_set(e, RC_USAGE, "at least %d genes, %d nodes and cells, one step and cell",
                       3 * CONDITIONS, 2 * CONDITIONS);
    enum rc rc = make_set(&s, a->seed, e);
    if (rc)
        return rc;
    rc = perturb_facts_init(&f, &s, e);
    if (!rc) {
        rc = make_graph(&go, (size_t)opt.nodes, (size_t)opt.neighbours, a->seed, e);
        rc = rc ? rc : make_graph(&co, s.n_genes, 1, a->seed, e);
        for (uint32_t i = 0; i < f.n_targets; i++)
            node[i] = i;
        const struct gears_task task = { &f, part, &go, &co, (size_t)opt.nodes, node, NULL };
        struct gears_plan plan = gears_plan_published;
        plan.d = (size_t)opt.width;
        plan.batch = (size_t)opt.batch;
        plan.shared = strcmp(opt.style, "shared") == 0;
        if (!rc)
            rc = gears_training_init(&t, &task, &plan, b, e);
        if (!rc) {
            rc = measure(&t, e);
            gears_training_release(&t);
        }
        gears_graph_release(&go);
        gears_graph_release(&co);
        perturb_facts_release(&f);
    }
    perturb_set_release(&s);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = {
        "bench-gears", "", "Training steps of GEARS per second, as a line of JSON", "", opts, 0, 0
    };
    return tool_main(&tool, run, argc, argv);
}
