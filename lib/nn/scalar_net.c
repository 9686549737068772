#include "lib/nn/scalar_net.h"

#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TAPS = 6, BEFORE = 2 }; /* nodes of a polynomial; of these, left of the entry's own */

void scalar_net_release(struct scalar_net *net)
{
    free(net->h1);
    free(net->h2);
    free(net->back);
    for (size_t k = 0; k < SCALAR_HEADS; k++) {
        free(net->value[k]);
        free(net->g[k]);
    }
    *net = (struct scalar_net){ 0 };
}

static enum rc make_room(struct scalar_net *net, size_t n, size_t d, struct err *e)
{
    if (n <= net->room && d == net->d)
        return RC_OK;
    scalar_net_release(net);
    const size_t room = n + n / 2;
    net->h1 = malloc(room * d * sizeof *net->h1);
    net->h2 = malloc(room * d * sizeof *net->h2);
    net->back = malloc(room * d * sizeof *net->back);
    bool full = net->h1 && net->h2 && net->back;
    for (size_t k = 0; k < SCALAR_HEADS; k++) {
        net->value[k] = calloc(room, sizeof **net->value);
        net->g[k] = calloc(room, sizeof **net->g);
        full = full && net->value[k] && net->g[k];
    }
    if (!full) {
        scalar_net_release(net);
        return err_set(e, RC_FAIL, "no memory for %zu nodes of a network", room);
    }
    net->room = room;
    net->d = d;
    return RC_OK;
}

static double node_at(const struct scalar_net *net, size_t i)
{
    return (double)(net->first + (long)i) * SCALAR_STEP;
}

/* y [M, d] = tanh(y + bias) */
static void squash(double *y, const double *bias, size_t n, size_t d)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            y[i * d + j] = tanh(y[i * d + j] + bias[j]);
}

static void work_out(struct scalar_net *net, const struct scalar_weights *w)
{
    const size_t d = w->d, n = net->n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            net->h1[i * d + j] = w->first[j * w->n_in] * node_at(net, i) +
                                 (w->n_in > 1 ? w->first[j * w->n_in + 1] : 0);
    squash(net->h1, w->first_bias, n, d);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)d, (int)d, 1, net->h1, (int)d,
                w->second, (int)d, 0, net->h2, (int)d);
    squash(net->h2, w->second_bias, n, d);
    for (size_t k = 0; k < w->n_heads; k++) {
        for (size_t i = 0; i < n; i++)
            net->value[k][i] = *w->head_bias[k];
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)n, (int)d, 1, net->h2, (int)d, w->head[k], 1,
                    1, net->value[k], 1);
        memset(net->g[k], 0, n * sizeof **net->g);
    }
}

enum rc scalar_net_table(struct scalar_net *net, const struct scalar_weights *w, const double *x,
                         size_t n, struct err *e)
{
    double low = 0, high = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(x[i]) <= SCALAR_FAR))
            return err_set(e, RC_CHECK, "training has diverged: a value of %g", x[i]);
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    const long first = (long)floor(low / SCALAR_STEP) - BEFORE,
               last = (long)floor(high / SCALAR_STEP) + TAPS - BEFORE - 1;
    const size_t n_nodes = (size_t)(last - first) + 1;
    enum rc rc = make_room(net, n_nodes, w->d, e);
    if (rc)
        return rc;
    net->first = first;
    net->n = n_nodes;
    work_out(net, w);
    return RC_OK;
}

/* Lagrange's polynomials of the nodes -2..3 at t in [0, 1), and their derivatives. Each is a
 * product of five factors (t - i), split in those left and right of its own node. */
static inline void taps_at(double t, double w[TAPS], double slope[TAPS])
{
    static const double scale[TAPS] = { -1 / 120.0, 1 / 24.0, -1 / 12.0, 1 / 12.0, -1 / 24.0,
                                        1 / 120.0 };
    double left[TAPS], d_left[TAPS], right = 1, d_right = 0;
    left[0] = 1;
    d_left[0] = 0;
    for (int i = 1; i < TAPS; i++) {
        const double f = t - (double)(i - 1 - BEFORE);
        left[i] = left[i - 1] * f;
        d_left[i] = d_left[i - 1] * f + left[i - 1];
    }
    for (int i = TAPS - 1; i >= 0; i--) {
        const double f = t - (double)(i - BEFORE);
        w[i] = scale[i] * left[i] * right;
        slope[i] = scale[i] * (d_left[i] * right + left[i] * d_right);
        d_right = d_right * f + right;
        right *= f;
    }
}

/* The first node of the entry's polynomial; *t its place in its own cell. */
static inline size_t cell_of(const struct scalar_net *net, double x, double *t)
{
    const double at = x / SCALAR_STEP, cell = floor(at);
    *t = at - cell;
    return (size_t)((long)cell - BEFORE - net->first);
}

void scalar_net_read(const struct scalar_net *net, size_t k, const double *x, size_t n, double *y,
                     double *slope)
{
    for (size_t i = 0; i < n; i++) {
        double t, w[TAPS], dw[TAPS], sum = 0, d_sum = 0;
        const double *v = net->value[k] + cell_of(net, x[i], &t);
        taps_at(t, w, dw);
        for (int j = 0; j < TAPS; j++) {
            sum += w[j] * v[j];
            d_sum += dw[j] * v[j];
        }
        y[i] = sum;
        if (slope)
            slope[i] = d_sum / SCALAR_STEP;
    }
}

void scalar_net_gather(struct scalar_net *net, size_t k, const double *x, size_t n,
                       const double *gy)
{
    for (size_t i = 0; i < n; i++) {
        double t, w[TAPS], dw[TAPS];
        double *g = net->g[k] + cell_of(net, x[i], &t);
        taps_at(t, w, dw);
        for (int j = 0; j < TAPS; j++)
            g[j] += w[j] * gy[i];
    }
}

/* b [M, d] *= 1 - h^2; bias += its sums. */
static void through_tanh(double *b, const double *h, size_t n, size_t d, double *bias)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++) {
            b[i * d + j] *= 1 - h[i * d + j] * h[i * d + j];
            bias[j] += b[i * d + j];
        }
}

void scalar_net_backward(struct scalar_net *net, const struct scalar_weights *w,
                         const struct scalar_weights *g)
{
    const size_t n = net->n, d = w->d;
    memset(net->back, 0, n * d * sizeof *net->back);
    for (size_t k = 0; k < w->n_heads; k++) {
        cblas_dger(CblasRowMajor, (int)n, (int)d, 1, net->g[k], 1, w->head[k], 1, net->back,
                   (int)d);
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)n, (int)d, 1, net->h2, (int)d, net->g[k], 1, 1,
                    g->head[k], 1);
        for (size_t i = 0; i < n; i++)
            *g->head_bias[k] += net->g[k][i];
        memset(net->g[k], 0, n * sizeof **net->g);
    }
    through_tanh(net->back, net->h2, n, d, g->second_bias);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)d, (int)d, (int)n, 1, net->back,
                (int)d, net->h1, (int)d, 1, g->second, (int)d);
    /* h2 is not read any more: it takes the gradient of h1 */
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)d, (int)d, 1, net->back,
                (int)d, w->second, (int)d, 0, net->h2, (int)d);
    through_tanh(net->h2, net->h1, n, d, g->first_bias);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++) {
            g->first[j * w->n_in] += net->h2[i * d + j] * node_at(net, i);
            if (w->n_in > 1)
                g->first[j * w->n_in + 1] += net->h2[i * d + j];
        }
}
