/* The forward pass of spec/03 section 3, heads and losses of sections 4 and 5.
 *
 *   model_pairs   word, knowledge -> one row per distinct (word, knowledge row) pair
 *   concatenate   + value, or what its encoder makes of it
 *   embed         + cat_ln, QuickGELU, cat_proj, type, position, LayerNorm, dropout
 *   + species row, then L times encoder_layer
 * Dropout places, each with its own stream: 0 the embedding; 1 + 3l attention, 2 + 3l after the
 * attention's output, 3 + 3l after the feed-forward, of layer l. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/model_parts.h"

enum { PAD_ROW = 0 };
static const double cat_ln_eps = 1e-5; /* PyTorch's default; every other norm has the config's */

struct tensor *model_par(struct model *m, const char *fmt, ...)
{
    char name[96];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    return &m->params.item[params_index(&m->params, name)].t;
}

static struct dropout drop_at(const struct model_run *run, double rate, uint64_t place,
                              const uint64_t *row_key)
{
    struct dropout d = { .row_key = row_key };
    if (run->dropout) {
        d.threshold = (uint32_t)(rate * 65536 + 0.5);
        d.seed = rng_u64(run->dropout_seed, RNG_DROPOUT, place, 0);
    }
    return d;
}

static struct tensor *word_rows(struct model *m, struct tape *t, const struct batch *b)
{
    return tape_gather(t, model_par(m, "bert.embeddings.word_embeddings.weight"), b->pair_word,
                       b->n_pairs, PAD_ROW);
}

/* [n_pairs,D]: cat_fc without the value column. cat_fc's columns are word | value | kinds; of a
 * JOINT encoder words are no part of this, and without any knowledge it is NULL. */
struct tensor *model_pairs(struct model *m, struct tape *t, const struct batch *b)
{
    const struct model_config *c = &m->config;
    struct tensor *fc = model_par(m, "bert.embeddings.concat_embeddings.cat_fc.weight"), *y = NULL;
    size_t at = c->d;
    if (c->value_encoder != VALUE_JOINT) {
        y = tape_linear(t, word_rows(m, t, b), tape_columns(t, fc, 0, c->d),
                        model_par(m, "bert.embeddings.concat_embeddings.cat_fc.bias"), ACT_NONE);
        at += c->value_encoder == VALUE_OWN ? c->d : c->use_values;
    }
    for (int k = 0; k < N_KNOWLEDGE; k++) {
        if (!c->use_knowledge[k])
            continue;
        struct tensor *rows =
            tape_input_rows(t, m->tables.knowledge[k], model_table_file(&m->tables, k), c->n_tokens,
                            c->knowledge_dim, b->pair_row, b->n_pairs);
        const char *name = knowledge_name[k];
        struct tensor *p = tape_linear_between(
            t, rows, model_par(m, "bert.embeddings.%s_embeddings.linear1.weight", name),
            model_par(m, "bert.embeddings.%s_embeddings.linear1.bias", name), ACT_NONE);
        p = tape_linear(t, p, tape_columns(t, fc, at, c->d), NULL, ACT_NONE);
        y = tape_add(t, y ? y : tape_new(t, b->n_pairs, c->d), (double)m->alpha, p);
        at += c->d;
    }
    return y;
}

struct tensor *model_words(struct model *m, struct tape *t, const struct batch *b)
{
    return tape_linear(t, word_rows(m, t, b),
                       tape_columns(t, model_par(m, VALUE_BLOCK ".first.weight"), 0, m->config.d),
                       model_par(m, VALUE_BLOCK ".first.bias"), ACT_NONE);
}

