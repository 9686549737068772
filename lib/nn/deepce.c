#include "lib/nn/deepce.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/net.h"

static enum rc add_attention(struct params *p, size_t l, const struct deepce_config *c,
                             struct err *e)
{
    static const char *const kind[] = { "self_attention", "encoder_attention" }, *const part[] = {
        "fc_q", "fc_k", "fc_v", "fc_o"
    };
    char name[96];
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < 8; i++) {
        snprintf(name, sizeof name, "drug_gene_attn.layers.%zu.%s.%s", l, kind[i / 4], part[i % 4]);
        rc = net_add_linear(p, name, c->d, c->d, true, e);
    }
    snprintf(name, sizeof name, "drug_gene_attn.layers.%zu.fc", l);
    if (!rc)
        rc = net_add_linear(p, name, c->d, 2 * c->d, true, e);
    snprintf(name, sizeof name, "drug_gene_attn.layers.%zu.layer_norm", l);
    if (!rc)
        rc = net_add_norm(p, name, c->d, e);
    for (int i = 0; !rc && i < 2; i++) {
        snprintf(name, sizeof name, "drug_gene_attn.layers.%zu.positionwise_feedforward.fc_%d", l,
                 i + 1);
        rc = net_add_linear(p, name, i ? c->d : c->inner, i ? c->inner : c->d, true, e);
    }
    return rc;
}

static enum rc add_convolutions(struct params *p, const struct deepce_config *c, struct err *e)
{
    char name[96];
    enum rc rc = RC_OK;
    for (size_t l = 0, in = DEEPCE_ATOM; !rc && l <= c->n_conv; l++) {
        snprintf(name, sizeof name, "drug_fp.out_layers.%zu", l);
        rc = net_add_linear(p, name, c->d, in, true, e);
        if (rc || l == c->n_conv)
            break;
        for (int d = 0; !rc && d < DEEPCE_DEGREES; d++) {
            snprintf(name, sizeof name, "drug_fp.conv_layers.%zu.degree_layer_list.%d", l, d);
            rc = net_add_linear(p, name, c->conv[l], in + DEEPCE_BOND, false, e);
        }
        snprintf(name, sizeof name, "drug_fp.conv_layers.%zu.linear", l);
        rc = rc ? rc : net_add_linear(p, name, c->conv[l], in, false, e);
        snprintf(name, sizeof name, "drug_fp.conv_layers.%zu.bias", l);
        rc = rc ? rc : params_add(p, name, 1, c->conv[l], 2, false, e);
        snprintf(name, sizeof name, "drug_fp.conv_layers.%zu.normalize", l);
        rc = rc ? rc : net_add_batch_norm(p, name, c->conv[l], false, e);
        in = c->conv[l];
    }
    return rc;
}

static enum rc declare(struct deepce *m, struct err *e)
{
    const struct deepce_config *c = &m->config;
    struct params *p = &m->params;
    const size_t joined = 2 * c->d + c->d_projected + c->d_cell + c->d_dose;
    const struct {
        const char *name;
        size_t out, in;
    } part[] = { { "gene_embed", c->d, c->d_gene },
                 { "cell_id_embed", c->d_cell, c->n_cells },
                 { "pert_idose_embed", c->d_dose, c->n_doses },
                 { "drug_gene_attn.fc_out", c->d, c->d },
                 { "linear_1", c->d_hidden, joined },
                 { "linear_2", 1, c->d_hidden } };
    enum rc rc = add_convolutions(p, c, e);
    for (size_t l = 0; !rc && l < c->layers; l++)
        rc = add_attention(p, l, c, e);
    for (size_t i = 0; !rc && i < sizeof part / sizeof *part; i++)
        rc = net_add_linear(p, part[i].name, part[i].out, part[i].in, true, e);
    if (!rc && c->d_embedding)
        rc = net_add_linear(p, "emb_proj", c->d_projected, c->d_embedding, false, e);
    return rc;
}

