/* The 2-layer bidirectional LSTM of dnalong, in double: a handful of steps a sequence. Gates in
 * PyTorch's order i f g o:
 *   i, f, o = sigma, g = tanh of W_ih x + b_ih + W_hh h + b_hh;  c = f c + i g;  h = o tanh(c) */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/nn/dnabert.h"

size_t dnabert_long_work(const struct dnabert_config *c, size_t n)
{
    return (2 * n * 2 + 6) * c->d; /* two layers' outputs, state, cell, gates */
}

static double real_at(const struct dnabert *m, const struct tensor *t, size_t i)
{
    return m->params.b->type == REAL_F64 ? ((const double *)t->x)[i]
                                         : (double)((const float *)t->x)[i];
}

static const struct tensor *part(const struct dnabert *m, const char *what, int l, int reverse)
{
    char name[48];
    snprintf(name, sizeof name, "rnn.%s_l%d%s", what, l, reverse ? "_reverse" : "");
    return &m->params.item[params_index(&m->params, name)].t;
}

static double row_dot(const struct dnabert *m, const struct tensor *w, size_t row, const double *x)
{
    double s = 0;
    for (size_t i = 0; i < w->cols; i++)
        s += real_at(m, w, row * w->cols + i) * x[i];
    return s;
}

static double sigma(double x)
{
    return 1 / (1 + exp(-x));
}

/* x [n, in] to the half of y [n, 2 d] that is this direction's; h ends as its last state. */
static void direction(const struct dnabert *m, int l, int reverse, const double *x, size_t n,
                      double *y, double *h, double *work)
{
    const size_t d = m->config.d;
    const struct tensor *wi = part(m, "weight_ih", l, reverse),
                        *wh = part(m, "weight_hh", l, reverse),
                        *bi = part(m, "bias_ih", l, reverse), *bh = part(m, "bias_hh", l, reverse);
    double *c = work, *gate = work + d;
    memset(h, 0, d * sizeof *h);
    memset(c, 0, d * sizeof *c);
    for (size_t s = 0; s < n; s++) {
        const size_t at = reverse ? n - 1 - s : s;
        for (size_t r = 0; r < 4 * d; r++)
            gate[r] = row_dot(m, wi, r, x + at * wi->cols) + real_at(m, bi, r) +
                      row_dot(m, wh, r, h) + real_at(m, bh, r);
        for (size_t k = 0; k < d; k++) {
            c[k] = sigma(gate[d + k]) * c[k] + sigma(gate[k]) * tanh(gate[2 * d + k]);
            h[k] = sigma(gate[3 * d + k]) * tanh(c[k]);
        }
        memcpy(y + at * 2 * d + (size_t)reverse * d, h, d * sizeof *h);
    }
}

void dnabert_long(const struct dnabert *m, const double *x, size_t n, double *out, double *work)
{
    const size_t d = m->config.d;
    double *y[2] = { work, work + 2 * n * d }, *h = work + 4 * n * d;
    memset(out, 0, d * sizeof *out);
    for (int l = 0; l < 2; l++)
        for (int r = 0; r < 2; r++) {
            direction(m, l, r, l ? y[0] : x, n, y[l], h, h + d);
            for (size_t k = 0; k < d; k++)
                out[k] += h[k];
        }
}
