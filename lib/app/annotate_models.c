/* GeneCompass on the splits of a data set: logistic regression on its vectors, its head, all of it.
 * Each run begins from the weights of the folder, from random ones, or with the knowledge of every
 * gene given to another one. Vectors of the model as it is are made once for all seeds. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/annotate_parts.h"
#include "lib/app/embedder.h"
#include "lib/app/token_reader.h"
#include "lib/base/log.h"
#include "lib/nn/calibrate.h"
#include "lib/nn/finetune.h"
#include "lib/nn/knowledge_shuffle.h"

enum { MICRO_ROWS = 8192 };
static const double least_overlap = 0.1;

struct tuning {
    struct compare_job *j;
    struct compare_dataset *d;
    const struct compare_model *of;
    struct embedder m;
    struct cell_tokens tokens;
    struct batch_cell *cell; /* [n] a view of the tokens, cut for --tune full; n 0: none */
    float *x;                /* [n,D] vectors of the model as it is */
    float *told;             /* [n,D] of the cells that are asked about */
    void *start;             /* its weights */
    struct batch_cell *side; /* [n] cells of one side of a split, with the next four */
    uint32_t *side_class, *side_at;
    float *side_x;
    double *logit;
};

static void tuning_release(struct tuning *t)
{
    void *const owned[] = { t->cell,       t->x,       t->told,   t->start, t->side,
                            t->side_class, t->side_at, t->side_x, t->logit };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    cell_tokens_release(&t->tokens);
    embedder_close(&t->m);
}

/* The labelled cells as a table of their own, in their order. */
static enum rc cells_of(const struct compare_dataset *d, struct cells *out, struct err *e)
{
    unsigned char *keep = calloc(d->source->obs.n_rows + 1, 1);
    if (!keep)
        return err_set(e, RC_FAIL, "no memory for %zu cells", d->source->obs.n_rows);
    for (size_t i = 0; i < d->cells.n; i++)
        keep[d->cells.row[i]] = 1;
    const enum rc rc = cells_select(d->source, keep, NULL, out, e);
    free(keep);
    return rc;
}

/* Tokens in the order of the cells; one without a known gene has none. */
static enum rc tokenise(struct tuning *t, struct err *e)
{
    const size_t n = t->d->cells.n;
    struct cells mine;
    struct embed_report rep;
    if (cells_of(t->d, &mine, e))
        return e ? e->rc : RC_FAIL;
    enum rc rc = embedder_tokens(&t->m, &mine, &t->tokens, &rep, e);
    if (!rc)
        rc = embedder_check_overlap(&rep, least_overlap, e);
    cells_release(&mine);
    t->cell = calloc(n + 1, sizeof *t->cell);
    if (!rc && !t->cell)
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; !rc && i < t->tokens.n; i++)
        t->cell[t->tokens.row[i]] = t->tokens.cell[i];
    if (!rc && rep.n_empty)
        log_say("%zu cells have no gene that '%s' knows: they get the commonest type", rep.n_empty,
                t->of->name);
    return rc;
}

static enum rc begin_as(struct tuning *t, struct err *e)
{
    struct model *m = &t->m.model;
    const size_t bytes = m->params.n_items * m->params.b->real_bytes;
    enum rc rc = RC_OK;
    if (t->of->start == START_UNTRAINED)
        model_randomise(m, t->j->o->seed);
    if (t->of->start == START_SHUFFLED)
        rc = knowledge_shuffle(m, TOKEN_FIRST_GENE, t->j->o->seed, e);
    t->start = malloc(bytes);
    if (!rc && !t->start)
        rc = err_set(e, RC_FAIL, "no memory for a copy of '%s'", t->of->name);
    if (!rc)
        memcpy(t->start, m->params.x, bytes);
    return rc;
}

