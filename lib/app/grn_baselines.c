/* What counts alone say of a regulator and a gene. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/grn_parts.h"
#include "lib/base/file.h"
#include "lib/data/cells_join.h"
#include "lib/io/h5ad.h"

/* log(1 + count / total * 10000) of all cells, by gene. */
struct counted {
    struct csr by_gene; /* genes x cells */
    float *x;           /* [entries] */
    double *mean, *sd;  /* [genes] over all cells */
    uint32_t *row;      /* [numbers of genes] place in by_gene, UINT32_MAX: none */
    double *cell;       /* [cells] room */
    size_t n_cells;
};

static void counted_release(struct counted *c)
{
    csr_release(&c->by_gene);
    free(c->x);
    free(c->mean);
    free(c->sd);
    free(c->row);
    free(c->cell);
}

static enum rc normalise(struct counted *c, const struct csr *m, struct err *e)
{
    const size_t n = (size_t)csr_nnz(m);
    double *total = calloc(m->n_rows + 1, sizeof *total);
    enum rc rc = total ? csr_transpose(m, &c->by_gene, e)
                       : err_set(e, RC_FAIL, "no memory for %zu cells", m->n_rows);
    c->n_cells = m->n_rows;
    c->x = malloc((n + 1) * sizeof *c->x);
    c->mean = calloc(m->n_cols + 1, sizeof *c->mean);
    c->sd = calloc(m->n_cols + 1, sizeof *c->sd);
    c->cell = calloc(m->n_rows + 1, sizeof *c->cell);
    if (!rc && (!c->x || !c->mean || !c->sd || !c->cell))
        rc = err_set(e, RC_FAIL, "no memory for %zu counts", n);
    for (size_t i = 0; !rc && i < m->n_rows; i++)
        for (uint64_t k = m->indptr[i]; k < m->indptr[i + 1]; k++)
            total[i] += m->value[k];
    for (size_t g = 0; !rc && g < m->n_cols; g++) {
        const uint64_t from = c->by_gene.indptr[g], to = c->by_gene.indptr[g + 1];
        double square = 0;
        for (uint64_t k = from; k < to; k++) {
            c->x[k] = (float)log1p(c->by_gene.value[k] / total[c->by_gene.index[k]] * 1e4);
            c->mean[g] += (double)c->x[k] / (double)c->n_cells;
        }
        for (uint64_t k = from; k < to; k++)
            square += ((double)c->x[k] - c->mean[g]) * ((double)c->x[k] - c->mean[g]);
        square += (double)(c->n_cells - (to - from)) * c->mean[g] * c->mean[g];
        c->sd[g] = sqrt(square / (double)c->n_cells);
    }
    free(total);
    return rc;
}

static enum rc read_counts(struct counted *c, const struct opt_list *paths,
                           const struct grn_genes *g, struct err *e)
{
    struct cells all;
    enum rc rc = RC_OK;
    cells_init(&all);
    for (int i = 0; !rc && i < paths->n; i++) {
        struct cells one;
        rc = h5ad_read(paths->item[i], &one, e);
        if (!rc) {
            rc = cells_append(&all, &one, e);
            cells_release(&one);
        }
        if (rc)
            err_wrap(e, "'%s'", paths->item[i]);
    }
    c->row = malloc((g->id.n + 1) * sizeof *c->row);
    if (!rc && !c->row)
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", g->id.n);
    for (size_t k = 0; !rc && k < g->id.n; k++)
        c->row[k] = UINT32_MAX;
    for (size_t j = 0; !rc && j < all.count.n_cols; j++) {
        const uint32_t k = grn_gene(g, all.gene[j]);
        if (k != UINT32_MAX)
            c->row[k] = (uint32_t)j;
    }
    if (!rc)
        rc = normalise(c, &all.count, e);
    cells_release(&all);
    return rc;
}

/* |Pearson| and cosine of detection of genes a and b; c->cell holds a's numbers. NaN where a gene
 * has no count, or no spread. */
static void compare(const struct counted *c, uint32_t a, uint32_t b, double *r, double *both)
{
    const struct csr *m = &c->by_gene;
    double sum = 0, n_both = 0;
    for (uint64_t k = m->indptr[b]; k < m->indptr[b + 1]; k++) {
        sum += c->cell[m->index[k]] * (double)c->x[k];
        n_both += c->cell[m->index[k]] > 0;
    }
    const double n_a = (double)(m->indptr[a + 1] - m->indptr[a]);
    const double n_b = (double)(m->indptr[b + 1] - m->indptr[b]);
    const double cov = sum / (double)c->n_cells - c->mean[a] * c->mean[b];
    *r = c->sd[a] > 0 && c->sd[b] > 0 ? fabs(cov / (c->sd[a] * c->sd[b])) : NAN;
    *both = n_a > 0 && n_b > 0 ? n_both / sqrt(n_a * n_b) : NAN;
}

static enum rc score_one(struct counted *c, const struct grn_scores *like, struct grn_scores *r,
                         struct grn_scores *both, struct err *e)
{
    const uint32_t a = c->row[like->regulator];
    const struct csr *m = &c->by_gene;
    r->regulator = both->regulator = like->regulator;
    r->gene = malloc((like->n + 1) * sizeof *r->gene);
    both->gene = malloc((like->n + 1) * sizeof *both->gene);
    r->score = malloc((like->n + 1) * sizeof *r->score);
    both->score = malloc((like->n + 1) * sizeof *both->score);
    if (!r->gene || !both->gene || !r->score || !both->score)
        return err_set(e, RC_FAIL, "no memory for %zu scores", like->n);
    if (a == UINT32_MAX)
        return RC_OK;
    for (uint64_t k = m->indptr[a]; k < m->indptr[a + 1]; k++)
        c->cell[m->index[k]] = (double)c->x[k];
    for (size_t i = 0; i < like->n; i++) {
        const uint32_t b = c->row[like->gene[i]];
        double x, y;
        if (b == UINT32_MAX)
            continue;
        compare(c, a, b, &x, &y);
        if (isnan(x) || isnan(y))
            continue;
        r->gene[r->n] = both->gene[r->n] = like->gene[i];
        r->score[r->n++] = x;
        both->score[both->n++] = y;
    }
    for (uint64_t k = m->indptr[a]; k < m->indptr[a + 1]; k++)
        c->cell[m->index[k]] = 0;
    return RC_OK;
}

enum rc grn_baselines(struct grn_method m[2], const struct grn_method *like,
                      const struct opt_list *counts, const struct grn_genes *g, struct err *e)
{
    struct counted c = { 0 };
    m[0] = (struct grn_method){ .name = text_new("correlation"), .variant = "clean" };
    m[1] = (struct grn_method){ .name = text_new("co-expression"), .variant = "clean" };
    m[0].of = calloc(like->n + 1, sizeof *m[0].of);
    m[1].of = calloc(like->n + 1, sizeof *m[1].of);
    enum rc rc = m[0].name && m[1].name && m[0].of && m[1].of
                     ? read_counts(&c, counts, g, e)
                     : err_set(e, RC_FAIL, "no memory for %zu regulators", like->n);
    for (size_t i = 0; !rc && i < like->n; i++) {
        m[0].n = m[1].n = i + 1;
        rc = score_one(&c, &like->of[i], &m[0].of[i], &m[1].of[i], e);
    }
    counted_release(&c);
    return rc;
}
