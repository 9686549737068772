/* With B = I - A'^T and rows of one stack S = [u; v; p; q] (the networks' outputs of n, n, 1 and 1
 * rows), T = S B = [mu; logvar; y_mu; y_logvar]; z = mu + sd noise; h = z B^-1; x^ = f(h). Backwards,
 * with gt the gradient of T and k = gh B^-T that of z through the decoder:
 *     gS = gt B^T = gt - gt A';    dA' = k^T h - gt^T S.
 *
 *   deepsem_fit -> one_pass -> deepsem_gradient -> factor, encode, decode, densities, backwards */
#include "lib/nn/deepsem_fit.h"

#include <assert.h>
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/net.h"

struct deepsem_options deepsem_defaults(void)
{
    return (struct deepsem_options){
        .n_passes = 41, .batch = 64, .rate_network = 1e-4, .rate_matrix = 0.2e-4, .seed = 4
    };
}

void deepsem_work_release(struct deepsem_work *w)
{
    double *const owned[] = { w->a, w->lu, w->s, w->gs, w->t, w->z, w->rec, w->slope };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    free(w->pivot);
    scalar_net_release(&w->infer);
    scalar_net_release(&w->generate);
    *w = (struct deepsem_work){ 0 };
}

static enum rc make_room(struct deepsem_work *w, size_t n, size_t m, struct err *e)
{
    if (n <= w->n && m == w->m)
        return RC_OK;
    deepsem_work_release(w);
    w->a = malloc(m * m * sizeof *w->a);
    w->lu = malloc(m * m * sizeof *w->lu);
    w->pivot = malloc(m * sizeof *w->pivot);
    w->s = malloc((3 * n + 2) * m * sizeof *w->s);
    w->gs = malloc((3 * n + 2) * m * sizeof *w->gs);
    w->t = malloc((2 * n + 2) * m * sizeof *w->t);
    w->z = malloc(n * m * sizeof *w->z);
    w->rec = malloc(n * m * sizeof *w->rec);
    w->slope = malloc(n * m * sizeof *w->slope);
    if (!w->a || !w->lu || !w->pivot || !w->s || !w->gs || !w->t || !w->z || !w->rec || !w->slope) {
        deepsem_work_release(w);
        return err_set(e, RC_FAIL, "no memory for a batch of %zu cells and %zu genes", n, m);
    }
    w->n = n;
    w->m = m;
    return RC_OK;
}

static double *param_at(const struct deepsem *m, const char *name, bool gradient)
{
    const struct tensor *t = net_get(&m->params, "%s", name);
    return gradient ? t->g : t->x;
}

static void weights_of(const struct deepsem *m, bool infer, bool g, struct scalar_weights *w)
{
    *w = (struct scalar_weights){ .d = m->config.d };
    if (infer) {
        w->n_in = 2;
        w->n_heads = 2;
        w->first = param_at(m, "inference.inference_qzyx.0.weight", g);
        w->first_bias = param_at(m, "inference.inference_qzyx.0.bias", g);
        w->second = param_at(m, "inference.inference_qzyx.2.weight", g);
        w->second_bias = param_at(m, "inference.inference_qzyx.2.bias", g);
        w->head[0] = param_at(m, "inference.inference_qzyx.4.mu.weight", g);
        w->head_bias[0] = param_at(m, "inference.inference_qzyx.4.mu.bias", g);
        w->head[1] = param_at(m, "inference.inference_qzyx.4.var.weight", g);
        w->head_bias[1] = param_at(m, "inference.inference_qzyx.4.var.bias", g);
        return;
    }
    w->n_in = 1;
    w->n_heads = 1;
    w->first = param_at(m, "generative.generative_pxz.0.weight", g);
    w->first_bias = param_at(m, "generative.generative_pxz.0.bias", g);
    w->second = param_at(m, "generative.generative_pxz.2.weight", g);
    w->second_bias = param_at(m, "generative.generative_pxz.2.bias", g);
    w->head[0] = param_at(m, "generative.generative_pxz.4.weight", g);
    w->head_bias[0] = param_at(m, "generative.generative_pxz.4.bias", g);
}

