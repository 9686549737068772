#include "lib/nn/markers.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/thread.h"
#include "lib/nn/mat.h"
#include "lib/nn/metrics_stat.h"

#define SMALLEST 1e-9 /* beside both sides of a fold */

struct moments {
    size_t n_groups;
    size_t *n_cells;          /* [n_groups]; 0 for a group of one cell */
    size_t n_all;             /* their sum */
    struct mat mean, squares; /* [n_groups, genes]: of L, and the sum of squared deviations */
};

static void moments_release(struct moments *m)
{
    free(m->n_cells);
    mat_release(&m->mean);
    mat_release(&m->squares);
}

void markers_release(struct markers *m)
{
    free(m->item);
    *m = (struct markers){ 0 };
}

/* Zeros are not stored: of n cells of a group, k have L; the other n - k are off by the mean. */
static enum rc moments_init(struct moments *m, const struct csr *c, const double *scale,
                            const uint32_t *group_of, size_t n_groups, struct err *e)
{
    struct mat stored = { 0 }; /* cells of the group with a count */
    *m = (struct moments){ .n_groups = n_groups, .n_cells = calloc(n_groups + 1, sizeof(size_t)) };
    enum rc rc = m->n_cells ? mat_alloc(&m->mean, n_groups, c->n_cols, e)
                            : err_set(e, RC_FAIL, "no memory for %zu groups", n_groups);
    if (!rc)
        rc = mat_alloc(&m->squares, n_groups, c->n_cols, e);
    if (!rc)
        rc = mat_alloc(&stored, n_groups, c->n_cols, e);
    if (rc)
        return rc;
    for (size_t r = 0; r < c->n_rows; r++)
        m->n_cells[group_of[r]]++;
    for (size_t g = 0; g < n_groups; g++) {
        m->n_cells[g] = m->n_cells[g] > 1 ? m->n_cells[g] : 0;
        m->n_all += m->n_cells[g];
    }
    for (size_t r = 0; r < c->n_rows; r++)
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1] && m->n_cells[group_of[r]]; k++) {
            mat_row(&m->mean, group_of[r])[c->index[k]] +=
                log1p(c->value[k] * scale[r]) / (double)m->n_cells[group_of[r]];
            mat_row(&stored, group_of[r])[c->index[k]]++;
        }
    for (size_t r = 0; r < c->n_rows; r++)
        for (uint64_t k = c->indptr[r]; k < c->indptr[r + 1]; k++) {
            const double off =
                log1p(c->value[k] * scale[r]) - mat_row(&m->mean, group_of[r])[c->index[k]];
            mat_row(&m->squares, group_of[r])[c->index[k]] += off * off;
        }
    for (size_t g = 0; g < n_groups; g++)
        for (size_t j = 0; j < c->n_cols; j++) {
            const double mean = mat_row(&m->mean, g)[j];
            mat_row(&m->squares, g)[j] +=
                ((double)m->n_cells[g] - mat_row(&stored, g)[j]) * mean * mean;
        }
    mat_release(&stored);
    return RC_OK;
}

/* Mean and sum of squares of all other groups together (Chan et al. 1979). */
static void rest_of(const struct moments *m, size_t group, size_t gene, double *mean,
                    double *squares)
{
    const double n = (double)(m->n_all - m->n_cells[group]);
    *mean = *squares = 0;
    for (size_t g = 0; g < m->n_groups; g++)
        if (g != group && m->n_cells[g])
            *mean += (double)m->n_cells[g] * mat_row(&m->mean, g)[gene] / n;
    for (size_t g = 0; g < m->n_groups; g++)
        if (g != group && m->n_cells[g]) {
            const double off = mat_row(&m->mean, g)[gene] - *mean;
            *squares += mat_row(&m->squares, g)[gene] + (double)m->n_cells[g] * off * off;
        }
}

struct one_group {
    const struct moments *m;
    size_t group;
    struct marker *all; /* [genes] */
    double *p;          /* [genes] */
};

enum { GENES_PER_TASK = 256 };

static void test_genes(void *ctx, size_t task, int worker)
{
    const struct one_group *o = ctx;
    const struct moments *m = o->m;
    const size_t n = m->n_cells[o->group], rest = m->n_all - n, end = (task + 1) * GENES_PER_TASK;
    (void)worker;
    for (size_t j = task * GENES_PER_TASK; j < m->mean.d && j < end; j++) {
        const double mean = mat_row(&m->mean, o->group)[j],
                     var = mat_row(&m->squares, o->group)[j] / (double)(n - 1);
        double other, squares;
        rest_of(m, o->group, j, &other, &squares);
        struct test_result t = { 0, 1, 0 };
        if (var > 0 || squares > 0)
            t = welch_t_from(mean, var, n, other, squares / (double)(rest - 1), rest);
        if (isnan(t.statistic) || isnan(t.p)) /* spreads too small to divide by */
            t = (struct test_result){ 0, 1, 0 };
        o->p[j] = t.p;
        o->all[j] =
            (struct marker){ (uint32_t)o->group, (uint32_t)j, t.statistic,
                             log2((expm1(mean) + SMALLEST) / (expm1(other) + SMALLEST)), 1 };
    }
}

static int best_first(const void *a, const void *b)
{
    const struct marker *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

static enum rc add_group(const struct one_group *o, const struct marker_rule *rule,
                         double *adjusted, struct markers *out, struct err *e)
{
    const size_t n = o->m->mean.d;
    threads_for((n + GENES_PER_TASK - 1) / GENES_PER_TASK, test_genes, (void *)(uintptr_t)o);
    if (benjamini_hochberg(o->p, n, adjusted, e))
        return RC_FAIL;
    for (size_t j = 0; j < n; j++)
        o->all[j].p_adjusted = adjusted[j];
    qsort(o->all, n, sizeof *o->all, best_first);
    for (size_t j = 0, kept = 0; j < n && kept < rule->n_top; j++)
        if (o->all[j].p_adjusted <= rule->p_most && o->all[j].log2_fold >= rule->fold_least) {
            out->item[out->n++] = o->all[j];
            kept++;
        }
    return RC_OK;
}

enum rc markers_find(const struct csr *count, const double *scale, const uint32_t *group_of,
                     size_t n_groups, const struct marker_rule *rule, struct markers *out,
                     struct err *e)
{
    struct moments m;
    const size_t n = count->n_cols, top = rule->n_top < n ? rule->n_top : n;
    *out = (struct markers){ .item = malloc((n_groups * top + 1) * sizeof *out->item) };
    enum rc rc = moments_init(&m, count, scale, group_of, n_groups, e);
    struct one_group o = { .m = &m,
                           .all = malloc((n + 1) * sizeof *o.all),
                           .p = malloc((2 * n + 1) * sizeof *o.p) };
    if (!rc && (!out->item || !o.all || !o.p))
        rc = err_set(e, RC_FAIL, "no memory for tests of %zu genes", n);
    /* One group has no others; two groups of two cells are the least. */
    for (o.group = 0; !rc && o.group < n_groups; o.group++)
        if (m.n_cells[o.group] && m.n_all - m.n_cells[o.group] > 1)
            rc = add_group(&o, rule, o.p + n, out, e);
    free(o.all);
    free(o.p);
    moments_release(&m);
    if (rc)
        markers_release(out);
    return rc;
}
