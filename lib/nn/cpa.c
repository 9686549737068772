#include "lib/nn/cpa.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/nn/net.h"

static const char drugs_name[] = "adversary_drugs";

static void covariate_name(char name[48], size_t k)
{
    snprintf(name, 48, "adversary_covariates.%zu", k);
}

/* in -> width (depth times) -> out. step: places of a layer in the release's list. */
static enum rc add_mlp(struct params *p, const char *name, size_t in, size_t width, size_t depth,
                       size_t out, bool norm, struct err *e)
{
    char part[96];
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i <= depth; i++) {
        const size_t wide = i == depth ? out : width;
        snprintf(part, sizeof part, "%s.network.%zu", name, (norm ? 3 : 2) * i);
        rc = net_add_linear(p, part, wide, i ? width : in, true, e);
        snprintf(part, sizeof part, "%s.network.%zu", name, 3 * i + 1);
        if (!rc && norm && i < depth)
            rc = net_add_batch_norm(p, part, wide, true, e);
    }
    return rc;
}

static enum rc add_dosers(struct params *p, const struct cpa_config *c, struct err *e)
{
    char name[48];
    enum rc rc = RC_OK;
    if (c->doser != CPA_DOSER_MLP) {
        rc = params_add(p, "dosers.beta", 1, c->n_drugs, 1, false, e);
        return rc ? rc : params_add(p, "dosers.bias", 1, c->n_drugs, 1, false, e);
    }
    for (size_t d = 0; !rc && d < c->n_drugs; d++) {
        snprintf(name, sizeof name, "dosers.%zu", d);
        rc = add_mlp(p, name, 1, c->doser_width, c->doser_depth, 1, false, e);
    }
    return rc;
}

static enum rc declare(struct cpa *m, struct err *e)
{
    const struct cpa_config *c = &m->config;
    struct params *p = &m->params;
    char name[48];
    enum rc rc = add_mlp(p, "encoder", c->n_genes, c->width, c->depth, c->d, true, e);
    if (!rc)
        rc = add_mlp(p, "decoder", c->d, c->width, c->depth, 2 * c->n_genes, true, e);
    if (!rc)
        rc = add_mlp(p, drugs_name, c->d, c->adversary_width, c->adversary_depth, c->n_drugs, true,
                     e);
    for (size_t k = 0; !rc && k < c->n_covariates; k++) {
        covariate_name(name, k);
        rc = add_mlp(p, name, c->d, c->adversary_width, c->adversary_depth, c->n_classes[k], true,
                     e);
        snprintf(name, sizeof name, "covariates_embeddings.%zu", k);
        rc = rc ? rc : net_add_linear(p, name, c->n_classes[k], c->d, false, e);
    }
    if (!rc)
        rc = net_add_linear(p, "drug_embeddings", c->n_drugs, c->d, false, e);
    if (!rc)
        rc = add_dosers(p, c, e);
    if (!rc && c->d_embedding)
        rc = net_add_linear(p, "gene_proj", c->d_embedding, c->d, false, e);
    return rc;
}

enum rc cpa_init(struct cpa *m, const struct cpa_config *c, const struct backend *b, bool training,
                 struct err *e)
{
    *m = (struct cpa){ .config = *c };
    bool good = c->n_genes && c->n_drugs && c->n_drugs <= CPA_MAX_DRUGS && c->d && c->width &&
                c->depth && c->adversary_width && c->adversary_depth && c->adversary_depth <= 16 &&
                c->n_covariates <= CPA_MAX_COVARIATES &&
                (c->doser != CPA_DOSER_MLP || (c->doser_width && c->doser_depth));
    for (size_t k = 0; good && k < c->n_covariates; k++)
        good = c->n_classes[k] > 0;
    if (!good)
        return err_set(e, RC_INPUT,
                       "a network of %zu genes, %zu drugs, %zu covariates and width %zu cannot be",
                       c->n_genes, c->n_drugs, c->n_covariates, c->d);
    params_init(&m->params, b);
    enum rc rc = tape_small_check(b, e);
    if (!rc)
        rc = declare(m, e);
    if (!rc)
        rc = params_alloc(&m->params, training, e);
    if (rc)
        cpa_release(m);
    return rc;
}

void cpa_release(struct cpa *m)
{
    params_release(&m->params);
    *m = (struct cpa){ 0 };
}

void cpa_randomise(struct cpa *m, uint64_t seed)
{
    net_initialise(&m->params, seed);
    for (size_t i = 0; i < m->params.n; i++) {
        struct param *q = &m->params.item[i];
        if (strstr(q->name, "_embeddings.") || strcmp(q->name, "dosers.beta") == 0)
            net_normal(&m->params, q, 1, seed);
    }
}

