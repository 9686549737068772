#include "lib/app/perturb.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_parts.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/io/json.h"

struct job {
    const struct perturb_options *o;
    struct embedder m;
    struct held_cells cells;
    struct perturbations p;
    struct targets targets;
    struct noise noise;
    float *control_mean; /* [controls][genes] NaN where none */
    size_t block;        /* perturbations at a time */
    struct perturb_tables *tables;
    uint64_t n_copies;
    double seconds;
};

/* How many perturbations fit at a time. */
static enum rc plan_memory(struct job *j, struct err *e)
{
    const size_t n_controls = j->p.n - j->p.n_named, G = j->p.n_genes;
    const double all = (double)j->o->memory_mib * 1048576;
    const double kept = (double)n_controls * (double)G * sizeof *j->control_mean;
    const double each = (double)G * sizeof(struct running) +
                        (double)j->cells.n * (sizeof(uint32_t) + MAX_MEASURES * sizeof(double)) * 2;
    if (kept + each > all)
        return err_set(
            e, RC_USAGE,
            "%zu controls of %zu genes take %.0f MiB, more than --memory %lld: raise it, or "
            "lower --controls",
            n_controls, G, ceil((kept + each) / 1048576), (long long)j->o->memory_mib);
    const double fit = floor((all - kept) / each);
    j->block = fit < (double)j->p.n ? (size_t)fit : j->p.n;
    log_say("%zu perturbations and %zu controls on %zu cells, %zu at a time in %.0f MiB",
            j->p.n_named, n_controls, j->cells.n, j->block,
            ceil((kept + (double)j->block * each) / 1048576));
    return RC_OK;
}

static void keep_controls(struct job *j, const struct shifts *s)
{
    const size_t G = s->n_genes;
    for (size_t i = 0; i < s->to - s->from; i++)
        for (size_t g = 0; g < G; g++) {
            const struct running *r = &s->gene[i * G + g];
            j->control_mean[(s->from + i - j->p.n_named) * G + g] = r->n ? (float)r->mean : NAN;
        }
}

/* Perturbations [from, to), a block at a time. */
static enum rc run_blocks(struct job *j, size_t from, size_t to, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t at = from; !rc && at < to; at += j->block) {
        struct shifts s;
        const double start = clock_s();
        rc = shifts_run(&s, &j->m, &j->cells, &j->p, &j->targets, j->o, at,
                        to - at < j->block ? to : at + j->block, e);
        if (rc)
            return rc;
        j->seconds += clock_s() - start;
        j->n_copies += s.n_copies;
        rc = perturb_summarise(&s, &j->p, j->o, e);
        if (!rc && at >= j->p.n_named)
            keep_controls(j, &s);
        else if (!rc)
            rc = perturb_tables_add(j->tables, &s, &j->p, j->control_mean, &j->cells, &j->m, e);
        shifts_release(&s);
    }
    return rc;
}

static enum rc check_seen(const struct job *j, struct err *e)
{
    for (size_t i = 0; i < j->p.n_named; i++)
        if (j->p.item[i].n_cells)
            return RC_OK;
    if (j->o->how.kind != CHANGE_FACTOR || j->o->how.factor > 0)
        return err_set(e, RC_INPUT,
                       "no cell is concerned: in none of %zu does '%s'%s change what the "
                       "model reads",
                       j->cells.n, j->p.item[0].name, j->p.n_named > 1 ? " or any other" : "");
    return err_set(e, RC_INPUT, "no cell is concerned: of %zu cells none has '%s'%s%s", j->cells.n,
                   j->p.item[0].name, j->p.n_named > 1 ? " or any other of the genes" : "",
                   j->o->how.top_half ? " in its upper half of ranks" : "");
}

static enum rc write_report(struct job *j, struct err *e)
{
    if (!j->o->report)
        return RC_OK;
    const char *hash = embedder_sha256(&j->m, e);
    if (!hash)
        return RC_FAIL;
    return json_write(
        j->o->report,
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:i}", "model_sha256", hash, "cells",
                  (json_int_t)j->cells.n, "cells_seen", (json_int_t)j->cells.n_seen,
                  "perturbations", (json_int_t)j->p.n_named, "controls",
                  (json_int_t)(j->p.n - j->p.n_named), "genes", (json_int_t)j->p.n_genes,
                  "perturbed_cells", (json_int_t)j->n_copies, "top_percent",
                  j->o->how.top_half ? 50 : 100),
        e);
}

static enum rc run(struct job *j, struct err *e)
{
    const struct perturb_options *o = j->o;
    enum rc rc = held_cells_read(&j->cells, &j->m, o, e);
    if (!rc)
        rc = perturbations_make(&j->p, &j->m, &j->cells, o, e);
    if (!rc)
        rc = targets_make(&j->targets, &j->m, o, e);
    if (!rc)
        rc = plan_memory(j, e);
    const size_t n_control = (j->p.n - j->p.n_named) * j->p.n_genes;
    if (!rc && !(j->control_mean = malloc((n_control + 1) * sizeof *j->control_mean)))
        rc = err_set(e, RC_FAIL, "no memory for means of %zu genes", n_control);
    if (!rc)
        rc = perturb_tables_open(&j->tables, o, &j->cells, &j->p, e);
    if (!rc)
        rc = noise_run(&j->noise, &j->m, &j->cells, &j->p, &j->targets, o, e);
    if (!rc)
        rc = run_blocks(j, j->p.n_named, j->p.n, e);
    if (!rc)
        rc = run_blocks(j, 0, j->p.n_named, e);
    if (!rc)
        rc = check_seen(j, e);
    if (!rc)
        rc = perturb_tables_close(j->tables, &j->p, &j->noise, &j->cells, &j->m, e);
    if (!rc)
        log_say("%llu perturbed cells in %.1f s: %.1f a second", (unsigned long long)j->n_copies,
                j->seconds, (double)j->n_copies / j->seconds);
    return rc ? rc : write_report(j, e);
}

enum rc perturb(const struct perturb_options *o, const struct backend *b, struct err *e)
{
    struct job j = { .o = o };
    enum rc rc = embedder_open(&j.m, o->model, b,
                               &(struct embedder_wants){ .hash = o->report || o->per_cell }, e);
    if (rc)
        return rc;
    if (o->random_weights)
        model_randomise(&j.m.model, o->seed);
    tape_keep_weights(&j.m.tape, TAPE_KEEP_BYTES);
    rc = folder_make(o->out, e);
    if (!rc)
        rc = run(&j, e);
    perturb_tables_abort(j.tables);
    free(j.control_mean);
    targets_release(&j.targets);
    perturbations_release(&j.p);
    held_cells_release(&j.cells);
    embedder_close(&j.m);
    return rc;
}
