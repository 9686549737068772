/* Simple methods, and the tables. */
#include <stdlib.h>

#include "lib/app/cross_species_parts.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/hvg.h"
#include "lib/nn/logistic.h"
#include "lib/nn/metrics_class.h"

enum { N_FOLDS = 5, N_VARIABLE = 2000 };

/* ---- tables ---- */

enum rc cross_open(struct cross_job *j, struct err *e)
{
    char *a = text_new("%s/predictions.tsv", j->o->out), *b = text_new("%s/metrics.tsv", j->o->out);
    enum rc rc = a && b ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = outfile_open(&j->predictions, a, e);
    if (!rc && (rc = metrics_tsv_open(&j->metrics, b, e)))
        outfile_abort(&j->predictions);
    free(a);
    free(b);
    j->open = !rc;
    if (!rc)
        fputs("dataset\tbarcode\tmethod\tseed\ttruth\tprediction\tat_epoch\n", j->predictions.f);
    return rc;
}

enum rc cross_close(struct cross_job *j, enum rc rc, struct err *e)
{
    if (!j->open)
        return rc;
    if (!rc)
        rc = outfile_commit(&j->predictions, e);
    else
        outfile_abort(&j->predictions);
    if (!rc)
        return outfile_commit(&j->metrics, e);
    outfile_abort(&j->metrics);
    return rc;
}

static enum rc score(struct cross_job *j, const char *method, uint64_t seed,
                     const uint32_t *predicted, struct err *e)
{
    const size_t k = j->n_all_classes, m = j->count[CAME_QUERY]->n_rows;
    size_t *confusion = calloc(k * k + 1, sizeof *confusion);
    struct class_metrics c;
    if (!confusion)
        return err_set(e, RC_FAIL, "no memory for scores of %zu classes", k);
    for (size_t i = 0; i < m; i++)
        if (j->truth[i] != CROSS_UNKNOWN)
            confusion[j->truth[i] * k + predicted[i]]++;
    class_metrics_get(confusion, k, &c, NULL);
    free(confusion);
    const struct {
        const char *name;
        double value;
    } metric[] = { { "accuracy", c.accuracy }, { "macro_f1", c.macro_f1 } };
    for (int i = 0; i < 2; i++)
        metrics_tsv_add(&j->metrics, &(struct metric_row){ "cross-species", j->o->dataset, method,
                                                           "clean", "test", seed, metric[i].name,
                                                           metric[i].value, j->n_truth });
    return RC_OK;
}

enum rc cross_write(struct cross_job *j, const char *method, uint64_t seed,
                    const uint32_t *predicted, const uint32_t *at_epoch, struct err *e)
{
    FILE *f = j->predictions.f;
    for (size_t i = 0; i < j->count[CAME_QUERY]->n_rows; i++) {
        field_put(j->o->dataset, f);
        putc('\t', f);
        field_put(j->cells[CAME_QUERY].cell[i], f);
        fprintf(f, "\t%s\t%" PRIu64 "\t", method, seed);
        field_put(j->truth[i] == CROSS_UNKNOWN ? "-" : j->class_name[j->truth[i]], f);
        putc('\t', f);
        field_put(j->class_name[predicted[i]], f);
        putc('\t', f);
        field_put(at_epoch ? j->class_name[at_epoch[i]] : "-", f);
        putc('\n', f);
    }
    return j->n_truth ? score(j, method, seed, predicted, e) : RC_OK;
}

/* ---- simple methods ---- */

static enum rc majority(struct cross_job *j, struct err *e)
{
    const size_t n = j->count[CAME_REFERENCE]->n_rows, m = j->count[CAME_QUERY]->n_rows;
    size_t *times = calloc(j->n_classes + 1, sizeof *times);
    uint32_t *predicted = calloc(m + 1, sizeof *predicted), best = 0;
    enum rc rc =
        times && predicted ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", m);
    for (size_t i = 0; !rc && i < n; i++)
        times[j->label[i]]++;
    for (uint32_t k = 1; !rc && k < j->n_classes; k++)
        best = times[k] > times[best] ? k : best;
    for (size_t i = 0; !rc && i < m; i++)
        predicted[i] = best;
    if (!rc)
        rc = cross_write(j, "majority", j->o->seed, predicted, NULL, e);
    free(times);
    free(predicted);
    return rc;
}