/* A row-major I - A' is B to LAPACK, which counts by columns. */
static enum rc factor(const struct deepsem *m, struct deepsem_work *w, struct err *e)
{
    const size_t g = w->m;
    if (w->factored)
        return RC_OK;
    memcpy(w->a, param_at(m, "adj_A", false), g * g * sizeof *w->a);
    for (size_t k = 0; k < g * g; k += g + 1)
        w->a[k] = 0;
    for (size_t k = 0; k < g * g; k++)
        w->lu[k] = (k % (g + 1) ? 0 : 1) - w->a[k];
    const int bad = LAPACKE_dgetrf(LAPACK_COL_MAJOR, (int)g, (int)g, w->lu, (int)g, w->pivot);
    if (bad)
        return err_set(e, RC_CHECK, "I - A has no inverse any more");
    w->factored = true;
    return RC_OK;
}

/* y [n, m] := y B^-1, or y B^-T. */
static void divide(const struct deepsem_work *w, double *y, size_t n, bool transposed)
{
    LAPACKE_dgetrs(LAPACK_COL_MAJOR, transposed ? 'N' : 'T', (int)w->m, (int)n, w->lu, (int)w->m,
                   w->pivot, y, (int)w->m);
}

/* The prior's network at 1, [1, m]; back: adds its gradients from g [m]. */
static enum rc prior(const struct deepsem *m, const char *which, double *y, const double *g,
                     struct err *e)
{
    const size_t d = m->config.d, n_genes = m->config.n_genes;
    double *h = malloc(2 * d * sizeof *h), *w[4], *gw[4];
    if (!h)
        return err_set(e, RC_FAIL, "no memory for a prior");
    static const char *const part[] = { "0.weight", "0.bias", "2.weight", "2.bias" };
    for (int i = 0; i < 4; i++) {
        const struct tensor *t = net_get(&m->params, "generative.%s.%s", which, part[i]);
        w[i] = t->x;
        gw[i] = t->g;
    }
    for (size_t j = 0; j < d; j++)
        h[j] = tanh(w[0][j] + w[1][j]);
    if (!g) {
        memcpy(y, w[3], n_genes * sizeof *y);
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)n_genes, (int)d, 1, w[2], (int)d, h, 1, 1, y,
                    1);
    } else {
        double *gh = h + d;
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)n_genes, (int)d, 1, w[2], (int)d, g, 1, 0, gh,
                    1);
        cblas_dger(CblasRowMajor, (int)n_genes, (int)d, 1, g, 1, h, 1, gw[2], (int)d);
        cblas_daxpy((int)n_genes, 1, g, 1, gw[3], 1);
        for (size_t j = 0; j < d; j++) {
            gh[j] *= 1 - h[j] * h[j];
            gw[0][j] += gh[j];
            gw[1][j] += gh[j];
        }
    }
    free(h);
    return RC_OK;
}

/* S and T, then z. */
static enum rc encode(const struct deepsem *m, struct deepsem_work *w, size_t n, const double *x,
                      const double *noise, struct err *e)
{
    const size_t g = w->m, k = n * g, rows = 2 * n + 2;
    struct scalar_weights infer;
    double *s = w->s + k; /* behind the n rows of h */
    weights_of(m, true, false, &infer);
    enum rc rc = scalar_net_table(&w->infer, &infer, x, k, e);
    if (rc)
        return rc;
    scalar_net_read(&w->infer, 0, x, k, s, NULL);
    scalar_net_read(&w->infer, 1, x, k, s + k, NULL);
    rc = prior(m, "y_mu", s + 2 * k, NULL, e);
    if (!rc)
        rc = prior(m, "y_var", s + 2 * k + g, NULL, e);
    memcpy(w->t, s, rows * g * sizeof *w->t);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)g, (int)g, -1, s, (int)g,
                w->a, (int)g, 1, w->t, (int)g);
    for (size_t i = 0; i < k; i++)
        w->z[i] = w->t[i] + sqrt(exp(w->t[k + i]) + 1e-10) * noise[i];
    return rc;
}

static enum rc decode(const struct deepsem *m, struct deepsem_work *w, size_t n, struct err *e)
{
    struct scalar_weights generate;
    weights_of(m, false, false, &generate);
    memcpy(w->s, w->z, n * w->m * sizeof *w->s);
    divide(w, w->s, n, false);
    const enum rc rc = scalar_net_table(&w->generate, &generate, w->s, n * w->m, e);
    if (!rc)
        scalar_net_read(&w->generate, 0, w->s, n * w->m, w->rec, w->slope);
    return rc;
}

