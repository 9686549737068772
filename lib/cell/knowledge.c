#include "lib/cell/knowledge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"

enum { FILL_TASK = 256 };

/* hash(kind, gene id). */
static uint64_t key_of(enum knowledge_kind kind, const char *id)
{
    char text[256];
    snprintf(text, sizeof text, "%s\t%s", knowledge_kind_name(kind), id);
    return hash_text(text);
}

/* The pairs of one species by rows that are numbered by rising token. */
struct part {
    struct pairs pairs;
    uint32_t *token; /* [n] of each row */
    uint64_t *key;   /* [n] */
    uint32_t *row;   /* [n_tokens] of each token, UINT32_MAX: none */
    size_t n;
};

static void part_release(struct part *p)
{
    pairs_release(&p->pairs);
    free(p->token);
    free(p->key);
    free(p->row);
}

static enum rc part_fill(struct part *p, enum knowledge_kind kind, const struct vocab *v,
                         const struct pairs *all, enum species s, struct err *e)
{
    *p = (struct part){ 0 };
    p->token = calloc(v->n + 1, sizeof *p->token);
    p->key = calloc(v->n + 1, sizeof *p->key);
    p->row = calloc(v->n + 1, sizeof *p->row);
    if (!p->token || !p->key || !p->row)
        return err_set(e, RC_FAIL, "no memory for %zu genes", v->n);
    for (size_t i = 0; i < all->n; i++)
        if (v->entry[all->at[i].a].species == s)
            p->row[all->at[i].a] = p->row[all->at[i].b] = 1;
    for (uint32_t t = 0; t < v->n; t++) {
        if (!p->row[t]) {
            p->row[t] = UINT32_MAX;
            continue;
        }
        p->token[p->n] = t;
        p->key[p->n] = key_of(kind, v->entry[t].id);
        p->row[t] = (uint32_t)p->n++;
    }
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < all->n; i++)
        if (v->entry[all->at[i].a].species == s)
            rc = pairs_add(&p->pairs, p->row[all->at[i].a], p->row[all->at[i].b], e);
    return rc;
}

/* Mean over components of the standard deviation over the present rows of a species (n - 1; 0 for
 * one row). mean, square: dim doubles each. */
static double spread(const struct knowledge_table *k, const struct vocab *v, enum species s,
                     double *mean, double *square)
{
    size_t n = 0;
    double sum = 0;
    memset(mean, 0, k->dim * sizeof *mean);
    memset(square, 0, k->dim * sizeof *square);
    for (int pass = 0; pass < 2; pass++)
        for (size_t t = 0; t < k->n_tokens; t++) {
            if (!k->present[t] || v->entry[t].species != s)
                continue;
            n += pass == 0;
            for (size_t i = 0; i < k->dim; i++) {
                const double x = (double)k->vector[t * k->dim + i], d = x - mean[i] / (double)n;
                if (pass == 0)
                    mean[i] += x;
                else
                    square[i] += d * d;
            }
        }
    for (size_t i = 0; i < k->dim; i++)
        sum += n > 1 ? sqrt(square[i] / (double)(n - 1)) : 0;
    return sum / (double)k->dim;
}

struct forward {
    const struct sgns_options *o;
    size_t before;
};

static void tell(void *ctx, size_t n_done)
{
    const struct forward *f = ctx;
    f->o->progress(f->o->ctx, f->before + n_done);
}

static enum rc learn_part(struct knowledge_table *k, const struct part *p, enum species s,
                          const struct sgns_options *o, size_t before, struct knowledge_counts *c,
                          struct err *e)
{
    struct sgns m;
    struct forward f = { o, before };
    struct sgns_options mine = *o;
    if (o->progress) {
        mine.progress = tell;
        mine.ctx = &f;
    }
    mine.stream = (uint64_t)k->kind * 2 + (uint64_t)s;
    enum rc rc = sgns_alloc(&m, p->n, k->dim, e);
    if (rc)
        return rc;
    sgns_start(&m, o->seed, p->key);
    rc = sgns_train(&m, &p->pairs, &mine, &c->sgns[s], e);
    for (size_t r = 0; !rc && r < p->n; r++) {
        memcpy(k->vector + p->token[r] * k->dim, m.in + r * m.stride, k->dim * sizeof *m.in);
        k->present[p->token[r]] = 1;
    }
    sgns_release(&m);
    return rc;
}

struct filling {
    struct knowledge_table *k;
    const struct vocab *v;
    const double *sd;
    uint64_t seed;
};

