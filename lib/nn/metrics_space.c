#include "lib/nn/metrics_space.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"

enum { CELLS_PER_TASK = 8 };

/* ---- silhouette ---- */

struct silhouette_job {
    const struct mat *x;
    const uint32_t *label;
    size_t n_labels;
    const double *size;   /* [n_labels] */
    const double *length; /* [n] of rows, for cosines; NULL for Euclid */
    double *sum;          /* [workers, n_labels] */
    double *value;
};

static double one_distance(const struct silhouette_job *s, size_t i, size_t j)
{
    const double *a = mat_row(s->x, i), *b = mat_row(s->x, j);
    if (!s->length)
        return sqrt(distance_squared(a, b, s->x->d));
    double ab = 0;
    for (size_t c = 0; c < s->x->d; c++)
        ab += a[c] * b[c];
    double both = s->length[i] * s->length[j];
    return both > 0 ? fmax(0, 1 - ab / both) : 1;
}

static double silhouette_of(const struct silhouette_job *s, size_t i, double *sum)
{
    memset(sum, 0, s->n_labels * sizeof *sum);
    for (size_t j = 0; j < s->x->n; j++)
        if (j != i)
            sum[s->label[j]] += one_distance(s, i, j);
    uint32_t own = s->label[i];
    if (s->size[own] < 2)
        return 0;
    double a = sum[own] / (s->size[own] - 1), b = INFINITY;
    for (uint32_t c = 0; c < s->n_labels; c++)
        if (c != own && s->size[c] > 0)
            b = fmin(b, sum[c] / s->size[c]);
    double most = fmax(a, b);
    return most > 0 ? (b - a) / most : 0;
}

static void silhouette_some(void *ctx, size_t t, int worker)
{
    const struct silhouette_job *s = ctx;
    double *sum = s->sum + (size_t)worker * s->n_labels;
    for (size_t i = t * CELLS_PER_TASK; i < (t + 1) * CELLS_PER_TASK && i < s->x->n; i++)
        s->value[i] = silhouette_of(s, i, sum);
}

static size_t label_sizes(const uint32_t *label, size_t n, size_t n_labels, double *size)
{
    size_t used = 0;
    memset(size, 0, n_labels * sizeof *size);
    for (size_t i = 0; i < n; i++)
        used += size[label[i]]++ == 0;
    return used;
}

enum rc silhouette(const struct mat *x, const uint32_t *label, size_t n_labels,
                   enum distance_kind kind, double *value, struct err *e)
{
    double *room = malloc((n_labels * ((size_t)threads_count() + 1) + x->n + 1) * sizeof *room);
    if (!room)
        return err_set(e, RC_FAIL, "no memory for %zu labels", n_labels);
    double *size = room, *length = room + n_labels, *sum = length + x->n;
    if (label_sizes(label, x->n, n_labels, size) < 2) {
        free(room);
        return err_set(e, RC_INPUT, "a silhouette needs at least two labels");
    }
    for (size_t i = 0; i < x->n; i++) {
        double s = 0;
        for (size_t c = 0; c < x->d; c++)
            s += mat_row(x, i)[c] * mat_row(x, i)[c];
        length[i] = sqrt(s);
    }
    struct silhouette_job job = {
        x, label, n_labels, size, kind == DISTANCE_COSINE ? length : NULL, sum, value
    };
    threads_for((x->n + CELLS_PER_TASK - 1) / CELLS_PER_TASK, silhouette_some, &job);
    free(room);
    return RC_OK;
}

/* ---- LISI ---- */

/* Weights of sum 1 in p; returns their entropy. */
static double weigh(const double *d, size_t k, double beta, double *p)
{
    double sum = 0, mean = 0;
    for (size_t j = 0; j < k; j++) {
        p[j] = exp(-d[j] * beta);
        sum += p[j];
        mean += d[j] * p[j];
    }
    if (!(sum > 0)) {
        memset(p, 0, k * sizeof *p);
        return 0;
    }
    for (size_t j = 0; j < k; j++)
        p[j] /= sum;
    return log(sum) + beta * mean / sum;
}

static double weights_at_perplexity(const double *d, size_t k, double want, double *p)
{
    double beta = 1, low = -INFINITY, high = INFINITY, h = weigh(d, k, beta, p);
    for (int step = 0; step < 50 && !(fabs(h - want) < 1e-5); step++) {
        if (h > want) {
            low = beta;
            beta = isinf(high) ? beta * 2 : (beta + high) / 2;
        } else {
            high = beta;
            beta = isinf(low) ? beta / 2 : (beta + low) / 2;
        }
        h = weigh(d, k, beta, p);
    }
    return h;
}

enum rc lisi(const struct knn *near, double perplexity, const uint32_t *label, size_t n_labels,
             double *value, struct err *e)
{
    double *p = malloc((near->k + n_labels + 1) * sizeof *p), *share = p ? p + near->k : NULL;
    if (!p)
        return err_set(e, RC_FAIL, "no memory for %zu labels", n_labels);
    for (size_t i = 0; i < near->n; i++) {
        double h = weights_at_perplexity(near->distance + i * near->k, near->k, log(perplexity), p);
        memset(share, 0, n_labels * sizeof *share);
        for (size_t j = 0; j < near->k; j++)
            share[label[near->index[i * near->k + j]]] += p[j];
        double sum = 0;
        for (size_t c = 0; c < n_labels; c++)
            sum += share[c] * share[c];
        value[i] = h == 0 ? -1 : 1 / sum; /* -1: no weight left, as harmonypy marks it */
    }
    free(p);
    return RC_OK;
}

