#include "lib/nn/tosica_learn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct pupil {
    const struct probe_cells *cells;
    const struct mat *x;
    const uint64_t *cell_id;
    const struct tosica_learning *o;
    double lr;
    struct tosica m;
    struct tape tape;
    /* of a batch of at most `room` cells, owned */
    double *row;
    uint32_t *label;
    uint64_t *key;
};

enum { LARGEST_BATCH = 64 }; /* of those that are told */

struct tosica_learning tosica_published(void)
{
    return (struct tosica_learning){ .run = { .batch = 16, .epochs = 20, .balance = true },
                                     .rate = { 1e-3 },
                                     .n_rates = 1,
                                     .d = 48,
                                     .depth = 2,
                                     .heads = 4,
                                     .dropout = 0.5,
                                     .path_drop = 0.5 };
}

static struct tosica_batch gather(struct pupil *p, const uint32_t *cell, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        memcpy(p->row + i * p->x->d, mat_row(p->x, cell[i]), p->x->d * sizeof *p->row);
        p->label[i] = p->cells->class_of[cell[i]];
        p->key[i] = p->cell_id[cell[i]];
    }
    return (struct tosica_batch){ .n = n, .x = p->row };
}

static enum rc gradients(void *net, const uint32_t *cell, size_t n, uint64_t seed, double *loss,
                         struct err *e)
{
    struct pupil *p = net;
    struct tosica_out out;
    struct tosica_batch b = gather(p, cell, n);
    b.label = p->label;
    b.key = p->key;
    b.seed = seed;
    p->tape.training = true;
    tape_reset(&p->tape);
    tosica_forward(&p->m, &p->tape, &b, &out);
    tape_backward(&p->tape);
    *loss = out.loss;
    return tape_check(&p->tape, e);
}

static void update(void *net, uint64_t step, size_t epoch)
{
    struct pupil *p = net;
    (void)step;
    tosica_step(&p->m, tosica_rate(p->lr, epoch, p->o->run.epochs));
}

static enum rc logits(void *net, const uint32_t *cell, size_t n, double *logit, struct err *e)
{
    struct pupil *p = net;
    struct tosica_out out;
    const struct tosica_batch b = gather(p, cell, n);
    p->tape.training = false;
    tape_reset(&p->tape);
    tosica_forward(&p->m, &p->tape, &b, &out);
    const enum rc rc = tape_check(&p->tape, e);
    if (!rc)
        reals_to_f64(p->tape.b, logit, out.logits->x, n * p->cells->n_classes);
    return rc;
}

/* From the first weights of the run's seed at p->lr. */
static enum rc learn(struct pupil *p, const struct tosica_config *c, const struct backend *b,
                     struct probe_result *r, struct err *e)
{
    const struct learner l = { p, &p->m.params, gradients, update, logits };
    if (tosica_init(&p->m, c, b, true, e))
        return e ? e->rc : RC_INPUT;
    tosica_initialise(&p->m, p->o->run.seed);
    tape_init(&p->tape, b, true);
    enum rc rc = learn_classes(&l, p->cells, &p->o->run, r, e);
    if (!rc)
        r->rate = p->lr;
    tape_release(&p->tape);
    tosica_release(&p->m);
    return rc;
}

/* *r becomes the better of *r and *one; the other is released. */
static void keep_better(struct probe_result *r, struct probe_result *one)
{
    const bool take = !r->predicted || one->val_macro_f1 > r->val_macro_f1;
    probe_result_release(take ? r : one);
    if (take)
        *r = *one;
}

enum rc probe_tosica(const struct probe_cells *cells, const struct mat *x, const uint64_t *cell_id,
                     const uint32_t *first, const uint32_t *member, size_t n_sets,
                     const struct tosica_learning *o, const struct backend *b,
                     struct probe_result *r, struct err *e)
{
    struct pupil p = { .cells = cells, .x = x, .cell_id = cell_id, .o = o };
    const struct tosica_config c = { .n_genes = x->d,
                                     .n_tokens = n_sets,
                                     .d = o->d,
                                     .depth = o->depth,
                                     .heads = o->heads,
                                     .mlp_ratio = 4,
                                     .n_classes = cells->n_classes,
                                     .norm_eps = 1e-6,
                                     .dropout = o->dropout,
                                     .path_drop = o->path_drop,
                                     .layout = TOSICA_STRAIGHT,
                                     .first = first,
                                     .member = member };
    const size_t room = o->run.batch > LARGEST_BATCH ? o->run.batch : LARGEST_BATCH;
    assert(o->n_rates >= 1 && o->n_rates <= TOSICA_MAX_RATES);
    *r = (struct probe_result){ 0 };
    p.row = malloc(room * x->d * sizeof *p.row);
    p.label = malloc(room * sizeof *p.label);
    p.key = malloc(room * sizeof *p.key);
    enum rc rc = p.row && p.label && p.key
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu cells of %zu genes", room, x->d);
    for (size_t i = 0; !rc && i < o->n_rates; i++) {
        struct probe_result one;
        p.lr = o->rate[i];
        rc = learn(&p, &c, b, &one, e);
        if (!rc)
            keep_better(r, &one);
    }
    if (rc)
        probe_result_release(r);
    free(p.row);
    free(p.label);
    free(p.key);
    return rc;
}
