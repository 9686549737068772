/* Coverage, recovery and agreement; knowledge_links.c has the held-out pairs. */
#include "lib/app/knowledge_worth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/nn/knn.h"

enum { NEAREST = 10, MOST_QUERIES = 1000, RANDOM_PAIRS = 50000 };
enum { DRAW_QUERY, DRAW_DEAL, DRAW_ROW, DRAW_PAIR }; /* ids of RNG_SAMPLE */

static double norm_of(const float *x, size_t d)
{
    double s = 0;
    for (size_t i = 0; i < d; i++)
        s += (double)x[i] * (double)x[i];
    return sqrt(s);
}

void worth_coverage_of(const struct knowledge_table *k, const struct vocab *v, enum species s,
                       struct worth_coverage *c)
{
    double sum[2] = { 0, 0 }, square = 0;
    *c = (struct worth_coverage){ 0 };
    for (size_t t = 0; t < k->n_tokens; t++) {
        if (v->entry[t].species != s)
            continue;
        const double n = norm_of(k->vector + t * k->dim, k->dim);
        sum[k->present[t]] += n;
        square += k->present[t] ? n * n : 0;
        ++*(k->present[t] ? &c->present : &c->random);
    }
    c->norm_present = c->present ? sum[1] / (double)c->present : 0;
    c->norm_random = c->random ? sum[0] / (double)c->random : 0;
    if (c->present) {
        const double var = square / (double)c->present - c->norm_present * c->norm_present;
        c->spread_present = var > 0 ? sqrt(var) : 0;
    }
}

/* Genes of a species that are present in both tables; b may be NULL. token has room for all. */
static size_t present_genes(const struct knowledge_table *a, const struct knowledge_table *b,
                            const struct vocab *v, enum species s, uint32_t *token)
{
    size_t n = 0;
    for (uint32_t t = 0; t < a->n_tokens; t++)
        if (v->entry[t].species == s && a->present[t] && (!b || b->present[t]))
            token[n++] = t;
    return n;
}

/* The rows of these genes, of whatever kind. */
static enum rc take_rows(const struct knowledge_table *k, const uint32_t *token, size_t n,
                         enum worth_rows rows, uint64_t seed, struct mat *x, struct err *e)
{
    uint32_t *from = malloc((n + 1) * sizeof *from);
    enum rc rc =
        from ? mat_alloc(x, n, k->dim, e) : err_set(e, RC_FAIL, "no memory for %zu genes", n);
    for (size_t i = 0; !rc && i < n; i++)
        from[i] = (uint32_t)i;
    if (!rc && rows == WORTH_SHUFFLED)
        rng_shuffle(seed, RNG_SAMPLE, DRAW_DEAL, from, n);
    for (size_t i = 0; !rc && i < n; i++)
        for (size_t j = 0; j < k->dim; j++)
            mat_row(x, i)[j] = rows == WORTH_RANDOM
                                   ? rng_normal(seed, RNG_SAMPLE, DRAW_ROW, i * k->dim + j)
                                   : (double)k->vector[token[from[i]] * k->dim + j];
    free(from);
    return rc;
}