double neighbour_same_share(const struct knn *near, const uint32_t *label)
{
    size_t same = 0;
    for (size_t i = 0; i < near->n * near->k; i++)
        same += label[near->index[i]] == label[i / near->k];
    return near->n ? (double)same / (double)(near->n * near->k) : NAN;
}

/* ---- centres ---- */

static double davies(const struct mat *centre, const double *size, const double *spread)
{
    double sum = 0;
    size_t used = 0;
    for (size_t a = 0; a < centre->n; a++) {
        if (!(size[a] > 0))
            continue;
        double worst = 0;
        for (size_t b = 0; b < centre->n; b++) {
            double d = sqrt(distance_squared(mat_row(centre, a), mat_row(centre, b), centre->d));
            if (a != b && size[b] > 0 && d > 0)
                worst = fmax(worst, (spread[a] + spread[b]) / d);
        }
        sum += worst;
        used++;
    }
    return sum / (double)used;
}

enum rc cluster_shape(const struct mat *x, const uint32_t *label, size_t n_labels,
                      double *calinski_harabasz, double *davies_bouldin, struct err *e)
{
    struct mat centre = { 0 };
    double *size = calloc(2 * n_labels + x->d + 1, sizeof *size);
    if (!size || mat_alloc(&centre, n_labels, x->d, e)) {
        free(size);
        return err_set(e, RC_FAIL, "no memory for %zu centres", n_labels);
    }
    double *spread = size + n_labels, *mean = spread + n_labels, within = 0, between = 0;
    double used = (double)label_sizes(label, x->n, n_labels, size), n = (double)x->n;
    for (size_t i = 0; i < x->n; i++)
        for (size_t c = 0; c < x->d; c++) {
            mat_row(&centre, label[i])[c] += mat_row(x, i)[c] / size[label[i]];
            mean[c] += mat_row(x, i)[c] / n;
        }
    for (size_t i = 0; i < x->n; i++) {
        double d2 = distance_squared(mat_row(x, i), mat_row(&centre, label[i]), x->d);
        within += d2;
        spread[label[i]] += sqrt(d2) / size[label[i]];
    }
    for (size_t a = 0; a < n_labels; a++)
        if (size[a] > 0)
            between += size[a] * distance_squared(mat_row(&centre, a), mean, x->d);
    *calinski_harabasz = between / within * (n - used) / (used - 1);
    *davies_bouldin = davies(&centre, size, spread);
    mat_release(&centre);
    free(size);
    return RC_OK;
}

/* ---- quality of a map ---- */

struct quality_job {
    const struct mat *x;
    const struct knn *near_y;
    double *distance;         /* [workers, n] */
    size_t *penalty, *shared; /* [n] */
};

/* How many cells are nearer to i than d, or as near with a smaller number: rank of a cell. */
static size_t rank_of(const double *distance, size_t n, size_t i, size_t j)
{
    size_t rank = 1;
    for (size_t o = 0; o < n; o++)
        if (o != i && o != j)
            rank += distance[o] < distance[j] || (distance[o] == distance[j] && o < j);
    return rank;
}

static void quality_of(const struct quality_job *q, size_t i, double *distance)
{
    size_t k = q->near_y->k;
    for (size_t j = 0; j < q->x->n; j++)
        distance[j] = distance_squared(mat_row(q->x, i), mat_row(q->x, j), q->x->d);
    q->penalty[i] = q->shared[i] = 0;
    for (size_t a = 0; a < k; a++) {
        uint32_t j = q->near_y->index[i * k + a];
        size_t rank = rank_of(distance, q->x->n, i, j);
        if (rank > k)
            q->penalty[i] += rank - k;
        else
            q->shared[i]++;
    }
}

static void quality_some(void *ctx, size_t t, int worker)
{
    const struct quality_job *q = ctx;
    double *distance = q->distance + (size_t)worker * q->x->n;
    for (size_t i = t * CELLS_PER_TASK; i < (t + 1) * CELLS_PER_TASK && i < q->x->n; i++)
        quality_of(q, i, distance);
}

enum rc map_quality(const struct mat *x, const struct mat *y, size_t k, double *trustworthiness,
                    double *overlap, struct err *e)
{
    struct knn near = { 0 };
    size_t n = x->n;
    double *distance = malloc(((size_t)threads_count() * n + 1) * sizeof *distance);
    size_t *count = malloc((2 * n + 1) * sizeof *count);
    enum rc rc = distance && count ? knn_find(y, NULL, k, DISTANCE_EUCLID, &near, e)
                                   : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    if (!rc && 3 * k + 1 >= 2 * n)
        rc = err_set(e, RC_INPUT, "%zu neighbours are too many to judge a map of %zu cells", k, n);
    if (!rc) {
        struct quality_job job = { x, &near, distance, count, count + n };
        threads_for((n + CELLS_PER_TASK - 1) / CELLS_PER_TASK, quality_some, &job);
        double penalty = 0, shared = 0, dn = (double)n, dk = (double)k;
        for (size_t i = 0; i < n; i++) {
            penalty += (double)count[i];
            shared += (double)count[n + i];
        }
        *trustworthiness = 1 - 2 / (dn * dk * (2 * dn - 3 * dk - 1)) * penalty;
        *overlap = shared / (dn * dk);
    }
    knn_release(&near);
    free(distance);
    free(count);
    return rc;
}
