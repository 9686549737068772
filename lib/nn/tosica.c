#include "lib/nn/tosica.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/attention_share.h"
#include "lib/nn/net.h"

static const char mask_name[] = "feature_embed.fe.mask", packed_name[] = "feature_embed.packed";

static enum rc add_block(struct params *p, size_t i, const struct tosica_config *c, struct err *e)
{
    const struct {
        const char *name;
        size_t out, in; /* in 0: a layer norm */
    } part[] = { { "norm1", c->d, 0 },
                 { "attn.qkv", 3 * c->d, c->d },
                 { "attn.proj", c->d, c->d },
                 { "norm2", c->d, 0 },
                 { "mlp.fc1", c->mlp_ratio * c->d, c->d },
                 { "mlp.fc2", c->d, c->mlp_ratio * c->d } };
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < sizeof part / sizeof *part; k++) {
        char name[96];
        snprintf(name, sizeof name, "blocks.%zu.%s", i, part[k].name);
        rc = part[k].in ? net_add_linear(p, name, part[k].out, part[k].in, true, e)
                        : net_add_norm(p, name, part[k].out, e);
    }
    return rc;
}

static enum rc declare(struct tosica *m, struct err *e)
{
    const struct tosica_config *c = &m->config;
    struct params *p = &m->params;
    const size_t units = c->n_tokens * c->d;
    enum rc rc = c->first ? net_add_linear(p, packed_name, c->d, c->first[c->n_tokens], false, e)
                          : net_add_linear(p, "feature_embed.fe", units, c->n_genes, true, e);
    if (!rc)
        rc = c->first ? params_add(p, "feature_embed.fe.bias", 1, units, 1, false, e)
                      : params_add(p, mask_name, units, c->n_genes, 2, false, e);
    if (!rc)
        rc = params_add(p, "cls_token", 1, c->d, 1, false, e);
    for (size_t i = 0; !rc && i < c->depth; i++)
        rc = add_block(p, i, c, e);
    if (!rc)
        rc = net_add_norm(p, "norm", c->d, e);
    return rc ? rc : net_add_linear(p, "head", c->n_classes, c->d, true, e);
}

enum rc tosica_init(struct tosica *m, const struct tosica_config *c, const struct backend *b,
                    bool training, struct err *e)
{
    *m = (struct tosica){ .config = *c };
    if (!c->n_genes || !c->n_tokens || !c->d || !c->heads || c->d % c->heads || !c->depth ||
        c->depth > TOSICA_MAX_DEPTH || !c->mlp_ratio || !c->n_classes || !(c->norm_eps > 0) ||
        !(c->dropout >= 0 && c->dropout < 1) || !(c->path_drop >= 0 && c->path_drop < 1) ||
        (c->first && c->layout != TOSICA_STRAIGHT))
        return err_set(e, RC_INPUT,
                       "a network of %zu genes, %zu tokens of width %zu, %zu heads, %zu blocks and "
                       "%zu classes cannot be",
                       c->n_genes, c->n_tokens, c->d, c->heads, c->depth, c->n_classes);
    params_init(&m->params, b);
    enum rc rc = tape_small_check(b, e);
    if (!rc)
        rc = declare(m, e);
    if (!rc)
        rc = params_alloc(&m->params, training, e);
    if (rc)
        tosica_release(m);
    return rc;
}

void tosica_release(struct tosica *m)
{
    params_release(&m->params);
    *m = (struct tosica){ 0 };
}

void tosica_initialise(struct tosica *m, uint64_t seed)
{
    const double bound = 1 / sqrt((double)m->config.n_genes);
    net_initialise(&m->params, seed);
    for (size_t i = 0; m->config.first && i < m->params.n; i++)
        if (strncmp(m->params.item[i].name, "feature_embed.", 14) == 0)
            net_uniform(&m->params, &m->params.item[i], bound, seed);
}

void tosica_set_mask(struct tosica *m, const struct mat *mask)
{
    const struct params *p = &m->params;
    struct tensor *to = net_get(p, mask_name);
    const size_t g = m->config.n_genes, d = m->config.d;
    for (size_t j = 0; j < m->config.n_tokens * d; j++)
        reals_from_f64(p->b, (char *)to->x + j * g * p->b->real_bytes, mat_row(mask, j / d), g);
}