/* Losses; gradients of T in gs behind its first n rows, and of h in these, into which the densities
 * add what they say of z only later (backwards). */
static void densities(const struct deepsem *m, struct deepsem_work *w, size_t n, const double *x,
                      const double *noise, struct deepsem_out *out)
{
    const size_t g = w->m, k = n * g;
    const double each = 1 / (double)k, c = m->config.beta / 2 * each;
    const double *y_mu = w->t + 2 * k, *y_lv = y_mu + g;
    double *gh = w->gs, *g_mu = gh + k, *g_lv = g_mu + k, *g_ymu = g_lv + k, *g_ylv = g_ymu + g;
    double rec = 0, gauss = 0;
    memset(g_ymu, 0, 2 * g * sizeof *g_ymu);
    for (size_t i = 0; i < k; i++) {
        const size_t j = i % g;
        const double var = exp(w->t[k + i]), y_var = exp(y_lv[j]), v = var + 1e-8,
                     y_v = y_var + 1e-8, off = w->z[i] - w->t[i], y_off = w->z[i] - y_mu[j],
                     sd = sqrt(var + 1e-10), miss = w->rec[i] - x[i];
        rec += miss * miss;
        gauss += log(y_v) + y_off * y_off / y_v - log(v) - off * off / v;
        gh[i] = 2 * each * miss; /* of x^ */
        const double g_z = 2 * c * (y_off / y_v - off / v);
        g_mu[i] = g_z + 2 * c * off / v;
        g_lv[i] = var * (-c * (1 / v - off * off / (v * v)) + g_z * noise[i] / (2 * sd));
        g_ymu[j] -= 2 * c * y_off / y_v;
        g_ylv[j] += y_var * c * (1 / y_v - y_off * y_off / (y_v * y_v));
    }
    const double *matrix = param_at(m, "adj_A", false);
    double size = 0;
    for (size_t i = 0; i < g * g; i++)
        size += fabs(matrix[i]);
    out->rec = rec * each;
    out->gauss = c * gauss;
    out->cat = -m->config.beta * log(0.1);
    out->sparse = m->config.alpha * size / (double)(g * g);
    out->total = out->rec + out->gauss + out->cat + out->sparse;
}

static void matrix_gradient(struct deepsem *m, struct deepsem_work *w, size_t n)
{
    const size_t g = w->m, k = n * g, rows = 3 * n + 2;
    const double *a = param_at(m, "adj_A", false);
    double *ga = param_at(m, "adj_A", true);
    const double price = m->config.alpha / (double)(g * g);
    for (size_t i = k; i < rows * g; i++)
        w->gs[i] = -w->gs[i];
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)g, (int)g, (int)rows, 1, w->gs,
                (int)g, w->s, (int)g, 0, ga, (int)g);
    for (size_t i = 0; i < g * g; i++)
        ga[i] = (i % (g + 1) ? ga[i] : 0) + price * ((a[i] > 0) - (a[i] < 0));
}

static enum rc network_gradient(struct deepsem *m, struct deepsem_work *w, size_t n,
                                const double *x, struct err *e)
{
    const size_t g = w->m, k = n * g, rows = 2 * n + 2;
    double *gt = w->gs + k, *gs = w->t; /* T is not read any more */
    struct scalar_weights now, to;
    weights_of(m, true, false, &now);
    weights_of(m, true, true, &to);
    memcpy(gs, gt, rows * g * sizeof *gs);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)g, (int)g, -1, gt,
                (int)g, w->a, (int)g, 1, gs, (int)g);
    scalar_net_gather(&w->infer, 0, x, k, gs);
    scalar_net_gather(&w->infer, 1, x, k, gs + k);
    scalar_net_backward(&w->infer, &now, &to);
    enum rc rc = prior(m, "y_mu", NULL, gs + 2 * k, e);
    return rc ? rc : prior(m, "y_var", NULL, gs + 2 * k + g, e);
}

