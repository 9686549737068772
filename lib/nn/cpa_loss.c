/* The losses of lib/nn/cpa.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/nn/cpa.h"
#include "lib/nn/net.h"

static const double least_variance = 1e-6;

/* 1/2 mean (ln v + (x - m)^2 / v); gradients times weight. */
static double reconstruction(const struct cpa *m, struct tape *t, const struct cpa_batch *b,
                             const struct cpa_out *out, double weight)
{
    const size_t n = b->n * m->config.n_genes;
    double *mean = tape_values(t, out->mean), *var = tape_values(t, out->var),
           *d_mean = tape_memory(t, n * sizeof *d_mean), *d_var = tape_memory(t, n * sizeof *d_var),
           loss = 0;
    for (size_t i = 0; !t->failed && i < n; i++) {
        const double v = var[i] > least_variance ? var[i] : least_variance, off = b->x[i] - mean[i];
        loss += (log(v) + off * off / v) / (2 * (double)n);
        d_mean[i] = -weight * off / (v * (double)n);
        d_var[i] =
            var[i] < least_variance ? 0 : weight * (1 / v - off * off / (v * v)) / (2 * (double)n);
    }
    if (!t->failed && weight > 0) {
        tape_seed(t, out->mean, d_mean);
        tape_seed(t, out->var, d_var);
    }
    return loss;
}

/* Mean binary cross-entropy with logits, target dose > 0. */
static double drug_loss(const struct cpa *m, struct tape *t, const struct cpa_batch *b,
                        const struct cpa_out *out, double weight)
{
    const size_t n = b->n * m->config.n_drugs;
    double *z = tape_values(t, out->drug_logits), *dz = tape_memory(t, n * sizeof *dz), loss = 0;
    for (size_t i = 0; !t->failed && i < n; i++) {
        const double hit = b->dose[i] > 0;
        loss += ((z[i] > 0 ? z[i] : 0) + log1p(exp(-fabs(z[i]))) - hit * z[i]) / (double)n;
        dz[i] = weight * (1 / (1 + exp(-z[i])) - hit) / (double)n;
    }
    if (!t->failed)
        tape_seed(t, out->drug_logits, dz);
    return loss;
}

/* Mean cross-entropy of one covariate. */
static double covariate_loss(const struct cpa *m, struct tape *t, const struct cpa_batch *b,
                             const struct cpa_out *out, size_t k, double weight)
{
    const size_t c = m->config.n_classes[k];
    double *z = tape_values(t, out->logits[k]), *dz = tape_memory(t, b->n * c * sizeof *dz),
           loss = 0;
    for (size_t i = 0; !t->failed && i < b->n; i++) {
        const double *zi = z + i * c;
        double top = zi[0], sum = 0;
        for (size_t j = 1; j < c; j++)
            top = zi[j] > top ? zi[j] : top;
        for (size_t j = 0; j < c; j++)
            sum += exp(zi[j] - top);
        const double log_sum = top + log(sum);
        loss += (log_sum - zi[b->class_of[k][i]]) / (double)b->n;
        for (size_t j = 0; j < c; j++)
            dz[i * c + j] =
                weight * (exp(zi[j] - log_sum) - (j == b->class_of[k][i])) / (double)b->n;
    }
    if (!t->failed)
        tape_seed(t, out->logits[k], dz);
    return loss;
}

static void adversary_losses(const struct cpa *m, struct tape *t, const struct cpa_batch *b,
                             const struct cpa_out *out, double weight, struct cpa_losses *l)
{
    l->drugs = drug_loss(m, t, b, out, weight);
    for (size_t k = 0; k < m->config.n_covariates; k++)
        l->covariates += covariate_loss(m, t, b, out, k, weight);
}

enum rc cpa_autoencoder_loss(const struct cpa *m, struct tape *t, const struct cpa_batch *b,
                             const struct cpa_out *out, struct cpa_losses *l, struct err *e)
{
    *l = (struct cpa_losses){ .reconstruction = reconstruction(m, t, b, out, 1) };
    adversary_losses(m, t, b, out, -m->config.adversary, l);
    return tape_check(t, e);
}

/* What one layer leaves for the way back. */
struct layer {
    struct tensor *normed, *rstd, *open; /* x^ [n, w], 1/sd [1, w], step(u) [n, w] */
};

/* A Linear and the BatchNorm of the batch in small operations; returns relu(u). Running statistics
 * are moved by the ordinary pass, not here. */
