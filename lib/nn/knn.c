#include "lib/nn/knn.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"

enum { QUERIES_PER_TASK = 16 };

/* Eight running sums, so that the processor need not wait for the one before; always added up in
 * the same order. */
double distance_squared(const double *x, const double *y, size_t d)
{
    double s[8] = { 0 };
    size_t i = 0;
    for (; i + 8 <= d; i += 8)
        for (size_t j = 0; j < 8; j++)
            s[j] += (x[i + j] - y[i + j]) * (x[i + j] - y[i + j]);
    for (size_t j = 0; i < d; i++, j++)
        s[j] += (x[i] - y[i]) * (x[i] - y[i]);
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

static double dot(const double *x, const double *y, size_t d)
{
    double s[4] = { 0 };
    size_t i = 0;
    for (; i + 4 <= d; i += 4)
        for (size_t j = 0; j < 4; j++)
            s[j] += x[i + j] * y[i + j];
    for (size_t j = 0; i < d; i++, j++)
        s[j] += x[i] * y[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

struct search {
    const struct mat *query, *base;
    bool same, cosine;
    struct knn *out;
};

static void find_one(const struct search *s, size_t q)
{
    size_t k = s->out->k, have = 0;
    uint32_t *index = s->out->index + q * k;
    double *best = s->out->distance + q * k;
    const double *x = mat_row(s->query, q);
    for (size_t b = 0; b < s->base->n; b++) {
        if (s->same && b == q)
            continue;
        double d = s->cosine ? 1 - dot(x, mat_row(s->base, b), s->base->d)
                             : distance_squared(x, mat_row(s->base, b), s->base->d);
        if (have == k && d >= best[k - 1])
            continue; /* equal ones came with a smaller index */
        size_t at = have < k ? have++ : k - 1;
        for (; at && best[at - 1] > d; at--) {
            best[at] = best[at - 1];
            index[at] = index[at - 1];
        }
        best[at] = d;
        index[at] = (uint32_t)b;
    }
    for (size_t i = 0; !s->cosine && i < k; i++)
        best[i] = sqrt(best[i]);
}

static void find_some(void *ctx, size_t t, int worker)
{
    (void)worker;
    const struct search *s = ctx;
    for (size_t q = t * QUERIES_PER_TASK; q < (t + 1) * QUERIES_PER_TASK && q < s->query->n; q++)
        find_one(s, q);
}

static enum rc unit_rows(const struct mat *m, struct mat *out, struct err *e)
{
    if (mat_alloc(out, m->n, m->d, e))
        return RC_FAIL;
    for (size_t i = 0; i < m->n; i++) {
        const double *x = mat_row(m, i);
        double length = sqrt(dot(x, x, m->d));
        for (size_t j = 0; j < m->d; j++)
            mat_row(out, i)[j] = length > 0 ? x[j] / length : 0;
    }
    return RC_OK;
}

static enum rc search(struct search s, struct err *e)
{
    struct knn *o = s.out;
    size_t room = o->n * o->k + 1;
    o->index = malloc(room * sizeof *o->index);
    o->distance = malloc(room * sizeof *o->distance);
    if (!o->index || !o->distance) {
        size_t n = o->n, k = o->k;
        knn_release(o);
        return err_set(e, RC_FAIL, "no memory for %zu neighbours of %zu cells", k, n);
    }
    threads_for((o->n + QUERIES_PER_TASK - 1) / QUERIES_PER_TASK, find_some, &s);
    return RC_OK;
}

enum rc knn_find(const struct mat *query, const struct mat *base, size_t k, enum distance_kind kind,
                 struct knn *out, struct err *e)
{
    *out = (struct knn){ 0 };
    bool same = !base;
    if (same)
        base = query;
    assert(query->d == base->d);
    size_t n_candidates = base->n - (same && base->n);
    if (!k || n_candidates < k)
        return err_set(e, RC_INPUT, "%zu neighbours wanted among %zu cells", k, n_candidates);
    for (size_t i = 0; i < query->n * query->d; i++)
        if (!isfinite(query->x[i]))
            return err_set(e, RC_INPUT, "row %zu column %zu is not a finite number",
                           i / query->d + 1, i % query->d + 1);
    *out = (struct knn){ .n = query->n, .k = k };
    struct search s = { query, base, same, kind == DISTANCE_COSINE, out };
    if (!s.cosine)
        return search(s, e);
    struct mat q = { 0 }, b = { 0 };
    enum rc rc = unit_rows(query, &q, e);
    if (!rc && !same)
        rc = unit_rows(base, &b, e);
    s.query = &q;
    s.base = same ? &q : &b;
    if (!rc)
        rc = search(s, e);
    mat_release(&q);
    mat_release(&b);
    if (rc)
        *out = (struct knn){ 0 };
    return rc;
}

void knn_release(struct knn *k)
{
    free(k->index);
    free(k->distance);
    *k = (struct knn){ 0 };
}

enum rc knn_vote(const struct knn *near, size_t k, const uint32_t *class_of, size_t n_classes,
                 uint32_t *predicted, double *share, struct err *e)
{
    assert(k && k <= near->k);
    size_t *votes = malloc((n_classes ? n_classes : 1) * sizeof *votes);
    if (!votes)
        return err_set(e, RC_FAIL, "no memory for %zu classes", n_classes);
    for (size_t i = 0; i < near->n; i++) {
        memset(votes, 0, n_classes * sizeof *votes);
        for (size_t j = 0; j < k; j++)
            votes[class_of[near->index[i * near->k + j]]]++;
        uint32_t best = 0;
        for (uint32_t c = 1; c < n_classes; c++)
            if (votes[c] > votes[best])
                best = c;
        predicted[i] = best;
        if (share)
            share[i] = (double)votes[best] / (double)k;
    }
    free(votes);
    return RC_OK;
}
