#include "lib/nn/cpa_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/permute.h"
#include "lib/base/rng.h"
#include "lib/nn/metrics_stat.h"
#include "lib/tensor/tape_small.h"

const struct cpa_plan cpa_plan_published = { .d = 128,
                                             .width = 128,
                                             .depth = 3,
                                             .adversary_width = 64,
                                             .adversary_depth = 2,
                                             .doser_width = 128,
                                             .doser_depth = 2,
                                             .doser = CPA_DOSER_MLP,
                                             .adversary = 60,
                                             .penalty = 60,
                                             .rate = 3e-4,
                                             .batch = 256,
                                             .epochs = 100,
                                             .check_every = 20,
                                             .n_control = 500 };

enum { EACH_FALL = 45 }; /* checks after which the rates fall to a tenth */

void cpa_training_release(struct cpa_training *t)
{
    cpa_release(&t->m);
    tape_release(&t->tape);
    dose_moments_release(&t->validation);
    free(t->cell);
    free(t->x);
    free(t->dose);
    free(t->class_of);
    free(t->check);
    free(t->kept);
    *t = (struct cpa_training){ 0 };
}

static struct cpa_config config_of(const struct cpa_task *k, const struct cpa_plan *p)
{
    return (struct cpa_config){ .n_genes = k->set->x.n_genes,
                                .n_drugs = k->set->n_drugs,
                                .n_covariates = k->set->n_types > 1,
                                .n_classes = { k->set->n_types },
                                .d = p->d,
                                .width = p->width,
                                .depth = p->depth,
                                .adversary_width = p->adversary_width,
                                .adversary_depth = p->adversary_depth,
                                .doser_width = p->doser_width,
                                .doser_depth = p->doser_depth,
                                .doser = p->doser,
                                .d_embedding = k->vectors ? k->vectors->d : 0,
                                .adversary = p->adversary,
                                .penalty = p->penalty,
                                .rate = p->rate,
                                .decay = 4e-7,
                                .adversary_rate = p->rate,
                                .adversary_decay = 4e-7,
                                .doser_rate = p->rate * 4e-3 / 3e-4,
                                .doser_decay = 1e-7 };
}

enum rc cpa_training_init(struct cpa_training *t, const struct cpa_task *task,
                          const struct cpa_plan *plan, const struct backend *b, struct err *e)
{
    const struct dose_set *s = task->set;
    const struct cpa_config c = config_of(task, plan);
    *t = (struct cpa_training){ .task = task,
                                .plan = *plan,
                                .best = SIZE_MAX,
                                .most_checks = plan->epochs / plan->check_every + 1 };
    tape_init(&t->tape, b, true);
    t->cell = malloc((s->x.n_cells + 1) * sizeof *t->cell);
    enum rc rc = t->cell ? cpa_init(&t->m, &c, b, true, e)
                         : err_set(e, RC_FAIL, "no memory for %zu cells", s->x.n_cells);
    for (uint32_t i = 0; !rc && i < s->x.n_cells; i++)
        if (task->part[i] == DOSE_TRAIN)
            t->cell[t->n_train++] = i;
    if (!rc && t->n_train < 2)
        rc = err_set(e, RC_INPUT, "%zu cells to train on", t->n_train);
    if (!rc) {
        cpa_randomise(&t->m, plan->seed);
        t->plan.batch = plan->batch < t->n_train ? plan->batch : t->n_train;
        t->x = malloc(t->plan.batch * s->x.n_genes * sizeof *t->x);
        t->dose = malloc(t->plan.batch * s->n_drugs * sizeof *t->dose);
        t->class_of = malloc(t->plan.batch * sizeof *t->class_of);
        t->check = calloc(t->most_checks + 1, sizeof *t->check);
        t->kept = malloc(t->m.params.n_items * b->real_bytes + 1);
        if (!t->x || !t->dose || !t->class_of || !t->check || !t->kept)
            rc = err_set(e, RC_FAIL, "no memory for a training of %zu cells", t->n_train);
    }
    if (!rc)
        rc = dose_moments_init(&t->validation, s, task->part, DOSE_VAL, e);
    if (rc)
        cpa_training_release(t);
    return rc;
}

