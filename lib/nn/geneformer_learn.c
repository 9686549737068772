#include "lib/nn/geneformer_learn.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/optim.h"

#define INIT_SD 0.02
#define HIDDEN_SHARE 0.15

struct geneformer_config geneformer_small(size_t n_tokens, size_t n_positions)
{
    return (struct geneformer_config){ .n_tokens = n_tokens,
                                       .d = 64,
                                       .layers = 2,
                                       .heads = 4,
                                       .inner = 128,
                                       .n_positions = n_positions,
                                       .n_types = 2,
                                       .norm_eps = 1e-12,
                                       .hidden_dropout = 0.02,
                                       .attention_dropout = 0.02 };
}

/* The rows of some cells, in the memory of a tape. */
struct rows {
    uint32_t *first, *id, *rank, *asked, *label;
    uint64_t *key;
    struct geneformer_batch b;
};

static size_t length_of(const struct rank_lists *l, size_t cell, size_t most)
{
    const size_t n = l->first[cell + 1] - l->first[cell];
    return n < most ? n : most;
}

/* False: no memory (the tape knows). */
static bool rows_of(const struct geneformer *m, struct tape *t, const struct rank_lists *l,
                    const uint32_t *cell, size_t n, struct rows *r)
{
    const size_t most = m->config.n_positions;
    size_t rows = 0, at = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t k = length_of(l, cell[i], most);
        rows += k ? k : 1;
    }
    *r = (struct rows){ .first = tape_memory(t, (n + 1) * sizeof *r->first),
                        .id = tape_memory(t, rows * sizeof *r->id),
                        .rank = tape_memory(t, rows * sizeof *r->rank),
                        .asked = tape_memory(t, rows * sizeof *r->asked),
                        .label = tape_memory(t, rows * sizeof *r->label),
                        .key = tape_memory(t, rows * sizeof *r->key) };
    if (t->failed)
        return false;
    for (size_t i = 0; i < n; i++) {
        const size_t k = length_of(l, cell[i], most);
        r->first[i] = (uint32_t)at;
        for (size_t j = 0; j < (k ? k : 1); j++, at++) {
            r->id[at] = k ? l->token[l->first[cell[i]] + j] : GENEFORMER_PAD;
            r->rank[at] = (uint32_t)j;
            r->key[at] = rng_u64(l->id[cell[i]], RNG_DROPOUT, j, 0);
        }
    }
    r->first[n] = (uint32_t)rows;
    r->b = (struct geneformer_batch){ .n_cells = n,
                                      .n_rows = rows,
                                      .first = r->first,
                                      .id = r->id,
                                      .rank = r->rank,
                                      .asked = r->asked,
                                      .label = r->label };
    return true;
}

/* Which rows are asked, and what stands there instead; seed is that of the step. */
static void hide(const struct geneformer *m, const struct rank_lists *l, const uint32_t *cell,
                 uint64_t seed, struct rows *r)
{
    const uint64_t n_genes = m->config.n_tokens - GENEFORMER_FIRST_GENE;
    for (size_t i = 0; i < r->b.n_cells; i++)
        for (uint32_t row = r->first[i]; row < r->first[i + 1]; row++) {
            const uint64_t id = l->id[cell[i]], at = row - r->first[i];
            if (!(rng_unit(seed, RNG_MASK_PICK, id, at) < HIDDEN_SHARE))
                continue;
            const double kind = rng_unit(seed, RNG_MASK_KIND, id, at);
            r->asked[r->b.n_asked] = row;
            r->label[r->b.n_asked++] = r->id[row];
            if (kind < 0.8)
                r->id[row] = GENEFORMER_MASK;
            else if (kind < 0.9)
                r->id[row] = (uint32_t)(GENEFORMER_FIRST_GENE +
                                        rng_below(seed, RNG_MASK_TOKEN, id, at, n_genes));
        }
}

static enum rc hidden_step(struct geneformer *m, struct tape *t, const struct rank_lists *l,
                           const uint32_t *cell, size_t n, uint64_t seed, double *loss,
                           struct err *e)
{
    struct rows r;
    struct geneformer_out out;
    tape_reset(t);
    params_zero_gradients(&m->params);
    if (rows_of(m, t, l, cell, n, &r)) {
        hide(m, l, cell, seed, &r);
        r.b.row_key = r.key;
        r.b.seed = seed;
        if (geneformer_check(m, &r.b, e))
            return e ? e->rc : RC_INPUT;
        geneformer_encode(m, t, &r.b, &out);
        *loss = geneformer_loss(m, t, &r.b, &out);
        tape_backward(t);
    }
    return tape_check(t, e);
}

