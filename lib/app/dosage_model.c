/* Vectors of the model judged: probes, the model trained. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/dosage_parts.h"
#include "lib/base/log.h"
#include "lib/nn/gene_tune.h"
#include "lib/nn/knowledge_shuffle.h"
#include "lib/nn/split.h"

/* Settings of the protocol (spec/05 section 10); as released four of its six layers stay as they are. */
enum { BATCH = 12, WARMUP = 500 };
#define RATE 5e-5
#define DECAY 0.001
#define CLIP 1.0
#define HEAD_DROPOUT 0.02

/* ---- judging ---- */

static enum rc mean_scores(const struct dosage_half *h, const double *score, double *mean,
                           unsigned char *in_gene, const unsigned char *in, size_t n, struct err *e)
{
    size_t *count = calloc(n + 1, sizeof *count);
    if (!count)
        return err_set(e, RC_FAIL, "no memory for %zu genes", n);
    memset(mean, 0, n * sizeof *mean);
    memset(in_gene, 0, n);
    for (size_t i = 0; i < h->n_rows; i++)
        if (in[i]) {
            mean[h->gene_of[i]] += score[i];
            count[h->gene_of[i]]++;
        }
    for (size_t g = 0; g < n; g++)
        if (count[g]) {
            mean[g] /= (double)count[g];
            in_gene[g] = 1;
        }
    free(count);
    return RC_OK;
}

static void put_predictions(struct dosage_job *j, const char *method, uint64_t seed, uint32_t fold,
                            const uint32_t *class_of, const double *mean, const unsigned char *in)
{
    for (size_t g = 0; g < j->play.n; g++) {
        const struct dosage_gene *x = &j->genes.gene[j->play.row[g]];
        if (in[g])
            fprintf(j->predictions.f, "%s\t%s\t%s\t%s\t%s\t%llu\t%u\t%s\t%.9g\t%u\n", j->o->dataset,
                    x->id, x->name, method, j->variant, (unsigned long long)seed, fold,
                    class_of[g] ? "sensitive" : "insensitive", mean[g], x->n_test);
    }
}

enum rc dosage_judge(struct dosage_job *j, const char *method, uint64_t seed, uint32_t fold,
                     const uint32_t *fold_of, const uint32_t *class_of, const double *score,
                     struct err *e)
{
    const struct dosage_half *h = &j->half[1];
    const size_t n = j->play.n;
    uint32_t *class_of_row = malloc((h->n_rows + 1) * sizeof *class_of_row);
    unsigned char *in = malloc(h->n_rows + 1), *in_gene = malloc(n + 1);
    double *mean = malloc((n + 1) * sizeof *mean), auc = NAN;
    size_t n_in = 0, points = 0;
    enum rc rc = class_of_row && in && in_gene && mean
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu scores", h->n_rows);
    for (size_t i = 0; !rc && i < h->n_rows; i++) {
        in[i] = fold_of[h->gene_of[i]] == fold;
        class_of_row[i] = class_of[h->gene_of[i]];
    }
    if (!rc)
        rc = dosage_auc(score, class_of_row, in, h->n_rows, &auc, &n_in, &points, e);
    if (!rc)
        rc = dosage_add(j, method, "auroc_occurrence", seed, fold + 1, auc, n_in, e);
    if (!rc && j->o->as_released)
        rc = dosage_add(j, method, "roc_points", seed, fold + 1, (double)points, n_in, e);
    if (!rc)
        rc = mean_scores(h, score, mean, in_gene, in, n, e);
    if (!rc)
        rc = dosage_auc(mean, class_of, in_gene, n, &auc, &n_in, NULL, e);
    if (!rc)
        rc = dosage_add(j, method, "auroc_gene", seed, fold + 1, auc, n_in, e);
    if (!rc)
        put_predictions(j, method, seed, fold + 1, class_of, mean, in_gene);
    free(class_of_row);
    free(in);
    free(in_gene);
    free(mean);
    return rc;
}

/* ---- linear methods ---- */

struct linear_room {
    uint32_t *class_of, *fold_of;
    unsigned char *train;
    double *score, *w, *row;
};

