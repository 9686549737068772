#include "lib/nn/layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/base/thread.h"

enum { CELL_TASK = 64, CURVE_POINTS = 300, CURVE_STEPS = 100, TURNS = 4 };

struct layout_options layout_defaults(void)
{
    return (struct layout_options){ .min_dist = 0.5, .spread = 1, .n_negative = 5 };
}

/* ---- the curve ---- */

struct fit {
    double a, b, error;
    double jj[3], jr[2]; /* J'J (aa, ab, bb) and J'r */
};

static void fit_at(struct fit *f, double min_dist, double spread)
{
    f->error = 0;
    memset(f->jj, 0, sizeof f->jj);
    memset(f->jr, 0, sizeof f->jr);
    for (int i = 1; i < CURVE_POINTS; i++) { /* at 0 the curve is 1 whatever a and b are */
        const double d = 3 * spread * i / (CURVE_POINTS - 1);
        const double want = d < min_dist ? 1 : exp(-(d - min_dist) / spread);
        const double p = pow(d, 2 * f->b), y = 1 / (1 + f->a * p), r = want - y;
        const double da = -p * y * y, db = -f->a * p * 2 * log(d) * y * y;
        f->error += r * r;
        f->jj[0] += da * da;
        f->jj[1] += da * db;
        f->jj[2] += db * db;
        f->jr[0] += da * r;
        f->jr[1] += db * r;
    }
}

/* Levenberg and Marquardt, from a = b = 1. */
void layout_curve(double min_dist, double spread, double *a, double *b)
{
    struct fit now = { .a = 1, .b = 1 };
    double damp = 1e-3;
    fit_at(&now, min_dist, spread);
    for (int step = 0; step < CURVE_STEPS; step++) {
        const double aa = now.jj[0] * (1 + damp), bb = now.jj[2] * (1 + damp), ab = now.jj[1];
        const double det = aa * bb - ab * ab;
        struct fit next = { .a = now.a + (bb * now.jr[0] - ab * now.jr[1]) / det,
                            .b = now.b + (aa * now.jr[1] - ab * now.jr[0]) / det };
        fit_at(&next, min_dist, spread);
        if (next.a > 0 && next.b > 0 && next.error <= now.error) {
            now = next;
            damp /= 10;
        } else {
            damp *= 10;
        }
    }
    *a = now.a;
    *b = now.b;
}

/* ---- moving cells ---- */

struct moving {
    const struct graph *g;
    struct layout_options o;
    double a, b, rate;
    int epoch, turn;
    size_t *first; /* [n + 1] neighbours of each cell */
    uint32_t *other;
    double *period; /* epochs between two pulls of this edge */
    const double *from;
    double *to;
};

static double clip(double x)
{
    return x > 4 ? 4 : x < -4 ? -4 : x;
}

static void pull(const struct moving *m, double y[2], const double *to)
{
    const double dx = y[0] - to[0], dy = y[1] - to[1], d2 = dx * dx + dy * dy;
    if (d2 <= 0)
        return;
    const double p = pow(d2, m->b), f = -2 * m->a * m->b * p / d2 / (1 + m->a * p);
    y[0] += m->rate * clip(f * dx);
    y[1] += m->rate * clip(f * dy);
}

static void push(const struct moving *m, double y[2], const double *away)
{
    const double dx = y[0] - away[0], dy = y[1] - away[1], d2 = dx * dx + dy * dy;
    if (d2 <= 0)
        return;
    const double f = 2 * m->b / ((0.001 + d2) * (1 + m->a * pow(d2, m->b)));
    y[0] += m->rate * clip(f * dx);
    y[1] += m->rate * clip(f * dy);
}

static void push_random(const struct moving *m, size_t i, size_t edge, double y[2])
{
    struct rng_word4 w = { { 0 } };
    for (int k = 0; k < m->o.n_negative; k++) {
        if (k % 4 == 0)
            w = rng_block(m->o.seed, RNG_LAYOUT, edge + 1,
                          (uint64_t)m->epoch << 16 | (uint64_t)(k / 4));
        const size_t j = (size_t)((uint64_t)w.w[k % 4] * m->g->n >> 32);
        if (j != i)
            push(m, y, m->from + 2 * j);
    }
}

/* The edges whose other end has its turn. All cells move at once, from where all were before, which
 * any number of threads does alike; but two that pull each other then go too far, so an epoch's
 * edges are taken in TURNS parts: near cells stay near in more of a map
 * (tests/bin-src/map-umap.t.sh). */