/* [n_genes,D]: the value encoder, before cat_fc. */
static struct tensor *encode_values(struct model *m, struct tape *t, const struct batch *b,
                                    const struct model_embedding *x, struct tensor *value)
{
    struct tensor *w = model_par(m, VALUE_BLOCK ".first.weight");
    struct tensor *w2 = model_par(m, VALUE_BLOCK ".second.weight");
    struct tensor *bias2 = model_par(m, VALUE_BLOCK ".second.bias");
    struct tensor *gamma = model_par(m, VALUE_BLOCK ".norm.weight"),
                  *beta = model_par(m, VALUE_BLOCK ".norm.bias");
    const size_t d = m->config.d;
    if (m->config.value_encoder == VALUE_OWN) {
        struct tensor *v =
            tape_linear(t, value, w, model_par(m, VALUE_BLOCK ".first.bias"), ACT_RELU);
        v = tape_linear(t, v, w2, bias2, ACT_NONE);
        return tape_norm(t, v, NULL, gamma, beta, cat_ln_eps, NULL);
    }
    struct tensor *v =
        tape_gather_axpy(t, x->words, x->word_index, b->n_genes, value, tape_columns(t, w, d, 1));
    v = tape_act(t, tape_norm(t, v, NULL, gamma, beta, cat_ln_eps, NULL), ACT_QUICK_GELU);
    return tape_linear(t, v, w2, bias2, ACT_NONE);
}

/* [n_genes,D]: cat_fc of everything. */
static struct tensor *concatenate(struct model *m, struct tape *t, const struct batch *b,
                                  const struct model_embedding *x)
{
    const struct model_config *c = &m->config;
    struct tensor *fc = model_par(m, "bert.embeddings.concat_embeddings.cat_fc.weight");
    struct tensor *value = tape_input(t, b->value, b->n_genes, 1);
    if (c->value_encoder == VALUE_PLAIN)
        return tape_gather_axpy(t, x->pairs, x->index, b->n_genes, value,
                                c->use_values ? tape_columns(t, fc, c->d, 1) : NULL);
    const bool joint = c->value_encoder == VALUE_JOINT;
    struct tensor *y = tape_linear(
        t, encode_values(m, t, b, x, value), tape_columns(t, fc, joint ? 0 : c->d, c->d),
        joint ? model_par(m, "bert.embeddings.concat_embeddings.cat_fc.bias") : NULL, ACT_NONE);
    if (!x->pairs)
        return y;
    return tape_add(t, y, 1, tape_gather(t, x->pairs, x->index, b->n_genes, SIZE_MAX));
}

struct tensor *model_embed(struct model *m, struct tape *t, const struct batch *b,
                           const struct model_embedding *of, const struct model_run *run)
{
    const struct model_config *c = &m->config;
    struct tensor *x = concatenate(m, t, b, of);
    x = tape_norm_over(t, x, NULL, model_par(m, "bert.embeddings.concat_embeddings.cat_ln.weight"),
                       model_par(m, "bert.embeddings.concat_embeddings.cat_ln.bias"), cat_ln_eps,
                       NULL);
    x = tape_act(t, x, ACT_QUICK_GELU);
    x = tape_linear(t, x, model_par(m, "bert.embeddings.concat_embeddings.cat_proj.weight"),
                    model_par(m, "bert.embeddings.concat_embeddings.cat_proj.bias"), ACT_NONE);
    x = tape_add_position(t, x, model_par(m, "bert.embeddings.token_type_embeddings.weight"),
                          model_par(m, "bert.embeddings.position_embeddings.weight"), b->rank);
    x = tape_norm_over(t, x, NULL, model_par(m, "bert.embeddings.LayerNorm.weight"),
                       model_par(m, "bert.embeddings.LayerNorm.bias"), c->norm_eps, NULL);
    struct dropout drop = drop_at(run, c->hidden_dropout, 0, b->gene_key);
    x = tape_dropout(t, x, &drop);
    return tape_add_species(t, x, model_par(m, "bert.cls_embedding.weight"), b->first, b->species,
                            b->n_cells);
}

/* Of what stands between products, and between one and a norm. */
static struct tensor *layer_linear(struct model *m, struct tape *t, struct tensor *x, unsigned l,
                                   const char *what, enum act act)
{
    return tape_linear_between(t, x, model_par(m, "bert.encoder.layer.%u.%s.weight", l, what),
                               model_par(m, "bert.encoder.layer.%u.%s.bias", l, what), act);
}

