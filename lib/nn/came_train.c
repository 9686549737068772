#include "lib/nn/came_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/metrics_cluster.h"
#include "lib/tensor/tape_small.h"

const struct came_plan came_plan_published = {
    .n_epochs = 350, .first = 99, .n_passes = 20, .rate = 5e-4, .decay = 1e-2
};

const struct came_config came_config_published = { .d = 128,
                                                   .heads = 8,
                                                   .layers = 2,
                                                   .slope = 0.05,
                                                   .attention_slope = 0.2,
                                                   .norm_eps = 1e-5,
                                                   .dropout = 0.2,
                                                   .attention_dropout = 0.6,
                                                   .feature_dropout = 0.01,
                                                   .smooth_eps = 0.1,
                                                   .beta = 1 };

/* One training at work. */
struct run {
    const struct came_task *task;
    const struct came_plan *plan;
    struct came m;
    struct tape tape;
    double *class_weight;
    char *kept;      /* the weights of the chosen epoch */
    uint32_t *named; /* [query cells] by the pass at hand */
    struct came_choice choice;
};

void came_trained_release(struct came_trained *t)
{
    free(t->epoch);
    free(t->at_epoch);
    free(t->as_released);
    free(t->probability);
    free(t->predicted);
    *t = (struct came_trained){ 0 };
}

static uint32_t largest(const double *z, size_t n)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < n; k++)
        best = z[k] > z[best] ? k : best;
    return best;
}

static size_t n_query(const struct run *r)
{
    return r->task->g->n_cells[CAME_QUERY];
}

static size_t weight_bytes(const struct run *r)
{
    return r->m.params.n_items * r->m.params.b->real_bytes;
}

/* A pass; *z: logits of all cells in the memory of the tape, which holds until its next reset. */
static enum rc pass(struct run *r, const struct came_run *how, struct came_out *out, double **z,
                    struct err *e)
{
    tape_reset(&r->tape);
    came_forward(&r->m, &r->tape, r->task->g, r->task->initial, how, out);
    *z = tape_values(&r->tape, out->logits);
    return tape_check(&r->tape, e);
}

static enum rc one_epoch(struct run *r, size_t epoch, struct came_epoch *to, struct err *e)
{
    const struct came_task *t = r->task;
    const size_t n = t->g->n_cells[CAME_REFERENCE], k = t->n_classes;
    const struct came_run how = { true, true, rng_u64(r->plan->seed, RNG_DROPOUT, epoch, 1) };
    struct came_out out;
    struct came_loss loss;
    size_t right = 0;
    double *z;
    params_zero_gradients(&r->m.params);
    enum rc rc = pass(r, &how, &out, &z, e);
    if (!rc)
        rc = came_loss(&r->m, &r->tape, t->g, &out, t->label, r->class_weight, &loss, e);
    if (rc)
        return rc;
    tape_backward(&r->tape);
    came_step(&r->m, r->plan->rate, r->plan->decay, epoch + 1);
    for (size_t i = 0; i < n; i++)
        right += largest(z + i * k, k) == t->label[i];
    for (size_t i = 0; i < n_query(r); i++)
        r->named[i] = largest(z + (n + i) * k, k);
    *to = (struct came_epoch){ loss.total, (double)right / (double)n, NAN };
    struct partition_metrics m;
    if (epoch >= r->plan->first) {
        rc = partition_metrics_get(r->named, k, t->cluster, t->n_clusters, n_query(r), &m, e);
        to->ami = rc ? NAN : m.ami_arithmetic;
    }
    return rc;
}

static enum rc epochs(struct run *r, struct came_trained *out, struct err *e)
{
    enum rc rc = RC_OK;
    r->choice = (struct came_choice){ .first = r->plan->first, .epoch = SIZE_MAX };
    for (size_t i = 0; !rc && i < r->plan->n_epochs; i++) {
        rc = one_epoch(r, i, &out->epoch[i], e);
        if (!rc && !isfinite(out->epoch[i].loss))
            rc = err_set(e, RC_FAIL, "epoch %zu: the loss is no number any more", i + 1);
        if (rc || !came_choose(&r->choice, i, out->epoch[i].ami))
            continue;
        memcpy(r->kept, r->m.params.x, weight_bytes(r));
        memcpy(out->at_epoch, r->named, n_query(r) * sizeof *r->named);
    }
    out->chosen = r->choice.epoch;
    return rc;
}

