/* The fast training of DeepSEM against the tape in double: losses and every gradient; tables of a
 * network of one number against the network; training that learns, again and again the same. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/deepsem_fit.h"
#include "lib/nn/net.h"
#include "tests/tap.h"

enum { N = 23, M = 17 };
static const struct deepsem_config small = { M, 12, 100, 1 };

static void cells(double *x, double *noise)
{
    for (size_t i = 0; i < N * M; i++) {
        x[i] = 3 * rng_normal(1, RNG_TEST, 1, i);
        noise[i] = rng_normal(1, RNG_TEST, 2, i);
    }
}

/* Weights as large as training makes them, biases that are not 0. */
static void weights(struct deepsem *m)
{
    deepsem_randomise(m, 3);
    for (size_t i = 0; i < m->params.n; i++) {
        const struct param *q = &m->params.item[i];
        double *w = q->t.x;
        for (size_t k = 0; k < q->rows * q->cols; k++)
            if (strcmp(q->name, "adj_A") || k % (M + 1))
                w[k] += 0.1 * rng_normal(5, RNG_TEST, i, k);
    }
}

static double worst_of(const double *got, const double *want, size_t n)
{
    double worst = 0, most = 1e-300;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(got[i] - want[i]));
        most = fmax(most, fabs(want[i]));
    }
    return worst / most;
}

static void same_gradients(void)
{
    struct deepsem a, b;
    struct deepsem_work w = { 0 };
    struct deepsem_out slow, fast;
    struct tape t;
    struct err e = { 0 };
    double x[N * M], noise[N * M], worst = 0, other = 0;
    cells(x, noise);
    if (!ok(!deepsem_init(&a, &small, &backend_ref, true, &e) &&
                !deepsem_init(&b, &small, &backend_ref, true, &e),
            "two networks%s", e.text))
        return;
    weights(&a);
    weights(&b);
    tape_init(&t, &backend_ref, true);
    params_zero_gradients(&a.params);
    const bool went = !deepsem_forward(&a, &t, N, x, noise, &slow, &e);
    tape_backward(&t);
    for (int matrix = 0; matrix < 2; matrix++) {
        ok(went && !deepsem_gradient(&b, &w, N, x, noise, matrix, &fast, &e), "%s%s",
           matrix ? "the matrix" : "the networks", e.text);
        ok(near(fast.total, slow.total, 0, 1e-8) && near(fast.rec, slow.rec, 0, 1e-8) &&
               near(fast.gauss, slow.gauss, 0, 1e-8) && near(fast.sparse, slow.sparse, 0, 1e-12),
           "losses of the tape: %.12g, %.12g", fast.total, slow.total);
        for (size_t i = 0; i < a.params.n; i++) {
            const struct param *q = &a.params.item[i];
            if (strstr(q->name, "qyx"))
                continue; /* never gets one */
            const double off = worst_of(b.params.item[i].t.g, q->t.g, q->rows * q->cols);
            if ((strcmp(q->name, "adj_A") == 0) == matrix)
                worst = fmax(worst, off);
            else
                other = fmax(other, off);
        }
    }
    ok(worst < 1e-6, "gradients of the tape: largest error %.1e of a tensor's largest", worst);
    ok(near(other, 1, 0, 1e-12), "the side that stands still has none");
    tape_release(&t);
    deepsem_work_release(&w);
    deepsem_release(&a);
    deepsem_release(&b);
}