/* Columns of all x side by side, whatever their number, in a tree of joins. */
static struct tensor *join_all(struct tape *t, struct tensor **x, size_t n)
{
    enum { MOST = 8 }; /* of tape_join */
    while (n > 1) {
        size_t out = 0;
        for (size_t i = 0; i < n; i += MOST)
            x[out++] = tape_join(t, x + i, n - i < MOST ? n - i : MOST);
        n = out;
    }
    return x[0];
}

/* [n T, E]: a small product for each token over its own genes. */
static struct tensor *packed_tokens(const struct tosica *m, struct tape *t,
                                    const struct tosica_batch *b)
{
    const struct tosica_config *c = &m->config;
    const size_t n_tokens = c->n_tokens, wide = c->first[n_tokens];
    double *x = tape_memory(t, b->n * wide * sizeof *x);
    struct tensor **u = tape_memory(t, n_tokens * sizeof *u);
    for (size_t i = 0; x && i < b->n; i++)
        for (size_t k = 0; k < wide; k++)
            x[i * wide + k] = b->x[i * c->n_genes + c->member[k]];
    if (!x || !u)
        return &t->nothing;
    struct tensor *in = tape_input_f64(t, x, b->n, wide),
                  *w = net_get(&m->params, "%s.weight", packed_name),
                  *bias = net_get(&m->params, "feature_embed.fe.bias");
    for (size_t k = 0; k < n_tokens; k++) {
        const size_t at = c->first[k], n = c->first[k + 1] - at;
        u[k] = tape_linear(t, tape_columns(t, in, at, n), tape_columns(t, w, at, n),
                           tape_columns(t, bias, k * c->d, c->d), ACT_NONE);
    }
    if (t->failed)
        return &t->nothing;
    return tape_shape(t, join_all(t, u, n_tokens), b->n * n_tokens, c->d);
}

/* [n T, E] */
static struct tensor *tokens_of(const struct tosica *m, struct tape *t,
                                const struct tosica_batch *b)
{
    const size_t n_tokens = m->config.n_tokens, d = m->config.d, n = b->n;
    if (m->config.first)
        return packed_tokens(m, t, b);
    struct tensor mask = *net_get(&m->params, mask_name);
    mask.g = NULL;
    struct tensor *w =
        tape_pair(t, PAIR_MUL, net_get(&m->params, "feature_embed.fe.weight"), 1, &mask);
    struct tensor *u = tape_linear(t, tape_input_f64(t, b->x, n, m->config.n_genes), w,
                                   net_get(&m->params, "feature_embed.fe.bias"), ACT_NONE);
    if (m->config.layout == TOSICA_STRAIGHT)
        return tape_shape(t, u, n * n_tokens, d);
    uint32_t *from = tape_memory(t, n * n_tokens * d * sizeof *from);
    for (size_t i = 0; from && i < n * n_tokens * d; i++) {
        const size_t cell = i / (n_tokens * d), token = i / d % n_tokens;
        from[i] = (uint32_t)(cell * n_tokens * d + i % d * n_tokens + token);
    }
    u = tape_gather(t, tape_shape(t, u, n * n_tokens * d, 1), from, n * n_tokens * d, SIZE_MAX);
    return tape_shape(t, u, n * n_tokens, d);
}

/* Which rows are whose, and keys of their dropout. */
struct rows {
    uint32_t *first;
    uint8_t *species; /* all 0: the class token */
    uint64_t *key;    /* NULL: no dropout */
};

static struct rows rows_of(const struct tosica *m, struct tape *t, const struct tosica_batch *b)
{
    const size_t wide = m->config.n_tokens + 1;
    struct rows r = { tape_memory(t, (b->n + 1) * sizeof *r.first), tape_memory(t, b->n), NULL };
    if (b->key)
        r.key = tape_memory(t, b->n * wide * sizeof *r.key);
    if (t->failed)
        return r;
    memset(r.species, 0, b->n);
    for (size_t i = 0; i <= b->n; i++)
        r.first[i] = (uint32_t)(i * wide);
    for (size_t i = 0; r.key && i < b->n * wide; i++)
        r.key[i] = rng_u64(b->key[i / wide], RNG_DROPOUT, i % wide, 0);
    return r;
}