/* ---- a step ---- */

static void fill_batch(struct cpa_training *t, const uint32_t *cell)
{
    const struct dose_set *s = t->task->set;
    memset(t->dose, 0, t->plan.batch * s->n_drugs * sizeof *t->dose);
    for (size_t i = 0; i < t->plan.batch; i++) {
        const struct dose_condition *c = &s->condition[s->of[cell[i]]];
        perturb_set_row(&s->x, cell[i], t->x + i * s->x.n_genes);
        t->class_of[i] = c->type;
        if (c->drug != DOSE_CONTROL)
            t->dose[i * s->n_drugs + c->drug] = c->dose / s->largest[c->drug];
    }
}

enum rc cpa_training_step(struct cpa_training *t, const uint32_t *cell, struct cpa_losses *l,
                          struct err *e)
{
    const bool autoencoder = t->step++ % 3 == 0;
    struct cpa_out out;
    fill_batch(t, cell);
    const struct cpa_batch b = { .n = t->plan.batch,
                                 .x = t->x,
                                 .dose = t->dose,
                                 .embedding = t->task->vectors ? t->task->vectors->x : NULL,
                                 .class_of = { t->class_of } };
    params_zero_gradients(&t->m.params);
    tape_reset(&t->tape);
    t->tape.training = true;
    if (autoencoder)
        cpa_forward(&t->m, &t->tape, &b, true, &out);
    else
        cpa_forward_adversaries(&t->m, &t->tape, &b, &out);
    enum rc rc = autoencoder ? cpa_autoencoder_loss(&t->m, &t->tape, &b, &out, l, e)
                             : cpa_adversary_loss(&t->m, &t->tape, &b, &out, l, e);
    if (!rc && !isfinite(l->reconstruction + l->drugs + l->covariates + l->drug_penalty +
                         l->covariate_penalty))
        rc = err_set(e, RC_CHECK, "a loss is no finite number any more");
    if (rc)
        return rc;
    tape_backward(&t->tape);
    if (autoencoder)
        cpa_step_autoencoder(&t->m, ++t->step_autoencoder);
    else
        cpa_step_adversaries(&t->m, ++t->step_adversaries);
    return RC_OK;
}

/* ---- a round ---- */

static void set_rates(struct cpa_training *t)
{
    const struct cpa_config was = config_of(t->task, &t->plan);
    const double fall = pow(0.1, (double)(t->n_checks / EACH_FALL));
    t->m.config.rate = fall * was.rate;
    t->m.config.adversary_rate = fall * was.adversary_rate;
    t->m.config.doser_rate = fall * was.doser_rate;
}

enum rc cpa_training_controls(const struct cpa_training *t, uint32_t type, struct mat *x,
                              struct err *e)
{
    const struct dose_set *s = t->task->set;
    const size_t control = dose_set_control(s, type);
    size_t n = 0, k = 0;
    for (size_t i = 0; i < t->n_train; i++)
        n += s->of[t->cell[i]] == control;
    n = n < t->plan.n_control ? n : t->plan.n_control;
    enum rc rc = mat_alloc(x, n, s->x.n_genes, e);
    for (size_t i = 0; !rc && i < t->n_train && k < n; i++)
        if (s->of[t->cell[i]] == control)
            perturb_set_row(&s->x, t->cell[i], mat_row(x, k++));
    return rc;
}