enum rc cpa_batch_check(const struct cpa *m, const struct cpa_batch *b, struct err *e)
{
    for (size_t k = 0; k < m->config.n_covariates; k++)
        for (size_t i = 0; i < b->n; i++)
            if (b->class_of[k][i] >= m->config.n_classes[k])
                return err_set(e, RC_INPUT, "cell %zu has class %u of %zu in covariate %zu", i,
                               b->class_of[k][i], m->config.n_classes[k], k);
    for (size_t i = 0; i < b->n * m->config.n_drugs; i++)
        if (!(b->dose[i] >= 0 && isfinite(b->dose[i])))
            return err_set(e, RC_INPUT, "cell %zu has the dose %g of drug %zu",
                           i / m->config.n_drugs, b->dose[i], i % m->config.n_drugs);
    return b->n ? RC_OK : err_set(e, RC_INPUT, "a batch without cells");
}

/* All layers but the last: [n, width]. */
static struct tensor *hidden(const struct cpa *m, struct tape *t, struct tensor *x,
                             const char *name, size_t depth, bool train)
{
    char part[96];
    for (size_t i = 0; i < depth; i++) {
        snprintf(part, sizeof part, "%s.network.%zu", name, 3 * i);
        x = net_linear(&m->params, t, x, part, ACT_NONE);
        snprintf(part, sizeof part, "%s.network.%zu", name, 3 * i + 1);
        x = tape_act(t, net_batch_norm(&m->params, t, x, part, train), ACT_RELU);
    }
    return x;
}

static struct tensor *mlp(const struct cpa *m, struct tape *t, struct tensor *x, const char *name,
                          size_t depth, bool train)
{
    char part[96];
    x = hidden(m, t, x, name, depth, train);
    snprintf(part, sizeof part, "%s.network.%zu", name, 3 * depth);
    return net_linear(&m->params, t, x, part, ACT_NONE);
}

static struct tensor *adversary(const struct cpa *m, struct tape *t, struct tensor *basal,
                                const char *name, bool train)
{
    return mlp(m, t, basal, name, m->config.adversary_depth, train);
}

/* [n, D]: sigmoid(MLP_d(dose)), 0 where there is none. */
static struct tensor *dose_by_mlp(const struct cpa *m, struct tape *t, const double *dose, size_t n)
{
    const size_t d = m->config.n_drugs;
    struct tensor *all = NULL;
    double *x = tape_memory(t, 2 * n * sizeof *x), *there = x ? x + n : NULL;
    for (size_t k = 0; !t->failed && k < d; k++) {
        for (size_t i = 0; i < n; i++) {
            x[i] = dose[i * d + k];
            there[i] = x[i] > 0;
        }
        struct tensor *y = tape_input_f64(t, x, n, 1);
        for (size_t i = 0; i <= m->config.doser_depth; i++) {
            char part[64];
            snprintf(part, sizeof part, "dosers.%zu.network.%zu", k, 2 * i);
            y = net_linear(&m->params, t, y, part, i < m->config.doser_depth ? ACT_RELU : ACT_NONE);
        }
        y = tape_map(t, MAP_SIGMOID, y, 0);
        y = tape_pair(t, PAIR_MUL, y, 1, tape_input_f64(t, there, n, 1));
        struct tensor *both[2] = { all, y };
        all = all ? tape_join(t, both, 2) : y;
    }
    return all ? all : &t->nothing;
}

struct tensor *cpa_dose(const struct cpa *m, struct tape *t, const double *dose, size_t n)
{
    const size_t d = m->config.n_drugs;
    if (m->config.doser == CPA_DOSER_MLP)
        return dose_by_mlp(m, t, dose, n);
    double *x = tape_memory(t, n * d * sizeof *x);
    for (size_t i = 0; x && i < n * d; i++)
        x[i] = m->config.doser == CPA_DOSER_LOGSIGM ? log1p(dose[i]) : dose[i];
    if (t->failed)
        return &t->nothing;
    struct tensor *bias = net_get(&m->params, "dosers.bias"),
                  *y = tape_pair(t, PAIR_MUL, tape_input_f64(t, x, n, d), 1,
                                 net_get(&m->params, "dosers.beta"));
    y = tape_map(t, MAP_SIGMOID, tape_pair(t, PAIR_ADD, y, 1, bias), 0);
    return tape_pair(t, PAIR_ADD, y, -1, tape_map(t, MAP_SIGMOID, bias, 0));
}

