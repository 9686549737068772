/* Link prediction on held-out pairs of a relation, with two baselines on the graph of the others:
 * the product of degrees, and Adamic-Adar (sum over common neighbours of 1 / log degree). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/knowledge_worth.h"
#include "lib/base/rng.h"
#include "lib/cell/sgns.h"
#include "lib/nn/metrics_rank.h"

enum { HELD = 10, MOST_TESTS = 20000, TRIES = 100 };

/* A relation of one species by rows 0..n-1. */
struct relation {
    size_t n;
    uint32_t *row;                 /* [n_tokens] */
    uint64_t *key;                 /* [n] */
    struct pairs all;              /* distinct */
    struct pairs train, test;      /* lines, distinct pairs */
    struct pairs bad;              /* negatives, one for each test pair where one was found */
    uint32_t *degree, *first, *to; /* graph of training pairs: first [n + 1], to sorted */
};

static void relation_release(struct relation *r)
{
    free(r->row);
    free(r->key);
    free(r->degree);
    free(r->first);
    free(r->to);
    pairs_release(&r->all);
    pairs_release(&r->train);
    pairs_release(&r->test);
    pairs_release(&r->bad);
}

static bool is_held(uint64_t seed, struct pair p)
{
    return rng_below(seed, RNG_SPLIT, (uint64_t)p.a << 32 | p.b, 0, HELD) == 0;
}

/* Rows are numbered as training lines name them, so a gene of held-out pairs only has none. */
static enum rc number_rows(struct relation *r, const struct vocab *v, enum species s,
                           const struct pairs *lines, uint64_t seed, struct err *e)
{
    r->row = malloc((v->n + 1) * sizeof *r->row);
    r->key = calloc(v->n + 1, sizeof *r->key);
    if (!r->row || !r->key)
        return err_set(e, RC_FAIL, "no memory for %zu genes", v->n);
    for (size_t t = 0; t < v->n; t++)
        r->row[t] = UINT32_MAX;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < lines->n; i++) {
        const struct pair p = lines->at[i];
        if (v->entry[p.a].species != s || is_held(seed, p))
            continue;
        for (int k = 0; k < 2; k++) {
            const uint32_t t = k ? p.b : p.a;
            if (r->row[t] == UINT32_MAX) {
                r->key[r->n] = hash_text(v->entry[t].id);
                r->row[t] = (uint32_t)r->n++;
            }
        }
        rc = pairs_add(&r->train, r->row[p.a], r->row[p.b], e);
    }
    return rc;
}

static enum rc split(struct relation *r, const struct vocab *v, enum species s,
                     const struct pairs *lines, uint64_t seed, struct err *e)
{
    enum rc rc = number_rows(r, v, s, lines, seed, e);
    for (size_t i = 0; !rc && i < lines->n; i++) {
        const struct pair p = lines->at[i];
        if (v->entry[p.a].species != s || r->row[p.a] == UINT32_MAX || r->row[p.b] == UINT32_MAX)
            continue;
        rc = pairs_add(&r->all, r->row[p.a], r->row[p.b], e);
        if (!rc && is_held(seed, p))
            rc = pairs_add(&r->test, r->row[p.a], r->row[p.b], e);
    }
    pairs_distinct(&r->all);
    pairs_distinct(&r->test);
    return rc;
}

static int by_pair(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

/* At most MOST_TESTS test pairs, and as many negatives. */
static enum rc draw_tests(struct relation *r, uint64_t seed, struct err *e)
{
    struct pairs kept = { 0 };
    const double share = r->test.n > MOST_TESTS ? (double)MOST_TESTS / (double)r->test.n : 1;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < r->test.n; i++)
        if (rng_unit(seed, RNG_SPLIT, 1, i) < share)
            rc = pairs_add(&kept, r->test.at[i].a, r->test.at[i].b, e);
    pairs_release(&r->test);
    r->test = kept;
    for (uint64_t i = 0; !rc && i < kept.n; i++)
        for (uint64_t k = 0; !rc && k < TRIES; k++) {
            const uint64_t x = rng_below(seed, RNG_SPLIT, 2 + i, 2 * k, 2 * kept.n),
                           y = rng_below(seed, RNG_SPLIT, 2 + i, 2 * k + 1, 2 * kept.n);
            const uint32_t a = x % 2 ? kept.at[x / 2].a : kept.at[x / 2].b,
                           b = y % 2 ? kept.at[y / 2].a : kept.at[y / 2].b;
            const struct pair p = { a < b ? a : b, a < b ? b : a };
            if (a == b || bsearch(&p, r->all.at, r->all.n, sizeof p, by_pair))
                continue;
            rc = pairs_add(&r->bad, a, b, e);
            break;
        }
    return rc;
}

