#include "lib/cell/peca.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const double far_bases = 500000, least_correlation = 0.2;

static bool good(double x)
{
    return isfinite(x) && x >= 0;
}

static enum rc check_values(const struct peca_sample *s, struct err *e)
{
    for (size_t g = 0; g < s->n_genes; g++)
        if (!good(s->expression[g]) || !good(s->expression_median[g]))
            return err_set(e, RC_INPUT, "gene %zu: an expression that cannot be", g);
    for (size_t i = 0; i < s->n_elements; i++)
        if (!good(s->openness[i]) || !good(s->openness_median[i]))
            return err_set(e, RC_INPUT, "element %zu: an openness that cannot be", i);
    for (size_t t = 0; t < s->n_tfs; t++)
        if (s->tf[t] >= s->n_genes)
            return err_set(e, RC_INPUT, "regulator %zu is gene %u of %zu", t, s->tf[t], s->n_genes);
    return RC_OK;
}

static enum rc check_pairs(const struct peca_sample *s, struct err *e)
{
    for (size_t i = 0; i < s->n_bindings; i++) {
        const struct peca_binding *b = &s->binding[i];
        if (b->tf >= s->n_tfs || b->element >= s->n_elements || !good(b->strength))
            return err_set(e, RC_INPUT, "binding %zu cannot be", i);
    }
    for (size_t i = 0; i < s->n_links; i++) {
        const struct peca_link *l = &s->link[i];
        if (l->gene >= s->n_genes || l->element >= s->n_elements || !good(l->distance) ||
            !isfinite(l->correlation))
            return err_set(e, RC_INPUT, "link %zu of an element and a gene cannot be", i);
    }
    for (size_t i = 0; i < s->n_correlations; i++) {
        const struct peca_pair *p = &s->correlation[i];
        if (p->tf >= s->n_tfs || p->gene >= s->n_genes || !(fabs(p->value) <= 1))
            return err_set(e, RC_INPUT, "correlation %zu cannot be", i);
    }
    for (size_t i = 0; i < s->n_background; i++)
        if (s->background[i].tf >= s->n_tfs || s->background[i].gene >= s->n_genes)
            return err_set(e, RC_INPUT, "background pair %zu cannot be", i);
    return s->n_background ? RC_OK : err_set(e, RC_INPUT, "no background pair");
}

struct ranked {
    double x;
    size_t at;
};

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->x < y->x || x->x > y->x)
        return x->x < y->x ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* to[g]: the G of each gene. Ties keep the order of genes. */
static enum rc express(const struct peca_sample *s, double *to, struct err *e)
{
    const size_t n = s->n_genes;
    struct ranked *x = malloc((2 * n + 1) * sizeof *x), *m = x + n;
    if (!x)
        return err_set(e, RC_FAIL, "no memory for %zu genes", n);
    for (size_t g = 0; g < n; g++) {
        x[g] = (struct ranked){ s->expression[g], g };
        m[g] = (struct ranked){ s->expression_median[g], g };
    }
    qsort(x, n, sizeof *x, by_value);
    qsort(m, n, sizeof *m, by_value);
    for (size_t i = 0; i < n; i++) {
        const size_t g = x[i].at;
        to[g] = sqrt(m[i].x) * m[i].x / (s->expression_median[g] + 0.5);
    }
    free(x);
    return RC_OK;
}

static void open_up(const struct peca_sample *s, double *to)
{
    for (size_t i = 0; i < s->n_elements; i++) {
        const double o = log2(1 + s->openness[i]), m = log2(1 + s->openness_median[i]);
        to[i] = o * (o / (m + 0.5));
    }
}

/* score[t, g] = sum over elements; bound: [n_elements] of zeros, zeros again after. */
static void bind(const struct peca_sample *s, const double *open, double *bound, double *score)
{
    for (size_t i = 0, end; i < s->n_bindings; i = end) { /* runs of one regulator */
        const uint32_t t = s->binding[i].tf;
        for (end = i; end < s->n_bindings && s->binding[end].tf == t; end++)
            bound[s->binding[end].element] += s->binding[end].strength;
        for (size_t k = 0; k < s->n_links; k++) {
            const struct peca_link *l = &s->link[k];
            if (bound[l->element] > 0 && l->correlation >= least_correlation)
                score[t * s->n_genes + l->gene] += bound[l->element] * open[l->element] *
                                                   l->correlation * exp(-l->distance / far_bases);
        }
        for (size_t k = i; k < end; k++)
            bound[s->binding[k].element] = 0;
    }
}

enum rc peca_scores(const struct peca_sample *s, double *score, struct err *e)
{
    enum rc rc = check_values(s, e);
    if (!rc)
        rc = check_pairs(s, e);
    if (rc)
        return rc;
    double *g = calloc(s->n_genes + 1, sizeof *g), *open = calloc(s->n_elements + 1, sizeof *open),
           *bound = calloc(s->n_elements + 1, sizeof *bound);
    memset(score, 0, s->n_tfs * s->n_genes * sizeof *score);
    rc = g && open && bound ? express(s, g, e)
                            : err_set(e, RC_FAIL, "no memory for %zu elements", s->n_elements);
    if (!rc) {
        open_up(s, open);
        bind(s, open, bound, score);
        for (size_t t = 0; t < s->n_tfs; t++)
            for (size_t k = 0; k < s->n_genes; k++)
                score[t * s->n_genes + k] *= g[s->tf[t]] * g[k];
        for (size_t i = 0; i < s->n_correlations; i++)
            score[s->correlation[i].tf * s->n_genes + s->correlation[i].gene] *=
                exp2(fabs(s->correlation[i].value));
    }
    free(g);
    free(open);
    free(bound);
    return rc;
}

static int rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double peca_percentile(double *x, size_t n, double percent)
{
    if (!n)
        return NAN;
    qsort(x, n, sizeof *x, rising);
    const double at = percent / 100 * (double)n - 0.5; /* value i stands at (i + 0.5) / n */
    if (at <= 0)
        return x[0];
    if (at >= (double)(n - 1))
        return x[n - 1];
    const size_t i = (size_t)at;
    return x[i] + (at - (double)i) * (x[i + 1] - x[i]);
}