static enum rc tuning_init(struct tuning *t, struct err *e)
{
    const struct embedder_wants want = { .training = true,
                                         .n_classes = (uint32_t)t->d->cells.n_classes };
    const size_t n = t->d->cells.n;
    cell_tokens_init(&t->tokens);
    if (embedder_open(&t->m, t->of->folder, t->j->o->backend, &want, e))
        return e ? e->rc : RC_INPUT;
    const size_t d = t->m.model.config.d;
    t->x = calloc(n * d + 1, sizeof *t->x);
    t->told = calloc(n * d + 1, sizeof *t->told);
    t->side_x = calloc(n * d + 1, sizeof *t->side_x);
    t->side = calloc(n + 1, sizeof *t->side);
    t->side_class = calloc(n + 1, sizeof *t->side_class);
    t->side_at = calloc(n + 1, sizeof *t->side_at);
    t->logit = calloc(n * t->d->cells.n_classes + 1, sizeof *t->logit);
    if (!t->x || !t->told || !t->side_x || !t->side || !t->side_class || !t->side_at || !t->logit)
        return err_set(e, RC_FAIL, "no memory for %zu cells", n);
    const enum rc rc = tokenise(t, e);
    return rc ? rc : begin_as(t, e);
}

/* Cells of one part, or of all but one, that have tokens, behind *at cells of before. */
static struct finetune_cells take(struct tuning *t, const struct probe_cells *c, enum part part,
                                  bool others, size_t most, size_t *at)
{
    const size_t d = t->m.model.config.d, from = *at;
    for (size_t i = 0; i < c->n; i++) {
        if ((c->part[i] == part) == others || !t->cell[i].n)
            continue;
        t->side[*at] = t->cell[i];
        if (most && t->side[*at].n > most)
            t->side[*at].n = (uint32_t)most;
        t->side_class[*at] = c->class_of[i];
        t->side_at[*at] = (uint32_t)i;
        memcpy(t->side_x + *at * d, t->x + i * d, d * sizeof *t->x);
        (*at)++;
    }
    return (struct finetune_cells){ t->side + from, t->side_class + from, *at - from,
                                    t->side_x + from * d };
}

/* Vectors of the model as it is, into x. */
static enum rc encode_all(struct tuning *t, struct err *e)
{
    const size_t d = t->m.model.config.d;
    size_t n = 0;
    for (size_t i = 0; i < t->d->cells.n; i++)
        if (t->cell[i].n) {
            t->side_at[n] = (uint32_t)i;
            t->side[n++] = t->cell[i];
        }
    enum rc rc = finetune_encode(&t->m.model, t->side, n, MICRO_ROWS, t->told, NULL, NULL, e);
    for (size_t i = 0; !rc && i < n; i++)
        memcpy(t->x + t->side_at[i] * d, t->told + i * d, d * sizeof *t->x);
    return rc;
}

static struct finetune_options options_of(const struct tuning *t, bool full, size_t n_train,
                                          uint64_t seed)
{
    const struct compare_options *o = t->j->o;
    struct finetune_options f = { .kind = full ? FINE_FULL : FINE_HEAD,
                                  .lr = full ? o->tune_lr : o->frozen_lr,
                                  .max_grad_norm = 1,
                                  .head_dropout = 0.02,
                                  .batch = (size_t)o->batch,
                                  .epochs = (size_t)(full ? o->tune_epochs : o->frozen_epochs),
                                  .patience = (size_t)o->patience,
                                  .micro_rows = MICRO_ROWS,
                                  .seed = seed };
    f.warmup_steps = (n_train + f.batch - 1) / f.batch * f.epochs / 10;
    return f;
}

/* Everyone who is asked gets the commonest class, until the model says otherwise. */
static enum rc begin_result(const struct probe_cells *c, struct probe_result *r, struct err *e)
{
    const enum rc rc = probe_majority(c, r, e);
    for (size_t i = 0; !rc && i < c->n; i++)
        r->score[i] = 0;
    r->setting = "epoch";
    return rc;
}