enum rc deepce_init(struct deepce *m, const struct deepce_config *c, const struct backend *b,
                    bool training, struct err *e)
{
    *m = (struct deepce){ .config = *c };
    bool good = c->n_genes && c->d_gene && c->d && c->heads && c->d % c->heads == 0 && c->layers &&
                c->layers <= DEEPCE_MAX_LAYERS && c->inner && c->d_hidden && c->n_conv &&
                c->n_conv <= DEEPCE_MAX_CONV && c->n_cells && c->d_cell && c->n_doses &&
                c->d_dose && !c->d_embedding == !c->d_projected;
    for (size_t l = 0; good && l < c->n_conv; l++)
        good = c->conv[l] > 0;
    if (!good)
        return err_set(e, RC_INPUT,
                       "a network of %zu genes, width %zu, %zu heads, %zu layers and %zu "
                       "convolutions cannot be",
                       c->n_genes, c->d, c->heads, c->layers, c->n_conv);
    params_init(&m->params, b);
    enum rc rc = tape_small_check(b, e);
    if (!rc)
        rc = declare(m, e);
    if (!rc)
        rc = params_alloc(&m->params, training, e);
    if (rc)
        deepce_release(m);
    return rc;
}

void deepce_release(struct deepce *m)
{
    params_release(&m->params);
    *m = (struct deepce){ 0 };
}

void deepce_randomise(struct deepce *m, uint64_t seed)
{
    struct params *p = &m->params;
    net_initialise(p, seed);
    for (size_t i = 0; i < p->n; i++) {
        struct param *q = &p->item[i];
        if (strncmp(q->name, "drug_gene_attn.", 15) == 0)
            continue;
        if (q->n_dims > 1)
            net_xavier_uniform(p, q, 1, seed);
        else if (strstr(q->name, ".bias"))
            net_fill(p, q, 0);
    }
}

static struct dropout drop_at(const struct deepce *m, struct tape *t, const struct deepce_batch *b,
                              uint64_t place, size_t n)
{
    if (!b->dropout || !(m->config.dropout > 0))
        return (struct dropout){ 0 };
    uint64_t *key = tape_memory(t, n * sizeof *key);
    for (size_t i = 0; key && i < n; i++)
        key[i] = i;
    return (struct dropout){ key ? (uint32_t)(m->config.dropout * 65536 + 0.5) : 0,
                             rng_u64(b->seed, RNG_DROPOUT, place, 0), key };
}

/* Sum over degrees of what the rows of that degree give; those of degree 0 have no neighbours. */
static struct tensor *by_degree(const struct deepce *m, struct tape *t,
                                const struct deepce_batch *b, struct tensor *x, size_t l)
{
    struct tensor *y = NULL;
    for (int d = 1; d < DEEPCE_DEGREES; d++) {
        if (!b->n_row[d])
            continue;
        struct tensor *part = tape_gather(t, x, b->row_of[d], b->n_row[d], SIZE_MAX);
        part = tape_linear(
            t, part,
            net_get(&m->params, "drug_fp.conv_layers.%zu.degree_layer_list.%d.weight", l, d), NULL,
            ACT_NONE);
        part = tape_spread(t, part, &b->degree[d].e);
        y = y ? tape_add(t, y, 1, part) : part;
    }
    return y;
}

static struct tensor *convolve(const struct deepce *m, struct tape *t, const struct deepce_batch *b,
                               struct tensor *h, struct tensor *bonds, size_t l, bool train)
{
    const struct params *p = &m->params;
    char name[64];
    snprintf(name, sizeof name, "drug_fp.conv_layers.%zu.linear", l);
    struct tensor *y = net_linear(p, t, h, name, ACT_NONE),
                  *both[2] = { tape_spread(t, h, &b->neighbours.e), bonds };
    struct tensor *part = by_degree(m, t, b, tape_join(t, both, 2), l);
    if (part)
        y = tape_add(t, y, 1, part);
    y = tape_pair(t, PAIR_ADD, y, 1, net_get(p, "drug_fp.conv_layers.%zu.bias", l));
    snprintf(name, sizeof name, "drug_fp.conv_layers.%zu.normalize", l);
    return tape_act(t, net_batch_norm(p, t, y, name, train), ACT_RELU);
}

