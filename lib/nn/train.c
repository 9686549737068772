#include "lib/nn/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"

enum { EVAL_ROUND = 1 << 20 }; /* no epoch has this number */

void trainer_init(struct trainer *t, struct model *m, const struct train_options *o)
{
    *t = (struct trainer){ .m = m, .o = *o };
    arena_init(&t->batches, 1 << 20);
    tape_init(&t->tape, m->params.b, true);
}

void trainer_release(struct trainer *t)
{
    arena_release(&t->batches);
    tape_release(&t->tape);
    for (int i = 0; i < TRAIN_LEVELS; i++)
        free(t->level[i]);
    *t = (struct trainer){ 0 };
}

static struct masking masking_of(const struct trainer *t, uint64_t round)
{
    return (struct masking){ .rate = t->o.mask_rate, .mask = t->o.mask_share,
                             .random = t->o.random_share, .seed = t->o.seed, .round = round,
                             .n_tokens = t->m->config.n_tokens };
}

static size_t rows_of(const struct trainer *t, const struct batch_cell *c)
{
    return 1 + (c->n < t->m->config.max_genes ? c->n : t->m->config.max_genes);
}

/* Cells [from, returned) make the next micro-batch: as many as fit, at least one. */
static size_t cut_micro(const struct trainer *t, const struct batch_cell *cell, size_t from,
                        size_t n_cells)
{
    size_t rows = rows_of(t, &cell[from]), to = from + 1;
    while (to < n_cells && rows + rows_of(t, &cell[to]) <= t->o.micro_rows)
        rows += rows_of(t, &cell[to++]);
    return to;
}

/* Cuts, masks and builds all micro-batches of a step. */
static enum rc build_micros(struct trainer *t, const struct batch_cell *cell, size_t n_cells,
                            uint64_t round, struct batch **out, size_t *n_out, struct err *e)
{
    const struct masking mask = masking_of(t, round);
    arena_reset(&t->batches);
    struct batch *b = arena_get(&t->batches, n_cells * sizeof *b);
    *n_out = 0;
    *out = b;
    if (!b)
        return err_set(e, RC_FAIL, "no memory for %zu cells", n_cells);
    for (size_t from = 0, to; from < n_cells; from = to) {
        to = cut_micro(t, cell, from, n_cells);
        enum rc rc = batch_build(&b[(*n_out)++], &t->batches, cell + from, to - from,
                                 t->m->config.max_genes, t->m->config.n_tokens,
                                 t->m->tables.homolog, &mask, e);
        if (rc)
            return rc;
    }
    return RC_OK;
}

static void join(struct trainer *t, const void *from, void *to)
{
    t->m->params.b->axpy(&(struct op_axpy){ t->m->params.n_items, 1, from, to });
}

/* Adds the gradient of micro-batch number i to the counter. */
static enum rc push_gradient(struct trainer *t, size_t i, struct err *e)
{
    struct params *p = &t->m->params;
    const size_t bytes = p->n_items * p->b->real_bytes;
    int level = 0;
    for (; i & (size_t)1 << level; level++) /* older block first: (old) + (new) */
        join(t, t->level[level], p->g);
    if (!t->level[level])
        t->level[level] = malloc(bytes);
    if (!t->level[level])
        return err_set(e, RC_FAIL, "no memory for gradients");
    memcpy(t->level[level], p->g, bytes);
    return RC_OK;
}

/* The sum of all n micro-batches into the gradient block. */
static void collect_gradient(struct trainer *t, size_t n)
{
    struct params *p = &t->m->params;
    bool first = true;
    for (int level = 0; level < TRAIN_LEVELS; level++) {
        if (!(n & (size_t)1 << level))
            continue;
        if (first)
            memcpy(p->g, t->level[level], p->n_items * p->b->real_bytes);
        else
            join(t, t->level[level], p->g);
        first = false;
    }
}

static enum rc not_finite(const struct train_result *r, const struct batch_cell *cell,
                          size_t n_cells, uint64_t step, struct err *e)
{
    char ids[160] = "";
    for (size_t c = 0, at = 0; c < n_cells && c < 8; c++)
        at += (size_t)snprintf(ids + at, sizeof ids - at, " %016llx",
                               (unsigned long long)cell[c].cell_id);
    return err_set(e, RC_CHECK,
                   "step %llu: loss %g, gradient norm %g; stopped before the weights were touched; "
                   "cells:%s%s",
                   (unsigned long long)step, r->loss, r->grad_norm, ids, n_cells > 8 ? " ..." : "");
}

