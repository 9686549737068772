#include "lib/nn/train_there.h"

#include <math.h>

#include "lib/tensor/tape_node.h"

static bool several(const struct trainer *t)
{
    return t->dist->size > 1;
}

/* The failure of a device, or another's that was lost. */
static enum rc trouble(const struct trainer *t, struct err *e)
{
    const struct backend *b = t->m->params.b;
    const char *why = b->memory->trouble();
    return why ? err_set(e, RC_FAIL, "%s: %s", b->name, why) : RC_OK;
}

enum rc trainer_connect(struct trainer *t, bool shard, struct err *e)
{
    const struct backend *b = t->m->params.b;
    const struct backend_ranks *ranks = b->memory ? b->memory->ranks : NULL;
    char id[BACKEND_RANKS_ID] = "";
    enum rc rc = RC_OK;
    if (!several(t) || !b->memory)
        return RC_OK;
    if (!ranks)
        return err_set(e, RC_SKIP, "'%s' trains on one device", b->name);
    if (t->dist->rank == 0) {
        ranks->id(id);
        rc = trouble(t, e);
    }
    rc = dist_agree(t->dist, rc, e);
    if (!rc)
        rc = dist_bcast(t->dist, id, sizeof id, e);
    if (rc)
        return rc;
    ranks->open(id, t->dist->rank, t->dist->size);
    t->connected = true;
    t->shard = shard;
    return dist_agree(t->dist, trouble(t, e), e);
}

void trainer_disconnect(struct trainer *t)
{
    if (t->connected)
        t->m->params.b->memory->ranks->close();
    t->connected = false;
}

/* Where gradients of the block stand, the sum of them is begun: beside the rest of the backward
 * pass. */
static void reached(void *ctx, size_t k)
{
    struct trainer *t = ctx;
    grad_share_from(&t->share, model_stage_begin(t->m, k));
}

/* Losses come with trainer_settle. */
static enum rc learn_micro(struct trainer *t, const struct step_batch *s, size_t i,
                           const struct model_run *run, struct err *e)
{
    struct model_out out = { 0 };
    tape_reset(&t->tape);
    params_zero_gradients(&t->m->params);
    model_encode(t->m, &t->tape, &s->own[i], run, &out);
    model_losses_later(t->m, &t->tape, &s->own[i], run, &out, s->loss[s->first + i]);
    tape_backward(&t->tape);
    return tape_check(&t->tape, e);
}

static enum rc begin(struct trainer *t, const struct step_batch *s, struct err *e)
{
    struct params *p = &t->m->params;
    enum rc rc = RC_OK;
    if (!t->tree.b) {
        grad_tree_init(&t->tree, p->b, t->dist, p->n_items, p->g);
        grad_share_init(&t->share, &t->tree, t->shard);
        rc = params_keep_low(p, e);
        if (!rc)
            params_round(p);
    }
    grad_tree_start(&t->tree, s->n_micros);
    tape_reset(&t->tape); /* also where this rank has no micro-batch */
    return rc;
}

enum rc train_there_learn(struct trainer *t, const struct step_batch *s,
                          const struct model_run *run, struct err *e)
{
    const size_t n = s->n_own;
    struct model_run last = *run;
    enum rc rc = begin(t, s, e);
    for (size_t i = 0; !rc && i + several(t) < n; i++) {
        rc = learn_micro(t, s, i, run, e);
        if (!rc)
            rc = grad_tree_push(&t->tree, s->first + i, e);
    }
    if (!several(t))
        return rc ? rc : grad_tree_finish(&t->tree, e);
    if (!rc && n)
        grad_tree_hold(&t->tree);
    if (!rc)
        rc = grad_share_start(&t->share, e);
    if (rc)
        return rc;
    last.reached = reached;
    last.ctx = t;
    if (n)
        rc = learn_micro(t, s, n - 1, &last, e);
    for (size_t k = t->m->config.n_layers + 1; !rc && !n && k-- > 0;)
        reached(t, k);
    if (rc)
        return rc;
    grad_share_from(&t->share, 0);
    return grad_share_finish(&t->share, e);
}

