#include "lib/nn/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/train_there.h"

void trainer_init(struct trainer *t, struct model *m, const struct train_options *o)
{
    *t = (struct trainer){ .m = m, .o = *o, .own = dist_alone() };
    arena_init(&t->batches, 1 << 20);
    tape_init(&t->tape, m->params.b, true);
    t->dist = &t->own;
}

void trainer_share(struct trainer *t, struct dist *d)
{
    t->dist = d;
}

void trainer_release(struct trainer *t)
{
    trainer_disconnect(t);
    if (t->m)
        backend_give(t->m->params.b, t->moment[0]);
    arena_release(&t->batches);
    tape_release(&t->tape);
    grad_share_release(&t->share);
    grad_tree_release(&t->tree);
    *t = (struct trainer){ 0 };
}

struct collate trainer_collate(const struct trainer *t)
{
    const struct model_config *c = &t->m->config;
    return (struct collate){
        .mask = { .rate = t->o.mask_rate,
                  .mask = t->o.mask_share,
                  .random = t->o.random_share,
                  .seed = t->o.seed,
                  .n_tokens = c->n_tokens },
        .max_genes = c->max_genes,
        .n_tokens = c->n_tokens,
        .homolog = t->m->tables.homolog,
        .micro_rows = t->o.micro_rows,
        .rank = t->dist->rank,
        .size = t->dist->size,
    };
}

static enum rc not_finite(const struct train_result *r, const struct step_batch *s, struct err *e)
{
    char ids[256] = "";
    size_t c = 0, at = 0;
    for (; c < s->n_cells && c < 8; c++)
        at += (size_t)snprintf(ids + at, sizeof ids - at, " %016llx",
                               (unsigned long long)s->cell[c].cell_id);
    return err_set(e, RC_CHECK,
                   "step %llu: loss %g, gradient norm %g; stopped before the weights were touched; "
                   "cells:%s%s",
                   (unsigned long long)s->step, r->loss, r->grad_norm, ids,
                   c < s->n_cells ? " ..." : "");
}

/* Forward and backward of one micro-batch into the gradient block. */
static enum rc learn_micro(struct trainer *t, const struct batch *b, const struct model_run *run,
                           double loss[2], struct err *e)
{
    struct model_out out = { 0 };
    tape_reset(&t->tape);
    params_zero_gradients(&t->m->params);
    model_encode(t->m, &t->tape, b, run, &out);
    model_losses(t->m, &t->tape, b, run, &out);
    tape_backward(&t->tape);
    loss[0] = out.id_loss;
    loss[1] = out.value_loss;
    return tape_check(&t->tape, e);
}

/* This rank's part. */
static enum rc learn_own(struct trainer *t, const struct step_batch *s, const struct model_run *run,
                         struct err *e)
{
    struct params *p = &t->m->params;
    if (!t->tree.b)
        grad_tree_init(&t->tree, p->b, t->dist, p->n_items, p->g);
    grad_tree_start(&t->tree, s->n_micros);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < s->n_own; i++) {
        rc = learn_micro(t, &s->own[i], run, s->loss[s->first + i], e);
        if (!rc)
            rc = grad_tree_push(&t->tree, s->first + i, e);
    }
    return rc;
}

enum rc trainer_learn(struct trainer *t, const struct step_batch *s, struct train_result *r,
                      struct err *e)
{
    struct dist *d = t->dist;
    uint64_t n_masked = s->n_own_masked;
    *r = (struct train_result){ .n_cells = s->n_cells,
                                .n_genes = s->n_genes,
                                .lr = optim_rate(&t->o.optim, s->step) };
    enum rc rc = dist_sum(d, &n_masked, 1, e);
    r->n_masked = (size_t)n_masked;
    if (rc || !n_masked)
        return rc; /* a batch without a masked gene teaches nothing (spec/03 section 5) */
    struct model_run run = { .dropout = t->o.dropout,
                             .id_weight = t->o.id_weight,
                             .value_weight = t->o.value_weight,
                             .n_masked_total = r->n_masked };
    run.dropout_seed = rng_u64(t->o.seed, RNG_DROPOUT, s->step, 1);
    const bool there = t->m->params.b->memory != NULL;
    rc = there ? train_there_learn(t, s, &run, e) : learn_own(t, s, &run, e);
    if (there && !rc)
        rc = train_there_update(t, s, &run, r, e);
    if (there && rc)
        d->broken = d->size > 1; /* the others' devices wait for this one */
    rc = dist_agree(d, rc, e);
    if (!rc)
        rc = dist_gather(d, s->loss, sizeof *s->loss, s->n_micros, e);
    if (!rc && !there)
        rc = grad_tree_finish(&t->tree, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < s->n_micros; i++) {
        r->id_loss += s->loss[i][0];
        r->value_loss += s->loss[i][1];
    }
    r->loss = t->o.id_weight * r->id_loss + t->o.value_weight * r->value_loss;
    if (!there)
        r->grad_norm = optim_norm(&t->m->params);
    if (!isfinite(r->loss) || !isfinite(r->grad_norm))
        return dist_agree(d, not_finite(r, s, e), e);
    if (!there)
        optim_step(&t->o.optim, &t->m->params, s->step, r->grad_norm);
    t->m->warm_steps++;
    return RC_OK;
}

enum rc trainer_step(struct trainer *t, const struct batch_cell *cell, size_t n_cells,
                     uint64_t step, uint64_t epoch, struct train_result *r, struct err *e)
{
    const struct collate c = trainer_collate(t);
    struct step_batch s;
    arena_reset(&t->batches);
    enum rc rc = step_batch_init(&s, &t->batches, n_cells, e);
    if (rc)
        return rc;
    s.step = step;
    s.epoch = epoch;
    memcpy(s.cell, cell, n_cells * sizeof *cell);
    rc = dist_agree(t->dist, collate(&c, &t->batches, epoch, &s, e), e);
    return rc ? rc : trainer_learn(t, &s, r, e);
}
