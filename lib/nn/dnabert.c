/* Configuration, parameters, chunks. */
#include "lib/nn/dnabert.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/data/kmer.h"

struct dnabert_config dnabert_config_base(void)
{
    return (struct dnabert_config){ .n_layers = 12,
                                    .n_heads = 12,
                                    .d = 768,
                                    .ffn = 3072,
                                    .max_positions = 512,
                                    .n_tokens = kmer_n_tokens(6),
                                    .type_vocab = 2,
                                    .k = 6,
                                    .norm_eps = 1e-12,
                                    .dropout = 0.1 };
}

struct dnabert_config dnabert_config_small(void)
{
    struct dnabert_config c = dnabert_config_base();
    c.n_layers = 2;
    c.n_heads = 4;
    c.d = 128;
    c.ffn = 512;
    return c;
}

enum rc dnabert_config_check(const struct dnabert_config *c, struct err *e)
{
    const struct {
        const char *name;
        uint32_t x, max;
    } size[] = { { "num_hidden_layers", c->n_layers, 1024 },
                 { "num_attention_heads", c->n_heads, 1024 },
                 { "hidden_size", c->d, 1 << 14 },
                 { "intermediate_size", c->ffn, 1 << 16 },
                 { "max_position_embeddings", c->max_positions, 1 << 16 },
                 { "type_vocab_size", c->type_vocab, 1 << 16 } };
    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        if (size[i].x < 1 || size[i].x > size[i].max)
            return err_set(e, RC_INPUT, "%s is %u, not 1 to %u", size[i].name, size[i].x,
                           size[i].max);
    if (c->k < 1 || c->k > KMER_MAX || c->n_tokens != kmer_n_tokens(c->k))
        return err_set(e, RC_INPUT, "vocab_size %u is not 4^k + 5 for words of k = 1 to %d bases",
                       c->n_tokens, KMER_MAX);
    if (c->max_positions < 3)
        return err_set(e, RC_INPUT, "max_position_embeddings %u leaves no room for a word",
                       c->max_positions);
    if (c->d % c->n_heads)
        return err_set(e, RC_INPUT, "hidden_size %u is no multiple of num_attention_heads %u", c->d,
                       c->n_heads);
    if (!(c->dropout >= 0 && c->dropout < 1) || !(c->norm_eps > 0))
        return err_set(e, RC_INPUT,
                       "the dropout rate is not within [0, 1) or layer_norm_eps not "
                       "above 0");
    return RC_OK;
}

/* Declares parameters; stops at the first failure. */
struct declare {
    struct params *p;
    struct err *e;
    enum rc rc;
};

__attribute__((format(printf, 5, 6))) static void
declare(struct declare *d, size_t rows, size_t cols, int n_dims, const char *fmt, ...)
{
    char name[96];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    if (!d->rc)
        d->rc = params_add(d->p, name, rows, cols, n_dims, n_dims == 2, d->e);
}

static void linear(struct declare *d, size_t out, size_t in, const char *stem)
{
    declare(d, out, in, 2, "%s.weight", stem);
    declare(d, 1, out, 1, "%s.bias", stem);
}

static void norm(struct declare *d, size_t n, const char *stem)
{
    declare(d, 1, n, 1, "%s.weight", stem);
    declare(d, 1, n, 1, "%s.bias", stem);
}

static void layer(struct declare *d, const struct dnabert_config *c, unsigned l)
{
    static const char *const square[] = { "attention.self.query", "attention.self.key",
                                          "attention.self.value", "attention.output.dense" };
    char stem[64];
    for (int i = 0; i < 4; i++) {
        snprintf(stem, sizeof stem, "bert.encoder.layer.%u.%s", l, square[i]);
        linear(d, c->d, c->d, stem);
    }
    snprintf(stem, sizeof stem, "bert.encoder.layer.%u.attention.output.LayerNorm", l);
    norm(d, c->d, stem);
    snprintf(stem, sizeof stem, "bert.encoder.layer.%u.intermediate.dense", l);
    linear(d, c->ffn, c->d, stem);
    snprintf(stem, sizeof stem, "bert.encoder.layer.%u.output.dense", l);
    linear(d, c->d, c->ffn, stem);
    snprintf(stem, sizeof stem, "bert.encoder.layer.%u.output.LayerNorm", l);
    norm(d, c->d, stem);
}

static void lstm(struct declare *d, const struct dnabert_config *c)
{
    for (int l = 0; l < 2; l++)
        for (int r = 0; r < 2; r++) {
            const char *end = r ? "_reverse" : "";
            declare(d, 4 * c->d, l ? 2 * c->d : c->d, 2, "rnn.weight_ih_l%d%s", l, end);
            declare(d, 4 * c->d, c->d, 2, "rnn.weight_hh_l%d%s", l, end);
            declare(d, 1, 4 * c->d, 1, "rnn.bias_ih_l%d%s", l, end);
            declare(d, 1, 4 * c->d, 1, "rnn.bias_hh_l%d%s", l, end);
        }
}

enum rc dnabert_init(struct dnabert *m, const struct dnabert_config *c, const struct backend *b,
                     bool training, struct err *e)
{
    *m = (struct dnabert){ .config = *c };
    enum rc rc = dnabert_config_check(c, e);
    if (rc)
        return rc;
    params_init(&m->params, b);
    struct declare d = { &m->params, e, RC_OK };
    declare(&d, c->n_tokens, c->d, 2, "bert.embeddings.word_embeddings.weight");
    declare(&d, c->max_positions, c->d, 2, "bert.embeddings.position_embeddings.weight");
    declare(&d, c->type_vocab, c->d, 2, "bert.embeddings.token_type_embeddings.weight");
    norm(&d, c->d, "bert.embeddings.LayerNorm");
    for (unsigned l = 0; l < c->n_layers; l++)
        layer(&d, c, l);
    linear(&d, c->d, c->d, "bert.pooler.dense");
    linear(&d, c->d, c->d, "cls.predictions.transform.dense");
    norm(&d, c->d, "cls.predictions.transform.LayerNorm");
    declare(&d, 1, c->n_tokens, 1, "cls.predictions.bias");
    if (c->lstm)
        lstm(&d, c);
    rc = d.rc ? d.rc : params_alloc(&m->params, training, e);
    if (rc)
        dnabert_release(m);
    return rc;
}

void dnabert_release(struct dnabert *m)
{
    params_release(&m->params);
    *m = (struct dnabert){ 0 };
}

void dnabert_randomise(struct dnabert *m, uint64_t seed)
{
    params_randomise(&m->params, 0.02, seed);
}

size_t dna_chunks(const struct dnabert_config *c, size_t n)
{
    return (n + c->max_positions - 3) / (c->max_positions - 2);
}

void dna_batch_add(struct dna_batch *b, const struct dnabert_config *c, const uint32_t *word,
                   size_t n, uint64_t key)
{
    const size_t most = c->max_positions - 2;
    for (size_t at = 0; at < n; at += most) {
        const size_t words = n - at < most ? n - at : most;
        const size_t row = b->n_rows;
        b->first[b->n_chunks++] = (uint32_t)row;
        b->id[row] = KMER_CLS;
        memcpy(b->id + row + 1, word + at, words * sizeof *word);
        b->id[row + words + 1] = KMER_SEP;
        for (size_t i = 0; i < words + 2; i++) {
            b->rank[row + i] = (uint32_t)i;
            b->row_key[row + i] = key ^ (at + i) << 32;
        }
        b->n_rows += words + 2;
        b->first[b->n_chunks] = (uint32_t)b->n_rows;
    }
}
