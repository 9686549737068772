/* The three kinds of classifier, fitted and chosen by validation cells. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/annotate_training.h"
#include "lib/base/log.h"
#include "lib/nn/calibrate.h"

enum {
    HEAD_BATCH = 16,
    HEAD_EPOCHS = 100,
    FULL_EPOCHS = 50,
    RELEASED_EPOCHS = 30,
    RELEASED_WARMUP = 100
};

static void each_epoch(void *ctx, const struct finetune_epoch *r)
{
    struct training *t = ctx;
    fprintf(t->log.f, "%zu\t%.9g\t%.9g\t%.9g\t%.9g\t%d\n", r->epoch, r->loss, r->val_loss,
            r->val_accuracy, r->val_macro_f1, r->best);
    log_say("epoch %zu: loss %.4f, validation loss %.4f, accuracy %.4f, macro-F1 %.4f%s", r->epoch,
            r->loss, r->val_loss, r->val_accuracy, r->val_macro_f1, r->best ? ", best" : "");
}

enum rc training_tune(struct training *t, struct err *e)
{
    const struct train_classifier_options *o = t->o;
    const bool full = t->kind == CLASSIFIER_FULL, released = o->as_released;
    const struct finetune_options f = {
        .kind = released ? FINE_LAYERS
                : full   ? FINE_FULL
                         : FINE_HEAD,
        .lr = o->lr > 0 ? o->lr
              : full    ? 5e-5
                        : 1e-3,
        .weight_decay = released ? 0.001 : o->weight_decay,
        .max_grad_norm = o->clip,
        .head_dropout = 0.02,
        .batch = o->batch   ? (size_t)o->batch
                 : released ? 1
                            : HEAD_BATCH,
        .epochs = o->epochs  ? (size_t)o->epochs
                  : released ? RELEASED_EPOCHS
                  : full     ? FULL_EPOCHS
                             : HEAD_EPOCHS,
        .warmup_steps = released ? RELEASED_WARMUP : (size_t)o->warmup,
        .patience = released ? 0 : (size_t)o->patience,
        .micro_rows = (size_t)o->micro_rows,
        .balance = o->balance,
        .seed = o->seed,
    };
    const struct finetune_cells train = { t->train.cell, t->train.class_of, t->train.n, NULL };
    const struct finetune_cells val = { t->val.cell, t->val.class_of, t->val.n, NULL };
    fputs("epoch\tloss\tval_loss\tval_accuracy\tval_macro_f1\tbest\n", t->log.f);
    finetune_new_head(&t->m.model, o->seed);
    enum rc rc = finetune(&t->m.model, &f, &train, &val, each_epoch, t, &t->best, e);
    if (!rc)
        rc = finetune_encode(&t->m.model, t->val.cell, t->val.n, f.micro_rows, t->val.x, NULL, NULL,
                             e);
    return rc;
}

static void mean_and_sd(const struct side *s, size_t d, double *mean, double *sd)
{
    for (size_t j = 0; j < d; j++) {
        double sum = 0, square = 0;
        for (size_t i = 0; i < s->n; i++)
            sum += (double)s->x[i * d + j];
        mean[j] = sum / (double)s->n;
        for (size_t i = 0; i < s->n; i++)
            square += ((double)s->x[i * d + j] - mean[j]) * ((double)s->x[i * d + j] - mean[j]);
        sd[j] = sqrt(square / (double)s->n);
        if (!(sd[j] > 0))
            sd[j] = 1; /* a number that is the same in all cells says nothing */
    }
}

/* Scores a fit of the probe on the validation cells: a line of the log. */
static enum rc score_probe(struct training *t, const struct linear_model *w, double strength,
                           double *logit, struct finetune_epoch *r, struct err *e)
{
    struct classifier as = t->c;
    as.probe = *w;
    enum rc rc = classifier_logits(&as, NULL, t->val.x, t->val.n, logit, e);
    if (!rc)
        rc = finetune_score(logit, t->val.class_of, t->val.n, t->n_classes, r, e);
    if (rc)
        return rc;
    r->best = !t->best.epoch || r->val_macro_f1 > t->best.val_macro_f1;
    fprintf(t->log.f, "%.9g\t%.9g\t%.9g\t%.9g\t%d\n", strength, r->val_loss, r->val_accuracy,
            r->val_macro_f1, r->best);
    return RC_OK;
}

/* The penalty with the best macro-F1 on the validation cells, the first of equals; each fit begins
 * where the one with a smaller c ended. */