/* Atom vectors [n_atoms, H] in row order. */
static struct tensor *atoms_of(const struct deepce *m, struct tape *t, const struct deepce_batch *b,
                               bool train, struct deepce_out *out)
{
    struct tensor *h = tape_input_f64(t, b->atom, b->n_atoms, DEEPCE_ATOM),
                  *bonds = tape_spread(t, tape_input_f64(t, b->bond, b->n_bonds, DEEPCE_BOND),
                                       &b->bonds.e),
                  *sum = NULL;
    for (size_t l = 0; l <= m->config.n_conv; l++) {
        char name[64];
        snprintf(name, sizeof name, "drug_fp.out_layers.%zu", l);
        struct tensor *part = tape_softmax(t, net_linear(&m->params, t, h, name, ACT_NONE));
        sum = sum ? tape_add(t, sum, 1, part) : part;
        if (l < m->config.n_conv)
            out->conv[l] = h = convolve(m, t, b, h, bonds, l, train);
    }
    return sum;
}

/* One attention block: queries x [n G, H] to keys, groups by signature. */
static struct tensor *attend(const struct deepce *m, struct tape *t, const struct deepce_batch *b,
                             struct tensor *x, struct tensor *keys, const uint32_t *q_first,
                             const uint32_t *k_first, size_t l, const char *kind, uint64_t place,
                             struct tensor **share)
{
    const struct params *p = &m->params;
    const size_t width = m->config.d / m->config.heads;
    const double scale = 1 / (double)(float)sqrt((double)width);
    char name[4][96];
    for (int i = 0; i < 4; i++)
        snprintf(name[i], sizeof *name, "drug_gene_attn.layers.%zu.%s.fc_%c", l, kind, "qkvo"[i]);
    struct tensor *q = net_linear(p, t, x, name[0], ACT_NONE),
                  *k = net_linear(p, t, keys, name[1], ACT_NONE),
                  *v = net_linear(p, t, keys, name[2], ACT_NONE);
    const struct dropout drop = drop_at(m, t, b, place, x->rows);
    if (share || p->b->type == REAL_F64) {
        x = tape_cross_attention(t, q, k, v, m->config.heads, scale, q_first, k_first, b->n, &drop,
                                 share);
    } else { /* in float the rounded root is the root */
        x = tape_attention(t, q, k, v, m->config.heads, q_first, b->n, &drop);
    }
    return net_linear(p, t, x, name[3], ACT_NONE);
}

static struct tensor *attention_layer(const struct deepce *m, struct tape *t,
                                      const struct deepce_batch *b, struct tensor *x,
                                      struct tensor *atoms, const uint32_t *rows, size_t l,
                                      struct deepce_out *out)
{
    const struct params *p = &m->params;
    char name[96];
    out->to_atoms[l] = attend(m, t, b, x, atoms, rows, b->atom_first, l, "encoder_attention", 8 * l,
                              &out->share[l]);
    out->to_genes[l] = attend(m, t, b, x, x, rows, rows, l, "self_attention", 8 * l + 1, NULL);
    struct tensor *both[2] = { out->to_atoms[l], out->to_genes[l] },
                  *gamma = net_get(p, "drug_gene_attn.layers.%zu.layer_norm.weight", l),
                  *beta = net_get(p, "drug_gene_attn.layers.%zu.layer_norm.bias", l);
    struct dropout drop[3];
    for (uint64_t k = 0; k < 3; k++)
        drop[k] = drop_at(m, t, b, 8 * l + 2 + k, x->rows);
    snprintf(name, sizeof name, "drug_gene_attn.layers.%zu.fc", l);
    struct tensor *y = net_linear(p, t, tape_join(t, both, 2), name, ACT_RELU);
    x = tape_norm(t, y, x, gamma, beta, 1e-5, &drop[0]);
    snprintf(name, sizeof name, "drug_gene_attn.layers.%zu.positionwise_feedforward.fc_1", l);
    y = tape_dropout(t, net_linear(p, t, x, name, ACT_RELU), &drop[1]);
    snprintf(name, sizeof name, "drug_gene_attn.layers.%zu.positionwise_feedforward.fc_2", l);
    y = net_linear(p, t, y, name, ACT_NONE);
    return out->layer[l] = tape_norm(t, y, x, gamma, beta, 1e-5, &drop[2]);
}