static enum rc backwards(struct deepsem *m, struct deepsem_work *w, size_t n, const double *x,
                         const double *noise, bool matrix, struct err *e)
{
    const size_t g = w->m, k = n * g;
    double *gh = w->gs, *g_mu = gh + k, *g_lv = g_mu + k;
    if (!matrix) {
        struct scalar_weights now, to;
        weights_of(m, false, false, &now);
        weights_of(m, false, true, &to);
        scalar_net_gather(&w->generate, 0, w->s, k, gh);
        scalar_net_backward(&w->generate, &now, &to);
    }
    for (size_t i = 0; i < k; i++)
        gh[i] *= w->slope[i];
    divide(w, gh, n, true);
    for (size_t i = 0; i < k; i++) {
        const double var = exp(w->t[k + i]);
        g_mu[i] += gh[i];
        g_lv[i] += gh[i] * noise[i] * var / (2 * sqrt(var + 1e-10));
    }
    if (!matrix)
        return network_gradient(m, w, n, x, e);
    matrix_gradient(m, w, n);
    return RC_OK;
}

enum rc deepsem_gradient(struct deepsem *m, struct deepsem_work *w, size_t n, const double *x,
                         const double *noise, bool matrix, struct deepsem_out *out, struct err *e)
{
    assert(m->params.b == &backend_ref && m->params.g);
    *out = (struct deepsem_out){ 0 };
    params_zero_gradients(&m->params);
    enum rc rc = make_room(w, n, m->config.n_genes, e);
    if (!rc)
        rc = factor(m, w, e);
    if (!rc)
        rc = encode(m, w, n, x, noise, e);
    if (!rc)
        rc = decode(m, w, n, e);
    if (rc)
        return rc;
    densities(m, w, n, x, noise, out);
    return backwards(m, w, n, x, noise, matrix, e);
}

struct fitting {
    struct deepsem *m;
    const struct deepsem_options *o;
    const double *x;
    size_t n;
    uint32_t *order;
    double *batch, *noise; /* [batch, m] */
    struct deepsem_work w;
};

static enum rc one_pass(struct fitting *f, size_t pass, double *loss, struct err *e)
{
    const size_t g = f->m->config.n_genes;
    const uint64_t id = hash_text("noise of the latent space") + pass;
    const bool matrix = pass % 3 != 0;
    enum rc rc = RC_OK;
    *loss = 0;
    for (size_t i = 0; i < f->n; i++)
        f->order[i] = (uint32_t)i;
    rng_shuffle(f->o->seed, RNG_SHUFFLE, pass, f->order, f->n);
    for (size_t at = 0; !rc && at < f->n; at += f->o->batch) {
        const size_t n = f->n - at < f->o->batch ? f->n - at : f->o->batch;
        struct deepsem_out out;
        for (size_t i = 0; i < n; i++) {
            const size_t cell = f->order[at + i];
            memcpy(f->batch + i * g, f->x + cell * g, g * sizeof *f->batch);
            for (size_t j = 0; j < g; j++)
                f->noise[i * g + j] = rng_normal(f->o->seed, RNG_DROPOUT, id, cell * g + j);
        }
        rc = deepsem_gradient(f->m, &f->w, n, f->batch, f->noise, matrix, &out, e);
        if (!rc && matrix)
            deepsem_step_matrix(f->m, f->o->rate_matrix);
        else if (!rc)
            deepsem_step_network(f->m, f->o->rate_network);
        f->w.factored = f->w.factored && !matrix;
        *loss += out.total * (double)n / (double)f->n;
    }
    return rc;
}

enum rc deepsem_fit(struct deepsem *m, const double *x, size_t n, const struct deepsem_options *o,
                    struct err *e)
{
    const size_t g = m->config.n_genes;
    struct fitting f = { .m = m, .o = o, .x = x, .n = n };
    if (!n || !o->batch)
        return err_set(e, RC_INPUT, "%zu cells in batches of %zu cannot be trained on", n,
                       o->batch);
    f.order = malloc(n * sizeof *f.order);
    f.batch = malloc(o->batch * g * sizeof *f.batch);
    f.noise = malloc(o->batch * g * sizeof *f.noise);
    enum rc rc = f.order && f.batch && f.noise
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for batches of %zu cells", o->batch);
    if (!rc)
        deepsem_randomise(m, o->seed);
    for (size_t pass = 0; !rc && pass < o->n_passes; pass++) {
        double loss;
        rc = one_pass(&f, pass, &loss, e);
        if (!rc && pass % 3 && o->after)
            rc = o->after(o->ctx, pass, loss, param_at(m, "adj_A", false), e);
    }
    free(f.order);
    free(f.batch);
    free(f.noise);
    deepsem_work_release(&f.w);
    return rc;
}