static void add_probability(const double *z, size_t k, double *to, double share)
{
    double sum = 0;
    const double top = z[largest(z, k)];
    for (size_t c = 0; c < k; c++)
        sum += exp(z[c] - top);
    for (size_t c = 0; c < k; c++)
        to[c] += share * exp(z[c] - top) / sum;
}

/* Passes with the kept weights. */
static enum rc name_cells(struct run *r, struct came_trained *out, struct err *e)
{
    const size_t n = r->task->g->n_cells[CAME_REFERENCE], k = r->task->n_classes;
    struct came_out o;
    double *z;
    memcpy(r->m.params.x, r->kept, weight_bytes(r));
    r->tape.training = false;
    const struct came_run released = { true, false, rng_u64(r->plan->seed, RNG_DROPOUT, 0, 2) };
    enum rc rc = pass(r, &released, &o, &z, e);
    for (size_t i = 0; !rc && i < n_query(r); i++)
        out->as_released[i] = largest(z + (n + i) * k, k);
    for (size_t p = 0; !rc && p < r->plan->n_passes; p++) {
        const struct came_run how = { true, true, rng_u64(r->plan->seed, RNG_DROPOUT, p, 3) };
        rc = pass(r, &how, &o, &z, e);
        for (size_t i = 0; !rc && i < n_query(r); i++)
            add_probability(z + (n + i) * k, k, out->probability + i * k,
                            1 / (double)r->plan->n_passes);
    }
    for (size_t i = 0; !rc && i < n_query(r); i++)
        out->predicted[i] = largest(out->probability + i * k, k);
    return rc;
}

static enum rc make_room(struct run *r, struct came_trained *out, struct err *e)
{
    const size_t n = n_query(r), k = r->task->n_classes;
    r->class_weight = calloc(k + 1, sizeof *r->class_weight);
    r->kept = malloc(weight_bytes(r));
    r->named = calloc(n + 1, sizeof *r->named);
    out->epoch = calloc(r->plan->n_epochs + 1, sizeof *out->epoch);
    out->at_epoch = calloc(n + 1, sizeof *out->at_epoch);
    out->as_released = calloc(n + 1, sizeof *out->as_released);
    out->predicted = calloc(n + 1, sizeof *out->predicted);
    out->probability = calloc(n * k + 1, sizeof *out->probability);
    return r->class_weight && r->kept && r->named && out->epoch && out->at_epoch &&
                   out->as_released && out->predicted && out->probability
               ? RC_OK
               : err_set(e, RC_FAIL, "no memory for a training with %zu query cells", n);
}

enum rc came_train(const struct came_task *task, const struct came_config *config,
                   const struct came_plan *plan, const struct backend *b, struct came_trained *out,
                   struct err *e)
{
    struct run r = { .task = task, .plan = plan };
    struct came_config c = *config;
    *out = (struct came_trained){ 0 };
    if (plan->n_epochs <= plan->first || !plan->n_passes)
        return err_set(e, RC_INPUT, "%zu epochs leave none to choose from the %zuth on",
                       plan->n_epochs, plan->first + 1);
    c.n_features = task->g->n_features;
    c.n_classes = task->n_classes;
    c.d_initial = task->initial ? task->d_initial : 0;
    c.aligned = task->g->aligned;
    tape_init(&r.tape, b, true);
    enum rc rc = came_init(&r.m, &c, b, true, e);
    if (!rc)
        rc = make_room(&r, out, e);
    if (!rc) {
        came_class_weights(task->label, task->g->n_cells[CAME_REFERENCE], task->n_classes,
                           r.class_weight);
        came_randomise(&r.m, plan->seed);
        rc = epochs(&r, out, e);
    }
    if (!rc)
        rc = name_cells(&r, out, e);
    tape_release(&r.tape);
    came_release(&r.m);
    free(r.class_weight);
    free(r.kept);
    free(r.named);
    if (rc)
        came_trained_release(out);
    return rc;
}