static struct tensor *layer_norm(struct model *m, struct tape *t, struct tensor *x,
                                 struct tensor *r, unsigned l, const char *what,
                                 const struct dropout *drop, struct tensor *into)
{
    struct tensor *gamma = model_par(m, "bert.encoder.layer.%u.%s.LayerNorm.weight", l, what);
    struct tensor *beta = model_par(m, "bert.encoder.layer.%u.%s.LayerNorm.bias", l, what);
    if (!into)
        return tape_norm_over(t, x, r, gamma, beta, m->config.norm_eps, drop);
    tape_norm_into(t, x, r, gamma, beta, m->config.norm_eps, drop, into);
    return into;
}

/* What follows the attention a, row by row. */
static struct tensor *after_attention(struct model *m, struct tape *t, struct tensor *a,
                                      struct tensor *h, unsigned l, const struct dropout drop[2],
                                      struct tensor *into)
{
    a = layer_linear(m, t, a, l, "attention.output.dense", ACT_NONE);
    h = layer_norm(m, t, a, h, l, "attention.output", &drop[0], NULL);
    struct tensor *f = layer_linear(m, t, h, l, "intermediate.dense", ACT_GELU);
    f = layer_linear(m, t, f, l, "output.dense", ACT_NONE);
    return layer_norm(m, t, f, h, l, "output", &drop[1], into);
}

static const char *const self[3] = { "query", "key", "value" };

/* self[from..3) of h, to y, which attention alone takes. */
static void self_linears(struct model *m, struct tape *t, struct tensor *h, unsigned l, int from,
                         struct tensor *y[3])
{
    struct tensor *w[3], *bias[3];
    for (int i = from; i < 3; i++) {
        w[i] = model_par(m, "bert.encoder.layer.%u.attention.self.%s.weight", l, self[i]);
        bias[i] = model_par(m, "bert.encoder.layer.%u.attention.self.%s.bias", l, self[i]);
    }
    tape_linears_between(t, h, (size_t)(3 - from), w + from, bias + from, m->config.n_heads,
                         y + from);
}

struct tensor *model_layer(struct model *m, struct tape *t, struct tensor *h, unsigned l,
                           const struct batch *b, const struct model_run *run, struct tensor *into)
{
    const struct model_config *c = &m->config;
    const struct dropout attention = drop_at(run, c->attention_dropout, 1 + 3 * l, b->row_key);
    const struct dropout after[2] = { drop_at(run, c->hidden_dropout, 2 + 3 * l, b->row_key),
                                      drop_at(run, c->hidden_dropout, 3 + 3 * l, b->row_key) };
    struct tensor *qkv[3];
    self_linears(m, t, h, l, 0, qkv);
    struct tensor *a =
        tape_attention(t, qkv[0], qkv[1], qkv[2], c->n_heads, b->first, b->n_cells, &attention);
    return after_attention(m, t, a, h, l, after, into);
}

struct tensor *model_layer_cells(struct model *m, struct tape *t, struct tensor *h, unsigned l,
                                 const struct batch *b)
{
    const struct dropout none[2] = { { 0 } };
    struct tensor *qkv[3], *of_cells = model_cell_rows(m, t, b, h);
    self_linears(m, t, h, l, 1, qkv);
    qkv[0] = layer_linear(m, t, of_cells, l, "attention.self.query", ACT_NONE);
    struct tensor *a =
        tape_attention_first(t, qkv[0], qkv[1], qkv[2], m->config.n_heads, b->first, b->n_cells);
    return after_attention(m, t, a, of_cells, l, none, NULL);
}

