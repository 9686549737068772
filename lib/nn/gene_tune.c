#include "lib/nn/gene_tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/permute.h"
#include "lib/base/rng.h"
#include "lib/nn/finetune_parts.h"
#include "lib/nn/optim.h"

struct gene_tuner {
    struct finetune_work w;
    struct model *m;
    const struct gene_tune_options *o;
    const struct batch_cell *all;
    const int8_t *class_of;
    uint32_t *use; /* [n_use] cells with a class */
    size_t n_use;
    struct batch_cell *cell; /* [batch] of a step */
    struct optim optim;
};

size_t gene_occurrences(const struct model *m, const struct batch_cell *cell, size_t n,
                        const int8_t *class_of, uint32_t *cell_of, uint16_t *token)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        for (uint32_t g = 0; g < cell[i].n && g < m->config.max_genes; g++) {
            if (class_of[cell[i].token[g]] == GENE_NO_CLASS)
                continue;
            if (cell_of)
                cell_of[k] = (uint32_t)i;
            if (token)
                token[k] = cell[i].token[g];
            k++;
        }
    return k;
}

static bool begins(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

static void freeze(struct gene_tuner *t)
{
    char layer[64];
    for (size_t i = 0; i < t->m->params.n; i++) {
        struct param *p = &t->m->params.item[i];
        p->frozen = begins(p->name, "cls.") || begins(p->name, "cls4value.") ||
                    begins(p->name, "bert.pooler.");
        for (size_t k = 0; !p->frozen && k < t->o->frozen_layers; k++) {
            snprintf(layer, sizeof layer, "bert.encoder.layer.%zu.", k);
            p->frozen = begins(p->name, layer);
        }
    }
}

/* Rows of the batch whose genes have a class, gathered; *label: their classes. */
static struct tensor *classed_rows(struct finetune_work *w, const struct batch *b,
                                   struct tensor *last, const int8_t *class_of, uint32_t **label,
                                   uint64_t **key)
{
    uint32_t *row = tape_memory(&w->tape, (b->n_genes + 1) * sizeof *row);
    *label = tape_memory(&w->tape, (b->n_genes + 1) * sizeof **label);
    *key = tape_memory(&w->tape, (b->n_genes + 1) * sizeof **key);
    size_t n = 0;
    if (w->tape.failed)
        return &w->tape.nothing;
    for (size_t c = 0, g = 0; c < b->n_cells; c++)
        for (uint32_t r = b->first[c] + 1; r < b->first[c + 1]; r++, g++) {
            if (class_of[b->id[g]] == GENE_NO_CLASS)
                continue;
            (*label)[n] = (uint32_t)class_of[b->id[g]];
            (*key)[n] = b->row_key[r];
            row[n++] = r;
        }
    return tape_gather(&w->tape, last, row, n, SIZE_MAX);
}

/* One micro-batch of a step, its gradient added. total: occurrences of the step. */
static enum rc micro(struct gene_tuner *t, const struct batch_cell *cell, size_t n, double total,
                     uint64_t seed, double *loss, struct err *e)
{
    struct batch b;
    struct model_out out = { 0 };
    const struct model_run run = { .dropout = true, .dropout_seed = seed };
    uint32_t *label;
    uint64_t *key;
    tape_reset(&t->w.tape);
    enum rc rc = finetune_batch(&t->w, &b, cell, n, e);
    if (rc)
        return rc;
    model_encode(t->m, &t->w.tape, &b, &run, &out);
    struct tensor *rows = classed_rows(&t->w, &b, out.last, t->class_of, &label, &key);
    const struct dropout drop = { (uint32_t)(t->o->head_dropout * 65536),
                                  rng_u64(seed, RNG_DROPOUT, 0, 1), key };
    if (!t->w.tape.failed && t->o->head_dropout > 0)
        rows = tape_dropout(&t->w.tape, rows, &drop);
    if (!t->w.tape.failed) {
        struct id_loss id = { 0 };
        tape_id_loss(&t->w.tape, rows, finetune_param(t->m, "classifier.weight"),
                     finetune_param(t->m, "classifier.bias"), label, 1 / total, &id);
        *loss += id.loss;
    }
    tape_backward(&t->w.tape);
    return tape_check(&t->w.tape, e);
}

static enum rc step(struct gene_tuner *t, size_t n, uint64_t number, double *loss, double *seen,
                    struct err *e)
{
    struct params *p = &t->m->params;
    const uint64_t seed = rng_u64(t->o->seed, RNG_DROPOUT, number, 2);
    const double total = (double)gene_occurrences(t->m, t->cell, n, t->class_of, NULL, NULL);
    double sum = 0;
    enum rc rc = RC_OK;
    params_zero_gradients(p);
    for (size_t from = 0, to; !rc && from < n; from = to) {
        to = finetune_cut(t->m, t->cell, from, n, t->o->micro_rows);
        rc = micro(t, t->cell + from, to - from, total, seed, &sum, e);
    }
    if (rc)
        return rc;
    finetune_clear_frozen(p);
    const double norm = optim_norm(p);
    if (!isfinite(sum) || !isfinite(norm))
        return err_set(e, RC_CHECK, "step %llu: loss %g, gradient norm %g",
                       (unsigned long long)number, sum, norm);
    optim_step(&t->optim, p, number, norm);
    *loss += sum * total;
    *seen += total;
    return RC_OK;
}

static enum rc run_epochs(struct gene_tuner *t, double *loss, struct err *e)
{
    uint64_t number = 0;
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < t->o->epochs; k++) {
        const struct permute order = permute_of(t->o->seed, k, t->n_use);
        double seen = 0;
        *loss = 0;
        for (size_t i = 0; !rc && i < t->n_use; i += t->o->batch) {
            size_t n = 0;
            for (; n < t->o->batch && i + n < t->n_use; n++)
                t->cell[n] = t->all[t->use[permute_at(&order, i + n)]];
            rc = step(t, n, number++, loss, &seen, e);
        }
        *loss /= seen;
    }
    return rc;
}