static void move_cells(void *ctx, size_t task, int worker)
{
    const struct moving *m = ctx;
    (void)worker;
    for (size_t i = task * CELL_TASK; i < (task + 1) * CELL_TASK && i < m->g->n; i++) {
        double y[2] = { m->from[2 * i], m->from[2 * i + 1] };
        for (size_t k = m->first[i]; k < m->first[i + 1]; k++) {
            const double due = m->period[k];
            if (m->other[k] % TURNS != (uint32_t)m->turn ||
                floor((m->epoch + 1) / due) <= floor(m->epoch / due))
                continue;
            pull(m, y, m->from + 2 * m->other[k]);
            pull(m, y, m->from + 2 * m->other[k]);
            push_random(m, i, k, y);
        }
        memcpy(m->to + 2 * i, y, sizeof y);
    }
}

/* ---- set-up ---- */

static double largest_weight(const struct graph *g)
{
    double w = 0;
    for (size_t i = 0; i < g->n_edges; i++)
        w = fmax(w, g->weight[i]);
    return w;
}

/* Both directions of each edge, by cell; edges of weight 0 pull no one. */
static enum rc list_neighbours(struct moving *m, struct err *e)
{
    const struct graph *g = m->g;
    const double most = largest_weight(g);
    m->first = calloc(g->n + 2, sizeof *m->first);
    m->other = calloc(2 * g->n_edges + 1, sizeof *m->other);
    m->period = calloc(2 * g->n_edges + 1, sizeof *m->period);
    if (!m->first || !m->other || !m->period)
        return err_set(e, RC_FAIL, "no memory for %zu edges", g->n_edges);
    for (size_t i = 0; i < g->n_edges; i++)
        for (int end = 0; end < 2; end++)
            m->first[(end ? g->b[i] : g->a[i]) + 2] += g->weight[i] > 0;
    for (size_t i = 0; i < g->n; i++)
        m->first[i + 2] += m->first[i + 1];
    for (size_t i = 0; i < g->n_edges; i++)
        for (int end = 0; end < 2 && g->weight[i] > 0; end++) {
            const size_t at = m->first[(end ? g->b[i] : g->a[i]) + 1]++;
            m->other[at] = end ? g->a[i] : g->b[i];
            m->period[at] = most / g->weight[i];
        }
    return RC_OK;
}

static void first_positions(const struct mat *start, uint64_t seed, struct mat *out)
{
    double largest = 0;
    for (size_t i = 0; i < start->n; i++)
        for (int k = 0; k < 2; k++)
            largest = fmax(largest, fabs(mat_row(start, i)[k]));
    for (size_t i = 0; i < start->n; i++)
        for (int k = 0; k < 2; k++)
            out->x[2 * i + (size_t)k] = mat_row(start, i)[k] * (largest > 0 ? 10 / largest : 0) +
                                        0.001 * rng_unit(seed, RNG_LAYOUT, 0, 2 * i + (uint64_t)k);
}

enum rc layout_umap(const struct graph *g, const struct mat *start, const struct layout_options *o,
                    struct mat *out, struct err *e)
{
    struct moving m = { .g = g, .o = *o };
    struct mat spare = { 0 };
    *out = (struct mat){ 0 };
    if (start->n != g->n || start->d < 2)
        return err_set(e, RC_INPUT, "%zu x %zu first positions for %zu cells", start->n, start->d,
                       g->n);
    enum rc rc = list_neighbours(&m, e);
    if (!rc && !(rc = mat_alloc(out, g->n, 2, e)))
        rc = mat_alloc(&spare, g->n, 2, e);
    if (!rc) {
        const int n_epochs = o->n_epochs > 0 ? o->n_epochs : g->n <= 10000 ? 500 : 200;
        first_positions(start, o->seed, out);
        layout_curve(o->min_dist, o->spread, &m.a, &m.b);
        for (m.epoch = 0; m.epoch < n_epochs; m.epoch++) {
            m.rate = 1 - (double)m.epoch / n_epochs;
            for (m.turn = 0; m.turn < TURNS; m.turn++) {
                m.from = out->x;
                m.to = spare.x;
                threads_for((g->n + CELL_TASK - 1) / CELL_TASK, move_cells, &m);
                struct mat swap = *out;
                *out = spare;
                spare = swap;
            }
        }
    } else {
        mat_release(out);
    }
    mat_release(&spare);
    free(m.first);
    free(m.other);
    free(m.period);
    return rc;
}
