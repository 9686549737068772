/* dose evaluate: seeds, methods, scores. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/dose_parts.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/io/json.h"

const char *const dose_scored_name[DOSE_SCORED] = { "train", "test", "ood" };
static const enum dose_given truth_of[DOSE_SCORED] = { DOSE_TRAIN, DOSE_TEST, DOSE_OOD };
/* Cells of the held-out dose are measured against the test's control cells, as in the release. */
static const enum dose_given control_of[DOSE_SCORED] = { DOSE_TRAIN, DOSE_TEST, DOSE_TEST };

/* One seed at work. */
struct run {
    size_t seed;
    unsigned char *part;
    struct dose_moments moments[DOSE_OOD + 1]; /* of each part; that of validation is empty */
    double *mean, *var, *buffer;               /* [G], [G], [3, G] */
};

static void run_release(struct run *r)
{
    free(r->part);
    free(r->mean);
    for (int k = 0; k <= DOSE_OOD; k++)
        dose_moments_release(&r->moments[k]);
    *r = (struct run){ 0 };
}

static enum rc run_init(struct run *r, const struct dose_job *j, size_t seed, struct err *e)
{
    const size_t d = j->in.set.x.n_genes;
    *r = (struct run){ .seed = seed, .mean = malloc(5 * d * sizeof *r->mean) };
    if (!r->mean)
        return err_set(e, RC_FAIL, "no memory for %zu genes", d);
    r->var = r->mean + d;
    r->buffer = r->mean + 2 * d;
    enum rc rc = dose_parts_of(&j->in, j->o->seed + seed, &r->part, e);
    for (int k = 0; !rc && k < DOSE_SCORED; k++)
        rc = dose_moments_init(&r->moments[truth_of[k]], &j->in.set, r->part, truth_of[k], e);
    return rc;
}

static size_t method_of(struct dose_job *j, const char *name, bool released)
{
    size_t k = 0;
    while (k < j->n_methods && (strcmp(j->method[k], name) != 0 || j->released[k] != released))
        k++;
    if (k == j->n_methods && k < DOSE_MAX_METHODS) {
        j->method[k] = name;
        j->released[j->n_methods++] = released;
    }
    return k;
}

/* r->mean and r->var against condition c of a part. */
static enum rc record(struct dose_job *j, struct run *r, size_t method, int scored, size_t c,
                      struct err *e)
{
    const struct dose_set *s = &j->in.set;
    const struct dose_moments *truth = &r->moments[truth_of[scored]],
                              *control = &r->moments[control_of[scored]];
    const size_t o = dose_set_control(s, s->condition[c].type);
    struct dose_row row = { method, (size_t)scored, r->seed, c, truth->n[c], { 0 } };
    dose_score(&(struct dose_compared){ .n_genes = s->x.n_genes,
                                        .n_changed = j->in.n_changed,
                                        .changed = j->in.changed + c * j->in.n_changed,
                                        .mean = mat_row(&truth->mean, c),
                                        .var = mat_row(&truth->var, c),
                                        .control = mat_row(&control->mean, o),
                                        .predicted = r->mean,
                                        .predicted_var = r->var,
                                        .truth = j->in.truth.n ? mat_row(&j->in.truth, c) : NULL },
               r->buffer, row.score);
    return dose_row_add(j, &row, e);
}

/* Is condition c scored in that part? */
static bool asked(const struct dose_job *j, const struct run *r, int scored, size_t c)
{
    return r->moments[truth_of[scored]].n[c] && j->in.set.condition[c].drug != DOSE_CONTROL;
}

static enum rc simple(struct dose_job *j, struct run *r, struct err *e)
{
    enum rc rc = RC_OK;
    for (int k = 0; k < DOSE_N_SIMPLE; k++) {
        const size_t method = method_of(j, dose_simple_name[k], false);
        for (int scored = 0; !rc && scored < DOSE_SCORED; scored++)
            for (size_t c = 0; !rc && c < j->in.set.n_conditions; c++) {
                if (!asked(j, r, scored, c))
                    continue;
                dose_simple_predict((enum dose_simple)k, &j->in.set, &r->moments[DOSE_TRAIN], c,
                                    r->mean, r->var);
                rc = record(j, r, method, scored, c, e);
            }
    }
    return rc;
}

/* All control cells of a type in a part. */
static enum rc controls(const struct dose_job *j, const struct run *r, uint32_t type,
                        enum dose_given part, struct mat *x, struct err *e)
{
    const struct dose_set *s = &j->in.set;
    const size_t o = dose_set_control(s, type);
    size_t k = 0;
    enum rc rc = mat_alloc(x, r->moments[part].n[o], s->x.n_genes, e);
    for (size_t i = 0; !rc && i < s->x.n_cells; i++)
        if (s->of[i] == o && r->part[i] == (unsigned char)part)
            perturb_set_row(&s->x, i, mat_row(x, k++));
    return rc;
}

