#include "lib/nn/lbfgs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 10, MAX_TRIALS = 40 };

struct state {
    lbfgs_fn *fn;
    void *ctx;
    size_t n;
    double *x, *g;         /* where we are */
    double *x_new, *g_new; /* the trial */
    double *way;           /* search direction */
    double *s[MEMORY], *y[MEMORY], rho[MEMORY];
    int n_pairs; /* ever remembered; pair i lies at i % MEMORY */
    struct lbfgs_end *end;
};

static double dot(const double *a, const double *b, size_t n)
{
    double s[4] = { 0 };
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t j = 0; j < 4; j++)
            s[j] += a[i + j] * b[i + j];
    for (; i < n; i++)
        s[0] += a[i] * b[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

static double largest(const double *a, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(a[i]));
    return most;
}

static void add(double *to, double scale, const double *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += scale * a[i];
}

/* The two loops: way = -H g. */
static void direction(struct state *st)
{
    double alpha[MEMORY];
    size_t n = st->n;
    int first = st->n_pairs > MEMORY ? st->n_pairs - MEMORY : 0;
    for (size_t i = 0; i < n; i++)
        st->way[i] = -st->g[i];
    for (int p = st->n_pairs - 1; p >= first; p--) {
        int k = p % MEMORY;
        alpha[k] = st->rho[k] * dot(st->s[k], st->way, n);
        add(st->way, -alpha[k], st->y[k], n);
    }
    if (st->n_pairs) {
        int k = (st->n_pairs - 1) % MEMORY;
        double scale = 1 / (st->rho[k] * dot(st->y[k], st->y[k], n));
        for (size_t i = 0; i < n; i++)
            st->way[i] *= scale;
    }
    for (int p = first; p < st->n_pairs; p++) {
        int k = p % MEMORY;
        add(st->way, alpha[k] - st->rho[k] * dot(st->y[k], st->way, n), st->s[k], n);
    }
}

/* A step that falls enough and flattens enough (weak Wolfe conditions), by bisection between a step
 * too long and one too short (Lewis and Overton 2013). 0 when there is none. */
static double line_search(struct state *st, double step, double *value)
{
    double slope = dot(st->g, st->way, st->n), low = 0, high = INFINITY;
    if (!(slope < 0))
        return 0;
    for (int trial = 0; trial < MAX_TRIALS; trial++) {
        memcpy(st->x_new, st->x, st->n * sizeof(double));
        add(st->x_new, step, st->way, st->n);
        *value = st->fn(st->ctx, st->x_new, st->g_new);
        st->end->n_calls++;
        if (!(*value <= st->end->value + 1e-4 * step * slope))
            high = step;
        else if (dot(st->g_new, st->way, st->n) < 0.9 * slope)
            low = step;
        else
            return step;
        step = isinf(high) ? 2 * step : (low + high) / 2;
    }
    return 0;
}

static void remember(struct state *st)
{
    int k = st->n_pairs % MEMORY;
    for (size_t i = 0; i < st->n; i++) {
        st->s[k][i] = st->x_new[i] - st->x[i];
        st->y[k][i] = st->g_new[i] - st->g[i];
    }
    double sy = dot(st->s[k], st->y[k], st->n);
    if (sy > 0) {
        st->rho[k] = 1 / sy;
        st->n_pairs++;
    }
}

static void minimise(struct state *st, double tol, int max_steps)
{
    struct lbfgs_end *end = st->end;
    while (end->gradient_max > tol && end->n_steps < max_steps) {
        double value;
        direction(st);
        double first = st->n_pairs ? 1 : fmin(1, 1 / sqrt(dot(st->g, st->g, st->n)));
        if (line_search(st, first, &value) == 0) {
            if (!st->n_pairs)
                return;
            st->n_pairs = 0; /* the memory misleads: once more, straight down */
            continue;
        }
        remember(st);
        memcpy(st->x, st->x_new, st->n * sizeof(double));
        memcpy(st->g, st->g_new, st->n * sizeof(double));
        end->value = value;
        end->gradient_max = largest(st->g, st->n);
        end->n_steps++;
    }
}

enum rc lbfgs_minimise(lbfgs_fn *fn, void *ctx, size_t n, double *x, double gradient_tol,
                       int max_steps, struct lbfgs_end *end, struct err *e)
{
    *end = (struct lbfgs_end){ 0 };
    double *room = calloc((4 + 2 * MEMORY) * n + 1, sizeof *room);
    if (!room)
        return err_set(e, RC_FAIL, "no memory to minimise over %zu numbers", n);
    struct state st = { .fn = fn, .ctx = ctx, .n = n, .x = x, .end = end };
    st.g = room;
    st.x_new = room + n;
    st.g_new = room + 2 * n;
    st.way = room + 3 * n;
    for (size_t k = 0; k < MEMORY; k++) {
        st.s[k] = room + (4 + 2 * k) * n;
        st.y[k] = room + (5 + 2 * k) * n;
    }
    end->value = fn(ctx, x, st.g);
    end->n_calls = 1;
    end->gradient_max = largest(st.g, n);
    enum rc rc =
        isfinite(end->value) ? RC_OK : err_set(e, RC_INPUT, "the loss is not finite at the start");
    if (!rc)
        minimise(&st, gradient_tol, max_steps);
    free(room);
    return rc;
}
