#include "lib/nn/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const knowledge_name[N_KNOWLEDGE] = { "promoter", "co_exp", "gene_family",
                                                  "peca_grn" };

struct model_config model_config_base(uint32_t n_tokens)
{
    return (struct model_config){ .n_layers = 12, .n_heads = 12, .d = 768, .ffn = 3072,
                                  .max_genes = 2048, .n_tokens = n_tokens, .knowledge_dim = 768,
                                  .type_vocab = 2, .norm_eps = 1e-12, .hidden_dropout = 0.02,
                                  .attention_dropout = 0.02, .init_sd = 0.02, .use_values = true,
                                  .use_knowledge = { true, true, true, true } };
}

enum rc model_config_check(const struct model_config *c, struct err *e)
{
    const struct {
        const char *name;
        uint32_t x, max;
    } size[] = { { "num_hidden_layers", c->n_layers, 1024 },
                 { "num_attention_heads", c->n_heads, 1024 },
                 { "hidden_size", c->d, 1 << 16 },
                 { "intermediate_size", c->ffn, 1 << 18 },
                 { "max_position_embeddings", c->max_genes, 1 << 16 },
                 { "vocab_size", c->n_tokens, 1 << 16 },
                 { "knowledge_size", c->knowledge_dim, 1 << 16 },
                 { "type_vocab_size", c->type_vocab, 1 << 16 } };
    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        if (size[i].x < 1 || size[i].x > size[i].max)
            return err_set(e, RC_INPUT, "%s is %u, not 1 to %u", size[i].name, size[i].x,
                           size[i].max);
    if (c->d % c->n_heads)
        return err_set(e, RC_INPUT, "hidden_size %u is no multiple of num_attention_heads %u",
                       c->d, c->n_heads);
    if (!(c->hidden_dropout >= 0 && c->hidden_dropout < 1) ||
        !(c->attention_dropout >= 0 && c->attention_dropout < 1))
        return err_set(e, RC_INPUT, "a dropout rate is not within [0, 1)");
    if (c->value_encoder != VALUE_PLAIN && !c->use_values)
        return err_set(e, RC_INPUT, "an encoder of values where use_values is false");
    if (!(c->norm_eps > 0))
        return err_set(e, RC_INPUT, "layer_norm_eps is not above 0");
    return RC_OK;
}

static size_t cat_width(const struct model_config *c)
{
    size_t n = c->d + (c->value_encoder == VALUE_PLAIN ? c->use_values
                       : c->value_encoder == VALUE_OWN ? c->d
                                                       : 0);
    for (int k = 0; k < N_KNOWLEDGE; k++)
        n += c->use_knowledge[k] ? c->d : 0;
    return n;
}

/* Declares parameters; stops at the first failure. */
struct declare {
    struct params *p;
    struct err *e;
    enum rc rc;
};

static void matrix(struct declare *d, const char *name, size_t rows, size_t cols)
{
    if (!d->rc)
        d->rc = params_add(d->p, name, rows, cols, 2, true, d->e);
}

static void vector(struct declare *d, const char *name, size_t n)
{
    if (!d->rc)
        d->rc = params_add(d->p, name, 1, n, 1, false, d->e);
}

__attribute__((format(printf, 4, 5))) static void linear(struct declare *d, size_t out, size_t in,
                                                         const char *fmt, ...)
{
    char stem[64], name[80];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(stem, sizeof stem, fmt, ap);
    va_end(ap);
    snprintf(name, sizeof name, "%s.weight", stem);
    matrix(d, name, out, in);
    snprintf(name, sizeof name, "%s.bias", stem);
    vector(d, name, out);
}

__attribute__((format(printf, 3, 4))) static void norm(struct declare *d, size_t n,
                                                       const char *fmt, ...)
{
    char stem[64], name[80];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(stem, sizeof stem, fmt, ap);
    va_end(ap);
    snprintf(name, sizeof name, "%s.weight", stem);
    vector(d, name, n);
    snprintf(name, sizeof name, "%s.bias", stem);
    vector(d, name, n);
}

