#include "lib/nn/gears_train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/permute.h"
#include "lib/base/rng.h"
#include "lib/tensor/tape_small.h"

const struct gears_plan gears_plan_published = { .d = 64,
                                                 .batch = 16,
                                                 .test_batch = 64,
                                                 .epochs = 10,
                                                 .n_control = 300,
                                                 .rate = 1e-3,
                                                 .decay = 5e-4,
                                                 .direction = 0.1,
                                                 .shared = true };

void gears_training_release(struct gears_training *t)
{
    gears_release(&t->m);
    tape_release(&t->tape);
    free(t->embedding);
    free(t->cell);
    free(t->partner);
    free(t->control);
    free(t->gene);
    free(t->first_gene);
    free(t->epoch);
    free(t->kept);
    free(t->buffer);
    *t = (struct gears_training){ 0 };
}

size_t gears_training_bytes(const struct gears_training *t)
{
    return t->m.params.n_items * t->m.params.b->real_bytes;
}

/* Which cells are trained on, and whose expression each starts from. */
static void choose_cells(struct gears_training *t)
{
    const struct perturb_set *s = t->task->facts->set;
    for (uint32_t i = 0; i < s->n_cells; i++)
        if (s->of[i] == s->control)
            t->control[t->n_control_cells++] = i;
    for (uint32_t i = 0; i < s->n_cells; i++) {
        t->partner[i] =
            s->of[i] == s->control
                ? i
                : t->control[rng_below(t->plan.seed, RNG_SAMPLE, i, 0, t->n_control_cells)];
        if (t->task->part[s->of[i]] == PART_TRAIN)
            t->cell[t->n_train++] = i;
    }
}

/* Genes of the loss: those with a mean that is not 0, all for the control; or the top 20. */
static void choose_genes(struct gears_training *t)
{
    const struct perturb_facts *f = t->task->facts;
    const size_t d = f->set->n_genes;
    size_t n = 0;
    for (size_t c = 0; c < f->set->n_conditions; c++) {
        t->first_gene[c] = n;
        for (uint32_t j = 0; j < d; j++) {
            if (c == f->set->control || (!t->plan.top20 && mat_row(&f->m.mean, c)[j] > 0))
                t->gene[n++] = j;
            else if (t->plan.top20 && j < PERTURB_TOP)
                t->gene[n++] = f->ranked[c * d + j];
        }
        if (n == t->first_gene[c])
            t->gene[n++] = 0; /* a condition of empty cells */
    }
    t->first_gene[f->set->n_conditions] = n;
}

static enum rc make_model(struct gears_training *t, const struct backend *b, struct err *e)
{
    const struct gears_task *k = t->task;
    const struct gears_edges go = { k->go->n, k->go->from, k->go->to, k->go->weight },
                             co = { k->coexpress->n, k->coexpress->from, k->coexpress->to,
                                    k->coexpress->weight };
    const struct gears_config c = { .n_genes = k->facts->set->n_genes,
                                    .n_nodes = k->n_nodes,
                                    .d = t->plan.d,
                                    .d_embedding = k->vectors ? k->vectors->d : 0,
                                    .project = k->vectors != NULL,
                                    .shared = t->plan.shared };
    enum rc rc = gears_init(&t->m, &c, &go, &co, b, true, e);
    if (!rc)
        gears_randomise(&t->m, t->plan.seed);
    return rc;
}

/* The vectors as the network takes them: a copy for every cell of a batch unless shared. */
static enum rc make_embedding(struct gears_training *t, struct err *e)
{
    const struct mat *v = t->task->vectors;
    const size_t most = t->plan.batch > t->plan.test_batch ? t->plan.batch : t->plan.test_batch,
                 copies = t->plan.shared ? 1 : most;
    if (!v)
        return RC_OK;
    t->embedding = malloc(copies * v->n * v->d * sizeof *t->embedding);
    if (!t->embedding)
        return err_set(e, RC_FAIL, "no memory for vectors of %zu genes", v->n);
    for (size_t i = 0; i < copies; i++)
        memcpy(t->embedding + i * v->n * v->d, v->x, v->n * v->d * sizeof *v->x);
    return RC_OK;
}

