/* One training of DeepCE on the training signatures; the best epoch is that of the dev part, by
 * mean Pearson correlation. Batches are drawn anew in every epoch, keyed by seed and epoch, so that
 * an epoch needs nothing of those before but the weights. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/profile_drug_training.h"
#include "lib/base/rng.h"
#include "lib/nn/net.h"

/* ---- the published way with vectors ---- */

static void put(struct params *p, const char *name, const double *x)
{
    struct param *q = params_find(p, name);
    reals_from_f64(p->b, q->t.x, x, q->rows * q->cols);
}

/* Every pass mixes the rows of the array at random into rows for the genes, by a fresh
 * Linear(rows -> genes), and has a fresh first dense layer; neither is trained. */
static enum rc draw_released(struct profile_training *t, struct err *e)
{
    const struct mat *all = &t->in->all_vectors;
    const size_t g = t->in->gene.n, d = all->d;
    const double bound = 1 / sqrt((double)all->n);
    const uint64_t key = rng_u64(t->seed, RNG_INIT, hash_text("profile-drug pass"), t->n_passes++);
    struct mat w;
    enum rc rc = mat_alloc(&w, g, all->n, e);
    if (rc)
        return rc;
    for (size_t k = 0; k < g * all->n; k++)
        w.x[k] = bound * (2 * rng_unit(key, RNG_INIT, 0, k) - 1);
    mat_mul_nn(&w, all, &t->embedding);
    for (size_t j = 0; j < g; j++) {
        const double bias = bound * (2 * rng_unit(key, RNG_INIT, 1, j) - 1);
        for (size_t k = 0; k < d; k++)
            mat_row(&t->embedding, j)[k] += bias;
    }
    mat_release(&w);
    struct params *p = &t->m.params;
    struct param *first = params_find(p, "linear_1.weight");
    const double root = 1 / sqrt((double)first->cols);
    net_uniform(p, first, root, key);
    net_uniform(p, params_find(p, "linear_1.bias"), root, key);
    /* The vectors join as they are. */
    double *one = calloc(d * d, sizeof *one);
    if (!one)
        return err_set(e, RC_FAIL, "no memory for a projection");
    for (size_t k = 0; k < d; k++)
        one[k * d + k] = 1;
    put(p, "emb_proj.weight", one);
    free(one);
    return RC_OK;
}

/* ---- passes ---- */

static enum rc pass(struct profile_training *t, const uint32_t *row, size_t n, uint64_t seed,
                    bool train, struct deepce_out *out, struct err *e)
{
    enum rc rc = t->variant == PROFILE_RELEASED ? draw_released(t, e) : RC_OK;
    if (!rc)
        rc = profile_batch_make(&t->batch, &t->m, &t->in->drugs, t->in->of, row, n,
                                &t->in->gene_vector, &t->embedding, e);
    if (rc)
        return rc;
    t->batch.b.seed = seed;
    t->batch.b.dropout = train;
    tape_reset(&t->tape);
    t->tape.training = train;
    deepce_forward(&t->m, &t->tape, &t->batch.b, train, out);
    return tape_check(&t->tape, e);
}

static enum rc one_step(struct profile_training *t, const uint32_t *row, size_t n, double *loss,
                        struct err *e)
{
    const size_t g = t->in->gene.n;
    struct deepce_out out;
    params_zero_gradients(&t->m.params);
    enum rc rc = pass(t, row, n, t->seed + ++t->step, true, &out, e);
    for (size_t i = 0; !rc && i < n; i++)
        memcpy(t->label + i * g, mat_row(&t->in->value, row[i]), g * sizeof *t->label);
    if (!rc)
        rc = deepce_loss(&t->tape, out.predicted, t->label, loss, e);
    if (rc)
        return rc;
    tape_backward(&t->tape);
    deepce_step(&t->m, t->o->rate, t->step);
    return isfinite(*loss)
               ? RC_OK
               : err_set(e, RC_CHECK, "epoch %zu: the loss is no number; a smaller --lr helps",
                         t->n_done + 1);
}

enum rc profile_training_epoch(struct profile_training *t, struct err *e)
{
    const size_t batch = (size_t)t->o->batch;
    struct profile_epoch *now = &t->epoch[t->n_done];
    enum rc rc = RC_OK;
    now->loss = 0;
    memcpy(t->order, t->train, t->n_train * sizeof *t->order);
    rng_shuffle(t->seed, RNG_SHUFFLE, t->n_done, t->order, t->n_train);
    for (size_t at = 0; !rc && at < t->n_train; at += batch) {
        const size_t n = t->n_train - at < batch ? t->n_train - at : batch;
        double loss = 0;
        rc = one_step(t, t->order + at, n, &loss, e);
        now->loss += loss * (double)n / (double)t->n_train;
    }
    if (!rc)
        rc = profile_training_predict(t, PART_VAL, &t->dev, e);
    if (rc)
        return rc;
    now->validation = profile_pearson(t->in, t->part, PART_VAL, &t->dev);
    if (!t->n_done || now->validation > t->epoch[t->best].validation) {
        t->best = t->n_done;
        memcpy(t->kept, t->m.params.x, profile_weight_bytes(&t->m));
    }
    t->n_done++;
    return RC_OK;
}

