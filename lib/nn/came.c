#include "lib/nn/came.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/net.h"

#define CLASSIFIER "cell_classifier.conv.mods.expressed_by"

static enum rc add_vectors(struct params *p, const char *block, const char *type, size_t d,
                           struct err *e)
{
    char name[96];
    snprintf(name, sizeof name, "%s.h_bias.%s", block, type);
    enum rc rc = params_add(p, name, 1, d, 1, false, e);
    snprintf(name, sizeof name, "%s.norm_layers.%s", block, type);
    return rc ? rc : net_add_norm(p, name, d, e);
}

static enum rc declare(struct came *m, struct err *e)
{
    const struct came_config *c = &m->config;
    struct params *p = &m->params;
    const struct {
        const char *name;
        size_t in;
    } weight[] = { { "embed_layer.weights.express", c->n_features },
                   { "embed_layer.weights.self_loop_cell", c->n_features },
                   { "embed_layer.weights.initial", c->d_initial },
                   { "rgcn.layers.0.weights.express", c->d },
                   { "rgcn.layers.0.weights.expressed_by", c->d },
                   { "rgcn.layers.0.weights.self_loop_cell", c->d },
                   { "rgcn.layers.0.weights.similar_to", c->d },
                   { "rgcn.layers.0.weights.homolog_with", c->aligned ? 0 : c->d },
                   { "rgcn.layers.0.weights.self_loop_gene", c->aligned ? c->d : 0 } };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < sizeof weight / sizeof *weight; i++)
        if (weight[i].in)
            rc = params_add(p, weight[i].name, weight[i].in, c->d, 2, true, e);
    static const char *const block[] = { "embed_layer", "rgcn.layers.0" };
    for (int i = 0; !rc && i < 4; i++)
        rc = add_vectors(p, block[i / 2], i % 2 ? "gene" : "cell", c->d, e);
    if (!rc)
        rc = net_add_linear(p, CLASSIFIER ".fc_src", c->heads * c->n_classes, c->d, false, e);
    if (!rc)
        rc = net_add_linear(p, CLASSIFIER ".fc_dst", c->heads * c->n_classes, c->d, false, e);
    if (!rc)
        rc = params_add(p, CLASSIFIER ".attn_l", 1, c->heads * c->n_classes, 1, true, e);
    if (!rc)
        rc = params_add(p, CLASSIFIER ".attn_r", 1, c->heads * c->n_classes, 1, true, e);
    return rc ? rc : add_vectors(p, "cell_classifier", "cell", c->n_classes, e);
}

enum rc came_init(struct came *m, const struct came_config *c, const struct backend *b,
                  bool training, struct err *e)
{
    *m = (struct came){ .config = *c };
    if (!c->n_features || !c->n_classes || !c->d || !c->heads || !c->layers ||
        c->layers > CAME_MAX_LAYERS || !(c->norm_eps > 0))
        return err_set(
            e, RC_INPUT,
            "a network of %zu features, %zu classes, width %zu, %zu heads and %zu layers "
            "cannot be",
            c->n_features, c->n_classes, c->d, c->heads, c->layers);
    params_init(&m->params, b);
    enum rc rc = tape_small_check(b, e);
    if (!rc)
        rc = declare(m, e);
    if (!rc)
        rc = params_alloc(&m->params, training, e);
    if (rc)
        came_release(m);
    return rc;
}

void came_release(struct came *m)
{
    params_release(&m->params);
    *m = (struct came){ 0 };
}

void came_randomise(struct came *m, uint64_t seed)
{
    for (size_t i = 0; i < m->params.n; i++) {
        struct param *q = &m->params.item[i];
        const bool attention = strstr(q->name, ".attn_") != NULL;
        if (q->n_dims > 1 || attention)
            net_xavier_uniform(&m->params, q, sqrt(2), seed);
        else
            net_fill(&m->params, q, strstr(q->name, ".weight") ? 1 : 0);
    }
}

static struct dropout drop_at(struct tape *t, bool on, double rate, uint64_t seed, uint64_t place,
                              size_t n)
{
    if (!on || !(rate > 0))
        return (struct dropout){ 0 };
    uint64_t *key = tape_memory(t, n * sizeof *key);
    for (size_t i = 0; key && i < n; i++)
        key[i] = i;
    return (struct dropout){ key ? (uint32_t)(rate * 65536 + 0.5) : 0,
                             rng_u64(seed, RNG_DROPOUT, place, 0), key };
}

/* mean_r h W, whichever of the two is cheaper first; e NULL: every node from itself. */
static struct tensor *relation(struct tape *t, struct tensor *h, const struct edges *e,
                               struct tensor *w)
{
    if (!e)
        return tape_product(t, h, false, w, false);
    if (e->n_from <= e->n_to)
        return tape_spread(t, tape_product(t, h, false, w, false), e);
    return tape_product(t, tape_spread(t, h, e), false, w, false);
}

