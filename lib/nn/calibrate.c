#include "lib/nn/calibrate.h"

#include <math.h>
#include <stdlib.h>

enum { N_BINS = 10 };

size_t largest_of(const double *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

void softmax_at(const double *z, size_t n_classes, double t, double *p)
{
    const double top = z[largest_of(z, n_classes)];
    double sum = 0;
    for (size_t c = 0; c < n_classes; c++)
        sum += p[c] = exp((z[c] - top) / t);
    for (size_t c = 0; c < n_classes; c++)
        p[c] /= sum;
}

double log_loss(const double *logit, const uint32_t *class_of, size_t n, size_t n_classes, double t)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        const double *z = logit + i * n_classes, top = z[largest_of(z, n_classes)];
        double sum = 0;
        for (size_t c = 0; c < n_classes; c++)
            sum += exp((z[c] - top) / t);
        loss += log(sum) - (z[class_of[i]] - top) / t;
    }
    return n ? loss / (double)n : 0;
}

/* The loss has one minimum in 1 / T (it is convex there), so a golden section over log T finds it.
 */
double temperature_of(const double *logit, const uint32_t *class_of, size_t n, size_t n_classes)
{
    const double golden = 0.6180339887498949;
    double low = log(0.05), high = log(20);
    if (!n)
        return 1;
    double a = high - golden * (high - low), b = low + golden * (high - low);
    double at_a = log_loss(logit, class_of, n, n_classes, exp(a));
    double at_b = log_loss(logit, class_of, n, n_classes, exp(b));
    while (high - low > 5e-4) {
        if (at_a <= at_b) {
            high = b;
            b = a;
            at_b = at_a;
            a = high - golden * (high - low);
            at_a = log_loss(logit, class_of, n, n_classes, exp(a));
        } else {
            low = a;
            a = b;
            at_a = at_b;
            b = low + golden * (high - low);
            at_b = log_loss(logit, class_of, n, n_classes, exp(b));
        }
    }
    return exp((low + high) / 2);
}

double calibration_error(const double *probability, const unsigned char *right, size_t n)
{
    double sum[N_BINS] = { 0 }, hits[N_BINS] = { 0 }, off = 0;
    for (size_t i = 0; i < n; i++) {
        const int b = (int)(probability[i] * N_BINS);
        const int bin = b < 0 ? 0 : b >= N_BINS ? N_BINS - 1 : b;
        sum[bin] += probability[i];
        hits[bin] += right[i];
    }
    for (int b = 0; b < N_BINS; b++)
        off += fabs(hits[b] - sum[b]);
    return n ? off / (double)n : NAN;
}

struct guess {
    double p;
    unsigned char right;
};

static int surest_first(const void *a, const void *b)
{
    const struct guess *x = a, *y = b;
    return x->p > y->p ? -1 : x->p < y->p;
}

double sure_from(const double *probability, const unsigned char *right, size_t n, double accuracy)
{
    struct guess *g = malloc((n + 1) * sizeof *g);
    double from = 1.5, hits = 0;
    if (!g)
        return from;
    for (size_t i = 0; i < n; i++)
        g[i] = (struct guess){ probability[i], right[i] };
    qsort(g, n, sizeof *g, surest_first);
    for (size_t i = 0; i < n; i++) {
        hits += g[i].right;
        /* Cells of one probability stand or fall together. */
        if ((i + 1 == n || g[i + 1].p < g[i].p) && hits >= accuracy * (double)(i + 1))
            from = i + 1 == n ? 0 : g[i].p;
    }
    free(g);
    return n ? from : 0;
}
