#include <stdio.h>
#include <stdlib.h>

#include "lib/app/checkpoint.h"
#include "lib/app/pretrain.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/io/json.h"

static enum rc save(struct pretrain *p, uint64_t step, struct err *e)
{
    enum rc rc =
        checkpoint_save(&p->model, p->o->out, step, p->fingerprint, p->beside, p->n_beside, e);
    return rc ? rc : checkpoint_prune(p->o->out, (size_t)p->o->keep, e);
}

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

static enum rc evaluate(struct pretrain *p, uint64_t step, struct err *e)
{
    struct train_eval v;
    if (!p->n_held)
        return RC_OK;
    enum rc rc = trainer_evaluate(&p->trainer, p->held, p->n_held, &p->base, &v, e);
    if (!rc && (step == 0 || !p->o->eval_every))
        rc = write_baselines(p, &v, e);
    return rc ? rc : run_log_eval(&p->log, step, &v, e);
}

/* The newest checkpoint into the model; *newest UINT64_MAX: there is none that counts. */
static enum rc restore(struct pretrain *p, uint64_t *newest, struct err *e)
{
    enum rc rc = checkpoint_newest(p->o->out, newest, e);
    if (rc || *newest == UINT64_MAX)
        return rc;
    if (!p->o->resume)
        return err_set(e, RC_USAGE,
                       "'%s' holds a run already (step %llu); give --resume or another --out",
                       p->o->out, (unsigned long long)*newest);
    rc = checkpoint_load(&p->model, p->o->out, *newest, p->fingerprint, e);
    if (rc == RC_INPUT && p->o->restart_if_changed) {
        log_warn("%s; begun again", e->text);
        err_clear(e);
        rc = checkpoint_prune(p->o->out, 0, e);
        *newest = UINT64_MAX;
    }
    return rc;
}

enum rc pretrain_begin(struct pretrain *p, uint64_t *step, struct err *e)
{
    uint64_t newest = UINT64_MAX;
    enum rc rc = folder_make(p->o->out, e);
    if (!rc)
        rc = restore(p, &newest, e);
    if (rc)
        return rc;
    *step = newest == UINT64_MAX ? 0 : newest;
    if (newest != UINT64_MAX) {
        log_say("goes on at step %llu of %llu", (unsigned long long)newest,
                (unsigned long long)p->steps);
        return run_log_open(&p->log, p->o->out, newest, e);
    }
    model_randomise(&p->model, p->o->seed);
    rc = run_log_open(&p->log, p->o->out, UINT64_MAX, e);
    return rc ? rc : evaluate(p, 0, e);
}

static enum rc one_step(struct pretrain *p, uint64_t step, struct train_result *t, struct err *e)
{
    const uint32_t *index;
    uint64_t epoch;
    const size_t n = sampler_step(&p->sampler, step, &index, &epoch);
    struct batch_cell *cell = malloc(n * sizeof *cell);
    if (!cell)
        return err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; i < n; i++)
        cell[i] = p->train[index[i]];
    const double start = clock_s();
    enum rc rc = trainer_step(&p->trainer, cell, n, step, epoch, t, e);
    free(cell);
    return rc ? rc : run_log_step(&p->log, step + 1, t, clock_s() - start, e);
}

enum rc pretrain_loop(struct pretrain *p, uint64_t from, const volatile sig_atomic_t *stop,
                      struct err *e)
{
    struct progress bar;
    enum rc rc = RC_OK;
    progress_start(&bar, "steps", (size_t)(p->steps - from));
    for (uint64_t done = from + 1; !rc && done <= p->steps; done++) {
        struct train_result t = { 0 };
        const bool last = done == p->steps;
        rc = one_step(p, done - 1, &t, e);
        if (!rc && p->o->eval_every && (last || done % (uint64_t)p->o->eval_every == 0))
            rc = evaluate(p, done, e);
        const bool end = *stop != 0;
        if (!rc && (last || end || done % (uint64_t)p->o->checkpoint_every == 0))
            rc = save(p, done, e);
        if (!rc && end && !last)
            rc = err_set(e, RC_FAIL, "stopped at step %llu of %llu; --resume goes on",
                         (unsigned long long)done, (unsigned long long)p->steps);
        snprintf(bar.note, sizeof bar.note, "gene loss %.3f, value loss %.3f", t.id_loss,
                 t.value_loss);
        progress_at(&bar, (size_t)(done - from));
    }
    if (!rc)
        progress_end(&bar);
    return rc;
}
