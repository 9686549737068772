#include "lib/nn/perturbation.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/metrics_stat.h"

enum rc perturbation_parse(const char *text, const struct map *genes, struct perturbation *p,
                           struct err *e)
{
    *p = (struct perturbation){ 0 };
    for (const char *at = text; *at;) {
        const size_t n = strcspn(at, "+");
        if (!n || (at[n] && !at[n + 1]))
            break; /* an empty name */
        if (n != 4 || memcmp(at, "ctrl", 4) != 0) {
            if (p->n_genes == PERTURBATION_GENES)
                return err_set(e, RC_INPUT, "condition '%s' has more than %d genes", text,
                               PERTURBATION_GENES);
            const uint64_t g = map_get_n(genes, at, n);
            p->gene[p->n_genes++] = g == MAP_NONE ? PERTURBATION_UNKNOWN : (uint32_t)g;
        }
        if (!at[n])
            return RC_OK;
        at += n + 1;
    }
    return err_set(e, RC_INPUT, "condition '%s' is not 'ctrl', 'A+ctrl' or 'A+B'", text);
}

static void moments_fill(const struct mat *cells, const uint32_t *of, struct condition_moments *m)
{
    const size_t d = cells->d;
    for (size_t i = 0; i < cells->n; i++)
        for (size_t j = 0; j < d; j++)
            mat_row(&m->mean, of[i])[j] += mat_row(cells, i)[j];
    for (size_t c = 0; c < m->mean.n; c++)
        for (size_t j = 0; j < d; j++)
            mat_row(&m->mean, c)[j] /= (double)m->n_cells[c];
    for (size_t i = 0; i < cells->n; i++)
        for (size_t j = 0; j < d; j++) {
            const double off = mat_row(cells, i)[j] - mat_row(&m->mean, of[i])[j];
            mat_row(&m->variance, of[i])[j] += off * off;
        }
    for (size_t c = 0; c < m->mean.n; c++)
        for (size_t j = 0; m->n_cells[c] > 1 && j < d; j++)
            mat_row(&m->variance, c)[j] /= (double)(m->n_cells[c] - 1);
}

enum rc condition_moments_init(const struct mat *cells, const uint32_t *condition_of,
                               size_t n_conditions, struct condition_moments *m, struct err *e)
{
    *m = (struct condition_moments){ 0 };
    m->n_cells = calloc(n_conditions + 1, sizeof *m->n_cells);
    if (!m->n_cells)
        return err_set(e, RC_FAIL, "no memory for %zu conditions", n_conditions);
    if (mat_alloc(&m->mean, n_conditions, cells->d, e) ||
        mat_alloc(&m->variance, n_conditions, cells->d, e)) {
        condition_moments_release(m);
        return RC_FAIL;
    }
    for (size_t i = 0; i < cells->n; i++) {
        assert(condition_of[i] < n_conditions);
        m->n_cells[condition_of[i]]++;
    }
    for (size_t c = 0; c < n_conditions; c++)
        if (!m->n_cells[c]) {
            condition_moments_release(m);
            return err_set(e, RC_INPUT, "condition %zu of %zu has no cells", c, n_conditions);
        }
    moments_fill(cells, condition_of, m);
    return RC_OK;
}

void condition_moments_release(struct condition_moments *m)
{
    mat_release(&m->mean);
    mat_release(&m->variance);
    free(m->n_cells);
    *m = (struct condition_moments){ 0 };
}

struct gene_score {
    double size;
    uint32_t gene;
};

static int by_falling_size(const void *a, const void *b)
{
    const struct gene_score *x = a, *y = b;
    if (x->size < y->size || x->size > y->size)
        return x->size > y->size ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

enum rc changed_genes(const struct condition_moments *m, size_t a, size_t b, uint32_t *ranked,
                      double *score, struct err *e)
{
    const size_t d = m->mean.d;
    struct gene_score *s = malloc((d + 1) * sizeof *s);
    if (!s)
        return err_set(e, RC_FAIL, "no memory for the scores of %zu genes", d);
    for (size_t j = 0; j < d; j++) {
        const double t =
            welch_t_from(mat_row(&m->mean, a)[j], mat_row(&m->variance, a)[j], m->n_cells[a],
                         mat_row(&m->mean, b)[j], mat_row(&m->variance, b)[j], m->n_cells[b])
                .statistic;
        s[j] = (struct gene_score){ isfinite(t) ? fabs(t) : 0, (uint32_t)j };
        if (score)
            score[j] = isfinite(t) ? t : 0;
    }
    qsort(s, d, sizeof *s, by_falling_size);
    for (size_t j = 0; j < d; j++)
        ranked[j] = s[j].gene;
    free(s);
    return RC_OK;
}

void predict_mean(const struct perturb_training *t, double *out)
{
    const size_t d = t->mean->d, n = t->mean->n;
    for (size_t j = 0; j < d; j++) {
        double s = 0;
        for (size_t i = 0; i < n; i++)
            s += mat_row(t->mean, i)[j] - t->control[j];
        out[j] = t->control[j] + (n ? s / (double)n : 0);
    }
}

/* The training row of the single perturbation of that gene; SIZE_MAX without one. */
static size_t single_of(const struct perturb_training *t, uint32_t gene)
{
    for (size_t i = 0; gene != PERTURBATION_UNKNOWN && i < t->mean->n; i++)
        if (t->what[i].n_genes == 1 && t->what[i].gene[0] == gene)
            return i;
    return SIZE_MAX;
}

void predict_additive(const struct perturb_training *t, const struct perturbation *p, double *out)
{
    memcpy(out, t->control, t->mean->d * sizeof *out);
    for (int k = 0; k < p->n_genes; k++) {
        const size_t i = single_of(t, p->gene[k]);
        for (size_t j = 0; i != SIZE_MAX && j < t->mean->d; j++)
            out[j] += mat_row(t->mean, i)[j] - t->control[j];
    }
}

static double similarity_of(const struct perturbation *a, const struct perturbation *b,
                            const struct mat *similarity)
{
    double s = 0;
    for (int i = 0; i < a->n_genes; i++)
        for (int j = 0; j < b->n_genes; j++)
            if (a->gene[i] < similarity->n && b->gene[j] < similarity->d)
                s += mat_row(similarity, a->gene[i])[b->gene[j]];
    return a->n_genes && b->n_genes ? s / (a->n_genes * b->n_genes) : 0;
}

void predict_nearest(const struct perturb_training *t, const struct perturbation *p,
                     const struct mat *similarity, double *out)
{
    size_t best = SIZE_MAX;
    double most = 0;
    for (size_t i = 0; i < t->mean->n; i++) {
        const double s = similarity_of(p, &t->what[i], similarity);
        if (s > most) {
            most = s;
            best = i;
        }
    }
    memcpy(out, best == SIZE_MAX ? t->control : mat_row(t->mean, best), t->mean->d * sizeof *out);
}
