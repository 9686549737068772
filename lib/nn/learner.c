#include "lib/nn/learner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/permute.h"
#include "lib/base/rng.h"
#include "lib/nn/calibrate.h"
#include "lib/nn/finetune.h"

enum { TOLD_AT_A_TIME = 64 };

struct course {
    const struct learner *l;
    const struct probe_cells *cells;
    const struct learning *o;
    uint32_t *train, *val; /* cells; train by class */
    size_t n_train, n_val;
    size_t *begin;     /* [C + 1] of the classes in train */
    uint32_t *present; /* classes that have training cells */
    size_t n_present;
    uint32_t *val_class; /* [n_val] */
    uint32_t *drawn;     /* [batch] */
    double *logit;       /* [max(n_val, TOLD_AT_A_TIME), C] */
    void *best;          /* weights of the best epoch */
};

static size_t count_part(const struct probe_cells *c, enum part part)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        n += c->part[i] == part;
    return n;
}

size_t learning_steps(const struct learning *o, const struct probe_cells *cells)
{
    return (count_part(cells, PART_TRAIN) + o->batch - 1) / o->batch;
}

static void course_release(struct course *k)
{
    void *const owned[] = { k->train,     k->val,   k->begin, k->present,
                            k->val_class, k->drawn, k->logit, k->best };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

static void list_cells(struct course *k)
{
    const struct probe_cells *c = k->cells;
    size_t n = 0;
    for (uint32_t y = 0; y < c->n_classes; y++) {
        k->begin[y] = n;
        for (size_t i = 0; i < c->n; i++)
            if (c->part[i] == PART_TRAIN && c->class_of[i] == y)
                k->train[n++] = (uint32_t)i;
        if (n > k->begin[y])
            k->present[k->n_present++] = y;
    }
    k->begin[c->n_classes] = n;
    n = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->part[i] == PART_VAL) {
            k->val_class[n] = c->class_of[i];
            k->val[n++] = (uint32_t)i;
        }
}

static enum rc course_init(struct course *k, struct err *e)
{
    const struct probe_cells *c = k->cells;
    const struct params *p = k->l->params;
    k->n_train = count_part(c, PART_TRAIN);
    k->n_val = count_part(c, PART_VAL);
    if (!k->n_train || !k->n_val || c->n >= UINT32_MAX)
        return err_set(e, RC_INPUT, "a split with %zu cells to learn from and %zu to choose by",
                       k->n_train, k->n_val);
    const size_t told = k->n_val > TOLD_AT_A_TIME ? k->n_val : TOLD_AT_A_TIME;
    k->train = malloc(k->n_train * sizeof *k->train);
    k->val = malloc(k->n_val * sizeof *k->val);
    k->begin = malloc((c->n_classes + 1) * sizeof *k->begin);
    k->present = malloc((c->n_classes + 1) * sizeof *k->present);
    k->val_class = malloc(k->n_val * sizeof *k->val_class);
    k->drawn = malloc(k->o->batch * sizeof *k->drawn);
    k->logit = malloc(told * c->n_classes * sizeof *k->logit);
    k->best = malloc(p->n_items * p->b->real_bytes);
    if (!k->train || !k->val || !k->begin || !k->present || !k->val_class || !k->drawn ||
        !k->logit || !k->best)
        return err_set(e, RC_FAIL, "no memory to learn from %zu cells", k->n_train);
    list_cells(k);
    return RC_OK;
}

static uint32_t draw(const struct course *k, const struct permute *order, uint64_t epoch, size_t i)
{
    if (!k->o->balance)
        return k->train[permute_at(order, i)];
    const uint64_t seed = k->o->seed;
    const uint32_t y = k->present[rng_below(seed, RNG_SAMPLE, epoch, 2 * i, k->n_present)];
    const size_t n = k->begin[y + 1] - k->begin[y];
    return k->train[k->begin[y] + rng_below(seed, RNG_SAMPLE, epoch, 2 * i + 1, n)];
}