/* z-scored variable genes of both sets, by the reference's genes, means and SDs. */
static enum rc logistic_inputs(const struct cross_job *j, const size_t *row, struct mat *ref,
                               struct mat *query, struct err *e)
{
    const struct csr *c = j->cut;
    const size_t n = c[0].n_rows, m = c[1].n_rows;
    struct mat all = { 0 };
    size_t n_found = 0;
    uint32_t *gene = malloc(N_VARIABLE * sizeof *gene);
    enum rc rc = gene ? RC_OK : err_set(e, RC_FAIL, "no memory for %d genes", N_VARIABLE);
    if (!rc)
        rc = hvg_seurat(&c[0], row, n, N_VARIABLE, gene, &n_found, e);
    if (!rc)
        rc = lognorm_columns(&c[0], gene, n_found, ref, e);
    if (!rc)
        rc = lognorm_columns(&c[1], gene, n_found, query, e);
    if (!rc)
        rc = mat_alloc(&all, n + m, n_found, e);
    for (size_t i = 0; !rc && i < n + m; i++)
        for (size_t k = 0; k < n_found; k++)
            mat_row(&all, i)[k] = i < n ? mat_row(ref, i)[k] : mat_row(query, i - n)[k];
    if (!rc)
        rc = zscore_by(&all, row, n, 10, e);
    for (size_t i = 0; !rc && i < n + m; i++)
        for (size_t k = 0; k < n_found; k++)
            *(i < n ? mat_row(ref, i) + k : mat_row(query, i - n) + k) = mat_row(&all, i)[k];
    mat_release(&all);
    free(gene);
    return rc;
}

/* Macro-F1 over all reference cells, each named by a fit without its fold: every N_FOLDS-th cell of
 * its class. */
static enum rc folds_score(const struct cross_job *j, const struct mat *x, double c, double *f1,
                           struct err *e)
{
    const size_t k = j->n_classes;
    uint32_t *fold = malloc((x->n + 1) * sizeof *fold), *part = malloc((x->n + 1) * sizeof *part),
             *named = malloc((x->n + 1) * sizeof *named);
    size_t *seen = calloc(k + 1, sizeof *seen), *confusion = calloc(k * k + 1, sizeof *confusion);
    struct class_metrics m;
    enum rc rc = fold && part && named && seen && confusion
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu cells", x->n);
    for (size_t i = 0; !rc && i < x->n; i++)
        fold[i] = (uint32_t)(seen[j->label[i]]++ % N_FOLDS);
    for (uint32_t f = 0; !rc && f < N_FOLDS; f++) {
        struct mat in = { 0 };
        struct linear_model model = { 0 };
        size_t n = 0;
        rc = mat_alloc(&in, x->n, x->d, e);
        for (size_t i = 0; !rc && i < x->n; i++)
            if (fold[i] != f) {
                for (size_t d = 0; d < x->d; d++)
                    mat_row(&in, n)[d] = mat_row(x, i)[d];
                part[n++] = j->label[i];
            }
        in.n = n;
        if (!rc)
            rc = logistic_fit(&in, part, k, c, NULL, &model, e);
        if (!rc)
            rc = logistic_predict(&model, x, named, NULL, e);
        for (size_t i = 0; !rc && i < x->n; i++)
            if (fold[i] == f)
                confusion[j->label[i] * k + named[i]]++;
        linear_model_release(&model);
        mat_release(&in);
    }
    if (!rc)
        class_metrics_get(confusion, k, &m, NULL);
    *f1 = rc ? 0 : m.macro_f1;
    free(fold);
    free(part);
    free(named);
    free(seen);
    free(confusion);
    return rc;
}

static enum rc logistic(struct cross_job *j, struct err *e)
{
    static const double grid[] = { 0.001, 0.01, 0.1, 1, 10 };
    const size_t n = j->cut[0].n_rows, m = j->cut[1].n_rows;
    struct mat ref = { 0 }, query = { 0 };
    struct linear_model model = { 0 };
    size_t *row = malloc((n + 1) * sizeof *row);
    uint32_t *predicted = malloc((m + 1) * sizeof *predicted);
    double best = -1, chosen = grid[0];
    enum rc rc = row && predicted ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; row && i < n; i++)
        row[i] = i;
    if (!rc)
        rc = logistic_inputs(j, row, &ref, &query, e);
    for (size_t i = 0; !rc && i < sizeof grid / sizeof *grid; i++) {
        double f1;
        rc = folds_score(j, &ref, grid[i], &f1, e);
        if (!rc && f1 > best) {
            best = f1;
            chosen = grid[i];
        }
    }
    if (!rc)
        rc = logistic_fit(&ref, j->label, j->n_classes, chosen, NULL, &model, e);
    if (!rc)
        rc = logistic_predict(&model, &query, predicted, NULL, e);
    if (!rc)
        rc = cross_write(j, "logistic-1to1", j->o->seed, predicted, NULL, e);
    linear_model_release(&model);
    mat_release(&ref);
    mat_release(&query);
    free(row);
    free(predicted);
    return rc;
}

enum rc cross_baselines(struct cross_job *j, struct err *e)
{
    enum rc rc = majority(j, e);
    return rc ? rc : logistic(j, e);
}