static struct dropout drop_at(const struct tosica *m, const struct tosica_batch *b,
                              const struct rows *r, uint64_t place)
{
    if (!r->key)
        return (struct dropout){ 0 };
    return (struct dropout){ (uint32_t)(m->config.dropout * 65536 + 0.5),
                             rng_u64(b->seed, RNG_DROPOUT, place, 0), r->key };
}

/* A branch of a whole cell is dropped, or scaled up. */
static struct tensor *drop_path(const struct tosica *m, struct tape *t,
                                const struct tosica_batch *b, struct tensor *x, size_t block,
                                uint64_t place)
{
    const double rate = m->config.depth > 1
                            ? m->config.path_drop * (double)block / (double)(m->config.depth - 1)
                            : 0;
    if (!b->key || !(rate > 0))
        return x;
    double *factor = tape_memory(t, x->rows * sizeof *factor);
    const uint64_t seed = rng_u64(b->seed, RNG_DROPOUT, place, 1);
    const size_t wide = m->config.n_tokens + 1;
    for (size_t i = 0; factor && i < x->rows; i++)
        factor[i] = rng_unit(seed, RNG_DROPOUT, b->key[i / wide], 0) < rate ? 0 : 1 / (1 - rate);
    return tape_pair(t, PAIR_MUL, x, 1, tape_input_f64(t, factor, x->rows, 1));
}

static struct tensor *block_norm(const struct tosica *m, struct tape *t, struct tensor *x, size_t i,
                                 const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "blocks.%zu.%s", i, what);
    return net_norm(&m->params, t, x, name, m->config.norm_eps);
}

static struct tensor *block_linear(const struct tosica *m, struct tape *t, struct tensor *x,
                                   size_t i, const char *what, enum act act)
{
    char name[64];
    snprintf(name, sizeof name, "blocks.%zu.%s", i, what);
    return net_linear(&m->params, t, x, name, act);
}

static struct tensor *block(const struct tosica *m, struct tape *t, const struct tosica_batch *b,
                            const struct rows *r, struct tensor *h, size_t i,
                            struct tosica_out *out)
{
    const size_t d = m->config.d;
    struct dropout drop[4];
    for (uint64_t k = 0; k < 4; k++)
        drop[k] = drop_at(m, b, r, 8 * i + k);
    out->input[i] = h;
    struct tensor *x = block_norm(m, t, h, i, "norm1"), *qkv[3],
                  *w = net_get(&m->params, "blocks.%zu.attn.qkv.weight", i),
                  *bias = net_get(&m->params, "blocks.%zu.attn.qkv.bias", i);
    for (size_t k = 0; k < 3; k++) /* thirds of one matrix */
        qkv[k] =
            tape_linear(t, x, tape_rows(t, w, k * d, d), tape_columns(t, bias, k * d, d), ACT_NONE);
    out->q[i] = qkv[0];
    out->k[i] = qkv[1];
    x = tape_attention(t, qkv[0], qkv[1], qkv[2], m->config.heads, r->first, b->n, &drop[0]);
    x = tape_dropout(t, block_linear(m, t, x, i, "attn.proj", ACT_NONE), &drop[1]);
    h = tape_add(t, h, 1, drop_path(m, t, b, x, i, 8 * i + 4));
    x = block_linear(m, t, block_norm(m, t, h, i, "norm2"), i, "mlp.fc1", ACT_GELU);
    x = block_linear(m, t, tape_dropout(t, x, &drop[2]), i, "mlp.fc2", ACT_NONE);
    x = tape_dropout(t, x, &drop[3]);
    return out->output[i] = tape_add(t, h, 1, drop_path(m, t, b, x, i, 8 * i + 5));
}

void tosica_forward(const struct tosica *m, struct tape *t, const struct tosica_batch *b,
                    struct tosica_out *out)
{
    const struct params *p = &m->params;
    const struct rows r = rows_of(m, t, b);
    out->tokens = tokens_of(m, t, b);
    struct tensor *h =
        tape_add_species(t, out->tokens, net_get(p, "cls_token"), r.first, r.species, b->n);
    for (size_t i = 0; i < m->config.depth; i++)
        h = block(m, t, b, &r, h, i, out);
    out->norm = net_norm(p, t, h, "norm", m->config.norm_eps);
    out->latent = tape_gather(t, out->norm, r.first, b->n, SIZE_MAX);
    out->logits = net_linear(p, t, out->latent, "head", ACT_NONE);
    out->loss = 0;
    if (b->label) {
        struct id_loss loss = { 0 };
        tape_id_loss(t, out->latent, net_get(p, "head.weight"), net_get(p, "head.bias"), b->label,
                     1.0 / (double)b->n, &loss);
        out->loss = loss.loss;
    }
}