static struct tensor *layer_forward(const struct cpa *m, struct tape *t, struct tensor *h,
                                    const char *name, size_t i, struct layer *l)
{
    const struct params *p = &m->params;
    char part[96];
    snprintf(part, sizeof part, "%s.network.%zu", name, 3 * i);
    struct tensor *a = net_linear(p, t, h, part, ACT_NONE);
    const double each = 1 / (double)a->rows;
    a = tape_pair(t, PAIR_ADD, a, -1, tape_sum(t, a, true, each));
    struct tensor *var = tape_sum(t, tape_map(t, MAP_SQUARE, a, 0), true, each);
    l->rstd = tape_map(t, MAP_RSQRT, var, 1e-5);
    l->normed = tape_pair(t, PAIR_MUL, a, 1, l->rstd);
    struct tensor *u =
        tape_pair(t, PAIR_MUL, l->normed, 1, net_get(p, "%s.network.%zu.weight", name, 3 * i + 1));
    u = tape_pair(t, PAIR_ADD, u, 1, net_get(p, "%s.network.%zu.bias", name, 3 * i + 1));
    l->open = tape_map(t, MAP_STEP, u, 0);
    return tape_map(t, MAP_RELU, u, 0);
}

/* dh of the layer's output to dh of its input: da = rstd (d - mean(d) - x^ mean(d x^)). */
static struct tensor *layer_backward(const struct cpa *m, struct tape *t, struct tensor *dh,
                                     const char *name, size_t i, const struct layer *l)
{
    const struct params *p = &m->params;
    const double each = 1 / (double)dh->rows;
    struct tensor *d = tape_pair(t, PAIR_MUL, dh, 1, l->open);
    d = tape_pair(t, PAIR_MUL, d, 1, net_get(p, "%s.network.%zu.weight", name, 3 * i + 1));
    struct tensor *both = tape_sum(t, tape_pair(t, PAIR_MUL, d, 1, l->normed), true, each);
    struct tensor *da = tape_pair(t, PAIR_ADD, d, -1, tape_sum(t, d, true, each));
    da = tape_pair(t, PAIR_ADD, da, -1, tape_pair(t, PAIR_MUL, l->normed, 1, both));
    da = tape_pair(t, PAIR_MUL, da, 1, l->rstd);
    return tape_product(t, da, false, net_get(p, "%s.network.%zu.weight", name, 3 * i), false);
}

enum { MOST_DEPTH = 16 };

struct tensor *cpa_penalty(const struct cpa *m, struct tape *t, struct tensor *basal,
                           const char *adversary, struct tensor **slope)
{
    const size_t depth =
        m->config.adversary_depth < MOST_DEPTH ? m->config.adversary_depth : MOST_DEPTH;
    struct layer layer[MOST_DEPTH];
    struct tensor *h = basal,
                  *last = net_get(&m->params, "%s.network.%zu.weight", adversary, 3 * depth);
    for (size_t i = 0; i < depth; i++)
        h = layer_forward(m, t, h, adversary, i, &layer[i]);
    double *one = tape_memory(t, basal->rows * last->rows * sizeof *one);
    for (size_t i = 0; one && i < basal->rows * last->rows; i++)
        one[i] = 1;
    if (t->failed)
        return *slope = &t->nothing;
    h = tape_product(t, tape_input_f64(t, one, basal->rows, last->rows), false, last, false);
    for (size_t i = depth; i-- > 0;)
        h = layer_backward(m, t, h, adversary, i, &layer[i]);
    *slope = h;
    const double each = 1 / (double)(basal->rows * basal->cols);
    return tape_sum(t, tape_sum(t, tape_map(t, MAP_SQUARE, h, 0), true, each), false, 1);
}

static double add_penalty(const struct cpa *m, struct tape *t, struct tensor *basal,
                          const char *name, struct tensor **slope)
{
    struct tensor *p = cpa_penalty(m, t, basal, name, slope);
    const double *v = tape_values(t, p);
    if (t->failed)
        return NAN;
    tape_seed(t, p, &m->config.penalty);
    return *v;
}

enum rc cpa_adversary_loss(const struct cpa *m, struct tape *t, const struct cpa_batch *b,
                           struct cpa_out *out, struct cpa_losses *l, struct err *e)
{
    *l = (struct cpa_losses){ .reconstruction = out->mean ? reconstruction(m, t, b, out, 0) : 0 };
    adversary_losses(m, t, b, out, 1, l);
    l->drug_penalty = add_penalty(m, t, out->basal, "adversary_drugs", &out->drug_slope);
    for (size_t k = 0; k < m->config.n_covariates; k++) {
        char name[48];
        snprintf(name, sizeof name, "adversary_covariates.%zu", k);
        l->covariate_penalty += add_penalty(m, t, out->basal, name, &out->slope[k]);
    }
    return tape_check(t, e);
}
