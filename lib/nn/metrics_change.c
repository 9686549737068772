#include "lib/nn/metrics_change.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "lib/nn/metrics_stat.h"

enum rc change_metrics_get(const struct change *c, const uint32_t *gene, size_t n,
                           struct change_metrics *m, struct err *e)
{
    n = gene ? n : c->n_genes;
    *m = (struct change_metrics){ 0 };
    double *p = malloc((2 * n + 1) * sizeof *p), *t = p ? p + n : NULL;
    if (!p)
        return err_set(e, RC_FAIL, "no memory for the changes of %zu genes", n);
    for (size_t i = 0; i < n; i++) {
        const size_t g = gene ? gene[i] : i;
        assert(g < c->n_genes);
        const double off = c->predicted[g] - c->truth[g];
        p[i] = c->predicted[g] - c->control[g];
        t[i] = c->truth[g] - c->control[g];
        const int sign_p = (p[i] > 0) - (p[i] < 0), sign_t = (t[i] > 0) - (t[i] < 0);
        m->mse += off * off;
        m->deviation += fabs(off);
        m->wrong_direction += sign_p * sign_t < 0;
        m->other_sign += sign_p != sign_t;
    }
    m->mse /= (double)n;
    struct test_result r = { 0 };
    enum rc rc = spearman(p, t, n, &r, e);
    m->spearman = r.statistic;
    m->pearson = pearson(p, t, n).statistic;
    free(p);
    return rc;
}

size_t change_non_dropout(const struct change *c, const uint32_t *ranked, size_t n_ranked, size_t n,
                          uint32_t *gene)
{
    size_t found = 0;
    for (size_t i = 0; i < n_ranked && found < n; i++)
        if (fpclassify(c->truth[ranked[i]]) != FP_ZERO ||
            fpclassify(c->control[ranked[i]]) == FP_ZERO)
            gene[found++] = ranked[i];
    return found;
}
