#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/app/pretrain.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/io/json.h"
#include "lib/nn/cost.h"
#include "lib/tensor/product_rate.h"

static enum rc write_baselines(const struct pretrain *p, const struct train_eval *v, struct err *e)
{
    char *path = text_new("%s/baselines.json", p->o->out);
    enum rc rc =
        path ? json_write(path,
                          json_pack("{s:f, s:f, s:f, s:i, s:i, s:s}", "id_loss", v->base_id_loss,
                                    "value_loss", v->base_value_loss, "accuracy", v->base_accuracy,
                                    "cells", (int)v->n_cells, "masked", (int)v->n_masked, "what",
                                    "gene by its share in the training cells, value by "
                                    "its mean there"),
                          e)
             : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    return rc;
}

enum rc pretrain_evaluate(struct pretrain *p, uint64_t step, struct err *e)
{
    struct train_eval v;
    const struct cell_source held = { p->n_held, pretrain_held_cell, p };
    if (!p->n_held)
        return RC_OK;
    enum rc rc = trainer_evaluate(&p->trainer, &held, &p->base, &v, e);
    if (rc)
        return rc;
    if (!p->model.config.use_values)
        v.value_loss = NAN; /* of a head that was never trained */
    p->eval = v;
    p->eval_step = step;
    if (p->dist->rank == 0 && (step == 0 || !p->o->eval_every))
        rc = write_baselines(p, &v, e);
    if (!rc)
        rc = run_log_eval(&p->log, step, &v, &p->base, e);
    return dist_agree(p->dist, rc, e);
}

/* Forward and backward of all cells by spec/04 section 7: true lengths, the ID head at masked rows.
 */
static double step_flop(const struct model_config *c, const struct step_batch *s, size_t n_masked)
{
    double flop = cost_forward(c, 0, (double)n_masked) - cost_forward(c, 0, 0);
    for (size_t i = 0; i < s->n_cells; i++)
        flop += cost_forward(c, s->cell[i].n < c->max_genes ? s->cell[i].n : c->max_genes, 0);
    return 3 * flop;
}

static struct step_speed speed_of(struct pretrain *p, const struct step_batch *s,
                                  const struct train_result *t, double seconds)
{
    const struct model_config *c = &p->model.config;
    const struct step_speed v = {
        .seconds = seconds,
        .waited_s = p->loader.waited_s - p->waited_s,
        .tokens = (double)(t->n_genes + t->n_cells),
        .padded = (double)t->n_cells * (1.0 + c->max_genes),
        .flop = step_flop(c, s, t->n_masked),
        .sgemm = p->sgemm,
    };
    p->waited_s = p->loader.waited_s;
    return v;
}

/* Loss or gradient is not finite: every cell of the batch into a file, for whoever looks why. */
static enum rc list_cells(const struct pretrain *p, const struct step_batch *s, struct err *e)
{
    char why[ERR_TEXT_MAX];
    struct outfile f;
    char *path = text_new("%s/not-finite.tsv", p->o->out);
    snprintf(why, sizeof why, "%s", e->text);
    enum rc rc = path ? outfile_open(&f, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc) {
        fprintf(f.f, "step\tmicro_batch\tcell_id\n");
        for (size_t i = 0, m = 0; i < s->n_cells; i++) {
            m += i == s->micro_first[m + 1];
            fprintf(f.f, "%llu\t%zu\t%016llx\n", (unsigned long long)s->step, m,
                    (unsigned long long)s->cell[i].cell_id);
        }
        rc = outfile_commit(&f, e);
    }
    if (!rc)
        rc = err_set(e, RC_CHECK, "%.1500s; all of them are in '%s'", why, path);
    free(path);
    return rc;
}

static enum rc one_step(struct pretrain *p, uint64_t step, struct train_result *t, struct err *e)
{
    struct step_batch *s = NULL;
    const double start = clock_s();
    enum rc rc = dist_agree(p->dist, loader_next(&p->loader, &s, e), e);
    if (!rc)
        rc = trainer_learn(&p->trainer, s, t, e);
    if (rc == RC_CHECK && p->dist->rank == 0)
        return list_cells(p, s, e);
    if (rc)
        return rc;
    const struct step_speed speed = speed_of(p, s, t, clock_s() - start);
    return run_log_step(&p->log, step + 1, t, &speed, e);
}