/* LN(z) + bias; the bias joins the norm's own first, which saves a pass over z. */
static struct tensor *norm_and_bias(const struct came *m, struct tape *t, struct tensor *z,
                                    const char *norm, struct tensor *bias)
{
    struct tensor *beta = tape_add(t, net_get(&m->params, "%s.bias", norm), 1, bias);
    return tape_norm(t, z, NULL, net_get(&m->params, "%s.weight", norm), beta, m->config.norm_eps,
                     NULL);
}

static struct tensor *finish(const struct came *m, struct tape *t, struct tensor *z,
                             const char *block, const char *type, const struct came_run *run,
                             uint64_t place)
{
    char name[96];
    snprintf(name, sizeof name, "%s.norm_layers.%s", block, type);
    z = norm_and_bias(m, t, z, name, net_get(&m->params, "%s.h_bias.%s", block, type));
    z = tape_map(t, MAP_LEAKY, z, m->config.slope);
    const struct dropout drop =
        drop_at(t, run->hidden_dropout, m->config.dropout, run->seed, place, z->rows);
    return tape_dropout(t, z, &drop);
}

static struct tensor *hidden_weight(const struct came *m, const char *relation_name)
{
    return net_get(&m->params, "rgcn.layers.0.weights.%s", relation_name);
}

static void hidden(const struct came *m, struct tape *t, const struct came_graph *g,
                   const struct came_run *run, struct tensor **cell, struct tensor **gene,
                   uint64_t place)
{
    struct tensor *c = relation(t, *cell, NULL, hidden_weight(m, "self_loop_cell"));
    c = tape_add(t, c, 1, relation(t, *cell, &g->similar_to.e, hidden_weight(m, "similar_to")));
    c = tape_add(t, c, 1, relation(t, *gene, &g->expressed_by.e, hidden_weight(m, "expressed_by")));
    struct tensor *n = relation(t, *cell, &g->express.e, hidden_weight(m, "express"));
    n = tape_add(t, n, 1,
                 m->config.aligned
                     ? relation(t, *gene, NULL, hidden_weight(m, "self_loop_gene"))
                     : relation(t, *gene, &g->homolog_with.e, hidden_weight(m, "homolog_with")));
    *cell = finish(m, t, c, "rgcn.layers.0", "cell", run, place);
    *gene = finish(m, t, n, "rgcn.layers.0", "gene", run, place + 1);
}

static void classify(const struct came *m, struct tape *t, const struct came_graph *g,
                     const struct came_run *run, struct tensor *cell, struct tensor *gene,
                     struct came_out *out)
{
    const struct came_config *c = &m->config;
    const struct params *p = &m->params;
    const bool on = run->classifier_dropout;
    const struct dropout feature_gene =
                             drop_at(t, on, c->feature_dropout, run->seed, 100, gene->rows),
                         feature_cell =
                             drop_at(t, on, c->feature_dropout, run->seed, 101, cell->rows),
                         attention = drop_at(t, on, c->attention_dropout, run->seed, 102,
                                             g->expressed_by.e.n_edges);
    struct tensor *s =
        net_linear(p, t, tape_dropout(t, gene, &feature_gene), CLASSIFIER ".fc_src", ACT_NONE);
    struct tensor *d =
        net_linear(p, t, tape_dropout(t, cell, &feature_cell), CLASSIFIER ".fc_dst", ACT_NONE);
    out->raw = tape_edge_attention(t, s, d, net_get(p, CLASSIFIER ".attn_l"),
                                   net_get(p, CLASSIFIER ".attn_r"), c->heads, c->attention_slope,
                                   &g->expressed_by.e, &attention, &out->share);
    out->logits = norm_and_bias(m, t, out->raw, "cell_classifier.norm_layers.cell",
                                net_get(p, "cell_classifier.h_bias.cell"));
}

void came_forward(const struct came *m, struct tape *t, const struct came_graph *g,
                  const double *initial, const struct came_run *run, struct came_out *out)
{
    const struct params *p = &m->params;
    struct tensor *x = tape_input_f64(t, g->x.x, g->x.n, g->x.d);
    struct tensor *cell = relation(t, x, NULL, net_get(p, "embed_layer.weights.self_loop_cell")),
                  *gene = relation(t, x, &g->express.e, net_get(p, "embed_layer.weights.express"));
    if (m->config.d_initial)
        gene = tape_add(t, gene, 1,
                        relation(t, tape_input_f64(t, initial, g->n_nodes, m->config.d_initial),
                                 NULL, net_get(p, "embed_layer.weights.initial")));
    out->embed_cell = cell = finish(m, t, cell, "embed_layer", "cell", run, 0);
    out->embed_gene = gene = finish(m, t, gene, "embed_layer", "gene", run, 1);
    for (size_t l = 0; l < m->config.layers; l++) {
        hidden(m, t, g, run, &cell, &gene, 2 + 2 * l);
        out->cell[l] = cell;
        out->gene[l] = gene;
    }
    classify(m, t, g, run, cell, gene, out);
}

