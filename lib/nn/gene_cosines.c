#include "lib/nn/gene_cosines.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/thread.h"

void gene_vectors_centre(float *x, size_t n, size_t d)
{
    for (size_t k = 0; k < d; k++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += (double)x[i * d + k];
        for (size_t i = 0; i < n; i++)
            x[i * d + k] = (float)((double)x[i * d + k] - sum / (double)n);
    }
}

struct work {
    const float *x;
    double *norm; /* [n] */
    size_t n, d;
    float *cos;
};

static double dot(const float *a, const float *b, size_t d)
{
    double sum = 0;
    for (size_t k = 0; k < d; k++)
        sum += (double)a[k] * (double)b[k];
    return sum;
}

static void one_row(void *ctx, size_t i, int worker)
{
    const struct work *w = ctx;
    (void)worker;
    for (size_t j = 0; j < w->n; j++)
        w->cos[i * w->n + j] = (float)(dot(w->x + i * w->d, w->x + j * w->d, w->d) /
                                       fmax(w->norm[i] * w->norm[j], 1e-6));
}

enum rc gene_cosines(const float *x, size_t n, size_t d, float *cos, struct err *e)
{
    struct work w = { x, malloc((n + 1) * sizeof *w.norm), n, d, cos };
    if (!w.norm)
        return err_set(e, RC_FAIL, "no memory for %zu genes", n);
    for (size_t i = 0; i < n; i++)
        w.norm[i] = sqrt(dot(x + i * d, x + i * d, d));
    threads_for(n, one_row, &w);
    free(w.norm);
    return RC_OK;
}

static int falling(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

/* How many of the falling list are above x, or (equal) not below it. */
static size_t count_above(const float *sorted, size_t n, float x, int equal)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (sorted[mid] > x || (equal && sorted[mid] == x))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

enum rc cosine_facts_get(const float *cos, size_t n, size_t top, double threshold,
                         struct cosine_facts *f, float *standing, struct err *e)
{
    const size_t m = n * n;
    float *sorted = malloc((m + 1) * sizeof *sorted);
    *f = (struct cosine_facts){ .n_pairs = m };
    if (!sorted)
        return err_set(e, RC_FAIL, "no memory for %zu pairs of genes", m);
    double sum = 0, square = 0;
    for (size_t i = 0; i < m; i++) {
        sorted[i] = cos[i];
        sum += (double)cos[i];
    }
    f->mean = m ? sum / (double)m : NAN;
    for (size_t i = 0; i < m; i++)
        square += ((double)cos[i] - f->mean) * ((double)cos[i] - f->mean);
    f->sd = m ? sqrt(square / (double)m) : NAN;
    qsort(sorted, m, sizeof *sorted, falling);
    f->n_top = top < m ? top : m;
    f->least = m ? (double)sorted[m - 1] : NAN;
    f->at_top = f->n_top ? (double)sorted[f->n_top - 1] : NAN;
    for (size_t i = 0; i < m && (double)sorted[i] >= threshold; i++)
        f->share_above += 1;
    f->share_above /= (double)(m ? m : 1);
    f->share_top =
        f->n_top ? (double)count_above(sorted, m, sorted[f->n_top - 1], 1) / (double)m : 0;
    for (size_t i = 0; standing && i < m; i++)
        standing[i] = (float)(((double)(m - count_above(sorted, m, cos[i], 1)) +
                               (double)(m - count_above(sorted, m, cos[i], 0))) /
                              2 / (double)m);
    free(sorted);
    return RC_OK;
}