/* Mean over the conditions with validation cells; NaN without any. */
static enum rc validate(struct cpa_training *t, double *score, struct err *e)
{
    const struct dose_set *s = t->task->set;
    const size_t d = s->x.n_genes;
    struct mat cells = { 0 };
    double *mean = malloc(5 * d * sizeof *mean), *var = mean ? mean + d : NULL, sum = 0;
    size_t n = 0;
    uint32_t type = UINT32_MAX;
    enum rc rc = mean ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", d);
    for (size_t c = 0; !rc && c < s->n_conditions; c++) {
        const struct dose_condition *k = &s->condition[c];
        double got[DOSE_N_METRICS];
        if (!t->validation.n[c] || k->drug == DOSE_CONTROL)
            continue;
        if (k->type != type) {
            mat_release(&cells);
            rc = cpa_training_controls(t, type = k->type, &cells, e);
        }
        const struct cpa_question q = { .cells = &cells,
                                        .type = k->type,
                                        .drug = k->drug,
                                        .dose = k->dose / s->largest[k->drug],
                                        .vectors = t->task->vectors };
        if (!rc)
            rc = cpa_predict(&t->m, &t->tape, &q, mean, var, e);
        if (rc)
            break;
        dose_score(&(struct dose_compared){ .n_genes = d,
                                            .n_changed = t->task->n_changed,
                                            .changed = t->task->changed + c * t->task->n_changed,
                                            .mean = mat_row(&t->validation.mean, c),
                                            .var = mat_row(&t->validation.var, c),
                                            .control = mean,
                                            .predicted = mean,
                                            .predicted_var = var },
                   mean + 2 * d, got);
        sum += (got[DOSE_R2_MEAN] + got[DOSE_R2_MEAN_DE]) / 2;
        n++;
    }
    *score = n ? sum / (double)n : NAN;
    mat_release(&cells);
    free(mean);
    return rc;
}

enum rc cpa_training_round(struct cpa_training *t, struct err *e)
{
    uint32_t *cell = malloc(t->plan.batch * sizeof *cell);
    struct cpa_check *now = &t->check[t->n_checks];
    double sum[2] = { 0 };
    size_t n[2] = { 0 };
    enum rc rc = cell ? RC_OK : err_set(e, RC_FAIL, "no memory for a batch");
    set_rates(t);
    do {
        const struct permute order = permute_of(t->plan.seed, t->n_done, t->n_train);
        for (size_t k = 0; !rc && k < t->n_train / t->plan.batch; k++) {
            const bool adversaries = t->step % 3 != 0;
            struct cpa_losses l;
            for (size_t i = 0; i < t->plan.batch; i++)
                cell[i] = t->cell[permute_at(&order, k * t->plan.batch + i)];
            rc = cpa_training_step(t, cell, &l, e);
            if (rc)
                break;
            sum[adversaries] += adversaries ? l.drugs + l.covariates : l.reconstruction;
            n[adversaries]++;
        }
        if (rc)
            err_wrap(e, "epoch %zu", t->n_done + 1);
        else
            t->n_done++;
    } while (!rc && t->n_done % t->plan.check_every && t->n_done < t->plan.epochs);
    *now =
        (struct cpa_check){ (double)t->n_done, sum[0] / (double)n[0], sum[1] / (double)n[1], NAN };
    if (!rc)
        rc = validate(t, &now->validation, e);
    if (!rc) {
        /* Without validation cells the last round is the best. */
        if (t->best == SIZE_MAX || !(now->validation <= t->check[t->best].validation)) {
            t->best = t->n_checks;
            memcpy(t->kept, t->m.params.x, t->m.params.n_items * t->m.params.b->real_bytes);
        }
        t->n_checks++;
    }
    free(cell);
    return rc;
}

void cpa_training_choose(struct cpa_training *t)
{
    if (t->best != SIZE_MAX)
        memcpy(t->m.params.x, t->kept, t->m.params.n_items * t->m.params.b->real_bytes);
}

/* ---- predictions ---- */

enum { PREDICT_ROWS = 256 };

static enum rc add_rows(const struct cpa *m, struct tape *t, struct cpa_out *out, size_t n,
                        double *mean, double *var, struct err *e)
{
    const size_t d = m->config.n_genes;
    const double *a = tape_values(t, out->mean), *b = tape_values(t, out->var);
    enum rc rc = tape_check(t, e);
    for (size_t i = 0; !rc && i < n; i++)
        for (size_t j = 0; j < d; j++) {
            mean[j] += a[i * d + j];
            var[j] += b[i * d + j];
        }
    return rc;
}