static enum rc make_graph(struct relation *r, struct err *e)
{
    struct pairs d = { 0 };
    enum rc rc = pairs_append(&d, &r->train, e);
    if (rc)
        return rc;
    pairs_distinct(&d);
    r->degree = calloc(r->n + 1, sizeof *r->degree);
    r->first = calloc(r->n + 2, sizeof *r->first);
    r->to = calloc(2 * d.n + 1, sizeof *r->to);
    if (!r->degree || !r->first || !r->to)
        rc = err_set(e, RC_FAIL, "no memory for %zu pairs", d.n);
    for (size_t i = 0; !rc && i < d.n; i++) {
        r->degree[d.at[i].a]++;
        r->degree[d.at[i].b]++;
    }
    for (size_t g = 0; !rc && g < r->n; g++) {
        r->first[g + 1] = r->first[g] + r->degree[g];
        r->degree[g] = 0;
    }
    /* By (a, b): a gene's lower neighbours come in rising order, before its higher ones. */
    for (int high = 0; !rc && high < 2; high++)
        for (size_t i = 0; i < d.n; i++) {
            const uint32_t g = high ? d.at[i].a : d.at[i].b;
            r->to[r->first[g] + r->degree[g]++] = high ? d.at[i].b : d.at[i].a;
        }
    pairs_release(&d);
    return rc;
}

static double adamic_adar(const struct relation *r, struct pair p)
{
    double sum = 0;
    const uint32_t *x = r->to + r->first[p.a], *y = r->to + r->first[p.b];
    for (uint32_t i = 0, j = 0; i < r->degree[p.a] && j < r->degree[p.b];) {
        const uint32_t a = x[i], b = y[j];
        if (a == b && r->degree[a] > 1)
            sum += 1 / log(r->degree[a]);
        i += a <= b;
        j += b <= a;
    }
    return sum;
}

static double cosine(const struct sgns *m, struct pair p)
{
    double xy = 0, xx = 0, yy = 0;
    const float *x = m->in + p.a * m->stride, *y = m->in + p.b * m->stride;
    for (size_t i = 0; i < m->dim; i++) {
        xy += (double)x[i] * (double)y[i];
        xx += (double)x[i] * (double)x[i];
        yy += (double)y[i] * (double)y[i];
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

static enum rc score(const struct relation *r, const struct sgns *m, struct worth_links *l,
                     struct err *e)
{
    const size_t n = r->test.n + r->bad.n;
    double *s = malloc((n + 1) * sizeof *s), *const to[3] = { &l->learned, &l->degree,
                                                              &l->adamic_adar };
    bool *positive = malloc((n + 1) * sizeof *positive);
    enum rc rc = s && positive ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu pairs", n);
    for (int how = 0; !rc && how < 3; how++) {
        struct rank_metrics k;
        for (size_t i = 0; i < n; i++) {
            const struct pair p = i < r->test.n ? r->test.at[i] : r->bad.at[i - r->test.n];
            positive[i] = i < r->test.n;
            s[i] = how == 0   ? cosine(m, p)
                   : how == 1 ? (double)r->degree[p.a] * r->degree[p.b]
                              : adamic_adar(r, p);
        }
        rc = rank_metrics_get(s, positive, n, &k, e);
        *to[how] = k.auroc;
    }
    free(s);
    free(positive);
    return rc;
}

static enum rc learn(struct relation *r, size_t dim, uint32_t passes, uint64_t seed, struct sgns *m,
                     struct err *e)
{
    struct sgns_options o = sgns_defaults();
    o.passes = passes;
    o.seed = seed;
    enum rc rc = sgns_alloc(m, r->n, dim, e);
    if (rc)
        return rc;
    sgns_start(m, seed, r->key);
    pairs_sort(&r->train);
    rc = sgns_train(m, &r->train, &o, NULL, e);
    if (rc)
        sgns_release(m);
    return rc;
}

enum rc worth_links_of(const struct vocab *v, enum species s, const struct pairs *lines, size_t dim,
                       uint32_t passes, uint64_t seed, struct worth_links *l, struct err *e)
{
    struct relation r = { 0 };
    struct sgns m;
    *l = (struct worth_links){ 0, 0, NAN, NAN, NAN };
    enum rc rc = split(&r, v, s, lines, seed, e);
    if (!rc)
        rc = draw_tests(&r, seed, e);
    if (!rc)
        rc = make_graph(&r, e);
    l->test = r.test.n;
    for (size_t g = 0; !rc && g < r.n; g++)
        l->train += r.degree[g];
    l->train /= 2;
    if (!rc && r.test.n && r.bad.n) {
        rc = learn(&r, dim, passes, seed, &m, e);
        if (!rc) {
            rc = score(&r, &m, l, e);
            sgns_release(&m);
        }
    }
    relation_release(&r);
    return rc;
}