void profile_training_choose(struct profile_training *t)
{
    memcpy(t->m.params.x, t->kept, profile_weight_bytes(&t->m));
}

enum rc profile_training_predict(struct profile_training *t, enum part which, struct mat *to,
                                 struct err *e)
{
    const size_t batch = (size_t)t->o->batch, g = t->in->gene.n;
    enum rc rc = RC_OK;
    uint32_t *row = malloc((t->in->value.n + 1) * sizeof *row);
    size_t n_rows = 0;
    if (!row)
        return err_set(e, RC_FAIL, "no memory for predictions");
    for (uint32_t i = 0; i < t->in->value.n; i++)
        if (t->part[i] == which)
            row[n_rows++] = i;
    for (size_t at = 0; !rc && at < n_rows; at += batch) {
        const size_t n = n_rows - at < batch ? n_rows - at : batch;
        struct deepce_out out;
        rc = pass(t, row + at, n, 0, false, &out, e);
        if (rc)
            break;
        reals_to_f64(t->tape.b, t->label, out.predicted->x, n * g);
        for (size_t i = 0; i < n; i++)
            memcpy(mat_row(to, row[at + i]), t->label + i * g, g * sizeof *t->label);
    }
    free(row);
    return rc;
}

/* ---- a training ---- */

size_t profile_weight_bytes(const struct deepce *m)
{
    return m->params.n_items * m->params.b->real_bytes;
}

static enum rc take_embedding(struct profile_training *t, struct err *e)
{
    const struct mat *v = &t->in->vectors;
    if (t->variant == PROFILE_PLAIN)
        return RC_OK;
    enum rc rc = mat_alloc(&t->embedding, v->n, v->d, e);
    uint32_t *from = malloc((v->n + 1) * sizeof *from);
    if (!rc && !from)
        rc = err_set(e, RC_FAIL, "no memory for vectors");
    for (uint32_t j = 0; !rc && j < v->n; j++)
        from[j] = j;
    if (!rc && t->variant == PROFILE_SHUFFLED)
        rng_shuffle(t->seed, RNG_SHUFFLE, hash_text("gene vectors"), from, v->n);
    for (size_t j = 0; !rc && j < v->n; j++)
        memcpy(mat_row(&t->embedding, j), mat_row(v, from[j]), v->d * sizeof(double));
    free(from);
    return rc;
}

static struct deepce_config configure(const struct profile_training *t)
{
    const size_t d = t->embedding.d, width = (size_t)t->o->width;
    return (struct deepce_config){ .n_genes = t->in->gene.n,
                                   .d_gene = t->in->gene_vector.d,
                                   .d = width,
                                   .heads = (size_t)t->o->heads,
                                   .layers = 2,
                                   .inner = 4 * width,
                                   .d_hidden = width,
                                   .n_conv = 2,
                                   .conv = { 16, 16 },
                                   .n_cells = PROFILE_CELLS,
                                   .d_cell = 4,
                                   .n_doses = PROFILE_DOSES,
                                   .d_dose = 4,
                                   .d_embedding = d,
                                   .d_projected = t->variant == PROFILE_RELEASED ? d
                                                  : d ? (size_t)t->o->projected
                                                      : 0,
                                   .dropout = 0.1 };
}

static enum rc make_room(struct profile_training *t, struct err *e)
{
    const size_t n = t->in->value.n, g = t->in->gene.n;
    t->train = malloc((n + 1) * sizeof *t->train);
    t->order = malloc((n + 1) * sizeof *t->order);
    t->label = malloc(((size_t)t->o->batch * g + 1) * sizeof *t->label);
    t->epoch = calloc((size_t)t->o->epochs + 1, sizeof *t->epoch);
    t->kept = malloc(profile_weight_bytes(&t->m) + 1);
    if (!t->train || !t->order || !t->label || !t->epoch || !t->kept)
        return err_set(e, RC_FAIL, "no memory for a training of %zu signatures", n);
    for (uint32_t i = 0; i < n; i++)
        if (t->part[i] == PART_TRAIN)
            t->train[t->n_train++] = i;
    return mat_alloc(&t->dev, n, g, e);
}

enum rc profile_training_init(struct profile_training *t, const struct profile_inputs *in,
                              const struct profile_options *o, const enum part *part,
                              enum profile_variant v, uint64_t seed, struct err *e)
{
    *t = (struct profile_training){ .in = in, .o = o, .part = part, .variant = v, .seed = seed };
    tape_init(&t->tape, o->backend, true);
    enum rc rc = take_embedding(t, e);
    const struct deepce_config c = configure(t);
    if (!rc)
        rc = deepce_init(&t->m, &c, o->backend, true, e);
    if (!rc)
        rc = make_room(t, e);
    if (rc)
        profile_training_release(t);
    else
        deepce_randomise(&t->m, seed);
    return rc;
}

void profile_training_release(struct profile_training *t)
{
    profile_batch_release(&t->batch);
    tape_release(&t->tape);
    deepce_release(&t->m);
    mat_release(&t->embedding);
    mat_release(&t->dev);
    free(t->train);
    free(t->order);
    free(t->label);
    free(t->epoch);
    free(t->kept);
    *t = (struct profile_training){ 0 };
}