/* Moments of this rank's slices out of the whole, which is given back. */
static enum rc make_shards(struct trainer *t, struct err *e)
{
    struct params *p = &t->m->params;
    const size_t size = p->b->real_bytes, n = grad_share_own(&t->share, t->dist->rank);
    if (t->moment[0])
        return RC_OK;
    t->moment[0] = backend_get(p->b, 2 * n * size);
    if (!t->moment[0])
        return err_set(e, RC_FAIL, "no memory for moments");
    t->moment[1] = (char *)t->moment[0] + n * size;
    for (size_t k = 0, at = 0; k < t->share.n_pieces; k++) {
        const struct share_range r = grad_share_slice(&t->share, k, t->dist->rank);
        const size_t bytes = (r.to - r.from) * size;
        backend_copy(p->b, (char *)t->moment[0] + at, (char *)p->m + r.from * size, bytes);
        backend_copy(p->b, (char *)t->moment[1] + at, (char *)p->v + r.from * size, bytes);
        at += bytes;
    }
    trainer_drop_moments(t);
    return RC_OK;
}

/* The step of this rank's slices, then weights to all. */
static enum rc update_shards(struct trainer *t, uint64_t step, double *square_sum, struct err *e)
{
    struct params *p = &t->m->params;
    const size_t size = p->b->real_bytes, n_parts = (p->n_items + OP_SUM_ITEMS - 1) / OP_SUM_ITEMS;
    double *part = tape_low(&t->tape, 1, n_parts * sizeof *part / sizeof(uint16_t));
    enum rc rc = part ? make_shards(t, e) : tape_check(&t->tape, e);
    if (rc)
        return rc;
    for (size_t k = 0; k < t->share.n_pieces; k++) {
        const struct share_range r = grad_share_slice(&t->share, k, t->dist->rank);
        p->b->memory->square_parts((char *)p->g + r.from * size, r.to - r.from,
                                   part + r.from / OP_SUM_ITEMS);
    }
    grad_share_spread(&t->share, part, OP_SUM_ITEMS, sizeof *part);
    p->b->memory->join_parts(part, n_parts, square_sum);
    for (size_t k = 0, at = 0; k < t->share.n_pieces; k++) {
        const struct share_range r = grad_share_slice(&t->share, k, t->dist->rank);
        const struct optim_part mine = { r.from, r.to, (char *)t->moment[0] + at,
                                         (char *)t->moment[1] + at };
        optim_step_part(&t->o.optim, p, step, square_sum, &mine);
        at += (r.to - r.from) * size;
    }
    grad_share_spread(&t->share, p->x, 1, size);
    params_round(p);
    return RC_OK;
}

enum rc train_there_update(struct trainer *t, const struct step_batch *s,
                           const struct model_run *run, struct train_result *r, struct err *e)
{
    double square_sum = NAN;
    double *at = tape_later(&t->tape, &square_sum);
    enum rc rc = tape_check(&t->tape, e);
    if (!rc && t->connected && t->shard)
        rc = update_shards(t, s->step, at, e);
    else if (!rc)
        optim_step_there(&t->o.optim, &t->m->params, s->step, at);
    tape_settle(&t->tape);
    r->grad_norm = sqrt(square_sum);
    for (size_t i = 0; i < s->n_own; i++)
        model_loss_means(run, s->loss[s->first + i]);
    return rc ? rc : tape_check(&t->tape, e);
}

enum rc trainer_gather_moments(struct trainer *t, struct err *e)
{
    if (!t->moment[0])
        return RC_OK;
    struct params *p = &t->m->params;
    void **whole[] = { &p->m, &p->v };
    const size_t bytes = p->n_items * p->b->real_bytes;
    for (int i = 0; i < 2; i++) {
        *whole[i] = t->dist->rank ? NULL : backend_get(p->b, bytes);
        if (!t->dist->rank && !*whole[i])
            return err_set(e, RC_FAIL, "no memory for all moments");
        grad_share_collect(&t->share, t->moment[i], *whole[i]);
    }
    p->b->memory->wait();
    return trouble(t, e);
}

void trainer_drop_moments(struct trainer *t)
{
    if (!t->moment[0])
        return;
    struct params *p = &t->m->params;
    backend_give(p->b, p->m);
    backend_give(p->b, p->v);
    p->m = p->v = NULL;
}
