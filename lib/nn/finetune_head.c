/* Cells to vectors and vectors to classes: what is computed without a gradient. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/calibrate.h"
#include "lib/nn/finetune_parts.h"
#include "lib/nn/metrics_class.h"

enum {
    HEAD_ROWS = 1024,
    FOLD_GENES = 2 /* times the pairs of the vocabulary */
};

void finetune_work_init(struct finetune_work *w, struct model *m, bool training)
{
    *w = (struct finetune_work){ .m = m };
    tape_init(&w->tape, m->params.b, training);
    arena_init(&w->memory, 1 << 20);
}

void finetune_work_release(struct finetune_work *w)
{
    tape_release(&w->tape);
    arena_release(&w->memory);
}

struct tensor *finetune_param(struct model *m, const char *name)
{
    return &params_find(&m->params, name)->t;
}

size_t finetune_classes(const struct model *m)
{
    return params_find(&m->params, "classifier.weight")->rows;
}

static bool begins(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

bool finetune_is_head(const char *param)
{
    return begins(param, "bert.pooler.") || begins(param, "classifier.");
}

void finetune_new_head(struct model *m, uint64_t seed)
{
    for (size_t i = 0; i < m->params.n; i++)
        if (finetune_is_head(m->params.item[i].name))
            params_randomise_one(&m->params, i, m->config.init_sd, seed);
}

static size_t genes_of(const struct model *m, const struct batch_cell *cell)
{
    return cell->n < m->config.max_genes ? cell->n : m->config.max_genes;
}

size_t finetune_cut(const struct model *m, const struct batch_cell *cell, size_t from, size_t n,
                    size_t micro_rows)
{
    size_t rows = 0, to = from;
    for (; to < n; to++) {
        rows += 1 + genes_of(m, &cell[to]);
        if (to > from && rows > micro_rows)
            break;
    }
    return to;
}

enum rc finetune_batch(struct finetune_work *w, struct batch *b, const struct batch_cell *cell,
                       size_t n, struct err *e)
{
    const struct model_config *c = &w->m->config;
    arena_reset(&w->memory);
    return batch_build(b, &w->memory, cell, n, c->max_genes, c->n_tokens, w->m->tables.homolog,
                       NULL, e);
}

/* Vectors of cells [from, end). */
static enum rc encode_micro(struct finetune_work *w, const struct batch_cell *cell, size_t n,
                            float *to, struct err *e)
{
    struct batch batch;
    struct model_out out = { .cells_only = true };
    const struct model_run run = { 0 };
    tape_reset(&w->tape);
    enum rc rc = finetune_batch(w, &batch, cell, n, e);
    if (rc)
        return rc;
    model_encode(w->m, &w->tape, &batch, &run, &out);
    rc = tape_check(&w->tape, e);
    if (!rc)
        reals_to_f32(w->m->params.b, to, out.last->x, n * w->m->config.d);
    return rc;
}

enum rc finetune_begin_still(struct finetune_work *w, const struct batch_cell *cell, size_t n,
                             bool *folded, struct err *e)
{
    size_t genes = 0;
    for (size_t i = 0; i < n; i++)
        genes += genes_of(w->m, &cell[i]);
    *folded = !w->m->folded.table && genes >= FOLD_GENES * (size_t)w->m->config.n_tokens;
    tape_keep_weights(&w->tape, TAPE_KEEP_BYTES);
    return *folded ? model_fold(w->m, e) : RC_OK;
}

enum rc finetune_vectors(struct finetune_work *w, const struct batch_cell *cell, size_t n,
                         size_t micro_rows, float *to, struct err *e)
{
    const bool training = w->tape.training;
    bool folded;
    w->tape.training = false;
    enum rc rc = finetune_begin_still(w, cell, n, &folded, e);
    for (size_t from = 0, end; !rc && from < n; from = end) {
        end = finetune_cut(w->m, cell, from, n, micro_rows);
        rc = encode_micro(w, cell + from, end - from, to + from * w->m->config.d, e);
        if (!rc && w->done)
            w->done(w->ctx, end);
    }
    if (folded)
        model_unfold(w->m);
    tape_keep_weights(&w->tape, 0);
    tape_reset(&w->tape);
    w->tape.training = training;
    return rc;
}

enum rc finetune_encode(struct model *m, const struct batch_cell *cell, size_t n, size_t micro_rows,
                        float *to, void (*done)(void *ctx, size_t n), void *ctx, struct err *e)
{
    struct finetune_work w;
    finetune_work_init(&w, m, false);
    w.done = done;
    w.ctx = ctx;
    const enum rc rc = finetune_vectors(&w, cell, n, micro_rows, to, e);
    finetune_work_release(&w);
    return rc;
}

struct tensor *finetune_pool(struct finetune_work *w, struct tensor *rows)
{
    return tape_linear(&w->tape, rows, finetune_param(w->m, "bert.pooler.dense.weight"),
                       finetune_param(w->m, "bert.pooler.dense.bias"), ACT_TANH);
}

enum rc finetune_scores(struct finetune_work *w, const float *x, size_t n, double *logit,
                        struct err *e)
{
    const size_t d = w->m->config.d, n_classes = finetune_classes(w->m);
    enum rc rc = RC_OK;
    const bool training = w->tape.training;
    w->tape.training = false;
    for (size_t from = 0; !rc && from < n; from += HEAD_ROWS) {
        const size_t rows = n - from < HEAD_ROWS ? n - from : HEAD_ROWS;
        tape_reset(&w->tape);
        struct tensor *z = model_classify(
            w->m, &w->tape, finetune_pool(w, tape_input(&w->tape, x + from * d, rows, d)));
        rc = tape_check(&w->tape, e);
        if (!rc)
            reals_to_f64(w->m->params.b, logit + from * n_classes, z->x, rows * n_classes);
    }
    tape_reset(&w->tape);
    w->tape.training = training;
    return rc;
}

enum rc finetune_logits(struct model *m, const float *x, size_t n, double *logit, struct err *e)
{
    struct finetune_work w;
    finetune_work_init(&w, m, false);
    const enum rc rc = finetune_scores(&w, x, n, logit, e);
    finetune_work_release(&w);
    return rc;
}

enum rc finetune_score(const double *logit, const uint32_t *class_of, size_t n, size_t n_classes,
                       struct finetune_epoch *r, struct err *e)
{
    size_t *confusion = calloc(n_classes * n_classes + 1, sizeof *confusion);
    struct class_metrics m;
    if (!confusion)
        return err_set(e, RC_FAIL, "no memory for %zu classes", n_classes);
    for (size_t i = 0; i < n; i++)
        confusion[class_of[i] * n_classes + largest_of(logit + i * n_classes, n_classes)]++;
    class_metrics_get(confusion, n_classes, &m, NULL);
    free(confusion);
    r->val_loss = log_loss(logit, class_of, n, n_classes, 1);
    r->val_accuracy = m.accuracy;
    r->val_macro_f1 = m.macro_f1;
    return RC_OK;
}
