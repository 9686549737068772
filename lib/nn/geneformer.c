#include "lib/nn/geneformer.h"

#include <stdio.h>

#include "lib/base/rng.h"
#include "lib/nn/net.h"

enum { PAD_TOKEN = 0 };

static enum rc add_layer(struct params *p, size_t l, size_t d, size_t inner, struct err *e)
{
    const struct {
        const char *name;
        size_t out, in; /* in 0: a layer norm */
    } part[] = { { "attention.self.query", d, d },       { "attention.self.key", d, d },
                 { "attention.self.value", d, d },       { "attention.output.dense", d, d },
                 { "attention.output.LayerNorm", d, 0 }, { "intermediate.dense", inner, d },
                 { "output.dense", d, inner },           { "output.LayerNorm", d, 0 } };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < sizeof part / sizeof *part; i++) {
        char name[96];
        snprintf(name, sizeof name, "bert.encoder.layer.%zu.%s", l, part[i].name);
        rc = part[i].in ? net_add_linear(p, name, part[i].out, part[i].in, true, e)
                        : net_add_norm(p, name, part[i].out, e);
    }
    return rc;
}

static enum rc declare(struct geneformer *m, struct err *e)
{
    const struct geneformer_config *c = &m->config;
    struct params *p = &m->params;
    enum rc rc = net_add_linear(p, "bert.embeddings.word_embeddings", c->n_tokens, c->d, false, e);
    if (!rc)
        rc = net_add_linear(p, "bert.embeddings.position_embeddings", c->n_positions, c->d, false,
                            e);
    if (!rc)
        rc = net_add_linear(p, "bert.embeddings.token_type_embeddings", c->n_types, c->d, false, e);
    if (!rc)
        rc = net_add_norm(p, "bert.embeddings.LayerNorm", c->d, e);
    for (size_t l = 0; !rc && l < c->layers; l++)
        rc = add_layer(p, l, c->d, c->inner, e);
    if (!rc)
        rc = net_add_linear(p, "cls.predictions.transform.dense", c->d, c->d, true, e);
    if (!rc)
        rc = net_add_norm(p, "cls.predictions.transform.LayerNorm", c->d, e);
    if (!rc)
        rc = params_add(p, "cls.predictions.bias", 1, c->n_tokens, 1, false, e);
    if (!rc && c->n_classes)
        rc = net_add_linear(p, "bert.pooler.dense", c->d, c->d, true, e);
    return rc || !c->n_classes ? rc : net_add_linear(p, "classifier", c->n_classes, c->d, true, e);
}

enum rc geneformer_init(struct geneformer *m, const struct geneformer_config *c,
                        const struct backend *b, bool training, struct err *e)
{
    *m = (struct geneformer){ .config = *c };
    if (!c->d || !c->heads || c->d % c->heads || !c->layers || c->layers > GENEFORMER_MAX_LAYERS ||
        !c->inner || c->n_tokens < 2 || !c->n_positions || !c->n_types || !(c->norm_eps > 0) ||
        !(c->hidden_dropout >= 0 && c->hidden_dropout < 1) ||
        !(c->attention_dropout >= 0 && c->attention_dropout < 1))
        return err_set(e, RC_INPUT,
                       "a model of width %zu, %zu heads, %zu layers, %zu tokens cannot be", c->d,
                       c->heads, c->layers, c->n_tokens);
    params_init(&m->params, b);
    enum rc rc = declare(m, e);
    if (!rc)
        rc = params_alloc(&m->params, training, e);
    if (rc)
        geneformer_release(m);
    return rc;
}

void geneformer_release(struct geneformer *m)
{
    params_release(&m->params);
    *m = (struct geneformer){ 0 };
}

enum rc geneformer_check(const struct geneformer *m, const struct geneformer_batch *b,
                         struct err *e)
{
    for (size_t i = 0; i < b->n_rows; i++) {
        if (b->id[i] >= m->config.n_tokens)
            return err_set(e, RC_INPUT, "token %u of %zu", b->id[i], m->config.n_tokens);
        if (b->rank[i] >= m->config.n_positions)
            return err_set(e, RC_INPUT, "a cell is longer than the model's %zu positions",
                           m->config.n_positions);
    }
    for (size_t i = 0; i < b->n_asked; i++)
        if (b->label[i] >= m->config.n_tokens || b->asked[i] >= b->n_rows)
            return err_set(e, RC_INPUT, "label %u of %zu", b->label[i], m->config.n_tokens);
    return RC_OK;
}

/* Places as in lib/nn/model_forward.c: 0 the embedding; 1, 2 and 3 of each layer. */
static struct dropout drop_at(const struct geneformer_batch *b, double rate, uint64_t place)
{
    if (!b->row_key)
        return (struct dropout){ 0 };
    return (struct dropout){ (uint32_t)(rate * 65536 + 0.5),
                             rng_u64(b->seed, RNG_DROPOUT, place, 0), b->row_key };
}

static struct tensor *layer_linear(const struct params *p, struct tape *t, struct tensor *x,
                                   size_t l, const char *what, enum act act)
{
    char name[96];
    snprintf(name, sizeof name, "bert.encoder.layer.%zu.%s", l, what);
    return net_linear(p, t, x, name, act);
}