static int by_pair(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

static bool is_related(const struct pairs *p, uint32_t a, uint32_t b)
{
    const struct pair x = { a < b ? a : b, a < b ? b : a };
    return p->n && bsearch(&x, p->at, p->n, sizeof x, by_pair) != NULL;
}

/* Numbers of the genes that are asked, rising. */
static size_t pick_queries(const struct knowledge_table *k, const struct pairs *related,
                           const uint32_t *token, size_t n, uint64_t seed, size_t *query,
                           unsigned char *has)
{
    size_t n_all = 0, n_query = 0;
    for (size_t i = 0; i < related->n; i++)
        if (k->present[related->at[i].a] && k->present[related->at[i].b])
            has[related->at[i].a] = has[related->at[i].b] = 1;
    for (size_t i = 0; i < n; i++)
        n_all += has[token[i]];
    const double share = n_all > MOST_QUERIES ? (double)MOST_QUERIES / (double)n_all : 1;
    for (size_t i = 0; i < n && n_query < MOST_QUERIES; i++)
        if (has[token[i]] && rng_unit(seed, RNG_SAMPLE, DRAW_QUERY, token[i]) < share)
            query[n_query++] = i;
    return n_query;
}

static enum rc ask(const struct mat *rows, const uint32_t *token, const size_t *query, size_t n,
                   const struct pairs *related, double *share, struct err *e)
{
    struct mat q;
    struct knn near;
    enum rc rc = mat_take_rows(rows, query, n, &q, e);
    if (rc)
        return rc;
    rc = knn_find(&q, rows, NEAREST + 1, DISTANCE_COSINE, &near, e);
    mat_release(&q);
    if (rc)
        return rc;
    size_t hits = 0;
    for (size_t i = 0; i < n; i++) {
        size_t taken = 0; /* the gene itself is among the base */
        for (size_t j = 0; j <= NEAREST && taken < NEAREST; j++) {
            const uint32_t other = near.index[i * (NEAREST + 1) + j];
            if (other == query[i])
                continue;
            taken++;
            hits += is_related(related, token[query[i]], token[other]);
        }
    }
    *share = (double)hits / (double)(n * NEAREST);
    knn_release(&near);
    return RC_OK;
}

enum rc worth_recovery_of(const struct knowledge_table *k, const struct vocab *v, enum species s,
                          const struct pairs *related, enum worth_rows rows, uint64_t seed,
                          struct worth_recovery *r, struct err *e)
{
    *r = (struct worth_recovery){ 0, NAN };
    uint32_t *token = calloc(k->n_tokens + 1, sizeof *token);
    size_t *query = calloc(MOST_QUERIES, sizeof *query);
    unsigned char *has = calloc(k->n_tokens + 1, 1);
    struct mat x = { 0 };
    enum rc rc = token && query && has ? RC_OK : err_set(e, RC_FAIL, "no memory");
    const size_t n = rc ? 0 : present_genes(k, NULL, v, s, token);
    if (!rc)
        r->queries = pick_queries(k, related, token, n, seed, query, has);
    if (!rc && r->queries && n > NEAREST + 1) {
        rc = take_rows(k, token, n, rows, seed, &x, e);
        if (!rc)
            rc = ask(&x, token, query, r->queries, related, &r->share, e);
        mat_release(&x);
    }
    free(token);
    free(query);
    free(has);
    return rc;
}

static double cosine(const double *x, const double *y, size_t d)
{
    double xy = 0, xx = 0, yy = 0;
    for (size_t i = 0; i < d; i++) {
        xy += x[i] * y[i];
        xx += x[i] * x[i];
        yy += y[i] * y[i];
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

/* Pearson correlation of the cosines of random pairs of rows. */
static double cosines_agree(const struct mat *a, const struct mat *b, uint64_t seed)
{
    double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (uint64_t i = 0; i < RANDOM_PAIRS; i++) {
        const size_t p = (size_t)rng_below(seed, RNG_SAMPLE, DRAW_PAIR, 2 * i, a->n);
        size_t q = (size_t)rng_below(seed, RNG_SAMPLE, DRAW_PAIR, 2 * i + 1, a->n - 1);
        q += q >= p;
        const double u = cosine(mat_row(a, p), mat_row(a, q), a->d),
                     w = cosine(mat_row(b, p), mat_row(b, q), b->d);
        x += u;
        y += w;
        xx += u * u;
        yy += w * w;
        xy += u * w;
    }
    const double n = RANDOM_PAIRS;
    return (n * xy - x * y) / sqrt((n * xx - x * x) * (n * yy - y * y));
}

enum rc worth_agreement_of(const struct knowledge_table *a, const struct knowledge_table *b,
                           const struct vocab *v, enum species s, uint64_t seed,
                           struct worth_agreement *g, struct err *e)
{
    struct mat x = { 0 }, y = { 0 }, z = { 0 };
    *g = (struct worth_agreement){ 0, NAN, NAN };
    uint32_t *token = calloc(a->n_tokens + 1, sizeof *token);
    if (!token)
        return err_set(e, RC_FAIL, "no memory for %zu genes", a->n_tokens);
    const size_t n = g->genes = present_genes(a, b, v, s, token);
    enum rc rc = RC_OK;
    if (n >= 3) {
        rc = take_rows(a, token, n, WORTH_TABLE, seed, &x, e);
        if (!rc)
            rc = take_rows(b, token, n, WORTH_TABLE, seed, &y, e);
        if (!rc)
            rc = take_rows(b, token, n, WORTH_SHUFFLED, seed, &z, e);
        if (!rc) {
            g->correlation = cosines_agree(&x, &y, seed);
            g->null = cosines_agree(&x, &z, seed);
        }
    }
    mat_release(&x);
    mat_release(&y);
    mat_release(&z);
    free(token);
    return rc;
}