static enum rc tune_seed(struct tuning *t, bool full, size_t s, struct err *e)
{
    const struct probe_cells c = compare_split(t->d, s);
    struct probe_result *r =
        compare_result(t->j, t->d, t->of->method[full ? TUNE_FULL : TUNE_FROZEN], s);
    struct model *m = &t->m.model;
    struct params *p = &m->params;
    const size_t bytes = p->n_items * p->b->real_bytes;
    const size_t most = full ? (size_t)t->j->o->tune_genes : 0, k = c.n_classes;
    size_t at = 0;
    struct finetune_epoch best;
    enum rc rc = begin_result(&c, r, e);
    if (rc)
        return rc;
    memcpy(p->x, t->start, bytes);
    memset(p->m, 0, bytes);
    memset(p->v, 0, bytes);
    finetune_new_head(m, t->j->o->seed + s);
    const struct finetune_cells train = take(t, &c, PART_TRAIN, false, most, &at),
                                val = take(t, &c, PART_VAL, false, most, &at);
    const struct finetune_options o = options_of(t, full, train.n, t->j->o->seed + s);
    if (!train.n || !val.n)
        return err_set(e, RC_INPUT, "no cell of a side has a gene that '%s' knows", t->of->name);
    rc = finetune(m, &o, &train, &val, NULL, NULL, &best, e);
    at = 0;
    const struct finetune_cells asked = take(t, &c, PART_TRAIN, true, most, &at);
    const float *x = asked.x;
    if (!rc && full) {
        rc = finetune_encode(m, asked.cell, asked.n, MICRO_ROWS, t->told, NULL, NULL, e);
        x = t->told;
    }
    if (!rc)
        rc = finetune_logits(m, x, asked.n, t->logit, e);
    for (size_t i = 0; !rc && i < asked.n; i++) {
        double *z = t->logit + i * k;
        const size_t said = largest_of(z, k);
        softmax_at(z, k, 1, z);
        r->predicted[t->side_at[i]] = (uint32_t)said;
        r->score[t->side_at[i]] = z[said];
    }
    r->chosen = (double)best.epoch;
    r->val_macro_f1 = best.val_macro_f1;
    return rc;
}

static enum rc probe_seed(struct tuning *t, size_t s, struct err *e)
{
    const struct probe_cells c = compare_split(t->d, s);
    struct mat x = { 0 };
    enum rc rc = probe_embedding_features(t->x, t->m.model.config.d, &c, &x, e);
    if (!rc)
        rc = probe_logistic(&c, &x, compare_result(t->j, t->d, t->of->method[TUNE_PROBE], s), e);
    mat_release(&x);
    return rc;
}

static enum rc run_model(struct tuning *t, struct err *e)
{
    const size_t n_seeds = (size_t)t->j->o->n_seeds, *method = t->of->method;
    struct progress p;
    enum rc rc = tuning_init(t, e);
    if (!rc && (method[TUNE_PROBE] != NO_METHOD || method[TUNE_FROZEN] != NO_METHOD))
        rc = encode_all(t, e);
    progress_start(&p, t->of->name, n_seeds);
    for (size_t s = 0; !rc && s < n_seeds; s++) {
        if (method[TUNE_PROBE] != NO_METHOD)
            rc = probe_seed(t, s, e);
        if (!rc && method[TUNE_FROZEN] != NO_METHOD)
            rc = tune_seed(t, false, s, e);
        if (!rc && method[TUNE_FULL] != NO_METHOD)
            rc = tune_seed(t, true, s, e);
        if (!rc)
            progress_at(&p, s + 1);
    }
    if (!rc)
        progress_end(&p);
    return rc;
}

enum rc compare_run_models(struct compare_job *j, struct compare_dataset *d, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < j->n_models; i++) {
        struct tuning t = { .j = j, .d = d, .of = &j->model[i] };
        rc = run_model(&t, e);
        tuning_release(&t);
        if (rc)
            err_wrap(e, "model '%s'", j->model[i].name);
    }
    return rc;
}