static void fill_task(void *ctx, size_t task, int worker)
{
    const struct filling *f = ctx;
    struct knowledge_table *k = f->k;
    (void)worker;
    for (size_t t = task * FILL_TASK; t < (task + 1) * FILL_TASK && t < k->n_tokens; t++) {
        const struct vocab_entry *x = &f->v->entry[t];
        if (k->present[t] || x->species == SPECIES_UNKNOWN)
            continue;
        const uint64_t key = key_of(k->kind, x->id);
        for (size_t i = 0; i < k->dim; i++)
            k->vector[t * k->dim + i] =
                (float)(f->sd[x->species] * rng_normal(f->seed, RNG_KNOWLEDGE_FILL, key, i));
    }
}

static enum rc check_pairs(const struct vocab *v, const struct pairs *p, struct err *e)
{
    if (!p->n)
        return err_set(e, RC_INPUT, "no pair of two genes of the vocabulary");
    for (size_t i = 0; i < p->n; i++) {
        const uint32_t a = p->at[i].a, b = p->at[i].b;
        if (a >= v->n || b >= v->n || v->entry[a].species == SPECIES_UNKNOWN)
            return err_set(e, RC_INPUT, "pair %zu: tokens %u and %u of %zu", i, a, b, v->n);
        if (v->entry[a].species != v->entry[b].species)
            return err_set(e, RC_INPUT, "pair %zu joins '%s' and '%s', of two species", i,
                           v->entry[a].id, v->entry[b].id);
    }
    return RC_OK;
}

static enum rc learn_species(struct knowledge_table *k, const struct vocab *v,
                             const struct pairs *pairs, enum species s,
                             const struct sgns_options *o, struct knowledge_counts *c,
                             struct err *e)
{
    struct part p;
    enum rc rc = part_fill(&p, k->kind, v, pairs, s, e);
    if (!rc && p.n) {
        c->lines[s] = p.pairs.n;
        c->learned[s] = p.n;
        rc = learn_part(k, &p, s, o, s ? c->lines[0] * o->passes : 0, c, e);
        pairs_distinct(&p.pairs);
        c->distinct[s] = p.pairs.n;
    }
    part_release(&p);
    return rc;
}

enum rc knowledge_learn(struct knowledge_table *k, enum knowledge_kind kind, const struct vocab *v,
                        struct pairs *pairs, size_t dim, const struct sgns_options *o,
                        struct knowledge_counts *c, struct err *e)
{
    *k = (struct knowledge_table){ 0 };
    *c = (struct knowledge_counts){ 0 };
    enum rc rc = check_pairs(v, pairs, e);
    if (rc || (rc = knowledge_table_alloc(k, kind, v->n, dim, e)))
        return rc;
    pairs_sort(pairs);
    for (int s = 0; !rc && s < 2; s++)
        rc = learn_species(k, v, pairs, (enum species)s, o, c, e);
    if (rc) {
        knowledge_table_release(k);
        return rc;
    }
    return knowledge_fill(k, v, o->seed, NULL, c, e);
}

enum rc knowledge_fill(struct knowledge_table *k, const struct vocab *v, uint64_t seed,
                       const double spare_sd[2], struct knowledge_counts *c, struct err *e)
{
    for (int s = 0; s < 2; s++)
        c->learned[s] = c->filled[s] = 0;
    for (size_t t = 0; t < v->n; t++)
        if (v->entry[t].species != SPECIES_UNKNOWN)
            ++(k->present[t] ? c->learned : c->filled)[v->entry[t].species];
    if (!c->learned[0] && !c->learned[1] && !(spare_sd && spare_sd[0] + spare_sd[1] > 0))
        return err_set(e, RC_INPUT, "nothing is known of any gene of the vocabulary");
    double *work = malloc(2 * k->dim * sizeof *work);
    if (!work)
        return err_set(e, RC_FAIL, "no memory for %zu sums", k->dim);
    for (int s = 0; s < 2; s++)
        c->sd[s] = c->learned[s] ? spread(k, v, (enum species)s, work, work + k->dim)
                   : spare_sd    ? spare_sd[s]
                                 : 0;
    free(work);
    for (int s = 0; s < 2; s++)
        if (!c->learned[s] && !(c->sd[s] > 0))
            c->sd[s] = c->sd[!s];
    struct filling f = { k, v, c->sd, seed };
    threads_for((v->n + FILL_TASK - 1) / FILL_TASK, fill_task, &f);
    return RC_OK;
}
