#include "lib/nn/perturb_score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/metrics_change.h"
#include "lib/nn/metrics_stat.h"

const char *const perturb_metric_name[PERTURB_N_METRICS] = { "mse_top20",
                                                             "mse_top20_expressed",
                                                             "mse",
                                                             "deviation_top20",
                                                             "wrong_direction_top20",
                                                             "spearman_delta",
                                                             "pearson_delta",
                                                             "spearman_delta_top20",
                                                             "pearson_delta_top20",
                                                             "pearson_from_centroid",
                                                             "pearson_from_non_control" };
const bool perturb_metric_up[PERTURB_N_METRICS] = {
    [PERTURB_SPEARMAN] = true,         [PERTURB_PEARSON] = true,
    [PERTURB_SPEARMAN_TOP20] = true,   [PERTURB_PEARSON_TOP20] = true,
    [PERTURB_PEARSON_CENTROID] = true, [PERTURB_PEARSON_NON_CONTROL] = true
};

const char *gears_class_name(enum gears_class c)
{
    static const char *const name[] = { "seen", "unseen_single", "combo_seen0", "combo_seen1",
                                        "combo_seen2" };
    return name[c];
}

/* ---- facts ---- */

/* Means, and variances by n - 1, of sparse cells; zeros add mean^2 each. */
static void fill_moments(const struct perturb_set *s, struct condition_moments *m, uint32_t *there)
{
    const size_t d = s->n_genes;
    for (size_t i = 0; i < s->n_cells; i++)
        for (uint64_t k = s->indptr[i]; k < s->indptr[i + 1]; k++) {
            mat_row(&m->mean, s->of[i])[s->index[k]] += s->value[k];
            there[s->of[i] * d + s->index[k]]++;
        }
    for (size_t c = 0; c < s->n_conditions; c++)
        for (size_t j = 0; j < d; j++)
            mat_row(&m->mean, c)[j] /= (double)m->n_cells[c];
    for (size_t i = 0; i < s->n_cells; i++)
        for (uint64_t k = s->indptr[i]; k < s->indptr[i + 1]; k++) {
            const double off = s->value[k] - mat_row(&m->mean, s->of[i])[s->index[k]];
            mat_row(&m->variance, s->of[i])[s->index[k]] += off * off;
        }
    for (size_t c = 0; c < s->n_conditions; c++)
        for (size_t j = 0; j < d; j++) {
            const double mean = mat_row(&m->mean, c)[j], n = (double)m->n_cells[c];
            double *v = &mat_row(&m->variance, c)[j];
            *v += (n - there[c * d + j]) * mean * mean;
            *v = n > 1 ? *v / (n - 1) : 0;
        }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t distinct(const char **name, size_t n)
{
    size_t kept = 0;
    qsort(name, n, sizeof *name, by_text);
    for (size_t i = 0; i < n; i++)
        if (!kept || strcmp(name[kept - 1], name[i]) != 0)
            name[kept++] = name[i];
    return kept;
}

static uint32_t find(const char *const *name, size_t n, const char *what)
{
    const char **at = bsearch(&what, name, n, sizeof *name, by_text);
    return (uint32_t)(at - (const char **)name);
}

static enum rc fill_targets(struct perturb_facts *f, struct err *e)
{
    const struct perturb_set *s = f->set;
    struct map column;
    enum rc rc = RC_OK;
    size_t n = 0;
    map_init(&column);
    for (size_t j = 0; !rc && j < s->n_genes; j++)
        rc = map_add(&column, s->gene[j], j, NULL, e);
    for (size_t c = 0; !rc && c < s->n_conditions; c++)
        for (int k = 0; k < s->condition[c].n_genes; k++)
            f->target_name[n++] = s->condition[c].gene[k];
    f->n_targets = distinct(f->target_name, n);
    for (size_t c = 0; !rc && c < s->n_conditions; c++) {
        f->column[c].n_genes = f->target[c].n_genes = s->condition[c].n_genes;
        for (int k = 0; k < s->condition[c].n_genes; k++) {
            const uint64_t at = map_get(&column, s->condition[c].gene[k]);
            f->column[c].gene[k] = at == MAP_NONE ? PERTURBATION_UNKNOWN : (uint32_t)at;
            f->target[c].gene[k] = find(f->target_name, f->n_targets, s->condition[c].gene[k]);
        }
    }
    map_release(&column);
    return rc;
}

enum rc perturb_facts_init(struct perturb_facts *f, const struct perturb_set *set, struct err *e)
{
    const size_t n = set->n_conditions, d = set->n_genes;
    *f = (struct perturb_facts){ .set = set };
    uint32_t *there = calloc(n * d + 1, sizeof *there);
    f->ranked = malloc((n * d + 1) * sizeof *f->ranked);
    f->column = calloc(n + 1, sizeof *f->column);
    f->target = calloc(n + 1, sizeof *f->target);
    f->target_name = calloc(2 * n + 1, sizeof *f->target_name);
    f->m.n_cells = calloc(n + 1, sizeof *f->m.n_cells);
    enum rc rc = there && f->ranked && f->column && f->target && f->target_name && f->m.n_cells
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu conditions", n);
    if (!rc)
        rc = mat_alloc(&f->m.mean, n, d, e);
    if (!rc)
        rc = mat_alloc(&f->m.variance, n, d, e);
    for (size_t c = 0; !rc && c < n; c++)
        f->m.n_cells[c] = set->condition[c].n_cells;
    if (!rc)
        fill_moments(set, &f->m, there);
    if (!rc)
        rc = fill_targets(f, e);
    for (size_t c = 0; !rc && c < n; c++)
        rc = changed_genes(&f->m, c, set->control, f->ranked + c * d, NULL, e);
    free(there);
    if (rc)
        perturb_facts_release(f);
    return rc;
}

void perturb_facts_release(struct perturb_facts *f)
{
    condition_moments_release(&f->m);
    free(f->ranked);
    free(f->column);
    free(f->target);
    free(f->target_name);
    *f = (struct perturb_facts){ 0 };
}

/* ---- references ---- */

enum rc perturb_reference_init(struct perturb_reference *r, const struct perturb_facts *f,
                               const enum part *part, struct err *e)
{
    const struct perturb_set *s = f->set;
    const size_t d = s->n_genes;
    double n = 0, n_cells = 0;
    *r = (struct perturb_reference){ calloc(d + 1, sizeof(double)), calloc(d + 1, sizeof(double)) };
    if (!r->centroid || !r->non_control) {
        perturb_reference_release(r);
        return err_set(e, RC_FAIL, "no memory for %zu genes", d);
    }
    for (size_t c = 0; c < s->n_conditions; c++) {
        const double cells = (double)s->condition[c].n_cells;
        if (c == s->control || part[c] != PART_TRAIN)
            continue;
        n++;
        n_cells += cells;
        for (size_t j = 0; j < d; j++) {
            r->centroid[j] += mat_row(&f->m.mean, c)[j];
            r->non_control[j] += cells * mat_row(&f->m.mean, c)[j];
        }
    }
    for (size_t j = 0; n > 0 && j < d; j++) {
        r->centroid[j] /= n;
        r->non_control[j] /= n_cells;
    }
    return RC_OK;
}

void perturb_reference_release(struct perturb_reference *r)
{
    free(r->centroid);
    free(r->non_control);
    *r = (struct perturb_reference){ 0 };
}

/* ---- scores ---- */

/* A prediction without spread from the reference is right about nothing: 0. Rounding is no spread:
 * the train mean minus the mean of the same conditions leaves 1e-17. */
static double or_flat(double r, const double *p, const double *from, size_t n)
{
    double most = 0;
    for (size_t j = 0; j < n; j++)
        most = fmax(most, fabs(p[j] - from[j]));
    return isnan(r) || most < 1e-12 ? 0 : r;
}

static enum rc pearson_from(const double *p, const double *t, const double *from, size_t n,
                            double *out, struct err *e)
{
    const struct change change = { n, p, t, from };
    struct change_metrics m;
    enum rc rc = change_metrics_get(&change, NULL, 0, &m, e);
    *out = or_flat(m.pearson, p, from, n);
    return rc;
}

enum rc perturb_score(const struct perturb_facts *f, const struct perturb_reference *r, size_t c,
                      const double *predicted, double score[PERTURB_N_METRICS], struct err *e)
{
    const size_t d = f->set->n_genes, n = d < PERTURB_TOP ? d : PERTURB_TOP;
    const uint32_t *top = f->ranked + c * d;
    const double *control = mat_row(&f->m.mean, f->set->control), *truth = mat_row(&f->m.mean, c);
    const struct change change = { d, predicted, truth, control };
    struct change_metrics all, best, expressed;
    uint32_t gene[PERTURB_TOP];
    const size_t n_expressed = change_non_dropout(&change, top, d, n, gene);
    enum rc rc = change_metrics_get(&change, NULL, 0, &all, e);
    if (!rc)
        rc = change_metrics_get(&change, top, n, &best, e);
    if (!rc)
        rc = change_metrics_get(&change, gene, n_expressed, &expressed, e);
    if (rc)
        return rc;
    score[PERTURB_MSE_TOP20] = best.mse;
    score[PERTURB_MSE_TOP20_EXPRESSED] = expressed.mse;
    score[PERTURB_MSE] = all.mse;
    score[PERTURB_DEVIATION_TOP20] = best.deviation;
    score[PERTURB_WRONG_TOP20] = (double)best.wrong_direction;
    score[PERTURB_SPEARMAN] = or_flat(all.spearman, predicted, control, d);
    score[PERTURB_PEARSON] = or_flat(all.pearson, predicted, control, d);
    score[PERTURB_SPEARMAN_TOP20] = or_flat(best.spearman, predicted, control, d);
    score[PERTURB_PEARSON_TOP20] = or_flat(best.pearson, predicted, control, d);
    rc = pearson_from(predicted, truth, r->centroid, d, &score[PERTURB_PEARSON_CENTROID], e);
    if (!rc)
        rc = pearson_from(predicted, truth, r->non_control, d, &score[PERTURB_PEARSON_NON_CONTROL],
                          e);
    return rc;
}