void model_encode(struct model *m, struct tape *t, const struct batch *b,
                  const struct model_run *run, struct model_out *out)
{
    if (!t->training && !out->hidden) {
        model_encode_only(m, t, b, run, out);
        return;
    }
    const bool joint = m->config.value_encoder == VALUE_JOINT;
    struct model_embedding x = { .pairs = model_pairs(m, t, b), .index = b->pair };
    x.words = joint ? model_words(m, t, b) : NULL;
    x.word_index = b->pair;
    struct tensor *h = model_embed(m, t, b, &x, run);
    if (out->hidden)
        out->hidden[0] = h;
    for (unsigned l = 0; l < m->config.n_layers; l++) {
        if (run->reached)
            tape_on_return(t, run->reached, run->ctx, l);
        h = model_layer(m, t, h, l, b, run, NULL);
        if (out->hidden)
            out->hidden[l + 1] = h;
    }
    out->last = out->cells_only ? model_cell_rows(m, t, b, h) : h;
}

size_t model_stage_begin(const struct model *m, size_t k)
{
    char name[96] = "cls.predictions.transform.dense.weight";
    if (k < m->config.n_layers)
        snprintf(name, sizeof name, "bert.encoder.layer.%zu.attention.self.query.weight", k);
    return m->params.item[params_index(&m->params, name)].begin;
}

/* The transform before both decoders: LN(gelu(Linear(h))). */
static struct tensor *transform(struct model *m, struct tape *t, struct tensor *h, const char *head)
{
    struct tensor *z =
        tape_linear(t, h, model_par(m, "%s.predictions.transform.dense.weight", head),
                    model_par(m, "%s.predictions.transform.dense.bias", head), ACT_GELU);
    return tape_norm(t, z, NULL, model_par(m, "%s.predictions.transform.LayerNorm.weight", head),
                     model_par(m, "%s.predictions.transform.LayerNorm.bias", head),
                     m->config.norm_eps, NULL);
}

struct tensor *model_values(struct model *m, struct tape *t, struct tensor *last)
{
    return tape_linear(t, transform(m, t, last, "cls4value"),
                       model_par(m, "cls4value.predictions.decoder.weight"),
                       model_par(m, "cls4value.predictions.bias"), ACT_NONE);
}

void model_losses_later(struct model *m, struct tape *t, const struct batch *b,
                        const struct model_run *run, struct model_out *out, double loss[2])
{
    const double n = (double)run->n_masked_total;
    if (run->reached)
        tape_on_return(t, run->reached, run->ctx, m->config.n_layers);
    struct tensor *h = tape_gather(t, out->last, b->masked, b->n_masked, SIZE_MAX);
    struct tensor *z = transform(m, t, h, "cls");
    tape_id_loss_later(t, z, model_par(m, "bert.embeddings.word_embeddings.weight"),
                 model_par(m, "cls.predictions.bias"), b->label, run->id_weight / n, &out->id, &loss[0]);
    out->value_masked = model_values(m, t, h);
    tape_square_loss_later(t, out->value_masked, b->label_value, run->value_weight / n, &loss[1]);
}

void model_loss_means(const struct model_run *run, double loss[2])
{
    loss[0] = run->id_weight > 0 ? loss[0] / run->id_weight : 0;
    loss[1] = run->value_weight > 0 ? loss[1] / run->value_weight : 0;
}

void model_losses(struct model *m, struct tape *t, const struct batch *b,
                  const struct model_run *run, struct model_out *out)
{
    double loss[2] = { 0 };
    model_losses_later(m, t, b, run, out, loss);
    tape_settle(t);
    out->id.loss = loss[0];
    model_loss_means(run, loss);
    out->id_loss = loss[0];
    out->value_loss = loss[1];
}

struct tensor *model_cell_rows(struct model *m, struct tape *t, const struct batch *b,
                               struct tensor *last)
{
    (void)m;
    return tape_gather(t, last, b->first, b->n_cells, SIZE_MAX);
}

struct tensor *model_pool(struct model *m, struct tape *t, const struct batch *b,
                          struct tensor *last)
{
    return tape_linear(t, model_cell_rows(m, t, b, last), model_par(m, "bert.pooler.dense.weight"),
                       model_par(m, "bert.pooler.dense.bias"), ACT_TANH);
}

struct tensor *model_classify(struct model *m, struct tape *t, struct tensor *pooled)
{
    return tape_linear(t, pooled, model_par(m, "classifier.weight"),
                       model_par(m, "classifier.bias"), ACT_NONE);
}
