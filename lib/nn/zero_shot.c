#include "lib/nn/zero_shot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/knn.h"
#include "lib/nn/metrics_space.h"
#include "lib/nn/split.h"

enum { N_FOLDS = 5, LISI_PERPLEXITY = 30 };

/* ---- naming ---- */

/* Cells that are named and cells that name them. */
struct vote {
    size_t *query, *base, n_query, n_base;
    uint32_t *class_of, *named; /* of base, of query */
};

static enum rc vote_alloc(struct vote *v, size_t n, struct err *e)
{
    *v = (struct vote){ .query = malloc((n + 1) * sizeof *v->query),
                        .base = malloc((n + 1) * sizeof *v->base),
                        .class_of = malloc((n + 1) * sizeof *v->class_of),
                        .named = malloc((n + 1) * sizeof *v->named) };
    return v->query && v->base && v->class_of && v->named
               ? RC_OK
               : err_set(e, RC_FAIL, "no memory to name %zu cells", n);
}

static void vote_release(struct vote *v)
{
    free(v->query);
    free(v->base);
    free(v->class_of);
    free(v->named);
}

/* group[i] == which is named, the others name. */
static void part(struct vote *v, const struct zero_shot_cells *c, const uint32_t *group,
                 uint32_t which)
{
    v->n_query = v->n_base = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (group[i] == which) {
            v->query[v->n_query++] = i;
        } else {
            v->class_of[v->n_base] = c->class_of[i];
            v->base[v->n_base++] = i;
        }
    }
}

static enum rc by_commonest(struct vote *v, size_t n_classes, struct err *e)
{
    size_t *n = calloc(n_classes + 1, sizeof *n);
    uint32_t best = 0;
    if (!n)
        return err_set(e, RC_FAIL, "no memory for %zu classes", n_classes);
    for (size_t i = 0; i < v->n_base; i++)
        n[v->class_of[i]]++;
    for (uint32_t k = 0; k < n_classes; k++)
        best = n[k] > n[best] ? k : best;
    for (size_t i = 0; i < v->n_query; i++)
        v->named[i] = best;
    free(n);
    return RC_OK;
}

static enum rc by_nearest(struct vote *v, const struct mat *x, size_t k, size_t n_classes,
                          struct err *e)
{
    struct mat query = { 0 }, base = { 0 };
    struct knn near = { 0 };
    k = k < v->n_base ? k : v->n_base;
    enum rc rc = mat_take_rows(x, v->query, v->n_query, &query, e);
    if (!rc)
        rc = mat_take_rows(x, v->base, v->n_base, &base, e);
    if (!rc)
        rc = knn_find(&query, &base, k, DISTANCE_EUCLID, &near, e);
    if (!rc)
        rc = knn_vote(&near, k, v->class_of, n_classes, v->named, NULL, e);
    knn_release(&near);
    mat_release(&query);
    mat_release(&base);
    return rc;
}

/* Every cell is named by those of the other groups. */
static enum rc by_groups(const struct zero_shot_cells *c, const struct mat *x, size_t k,
                         const uint32_t *group, size_t n_groups, struct class_metrics *out,
                         struct err *e)
{
    struct vote v;
    uint32_t *named = calloc(c->n + 1, sizeof *named);
    size_t *confusion = malloc((c->n_classes * c->n_classes + 1) * sizeof *confusion);
    enum rc rc = vote_alloc(&v, c->n, e);
    if (!rc && (!named || !confusion))
        rc = err_set(e, RC_FAIL, "no memory for %zu classes", c->n_classes);
    for (uint32_t g = 0; !rc && g < n_groups; g++) {
        part(&v, c, group, g);
        if (!v.n_query)
            continue;
        if (!v.n_base)
            rc = err_set(e, RC_INPUT, "all cells are in one part: there is none to name the others by");
        else
            rc = x ? by_nearest(&v, x, k, c->n_classes, e) : by_commonest(&v, c->n_classes, e);
        for (size_t i = 0; !rc && i < v.n_query; i++)
            named[v.query[i]] = v.named[i];
    }
    if (!rc) {
        confusion_count(c->class_of, named, c->n, c->n_classes, confusion);
        class_metrics_get(confusion, c->n_classes, out, NULL);
    }
    vote_release(&v);
    free(confusion);
    free(named);
    return rc;
}

enum rc zero_shot_knn(const struct zero_shot_cells *c, const struct mat *x, size_t k, uint64_t seed,
                      struct class_metrics *out, struct err *e)
{
    uint32_t *fold = malloc((c->n + 1) * sizeof *fold);
    enum rc rc = fold ? split_folds(c->class_of, c->cell_id, c->n, N_FOLDS, seed, fold, e)
                      : err_set(e, RC_FAIL, "no memory for %zu cells", c->n);
    if (!rc)
        rc = by_groups(c, x, k, fold, N_FOLDS, out, e);
    free(fold);
    return rc;
}

enum rc zero_shot_transfer(const struct zero_shot_cells *c, const struct mat *x, size_t k,
                           struct class_metrics *out, struct err *e)
{
    return by_groups(c, x, k, c->batch_of, c->n_batches, out, e);
}

/* ---- how they lie ---- */

static double mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static enum rc mixing(const struct zero_shot_cells *c, const struct mat *x,
                      const struct knn *near, double *value, struct zero_shot_space *out,
                      struct err *e)
{
    struct knn wide = { 0 };
    const size_t most = (c->n - 1) / 3, perplexity = most < LISI_PERPLEXITY ? most : LISI_PERPLEXITY;
    out->other_batch = 1 - neighbour_same_share(near, c->batch_of);
    enum rc rc = knn_find(x, NULL, 3 * perplexity, DISTANCE_EUCLID, &wide, e);
    if (!rc)
        rc = lisi(&wide, (double)perplexity, c->batch_of, c->n_batches, value, e);
    if (!rc)
        out->batch_lisi = mean(value, c->n);
    knn_release(&wide);
    return rc;
}

enum rc zero_shot_space_get(const struct zero_shot_cells *c, const struct mat *x, size_t k,
                            struct zero_shot_space *out, struct err *e)
{
    struct knn near = { 0 };
    double *value = malloc((c->n + 1) * sizeof *value);
    *out = (struct zero_shot_space){ .other_batch = NAN, .batch_lisi = NAN };
    if (!value)
        return err_set(e, RC_FAIL, "no memory for %zu cells", c->n);
    enum rc rc = c->n >= 4 ? silhouette(x, c->class_of, c->n_classes, DISTANCE_EUCLID, value, e)
                           : err_set(e, RC_INPUT, "%zu cells are too few", c->n);
    if (!rc) {
        out->silhouette = mean(value, c->n);
        rc = knn_find(x, NULL, k < c->n - 1 ? k : c->n - 1, DISTANCE_EUCLID, &near, e);
    }
    if (!rc) {
        out->same_label = neighbour_same_share(&near, c->class_of);
        if (c->batch_of && c->n_batches > 1)
            rc = mixing(c, x, &near, value, out, e);
    }
    knn_release(&near);
    free(value);
    return rc;
}

double zero_shot_mixed(const struct zero_shot_cells *c)
{
    double same = 0;
    for (uint32_t b = 0; b < c->n_batches; b++) {
        double n = 0;
        for (size_t i = 0; i < c->n; i++)
            n += c->batch_of[i] == b;
        same += n * (n - 1);
    }
    return c->n > 1 ? 1 - same / ((double)c->n * (double)(c->n - 1)) : NAN;
}
