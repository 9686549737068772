#include "lib/nn/pair_effects.h"

#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* g [n, n] and right [n] of the normal equations; a gene without a pair has 1 on its diagonal. */
static void equations(const double *y, size_t n, double *g, double *right)
{
    for (size_t a = 0; a < n; a++) {
        double n_pairs = 0;
        right[a] = 0;
        for (size_t b = 0; b < n; b++) {
            const bool there = a != b && !isnan(y[a * n + b]);
            g[a * n + b] = there;
            n_pairs += there;
            right[a] += there ? y[a * n + b] : 0;
        }
        g[a * n + a] = n_pairs > 0 ? n_pairs : 1;
    }
}

/* The inverse of g in its place, both halves. */
static enum rc invert(double *g, size_t n, struct err *e)
{
    const lapack_int m = (lapack_int)n;
    if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'U', m, g, m) ||
        LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'U', m, g, m))
        return err_set(e, RC_INPUT, "these pairs do not tell the effects of their genes apart");
    for (size_t a = 0; a < n; a++) {
        if (!(g[a * n + a] < 1e9)) /* a zero that rounding hid */
            return err_set(e, RC_INPUT, "these pairs hardly tell the effects of their genes apart");
        for (size_t b = 0; b < a; b++)
            g[a * n + b] = g[b * n + a];
    }
    return RC_OK;
}

enum rc pair_effects(const double *y, size_t n, double *effect, double *left_out, struct err *e)
{
    double *g = malloc((n * n + n + 1) * sizeof *g), *right = g + n * n;
    if (!g)
        return err_set(e, RC_FAIL, "no memory for pairs of %zu genes", n);
    equations(y, n, g, right);
    enum rc rc = invert(g, n, e);
    for (size_t a = 0; !rc && a < n; a++) {
        effect[a] = 0;
        for (size_t b = 0; b < n; b++)
            effect[a] += g[a * n + b] * right[b];
    }
    for (size_t a = 0; !rc && a < n; a++)
        for (size_t b = 0; b < n; b++) {
            const double h = g[a * n + a] + g[b * n + b] + 2 * g[a * n + b], x = y[a * n + b];
            left_out[a * n + b] = a == b || isnan(x) || h > 1 - 1e-9
                                      ? NAN
                                      : x - (x - effect[a] - effect[b]) / (1 - h);
        }
    for (size_t a = 0; !rc && a < n; a++) {
        bool any = false;
        for (size_t b = 0; b < n; b++)
            any |= a != b && !isnan(y[a * n + b]);
        if (!any)
            effect[a] = NAN;
    }
    free(g);
    return rc;
}