static enum rc declare_all(struct model *m, uint32_t n_classes, struct err *e)
{
    const struct model_config *c = &m->config;
    struct declare d = { &m->params, e, RC_OK };
    matrix(&d, "bert.embeddings.word_embeddings.weight", c->n_tokens, c->d);
    for (int k = 0; k < N_KNOWLEDGE; k++)
        if (c->use_knowledge[k])
            linear(&d, c->d, c->knowledge_dim, "bert.embeddings.%s_embeddings.linear1",
                   knowledge_name[k]);
    if (c->value_encoder != VALUE_PLAIN) {
        linear(&d, c->d, c->value_encoder == VALUE_JOINT ? c->d + 1 : 1, VALUE_BLOCK ".first");
        norm(&d, c->d, VALUE_BLOCK ".norm");
        linear(&d, c->d, c->d, VALUE_BLOCK ".second");
    }
    linear(&d, c->d, cat_width(c), "bert.embeddings.concat_embeddings.cat_fc");
    norm(&d, c->d, "bert.embeddings.concat_embeddings.cat_ln");
    linear(&d, c->d, c->d, "bert.embeddings.concat_embeddings.cat_proj");
    matrix(&d, "bert.embeddings.position_embeddings.weight", c->max_genes, c->d);
    matrix(&d, "bert.embeddings.token_type_embeddings.weight", c->type_vocab, c->d);
    norm(&d, c->d, "bert.embeddings.LayerNorm");
    matrix(&d, "bert.cls_embedding.weight", 2, c->d);
    for (unsigned l = 0; l < c->n_layers; l++) {
        linear(&d, c->d, c->d, "bert.encoder.layer.%u.attention.self.query", l);
        linear(&d, c->d, c->d, "bert.encoder.layer.%u.attention.self.key", l);
        linear(&d, c->d, c->d, "bert.encoder.layer.%u.attention.self.value", l);
        linear(&d, c->d, c->d, "bert.encoder.layer.%u.attention.output.dense", l);
        norm(&d, c->d, "bert.encoder.layer.%u.attention.output.LayerNorm", l);
        linear(&d, c->ffn, c->d, "bert.encoder.layer.%u.intermediate.dense", l);
        linear(&d, c->d, c->ffn, "bert.encoder.layer.%u.output.dense", l);
        norm(&d, c->d, "bert.encoder.layer.%u.output.LayerNorm", l);
    }
    linear(&d, c->d, c->d, "cls.predictions.transform.dense");
    norm(&d, c->d, "cls.predictions.transform.LayerNorm");
    vector(&d, "cls.predictions.bias", c->n_tokens);
    linear(&d, c->d, c->d, "cls4value.predictions.transform.dense");
    norm(&d, c->d, "cls4value.predictions.transform.LayerNorm");
    matrix(&d, "cls4value.predictions.decoder.weight", 1, c->d);
    vector(&d, "cls4value.predictions.bias", 1);
    if (n_classes) {
        linear(&d, c->d, c->d, "bert.pooler.dense");
        linear(&d, n_classes, c->d, "classifier");
    }
    return d.rc;
}

enum rc model_init(struct model *m, const struct model_config *c, const struct backend *b,
                   bool training, uint32_t n_classes, struct err *e)
{
    *m = (struct model){ .config = *c, .alpha = 1 };
    params_init(&m->params, b);
    enum rc rc = model_config_check(c, e);
    if (!rc)
        rc = declare_all(m, n_classes, e);
    if (!rc)
        rc = params_alloc(&m->params, training, e);
    if (!rc) {
        m->tables.homolog = malloc(c->n_tokens * sizeof *m->tables.homolog);
        if (!m->tables.homolog)
            rc = err_set(e, RC_FAIL, "no memory for %u tokens", c->n_tokens);
    }
    for (uint32_t i = 0; !rc && i < c->n_tokens; i++)
        m->tables.homolog[i] = i;
    if (rc)
        model_release(m);
    return rc;
}

const struct mapped *model_table_file(const struct model_tables *t, int kind)
{
    for (int k = 0; k < N_KNOWLEDGE; k++)
        if (mapped_holds(&t->file[k], t->knowledge[kind]))
            return &t->file[k];
    return NULL;
}

enum rc model_tables_write(struct model_tables *t, struct err *e)
{
    enum rc rc = RC_OK;
    for (int k = 0; !rc && k < N_KNOWLEDGE; k++)
        rc = mapped_write(&t->file[k], e);
    return rc;
}

void model_release(struct model *m)
{
    model_unfold(m);
    params_release(&m->params);
    for (int k = 0; k < N_KNOWLEDGE; k++)
        if (!model_table_file(&m->tables, k))
            free(m->tables.knowledge[k]);
    for (int k = 0; k < N_KNOWLEDGE; k++)
        mapped_close(&m->tables.file[k]);
    free(m->tables.homolog);
    *m = (struct model){ 0 };
}

void model_randomise(struct model *m, uint64_t seed)
{
    params_randomise(&m->params, m->config.init_sd, seed);
    struct param *w = params_find(&m->params, "bert.embeddings.word_embeddings.weight");
    backend_zero(m->params.b, w->t.x, w->cols * m->params.b->real_bytes);
}

size_t model_n_parameters(const struct model *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->params.n; i++)
        n += m->params.item[i].rows * m->params.item[i].cols;
    return n;
}
