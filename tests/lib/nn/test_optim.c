/* The optimiser, its groups, clipping and schedule, and dropout, against formulas written down here
 * once more. */
#include <stdlib.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "tests/lib/nn/tiny.h"

static void schedule(void)
{
    const struct optim o = { 5e-5, 0.01, 1, 10000, 954081 };
    bool good = true;
    for (uint64_t t = 0; t < 954081; t += 997) {
        const double want =
            t < 10000 ? 5e-5 * (double)t / 10000 : 5e-5 * (954081.0 - (double)t) / (954081 - 10000);
        good = good && near(optim_rate(&o, t), want, 0, 1e-14);
    }
    ok(good, "the paper's rate: up in 10,000 steps, then down to the end");
    ok(optim_rate(&o, 0) == 0 && near(optim_rate(&o, 10000), 5e-5, 0, 1e-15), "from 0 to the peak");
    ok(optim_rate(&o, 954081) == 0 && optim_rate(&o, 2000000) == 0, "and 0 behind the end");
}

/* spec/04 section 3: all but names with "bias" and LayerNorms. */
static bool decays(const char *name)
{
    return !strstr(name, "bias") && !strstr(name, "LayerNorm") && !strstr(name, "cat_ln");
}

/* Ten steps of AdamW as transformers 4.30 has it, in double, from gradients that are too long. */
static void adamw(const struct backend *b, double tolerance)
{
    struct model m;
    if (!make_model(&m, b))
        return;
    struct params *p = &m.params;
    const struct optim o = { 1e-2, 0.1, 1, 3, 20 };
    const size_t n = p->n_items;
    double *x = calloc(n, sizeof *x), *m1 = calloc(n, sizeof *m1), *m2 = calloc(n, sizeof *m2);
    float *g = calloc(n, sizeof *g), *got = calloc(n, sizeof *got);
    reals_to_f64(b, x, p->x, n);
    bool norms = true;
    for (uint64_t t = 0; t < 10; t++) {
        double norm = 0;
        for (size_t k = 0; k < p->n; k++)
            for (size_t i = p->item[k].begin, end = i + p->item[k].rows * p->item[k].cols; i < end;
                 i++) {
                g[i] = (float)(rng_normal(8, RNG_TEST, t, i) * (t % 2 ? 1 : 1e-4));
                norm += (double)g[i] * (double)g[i];
            }
        norm = sqrt(norm);
        reals_from_f32(b, p->g, g, n);
        const double found = optim_norm(p),
                     lr = t < 3 ? 1e-2 * (double)t / 3 : 1e-2 * (20.0 - (double)t) / 17;
        norms = norms && near(found, norm, 0, 1e-6);
        optim_step(&o, p, t, found);
        const double clip = fmin(1, 1 / (norm + 1e-6));
        const double step =
            lr * sqrt(1 - pow(0.999, (double)t + 1)) / (1 - pow(0.9, (double)t + 1));
        for (size_t k = 0; k < p->n; k++)
            for (size_t i = p->item[k].begin, end = i + p->item[k].rows * p->item[k].cols; i < end;
                 i++) {
                const double gi = (double)g[i] * clip;
                m1[i] = 0.9 * m1[i] + 0.1 * gi;
                m2[i] = 0.999 * m2[i] + 0.001 * gi * gi;
                x[i] -= step * m1[i] / (sqrt(m2[i]) + 1e-8);
                if (decays(p->item[k].name))
                    x[i] -= lr * 0.1 * x[i];
            }
    }
    reals_to_f32(b, got, p->x, n);
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, isfinite((double)got[i]) ? fabs((double)got[i] - x[i]) : INFINITY);
    ok(norms, "%s: the norm is that of all gradients together", b->name);
    ok(worst <= tolerance, "%s: ten clipped steps of AdamW as by hand, within %g (%g)", b->name,
       tolerance, worst);
    free(x);
    free(m1);
    free(m2);
    free(g);
    free(got);
    model_release(&m);
}

static void groups(void)
{
    struct model m;
    if (!make_model(&m, &backend_ref))
        return;
    bool good = true;
    size_t n_decay = 0;
    for (size_t i = 0; i < m.params.n; i++) {
        good = good && m.params.item[i].decay == decays(m.params.item[i].name);
        n_decay += m.params.item[i].decay;
    }
    ok(good && n_decay > 5 && n_decay < m.params.n,
       "weights and embeddings decay, biases and LayerNorms do not");
    model_release(&m);
}

/* --- dropout ------------------------------------------------------------------------------- */
static void dropout(const struct backend *b)
{
    enum { N = 600, D = 50 };
    float *x = malloc(N * D * sizeof *x), *y = malloc(N * D * sizeof *y);
    double *rx = malloc(N * D * sizeof *rx), *ry = malloc(N * D * sizeof *ry);
    uint64_t key[N];
    struct op_dropout o = { .n = N, .d = D, .x = rx, .y = ry };
    bool same = true, scaled = true;
    double dropped = 0;
    for (size_t i = 0; i < N * D; i++)
        x[i] = 1;
    reals_from_f32(b, rx, x, N * D);
    o.drop = (struct dropout){ .threshold = 65536 / 10, .seed = 5, .row_key = key };
    for (size_t i = 0; i < N; i++)
        key[i] = i % (N / 2) * 7; /* each row twice, at two places */
    b->dropout_forward(&o);
    reals_to_f32(b, y, ry, N * D);
    for (size_t i = 0; i < N / 2; i++)
        for (size_t k = 0; k < D; k++) {
            const float u = y[i * D + k], v = y[(i + N / 2) * D + k];
            same = same && u == v;
            dropped += u == 0;
            scaled = scaled && (u == 0 || near((double)u, 65536.0 / (65536 - 6553), 0, 1e-6));
        }
    ok(same, "%s: what is dropped belongs to the row's key, not to its place", b->name);
    ok(binomial(dropped, N / 2 * D, 6553.0 / 65536), "%s: a tenth is", b->name);
    ok(scaled, "%s: the rest makes up for it", b->name);
    free(x);
    free(y);
    free(rx);
    free(ry);
}

int main(void)
{
    const char *why;
    schedule();
    groups();
    /* Bounds: a weight of 1 has a rounding of 6e-8 when it becomes a float, in cpu at every step.
     */
    adamw(&backend_ref, 1e-6);
    dropout(&backend_ref);
    if (backend_find("cpu", &why)) {
        adamw(&backend_cpu, 2e-6);
        dropout(&backend_cpu);
    } else {
        skip("the same on cpu: %s", why);
    }
    threads_stop();
    return tap_end();
}
