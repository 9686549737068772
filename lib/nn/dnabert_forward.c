/* The forward pass and the loss. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/data/kmer.h"
#include "lib/nn/dnabert.h"

struct run {
    struct dnabert *m;
    struct tape *t;
    const struct dna_batch *b;
    uint64_t drop_seed;
};

__attribute__((format(printf, 2, 3))) static struct tensor *par(struct dnabert *m, const char *fmt,
                                                                ...)
{
    char name[96];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    return &m->params.item[params_index(&m->params, name)].t;
}

/* place: 0 the embedding; 1 + 3l attention, 2 + 3l after it, 3 + 3l after the feed-forward. */
static struct dropout drop_at(const struct run *r, uint64_t place)
{
    struct dropout d = { .row_key = r->b->row_key };
    if (r->drop_seed) {
        d.threshold = (uint32_t)(r->m->config.dropout * 65536 + 0.5);
        d.seed = rng_u64(r->drop_seed, RNG_DROPOUT, place, 0);
    }
    return d;
}

static struct tensor *embed(const struct run *r)
{
    struct tensor *x = tape_gather(r->t, par(r->m, "bert.embeddings.word_embeddings.weight"),
                                   r->b->id, r->b->n_rows, KMER_PAD);
    x = tape_add_position(r->t, x, par(r->m, "bert.embeddings.token_type_embeddings.weight"),
                          par(r->m, "bert.embeddings.position_embeddings.weight"), r->b->rank);
    x = tape_norm(r->t, x, NULL, par(r->m, "bert.embeddings.LayerNorm.weight"),
                  par(r->m, "bert.embeddings.LayerNorm.bias"), r->m->config.norm_eps, NULL);
    const struct dropout drop = drop_at(r, 0);
    return tape_dropout(r->t, x, &drop);
}

static struct tensor *layer_linear(const struct run *r, struct tensor *x, unsigned l,
                                   const char *what, enum act act)
{
    return tape_linear(r->t, x, par(r->m, "bert.encoder.layer.%u.%s.weight", l, what),
                       par(r->m, "bert.encoder.layer.%u.%s.bias", l, what), act);
}

/* into: where the output goes, without gradients; NULL: fresh memory. */
static struct tensor *layer_norm(const struct run *r, struct tensor *x, struct tensor *skip,
                                 unsigned l, const char *what, uint64_t place, struct tensor *into)
{
    const struct dropout drop = drop_at(r, place);
    const double eps = r->m->config.norm_eps;
    struct tensor *gamma = par(r->m, "bert.encoder.layer.%u.%s.LayerNorm.weight", l, what);
    struct tensor *beta = par(r->m, "bert.encoder.layer.%u.%s.LayerNorm.bias", l, what);
    if (!into)
        return tape_norm_over(r->t, x, skip, gamma, beta, eps, &drop);
    tape_norm_into(r->t, x, skip, gamma, beta, eps, &drop, into);
    return into;
}

static const char *const self[3] = { "query", "key", "value" };

/* self[from..3) of h, to y. */
static void self_linears(const struct run *r, struct tensor *h, unsigned l, int from,
                         struct tensor *y[3])
{
    struct tensor *w[3], *bias[3];
    for (int i = from; i < 3; i++) {
        w[i] = par(r->m, "bert.encoder.layer.%u.attention.self.%s.weight", l, self[i]);
        bias[i] = par(r->m, "bert.encoder.layer.%u.attention.self.%s.bias", l, self[i]);
    }
    tape_linears(r->t, h, (size_t)(3 - from), w + from, bias + from, y + from);
}

static struct tensor *attend(const struct run *r, struct tensor *h, unsigned l)
{
    const struct dropout drop = drop_at(r, 1 + 3 * l);
    struct tensor *qkv[3];
    self_linears(r, h, l, 0, qkv);
    return tape_attention(r->t, qkv[0], qkv[1], qkv[2], r->m->config.n_heads, r->b->first,
                          r->b->n_chunks, &drop);
}