enum rc gears_training_init(struct gears_training *t, const struct gears_task *task,
                            const struct gears_plan *plan, const struct backend *b, struct err *e)
{
    const struct perturb_set *s = task->facts->set;
    const size_t most = plan->batch > plan->test_batch ? plan->batch : plan->test_batch;
    *t = (struct gears_training){
        .task = task, .plan = *plan, .best = SIZE_MAX, .best_validation = INFINITY
    };
    tape_init(&t->tape, b, true);
    t->cell = malloc((s->n_cells + 1) * sizeof *t->cell);
    t->partner = malloc((s->n_cells + 1) * sizeof *t->partner);
    t->control = malloc((s->n_cells + 1) * sizeof *t->control);
    t->gene = malloc((s->n_conditions * s->n_genes + s->n_conditions + 1) * sizeof *t->gene);
    t->first_gene = malloc((s->n_conditions + 1) * sizeof *t->first_gene);
    t->epoch = calloc(plan->epochs + 1, sizeof *t->epoch);
    t->buffer = malloc((3 * most * s->n_genes + 1) * sizeof *t->buffer);
    enum rc rc =
        t->cell && t->partner && t->control && t->gene && t->first_gene && t->epoch && t->buffer
            ? make_model(t, b, e)
            : err_set(e, RC_FAIL, "no memory for a training of %zu cells", s->n_cells);
    if (!rc && !(t->kept = malloc(gears_training_bytes(t) + 1)))
        rc = err_set(e, RC_FAIL, "no memory for weights");
    if (!rc)
        rc = make_embedding(t, e);
    if (rc) {
        gears_training_release(t);
        return rc;
    }
    choose_cells(t);
    choose_genes(t);
    return RC_OK;
}

/* ---- a batch ---- */

enum { MAX_BATCH = 1024 };

struct batch {
    size_t n, n_conditions;
    uint32_t condition_of[MAX_BATCH], number[MAX_BATCH]; /* in the batch; in the set */
    uint32_t first[MAX_BATCH + 1], node[PERTURB_GENES * MAX_BATCH];
    const uint32_t *gene[MAX_BATCH];
    size_t n_genes[MAX_BATCH];
};

/* cell[0..n): x is the partner's expression, y the cell's own. */
static void fill_batch(const struct gears_training *t, const uint32_t *cell, size_t n,
                       struct batch *b, double *x, double *y)
{
    const struct perturb_facts *f = t->task->facts;
    const size_t d = f->set->n_genes;
    uint32_t at = 0;
    *b = (struct batch){ .n = n };
    for (size_t i = 0; i < n; i++) {
        const uint32_t c = f->set->of[cell[i]];
        uint32_t k = 0;
        while (k < b->n_conditions && b->number[k] != c)
            k++;
        if (k == b->n_conditions) {
            b->number[b->n_conditions++] = c;
            b->gene[k] = t->gene + t->first_gene[c];
            b->n_genes[k] = t->first_gene[c + 1] - t->first_gene[c];
        }
        b->condition_of[i] = k;
        b->first[i] = at;
        for (int g = 0; g < f->target[c].n_genes; g++)
            b->node[at++] = t->task->node_of[f->target[c].gene[g]];
        perturb_set_row(f->set, t->partner[cell[i]], x + i * d);
        if (y)
            perturb_set_row(f->set, cell[i], y + i * d);
    }
    b->first[n] = at;
}

/* Forward; values of the predictions are in the tape's memory. */
static enum rc forward(struct gears *m, struct tape *tape, const double *embedding, const double *x,
                       size_t n, const uint32_t *first, const uint32_t *node, bool train,
                       struct gears_batch *b, struct gears_out *out, struct err *e)
{
    enum rc rc = gears_batch_init(b, m, n, x, embedding, first, node, e);
    if (rc)
        return rc;
    tape_reset(tape);
    tape->training = train;
    gears_forward(m, tape, b, train, out);
    return tape_check(tape, e);
}

enum rc gears_training_step(struct gears_training *t, const uint32_t *cell, double *loss,
                            struct err *e)
{
    const struct perturb_facts *f = t->task->facts;
    const size_t n = t->plan.batch;
    double *x = t->buffer, *y = x + n * f->set->n_genes;
    struct batch b;
    struct gears_batch g = { 0 };
    struct gears_out out;
    fill_batch(t, cell, n, &b, x, y);
    const struct gears_target target = { .y = y,
                                         .control_mean = mat_row(&f->m.mean, f->set->control),
                                         .condition_of = b.condition_of,
                                         .n_conditions = b.n_conditions,
                                         .gene = b.gene,
                                         .n_genes = b.n_genes,
                                         .direction = t->plan.top20 ? 0 : t->plan.direction,
                                         .square = t->plan.top20 };
    params_zero_gradients(&t->m.params);
    enum rc rc = forward(&t->m, &t->tape, t->embedding, x, n, b.first, b.node, true, &g, &out, e);
    if (!rc)
        rc = gears_loss(&t->tape, out.predicted, &target, loss, NULL, e);
    if (!rc && !isfinite(*loss))
        rc = err_set(e, RC_CHECK, "the loss is no finite number any more");
    if (!rc) {
        tape_backward(&t->tape);
        gears_step(&t->m, t->plan.rate * pow(0.5, (double)t->n_done), t->plan.decay, ++t->step);
    }
    gears_batch_release(&g);
    return rc;
}

