#include "lib/nn/dose_facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/metrics_stat.h"
#include "lib/nn/split.h"

const char *const dose_metric_name[DOSE_N_METRICS] = { "r2_mean",        "r2_mean_de",
                                                       "r2_var",         "r2_var_de",
                                                       "pearson_change", "pearson_change_de",
                                                       "mse_de",         "pearson_truth" };

/* ---- parts ---- */

double dose_held_out(const struct dose_set *s)
{
    double most = 0, second = 0;
    for (size_t c = 0; c < s->n_conditions; c++)
        most = fmax(most, s->condition[c].dose);
    for (size_t c = 0; c < s->n_conditions; c++)
        if (s->condition[c].dose < most)
            second = fmax(second, s->condition[c].dose);
    return second;
}

enum rc dose_split_check(const struct dose_set *s, const unsigned char *part, struct err *e)
{
    enum rc rc = RC_OK;
    size_t *n = calloc(s->n_conditions * DOSE_NOT_GIVEN + 1, sizeof *n), held = 0;
    if (!n)
        return err_set(e, RC_FAIL, "no memory for %zu conditions", s->n_conditions);
    for (size_t i = 0; i < s->x.n_cells; i++) {
        n[s->of[i] * DOSE_NOT_GIVEN + part[i]]++;
        held += part[i] == DOSE_OOD;
    }
    if (!held)
        rc = err_set(e, RC_INPUT, "no cell is held out");
    for (uint32_t t = 0; !rc && t < s->n_types; t++) {
        const size_t *k = n + dose_set_control(s, t) * DOSE_NOT_GIVEN;
        if (!k[DOSE_TRAIN] || !k[DOSE_TEST])
            rc = err_set(e, RC_INPUT,
                         "type '%s' has %zu control cells to train on and %zu to test with",
                         s->type[t], k[DOSE_TRAIN], k[DOSE_TEST]);
    }
    for (uint32_t d = 0; !rc && d < s->n_drugs; d++) {
        size_t train = 0;
        for (size_t c = 0; c < s->n_conditions; c++)
            train += s->condition[c].drug == d ? n[c * DOSE_NOT_GIVEN + DOSE_TRAIN] : 0;
        if (!train)
            rc = err_set(e, RC_INPUT, "drug '%s' has no cell to train on", s->drug[d]);
    }
    free(n);
    return rc;
}

enum rc dose_split_draw(const struct dose_set *s, double held_out, uint64_t seed,
                        unsigned char *part, struct err *e)
{
    enum { FOLDS = 10, TEST = 3 };
    const size_t n = s->x.n_cells;
    uint64_t *id = calloc(n + 1, sizeof *id);
    uint32_t *fold = malloc((n + 1) * sizeof *fold);
    enum rc rc = id && fold ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; !rc && i < n; i++)
        id[i] = i;
    if (!rc)
        rc = split_folds(s->of, id, n, FOLDS, seed, fold, e);
    for (size_t i = 0; !rc && i < n; i++) {
        const struct dose_condition *c = &s->condition[s->of[i]];
        const bool held =
            c->drug != DOSE_CONTROL && fabs(c->dose - held_out) <= 1e-9 * fabs(held_out);
        part[i] = held              ? DOSE_OOD
                  : fold[i] < TEST  ? DOSE_TEST
                  : fold[i] == TEST ? DOSE_VAL
                                    : DOSE_TRAIN;
    }
    free(id);
    free(fold);
    return rc ? rc : dose_split_check(s, part, e);
}

/* ---- moments ---- */

void dose_moments_release(struct dose_moments *m)
{
    free(m->n);
    mat_release(&m->mean);
    mat_release(&m->var);
    *m = (struct dose_moments){ 0 };
}

enum rc dose_moments_init(struct dose_moments *m, const struct dose_set *s,
                          const unsigned char *part, enum dose_given which, struct err *e)
{
    const struct perturb_set *x = &s->x;
    const size_t d = x->n_genes;
    *m = (struct dose_moments){ .n = calloc(s->n_conditions + 1, sizeof *m->n) };
    enum rc rc = m->n ? mat_alloc(&m->mean, s->n_conditions, d, e)
                      : err_set(e, RC_FAIL, "no memory for %zu conditions", s->n_conditions);
    if (!rc)
        rc = mat_alloc(&m->var, s->n_conditions, d, e);
    if (rc) {
        dose_moments_release(m);
        return rc;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < x->n_cells; i++) {
            if (part && part[i] != (unsigned char)which)
                continue;
            double *mean = mat_row(&m->mean, s->of[i]), *var = mat_row(&m->var, s->of[i]);
            m->n[s->of[i]] += !pass;
            for (uint64_t k = x->indptr[i]; k < x->indptr[i + 1]; k++) {
                const double v = x->value[k], at = mean[x->index[k]], off = v - at;
                if (pass)
                    var[x->index[k]] += off * off - at * at;
                else
                    mean[x->index[k]] += v;
            }
        }
        for (size_t c = 0; c < s->n_conditions; c++)
            for (size_t j = 0; m->n[c] && j < d; j++) {
                double *mean = &mat_row(&m->mean, c)[j], *var = &mat_row(&m->var, c)[j];
                if (pass) /* the entries that are not there are zeros */
                    *var = fmax(*var / (double)m->n[c] + *mean * *mean, 0);
                else
                    *mean /= (double)m->n[c];
            }
    }
    return RC_OK;
}

