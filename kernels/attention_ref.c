#include "kernels/attention.h"

#include <math.h>

#include "kernels/dropout_bits.h"

static double dot(const double *a, const double *b, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

/* The score of row i of q and key row j (of the batch) in head h. */
static double score(const struct op_attention *o, size_t i, size_t j, size_t h)
{
    const size_t w = o->d / o->heads;
    const double *q = o->q, *k = o->k;
    return dot(q + i * o->d + h * w, k + j * o->d + h * w, w) / sqrt((double)w);
}

static void forward_row(const struct op_attention *o, size_t c, size_t i, size_t h)
{
    const size_t w = o->d / o->heads, a = o->first[c], b = o->first[c + 1];
    const size_t at = o->first_only ? c : i; /* in q and y */
    const double *v = o->v;
    double *y = (double *)o->y + at * o->d + h * w;
    double max = -INFINITY, sum = 0;
    for (size_t j = a; j < b; j++)
        max = fmax(max, score(o, at, j, h));
    for (size_t k = 0; k < w; k++)
        y[k] = 0;
    for (size_t j = a; j < b; j++) {
        double p = exp(score(o, at, j, h) - max);
        sum += p;
        p *= dropout_factor(&o->drop, i, (uint32_t)h, j - a);
        for (size_t k = 0; k < w; k++)
            y[k] += p * v[j * o->d + h * w + k];
    }
    for (size_t k = 0; k < w; k++)
        y[k] /= sum;
    if (o->first_only)
        return;
    ((double *)o->row_max)[i * o->heads + h] = max;
    ((double *)o->row_sum)[i * o->heads + h] = sum;
}

void attention_forward_ref(const struct op_attention *o)
{
    for (size_t c = 0; c < o->n_cells; c++)
        for (size_t i = o->first[c]; i < (o->first_only ? o->first[c] + 1 : o->first[c + 1]); i++)
            for (size_t h = 0; h < o->heads; h++)
                forward_row(o, c, i, h);
}

static void backward_row(const struct op_attention *o, size_t c, size_t i, size_t h)
{
    const size_t w = o->d / o->heads, at = i * o->d + h * w;
    const double *q = o->q, *k = o->k, *v = o->v, *y = o->y, *dy = o->dy;
    double *dq = o->dq, *dk = o->dk, *dv = o->dv;
    const double max = ((const double *)o->row_max)[i * o->heads + h];
    const double sum = ((const double *)o->row_sum)[i * o->heads + h];
    const double mean_dp = dot(dy + at, y + at, w), scale = 1 / sqrt((double)w);
    for (size_t j = o->first[c]; j < o->first[c + 1]; j++) {
        const size_t to = j * o->d + h * w;
        const double p = exp(score(o, i, j, h) - max) / sum;
        const double f = dropout_factor(&o->drop, i, (uint32_t)h, j - o->first[c]);
        const double ds = p * (f * dot(dy + at, v + to, w) - mean_dp) * scale;
        for (size_t m = 0; m < w; m++) {
            dv[to + m] += p * f * dy[at + m];
            dq[at + m] += ds * k[to + m];
            dk[to + m] += ds * q[at + m];
        }
    }
}

void attention_backward_ref(const struct op_attention *o)
{
    for (size_t c = 0; c < o->n_cells; c++)
        for (size_t i = o->first[c]; i < o->first[c + 1]; i++)
            for (size_t h = 0; h < o->heads; h++)
                backward_row(o, c, i, h);
}