/* A signal may have reached one rank only. */
static enum rc any_stop(struct dist *d, const volatile sig_atomic_t *stop, bool *any, struct err *e)
{
    uint64_t n = *stop != 0;
    enum rc rc = dist_sum(d, &n, 1, e);
    *any = n > 0;
    return rc;
}

/* Step `done`, from 1, with all that follows it. */
static enum rc step_and_save(struct pretrain *p, uint64_t done, const volatile sig_atomic_t *stop,
                             struct train_result *t, struct err *e)
{
    const bool last = done == p->steps;
    bool end = false;
    enum rc rc = dist_agree(p->dist, one_step(p, done - 1, t, e), e);
    if (!rc && p->o->eval_every && (last || done % (uint64_t)p->o->eval_every == 0))
        rc = pretrain_evaluate(p, done, e);
    if (!rc)
        rc = any_stop(p->dist, stop, &end, e);
    if (!rc && (last || end || done % (uint64_t)p->o->checkpoint_every == 0))
        rc = pretrain_save(p, done, e);
    if (rc || last || !end)
        return rc;
    err_set(e, RC_FAIL, "stopped at step %llu of %llu; --resume goes on", (unsigned long long)done,
            (unsigned long long)p->steps);
    return dist_agree(p->dist, RC_FAIL, e);
}

/* The yardstick of speed.log, on all ranks at once. */
static enum rc measure(struct pretrain *p, struct err *e)
{
    const size_t n = (size_t)p->dist->size;
    double *rate = calloc(n, sizeof *rate);
    if (!rate)
        return err_set(e, RC_FAIL, "no memory for %zu ranks", n);
    const char *why;
    const struct backend *b = backend_find("cpu", &why);
    if (b)
        rate[p->dist->rank] = product_rate(b, RATE_WALL);
    enum rc rc = dist_gather(p->dist, rate, sizeof *rate, n, e);
    for (size_t i = 0; i < n; i++)
        p->sgemm += rate[i];
    free(rate);
    run_log_speed(&p->log, "sgemm: %.1f GFLOP/s, f32, %zu ranks, %d threads; model on %s",
                  p->sgemm * 1e-9, n, threads_count(), p->model.params.b->name);
    return rc;
}

enum rc pretrain_loop(struct pretrain *p, uint64_t from, const volatile sig_atomic_t *stop,
                      struct err *e)
{
    struct progress bar;
    const struct cell_source cells = { p->n_train, pretrain_train_cell, p };
    const struct collate c = trainer_collate(&p->trainer);
    enum rc rc = loader_open(&p->loader, &p->sampler, &cells, &c, from, p->steps, e);
    rc = dist_agree(p->dist, rc, e);
    if (!rc)
        rc = measure(p, e);
    progress_start(&bar, "steps", (size_t)(p->steps - from));
    for (uint64_t done = from + 1; !rc && done <= p->steps; done++) {
        struct train_result t = { 0 };
        rc = step_and_save(p, done, stop, &t, e);
        snprintf(bar.note, sizeof bar.note, "gene loss %.3f, value loss %.3f", t.id_loss,
                 t.value_loss);
        progress_at(&bar, (size_t)(done - from));
    }
    if (!rc)
        progress_end(&bar);
    return rc;
}

void pretrain_say_end(const struct pretrain *p)
{
    const struct train_eval *v = &p->eval;
    log_say("training genes: entropy of their frequencies %.4g, variance of their values %.4g",
            p->base.entropy, p->base.value_variance);
    if (!v->n_cells || p->eval_step != p->steps)
        return;
    log_say(
        "held out: gene loss %.4g, by frequency alone %.4g; value loss %.4g, by each gene's mean "
        "%.4g",
        v->id_loss, v->base_id_loss, v->value_loss, v->base_value_loss);
}
