#include "lib/nn/deepsem.h"

#include <math.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/net.h"

static enum rc declare(struct deepsem *m, struct err *e)
{
    const size_t g = m->config.n_genes, d = m->config.d;
    struct params *p = &m->params;
    const struct {
        const char *name;
        size_t out, in;
    } part[] = { { "inference.inference_qyx.0", d, g },
                 { "inference.inference_qyx.2", d, d },
                 { "inference.inference_qyx.4.logits", 1, d },
                 { "inference.inference_qzyx.0", d, 2 },
                 { "inference.inference_qzyx.2", d, d },
                 { "inference.inference_qzyx.4.mu", 1, d },
                 { "inference.inference_qzyx.4.var", 1, d },
                 { "generative.y_mu.0", d, 1 },
                 { "generative.y_mu.2", g, d },
                 { "generative.y_var.0", d, 1 },
                 { "generative.y_var.2", g, d },
                 { "generative.generative_pxz.0", d, 1 },
                 { "generative.generative_pxz.2", d, d },
                 { "generative.generative_pxz.4", 1, d } };
    enum rc rc = params_add(p, "adj_A", g, g, 2, false, e);
    for (size_t i = 0; !rc && i < sizeof part / sizeof *part; i++)
        rc = net_add_linear(p, part[i].name, part[i].out, part[i].in, true, e);
    return rc;
}

enum rc deepsem_init(struct deepsem *m, const struct deepsem_config *c, const struct backend *b,
                     bool training, struct err *e)
{
    *m = (struct deepsem){ .config = *c };
    if (c->n_genes < 2 || !c->d)
        return err_set(e, RC_INPUT, "a network of %zu genes and width %zu cannot be", c->n_genes,
                       c->d);
    params_init(&m->params, b);
    enum rc rc = tape_small_check(b, e);
    if (!rc)
        rc = declare(m, e);
    if (!rc)
        rc = params_alloc(&m->params, training, e);
    if (rc)
        deepsem_release(m);
    return rc;
}

void deepsem_release(struct deepsem *m)
{
    params_release(&m->params);
    *m = (struct deepsem){ 0 };
}

void deepsem_randomise(struct deepsem *m, uint64_t seed)
{
    struct params *p = &m->params;
    for (size_t i = 0; i < p->n; i++)
        if (p->item[i].n_dims > 1)
            net_normal(p, &p->item[i], sqrt(2.0 / (double)(p->item[i].rows + p->item[i].cols)),
                       seed);
    const struct param *a = params_find(p, "adj_A");
    const uint64_t id = hash_text(a->name);
    const size_t g = a->rows;
    for (size_t k = 0; k < g * g; k++) {
        const float x =
            k % (g + 1) ? (float)(1 / (double)(g - 1) + 2e-4 * rng_unit(seed, RNG_INIT, id, k)) : 0;
        reals_from_f32(p->b, (char *)a->t.x + k * p->b->real_bytes, &x, 1);
    }
}

/* A' and (I - A')^-1, which is B^-1 transposed. */
struct structure {
    struct tensor *a, *inverse;
    bool *singular;
};

static struct structure structure_of(const struct deepsem *m, struct tape *t)
{
    const size_t g = m->config.n_genes;
    double *mask = tape_memory(t, g * g * sizeof *mask), *one = tape_memory(t, g * g * sizeof *one);
    struct structure s = { .singular = tape_memory(t, sizeof *s.singular) };
    if (t->failed)
        return s;
    *s.singular = false;
    for (size_t k = 0; k < g * g; k++) {
        mask[k] = k % (g + 1) ? 1 : 0;
        one[k] = 1 - mask[k];
    }
    s.a = tape_pair(t, PAIR_MUL, net_get(&m->params, "adj_A"), 1, tape_input_f64(t, mask, g, g));
    s.inverse = tape_invert(t, tape_add(t, tape_input_f64(t, one, g, g), -1, s.a), s.singular);
    return s;
}

/* x B = x - x A'^T */
static struct tensor *times_b(struct tape *t, struct tensor *x, const struct structure *s)
{
    return tape_add(t, x, -1, tape_product(t, x, false, s->a, true));
}

static struct tensor *linear(const struct deepsem *m, struct tape *t, struct tensor *x,
                             const char *name, enum act act)
{
    return net_linear(&m->params, t, x, name, act);
}

/* Two heads on [x_g, 1] of every gene, times B: [n, m]. */
static void infer(const struct deepsem *m, struct tape *t, size_t n, const double *x,
                  const struct structure *s, struct tensor **mu, struct tensor **logvar)
{
    const size_t g = m->config.n_genes;
    double *in = tape_memory(t, 2 * n * g * sizeof *in);
    for (size_t i = 0; in && i < n * g; i++) {
        in[2 * i] = x[i];
        in[2 * i + 1] = 1;
    }
    if (t->failed) {
        *mu = *logvar = &t->nothing;
        return;
    }
    struct tensor *h =
        linear(m, t, tape_input_f64(t, in, n * g, 2), "inference.inference_qzyx.0", ACT_TANH);
    h = linear(m, t, h, "inference.inference_qzyx.2", ACT_TANH);
    *mu = linear(m, t, h, "inference.inference_qzyx.4.mu", ACT_NONE);
    *logvar = linear(m, t, h, "inference.inference_qzyx.4.var", ACT_NONE);
    if (t->failed)
        return;
    *mu = times_b(t, tape_shape(t, *mu, n, g), s);
    *logvar = times_b(t, tape_shape(t, *logvar, n, g), s);
}

