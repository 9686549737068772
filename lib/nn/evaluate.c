/* Held-out cells, a group at a time so that any number of them fits into memory. */
#include <string.h>

#include "lib/nn/train.h"

enum {
    EVAL_ROUND = 1 << 20, /* no epoch has this number */
    EVAL_CELLS = 1024
}; /* of a group; part of the result, as micro-batches end with it */

/* Sums over the masked genes of one micro-batch. */
struct eval_sum {
    double id, value, right, base_id, base_value, base_right;
    uint64_t n;
};

static void add_baseline(const struct baseline *base, const struct batch *b, struct eval_sum *sum)
{
    for (size_t i = 0; i < b->n_masked; i++) {
        const double d = (double)b->label_value[i] - base->mean_value[b->label[i]];
        sum->base_id -= base->log_p[b->label[i]];
        sum->base_value += d * d;
        sum->base_right += b->label[i] == base->commonest;
    }
}

static enum rc evaluate_micro(struct trainer *t, const struct batch *b, const struct baseline *base,
                              struct eval_sum *sum, struct err *e)
{
    const struct model_run run = { .id_weight = 1, .value_weight = 1, .n_masked_total = 1 };
    struct model_out out = { 0 };
    *sum = (struct eval_sum){ .n = b->n_masked };
    if (!b->n_masked)
        return RC_OK;
    tape_reset(&t->tape);
    out.id.best = arena_get(&t->batches, b->n_masked * sizeof *out.id.best);
    if (!out.id.best)
        return err_set(e, RC_FAIL, "no memory for %zu cells", b->n_cells);
    model_encode(t->m, &t->tape, b, &run, &out);
    model_losses(t->m, &t->tape, b, &run, &out);
    sum->id = out.id_loss;
    sum->value = out.value_loss;
    enum rc rc = tape_check(&t->tape, e);
    for (size_t k = 0; !rc && k < b->n_masked; k++)
        sum->right += out.id.best[k] == b->label[k];
    if (base)
        add_baseline(base, b, sum);
    return rc;
}

/* Micro-batches of one group, on their ranks; *sums [n_micros] of all ranks, in the arena. */
static enum rc evaluate_own(struct trainer *t, const struct cell_source *held, size_t from,
                            size_t n, const struct baseline *base, struct step_batch *s,
                            struct eval_sum **sums, struct err *e)
{
    const struct collate c = trainer_collate(t);
    arena_reset(&t->batches);
    enum rc rc = step_batch_init(s, &t->batches, n, e);
    for (size_t i = 0; !rc && i < n; i++)
        s->cell[i] = held->cell(held->ctx, from + i);
    if (!rc)
        rc = collate(&c, &t->batches, EVAL_ROUND, s, e);
    if (rc)
        return rc;
    *sums = arena_get(&t->batches, s->n_micros * sizeof **sums);
    if (!*sums)
        return err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; !rc && i < s->n_own; i++)
        rc = evaluate_micro(t, &s->own[i], base, &(*sums)[s->first + i], e);
    return rc;
}

static void add_sums(struct train_eval *r, const struct eval_sum *sum, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        r->id_loss += sum[i].id;
        r->value_loss += sum[i].value;
        r->accuracy += sum[i].right;
        r->base_id_loss += sum[i].base_id;
        r->base_value_loss += sum[i].base_value;
        r->base_accuracy += sum[i].base_right;
        r->n_masked += (size_t)sum[i].n;
    }
}

enum rc trainer_evaluate(struct trainer *t, const struct cell_source *held,
                         const struct baseline *base, struct train_eval *r, struct err *e)
{
    enum rc rc = RC_OK;
    *r = (struct train_eval){ .n_cells = held->n };
    t->tape.training = false;
    for (size_t from = 0; !rc && from < held->n; from += EVAL_CELLS) {
        const size_t n = held->n - from < EVAL_CELLS ? held->n - from : EVAL_CELLS;
        struct step_batch s = { 0 };
        struct eval_sum *sums = NULL;
        rc = dist_agree(t->dist, evaluate_own(t, held, from, n, base, &s, &sums, e), e);
        if (!rc)
            rc = dist_gather(t->dist, sums, sizeof *sums, s.n_micros, e);
        if (!rc)
            add_sums(r, sums, s.n_micros);
    }
    tape_reset(&t->tape);
    t->tape.training = true;
    const double m = r->n_masked ? (double)r->n_masked : 1;
    double *const mean[] = { &r->id_loss,      &r->value_loss,      &r->accuracy,
                             &r->base_id_loss, &r->base_value_loss, &r->base_accuracy };
    for (size_t i = 0; i < sizeof mean / sizeof *mean; i++)
        *mean[i] /= m;
    return rc;
}
