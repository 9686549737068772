/* DeepSEM beyond the reference values of parity-downstream: gradients by differences, learning on
 * both backends, a matrix without an inverse. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/nn/deepsem.h"
#include "lib/nn/net.h"
#include "tests/tap.h"

enum { N = 20, M = 5 };
static const struct deepsem_config small = { M, 6, 100, 1 };

/* Gene 1 follows gene 0. */
static void cells(double *x, double *noise, uint64_t step)
{
    for (size_t i = 0; i < N * M; i++) {
        x[i] = rng_normal(1, RNG_TEST, 1, i);
        noise[i] = rng_normal(1, RNG_TEST, 2 + step, i);
        if (i % M == 1)
            x[i] = x[i - 1] + 0.1 * x[i];
    }
}

static double loss_of(const struct deepsem *m, const double *x, const double *noise, bool gradient)
{
    struct tape t;
    struct deepsem_out out;
    struct err e = { 0 };
    tape_init(&t, m->params.b, gradient);
    if (gradient)
        params_zero_gradients((struct params *)(uintptr_t)&m->params);
    const enum rc rc = deepsem_forward(m, &t, N, x, noise, &out, &e);
    if (!rc && gradient)
        tape_backward(&t);
    tape_release(&t);
    return rc ? NAN : out.total;
}

static void differences(void)
{
    struct deepsem m;
    struct err e = { 0 };
    double x[N * M], noise[N * M], worst = 0;
    if (!ok(!deepsem_init(&m, &small, &backend_ref, true, &e), "a small network%s", e.text))
        return;
    deepsem_randomise(&m, 3);
    cells(x, noise, 0);
    loss_of(&m, x, noise, true);
    for (size_t i = 0; i < m.params.n; i++) {
        const struct param *q = &m.params.item[i];
        double *w = q->t.x, *g = q->t.g;
        for (size_t k = 0; k < q->rows * q->cols; k += 3) {
            const double at = w[k], h = 1e-6;
            if (strcmp(q->name, "adj_A") == 0 && k % (M + 1) == 0)
                continue; /* |A| has no slope at the diagonal's 0 */
            w[k] = at + h;
            const double up = loss_of(&m, x, noise, false);
            w[k] = at - h;
            const double off = fabs((up - loss_of(&m, x, noise, false)) / (2 * h) - g[k]);
            w[k] = at;
            worst = off <= worst ? worst : off;
        }
    }
    ok(worst < 1e-6, "gradients against differences, off by %.1e", worst);
    deepsem_release(&m);
}

static void learns(const struct backend *b)
{
    struct deepsem m;
    struct err e = { 0 };
    double x[N * M], noise[N * M], first = 0, last = 0;
    if (!ok(!deepsem_init(&m, &small, b, true, &e), "%s: a small network%s", b->name, e.text))
        return;
    deepsem_randomise(&m, 3);
    for (uint64_t step = 0; step < 120; step++) {
        cells(x, noise, step);
        last = loss_of(&m, x, noise, true);
        first = step ? first : last;
        if (step % 3)
            deepsem_step_matrix(&m, 2e-4);
        else
            deepsem_step_network(&m, 5e-3);
    }
    ok(last < first, "%s: the loss falls from %.3f to %.3f", b->name, first, last);
    deepsem_release(&m);
}

static void refusals(void)
{
    struct deepsem m;
    struct err e = { 0 };
    struct tape t;
    struct deepsem_out out;
    struct deepsem_config c = small;
    double x[N * M], noise[N * M];
    c.n_genes = 1;
    ok(deepsem_init(&m, &c, &backend_ref, false, &e) == RC_INPUT && !m.params.item, "%s", e.text);
    if (!ok(!deepsem_init(&m, &small, &backend_ref, false, &e), "zero weights%s", e.text))
        return;
    double *a = net_get(&m.params, "adj_A")->x;
    a[1] = a[M] = 1; /* I - A: two equal rows up to the sign */
    cells(x, noise, 0);
    tape_init(&t, &backend_ref, false);
    ok(deepsem_forward(&m, &t, N, x, noise, &out, &e) == RC_CHECK, "%s", e.text);
    tape_release(&t);
    deepsem_release(&m);
}

int main(void)
{
    const char *why;
    threads_init(0);
    differences();
    learns(&backend_ref);
    if (backend_find("cpu", &why))
        learns(&backend_cpu);
    refusals();
    threads_stop();
    return tap_end();
}
