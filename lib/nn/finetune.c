#include "lib/nn/finetune_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/permute.h"
#include "lib/base/rng.h"
#include "lib/nn/optim.h"

struct tuner {
    struct finetune_work w;
    struct model *m;
    const struct finetune_options *o;
    const struct finetune_cells *train, *val;
    struct optim optim;
    size_t n_classes;
    double *weight;          /* [C] of a class, 1 unless balanced */
    float *x_train, *x_val;  /* [n,D]; x_train only for FINE_HEAD */
    double *logit;           /* [val->n, C] */
    void *best;              /* copy of the weights */
    struct batch_cell *cell; /* [batch] of a step, with the next two */
    uint32_t *class_of;
    uint32_t *index;
};

static bool begins(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

static void freeze(struct tuner *t)
{
    for (size_t i = 0; i < t->m->params.n; i++) {
        struct param *p = &t->m->params.item[i];
        p->frozen = begins(p->name, "cls.") || begins(p->name, "cls4value.") ||
                    (t->o->kind == FINE_HEAD && !finetune_is_head(p->name)) ||
                    (t->o->kind == FINE_LAYERS && begins(p->name, "bert.encoder."));
    }
}

void finetune_thaw(struct model *m)
{
    for (size_t i = 0; i < m->params.n; i++)
        m->params.item[i].frozen = false;
}

/* Cross-entropy of pooled rows, a run of one class at a time, since a run has one weight. Equal
 * weights: all at once. total: sum of the weights of the global batch. */
static double add_loss(struct tuner *t, struct tensor *pooled, const uint32_t *class_of,
                       double total)
{
    const size_t bytes = t->m->params.b->real_bytes;
    double loss = 0;
    for (size_t from = 0, to; from < pooled->rows; from = to) {
        for (to = from + 1; to < pooled->rows; to++)
            if (t->o->balance && class_of[to] != class_of[from])
                break;
        struct tensor part = *pooled;
        part.rows = to - from;
        part.x = (char *)pooled->x + from * pooled->ld * bytes;
        part.g = (char *)pooled->g + from * pooled->ld * bytes;
        struct tensor *own = tape_memory(&t->w.tape, sizeof *own);
        if (!own)
            return 0;
        *own = part;
        struct id_loss out = { 0 };
        tape_id_loss(&t->w.tape, own, finetune_param(t->m, "classifier.weight"),
                     finetune_param(t->m, "classifier.bias"), class_of + from,
                     t->weight[class_of[from]] / total, &out);
        loss += out.loss;
    }
    return loss;
}

/* One micro-batch of the step's cells [from, to), its gradient added. */
static enum rc micro(struct tuner *t, size_t from, size_t to, double total, uint64_t seed,
                     double *loss, struct err *e)
{
    const size_t n = to - from, d = t->m->config.d;
    struct tensor *rows;
    tape_reset(&t->w.tape);
    if (t->o->kind == FINE_HEAD) {
        float *x = tape_memory(&t->w.tape, n * d * sizeof *x);
        for (size_t i = 0; x && i < n; i++)
            memcpy(x + i * d, t->x_train + t->index[from + i] * d, d * sizeof *x);
        rows = x ? tape_input(&t->w.tape, x, n, d) : &t->w.tape.nothing;
    } else {
        struct batch b;
        struct model_out out = { .cells_only = true };
        const struct model_run run = { .dropout = true, .dropout_seed = seed };
        enum rc rc = finetune_batch(&t->w, &b, t->cell + from, n, e);
        if (rc)
            return rc;
        model_encode(t->m, &t->w.tape, &b, &run, &out);
        rows = out.last;
    }
    struct tensor *pooled = finetune_pool(&t->w, rows);
    uint64_t *key = tape_memory(&t->w.tape, n * sizeof *key);
    for (size_t i = 0; key && i < n; i++)
        key[i] = t->cell[from + i].cell_id;
    const struct dropout drop = { (uint32_t)(t->o->head_dropout * 65536),
                                  rng_u64(seed, RNG_DROPOUT, 0, 1), key };
    if (key && t->o->head_dropout > 0)
        pooled = tape_dropout(&t->w.tape, pooled, &drop);
    if (!t->w.tape.failed)
        *loss += add_loss(t, pooled, t->class_of + from, total);
    tape_backward(&t->w.tape);
    return tape_check(&t->w.tape, e);
}

void finetune_clear_frozen(struct params *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->item[i].frozen)
            memset((char *)p->g + p->item[i].begin * p->b->real_bytes, 0,
                   p->item[i].rows * p->item[i].cols * p->b->real_bytes);
}