/* Linear of a one-hot number. */
static struct tensor *one_hot(const struct deepce *m, struct tape *t, const uint32_t *of, size_t n,
                              size_t wide, const char *name)
{
    double *x = tape_memory(t, n * wide * sizeof *x);
    if (t->failed)
        return &t->nothing;
    memset(x, 0, n * wide * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i * wide + of[i]] = 1;
    return net_linear(&m->params, t, tape_input_f64(t, x, n, wide), name, ACT_NONE);
}

void deepce_forward(const struct deepce *m, struct tape *t, const struct deepce_batch *b,
                    bool train, struct deepce_out *out)
{
    const struct deepce_config *c = &m->config;
    const struct params *p = &m->params;
    const size_t g = c->n_genes, rows = b->n * g;
    *out = (struct deepce_out){ 0 };
    uint32_t *gene = tape_memory(t, rows * sizeof *gene), *signature = tape_memory(t, rows * 4),
             *first = tape_memory(t, (b->n + 1) * sizeof *first);
    for (size_t i = 0; !t->failed && i < rows; i++) {
        gene[i] = (uint32_t)(i % g);
        signature[i] = (uint32_t)(i / g);
    }
    for (size_t i = 0; !t->failed && i <= b->n; i++)
        first[i] = (uint32_t)(i * g);
    struct tensor *atoms = atoms_of(m, t, b, train, out),
                  *drug = tape_spread(t, atoms, &b->drugs.e);
    out->atoms = tape_gather(t, atoms, b->by_signature, b->n_atoms, SIZE_MAX);
    out->genes =
        net_linear(p, t, tape_input_f64(t, b->gene_vector, g, c->d_gene), "gene_embed", ACT_NONE);
    struct tensor *x = tape_gather(t, out->genes, gene, rows, SIZE_MAX);
    for (size_t l = 0; l < c->layers; l++)
        x = attention_layer(m, t, b, x, out->atoms, first, l, out);
    out->attended = net_linear(p, t, x, "drug_gene_attn.fc_out", ACT_NONE);
    struct tensor *part[5] = { out->attended, tape_gather(t, drug, signature, rows, SIZE_MAX) };
    size_t n = 2;
    if (c->d_embedding)
        part[n++] = tape_gather(t,
                                net_linear(p, t, tape_input_f64(t, b->embedding, g, c->d_embedding),
                                           "emb_proj", ACT_NONE),
                                gene, rows, SIZE_MAX);
    part[n++] = tape_gather(t, one_hot(m, t, b->cell, b->n, c->n_cells, "cell_id_embed"), signature,
                            rows, SIZE_MAX);
    part[n++] = tape_gather(t, one_hot(m, t, b->dose, b->n, c->n_doses, "pert_idose_embed"),
                            signature, rows, SIZE_MAX);
    out->joined = tape_act(t, tape_join(t, part, n), ACT_RELU);
    out->hidden = net_linear(p, t, out->joined, "linear_1", ACT_NONE);
    x = net_linear(p, t, tape_act(t, out->hidden, ACT_RELU), "linear_2", ACT_NONE);
    if (!t->failed)
        out->predicted = tape_shape(t, x, b->n, g);
}

enum rc deepce_loss(struct tape *t, struct tensor *predicted, const double *label, double *loss,
                    struct err *e)
{
    *loss = 0;
    if (tape_check(t, e))
        return RC_FAIL;
    const size_t n = predicted->rows * predicted->cols;
    double *p = tape_values(t, predicted), *dp = tape_memory(t, n * sizeof *dp);
    if (tape_check(t, e))
        return RC_FAIL;
    for (size_t i = 0; i < n; i++) {
        *loss += (p[i] - label[i]) * (p[i] - label[i]) / (double)n;
        dp[i] = 2 * (p[i] - label[i]) / (double)n;
    }
    if (t->training)
        tape_seed(t, predicted, dp);
    return tape_check(t, e);
}

void deepce_step(struct deepce *m, double rate, uint64_t step)
{
    net_descend(&m->params,
                (struct op_descend){ .kind = DESCENT_ADAM,
                                     .rate = rate,
                                     .beta1 = 0.9,
                                     .beta2 = 0.999,
                                     .eps = 1e-8,
                                     .step = step },
                NULL, NULL);
}