enum rc trainer_step(struct trainer *t, const struct batch_cell *cell, size_t n_cells,
                     uint64_t step, uint64_t epoch, struct train_result *r, struct err *e)
{
    struct batch *b;
    size_t n;
    *r = (struct train_result){ .n_cells = n_cells, .lr = optim_rate(&t->o.optim, step) };
    enum rc rc = build_micros(t, cell, n_cells, epoch, &b, &n, e);
    for (size_t i = 0; !rc && i < n; i++) {
        r->n_masked += b[i].n_masked;
        r->n_genes += b[i].n_genes;
    }
    if (rc || !r->n_masked)
        return rc; /* a batch without a masked gene teaches nothing (spec/03 section 5) */
    struct model_run run = { .dropout = t->o.dropout, .id_weight = t->o.id_weight,
                             .value_weight = t->o.value_weight, .n_masked_total = r->n_masked };
    run.dropout_seed = rng_u64(t->o.seed, RNG_DROPOUT, step, 1);
    for (size_t i = 0; !rc && i < n; i++) {
        struct model_out out = { 0 };
        tape_reset(&t->tape);
        params_zero_gradients(&t->m->params);
        model_encode(t->m, &t->tape, &b[i], &run, &out);
        model_losses(t->m, &t->tape, &b[i], &run, &out);
        tape_backward(&t->tape);
        rc = tape_check(&t->tape, e);
        r->id_loss += out.id_loss;
        r->value_loss += out.value_loss;
        if (!rc)
            rc = push_gradient(t, i, e);
    }
    if (rc)
        return rc;
    collect_gradient(t, n);
    r->loss = t->o.id_weight * r->id_loss + t->o.value_weight * r->value_loss;
    r->grad_norm = optim_norm(&t->m->params);
    if (!isfinite(r->loss) || !isfinite(r->grad_norm))
        return not_finite(r, cell, n_cells, step, e);
    optim_step(&t->o.optim, &t->m->params, step, r->grad_norm);
    t->m->warm_steps++;
    return RC_OK;
}

enum rc train_baseline_init(struct train_baseline *b, uint32_t n_tokens, struct err *e)
{
    *b = (struct train_baseline){ .n_tokens = n_tokens };
    b->log_p = calloc(n_tokens, sizeof *b->log_p);
    b->mean_value = calloc(n_tokens, sizeof *b->mean_value);
    if (b->log_p && b->mean_value)
        return RC_OK;
    train_baseline_release(b);
    return err_set(e, RC_FAIL, "no memory for %u tokens", n_tokens);
}

/* Until finish, log_p holds counts and mean_value sums. */
void train_baseline_add(struct train_baseline *b, const struct batch_cell *c, uint32_t max_genes)
{
    for (uint32_t j = 0; j < c->n && j < max_genes; j++)
        if (c->token[j] < b->n_tokens) {
            b->log_p[c->token[j]]++;
            b->mean_value[c->token[j]] += (double)c->value[j];
        }
}

void train_baseline_finish(struct train_baseline *b)
{
    double n = 0, sum = 0;
    for (uint32_t i = 0; i < b->n_tokens; i++) {
        n += b->log_p[i];
        sum += b->mean_value[i];
    }
    for (uint32_t i = 0; i < b->n_tokens; i++) {
        const double count = b->log_p[i];
        b->mean_value[i] = count > 0 ? b->mean_value[i] / count : n > 0 ? sum / n : 0;
        b->log_p[i] = log((count + 1) / (n + b->n_tokens));
    }
}

void train_baseline_release(struct train_baseline *b)
{
    free(b->log_p);
    free(b->mean_value);
    *b = (struct train_baseline){ 0 };
}

static uint32_t commonest(const struct train_baseline *b)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < b->n_tokens; i++)
        if (b->log_p[i] > b->log_p[best])
            best = i;
    return best;
}

/* Sums over one micro-batch; divided at the end. */
static void add_baseline(const struct train_baseline *base, uint32_t best, const struct batch *b,
                         struct train_eval *r)
{
    for (size_t i = 0; i < b->n_masked; i++) {
        const double d = (double)b->label_value[i] - base->mean_value[b->label[i]];
        r->base_id_loss -= base->log_p[b->label[i]];
        r->base_value_loss += d * d;
        r->base_accuracy += b->label[i] == best;
    }
}

enum rc trainer_evaluate(struct trainer *t, const struct batch_cell *cell, size_t n_cells,
                         const struct train_baseline *base, struct train_eval *r, struct err *e)
{
    struct batch *b;
    size_t n;
    *r = (struct train_eval){ .n_cells = n_cells };
    enum rc rc = build_micros(t, cell, n_cells, EVAL_ROUND, &b, &n, e);
    const uint32_t best = base ? commonest(base) : 0;
    t->tape.training = false;
    for (size_t i = 0; !rc && i < n; i++) {
        struct model_run run = { .id_weight = 1, .value_weight = 1, .n_masked_total = 1 };
        struct model_out out = { 0 };
        if (!b[i].n_masked)
            continue;
        tape_reset(&t->tape);
        out.id.best = arena_get(&t->batches, b[i].n_masked * sizeof *out.id.best);
        if (!out.id.best) {
            rc = err_set(e, RC_FAIL, "no memory for %zu cells", n_cells);
            break;
        }
        model_encode(t->m, &t->tape, &b[i], &run, &out);
        model_losses(t->m, &t->tape, &b[i], &run, &out);
        rc = tape_check(&t->tape, e);
        r->id_loss += out.id_loss;
        r->value_loss += out.value_loss;
        r->n_masked += b[i].n_masked;
        for (size_t k = 0; !rc && k < b[i].n_masked; k++)
            r->accuracy += out.id.best[k] == b[i].label[k];
        if (base)
            add_baseline(base, best, &b[i], r);
    }
    tape_reset(&t->tape);
    t->tape.training = true;
    const double m = r->n_masked ? (double)r->n_masked : 1;
    double *const mean[] = { &r->id_loss, &r->value_loss, &r->accuracy, &r->base_id_loss,
                             &r->base_value_loss, &r->base_accuracy };
    for (size_t i = 0; i < sizeof mean / sizeof *mean; i++)
        *mean[i] /= m;
    return rc;
}