static enum rc score_network(struct dose_job *j, struct run *r, struct cpa_training *t,
                             const char *name, const struct mat *vectors, bool released,
                             struct err *e)
{
    const struct dose_set *s = &j->in.set;
    const size_t method = method_of(j, name, released);
    struct mat cells = { 0 };
    enum rc rc = RC_OK;
    for (int scored = 0; !rc && scored < DOSE_SCORED; scored++) {
        uint32_t type = UINT32_MAX;
        for (size_t c = 0; !rc && c < s->n_conditions; c++) {
            const struct dose_condition *k = &s->condition[c];
            if (!asked(j, r, scored, c))
                continue;
            if (k->type != type) {
                mat_release(&cells);
                rc = controls(j, r, type = k->type, control_of[scored], &cells, e);
            }
            const struct cpa_question q = { .cells = &cells,
                                            .type = k->type,
                                            .drug = k->drug,
                                            .dose = k->dose / s->largest[k->drug],
                                            .vectors = vectors,
                                            .as_released = released,
                                            .seed = t->plan.seed,
                                            .key = (uint64_t)scored << 32 | c };
            if (!rc)
                rc = cpa_predict(&t->m, &t->tape, &q, r->mean, r->var, e);
            if (!rc)
                rc = record(j, r, method, scored, c, e);
        }
    }
    mat_release(&cells);
    return rc;
}

/* Trains with vectors (or none) and scores; the plain network with as_released also with the
 * published use of the set's vectors, which trains nothing. */
static enum rc network(struct dose_job *j, struct run *r, const char *name,
                       const struct mat *vectors, struct err *e)
{
    const struct cpa_task task = { &j->in.set, r->part, vectors, j->in.changed, j->in.n_changed };
    struct cpa_plan plan = j->o->plan;
    struct cpa_training t;
    plan.seed = j->o->seed + r->seed;
    enum rc rc = cpa_training_init(&t, &task, &plan, j->o->backend, e);
    if (rc)
        return rc;
    while (!rc && t.n_done < plan.epochs)
        rc = cpa_training_round(&t, e);
    if (!rc) {
        cpa_training_choose(&t);
        log_say("seed %" PRIu64 ", %s: epoch %.0f of %zu, validation R2 %.4g", plan.seed, name,
                t.check[t.best].epoch, plan.epochs, t.check[t.best].validation);
        rc = score_network(j, r, &t, name, vectors, false, e);
    }
    if (!rc && !vectors && j->o->as_released)
        rc = score_network(j, r, &t, "cpa+genecompass", &j->in.vectors, true, e);
    cpa_training_release(&t);
    return rc ? err_wrap(e, "%s", name) : RC_OK;
}

/* The vectors of other genes: row g is that of gene order[g]. */
static enum rc shuffled(const struct mat *vectors, uint64_t seed, struct mat *out, struct err *e)
{
    uint32_t *order = malloc((vectors->n + 1) * sizeof *order);
    enum rc rc = order ? mat_alloc(out, vectors->n, vectors->d, e)
                       : err_set(e, RC_FAIL, "no memory for %zu genes", vectors->n);
    for (uint32_t g = 0; !rc && g < vectors->n; g++)
        order[g] = g;
    if (!rc)
        rng_shuffle(seed, RNG_SAMPLE, 0, order, vectors->n);
    for (size_t g = 0; !rc && g < vectors->n; g++)
        memcpy(mat_row(out, g), mat_row(vectors, order[g]), vectors->d * sizeof(double));
    free(order);
    return rc;
}

static enum rc networks(struct dose_job *j, struct run *r, struct err *e)
{
    struct mat other = { 0 };
    enum rc rc = network(j, r, "cpa", NULL, e);
    if (!rc && j->in.vectors.n)
        rc = network(j, r, "cpa+genecompass", &j->in.centred, e);
    if (!rc && j->in.vectors.n) {
        rc = shuffled(&j->in.centred, j->o->seed + r->seed, &other, e);
        if (!rc)
            rc = network(j, r, "cpa+shuffled", &other, e);
    }
    mat_release(&other);
    return rc;
}

static enum rc report(const struct dose_job *j, struct err *e)
{
    const struct dose_set *s = &j->in.set;
    if (!j->o->report)
        return RC_OK;
    return json_write(
        j->o->report,
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "n_cells",
                  (json_int_t)s->x.n_cells, "n_genes", (json_int_t)s->x.n_genes, "n_drugs",
                  (json_int_t)s->n_drugs, "n_types", (json_int_t)s->n_types, "n_conditions",
                  (json_int_t)s->n_conditions, "held_out", j->in.held_out, "were_counts",
                  s->x.were_counts, "zero_dose_cells", (json_int_t)s->n_zero, "single_dose_drugs",
                  (json_int_t)s->n_single, "small_conditions", (json_int_t)s->n_small,
                  "small_cells", (json_int_t)s->n_small_cells, "with_a_vector",
                  (json_int_t)j->in.n_vectors, "genes_before", (json_int_t)s->n_genes_before),
        e);
}

enum rc dose_evaluate(const struct dose_options *o, struct err *e)
{
    struct dose_job j = { .o = o };
    enum rc rc = dose_inputs_read(&j.in, o, e);
    for (size_t k = 0; !rc && k < (size_t)o->n_seeds; k++) {
        struct run r;
        rc = run_init(&r, &j, k, e);
        if (!rc)
            rc = simple(&j, &r, e);
        if (!rc && o->plan.epochs)
            rc = networks(&j, &r, e);
        run_release(&r);
    }
    if (!rc)
        rc = dose_tables_write(&j, e);
    if (!rc)
        rc = report(&j, e);
    free(j.row);
    dose_inputs_release(&j.in);
    return rc;
}
