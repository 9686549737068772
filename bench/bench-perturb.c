/* bench-perturb: perturbed cells per second of lib/app/perturb.h, beside the same deletions through
 * embedder_encode as `embed` does it, for each gene all cells once as they are and once without the
 * gene, in full batches; and beside one cell at a time. bench-perturb CELLS --model DIR --genes N
 * --max-cells N In turn in one run, by wall and by processor time, or one of them with --way. One
 * JSON line. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_parts.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"

static struct perturb_options o = { .all_genes = true,
                                    .how = { .kind = CHANGE_FACTOR },
                                    .change_name = "delete",
                                    .species = "auto",
                                    .label = "label",
                                    .overlap = 0.01,
                                    .max_cells = 50 };
static int64_t n_genes = 20, rounds = 3;

enum { PERTURB, EMBED, ONE_BY_ONE, N_WAYS };
static const char *const way_name[N_WAYS] = { "perturb", "embed", "one_by_one" };
static const char *way = "all";

static const struct opt opts[] = {
    OPT_STR("model", &o.model, "DIR", "a folder that pretrain wrote: step-N"),
    OPT_I64("genes", &n_genes, "N", "deleted one at a time"),
    OPT_I64("max-cells", &o.max_cells, "N", "cells"),
    OPT_I64("rounds", &rounds, "N", "of the three in turn; the fastest of each counts"),
    OPT_CHOICE("way", &way, "all|perturb|embed|one_by_one", "one of the three alone"),
    OPT_END,
};

struct times {
    double wall, processor;
};

static struct times now(void)
{
    return (struct times){ clock_s(), processor_s() };
}

static void keep_best(struct times *best, struct times start)
{
    const struct times t = now();
    best->wall = fmin(best->wall, t.wall - start.wall);
    best->processor = fmin(best->processor, t.processor - start.processor);
}

struct bench {
    struct embedder m;
    struct held_cells cells;
    struct perturbations p;
    struct targets none;
    struct cell_tokens waiting;
    float *to; /* [max_rows, D] */
    uint64_t n_copies;
};

static enum rc encode_waiting(struct bench *b, struct err *e)
{
    enum rc rc = embedder_encode(&b->m, &b->waiting, b->to, e);
    cell_tokens_clear(&b->waiting);
    return rc;
}

static enum rc add(struct bench *b, const struct held_cell *h, const struct cell_copy *c,
                   size_t max_rows, struct err *e)
{
    const struct token_work w = { .token = c->token, .value = c->value, .n = c->n };
    if (b->waiting.n && b->waiting.rows + c->n + 1 > max_rows && encode_waiting(b, e))
        return e->rc;
    return cell_tokens_add(&b->waiting, &w, h->id, (enum species)h->species, b->waiting.n, e);
}

/* Every gene: its cells as they are, and without it. */
static enum rc encode_again(struct bench *b, size_t max_rows, struct err *e)
{
    const uint32_t max = b->m.model.config.max_genes;
    struct cell_copy c = { 0, malloc(max * sizeof *c.token), malloc(max * sizeof *c.value) };
    enum rc rc = c.token && c.value ? RC_OK : err_set(e, RC_FAIL, "no memory");
    for (size_t i = 0; !rc && i < b->p.n_named; i++)
        for (size_t k = 0; !rc && k < b->cells.n; k++) {
            const struct held_cell *h = &b->cells.cell[k];
            const struct perturbation *x = &b->p.item[i];
            if (cell_change(&h->genes, x->token, x->n_tokens, &o.how, max, &c) != CHANGE_DONE)
                continue;
            rc = add(b, h, &c, max_rows, e);
            b->n_copies++;
            cell_unchanged(&h->genes, max, &c);
            if (!rc)
                rc = add(b, h, &c, max_rows, e);
        }
    if (!rc && b->waiting.n)
        rc = encode_waiting(b, e);
    free(c.token);
    free(c.value);
    return rc;
}

static enum rc run_way(struct bench *b, int k, struct err *e)
{
    struct shifts s;
    b->n_copies = 0;
    if (k != PERTURB)
        return encode_again(b, k == EMBED ? b->m.max_rows : 1, e);
    enum rc rc = shifts_run(&s, &b->m, &b->cells, &b->p, &b->none, &o, 0, b->p.n_named, e);
    if (!rc) {
        b->n_copies = s.n_copies;
        shifts_release(&s);
    }
    return rc;
}

static enum rc measure(struct bench *b, struct err *e)
{
    const bool all = strcmp(way, "all") == 0;
    struct times best[N_WAYS];
    enum rc rc = model_fold(&b->m.model, e);
    for (int k = 0; k < N_WAYS; k++)
        best[k] = (struct times){ INFINITY, INFINITY };
    for (int64_t r = 0; !rc && r < rounds; r++)
        for (int k = 0; !rc && k < N_WAYS; k++) {
            const struct times start = now();
            if (!all && strcmp(way, way_name[k]) != 0)
                continue;
            rc = run_way(b, k, e);
            keep_best(&best[k], start);
        }
    if (rc)
        return rc;
    const double n = (double)b->n_copies;
    printf("{\"cells\": %zu, \"genes\": %zu, \"perturbed_cells\": %.0f", b->cells.n, b->p.n_named,
           n);
    for (int k = 0; k < N_WAYS; k++)
        if (all)
            printf(", \"%s\": {\"cells_per_s\": %.2f, \"ratio\": %.3f, \"processor_ratio\": %.3f}",
                   way_name[k], n / best[k].wall, best[k].wall / best[0].wall,
                   best[k].processor / best[0].processor);
        else if (strcmp(way, way_name[k]) == 0)
            printf(", \"cells_per_s\": %.2f, \"cells_per_cpu_s\": %.2f", n / best[k].wall,
                   n / best[k].processor);
    printf("}\n");
    return RC_OK;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct bench b = { 0 };
    if (!o.model || n_genes < 1 || o.max_cells < 1 || rounds < 1)
        return err_set(e, RC_USAGE, "--model is missing, or a number is below 1");
    const struct backend *backend;
    if (backend_need(a->backend, &backend, e))
        return RC_SKIP;
    o.inputs = a->arg;
    o.out = "/tmp";
    o.seed = a->seed;
    o.least_cells = (o.max_cells + 2) / 3;
    enum rc rc = embedder_open(&b.m, o.model, backend, &(struct embedder_wants){ 0 }, e);
    if (rc)
        return rc;
    cell_tokens_init(&b.waiting);
    rc = held_cells_read(&b.cells, &b.m, &o, e);
    if (!rc)
        rc = perturbations_make(&b.p, &b.m, &b.cells, &o, e);
    if (!rc && b.p.n_named > (size_t)n_genes)
        b.p.n_named = b.p.n = (size_t)n_genes;
    b.to = malloc(b.m.max_rows * b.m.model.config.d * sizeof *b.to);
    if (!rc && !b.to)
        rc = err_set(e, RC_FAIL, "no memory");
    if (!rc)
        rc = measure(&b, e);
    free(b.to);
    cell_tokens_release(&b.waiting);
    perturbations_release(&b.p);
    held_cells_release(&b.cells);
    embedder_close(&b.m);
    return rc;
}

int main(int argc, char **argv)
{
    static const struct tool tool = { "bench-perturb",
                                      "CELLS...",
                                      "Perturbed cells per second beside encoding cells again",
                                      "See the head of bench/bench-perturb.c.",
                                      opts,
                                      1,
                                      -1 };
    return tool_main(&tool, run, argc, argv);
}