static enum rc add_cells(const struct cpa *m, struct tape *t, const struct cpa_question *q,
                         size_t at, size_t n, double *mean, double *var, struct err *e)
{
    const size_t n_drugs = m->config.n_drugs;
    struct cpa_out out;
    tape_reset(t);
    t->training = false;
    double *dose = tape_memory(t, n * n_drugs * sizeof *dose);
    uint32_t *class_of = tape_memory(t, n * sizeof *class_of);
    if (!dose || !class_of)
        return tape_check(t, e);
    memset(dose, 0, n * n_drugs * sizeof *dose);
    for (size_t i = 0; i < n; i++) {
        class_of[i] = q->type;
        if (q->drug != DOSE_CONTROL)
            dose[i * n_drugs + q->drug] = q->dose;
    }
    const struct cpa_batch b = {
        .n = n, .x = mat_row(q->cells, at), .dose = dose, .class_of = { class_of }
    };
    cpa_treat(m, t, &b, false, &out);
    cpa_decode(m, t, q->vectors ? q->vectors->x : NULL, false, &out);
    return add_rows(m, t, &out, n, mean, var, e);
}

/* Rows of genes with a vector, through a random layer as PyTorch starts one, decoded as if cells.
 */
static enum rc add_vectors(const struct cpa *m, struct tape *t, const struct cpa_question *q,
                           double *mean, double *var, size_t *n_rows, struct err *e)
{
    const size_t d = q->vectors->d, w = m->config.d;
    const double bound = 1 / sqrt((double)d);
    double *layer = malloc((w * d + w) * sizeof *layer),
           *rows = malloc(PREDICT_ROWS * w * sizeof *rows);
    enum rc rc = layer && rows ? RC_OK : err_set(e, RC_FAIL, "no memory for a random layer");
    for (size_t k = 0; !rc && k < w * d + w; k++)
        layer[k] = bound * (2 * rng_unit(q->seed, RNG_INIT, q->key, k) - 1);
    size_t n = 0;
    for (size_t g = 0; !rc && g < q->vectors->n; g++) {
        const double *v = mat_row(q->vectors, g);
        bool any = false;
        for (size_t k = 0; k < d; k++)
            any = any || fabs(v[k]) > 0;
        for (size_t j = 0; any && j < w; j++) {
            double sum = layer[w * d + j];
            for (size_t k = 0; k < d; k++)
                sum += layer[j * d + k] * v[k];
            rows[n * w + j] = sum;
        }
        n += any;
        if (n && (n == PREDICT_ROWS || g + 1 == q->vectors->n)) {
            struct cpa_out out = { 0 };
            tape_reset(t);
            t->training = false;
            out.treated = tape_input_f64(t, rows, n, w);
            cpa_decode(m, t, NULL, false, &out);
            rc = add_rows(m, t, &out, n, mean, var, e);
            *n_rows += n;
            n = 0;
        }
    }
    free(layer);
    free(rows);
    return rc;
}

enum rc cpa_predict(const struct cpa *m, struct tape *t, const struct cpa_question *q, double *mean,
                    double *var, struct err *e)
{
    const size_t d = m->config.n_genes;
    size_t n_rows = q->cells->n;
    enum rc rc = RC_OK;
    struct cpa_question plain = *q;
    if (q->as_released)
        plain.vectors = NULL;
    memset(mean, 0, d * sizeof *mean);
    memset(var, 0, d * sizeof *var);
    for (size_t at = 0, n; !rc && at < q->cells->n; at += n) {
        n = q->cells->n - at < PREDICT_ROWS ? q->cells->n - at : PREDICT_ROWS;
        rc = add_cells(m, t, &plain, at, n, mean, var, e);
    }
    if (!rc && q->as_released && q->vectors)
        rc = add_vectors(m, t, q, mean, var, &n_rows, e);
    for (size_t j = 0; !rc && j < d; j++) {
        mean[j] /= (double)n_rows;
        var[j] /= (double)n_rows;
    }
    return rc;
}