/* LN(drop(x) + residual) */
static struct tensor *layer_norm(const struct geneformer *m, struct tape *t, struct tensor *x,
                                 struct tensor *residual, size_t l, const char *what,
                                 const struct dropout *drop)
{
    const struct params *p = &m->params;
    return tape_norm(t, x, residual, net_get(p, "bert.encoder.layer.%zu.%s.weight", l, what),
                     net_get(p, "bert.encoder.layer.%zu.%s.bias", l, what), m->config.norm_eps,
                     drop);
}

static struct tensor *encode_layer(const struct geneformer *m, struct tape *t, struct tensor *x,
                                   size_t l, const struct geneformer_batch *b,
                                   struct geneformer_out *out)
{
    const struct geneformer_config *c = &m->config;
    const struct params *p = &m->params;
    const struct dropout inside = drop_at(b, c->attention_dropout, 1 + 3 * l),
                         after = drop_at(b, c->hidden_dropout, 2 + 3 * l),
                         last = drop_at(b, c->hidden_dropout, 3 + 3 * l);
    out->q[l] = layer_linear(p, t, x, l, "attention.self.query", ACT_NONE);
    out->k[l] = layer_linear(p, t, x, l, "attention.self.key", ACT_NONE);
    struct tensor *v = layer_linear(p, t, x, l, "attention.self.value", ACT_NONE);
    struct tensor *a =
        tape_attention(t, out->q[l], out->k[l], v, c->heads, b->first, b->n_cells, &inside);
    a = layer_linear(p, t, a, l, "attention.output.dense", ACT_NONE);
    a = layer_norm(m, t, a, x, l, "attention.output.LayerNorm", &after);
    struct tensor *f = layer_linear(p, t, a, l, "intermediate.dense", ACT_RELU);
    f = layer_linear(p, t, f, l, "output.dense", ACT_NONE);
    return layer_norm(m, t, f, a, l, "output.LayerNorm", &last);
}

void geneformer_encode(const struct geneformer *m, struct tape *t, const struct geneformer_batch *b,
                       struct geneformer_out *out)
{
    const struct params *p = &m->params;
    struct tensor *x = tape_gather(t, net_get(p, "bert.embeddings.word_embeddings.weight"), b->id,
                                   b->n_rows, PAD_TOKEN);
    x = tape_add_position(t, x, net_get(p, "bert.embeddings.token_type_embeddings.weight"),
                          net_get(p, "bert.embeddings.position_embeddings.weight"), b->rank);
    x = net_norm(p, t, x, "bert.embeddings.LayerNorm", m->config.norm_eps);
    const struct dropout drop = drop_at(b, m->config.hidden_dropout, 0);
    out->embedding = x = tape_dropout(t, x, &drop);
    for (size_t l = 0; l < m->config.layers; l++)
        out->layer[l] = x = encode_layer(m, t, x, l, b, out);
}

struct tensor *geneformer_transform(const struct geneformer *m, struct tape *t, struct tensor *x)
{
    x = net_linear(&m->params, t, x, "cls.predictions.transform.dense", ACT_RELU);
    return net_norm(&m->params, t, x, "cls.predictions.transform.LayerNorm", m->config.norm_eps);
}

struct tensor *geneformer_logits(const struct geneformer *m, struct tape *t, struct tensor *z)
{
    return tape_linear(t, z, net_get(&m->params, "bert.embeddings.word_embeddings.weight"),
                       net_get(&m->params, "cls.predictions.bias"), ACT_NONE);
}

double geneformer_loss(const struct geneformer *m, struct tape *t, const struct geneformer_batch *b,
                       const struct geneformer_out *out)
{
    struct id_loss loss = { 0 };
    if (!b->n_asked)
        return 0;
    struct tensor *x =
        tape_gather(t, out->layer[m->config.layers - 1], b->asked, b->n_asked, SIZE_MAX);
    x = geneformer_transform(m, t, x);
    tape_id_loss(t, x, net_get(&m->params, "bert.embeddings.word_embeddings.weight"),
                 net_get(&m->params, "cls.predictions.bias"), b->label, 1.0 / (double)b->n_asked,
                 &loss);
    return loss.loss;
}

struct tensor *geneformer_pool(const struct geneformer *m, struct tape *t,
                               const struct geneformer_batch *b, const struct geneformer_out *out)
{
    struct tensor *x =
        tape_gather(t, out->layer[m->config.layers - 1], b->first, b->n_cells, SIZE_MAX);
    x = net_linear(&m->params, t, x, "bert.pooler.dense", ACT_TANH);
    struct dropout drop = drop_at(b, m->config.hidden_dropout, 1 + 3 * m->config.layers);
    uint64_t *key = tape_memory(t, b->n_cells * sizeof *key);
    for (size_t i = 0; key && b->row_key && i < b->n_cells; i++)
        key[i] = b->row_key[b->first[i]];
    drop.row_key = b->row_key ? key : NULL;
    return tape_dropout(t, x, &drop);
}

struct tensor *geneformer_class_logits(const struct geneformer *m, struct tape *t,
                                       struct tensor *pooled)
{
    return net_linear(&m->params, t, pooled, "classifier", ACT_NONE);
}

double geneformer_class_loss(const struct geneformer *m, struct tape *t, struct tensor *pooled,
                             const uint32_t *class_of)
{
    struct id_loss loss = { 0 };
    tape_id_loss(t, pooled, net_get(&m->params, "classifier.weight"),
                 net_get(&m->params, "classifier.bias"), class_of, 1.0 / (double)pooled->rows,
                 &loss);
    return loss.loss;
}
