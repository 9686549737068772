/* One training of DeepCE on the training signatures; the best epoch is that of the dev part, by
 * mean Pearson correlation. Batches are drawn anew in every epoch, keyed by seed and epoch. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/profile_drug_parts.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/nn/deepce.h"
#include "lib/nn/net.h"

void profile_prediction_release(struct profile_prediction *p)
{
    mat_release(&p->best);
    mat_release(&p->last);
    *p = (struct profile_prediction){ 0 };
}

struct training {
    const struct profile_inputs *in;
    const struct profile_options *o;
    const enum part *part;
    enum profile_variant variant;
    uint64_t seed;
    struct deepce m;
    struct mat embedding; /* [genes, d]; empty without */
    uint64_t n_passes;    /* of the released variant, which draws for each */
    uint32_t *order;      /* [n_train] */
    size_t n_train;
    /* a batch; grown when needed */
    double *atom, *bond, *label;
    uint32_t *signature, *bond_atom, *cell, *dose;
};

/* ---- a batch ---- */

static void drop_batch(struct training *t)
{
    void *const all[] = {
        t->atom, t->bond, t->label, t->signature, t->bond_atom, t->cell, t->dose
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    t->atom = t->bond = t->label = NULL;
    t->signature = t->bond_atom = t->cell = t->dose = NULL;
}

static enum rc make_batch(struct training *t, const uint32_t *row, size_t n, struct deepce_batch *b,
                          struct err *e)
{
    const struct profile_inputs *in = t->in;
    const size_t g = in->gene.n;
    size_t atoms = 0, bonds = 0;
    for (size_t i = 0; i < n; i++) {
        atoms += in->drugs.molecule[in->of[row[i]].drug].n_atoms;
        bonds += in->drugs.molecule[in->of[row[i]].drug].n_bonds;
    }
    drop_batch(t);
    t->atom = malloc((atoms + 1) * DEEPCE_ATOM * sizeof *t->atom);
    t->bond = malloc((bonds + 1) * DEEPCE_BOND * sizeof *t->bond);
    t->label = malloc((n * g + 1) * sizeof *t->label);
    t->signature = malloc((atoms + 1) * sizeof *t->signature);
    t->bond_atom = malloc((2 * bonds + 1) * sizeof *t->bond_atom);
    t->cell = malloc((n + 1) * sizeof *t->cell);
    t->dose = malloc((n + 1) * sizeof *t->dose);
    if (!t->atom || !t->bond || !t->label || !t->signature || !t->bond_atom || !t->cell || !t->dose)
        return err_set(e, RC_FAIL, "no memory for a batch of %zu atoms", atoms);
    enum rc rc = RC_OK;
    size_t at = 0, bond_at = 0;
    for (size_t i = 0; !rc && i < n; i++) {
        const struct signature *s = &in->of[row[i]];
        const struct molecule *m = &in->drugs.molecule[s->drug];
        t->cell[i] = s->cell;
        t->dose[i] = s->dose;
        memcpy(t->label + i * g, mat_row(&in->value, row[i]), g * sizeof *t->label);
        for (size_t k = 0; k < m->n_bonds; k++, bond_at++) {
            molecule_bond_features(&m->bond[k], t->bond + bond_at * DEEPCE_BOND);
            t->bond_atom[2 * bond_at] = (uint32_t)at + m->bond[k].a;
            t->bond_atom[2 * bond_at + 1] = (uint32_t)at + m->bond[k].b;
        }
        for (size_t k = 0; !rc && k < m->n_atoms; k++, at++) {
            rc = molecule_atom_features(&m->atom[k], t->atom + at * DEEPCE_ATOM, e);
            t->signature[at] = (uint32_t)i;
        }
    }
    *b = (struct deepce_batch){ .n = n,
                                .n_atoms = atoms,
                                .n_bonds = bonds,
                                .atom = t->atom,
                                .bond = t->bond,
                                .gene_vector = in->gene_vector.x,
                                .embedding = t->embedding.x,
                                .cell = t->cell,
                                .dose = t->dose };
    return rc ? rc : deepce_batch_init(b, &t->m, t->signature, t->bond_atom, e);
}

/* ---- the published way with vectors ---- */

static void put(struct params *p, const char *name, const double *x)
{
    struct param *q = params_find(p, name);
    reals_from_f64(p->b, q->t.x, x, q->rows * q->cols);
}

/* Every pass mixes the rows of the array at random into rows for the genes, by a fresh
 * Linear(rows -> genes), and has a fresh first dense layer; neither is trained. */
static enum rc draw_released(struct training *t, struct err *e)
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

static enum rc pass(struct training *t, struct tape *tape, const uint32_t *row, size_t n,
                    uint64_t seed, bool train, struct deepce_batch *b, struct deepce_out *out,
                    struct err *e)
{
    enum rc rc = t->variant == PROFILE_RELEASED ? draw_released(t, e) : RC_OK;
    if (!rc)
        rc = make_batch(t, row, n, b, e);
    if (rc)
        return rc;
    b->seed = seed;
    b->dropout = train;
    tape_reset(tape);
    tape->training = train;
    deepce_forward(&t->m, tape, b, train, out);
    rc = tape_check(tape, e);
    if (rc)
        deepce_batch_release(b);
    return rc;
}

static enum rc epoch(struct training *t, struct tape *tape, size_t number, uint64_t *step,
                     double *mean, struct err *e)
{
    const size_t batch = (size_t)t->o->batch;
    enum rc rc = RC_OK;
    *mean = 0;
    rng_shuffle(t->seed, RNG_SHUFFLE, number, t->order, t->n_train);
    for (size_t at = 0; !rc && at < t->n_train; at += batch) {
        const size_t n = t->n_train - at < batch ? t->n_train - at : batch;
        struct deepce_batch b;
        struct deepce_out out;
        double loss;
        params_zero_gradients(&t->m.params);
        rc = pass(t, tape, t->order + at, n, t->seed + ++*step, true, &b, &out, e);
        if (rc)
            break;
        rc = deepce_loss(tape, out.predicted, t->label, &loss, e);
        if (!rc) {
            tape_backward(tape);
            deepce_step(&t->m, t->o->rate, *step);
            *mean += loss * (double)n / (double)t->n_train;
            if (!isfinite(loss))
                rc = err_set(e, RC_CHECK, "epoch %zu: the loss is no number; a smaller --lr helps",
                             number + 1);
        }
        deepce_batch_release(&b);
    }
    return rc;
}

/* Rows of one part. */
static enum rc predict(struct training *t, struct tape *tape, enum part which, struct mat *to,
                       struct err *e)
{
    const size_t batch = (size_t)t->o->batch, g = t->in->gene.n;
    enum rc rc = RC_OK;
    uint32_t *row = malloc((t->in->value.n + 1) * sizeof *row);
    double *x = malloc((batch * g + 1) * sizeof *x);
    size_t n_rows = 0;
    if (!row || !x)
        rc = err_set(e, RC_FAIL, "no memory for predictions");
    for (uint32_t i = 0; !rc && i < t->in->value.n; i++)
        if (t->part[i] == which)
            row[n_rows++] = i;
    for (size_t at = 0; !rc && at < n_rows; at += batch) {
        const size_t n = n_rows - at < batch ? n_rows - at : batch;
        struct deepce_batch b;
        struct deepce_out out;
        rc = pass(t, tape, row + at, n, 0, false, &b, &out, e);
        if (rc)
            break;
        reals_to_f64(tape->b, x, out.predicted->x, n * g);
        for (size_t i = 0; i < n; i++)
            memcpy(mat_row(to, row[at + i]), x + i * g, g * sizeof *x);
        deepce_batch_release(&b);
    }
    free(row);
    free(x);
    return rc;
}

/* ---- a training ---- */

static enum rc take_embedding(struct training *t, struct err *e)
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

static enum rc start(struct training *t, struct err *e)
{
    const struct profile_options *o = t->o;
    enum rc rc = take_embedding(t, e);
    const size_t d = t->embedding.d, width = (size_t)o->width;
    const struct deepce_config c = { .n_genes = t->in->gene.n,
                                     .d_gene = t->in->gene_vector.d,
                                     .d = width,
                                     .heads = (size_t)o->heads,
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
                                                    : d ? (size_t)o->projected
                                                        : 0,
                                     .dropout = 0.1 };
    if (!rc)
        rc = deepce_init(&t->m, &c, o->backend, true, e);
    if (rc)
        return rc;
    deepce_randomise(&t->m, t->seed);
    t->order = malloc((t->in->value.n + 1) * sizeof *t->order);
    if (!t->order)
        return err_set(e, RC_FAIL, "no memory for an order");
    for (uint32_t i = 0; i < t->in->value.n; i++)
        if (t->part[i] == PART_TRAIN)
            t->order[t->n_train++] = i;
    return RC_OK;
}

static enum rc learn(struct training *t, struct tape *tape, void *kept, size_t bytes,
                     struct profile_prediction *out, struct err *e)
{
    struct params *p = &t->m.params;
    double best = -INFINITY, loss;
    uint64_t step = 0;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < (size_t)t->o->epochs; i++) {
        rc = epoch(t, tape, i, &step, &loss, e);
        if (!rc)
            rc = predict(t, tape, PART_VAL, &out->best, e);
        if (rc)
            break;
        const double r = profile_pearson(t->in, t->part, PART_VAL, &out->best);
        if (r > best || !i) {
            best = r;
            out->best_epoch = i + 1;
            memcpy(kept, p->x, bytes);
        }
    }
    if (!rc)
        rc = predict(t, tape, PART_TEST, &out->last, e);
    if (!rc) {
        memcpy(p->x, kept, bytes);
        rc = predict(t, tape, PART_TEST, &out->best, e);
    }
    return rc;
}

enum rc profile_network(const struct profile_inputs *in, const struct profile_options *o,
                        const enum part *part, enum profile_variant v, uint64_t seed,
                        struct profile_prediction *out, struct err *e)
{
    struct training t = { .in = in, .o = o, .part = part, .variant = v, .seed = seed };
    struct tape tape;
    *out = (struct profile_prediction){ 0 };
    enum rc rc = mat_alloc(&out->best, in->value.n, in->gene.n, e);
    if (!rc)
        rc = mat_alloc(&out->last, in->value.n, in->gene.n, e);
    if (!rc)
        rc = start(&t, e);
    if (!rc) {
        const size_t bytes =
            t.m.params.n_items * (o->backend->type == REAL_F32 ? sizeof(float) : sizeof(double));
        void *kept = malloc(bytes + 1);
        tape_init(&tape, o->backend, true);
        rc = kept ? learn(&t, &tape, kept, bytes, out, e)
                  : err_set(e, RC_FAIL, "no memory for weights");
        tape_release(&tape);
        free(kept);
    }
    drop_batch(&t);
    free(t.order);
    mat_release(&t.embedding);
    deepce_release(&t.m);
    if (rc)
        profile_prediction_release(out);
    return rc;
}