/* ---- changed genes ---- */

struct changed {
    double t;
    uint32_t gene;
};

static int by_change(const void *a, const void *b)
{
    const struct changed *x = a, *y = b;
    if (x->t > y->t || x->t < y->t)
        return x->t > y->t ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

enum rc dose_changed_genes(const struct dose_set *s, size_t n, uint32_t **gene, struct err *e)
{
    const size_t d = s->x.n_genes;
    struct dose_moments m;
    *gene = NULL;
    enum rc rc = dose_moments_init(&m, s, NULL, DOSE_TRAIN, e);
    if (rc)
        return rc;
    struct changed *by = malloc((d + 1) * sizeof *by);
    *gene = malloc((s->n_conditions * n + 1) * sizeof **gene);
    if (!by || !*gene)
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", d);
    for (size_t c = 0; !rc && c < s->n_conditions; c++) {
        const size_t o = dose_set_control(s, s->condition[c].type);
        const double less = m.n[c] > 1 ? (double)m.n[c] / (double)(m.n[c] - 1) : 1,
                     less_o = m.n[o] > 1 ? (double)m.n[o] / (double)(m.n[o] - 1) : 1;
        for (uint32_t j = 0; j < d; j++) {
            const double t =
                welch_t_from(mat_row(&m.mean, c)[j], less * mat_row(&m.var, c)[j], m.n[c],
                             mat_row(&m.mean, o)[j], less_o * mat_row(&m.var, o)[j], m.n[o])
                    .statistic;
            by[j] = (struct changed){ isnan(t) ? 0 : fabs(t), j };
        }
        qsort(by, d, sizeof *by, by_change);
        for (size_t k = 0; k < n; k++)
            (*gene)[c * n + k] = by[k].gene;
    }
    free(by);
    dose_moments_release(&m);
    if (rc) {
        free(*gene);
        *gene = NULL;
    }
    return rc;
}

/* ---- scores ---- */

static double or_zero(double r)
{
    return isnan(r) ? 0 : r;
}

static double r2_of(const struct dose_compared *c, const double *truth, const double *guess,
                    double *buffer)
{
    double *a = buffer, *b = buffer + c->n_genes;
    for (size_t k = 0; k < c->n_changed; k++) {
        a[k] = truth[c->changed[k]];
        b[k] = guess[c->changed[k]];
    }
    return r2_score(a, b, c->n_changed);
}

void dose_score(const struct dose_compared *c, double *buffer, double score[DOSE_N_METRICS])
{
    const size_t n = c->n_genes;
    double *a = buffer, *b = buffer + n, *d = buffer + 2 * n;
    score[DOSE_R2_MEAN] = r2_score(c->mean, c->predicted, n);
    score[DOSE_R2_VAR] = r2_score(c->var, c->predicted_var, n);
    score[DOSE_R2_MEAN_DE] = r2_of(c, c->mean, c->predicted, buffer);
    score[DOSE_R2_VAR_DE] = r2_of(c, c->var, c->predicted_var, buffer);
    for (size_t j = 0; j < n; j++) {
        a[j] = c->mean[j] - c->control[j];
        b[j] = c->predicted[j] - c->control[j];
    }
    score[DOSE_PEARSON_CHANGE] = or_zero(pearson(a, b, n).statistic);
    size_t k = 0;
    for (size_t j = 0; c->truth && j < n; j++)
        if (fabs(c->truth[j]) > 0) {
            d[k] = c->truth[j];
            a[k++] = b[j]; /* k is at most j */
        }
    score[DOSE_PEARSON_TRUTH] = c->truth ? or_zero(pearson(d, a, k).statistic) : NAN;
    double mse = 0;
    for (size_t i = 0; i < c->n_changed; i++) {
        const uint32_t j = c->changed[i];
        const double off = c->mean[j] - c->predicted[j];
        mse += off * off / (double)c->n_changed;
        a[i] = c->mean[j] - c->control[j];
        d[i] = c->predicted[j] - c->control[j];
    }
    score[DOSE_MSE_DE] = mse;
    score[DOSE_PEARSON_CHANGE_DE] = or_zero(pearson(a, d, c->n_changed).statistic);
}
