/* Training of CPA on a small set: it learns a dose that it never saw, equal runs are equal, the
 * adversaries' pass leaves their gradients as they are, and the published use of vectors is what it
 * is. */
#include <string.h>

#include "lib/base/thread.h"
#include "lib/nn/cpa_train.h"
#include "lib/nn/metrics_stat.h"
#include "tests/lib/nn/dose_tiny.h"
#include "tests/tap.h"

static const struct cpa_plan plan = { .d = 8,
                                      .width = 16,
                                      .depth = 2,
                                      .adversary_width = 8,
                                      .adversary_depth = 2,
                                      .doser_width = 8,
                                      .doser_depth = 1,
                                      .adversary = 1,
                                      .penalty = 1,
                                      .rate = 3e-3,
                                      .batch = 32,
                                      .epochs = 240,
                                      .check_every = 40,
                                      .n_control = 50,
                                      .seed = 1 };

static struct dose_set s;
static unsigned char part[TINY_CELLS];
static uint32_t *changed;

/* R2 of the held-out dose, mean over both drugs; *lazy: that of the control's means. */
static double held_out_r2(struct cpa_training *t, const struct mat *vectors, double *mean,
                          double *lazy)
{
    struct dose_moments truth;
    struct mat cells;
    struct err e = { 0 };
    double var[TINY_GENES], buffer[3 * TINY_GENES], got[DOSE_N_METRICS], sum = 0;
    const size_t condition[2] = { 3, 7 };
    dose_moments_init(&truth, &s, part, DOSE_OOD, &e);
    cpa_training_controls(t, 0, &cells, &e);
    double control[TINY_GENES] = { 0 };
    for (size_t i = 0; i < cells.n; i++)
        for (size_t j = 0; j < TINY_GENES; j++)
            control[j] += mat_row(&cells, i)[j] / (double)cells.n;
    *lazy = 0;
    for (int k = 0; k < 2; k++) {
        const struct dose_condition *c = &s.condition[condition[k]];
        const struct cpa_question q = { .cells = &cells,
                                        .drug = c->drug,
                                        .dose = c->dose / s.largest[c->drug],
                                        .vectors = vectors };
        if (cpa_predict(&t->m, &t->tape, &q, mean, var, &e))
            return NAN;
        dose_score(&(struct dose_compared){ TINY_GENES, 2, changed + 2 * condition[k],
                                            mat_row(&truth.mean, condition[k]),
                                            mat_row(&truth.var, condition[k]), mean, mean, var,
                                            NULL },
                   buffer, got);
        sum += got[DOSE_R2_MEAN] / 2;
        *lazy += r2_score(mat_row(&truth.mean, condition[k]), control, TINY_GENES) / 2;
    }
    mat_release(&cells);
    dose_moments_release(&truth);
    return sum;
}

static enum rc train(struct cpa_training *t, const struct cpa_task *task, const struct backend *b,
                     struct err *e)
{
    enum rc rc = cpa_training_init(t, task, &plan, b, e);
    while (!rc && t->n_done < plan.epochs)
        rc = cpa_training_round(t, e);
    if (!rc)
        cpa_training_choose(t);
    return rc;
}

static void learns(const struct backend *b)
{
    struct cpa_training t, again;
    struct err e = { 0 };
    struct mat vectors;
    double mean[TINY_GENES], other[TINY_GENES];
    struct cpa_task task = { &s, part, NULL, changed, 2 };
    if (!ok(!train(&t, &task, b, &e), "%s: a training%s", b->name, e.text))
        return;
    double lazy;
    const double r2 = held_out_r2(&t, NULL, mean, &lazy);
    /* Half of what no change at all leaves unexplained. */
    ok(1 - r2 < 0.5 * (1 - lazy),
       "predicts a dose that it never saw (R2 %.3f, without any change %.3f)", r2, lazy);
    ok(t.n_checks == 6 && t.step_autoencoder * 3 - t.step <= 2,
       "in six checks, every third step of the autoencoder");
    if (ok(!train(&again, &task, b, &e), "again%s", e.text)) {
        held_out_r2(&again, NULL, other, &lazy);
        ok(memcmp(mean, other, sizeof mean) == 0, "gives the same numbers");
        cpa_training_release(&again);
    }
    if (mat_alloc(&vectors, TINY_GENES, 3, &e))
        return;
    for (size_t k = 0; k < TINY_GENES * 3; k++)
        vectors.x[k] = rng_normal(3, RNG_TEST, 0, k);
    memset(mat_row(&vectors, 5), 0, 3 * sizeof(double));

    /* As released: cells and rows of genes count alike. */
    struct mat cells;
    double var[TINY_GENES], both[TINY_GENES];
    cpa_training_controls(&t, 0, &cells, &e);
    struct cpa_question q = { .cells = &cells,
                              .drug = 0,
                              .dose = 0.5,
                              .vectors = &vectors,
                              .as_released = true,
                              .seed = 1,
                              .key = 1 };
    ok(!cpa_predict(&t.m, &t.tape, &q, both, var, &e), "the published use of vectors%s", e.text);
    q.key = 2;
    cpa_predict(&t.m, &t.tape, &q, other, var, &e);
    ok(memcmp(both, other, sizeof both) != 0, "differs from call to call: its layer is random");
    q.cells = &(struct mat){ 0 };
    cpa_predict(&t.m, &t.tape, &q, other, var, &e);
    q.cells = &cells;
    q.key = 2;
    cpa_predict(&t.m, &t.tape, &q, both, var, &e);
    q.as_released = false;
    q.vectors = NULL;
    cpa_predict(&t.m, &t.tape, &q, mean, var, &e);
    double worst = 0;
    for (size_t j = 0; j < TINY_GENES; j++) {
        const double n = (double)cells.n, want = (n * mean[j] + 5 * other[j]) / (n + 5);
        worst = fmax(worst, fabs(both[j] - want));
    }
    ok(worst < 1e-5, "is the mean over %zu cells and 5 genes with a vector (off by %.1e)", cells.n,
       worst);
    mat_release(&cells);
    cpa_training_release(&t);

    task.vectors = &vectors;
    if (ok(!train(&t, &task, b, &e), "with vectors in the decoder%s", e.text)) {
        const double with = held_out_r2(&t, &vectors, mean, &lazy),
                     without = held_out_r2(&t, NULL, other, &lazy);
        ok(1 - with < 0.5 * (1 - lazy) && with > without,
           "it predicts with them (R2 %.3f), not so well without (%.3f)", with, without);
        cpa_training_release(&t);
    }
    mat_release(&vectors);
}