/* Cells of a step into t->cell; with weights by class, so that runs are long. */
static size_t gather_step(struct tuner *t, const struct permute *order, size_t first)
{
    size_t n = 0;
    for (size_t i = first; i < t->train->n && n < t->o->batch; i++)
        t->index[n++] = (uint32_t)permute_at(order, i);
    if (t->o->balance) /* stable, and a batch is short */
        for (size_t i = 1; i < n; i++)
            for (size_t k = i;
                 k && t->train->class_of[t->index[k - 1]] > t->train->class_of[t->index[k]]; k--) {
                const uint32_t swap = t->index[k];
                t->index[k] = t->index[k - 1];
                t->index[k - 1] = swap;
            }
    for (size_t i = 0; i < n; i++) {
        t->cell[i] = t->train->cell[t->index[i]];
        t->class_of[i] = t->train->class_of[t->index[i]];
    }
    return n;
}

static enum rc step(struct tuner *t, size_t n, uint64_t number, double *loss, struct err *e)
{
    struct params *p = &t->m->params;
    const uint64_t seed = rng_u64(t->o->seed, RNG_DROPOUT, number, 1);
    double total = 0, sum = 0;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n; i++)
        total += t->weight[t->class_of[i]];
    params_zero_gradients(p);
    for (size_t from = 0, to; !rc && from < n; from = to) {
        to = finetune_cut(t->m, t->cell, from, n,
                          t->o->kind == FINE_HEAD ? SIZE_MAX : t->o->micro_rows);
        rc = micro(t, from, to, total, seed, &sum, e);
    }
    if (rc)
        return rc;
    finetune_clear_frozen(p);
    const double norm = optim_norm(p);
    if (!isfinite(sum) || !isfinite(norm))
        return err_set(e, RC_CHECK, "step %llu: loss %g, gradient norm %g",
                       (unsigned long long)number, sum, norm);
    optim_step(&t->optim, p, number, norm);
    *loss += sum * (double)n;
    return RC_OK;
}

static enum rc validate(struct tuner *t, struct finetune_epoch *r, struct err *e)
{
    const size_t n = t->val->n;
    if (!n) {
        r->val_loss = r->val_accuracy = r->val_macro_f1 = NAN;
        return RC_OK;
    }
    enum rc rc = t->o->kind == FINE_HEAD
                     ? RC_OK
                     : finetune_vectors(&t->w, t->val->cell, n, t->o->micro_rows, t->x_val, e);
    if (!rc)
        rc = finetune_scores(&t->w, t->x_val, n, t->logit, e);
    return rc ? rc : finetune_score(t->logit, t->val->class_of, n, t->n_classes, r, e);
}

static enum rc vectors(struct tuner *t, const struct finetune_cells *c, float *to, struct err *e)
{
    if (!c->x)
        return finetune_vectors(&t->w, c->cell, c->n, t->o->micro_rows, to, e);
    memcpy(to, c->x, c->n * t->m->config.d * sizeof *to);
    return RC_OK;
}