static bool is_trained(const struct param *q, const void *unused)
{
    (void)unused;
    return strcmp(q->name, mask_name) != 0;
}

void tosica_step(struct tosica *m, double rate)
{
    net_descend(&m->params,
                (struct op_descend){
                    .kind = DESCENT_SGD, .rate = rate, .decay = 5e-5, .momentum = 0.9, .step = 1 },
                is_trained, NULL);
}

double tosica_rate(double base, size_t epoch, size_t n_epochs)
{
    const double pi = 3.14159265358979323846;
    return base * (0.99 * (1 + cos(pi * (double)epoch / (double)n_epochs)) / 2 + 0.01);
}

/* row := row A, A of one block and cell. */
static void roll(const double *q, const double *k, size_t wide, size_t d, size_t heads,
                 double *share, double *row, double *next)
{
    double *mean = share + wide * wide;
    memset(mean, 0, wide * wide * sizeof *mean);
    for (size_t h = 0; h < heads; h++) {
        const size_t w = d / heads;
        attention_share(q + h * w, k + h * w, wide, d, w, share, wide);
        for (size_t i = 0; i < wide * wide; i++)
            mean[i] += share[i] / (double)heads;
    }
    memset(next, 0, wide * sizeof *next);
    for (size_t i = 0; i < wide; i++) {
        double sum = 0;
        mean[i * wide + i] += 1;
        for (size_t j = 0; j < wide; j++)
            sum += mean[i * wide + j];
        for (size_t j = 0; j < wide; j++)
            next[j] += row[i] * mean[i * wide + j] / sum;
    }
    memcpy(row, next, wide * sizeof *row);
}

enum rc tosica_rollout(const struct tosica *m, struct tape *t, const struct tosica_out *out,
                       size_t n, double *rollout, struct err *e)
{
    const size_t wide = m->config.n_tokens + 1, d = m->config.d;
    const double *q[TOSICA_MAX_DEPTH], *k[TOSICA_MAX_DEPTH];
    double *share = malloc((2 * wide * wide + 2 * wide) * sizeof *share),
           *row = share ? share + 2 * wide * wide : NULL;
    for (size_t i = 0; i < m->config.depth; i++) {
        q[i] = tape_values(t, out->q[i]);
        k[i] = tape_values(t, out->k[i]);
    }
    enum rc rc = tape_check(t, e);
    if (!rc && !share)
        rc = err_set(e, RC_FAIL, "no memory for attention of %zu tokens", wide);
    /* Row 0 of A_last ... A_0, from the left. */
    for (size_t c = 0; !rc && c < n; c++) {
        memset(row, 0, wide * sizeof *row);
        row[0] = 1;
        for (size_t i = m->config.depth; i-- > 0;)
            roll(q[i] + c * wide * d, k[i] + c * wide * d, wide, d, m->config.heads, share, row,
                 row + wide);
        memcpy(rollout + c * (wide - 1), row + 1, (wide - 1) * sizeof *rollout);
    }
    free(share);
    return rc;
}

size_t tosica_choose_sets(const size_t *n_listed, const size_t *n_hits, size_t n_sets,
                          size_t n_genes, size_t max_listed, size_t more_hits_than, size_t max_sets,
                          uint32_t *kept)
{
    size_t n = 0, out = 0;
    for (size_t i = 0; i <= n_sets; i++)
        if ((i == n_sets || n_listed[i] <= max_listed) &&
            (i == n_sets ? n_genes : n_hits[i]) > more_hits_than)
            kept[n++] = (uint32_t)i;
    for (size_t a = 0; a < n; a++) {
        const size_t mine = kept[a] == n_sets ? n_genes : n_hits[kept[a]];
        size_t before = 0; /* with more hits, or as many and earlier in the file */
        for (size_t i = 0; i <= n_sets; i++) {
            const size_t his = i == n_sets ? n_genes : n_hits[i];
            const bool in = (i == n_sets || n_listed[i] <= max_listed) && his > more_hits_than;
            before += in && (his > mine || (his == mine && i < kept[a]));
        }
        if (before < max_sets)
            kept[out++] = kept[a];
    }
    return out;
}
