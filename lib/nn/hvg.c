#include "lib/nn/hvg.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/thread.h"

#define PER_CELL 1e4

enum { N_BINS = 20, ROWS_PER_TASK = 64 };

struct gene_stat {
    double mean, dispersion, z; /* dispersion NaN: never varies; mean is ln(1 + mean) */
    int bin;
    uint32_t gene;
};

static double row_scale(const struct csr *c, size_t r, double per_cell)
{
    double total = 0;
    for (uint64_t i = c->indptr[r]; i < c->indptr[r + 1]; i++)
        total += c->value[i];
    return total > 0 ? per_cell / total : 0;
}

static void gene_spread(const struct csr *c, const size_t *row, size_t n_rows, double per_cell,
                        double *sum, double *square)
{
    for (size_t k = 0; k < n_rows; k++) {
        double scale = row_scale(c, row[k], per_cell);
        for (uint64_t i = c->indptr[row[k]]; i < c->indptr[row[k] + 1]; i++) {
            double x = c->value[i] * scale;
            sum[c->index[i]] += x;
            square[c->index[i]] += x * x;
        }
    }
}

static void fill_stats(struct gene_stat *s, size_t n_genes, const double *sum, const double *square,
                       size_t n_rows)
{
    double n = (double)n_rows;
    for (uint32_t g = 0; g < n_genes; g++) {
        double mean = sum[g] / n, variance = (square[g] / n - mean * mean) * n / (n - 1);
        s[g].gene = g;
        if (mean == 0)
            mean = 1e-12;
        s[g].dispersion = variance > 0 ? log(variance / mean) : NAN;
        s[g].mean = log1p(mean);
    }
}

/* Equal cuts of [low, high], right ends included, as pandas.cut: the first bin takes low too. */
static int bin_of(double x, double low, double high)
{
    double step = (high - low) / N_BINS;
    for (int b = 1; b < N_BINS; b++)
        if (x <= low + b * step)
            return b - 1;
    return N_BINS - 1;
}

static void z_within_bins(struct gene_stat *s, size_t n_genes)
{
    double low = INFINITY, high = -INFINITY;
    double n[N_BINS] = { 0 }, mean[N_BINS] = { 0 }, sd[N_BINS] = { 0 };
    for (size_t g = 0; g < n_genes; g++) {
        low = fmin(low, s[g].mean);
        high = fmax(high, s[g].mean);
    }
    for (size_t g = 0; g < n_genes; g++) {
        int b = s[g].bin = bin_of(s[g].mean, low, high);
        if (!isnan(s[g].dispersion)) {
            n[b]++;
            mean[b] += s[g].dispersion;
        }
    }
    for (int b = 0; b < N_BINS; b++)
        mean[b] /= n[b];
    for (size_t g = 0; g < n_genes; g++)
        if (!isnan(s[g].dispersion))
            sd[s[g].bin] += (s[g].dispersion - mean[s[g].bin]) * (s[g].dispersion - mean[s[g].bin]);
    for (size_t g = 0; g < n_genes; g++) {
        int b = s[g].bin;
        /* Alone in its bin: 1 by decree of the method. A bin without spread says nothing. */
        double z = n[b] == 1 ? 1 : (s[g].dispersion - mean[b]) / sqrt(sd[b] / (n[b] - 1));
        s[g].z = isnan(s[g].dispersion) ? NAN : z;
    }
}

static int most_variable_first(const void *a, const void *b)
{
    const struct gene_stat *x = a, *y = b;
    double p = isnan(x->z) ? -INFINITY : x->z, q = isnan(y->z) ? -INFINITY : y->z;
    if (p != q)
        return p > q ? -1 : 1;
    return (x->gene > y->gene) - (x->gene < y->gene);
}