/* Means and variances: the two halves of the last layer. */
void cpa_decode(const struct cpa *m, struct tape *t, const double *embedding, bool train,
                struct cpa_out *out)
{
    const struct cpa_config *c = &m->config;
    const size_t g = c->n_genes;
    struct tensor *h = hidden(m, t, out->treated, "decoder", c->depth, train),
                  *w = net_get(&m->params, "decoder.network.%zu.weight", 3 * c->depth),
                  *bias = net_get(&m->params, "decoder.network.%zu.bias", 3 * c->depth);
    out->mean = tape_linear(t, h, tape_rows(t, w, 0, g), tape_columns(t, bias, 0, g), ACT_NONE);
    struct tensor *raw =
        tape_linear(t, h, tape_rows(t, w, g, g), tape_columns(t, bias, g, g), ACT_NONE);
    const double least = 0.001;
    out->var = tape_pair(t, PAIR_ADD, tape_map(t, MAP_SOFTPLUS, raw, 0), 1,
                         tape_input_f64(t, &least, 1, 1));
    if (!c->d_embedding || !embedding)
        return;
    struct tensor *z = net_linear(&m->params, t, out->treated, "gene_proj", ACT_NONE);
    z = tape_linear(t, z, tape_input_f64(t, embedding, g, c->d_embedding), NULL, ACT_NONE);
    out->mean = tape_add(t, out->mean, 1, z);
}

void cpa_treat(const struct cpa *m, struct tape *t, const struct cpa_batch *b, bool train,
               struct cpa_out *out)
{
    const struct cpa_config *c = &m->config;
    *out = (struct cpa_out){ 0 };
    out->basal = mlp(m, t, tape_input_f64(t, b->x, b->n, c->n_genes), "encoder", c->depth, train);
    out->dose = cpa_dose(m, t, b->dose, b->n);
    out->treated = tape_add(
        t, out->basal, 1,
        tape_product(t, out->dose, false, net_get(&m->params, "drug_embeddings.weight"), false));
    for (size_t k = 0; k < c->n_covariates; k++)
        out->treated =
            tape_add(t, out->treated, 1,
                     tape_gather(t, net_get(&m->params, "covariates_embeddings.%zu.weight", k),
                                 b->class_of[k], b->n, SIZE_MAX));
}

static void judge(const struct cpa *m, struct tape *t, bool train, struct cpa_out *out)
{
    char name[48];
    out->drug_logits = adversary(m, t, out->basal, drugs_name, train);
    for (size_t k = 0; k < m->config.n_covariates; k++) {
        covariate_name(name, k);
        out->logits[k] = adversary(m, t, out->basal, name, train);
    }
}

void cpa_forward(const struct cpa *m, struct tape *t, const struct cpa_batch *b, bool train,
                 struct cpa_out *out)
{
    cpa_treat(m, t, b, train, out);
    cpa_decode(m, t, b->embedding, train, out);
    judge(m, t, train, out);
}

void cpa_forward_adversaries(const struct cpa *m, struct tape *t, const struct cpa_batch *b,
                             struct cpa_out *out)
{
    /* The autoencoder's running statistics move, but nothing of it is differentiated; its last
     * layer, the widest, has none. */
    t->training = false;
    cpa_treat(m, t, b, true, out);
    hidden(m, t, out->treated, "decoder", m->config.depth, true);
    t->training = true;
    judge(m, t, true, out);
}

static bool is_adversary(const struct param *q, const void *unused)
{
    (void)unused;
    return strncmp(q->name, "adversary_", 10) == 0;
}

static bool is_doser(const struct param *q, const void *unused)
{
    (void)unused;
    return strncmp(q->name, "dosers.", 7) == 0;
}

static bool is_autoencoder(const struct param *q, const void *unused)
{
    return !is_adversary(q, unused) && !is_doser(q, unused);
}

static struct op_descend adam(double rate, double decay, uint64_t step)
{
    return (struct op_descend){ .kind = DESCENT_ADAM,
                                .rate = rate,
                                .decay = decay,
                                .beta1 = 0.9,
                                .beta2 = 0.999,
                                .eps = 1e-8,
                                .step = step };
}

void cpa_step_autoencoder(struct cpa *m, uint64_t step)
{
    const struct cpa_config *c = &m->config;
    net_descend(&m->params, adam(c->rate, c->decay, step), is_autoencoder, NULL);
    net_descend(&m->params, adam(c->doser_rate, c->doser_decay, step), is_doser, NULL);
}

void cpa_step_adversaries(struct cpa *m, uint64_t step)
{
    const struct cpa_config *c = &m->config;
    net_descend(&m->params, adam(c->adversary_rate, c->adversary_decay, step), is_adversary, NULL);
}