/* ln(1 + e^x) without overflow. */
static double softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

/* Terms of one cell; dz [C] is set. */
static void loss_of_cell(const struct came_config *c, const double *z, uint32_t y, const double *w,
                         size_t n, double sum_w, struct came_loss *loss, double *dz)
{
    const size_t k = c->n_classes;
    double top = z[0], sum = 0;
    for (size_t j = 1; j < k; j++)
        top = z[j] > top ? z[j] : top;
    for (size_t j = 0; j < k; j++)
        sum += exp(z[j] - top);
    const double log_sum = top + log(sum), share = w[y] / sum_w, even = 1 / (double)(n * k);
    loss->nll += share * (log_sum - z[y]);
    for (size_t j = 0; j < k; j++) {
        const double p = exp(z[j] - log_sum), hit = j == y;
        loss->smooth += even * (log_sum - z[j]);
        loss->bce += even * w[j] * (softplus(z[j]) - hit * z[j]);
        dz[j] = (1 - c->smooth_eps) * share * (p - hit) +
                c->smooth_eps * even * ((double)k * p - 1) +
                c->beta * even * w[j] * (1 / (1 + exp(-z[j])) - hit);
    }
}

enum rc came_loss(const struct came *m, struct tape *t, const struct came_graph *g,
                  const struct came_out *out, const uint32_t *label, const double *class_weight,
                  struct came_loss *loss, struct err *e)
{
    const struct came_config *c = &m->config;
    const size_t n = g->n_cells[CAME_REFERENCE], k = c->n_classes;
    *loss = (struct came_loss){ 0 };
    double *z = tape_values(t, out->logits), *dz = tape_memory(t, g->n_cells_all * k * sizeof *dz),
           sum_w = 0;
    if (tape_check(t, e))
        return RC_FAIL;
    memset(dz, 0, g->n_cells_all * k * sizeof *dz);
    for (size_t i = 0; i < n; i++) {
        if (label[i] >= k)
            return err_set(e, RC_INPUT, "reference cell %zu has class %u of %zu", i, label[i], k);
        sum_w += class_weight[label[i]];
    }
    for (size_t i = 0; i < n; i++)
        loss_of_cell(c, z + i * k, label[i], class_weight, n, sum_w, loss, dz + i * k);
    loss->total =
        (1 - c->smooth_eps) * loss->nll + c->smooth_eps * loss->smooth + c->beta * loss->bce;
    if (t->training)
        tape_seed(t, out->logits, dz);
    return tape_check(t, e);
}

void came_step(struct came *m, double rate, double decay, uint64_t step)
{
    net_descend(&m->params,
                (struct op_descend){ .kind = DESCENT_ADAM,
                                     .rate = rate,
                                     .decay = decay,
                                     .beta1 = 0.9,
                                     .beta2 = 0.999,
                                     .eps = 1e-8,
                                     .step = step },
                NULL, NULL);
}

void came_class_weights(const uint32_t *label, size_t n, size_t n_classes, double *weight)
{
    double sum = 0;
    memset(weight, 0, n_classes * sizeof *weight);
    for (size_t i = 0; i < n; i++)
        weight[label[i]]++;
    for (size_t k = 0; k < n_classes; k++)
        sum += weight[k] = 1 / sqrt(weight[k] + 1);
    for (size_t k = 0; k < n_classes; k++)
        weight[k] /= sum;
}

bool came_choose(struct came_choice *c, size_t epoch, double ami)
{
    if (epoch < c->first || (c->epoch != SIZE_MAX && !(ami >= c->ami)))
        return false;
    c->epoch = epoch;
    c->ami = ami;
    return true;
}

void came_standardise(struct mat *x, const bool *has)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++)
        n += has[i];
    for (size_t j = 0; j < x->d; j++) {
        double mean = 0, var = 0;
        for (size_t i = 0; i < x->n; i++)
            mean += has[i] ? mat_row(x, i)[j] / (double)n : 0;
        for (size_t i = 0; i < x->n; i++)
            if (has[i])
                var += (mat_row(x, i)[j] - mean) * (mat_row(x, i)[j] - mean) / (double)n;
        for (size_t i = 0; i < x->n; i++) {
            double *v = &mat_row(x, i)[j];
            *v = has[i] && var > 0 ? (*v - mean) / sqrt(var) : 0;
        }
    }
}
