/* CPA beyond the reference values of parity-downstream: the penalty's gradient by differences,
 * refusals, equal latents from both backends, learning. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/nn/cpa.h"
#include "lib/nn/net.h"
#include "tests/tap.h"

enum { N = 12, G = 5, D = 2, P = 3 };
static double x[N * G], dose[N * D], embedding[G * P];
static uint32_t class_of[N];

static const struct cpa_config small = { .n_genes = G,
                                         .n_drugs = D,
                                         .n_covariates = 1,
                                         .n_classes = { 2 },
                                         .d = 4,
                                         .width = 6,
                                         .depth = 2,
                                         .adversary_width = 4,
                                         .adversary_depth = 2,
                                         .doser_width = 3,
                                         .doser_depth = 1,
                                         .d_embedding = P,
                                         .adversary = 1,
                                         .penalty = 2,
                                         .rate = 0.01,
                                         .adversary_rate = 0.01,
                                         .doser_rate = 0.01 };

static struct cpa_batch made_batch(void)
{
    for (size_t i = 0; i < N; i++) {
        class_of[i] = i % 2;
        dose[i * D] = i % 3 ? 0 : 0.5;
        dose[i * D + 1] = i % 4 == 1 ? 1 : 0;
        for (size_t j = 0; j < G; j++)
            x[i * G + j] = rng_normal(1, RNG_TEST, i, j) + (j == 0) * 2 * dose[i * D];
    }
    for (size_t i = 0; i < G * P; i++)
        embedding[i] = rng_normal(2, RNG_TEST, 1, i);
    return (struct cpa_batch){
        .n = N, .x = x, .dose = dose, .embedding = embedding, .class_of = { class_of }
    };
}

/* Value of the penalty, and gradients when wanted. */
static double penalty_of(const struct cpa *m, const struct cpa_batch *b, bool gradient)
{
    struct tape t;
    struct cpa_out out;
    struct tensor *slope;
    const double one = 1;
    tape_init(&t, m->params.b, gradient);
    if (gradient)
        params_zero_gradients((struct params *)(uintptr_t)&m->params);
    cpa_forward(m, &t, b, true, &out);
    struct tensor *p = cpa_penalty(m, &t, out.basal, "adversary_drugs", &slope);
    const double value = *(double *)p->x;
    if (gradient) {
        tape_seed(&t, p, &one);
        tape_backward(&t);
    }
    tape_release(&t);
    return value;
}

static void differences(void)
{
    struct cpa m;
    struct err e = { 0 };
    const struct cpa_batch b = made_batch();
    double worst = 0, most = 0;
    if (!ok(!cpa_init(&m, &small, &backend_ref, true, &e), "a small network%s", e.text))
        return;
    cpa_randomise(&m, 3);
    penalty_of(&m, &b, true);
    for (size_t i = 0; i < m.params.n; i++) {
        const struct param *q = &m.params.item[i];
        double *w = q->t.x, *g = q->t.g;
        if (strncmp(q->name, "adversary_drugs", 15) != 0 || net_is_running(q))
            continue;
        for (size_t k = 0; k < q->rows * q->cols; k++) {
            const double at = w[k], h = 1e-6;
            w[k] = at + h;
            const double up = penalty_of(&m, &b, false);
            w[k] = at - h;
            const double off = fabs((up - penalty_of(&m, &b, false)) / (2 * h) - g[k]);
            w[k] = at;
            worst = off <= worst ? worst : off;
            most = fabs(g[k]) > most ? fabs(g[k]) : most;
        }
    }
    ok(most > 0 && worst < 1e-6 * most,
       "second derivatives through batch norm, off by %.1e of %.1e", worst, most);
    cpa_release(&m);
}

static void learns(const struct backend *b, double *first)
{
    struct cpa m;
    struct err e = { 0 };
    const struct cpa_batch batch = made_batch();
    double start = 0, end = 0;
    if (!ok(!cpa_init(&m, &small, b, true, &e) && !cpa_batch_check(&m, &batch, &e),
            "%s: a small network%s", b->name, e.text))
        return;
    cpa_randomise(&m, 3);
    uint64_t n_auto = 0, n_adversary = 0;
    for (size_t step = 0; step < 300; step++) {
        struct tape t;
        struct cpa_out out;
        struct cpa_losses l;
        tape_init(&t, b, true);
        params_zero_gradients(&m.params);
        cpa_forward(&m, &t, &batch, true, &out);
        if (!step)
            reals_to_f64(b, first, out.treated->x, N * 4);
        const enum rc rc = step % 3 ? cpa_adversary_loss(&m, &t, &batch, &out, &l, &e)
                                    : cpa_autoencoder_loss(&m, &t, &batch, &out, &l, &e);
        tape_backward(&t);
        if (step % 3)
            cpa_step_adversaries(&m, ++n_adversary);
        else
            cpa_step_autoencoder(&m, ++n_auto);
        end = rc ? NAN : l.reconstruction;
        start = step ? start : end;
        tape_release(&t);
    }
    ok(end < start - 0.5, "%s: reconstruction falls from %.3f to %.3f", b->name, start, end);
    cpa_release(&m);
}

static void refusals(void)
{
    struct cpa m;
    struct err e = { 0 };
    struct cpa_config c = small;
    c.n_classes[0] = 0;
    ok(cpa_init(&m, &c, &backend_ref, false, &e) == RC_INPUT && !m.params.item, "%s", e.text);
    if (!ok(!cpa_init(&m, &small, &backend_ref, false, &e), "a small network"))
        return;
    struct cpa_batch b = made_batch();
    dose[3] = -1;
    ok(cpa_batch_check(&m, &b, &e) == RC_INPUT, "%s", e.text);
    dose[3] = NAN;
    ok(cpa_batch_check(&m, &b, &e) == RC_INPUT, "%s", e.text);
    b = made_batch();
    class_of[2] = 7;
    ok(cpa_batch_check(&m, &b, &e) == RC_INPUT, "%s", e.text);
    class_of[2] = 0;
    b.n = 0;
    ok(cpa_batch_check(&m, &b, &e) == RC_INPUT, "%s", e.text);
    cpa_release(&m);
}

int main(void)
{
    const char *why;
    double ref[N * 4], cpu[N * 4], off = 0;
    threads_init(0);
    differences();
    refusals();
    learns(&backend_ref, ref);
    if (backend_find("cpu", &why)) {
        learns(&backend_cpu, cpu);
        for (size_t i = 0; i < N * 4; i++)
            off = fmax(off, fabs(ref[i] - cpu[i]));
        ok(off < 1e-4, "the same first latents on cpu, off by %.1e", off);
    }
    threads_stop();
    return tap_end();
}