static void begin(struct gene_tuner *t)
{
    struct params *p = &t->m->params;
    const size_t steps = (t->n_use + t->o->batch - 1) / t->o->batch * t->o->epochs;
    t->optim = (struct optim){ .peak_lr = t->o->lr,
                               .weight_decay = t->o->weight_decay,
                               .max_grad_norm = t->o->max_grad_norm,
                               .warmup_steps = t->o->warmup_steps,
                               .total_steps = steps };
    memset(p->m, 0, p->n_items * p->b->real_bytes);
    memset(p->v, 0, p->n_items * p->b->real_bytes);
    for (size_t i = 0; i < p->n; i++)
        if (begins(p->item[i].name, "classifier."))
            params_randomise_one(p, i, t->m->config.init_sd, t->o->seed);
    model_unfold(t->m); /* weights are about to change */
    freeze(t);
}

enum rc gene_tune(struct model *m, const struct gene_tune_options *o, const struct batch_cell *cell,
                  size_t n, const int8_t *class_of, double *loss, struct err *e)
{
    struct gene_tuner t = { .m = m, .o = o, .all = cell, .class_of = class_of };
    t.use = malloc((n + 1) * sizeof *t.use);
    t.cell = malloc(o->batch * sizeof *t.cell);
    enum rc rc = t.use && t.cell ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; !rc && i < n; i++)
        if (gene_occurrences(m, cell + i, 1, class_of, NULL, NULL))
            t.use[t.n_use++] = (uint32_t)i;
    if (!rc && !t.n_use)
        rc = err_set(e, RC_INPUT, "no cell has a gene with a class");
    if (!rc) {
        finetune_work_init(&t.w, m, true);
        begin(&t);
        rc = run_epochs(&t, loss, e);
        finetune_thaw(m);
        finetune_work_release(&t.w);
    }
    free(t.use);
    free(t.cell);
    return rc;
}

static enum rc encode_micro(struct finetune_work *w, const struct batch_cell *cell, size_t n,
                            const int8_t *class_of, float *to, size_t *at, struct err *e)
{
    const size_t d = w->m->config.d;
    struct batch b;
    struct model_out out = { 0 };
    const struct model_run run = { 0 };
    uint32_t *label;
    uint64_t *key;
    tape_reset(&w->tape);
    enum rc rc = finetune_batch(w, &b, cell, n, e);
    if (rc)
        return rc;
    model_encode(w->m, &w->tape, &b, &run, &out);
    const struct tensor *rows = classed_rows(w, &b, out.last, class_of, &label, &key);
    rc = tape_check(&w->tape, e);
    if (!rc) {
        reals_to_f32(w->m->params.b, to + *at * d, rows->x, rows->rows * d);
        *at += rows->rows;
    }
    return rc;
}

enum rc gene_encode(struct model *m, const struct batch_cell *cell, size_t n, const int8_t *class_of,
                    size_t micro_rows, float *to, struct err *e)
{
    struct finetune_work w;
    bool folded;
    size_t at = 0;
    finetune_work_init(&w, m, false);
    enum rc rc = finetune_begin_still(&w, cell, n, &folded, e);
    for (size_t from = 0, end; !rc && from < n; from = end) {
        end = finetune_cut(m, cell, from, n, micro_rows);
        rc = encode_micro(&w, cell + from, end - from, class_of, to, &at, e);
    }
    if (folded)
        model_unfold(m);
    finetune_work_release(&w);
    return rc;
}

enum rc gene_scores(const struct model *m, const float *x, size_t n, double *score, struct err *e)
{
    const size_t d = m->config.d;
    const struct params *p = &m->params;
    double *w = malloc((2 * d + 2) * sizeof *w), *bias = w + 2 * d;
    if (!w)
        return err_set(e, RC_FAIL, "no memory for a classifier");
    reals_to_f64(p->b, w, params_find(p, "classifier.weight")->t.x, 2 * d);
    reals_to_f64(p->b, bias, params_find(p, "classifier.bias")->t.x, 2);
    for (size_t i = 0; i < n; i++) {
        double z = bias[1] - bias[0];
        for (size_t k = 0; k < d; k++)
            z += (w[d + k] - w[k]) * (double)x[i * d + k];
        score[i] = z;
    }
    free(w);
    return RC_OK;
}