/* ---- validation ---- */

/* Adds the predictions of cell[0..n) to the sums of their conditions. */
static enum rc add_predictions(struct gears_training *t, const uint32_t *cell, size_t n,
                               struct mat *sum, struct err *e)
{
    const struct perturb_set *s = t->task->facts->set;
    struct batch b;
    struct gears_batch g = { 0 };
    struct gears_out out;
    fill_batch(t, cell, n, &b, t->buffer, NULL);
    enum rc rc =
        forward(&t->m, &t->tape, t->embedding, t->buffer, n, b.first, b.node, false, &g, &out, e);
    const double *p = rc ? NULL : tape_values(&t->tape, out.predicted);
    if (!rc)
        rc = tape_check(&t->tape, e);
    for (size_t i = 0; !rc && i < n; i++)
        for (size_t j = 0; j < s->n_genes; j++)
            mat_row(sum, s->of[cell[i]])[j] += p[i * s->n_genes + j];
    gears_batch_release(&g);
    return rc;
}

static enum rc validate(struct gears_training *t, double *mse, struct err *e)
{
    const struct perturb_facts *f = t->task->facts;
    const struct perturb_set *s = f->set;
    uint32_t cell[MAX_BATCH];
    struct mat sum;
    size_t n = 0, n_conditions = 0;
    double total = 0;
    enum rc rc = mat_alloc(&sum, s->n_conditions, s->n_genes, e);
    for (uint32_t i = 0; !rc && i < s->n_cells; i++) {
        if (t->task->part[s->of[i]] == PART_VAL)
            cell[n++] = i;
        if (n == t->plan.test_batch || (n && i + 1 == s->n_cells)) {
            rc = add_predictions(t, cell, n, &sum, e);
            n = 0;
        }
    }
    for (size_t c = 0; !rc && c < s->n_conditions; c++) {
        if (t->task->part[c] != PART_VAL)
            continue;
        const size_t top = s->n_genes < PERTURB_TOP ? s->n_genes : PERTURB_TOP;
        n_conditions++;
        for (size_t k = 0; k < top; k++) {
            const uint32_t j = f->ranked[c * s->n_genes + k];
            const double off =
                mat_row(&sum, c)[j] / (double)s->condition[c].n_cells - mat_row(&f->m.mean, c)[j];
            total += off * off / (double)top;
        }
    }
    *mse = n_conditions ? total / (double)n_conditions : NAN;
    mat_release(&sum);
    return rc;
}

enum rc gears_training_epoch(struct gears_training *t, struct err *e)
{
    const struct permute order = permute_of(t->plan.seed, t->n_done, t->n_train);
    uint32_t cell[MAX_BATCH];
    struct gears_epoch *now = &t->epoch[t->n_done];
    double loss, total = 0;
    if (t->plan.batch > t->n_train)
        t->plan.batch = t->n_train;
    const size_t steps = t->n_train / t->plan.batch;
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < steps; k++) {
        for (size_t i = 0; i < t->plan.batch; i++)
            cell[i] = t->cell[permute_at(&order, k * t->plan.batch + i)];
        rc = gears_training_step(t, cell, &loss, e);
        total += loss;
    }
    now->loss = total / (double)steps;
    if (!rc)
        rc = validate(t, &now->validation, e);
    if (rc)
        return err_wrap(e, "epoch %zu", t->n_done + 1);
    if (isnan(now->validation) || now->validation < t->best_validation) {
        t->best = t->n_done;
        t->best_validation = isnan(now->validation) ? INFINITY : now->validation;
        memcpy(t->kept, t->m.params.x, gears_training_bytes(t));
    }
    t->n_done++;
    return RC_OK;
}

void gears_training_choose(struct gears_training *t)
{
    if (t->best != SIZE_MAX)
        memcpy(t->m.params.x, t->kept, gears_training_bytes(t));
}

/* ---- predictions ---- */

enum rc gears_training_controls(const struct gears_training *t, struct mat *x, struct err *e)
{
    const struct perturb_set *s = t->task->facts->set;
    enum rc rc = mat_alloc(x, t->plan.n_control, s->n_genes, e);
    for (size_t i = 0; !rc && i < x->n; i++)
        perturb_set_row(s,
                        t->control[rng_below(t->plan.seed, RNG_SAMPLE, i, 1, t->n_control_cells)],
                        mat_row(x, i));
    return rc;
}

