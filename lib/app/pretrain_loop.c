#include <stdio.h>
#include <stdlib.h>

#include "lib/app/pretrain.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/io/json.h"

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
    if (p->dist->rank == 0 && (step == 0 || !p->o->eval_every))
        rc = write_baselines(p, &v, e);
    if (!rc)
        rc = run_log_eval(&p->log, step, &v, e);
    return dist_agree(p->dist, rc, e);
}

static enum rc one_step(struct pretrain *p, uint64_t step, struct train_result *t, struct err *e)
{
    struct step_batch *s = NULL;
    const double start = clock_s();
    enum rc rc = dist_agree(p->dist, loader_next(&p->loader, &s, e), e);
    if (!rc)
        rc = trainer_learn(&p->trainer, s, t, e);
    return rc ? rc : run_log_step(&p->log, step + 1, t, clock_s() - start, e);
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

enum rc pretrain_loop(struct pretrain *p, uint64_t from, const volatile sig_atomic_t *stop,
                      struct err *e)
{
    struct progress bar;
    const struct cell_source cells = { p->n_train, pretrain_train_cell, p };
    const struct collate c = trainer_collate(&p->trainer);
    enum rc rc = loader_open(&p->loader, &p->sampler, &cells, &c, from, p->steps, e);
    rc = dist_agree(p->dist, rc, e);
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
