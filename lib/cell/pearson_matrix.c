/* source -> columns (-> dealt anew) -> stripes. */
#include "lib/cell/pearson_matrix.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"

#define FLOAT_EXACT 16777216.0 /* 2^24 */

void pearson_matrix_release(struct pearson_matrix *m)
{
    free(m->column);
    free(m->col);
    free(m->cell);
    free(m->value);
    free(m->row);
    free(m->gene);
    free(m->row_value);
    *m = (struct pearson_matrix){ 0 };
}

/* to[j]: the new number of column j or UINT32_MAX; fills column and col. */
static enum rc pick_genes(struct pearson_matrix *m, const struct csr *c, uint32_t least,
                          uint32_t *to, struct err *e)
{
    size_t *n = calloc(c->n_cols + 1, sizeof *n);
    m->column = calloc(c->n_cols + 1, sizeof *m->column);
    m->col = calloc(c->n_cols + 2, sizeof *m->col);
    if (!n || !m->column || !m->col) {
        free(n);
        return err_set(e, RC_FAIL, "no memory for %zu genes", c->n_cols);
    }
    for (uint64_t i = 0; i < csr_nnz(c); i++)
        n[c->index[i]]++;
    for (size_t j = 0; j < c->n_cols; j++) {
        const bool in = n[j] > 0 && n[j] >= least;
        to[j] = in ? (uint32_t)m->n_genes : UINT32_MAX;
        if (!in)
            continue;
        m->column[m->n_genes] = (uint32_t)j;
        m->col[m->n_genes + 1] = m->col[m->n_genes] + n[j];
        m->n_genes++;
    }
    m->n_stripes = (m->n_genes + PEARSON_STRIPE - 1) / PEARSON_STRIPE;
    free(n);
    return RC_OK;
}

static double scaled(uint32_t count, double total, enum pearson_scale s)
{
    return s == PEARSON_COUNTS ? (double)count : log2(1 + 1e4 * (double)count / total);
}

/* next: [n_genes] room. */
static void fill_columns(struct pearson_matrix *m, const struct csr *c, enum pearson_scale s,
                         const uint32_t *to, size_t *next)
{
    memcpy(next, m->col, m->n_genes * sizeof *next);
    for (size_t r = 0; r < c->n_rows; r++) {
        double total = 0;
        for (uint64_t i = c->indptr[r]; i < c->indptr[r + 1]; i++)
            total += (double)c->value[i];
        for (uint64_t i = c->indptr[r]; i < c->indptr[r + 1]; i++) {
            const uint32_t g = to[c->index[i]];
            if (g == UINT32_MAX)
                continue;
            m->cell[next[g]] = (uint32_t)r;
            m->value[next[g]++] = scaled(c->value[i], total, s);
        }
    }
}

/* Whole numbers: a sum of products is at most the larger sum of squares (Cauchy and Schwarz), so
 * all sums are exact while that is at most 2^24. */
static bool exact_in_float(const struct pearson_matrix *m, enum pearson_scale s)
{
    double largest = (double)m->n_cells;
    for (size_t g = 0; g < m->n_genes; g++) {
        double sum = 0;
        for (size_t k = m->col[g]; k < m->col[g + 1]; k++)
            sum += m->value[k] * m->value[k];
        largest = sum > largest ? sum : largest;
    }
    return s == PEARSON_COUNTS && largest <= FLOAT_EXACT;
}

/* Deals each gene's values anew among its own cells. */
static enum rc shuffle(struct pearson_matrix *m, const struct pearson_options *o, struct err *e)
{
    uint32_t *order = calloc(m->n_cells + 1, sizeof *order);
    double *old = calloc(m->n_cells + 1, sizeof *old);
    for (size_t g = 0; order && old && g < m->n_genes; g++) {
        const size_t n = m->col[g + 1] - m->col[g];
        double *value = m->value + m->col[g];
        for (size_t i = 0; i < n; i++)
            order[i] = (uint32_t)i;
        memcpy(old, value, n * sizeof *old);
        rng_shuffle(o->seed, RNG_SAMPLE, o->stream << 32 | m->column[g], order, n);
        for (size_t i = 0; i < n; i++)
            value[i] = old[order[i]];
    }
    const bool good = order && old;
    free(order);
    free(old);
    return good ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", m->n_cells);
}

/* One stripe by rows: counts, offsets, entries. */
static void fill_stripe(struct pearson_matrix *m, size_t stripe)
{
    const size_t first = stripe * PEARSON_STRIPE,
                 end = first + PEARSON_STRIPE < m->n_genes ? first + PEARSON_STRIPE : m->n_genes;
    uint32_t *row = m->row + stripe * (m->n_cells + 1);
    const size_t begin = m->col[first];
    for (size_t k = m->col[first]; k < m->col[end]; k++)
        row[m->cell[k] + 1]++;
    for (size_t r = 0; r < m->n_cells; r++)
        row[r + 1] += row[r];
    for (size_t g = first; g < end; g++)
        for (size_t k = m->col[g]; k < m->col[g + 1]; k++) {
            const size_t at = begin + row[m->cell[k]]++;
            m->gene[at] = (uint8_t)(g - first);
            if (m->in_float)
                ((float *)m->row_value)[at] = (float)m->value[k];
            else
                ((double *)m->row_value)[at] = m->value[k];
        }
    memmove(row + 1, row, m->n_cells * sizeof *row); /* ends back to beginnings */
    row[0] = 0;
}

static enum rc fill(struct pearson_matrix *m, const struct csr *c, const struct pearson_options *o,
                    uint32_t *to, size_t *next, struct err *e)
{
    enum rc rc = pick_genes(m, c, o->least_cells, to, e);
    if (rc)
        return rc;
    const size_t nnz = m->col[m->n_genes];
    m->cell = calloc(nnz + 1, sizeof *m->cell);
    m->value = calloc(nnz + 1, sizeof *m->value);
    m->row = calloc(m->n_stripes * (m->n_cells + 1) + 1, sizeof *m->row);
    m->gene = calloc(nnz + 1, sizeof *m->gene);
    if (!m->cell || !m->value || !m->row || !m->gene)
        return err_set(e, RC_FAIL, "no memory for %zu counts", nnz);
    fill_columns(m, c, o->scale, to, next);
    m->in_float = exact_in_float(m, o->scale);
    m->row_value = calloc(nnz + 1, m->in_float ? sizeof(float) : sizeof(double));
    if (!m->row_value)
        return err_set(e, RC_FAIL, "no memory for %zu counts", nnz);
    if (o->shuffled)
        rc = shuffle(m, o, e);
    for (size_t s = 0; !rc && s < m->n_stripes; s++)
        fill_stripe(m, s);
    return rc;
}

enum rc pearson_matrix_fill(struct pearson_matrix *m, const struct csr *c,
                            const struct pearson_options *o, struct err *e)
{
    *m = (struct pearson_matrix){ .n_cells = c->n_rows };
    if (c->n_rows >= UINT32_MAX)
        return err_set(e, RC_INPUT, "%zu cells in one matrix", c->n_rows);
    uint32_t *to = calloc(c->n_cols + 1, sizeof *to);
    size_t *next = calloc(c->n_cols + 1, sizeof *next);
    enum rc rc = to && next ? fill(m, c, o, to, next, e)
                            : err_set(e, RC_FAIL, "no memory for %zu genes", c->n_cols);
    free(to);
    free(next);
    if (rc)
        pearson_matrix_release(m);
    return rc;
}