static void linear_room_free(struct linear_room *r)
{
    void *const owned[] = { r->class_of, r->fold_of, r->train, r->score, r->w, r->row };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

static enum rc linear_room_make(struct linear_room *r, size_t n, size_t d, size_t n_rows,
                                struct err *e)
{
    *r = (struct linear_room){ malloc((n + 1) * sizeof *r->class_of),
                               malloc((n + 1) * sizeof *r->fold_of),
                               malloc(n + 1),
                               malloc((n_rows + 1) * sizeof *r->score),
                               malloc((d + 1) * sizeof *r->w),
                               malloc((d + 1) * sizeof *r->row) };
    if (r->class_of && r->fold_of && r->train && r->score && r->w && r->row)
        return RC_OK;
    return err_set(e, RC_FAIL, "no memory for %zu genes", n);
}

static enum rc linear_fold(struct dosage_job *j, const struct mat *x, const float *of_test, double c,
                           uint64_t seed, uint32_t fold, struct linear_room *r, struct err *e)
{
    const struct dosage_half *h = &j->half[1];
    enum rc rc = RC_OK;
    double shift = 0;
    for (size_t g = 0; g < x->n; g++)
        r->train[g] = r->fold_of[g] != fold;
    if (c == DOSAGE_CHOOSE)
        rc = dosage_choose_c(x, r->class_of, r->train, j->play.id, seed, &c, e);
    if (!rc && c > 0)
        rc = dosage_fit(x, r->class_of, r->train, c, r->w, &shift, e);
    for (size_t i = 0; !rc && i < h->n_rows; i++) {
        const double *row = mat_row(x, h->gene_of[i]);
        if (of_test) {
            for (size_t k = 0; k < x->d; k++)
                r->row[k] = (double)of_test[i * x->d + k];
            row = r->row;
        }
        r->score[i] = c > 0 ? dosage_linear(r->w, shift, row, x->d) : row[0];
    }
    return rc;
}

enum rc dosage_linear_runs(struct dosage_job *j, const char *method, const struct mat *x,
                           const float *of_test, double c, bool shuffled, struct err *e)
{
    struct linear_room r;
    enum rc rc = linear_room_make(&r, x->n, x->d, j->half[1].n_rows, e);
    for (int64_t s = 0; !rc && s < j->o->n_seeds; s++) {
        const uint64_t seed = j->o->seed + (uint64_t)s;
        dosage_classes(j, shuffled, seed, r.class_of);
        rc = split_folds(r.class_of, j->play.id, x->n, j->n_folds, seed, r.fold_of, e);
        for (uint32_t f = 0; !rc && f < j->n_folds; f++) {
            rc = linear_fold(j, x, of_test, c, seed, f, &r, e);
            if (!rc)
                rc = dosage_judge(j, method, seed, f, r.fold_of, r.class_of, r.score, e);
        }
    }
    linear_room_free(&r);
    return rc;
}

/* ---- the model as it is ---- */

/* A gene's mean vector over the first half. */
static void mean_vectors(const struct dosage_job *j, struct mat *x)
{
    const struct dosage_half *h = &j->half[0];
    memset(x->x, 0, x->n * x->d * sizeof *x->x);
    for (size_t i = 0; i < h->n_rows; i++) {
        const size_t g = h->gene_of[i];
        for (size_t k = 0; k < x->d; k++)
            mat_row(x, g)[k] += (double)h->x[i * x->d + k] /
                                (double)j->genes.gene[j->play.row[g]].n_train;
    }
}

static enum rc encode(struct dosage_job *j, int half, struct err *e)
{
    return gene_encode(&j->m.model, j->half[half].cell, j->half[half].n, j->play.every,
                       (size_t)j->o->micro_rows, j->half[half].x, e);
}

static enum rc word_rows(struct dosage_job *j, struct mat *x, struct err *e)
{
    const struct params *p = &j->m.model.params;
    const char *table = params_find(p, "bert.embeddings.word_embeddings.weight")->t.x;
    for (size_t g = 0; g < x->n; g++) {
        const size_t token = (size_t)j->genes.gene[j->play.row[g]].token;
        reals_to_f64(p->b, mat_row(x, g), table + token * x->d * p->b->real_bytes, x->d);
    }
    return dosage_linear_runs(j, "word-rows+logistic", x, NULL, DOSAGE_CHOOSE, false, e);
}

/* The model as it now is, of both halves. x: room [play.n, D]. shuffled: NULL, or a method with the labels shuffled. */
static enum rc probe(struct dosage_job *j, const char *method, const char *shuffled, struct mat *x,
                     struct err *e)
{
    enum rc rc = RC_OK;
    log_say("%s: encoding", method);
    for (int h = 0; !rc && h < 2; h++)
        rc = encode(j, h, e);
    if (rc)
        return rc;
    mean_vectors(j, x);
    rc = dosage_linear_runs(j, method, x, j->half[1].x, DOSAGE_CHOOSE, false, e);
    if (!rc && shuffled)
        rc = dosage_linear_runs(j, shuffled, x, j->half[1].x, DOSAGE_CHOOSE, true, e);
    return rc;
}

/* What needs the knowledge tables comes first, since what is forgotten is gone. trained: the weights to go back to. */
static enum rc probes(struct dosage_job *j, const void *trained, struct mat *x, struct err *e)
{
    struct model *m = &j->m.model;
    const size_t bytes = m->params.n_items * m->params.b->real_bytes;
    enum rc rc = probe(j, "genecompass+logistic", "shuffled-labels+logistic", x, e);
    if (!rc)
        rc = word_rows(j, x, e);
    model_randomise(m, j->o->seed);
    if (!rc)
        rc = probe(j, "random-weights+logistic", NULL, x, e);
    if (rc || !knowledge_any(m))
        return rc;
    rc = knowledge_forget(m, e);
    if (!rc)
        rc = probe(j, "random-weights-without-knowledge+logistic", NULL, x, e);
    memcpy(m->params.x, trained, bytes);
    return rc ? rc : probe(j, "genecompass-without-knowledge+logistic", NULL, x, e);
}

enum rc dosage_frozen(struct dosage_job *j, struct err *e)
{
    const struct params *p = &j->m.model.params;
    const size_t bytes = p->n_items * p->b->real_bytes;
    struct mat x = { 0 };
    void *trained = malloc(bytes);
    enum rc rc = trained ? mat_alloc(&x, j->play.n, j->m.model.config.d, e)
                         : err_set(e, RC_FAIL, "no memory for the weights");
    if (!rc) {
        memcpy(trained, p->x, bytes);
        rc = probes(j, trained, &x, e);
    }
    free(trained);
    mat_release(&x);
    return rc;
}

/* ---- the model trained ---- */

static enum rc tune_fold(struct dosage_job *j, const char *method, uint64_t seed, uint32_t fold,
                         const uint32_t *fold_of, const uint32_t *class_of, int8_t *class_of_token,
                         double *score, struct err *e)
{
    const struct dosage_options *o = j->o;
    const bool released = o->as_released;
    const struct gene_tune_options how = {
        .lr = o->lr > 0 ? o->lr : RATE,
        .weight_decay = DECAY,
        .max_grad_norm = CLIP,
        .head_dropout = HEAD_DROPOUT,
        .batch = o->batch ? (size_t)o->batch : BATCH,
        .epochs = (size_t)o->epochs,
        .warmup_steps = released ? WARMUP
                                 : j->half[0].n / (o->batch ? (size_t)o->batch : BATCH) / 10,
        .frozen_layers = released ? 2 * j->m.model.config.n_layers / 3 : 0,
        .micro_rows = (size_t)o->micro_rows,
        .seed = seed * 1000 + fold,
    };
    double loss = NAN;
    memset(class_of_token, GENE_NO_CLASS, j->m.vocab.n);
    for (size_t g = 0; g < j->play.n; g++)
        if (fold_of[g] != fold)
            class_of_token[j->genes.gene[j->play.row[g]].token] = (int8_t)class_of[g];
    enum rc rc = gene_tune(&j->m.model, &how, j->half[0].cell, j->half[0].n, class_of_token, &loss, e);
    if (!rc)
        rc = encode(j, 1, e);
    if (!rc)
        rc = gene_scores(&j->m.model, j->half[1].x, j->half[1].n_rows, score, e);
    if (!rc)
        rc = dosage_judge(j, method, seed, fold, fold_of, class_of, score, e);
    if (!rc)
        log_say("%s, seed %llu, fold %u: loss %.4f, AUC of genes %.3f", method,
                (unsigned long long)seed, fold + 1, loss, j->row[j->n_rows - 1].value);
    return rc;
}

static enum rc tune_all(struct dosage_job *j, const char *method, const void *start, bool shuffled,
                        struct err *e)
{
    const struct params *p = &j->m.model.params;
    uint32_t *class_of = malloc((j->play.n + 1) * sizeof *class_of);
    uint32_t *fold_of = malloc((j->play.n + 1) * sizeof *fold_of);
    int8_t *class_of_token = malloc(j->m.vocab.n + 1);
    double *score = malloc((j->half[1].n_rows + 1) * sizeof *score);
    enum rc rc = class_of && fold_of && class_of_token && score
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu genes", j->play.n);
    for (int64_t s = 0; !rc && s < j->o->n_tuned; s++) {
        const uint64_t seed = j->o->seed + (uint64_t)s;
        dosage_classes(j, shuffled, seed, class_of);
        rc = split_folds(class_of, j->play.id, j->play.n, j->n_folds, seed, fold_of, e);
        for (uint32_t f = 0; !rc && f < j->n_folds; f++) {
            memcpy(p->x, start, p->n_items * p->b->real_bytes);
            rc = tune_fold(j, method, seed, f, fold_of, class_of, class_of_token, score, e);
        }
    }
    free(class_of);
    free(fold_of);
    free(class_of_token);
    free(score);
    return rc;
}

enum rc dosage_tuned(struct dosage_job *j, struct err *e)
{
    const struct params *p = &j->m.model.params;
    const size_t bytes = p->n_items * p->b->real_bytes;
    void *start = malloc(bytes);
    if (!start)
        return err_set(e, RC_FAIL, "no memory for the weights");
    memcpy(start, p->x, bytes);
    enum rc rc = tune_all(j, "genecompass+full", start, false, e);
    if (!rc && !j->o->as_released)
        rc = tune_all(j, "shuffled-labels+full", start, true, e);
    if (!rc && !j->o->as_released) {
        void *random = malloc(bytes);
        model_randomise(&j->m.model, j->o->seed);
        if (random)
            memcpy(random, p->x, bytes);
        rc = random ? tune_all(j, "random-weights+full", random, false, e)
                    : err_set(e, RC_FAIL, "no memory for the weights");
        free(random);
    }
    memcpy(p->x, start, bytes);
    free(start);
    return rc;
}