static enum rc fit_strengths(struct training *t, const struct mat *x, double *logit, struct err *e)
{
    static const double strength[] = { 0.001, 0.01, 0.1, 1, 10 };
    struct linear_model last = { 0 };
    enum rc rc = RC_OK;
    fputs("c\tval_loss\tval_accuracy\tval_macro_f1\tbest\n", t->log.f);
    for (size_t i = 0; !rc && i < sizeof strength / sizeof *strength; i++) {
        struct finetune_epoch r = { .epoch = i + 1 };
        struct linear_model now = { 0 };
        rc = logistic_fit(x, t->train.class_of, t->n_classes, strength[i], last.w.x ? &last : NULL,
                          &now, e);
        if (!rc)
            rc = score_probe(t, &now, strength[i], logit, &r, e);
        if (!rc && r.best) {
            t->best = r;
            t->best_c = strength[i];
            linear_model_release(&t->c.probe);
            rc = linear_model_copy(&now, &t->c.probe, e);
        }
        linear_model_release(&last);
        last = now;
    }
    linear_model_release(&last);
    return rc;
}

/* Cells of one side, behind those of another. */
struct shown {
    struct progress progress;
    size_t before;
};

static void show(void *ctx, size_t n)
{
    struct shown *s = ctx;
    progress_at(&s->progress, s->before + n);
}

/* The vectors of a side: those of its files, or encoded. */
static enum rc vectors_of(struct training *t, struct side *s, struct shown *p, struct err *e)
{
    const size_t d = t->m.model.config.d;
    if (!s->of->vectors)
        return finetune_encode(&t->m.model, s->cell, s->n, (size_t)t->o->micro_rows, s->x, show, p,
                               e);
    for (size_t i = 0; i < s->n; i++)
        memcpy(s->x + i * d, labelled_cells_vector(s->of, s->row[i]), d * sizeof *s->x);
    return RC_OK;
}

static enum rc all_vectors(struct training *t, struct err *e)
{
    const bool encodes = !t->train.of->vectors || !t->val.of->vectors;
    struct shown p = { .before = 0 };
    if (encodes)
        embedder_say_backend(t->o->backend);
    progress_start(&p.progress, "cells", t->train.n + t->val.n);
    enum rc rc = vectors_of(t, &t->train, &p, e);
    p.before = t->train.n;
    if (!rc)
        rc = vectors_of(t, &t->val, &p, e);
    if (!rc && encodes)
        progress_end(&p.progress);
    return rc;
}

enum rc training_probe(struct training *t, struct err *e)
{
    const size_t d = t->m.model.config.d, n = t->train.n;
    struct mat x = { 0 };
    double *logit = malloc((t->val.n * t->n_classes + 1) * sizeof *logit);
    t->c.mean = malloc(d * sizeof *t->c.mean);
    t->c.sd = malloc(d * sizeof *t->c.sd);
    t->c.probe.d = d;
    t->c.probe.n_classes = t->n_classes;
    enum rc rc = logit && t->c.mean && t->c.sd ? mat_alloc(&x, n, d, e)
                                               : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    if (!rc)
        rc = all_vectors(t, e);
    if (!rc) {
        mean_and_sd(&t->train, d, t->c.mean, t->c.sd);
        for (size_t i = 0; i < n * d; i++)
            x.x[i] = classifier_scale(&t->c, t->train.x[i], i % d);
        rc = fit_strengths(t, &x, logit, e);
    }
    free(logit);
    mat_release(&x);
    return rc;
}

enum rc training_calibrate(struct training *t, double calibration[2], struct err *e)
{
    const size_t n = t->val.n, k = t->n_classes;
    double *logit = malloc((n * k + 1) * sizeof *logit), *p = malloc((n + 1) * sizeof *p);
    double *all = malloc(k * sizeof *all);
    unsigned char *right = malloc(n + 1);
    enum rc rc =
        logit && p && all && right ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    if (!rc)
        rc = classifier_logits(&t->c, &t->m.model, t->val.x, n, logit, e);
    for (int after = 0; !rc && after < 2; after++) {
        if (after)
            t->c.temperature = temperature_of(logit, t->val.class_of, n, k);
        for (size_t i = 0; i < n; i++) {
            const size_t best = largest_of(logit + i * k, k);
            softmax_at(logit + i * k, k, t->c.temperature, all);
            p[i] = all[best];
            right[i] = best == t->val.class_of[i];
        }
        calibration[after] = calibration_error(p, right, n);
    }
    if (!rc)
        t->c.threshold = sure_from(p, right, n, t->o->sure);
    free(logit);
    free(p);
    free(all);
    free(right);
    return rc;
}