static void tables(void)
{
    struct scalar_net net = { 0 };
    struct err e = { 0 };
    double w1[4], b1[4], w2[16], b2[4], h[4], hb = 0.3, x[400], y[400], slope[400], worst = 0,
                                                                              steep = 0;
    for (size_t j = 0; j < 16; j++) {
        w2[j] = rng_normal(1, RNG_TEST, 7, j);
        if (j < 4) {
            w1[j] = 0.25 * (double)(j + 1);
            b1[j] = rng_normal(1, RNG_TEST, 8, j);
            b2[j] = rng_normal(1, RNG_TEST, 9, j);
            h[j] = rng_normal(1, RNG_TEST, 10, j);
        }
    }
    for (size_t i = 0; i < 400; i++)
        x[i] = i < 2 ? (i ? 100.25 : -100) : 2 * rng_normal(1, RNG_TEST, 11, i);
    const struct scalar_weights w = { w1, b1, w2, b2, { h }, { &hb }, 4, 1, 1 };
    ok(!scalar_net_table(&net, &w, x, 400, &e), "a table from -100 to 100%s", e.text);
    scalar_net_read(&net, 0, x, 400, y, slope);
    for (size_t i = 0; i < 400; i++) {
        double out = hb, rise = 0;
        for (size_t k = 0; k < 4; k++) {
            double s = b2[k], ds = 0;
            for (size_t j = 0; j < 4; j++) {
                const double t = tanh(w1[j] * x[i] + b1[j]);
                s += w2[k * 4 + j] * t;
                ds += w2[k * 4 + j] * (1 - t * t) * w1[j];
            }
            out += h[k] * tanh(s);
            rise += h[k] * (1 - tanh(s) * tanh(s)) * ds;
        }
        worst = fmax(worst, fabs(y[i] - out));
        steep = fmax(steep, fabs(slope[i] - rise));
    }
    ok(worst < 1e-8 && steep < 1e-6, "values to %.1e, slopes to %.1e", worst, steep);
    x[7] = NAN;
    ok(scalar_net_table(&net, &w, x, 400, &e) == RC_CHECK && strstr(e.text, "diverged"),
       "a value that is none is refused: %s", e.text);
    x[7] = 1e6;
    ok(scalar_net_table(&net, &w, x, 400, &e) == RC_CHECK, "so is one far out");
    scalar_net_release(&net);
}

struct seen {
    size_t n;
    double first, last;
};

static enum rc look(void *ctx, size_t pass, double loss, const double *matrix, struct err *e)
{
    struct seen *s = ctx;
    (void)e;
    if (!s->n++)
        s->first = loss;
    s->last = loss;
    return pass % 3 && matrix[0] == 0 ? RC_OK : RC_CHECK;
}

static enum rc stop(void *ctx, size_t pass, double loss, const double *matrix, struct err *e)
{
    (void)ctx, (void)loss, (void)matrix;
    return err_set(e, RC_FAIL, "stopped at %zu", pass);
}

static void fits(void)
{
    struct deepsem m[3];
    struct err e = { 0 };
    struct seen seen = { 0 };
    double x[N * M], noise[N * M];
    struct deepsem_options o = deepsem_defaults();
    cells(x, noise);
    ok(o.n_passes == 41 && o.batch == 64, "as published: 41 passes, 64 cells");
    for (size_t i = 0; i < N * M; i++)
        x[i] = i % M ? x[i - 1] : x[i];
    o.batch = 10;
    o.n_passes = 9;
    o.rate_network = 1e-3;
    o.after = look;
    o.ctx = &seen;
    for (int k = 0; k < 3; k++) {
        o.seed = k == 2 ? 9 : 8;
        seen = (struct seen){ 0 };
        ok(!deepsem_init(&m[k], &small, &backend_ref, true, &e) &&
               !deepsem_fit(&m[k], x, N, &o, &e),
           "nine passes%s", e.text);
    }
    const size_t bytes = m[0].params.n_items * sizeof(double);
    ok(seen.n == 6, "told after each of the six that move A");
    ok(seen.last < seen.first, "the loss falls: %g to %g", seen.first, seen.last);
    ok(memcmp(m[0].params.x, m[1].params.x, bytes) == 0, "equal seeds, equal bytes");
    ok(memcmp(m[0].params.x, m[2].params.x, bytes) != 0, "another seed, others");
    o.after = stop;
    ok(deepsem_fit(&m[0], x, N, &o, &e) == RC_FAIL && strstr(e.text, "stopped at 1"),
       "who is told may end it");
    ok(deepsem_fit(&m[0], x, 0, &o, &e) == RC_INPUT, "no cells, no training");
    for (int k = 0; k < 3; k++)
        deepsem_release(&m[k]);
}

int main(void)
{
    tables();
    same_gradients();
    fits();
    return tap_end();
}