/* What follows the attention a: row by row, so some of the rows will do. */
static struct tensor *after_attention(const struct run *r, struct tensor *a, struct tensor *h,
                                      unsigned l, struct tensor *into)
{
    a = layer_linear(r, a, l, "attention.output.dense", ACT_NONE);
    h = layer_norm(r, a, h, l, "attention.output", 2 + 3 * l, NULL);
    struct tensor *f = layer_linear(r, h, l, "intermediate.dense", ACT_GELU);
    f = layer_linear(r, f, l, "output.dense", ACT_NONE);
    return layer_norm(r, f, h, l, "output", 3 + 3 * l, into);
}

/* Without gradients nothing of a layer is needed after it but its output: two buffers take turns,
 * and the memory of one layer serves all. */
static struct tensor *encode_only(const struct run *r, unsigned n_layers)
{
    const struct dnabert_config *c = &r->m->config;
    struct tensor *keep[2] = { tape_new(r->t, r->b->n_rows, c->d),
                               tape_new(r->t, r->b->n_rows, c->d) };
    const struct tape_mark mark = tape_mark(r->t);
    struct tensor *h = embed(r);
    if (!n_layers)
        return h;
    for (unsigned l = 0; l < n_layers && !r->t->failed; l++) {
        h = after_attention(r, attend(r, h, l), h, l, keep[l % 2]);
        if (!r->t->failed)
            tape_rewind(r->t, mark);
    }
    return r->t->failed ? &r->t->nothing : h;
}

struct tensor *dnabert_encode(struct dnabert *m, struct tape *t, const struct dna_batch *b,
                              uint64_t drop_seed)
{
    const struct run r = { m, t, b, drop_seed };
    if (!t->training)
        return encode_only(&r, m->config.n_layers);
    struct tensor *h = embed(&r);
    for (unsigned l = 0; l < m->config.n_layers; l++)
        h = after_attention(&r, attend(&r, h, l), h, l, NULL);
    return h;
}

struct tensor *dnabert_cls(struct tape *t, const struct dna_batch *b, struct tensor *last)
{
    return tape_gather(t, last, b->first, b->n_chunks, SIZE_MAX);
}

struct tensor *dnabert_encode_cls(struct dnabert *m, struct tape *t, const struct dna_batch *b)
{
    const struct run r = { m, t, b, 0 };
    const unsigned last = m->config.n_layers - 1;
    struct tensor *h = encode_only(&r, last), *cls = dnabert_cls(t, b, h), *qkv[3];
    if (!t->b->attention_first)
        return after_attention(&r, dnabert_cls(t, b, attend(&r, h, last)), cls, last, NULL);
    self_linears(&r, h, last, 1, qkv);
    qkv[0] = layer_linear(&r, cls, last, "attention.self.query", ACT_NONE);
    struct tensor *a =
        tape_attention_first(t, qkv[0], qkv[1], qkv[2], m->config.n_heads, b->first, b->n_chunks);
    return after_attention(&r, a, cls, last, NULL);
}

struct tensor *dnabert_pool(struct dnabert *m, struct tape *t, struct tensor *cls)
{
    return tape_linear(t, cls, par(m, "bert.pooler.dense.weight"), par(m, "bert.pooler.dense.bias"),
                       ACT_TANH);
}

double dnabert_loss(struct dnabert *m, struct tape *t, const struct dna_batch *b,
                    struct tensor *last, double scale)
{
    struct id_loss loss = { 0 };
    struct tensor *z = tape_gather(t, last, b->masked, b->n_masked, SIZE_MAX);
    z = tape_linear(t, z, par(m, "cls.predictions.transform.dense.weight"),
                    par(m, "cls.predictions.transform.dense.bias"), ACT_GELU);
    z = tape_norm(t, z, NULL, par(m, "cls.predictions.transform.LayerNorm.weight"),
                  par(m, "cls.predictions.transform.LayerNorm.bias"), m->config.norm_eps, NULL);
    tape_id_loss(t, z, par(m, "bert.embeddings.word_embeddings.weight"),
                 par(m, "cls.predictions.bias"), b->label, scale, &loss);
    return loss.loss;
}
