/* The two losses of pre-training over steps: figure 0 gene identities, figure 1 values. */
#include <math.h>
#include <stdio.h>

#include "lib/report/figures.h"

/* More points than this cannot be told apart at the width of a page; they are averaged in runs of
 * equal length. */
enum { MAX_POINTS = 400, MAX_KEYS = N_COLOURS };

static double loss_of(const struct log_point *p, bool values)
{
    return values ? p->value_loss : p->id_loss;
}

static size_t block(const struct log_points *l, bool values, const char *name, struct figure *f)
{
    size_t run = (l->n + MAX_POINTS - 1) / MAX_POINTS, n_drawn = 0;
    figure_block(f, name);
    for (size_t i = 0; i < l->n; i += run) {
        double step = 0, loss = 0;
        size_t n = 0;
        for (size_t k = i; k < l->n && k < i + run; k++) {
            double x = loss_of(&l->p[k], values);
            if (!isfinite(x))
                continue;
            step += l->p[k].step;
            loss += x;
            n++;
        }
        if (n)
            figure_row(f, "%.9g\t%.9g", step / (double)n, loss / (double)n);
        n_drawn += n > 0;
    }
    figure_block_end(f);
    return n_drawn;
}

struct range {
    double x_max, lo, hi;
};

static void widen(struct range *g, double y)
{
    if (isfinite(y)) {
        g->lo = fmin(g->lo, y);
        g->hi = fmax(g->hi, y);
    }
}

static struct range range_of(const struct pretrain_facts *p, bool values)
{
    struct range g = { 1, INFINITY, -INFINITY };
    const struct log_points *l[2] = { &p->train, &p->held_out };
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < l[k]->n; i++) {
            widen(&g, loss_of(&l[k]->p[i], values));
            g.x_max = fmax(g.x_max, l[k]->p[i].step);
        }
    for (size_t i = 0; i < p->n_baselines; i++)
        if (p->baseline[i].is_value == values)
            widen(&g, p->baseline[i].loss);
    double room = g.hi > g.lo ? 0.06 * (g.hi - g.lo) : 0.5;
    g.lo -= room;
    g.hi += room;
    return g;
}

static size_t baselines(const struct pretrain_facts *p, bool values, struct figure *f,
                        const char **word, const char **colour, size_t n)
{
    static const char *const colours[] = { "#009E73", "#E69F00", "#CC79A7",
                                           "#56B4E9", "#D55E00", "#F0E442" };
    size_t k = 0;
    figure_block(f, "baselines");
    for (size_t i = 0; i < p->n_baselines && n + k < MAX_KEYS; i++) {
        if (p->baseline[i].is_value != values)
            continue;
        word[n + k] = p->baseline[i].name;
        colour[n + k] = colours[k];
        k++;
        figure_row(f, "0\t%zu\t%.9g", k, p->baseline[i].loss);
        figure_row(f, "1\t%zu\t%.9g", k, p->baseline[i].loss);
    }
    figure_block_end(f);
    return n + k;
}

static bool fill(const struct results *r, size_t which, struct figure *f)
{
    bool values = which == 1;
    const struct pretrain_facts *p = &r->pretrain;
    struct range g = range_of(p, values);
    const char *word[MAX_KEYS] = { "training batches", "held-out cells" };
    const char *colour[MAX_KEYS] = { "#0072B2", "#000000" };
    static const char *const axis = "optimiser step";
    if (!isfinite(g.lo))
        return false;
    figure_init(f, values ? "loss-value" : "loss-id",
                values ? "Loss of masked expression values over training steps"
                       : "Loss of masked gene identities over training steps");
    size_t n_train = block(&p->train, values, "train", f);
    size_t n_held = block(&p->held_out, values, "held_out", f);
    if (!n_train && !n_held) {
        figure_release(f);
        return false;
    }
    figure_number(f, "n_lines", 2);
    size_t n = baselines(p, values, f, word, colour, 2);
    figure_number(f, "x_max", g.x_max);
    figure_number(f, "y_min", g.lo);
    figure_number(f, "y_max", g.hi);
    figure_words(f, "x_label", &axis, 1);
    figure_size(f, 360, 272 + 18 * (double)n);
    figure_key(f, word, colour, n, 268);
    return true;
}

static size_t count(const struct results *r)
{
    return r->pretrain.present ? 2 : 0;
}

const struct figure_kind figure_loss = { "loss", count, fill };