static enum rc run_epoch(struct course *k, size_t epoch, uint64_t *step, struct err *e)
{
    const struct permute order = permute_of(k->o->seed, epoch, k->n_train);
    enum rc rc = RC_OK;
    for (size_t from = 0; !rc && from < k->n_train; from += k->o->batch) {
        const size_t left = k->n_train - from, n = left < k->o->batch ? left : k->o->batch;
        double loss = 0;
        for (size_t i = 0; i < n; i++)
            k->drawn[i] = draw(k, &order, epoch, from + i);
        params_zero_gradients(k->l->params);
        rc = k->l->gradients(k->l->net, k->drawn, n, rng_u64(k->o->seed, RNG_DROPOUT, *step, 2),
                             &loss, e);
        if (!rc && !isfinite(loss))
            rc = err_set(e, RC_CHECK, "step %llu: loss %g", (unsigned long long)*step, loss);
        if (!rc)
            k->l->update(k->l->net, (*step)++, epoch);
    }
    return rc;
}

static enum rc tell(struct course *k, const uint32_t *cell, size_t n, double *logit, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t from = 0; !rc && from < n; from += TOLD_AT_A_TIME)
        rc = k->l->logits(k->l->net, cell + from,
                          n - from < TOLD_AT_A_TIME ? n - from : TOLD_AT_A_TIME,
                          logit + from * k->cells->n_classes, e);
    return rc;
}

static bool better(const struct finetune_epoch *a, const struct finetune_epoch *b)
{
    return !b->epoch || a->val_macro_f1 > b->val_macro_f1 ||
           (a->val_macro_f1 >= b->val_macro_f1 && a->val_loss < b->val_loss);
}

static enum rc run_epochs(struct course *k, struct finetune_epoch *best, struct err *e)
{
    const struct params *p = k->l->params;
    const size_t bytes = p->n_items * p->b->real_bytes;
    uint64_t step = 0;
    enum rc rc = RC_OK;
    for (size_t epoch = 0; !rc && epoch < k->o->epochs; epoch++) {
        struct finetune_epoch r = { .epoch = epoch + 1 };
        rc = run_epoch(k, epoch, &step, e);
        if (!rc)
            rc = tell(k, k->val, k->n_val, k->logit, e);
        if (!rc)
            rc = finetune_score(k->logit, k->val_class, k->n_val, k->cells->n_classes, &r, e);
        if (rc)
            break;
        if (better(&r, best)) {
            *best = r;
            memcpy(k->best, p->x, bytes);
        }
        if (k->o->patience && r.epoch - best->epoch >= k->o->patience)
            break;
    }
    if (!rc && best->epoch)
        memcpy(p->x, k->best, bytes);
    return rc;
}

static enum rc tell_others(struct course *k, struct probe_result *r, struct err *e)
{
    const struct probe_cells *c = k->cells;
    uint32_t cell[TOLD_AT_A_TIME];
    enum rc rc = RC_OK;
    for (size_t i = 0, n = 0; !rc && i < c->n; i++) {
        if (c->part[i] != PART_TRAIN)
            cell[n++] = (uint32_t)i;
        if (n < TOLD_AT_A_TIME && i + 1 < c->n)
            continue;
        rc = n ? tell(k, cell, n, k->logit, e) : RC_OK;
        for (size_t q = 0; !rc && q < n; q++) {
            double *z = k->logit + q * c->n_classes;
            const size_t best = largest_of(z, c->n_classes);
            softmax_at(z, c->n_classes, 1, z);
            r->predicted[cell[q]] = (uint32_t)best;
            r->score[cell[q]] = z[best];
        }
        n = 0;
    }
    return rc;
}

enum rc learn_classes(const struct learner *l, const struct probe_cells *cells,
                      const struct learning *o, struct probe_result *r, struct err *e)
{
    struct course k = { .l = l, .cells = cells, .o = o };
    struct finetune_epoch best = { 0 };
    *r = (struct probe_result){ 0 };
    enum rc rc = course_init(&k, e);
    if (!rc)
        rc = probe_result_alloc(r, cells->n, "epoch", e);
    if (!rc)
        rc = run_epochs(&k, &best, e);
    if (!rc) {
        r->chosen = (double)best.epoch;
        r->val_macro_f1 = best.val_macro_f1;
        rc = tell_others(&k, r, e);
    }
    if (rc)
        probe_result_release(r);
    course_release(&k);
    return rc;
}