enum rc geneformer_pretrain(struct geneformer *m, const struct rank_lists *lists,
                            const struct geneformer_pretraining *o, double loss[2], struct err *e)
{
    const struct optim with = { .peak_lr = o->lr,
                                .weight_decay = 0.001,
                                .max_grad_norm = 1,
                                .warmup_steps = o->steps / 10,
                                .total_steps = o->steps };
    const size_t tenth = o->steps / 10 ? o->steps / 10 : 1;
    struct tape t;
    size_t n = 0;
    uint32_t *full = malloc((lists->n + 1) * sizeof *full),
             *cell = malloc((o->batch + 1) * sizeof *cell);
    enum rc rc = full && cell ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", lists->n);
    for (size_t i = 0; !rc && i < lists->n; i++)
        if (lists->first[i + 1] > lists->first[i])
            full[n++] = (uint32_t)i;
    if (!rc && !n)
        rc = err_set(e, RC_INPUT, "no cell has a gene with a median");
    params_randomise(&m->params, INIT_SD, o->seed);
    tape_init(&t, m->params.b, true);
    loss[0] = loss[1] = 0;
    for (size_t step = 0; !rc && step < o->steps; step++) {
        double now = 0;
        for (size_t i = 0; i < o->batch; i++)
            cell[i] = full[rng_below(o->seed, RNG_SAMPLE, step, i, n)];
        rc = hidden_step(m, &t, lists, cell, o->batch, rng_u64(o->seed, RNG_DROPOUT, step, 3), &now,
                         e);
        if (!rc && !isfinite(now))
            rc = err_set(e, RC_CHECK, "step %zu: loss %g", step, now);
        if (!rc)
            optim_step(&with, &m->params, step, optim_norm(&m->params));
        if (step < tenth)
            loss[0] += now / (double)tenth;
        if (step + tenth >= o->steps)
            loss[1] += now / (double)tenth;
    }
    tape_release(&t);
    free(full);
    free(cell);
    return rc;
}

/* ---- classes ---- */

struct pupil {
    const struct probe_cells *cells;
    const struct rank_lists *lists;
    struct geneformer m;
    struct tape tape;
    struct optim optim;
};

static struct tensor *pooled_of(struct pupil *p, const struct rows *r)
{
    struct geneformer_out out;
    geneformer_encode(&p->m, &p->tape, &r->b, &out);
    return geneformer_pool(&p->m, &p->tape, &r->b, &out);
}

static enum rc gradients(void *net, const uint32_t *cell, size_t n, uint64_t seed, double *loss,
                         struct err *e)
{
    struct pupil *p = net;
    struct rows r;
    p->tape.training = true;
    tape_reset(&p->tape);
    uint32_t *label = tape_memory(&p->tape, n * sizeof *label);
    if (label && rows_of(&p->m, &p->tape, p->lists, cell, n, &r)) {
        for (size_t i = 0; i < n; i++)
            label[i] = p->cells->class_of[cell[i]];
        r.b.row_key = r.key;
        r.b.seed = seed;
        if (geneformer_check(&p->m, &r.b, e))
            return e ? e->rc : RC_INPUT;
        *loss = geneformer_class_loss(&p->m, &p->tape, pooled_of(p, &r), label);
        tape_backward(&p->tape);
    }
    return tape_check(&p->tape, e);
}

static void update(void *net, uint64_t step, size_t epoch)
{
    struct pupil *p = net;
    (void)epoch;
    optim_step(&p->optim, &p->m.params, step, optim_norm(&p->m.params));
}

static enum rc logits(void *net, const uint32_t *cell, size_t n, double *logit, struct err *e)
{
    struct pupil *p = net;
    struct rows r;
    p->tape.training = false;
    tape_reset(&p->tape);
    if (rows_of(&p->m, &p->tape, p->lists, cell, n, &r)) {
        if (geneformer_check(&p->m, &r.b, e))
            return e ? e->rc : RC_INPUT;
        struct tensor *z = geneformer_class_logits(&p->m, &p->tape, pooled_of(p, &r));
        if (!p->tape.failed)
            reals_to_f64(p->tape.b, logit, z->x, n * p->cells->n_classes);
    }
    return tape_check(&p->tape, e);
}

/* Weights of the same name and shape. */
static void copy_weights(struct params *to, const struct params *from)
{
    assert(to->b == from->b);
    for (size_t i = 0; i < to->n; i++) {
        struct param *q = &to->item[i];
        const struct param *s = params_find(from, q->name);
        if (s && s->rows == q->rows && s->cols == q->cols)
            memcpy(q->t.x, s->t.x, q->rows * q->cols * to->b->real_bytes);
    }
}

enum rc probe_geneformer(const struct probe_cells *cells, const struct rank_lists *lists,
                         const struct geneformer_config *c, const struct geneformer *from,
                         const struct geneformer_learning *o, const struct backend *b,
                         struct probe_result *r, struct err *e)
{
    struct pupil p = { .cells = cells, .lists = lists };
    struct geneformer_config with = *c;
    const struct learner l = { &p, &p.m.params, gradients, update, logits };
    with.n_classes = cells->n_classes;
    *r = (struct probe_result){ 0 };
    if (geneformer_init(&p.m, &with, b, true, e))
        return e ? e->rc : RC_INPUT;
    const uint64_t steps = o->run.epochs * learning_steps(&o->run, cells);
    p.optim = (struct optim){ .peak_lr = o->lr,
                              .weight_decay = 0.001,
                              .max_grad_norm = 1,
                              .warmup_steps = steps / 10,
                              .total_steps = steps };
    params_randomise(&p.m.params, INIT_SD, o->run.seed);
    if (from)
        copy_weights(&p.m.params, &from->params);
    tape_init(&p.tape, b, true);
    const enum rc rc = learn_classes(&l, cells, &o->run, r, e);
    tape_release(&p.tape);
    geneformer_release(&p.m);
    return rc;
}