static int rising(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool as_variable(const struct gene_stat *g, const struct gene_stat *last)
{
    return !isnan(g->z) && g->z >= last->z - 1e-9 * fabs(last->z);
}

enum rc hvg_seurat(const struct csr *count, const size_t *row, size_t n_rows, size_t n_top,
                   uint32_t *gene, size_t *n_found, struct err *e)
{
    return hvg_seurat_per(count, row, n_rows, PER_CELL, false, n_top, gene, n_found, e);
}

enum rc hvg_seurat_per(const struct csr *count, const size_t *row, size_t n_rows, double per_cell,
                       bool ties, size_t n_top, uint32_t *gene, size_t *n_found, struct err *e)
{
    *n_found = 0;
    if (n_rows < 2)
        return err_set(e, RC_INPUT, "variable genes need at least two cells");
    double *sum = calloc(2 * count->n_cols + 1, sizeof *sum);
    struct gene_stat *s = calloc(count->n_cols + 1, sizeof *s);
    if (!sum || !s) {
        free(sum);
        free(s);
        return err_set(e, RC_FAIL, "no memory for %zu genes", count->n_cols);
    }
    gene_spread(count, row, n_rows, per_cell, sum, sum + count->n_cols);
    fill_stats(s, count->n_cols, sum, sum + count->n_cols, n_rows);
    z_within_bins(s, count->n_cols);
    qsort(s, count->n_cols, sizeof *s, most_variable_first);
    while (*n_found < count->n_cols && !isnan(s[*n_found].z) &&
           (*n_found < n_top || (ties && n_top && as_variable(&s[*n_found], &s[n_top - 1])))) {
        gene[*n_found] = s[*n_found].gene;
        (*n_found)++;
    }
    qsort(gene, *n_found, sizeof *gene, rising);
    free(sum);
    free(s);
    return *n_found ? RC_OK : err_set(e, RC_INPUT, "no gene varies between these cells");
}

struct lognorm_job {
    const struct csr *count;
    const uint32_t *to; /* column of out, or UINT32_MAX */
    struct mat *out;
};

static void lognorm_some(void *ctx, size_t t, int worker)
{
    (void)worker;
    const struct lognorm_job *j = ctx;
    const struct csr *c = j->count;
    for (size_t r = t * ROWS_PER_TASK; r < (t + 1) * ROWS_PER_TASK && r < c->n_rows; r++) {
        double scale = row_scale(c, r, PER_CELL);
        for (uint64_t i = c->indptr[r]; i < c->indptr[r + 1]; i++)
            if (j->to[c->index[i]] != UINT32_MAX)
                mat_row(j->out, r)[j->to[c->index[i]]] = log1p(c->value[i] * scale);
    }
}

enum rc lognorm_columns(const struct csr *count, const uint32_t *gene, size_t n_genes,
                        struct mat *out, struct err *e)
{
    uint32_t *to = malloc((count->n_cols + 1) * sizeof *to);
    if (!to)
        return err_set(e, RC_FAIL, "no memory for %zu genes", count->n_cols);
    for (size_t g = 0; g < count->n_cols; g++)
        to[g] = UINT32_MAX;
    for (size_t i = 0; i < n_genes; i++)
        to[gene[i]] = (uint32_t)i;
    enum rc rc = mat_alloc(out, count->n_rows, n_genes, e);
    if (!rc) {
        struct lognorm_job job = { count, to, out };
        threads_for((count->n_rows + ROWS_PER_TASK - 1) / ROWS_PER_TASK, lognorm_some, &job);
    }
    free(to);
    return rc;
}

enum rc zscore_by(struct mat *x, const size_t *row, size_t n_rows, double clip, struct err *e)
{
    double *mean = calloc(2 * x->d + 1, sizeof *mean), *sd = mean ? mean + x->d : NULL;
    if (!mean)
        return err_set(e, RC_FAIL, "no memory for %zu columns", x->d);
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < x->d; j++)
            mean[j] += mat_row(x, row[i])[j];
    for (size_t j = 0; j < x->d; j++)
        mean[j] /= (double)n_rows;
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < x->d; j++) {
            double off = mat_row(x, row[i])[j] - mean[j];
            sd[j] += off * off;
        }
    for (size_t j = 0; j < x->d; j++)
        sd[j] = n_rows > 1 ? sqrt(sd[j] / (double)(n_rows - 1)) : 0;
    for (size_t i = 0; i < x->n; i++)
        for (size_t j = 0; j < x->d; j++) {
            double *v = &mat_row(x, i)[j], z = sd[j] > 0 ? (*v - mean[j]) / sd[j] : 0;
            *v = fmax(-clip, fmin(clip, z));
        }
    free(mean);
    return RC_OK;
}