/* [1, m] */
static struct tensor *prior(const struct deepsem *m, struct tape *t, const char *first,
                            const char *last, const struct structure *s)
{
    const double one = 1;
    struct tensor *h = linear(m, t, tape_input_f64(t, &one, 1, 1), first, ACT_TANH);
    return times_b(t, linear(m, t, h, last, ACT_NONE), s);
}

/* mean over cells and genes of ln(var + 1e-8) + (z - mu)^2 / (var + 1e-8): [1, 1] */
static struct tensor *spread_of(struct tape *t, struct tensor *z, struct tensor *mu,
                                struct tensor *var)
{
    struct tensor *off = tape_map(t, MAP_SQUARE, tape_pair(t, PAIR_ADD, z, -1, mu), 0);
    off = tape_pair(t, PAIR_MUL, off, 1, tape_map(t, MAP_INVERSE, var, 1e-8));
    off = tape_pair(t, PAIR_ADD, off, 1, tape_map(t, MAP_LOG, var, 1e-8));
    if (t->failed)
        return off;
    const double each = 1 / (double)(off->rows * off->cols);
    return tape_sum(t, tape_sum(t, off, true, each), false, 1);
}

static double scalar(struct tape *t, struct tensor *x)
{
    const double *v = tape_values(t, x);
    return v ? *v : NAN;
}

static void losses(const struct deepsem *m, struct tape *t, size_t n, const double *x,
                   struct tensor *var, struct tensor *y_mu, struct tensor *y_var,
                   struct deepsem_out *out)
{
    const struct deepsem_config *c = &m->config;
    const size_t g = c->n_genes;
    struct tensor *off = tape_pair(t, PAIR_ADD, tape_input_f64(t, x, n, g), -1, out->x_rec);
    struct tensor *rec = tape_sum(
        t, tape_sum(t, tape_map(t, MAP_SQUARE, off, 0), true, 1 / (double)(n * g)), false, 1);
    /* The constants ln 2 pi of both densities cancel. */
    struct tensor *gauss = tape_pair(t, PAIR_ADD, spread_of(t, out->z, y_mu, y_var), -1,
                                     spread_of(t, out->z, out->mu, var));
    struct tensor *size = tape_map(t, MAP_ABS, net_get(&m->params, "adj_A"), 0);
    struct tensor *sparse =
        tape_sum(t, tape_sum(t, size, true, c->alpha / (double)(g * g)), false, 1);
    struct tensor *total =
        tape_pair(t, PAIR_ADD, tape_pair(t, PAIR_ADD, rec, c->beta / 2, gauss), 1, sparse);
    if (t->failed)
        return;
    out->rec = scalar(t, rec);
    out->gauss = c->beta / 2 * scalar(t, gauss);
    out->cat = -c->beta * log(0.1);
    out->sparse = scalar(t, sparse);
    out->total = out->rec + out->gauss + out->cat + out->sparse;
    if (t->training)
        tape_seed(t, total, &(double){ 1 });
}

enum rc deepsem_forward(const struct deepsem *m, struct tape *t, size_t n, const double *x,
                        const double *noise, struct deepsem_out *out, struct err *e)
{
    const size_t g = m->config.n_genes;
    struct tensor *logvar;
    *out = (struct deepsem_out){ 0 };
    const struct structure s = structure_of(m, t);
    if (tape_check(t, e))
        return RC_FAIL;
    if (*s.singular)
        return err_set(e, RC_CHECK, "I - A has no inverse any more");
    infer(m, t, n, x, &s, &out->mu, &logvar);
    struct tensor *var = tape_map(t, MAP_EXP, logvar, 0),
                  *sd = tape_map(t, MAP_INVERSE, tape_map(t, MAP_RSQRT, var, 1e-10), 0);
    out->z = tape_add(t, out->mu, 1, tape_pair(t, PAIR_MUL, sd, 1, tape_input_f64(t, noise, n, g)));
    struct tensor *h = tape_product(t, out->z, false, s.inverse, true);
    if (tape_check(t, e))
        return RC_FAIL;
    h = linear(m, t, tape_shape(t, h, n * g, 1), "generative.generative_pxz.0", ACT_TANH);
    h = linear(m, t, h, "generative.generative_pxz.2", ACT_TANH);
    h = linear(m, t, h, "generative.generative_pxz.4", ACT_NONE);
    if (tape_check(t, e))
        return RC_FAIL;
    out->x_rec = tape_shape(t, h, n, g);
    struct tensor *y_mu = prior(m, t, "generative.y_mu.0", "generative.y_mu.2", &s),
                  *y_var = prior(m, t, "generative.y_var.0", "generative.y_var.2", &s);
    losses(m, t, n, x, var, y_mu, tape_map(t, MAP_EXP, y_var, 0), out);
    return tape_check(t, e);
}

static bool is_matrix(const struct param *q, const void *wanted)
{
    return (strcmp(q->name, "adj_A") == 0) == *(const bool *)wanted;
}

static void step(struct deepsem *m, double rate, bool matrix)
{
    net_descend(&m->params,
                (struct op_descend){
                    .kind = DESCENT_RMSPROP, .rate = rate, .beta2 = 0.99, .eps = 1e-8, .step = 1 },
                is_matrix, &matrix);
}

void deepsem_step_network(struct deepsem *m, double rate)
{
    step(m, rate, false);
}

void deepsem_step_matrix(struct deepsem *m, double rate)
{
    step(m, rate, true);
}
