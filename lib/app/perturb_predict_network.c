/* GEARS in perturb-predict: trained with every seed of a split, with and without gene vectors. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/app/perturb_predict_parts.h"
#include "lib/base/log.h"

struct gears_plan perturb_plan(const struct perturb_options *o, uint64_t seed)
{
    struct gears_plan p = gears_plan_published;
    p.d = (size_t)o->width;
    p.batch = (size_t)o->batch;
    p.epochs = (size_t)o->epochs;
    p.rate = o->rate;
    p.top20 = o->top20;
    p.shared = !o->as_released;
    p.seed = seed;
    return p;
}

struct gears_task perturb_task(const struct perturb_inputs *in, const enum part *part,
                               const struct gears_graph *coexpress, bool vectors)
{
    return (struct gears_task){ .facts = &in->facts,
                                .part = part,
                                .go = &in->go,
                                .coexpress = coexpress,
                                .n_nodes = in->node.n,
                                .node_of = in->node_of,
                                .vectors = vectors ? &in->vectors : NULL };
}

static enum rc predict_all(struct perturb_job *j, struct gears_training *t, struct mat *out,
                           struct err *e)
{
    const struct perturb_facts *f = &j->in.facts;
    struct mat x;
    enum rc rc = gears_training_controls(t, &x, e);
    for (size_t c = 0; !rc && c < out->n; c++) {
        uint32_t node[PERTURB_GENES];
        if (j->run.part[c] != PART_TEST)
            continue;
        for (int k = 0; k < f->target[c].n_genes; k++)
            node[k] = j->in.node_of[f->target[c].gene[k]];
        rc = gears_predict(&t->m, &t->tape, t->embedding, x.x, x.n, node,
                           (size_t)f->target[c].n_genes, t->plan.test_batch, mat_row(out, c), e);
    }
    mat_release(&x);
    return rc;
}

static enum rc train_once(struct perturb_job *j, const struct gears_graph *coexpress, size_t seed,
                          bool vectors, struct mat *out, struct err *e)
{
    const char *const method = vectors ? "gears+genecompass" : "gears";
    const struct gears_task task = perturb_task(&j->in, j->run.part, coexpress, vectors);
    const struct gears_plan plan = perturb_plan(j->o, (uint64_t)j->o->first_seed + seed);
    struct gears_training t;
    enum rc rc = gears_training_init(&t, &task, &plan, j->o->backend, e);
    if (rc)
        return rc;
    while (!rc && t.n_done < plan.epochs)
        rc = gears_training_epoch(&t, e);
    if (!rc) {
        gears_training_choose(&t);
        log_say("split %" PRIu64 ", seed %" PRIu64 ", %s: epoch %zu of %zu, validation %.4g",
                j->run.split_seed, plan.seed, method, t.best + 1, plan.epochs, t.best_validation);
        rc = predict_all(j, &t, out, e);
    }
    if (!rc)
        rc = perturb_record(j, method, (size_t)plan.seed, out, e);
    gears_training_release(&t);
    return rc ? err_wrap(e, "%s", method) : RC_OK;
}

enum rc perturb_network(struct perturb_job *j, struct err *e)
{
    struct gears_graph coexpress;
    struct mat out;
    if (!j->in.node.n || !j->o->n_seeds)
        return RC_OK;
    enum rc rc =
        gears_coexpression(&j->in.set, j->run.part, (size_t)j->o->neighbours, &coexpress, e);
    if (rc)
        return rc;
    rc = mat_alloc(&out, j->in.set.n_conditions, j->in.set.n_genes, e);
    for (size_t s = 0; !rc && s < (size_t)j->o->n_seeds; s++)
        rc = train_once(j, &coexpress, s, false, &out, e);
    for (size_t s = 0; !rc && j->in.vectors.n && s < (size_t)j->o->n_seeds; s++)
        rc = train_once(j, &coexpress, s, true, &out, e);
    mat_release(&out);
    gears_graph_release(&coexpress);
    return rc;
}