enum rc gears_predict(struct gears *m, struct tape *t, const double *embedding, const double *x,
                      size_t n, const uint32_t *node, size_t n_node, size_t batch, double *out,
                      struct err *e)
{
    const size_t d = m->config.n_genes;
    uint32_t first[MAX_BATCH + 1], all[PERTURB_GENES * MAX_BATCH];
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i <= batch; i++)
        first[i] = i * (uint32_t)n_node;
    for (size_t i = 0; i < batch * n_node; i++)
        all[i] = node[i % n_node];
    memset(out, 0, d * sizeof *out);
    for (size_t at = 0, k; !rc && at < n; at += k) {
        struct gears_batch b = { 0 };
        struct gears_out o;
        k = n - at < batch ? n - at : batch;
        rc = forward(m, t, embedding, x + at * d, k, first, all, false, &b, &o, e);
        const double *p = rc ? NULL : tape_values(t, o.predicted);
        if (!rc)
            rc = tape_check(t, e);
        for (size_t i = 0; !rc && i < k; i++)
            for (size_t j = 0; j < d; j++)
                out[j] += p[i * d + j] / (double)n;
        gears_batch_release(&b);
    }
    return rc;
}

/* ---- the co-expression graph ---- */

enum { BLOCK_CELLS = 512 };

/* Means, and inverse lengths of the centred columns (0 without spread), of n cells. */
static void spread_of(const struct perturb_set *s, const uint32_t *cell, size_t n, double *mean,
                      double *inverse, uint32_t *there)
{
    const size_t d = s->n_genes;
    for (size_t i = 0; i < n; i++)
        for (uint64_t k = s->indptr[cell[i]]; k < s->indptr[cell[i] + 1]; k++) {
            mean[s->index[k]] += s->value[k];
            there[s->index[k]]++;
        }
    for (size_t j = 0; j < d; j++) {
        mean[j] /= (double)n;
        inverse[j] = (double)(n - there[j]) * mean[j] * mean[j];
    }
    for (size_t i = 0; i < n; i++)
        for (uint64_t k = s->indptr[cell[i]]; k < s->indptr[cell[i] + 1]; k++) {
            const double off = s->value[k] - mean[s->index[k]];
            inverse[s->index[k]] += off * off;
        }
    for (size_t j = 0; j < d; j++)
        inverse[j] = inverse[j] > 0 ? 1 / sqrt(inverse[j]) : 0;
}

static enum rc correlate(const struct perturb_set *s, const uint32_t *cell, size_t n, struct mat *r,
                         struct err *e)
{
    const size_t d = s->n_genes;
    struct mat block = { 0 }, part = { 0 };
    double *mean = calloc(2 * d + 1, sizeof *mean), *inverse = mean ? mean + d : NULL;
    uint32_t *there = calloc(d + 1, sizeof *there);
    enum rc rc = mean && there ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", d);
    if (!rc)
        rc = mat_alloc(&part, d, d, e);
    if (!rc)
        spread_of(s, cell, n, mean, inverse, there);
    for (size_t at = 0, k; !rc && at < n; at += k) {
        k = n - at < BLOCK_CELLS ? n - at : BLOCK_CELLS;
        rc = mat_alloc(&block, k, d, e);
        for (size_t i = 0; !rc && i < k; i++) {
            perturb_set_row(s, cell[at + i], mat_row(&block, i));
            for (size_t j = 0; j < d; j++)
                mat_row(&block, i)[j] = (mat_row(&block, i)[j] - mean[j]) * inverse[j];
        }
        if (!rc)
            mat_mul_tn(&block, &block, &part);
        for (size_t j = 0; !rc && j < d * d; j++)
            r->x[j] += part.x[j];
        mat_release(&block);
    }
    mat_release(&part);
    free(mean);
    free(there);
    return rc;
}

enum rc gears_coexpression(const struct perturb_set *s, const enum part *part, size_t k,
                           struct gears_graph *g, struct err *e)
{
    uint32_t *cell = malloc((s->n_cells + 1) * sizeof *cell);
    struct mat r = { 0 };
    size_t n = 0;
    *g = (struct gears_graph){ 0 };
    enum rc rc = cell ? mat_alloc(&r, s->n_genes, s->n_genes, e)
                      : err_set(e, RC_FAIL, "no memory for %zu cells", s->n_cells);
    for (uint32_t i = 0; !rc && i < s->n_cells; i++)
        if (part[s->of[i]] == PART_TRAIN && s->condition[s->of[i]].n_genes < 2)
            cell[n++] = i;
    if (!rc)
        rc = correlate(s, cell, n, &r, e);
    if (!rc)
        rc = gears_graph_correlation(&r, k, 0.4, g, e);
    mat_release(&r);
    free(cell);
    return rc;
}