/* Gradients of the adversaries with and without recording the rest. */
static void same_gradients(void)
{
    struct cpa_training t;
    struct err e = { 0 };
    struct cpa_out out;
    struct cpa_losses l[2];
    const struct cpa_task task = { &s, part, NULL, changed, 2 };
    static double x[32 * TINY_GENES], dose[32 * 2], g[2][20000];
    static uint32_t class_of[32];
    if (!ok(!cpa_training_init(&t, &task, &plan, &backend_ref, &e), "a network%s", e.text))
        return;
    for (size_t i = 0; i < 32; i++) {
        perturb_set_row(&s.x, i, x + i * TINY_GENES);
        dose[2 * i] = i % 3 ? 0 : 0.5;
    }
    const struct cpa_batch b = { .n = 32, .x = x, .dose = dose, .class_of = { class_of } };
    const size_t n = t.m.params.n_items;
    static double start[20000], after[2][20000];
    memcpy(start, t.m.params.x, (n <= 20000 ? n : 0) * sizeof(double));
    for (int k = 0; k < 2 && n <= 20000; k++) {
        memcpy(t.m.params.x, start, n * sizeof(double));
        params_zero_gradients(&t.m.params);
        tape_reset(&t.tape);
        t.tape.training = true;
        if (k)
            cpa_forward_adversaries(&t.m, &t.tape, &b, &out);
        else
            cpa_forward(&t.m, &t.tape, &b, true, &out);
        cpa_adversary_loss(&t.m, &t.tape, &b, &out, &l[k], &e);
        tape_backward(&t.tape);
        memcpy(g[k], t.m.params.g, n * sizeof(double));
        memcpy(after[k], t.m.params.x, n * sizeof(double));
    }
    double most = 0, worst = 0;
    for (size_t i = 0; i < t.m.params.n; i++) {
        const struct param *q = &t.m.params.item[i];
        for (size_t j = q->begin;
             strncmp(q->name, "adversary_", 10) == 0 && j < q->begin + q->rows * q->cols; j++) {
            most = fmax(most, fabs(g[0][j]));
            worst = fmax(worst, fabs(g[0][j] - g[1][j]));
        }
    }
    ok(n <= 20000 && most > 0 && worst <= 1e-15 * most &&
           near(l[0].drug_penalty, l[1].drug_penalty, 0, 1e-15),
       "the adversaries' own pass has their gradients (off by %.1e of %.1e)", worst, most);
    ok(memcmp(after[0], after[1], n * sizeof(double)) == 0 &&
           memcmp(start, after[0], n * sizeof(double)) != 0,
       "and moves the same running statistics");
    cpa_training_release(&t);
}

int main(void)
{
    threads_init(2);
    struct err e = { 0 };
    if (!ok(!tiny_set(&s, false, false, &e) && !dose_split_draw(&s, 0.5, 1, part, &e) &&
                !dose_changed_genes(&s, 2, &changed, &e),
            "a set%s", e.text))
        return tap_end();
    same_gradients();
    learns(&backend_ref);
    const char *why;
    const struct backend *cpu = backend_find("cpu", &why);
    if (cpu)
        learns(cpu);
    else
        skip("cpu: %s", why);
    free(changed);
    dose_set_release(&s);
    return tap_end();
}