static enum rc prepare(struct tuner *t, struct err *e)
{
    const size_t d = t->m->config.d, n_val = t->val->n;
    t->n_classes = finetune_classes(t->m);
    t->weight = malloc(t->n_classes * sizeof *t->weight);
    t->x_val = malloc((n_val * d + 1) * sizeof *t->x_val);
    t->logit = malloc((n_val * t->n_classes + 1) * sizeof *t->logit);
    t->best = malloc(t->m->params.n_items * t->m->params.b->real_bytes);
    t->cell = malloc(t->o->batch * sizeof *t->cell);
    t->class_of = malloc(t->o->batch * sizeof *t->class_of);
    t->index = malloc(t->o->batch * sizeof *t->index);
    if (t->o->kind == FINE_HEAD)
        t->x_train = malloc((t->train->n * d + 1) * sizeof *t->x_train);
    if (!t->weight || !t->x_val || !t->logit || !t->best || !t->cell || !t->class_of || !t->index ||
        (t->o->kind == FINE_HEAD && !t->x_train))
        return err_set(e, RC_FAIL, "no memory to train on %zu cells", t->train->n);
    for (size_t c = 0; c < t->n_classes; c++) {
        size_t n = 0;
        for (size_t i = 0; i < t->train->n; i++)
            n += t->train->class_of[i] == c;
        t->weight[c] =
            t->o->balance && n ? (double)t->train->n / ((double)t->n_classes * (double)n) : 1;
    }
    if (t->o->kind != FINE_HEAD)
        return RC_OK;
    enum rc rc = vectors(t, t->train, t->x_train, e);
    return rc ? rc : vectors(t, t->val, t->x_val, e);
}

static void keep(struct tuner *t, const struct finetune_epoch *r, struct finetune_epoch *best)
{
    *best = *r;
    memcpy(t->best, t->m->params.x, t->m->params.n_items * t->m->params.b->real_bytes);
}

static bool better(const struct finetune_epoch *a, const struct finetune_epoch *b)
{
    if (!b->epoch || isnan(a->val_macro_f1))
        return true;
    return a->val_macro_f1 > b->val_macro_f1 ||
           (a->val_macro_f1 >= b->val_macro_f1 && a->val_loss < b->val_loss);
}

static enum rc run_epochs(struct tuner *t, void (*each)(void *, const struct finetune_epoch *),
                          void *ctx, struct finetune_epoch *best, struct err *e)
{
    enum rc rc = RC_OK;
    uint64_t number = 0;
    for (size_t k = 0; !rc && k < t->o->epochs; k++) {
        struct finetune_epoch r = { .epoch = k + 1 };
        const struct permute order = permute_of(t->o->seed, k, t->train->n);
        for (size_t i = 0; !rc && i < t->train->n; i += t->o->batch)
            rc = step(t, gather_step(t, &order, i), number++, &r.loss, e);
        r.loss /= (double)t->train->n;
        if (!rc)
            rc = validate(t, &r, e);
        if (rc)
            break;
        if ((r.best = better(&r, best)))
            keep(t, &r, best);
        if (each)
            each(ctx, &r);
        if (t->o->patience && t->val->n && k + 1 - best->epoch >= t->o->patience)
            break;
    }
    if (best->epoch)
        memcpy(t->m->params.x, t->best, t->m->params.n_items * t->m->params.b->real_bytes);
    return rc;
}

enum rc finetune(struct model *m, const struct finetune_options *o,
                 const struct finetune_cells *train, const struct finetune_cells *val,
                 void (*each)(void *ctx, const struct finetune_epoch *r), void *ctx,
                 struct finetune_epoch *best, struct err *e)
{
    const size_t steps = (train->n + o->batch - 1) / o->batch;
    struct tuner t = { .m = m, .o = o, .train = train, .val = val };
    t.optim = (struct optim){ .peak_lr = o->lr,
                              .weight_decay = o->weight_decay,
                              .max_grad_norm = o->max_grad_norm,
                              .warmup_steps = o->warmup_steps,
                              .total_steps = steps * o->epochs };
    if (t.optim.warmup_steps >= t.optim.total_steps) /* a short run still reaches its rate */
        t.optim.warmup_steps = t.optim.total_steps / 10;
    *best = (struct finetune_epoch){ 0 };
    if (o->kind != FINE_HEAD)
        model_unfold(m); /* its weights are about to change */
    finetune_work_init(&t.w, m, true);
    freeze(&t);
    enum rc rc = prepare(&t, e);
    if (!rc)
        rc = run_epochs(&t, each, ctx, best, e);
    finetune_thaw(m);
    finetune_work_release(&t.w);
    void *const owned[] = { t.weight, t.x_train, t.x_val,    t.logit,
                            t.best,   t.cell,    t.class_of, t.index };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    return rc;
}
