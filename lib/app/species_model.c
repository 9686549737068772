#include "lib/app/species_model.h"

#include <stdlib.h>
#include <string.h>

#include "lib/app/knowledge_file.h"
#include "lib/base/rng.h"

#define WORDS "bert.embeddings.word_embeddings.weight"
#define BIAS "cls.predictions.bias"
#define SPECIES_TOKEN "bert.cls_embedding.weight"

/* The values of a parameter as floats; the caller frees them. NULL: no memory. */
static float *floats_of(const struct model *m, const struct param *p)
{
    float *x = malloc((p->rows * p->cols + 1) * sizeof *x);
    if (x)
        reals_to_f32(m->params.b, x, p->t.x, p->rows * p->cols);
    return x;
}

static enum rc store(const struct model *m, const struct param *p, const float *x, struct err *e)
{
    double *wide = malloc((p->rows * p->cols + 1) * sizeof *wide);
    if (!wide)
        return err_set(e, RC_FAIL, "no memory for '%s'", p->name);
    for (size_t i = 0; i < p->rows * p->cols; i++)
        wide[i] = (double)x[i];
    reals_from_f64(m->params.b, p->t.x, wide, p->rows * p->cols);
    free(wide);
    return RC_OK;
}

/* Rows of the new tokens: the homologs' mix, or N(0, init_sd) by the gene's id. */
static void new_words(const struct vocab *now, const struct species_links *l, double sd,
                      uint64_t seed, float *x, size_t d)
{
    for (size_t g = 0; g < l->n; g++) {
        const size_t t = l->first_token + g, n = l->first[g + 1] - l->first[g];
        const uint64_t id = hash_text(now->entry[t].id);
        if (n)
            species_mix(x, d, l->source + l->first[g], n, x + t * d);
        for (size_t i = 0; !n && i < d; i++)
            x[t * d + i] = (float)(sd * rng_normal(seed, RNG_INIT, id, i));
    }
}

static void new_biases(const struct species_links *l, float *x)
{
    for (size_t g = 0; g < l->n; g++) {
        double sum = 0;
        for (size_t k = l->first[g]; k < l->first[g + 1]; k++)
            sum += (double)x[l->source[k]];
        const size_t n = l->first[g + 1] - l->first[g];
        x[l->first_token + g] = (float)(n ? sum / (double)n : 0);
    }
}

static enum rc copy_weights(const struct model *old, const struct vocab *now, enum species s,
                            const struct species_links *l, uint64_t seed, struct model *to,
                            struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < to->params.n; i++) {
        const struct param *p = &to->params.item[i], *q = params_find(&old->params, p->name);
        float *x = calloc(p->rows * p->cols + 1, sizeof *x), *from = q ? floats_of(old, q) : NULL;
        if (!x || !from) {
            free(x);
            free(from);
            return err_set(e, RC_FAIL, "no memory for '%s'", p->name);
        }
        memcpy(x, from, q->rows * q->cols * sizeof *x);
        if (strcmp(p->name, WORDS) == 0)
            new_words(now, l, old->config.init_sd, seed, x, p->cols);
        else if (strcmp(p->name, BIAS) == 0)
            new_biases(l, x);
        else if (strcmp(p->name, SPECIES_TOKEN) == 0)
            memcpy(x + (size_t)s * p->cols, from + (size_t)!s * p->cols, p->cols * sizeof *x);
        rc = store(to, p, x, e);
        free(x);
        free(from);
    }
    to->alpha = old->alpha;
    to->warm_steps = old->warm_steps;
    return rc;
}

/* A kind of which no table is given, from the model's buffer. */
static enum rc from_buffer(const struct model *old, int kind, const struct vocab *now,
                           const struct species_links *l, uint64_t seed, float *rows, struct err *e)
{
    struct knowledge_table a, b;
    struct species_rows r;
    const size_t k = old->config.knowledge_dim;
    enum rc rc = knowledge_table_alloc(&a, (enum knowledge_kind)kind, old->config.n_tokens, k, e);
    if (rc)
        return rc;
    memcpy(a.vector, old->tables.knowledge[kind], a.n_tokens * k * sizeof *a.vector);
    for (size_t t = TOKEN_FIRST_GENE; t < a.n_tokens; t++)
        for (size_t i = 0; i < k && !a.present[t]; i++)
            a.present[t] = a.vector[t * k + i] > 0 || a.vector[t * k + i] < 0;
    rc = species_table(&a, now, l, NULL, seed, &b, &r, e);
    if (!rc)
        memcpy(rows, b.vector, b.n_tokens * k * sizeof *rows);
    if (!rc)
        knowledge_table_release(&b);
    knowledge_table_release(&a);
    return rc;
}

static enum rc copy_knowledge(const struct model *old, const struct vocab *now,
                              const struct species_links *l,
                              const struct knowledge_table *const table[N_KNOWLEDGE], uint64_t seed,
                              struct model *to, struct err *e)
{
    const size_t k = old->config.knowledge_dim;
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < N_KNOWLEDGE; i++) {
        if (!old->config.use_knowledge[i])
            continue;
        const float *was = old->tables.knowledge[i];
        float *rows = to->tables.knowledge[i] = calloc(now->n * k + 1, sizeof *rows);
        if (!rows)
            rc = err_set(e, RC_FAIL, "no memory for %zu rows of knowledge", now->n);
        else if (!table[i])
            rc = from_buffer(old, i, now, l, seed, rows, e);
        else if (table[i]->dim != k ||
                 memcmp(table[i]->vector, was, old->config.n_tokens * k * sizeof *was) != 0)
            rc = err_set(e, RC_INPUT, "the model has other rows of kind '%s' than the table",
                         knowledge_kind_name((enum knowledge_kind)i));
        else
            memcpy(rows, table[i]->vector, now->n * k * sizeof *rows);
    }
    return rc;
}

enum rc species_model(const struct model *old, const struct vocab *now, enum species s,
                      const struct species_links *l,
                      const struct knowledge_table *const table[N_KNOWLEDGE], uint64_t seed,
                      struct model *to, struct err *e)
{
    struct model_config c = old->config;
    *to = (struct model){ 0 };
    if (c.n_tokens != l->first_token)
        return err_set(e, RC_INPUT, "the model has %u tokens, the vocabulary %zu", c.n_tokens,
                       l->first_token);
    c.n_tokens = (uint32_t)now->n;
    enum rc rc = model_init(to, &c, old->params.b, false, 0, e);
    if (!rc)
        rc = copy_weights(old, now, s, l, seed, to, e);
    if (!rc)
        rc = copy_knowledge(old, now, l, table, seed, to, e);
    if (!rc)
        homologs_give(to, now);
    if (rc)
        model_release(to);
    return rc;
}
