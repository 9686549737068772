/* Simple methods, and the tables. */
#include <math.h>
#include <stdlib.h>

#include "lib/app/cross_species_parts.h"
#include "lib/base/log.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/hvg.h"
#include "lib/nn/logistic.h"
#include "lib/nn/metrics_class.h"
#include "lib/nn/metrics_stat.h"

enum { N_FOLDS = 5, N_VARIABLE = 2000 };

/* ---- tables ---- */

static struct outfile *table(struct cross_job *j, int i)
{
    struct outfile *const all[] = { &j->predictions, &j->comparisons, &j->training, &j->metrics };
    return all[i];
}

enum { N_TABLES = 4 };

static const char predictions_head[] =
    "dataset\tcell_id\tbarcode\ttruth\tprediction\tscore\tmethod\tvariant\tsplit\tseed\tat_epoch\n";
static const char comparisons_head[] =
    "dataset\tmetric\tmethod\tagainst\tn_seeds\tmean_difference\tci95\n";
static const char training_head[] = "dataset\tmethod\tseed\tepoch\tloss\taccuracy\tami\tchosen\n";

enum rc cross_open(struct cross_job *j, struct err *e)
{
    static const char *const name[] = { "predictions", "comparisons", "training", "metrics" },
                             *const head[] = { predictions_head, comparisons_head, training_head };
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < N_TABLES; i++) {
        char *path = text_new("%s/%s.tsv", j->o->out, name[i]);
        rc = !path              ? err_set(e, RC_FAIL, "no memory for a path")
             : i + 1 < N_TABLES ? outfile_open(table(j, i), path, e)
                                : metrics_tsv_open(table(j, i), path, e);
        if (!rc && i + 1 < N_TABLES)
            fputs(head[i], table(j, i)->f);
        free(path);
    }
    for (int i = 0; rc && i < N_TABLES; i++)
        outfile_abort(table(j, i));
    j->open = !rc;
    return rc;
}

enum rc cross_close(struct cross_job *j, enum rc rc, struct err *e)
{
    for (int i = 0; j->open && i < N_TABLES; i++)
        rc = outfile_close(table(j, i), rc, e);
    return rc;
}

static enum rc score(struct cross_job *j, struct cross_said *said, const uint32_t *predicted,
                     const char *suffix, struct err *e)
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
    const double value[CROSS_METRICS] = { c.accuracy, c.macro_f1 };
    static const char *const name[CROSS_METRICS] = { "accuracy", "macro_f1" };
    for (int i = 0; i < CROSS_METRICS; i++) {
        char text[32];
        snprintf(text, sizeof text, "%s%s", name[i], suffix);
        metrics_tsv_add(&j->metrics,
                        &(struct metric_row){ "cross-species", j->o->dataset, said->method,
                                              said->variant, "test", said->seed, text, value[i],
                                              j->n_truth });
        if (!*suffix)
            said->metric[i] = value[i];
    }
    return RC_OK;
}

static void write_lines(struct cross_job *j, const struct cross_said *said)
{
    FILE *f = j->predictions.f;
    const struct cells *c = &j->cells[CAME_QUERY];
    const struct column *id = table_find(&c->obs, "cell_id");
    for (size_t i = 0; i < j->count[CAME_QUERY]->n_rows; i++) {
        char p[32] = "-";
        if (said->probability)
            metric_text(said->probability[i * j->n_classes + said->predicted[i]], p);
        field_put(j->o->dataset, f);
        fprintf(f, "\t%016" PRIx64 "\t",
                id && id->kind == COLUMN_I64 ? (uint64_t)id->i64[i] : (uint64_t)0);
        field_put(c->cell[i], f);
        putc('\t', f);
        field_put(j->truth[i] == CROSS_UNKNOWN ? "-" : j->class_name[j->truth[i]], f);
        putc('\t', f);
        field_put(j->class_name[said->predicted[i]], f);
        fprintf(f, "\t%s\t%s\t%s\ttest\t%" PRIu64 "\t", p, said->method, said->variant, said->seed);
        field_put(said->at_epoch ? j->class_name[said->at_epoch[i]] : "-", f);
        putc('\n', f);
    }
}

enum rc cross_write(struct cross_job *j, struct cross_said *said, struct err *e)
{
    for (int i = 0; i < CROSS_METRICS; i++)
        said->metric[i] = NAN;
    write_lines(j, said);
    enum rc rc = j->n_truth ? score(j, said, said->predicted, "", e) : RC_OK;
    if (!rc && j->n_truth && said->at_epoch)
        rc = score(j, said, said->at_epoch, "_at_epoch", e);
    return rc;
}

enum rc cross_compare(struct cross_job *j, const char *const method[2], struct err *e)
{
    static const char *const name[CROSS_METRICS] = { "accuracy", "macro_f1" };
    const size_t n = (size_t)j->o->n_seeds;
    double *off = malloc((n + 1) * sizeof *off);
    char mean[32], width[32];
    if (!off)
        return err_set(e, RC_FAIL, "no memory for %zu seeds", n);
    for (size_t m = 0; j->n_truth && m < CROSS_METRICS; m++) {
        for (size_t s = 0; s < n; s++)
            off[s] = j->score[(CROSS_METRICS + m) * n + s] - j->score[m * n + s];
        metric_text(mean_of(off, n), mean);
        metric_text(mean_ci95(off, n), width);
        field_put(j->o->dataset, j->comparisons.f);
        fprintf(j->comparisons.f, "\t%s\t%s\t%s\t%zu\t%s\t%s\n", name[m], method[1], method[0], n,
                mean, width);
        log_say("%s: %s over %s %s, 95 %% interval +-%s", name[m], method[1], method[0], mean,
                width);
    }
    free(off);
    return RC_OK;
}

/* ---- simple methods ---- */

static enum rc majority(struct cross_job *j, struct err *e)
{
    const size_t n = j->count[CAME_REFERENCE]->n_rows, m = j->count[CAME_QUERY]->n_rows;
    size_t *times = calloc(j->n_classes + 1, sizeof *times);
    uint32_t *predicted = calloc(m + 1, sizeof *predicted), best = 0;
    enum rc rc = times && predicted ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", m);
    for (size_t i = 0; !rc && i < n; i++)
        times[j->label[i]]++;
    for (uint32_t k = 1; !rc && k < j->n_classes; k++)
        best = times[k] > times[best] ? k : best;
    for (size_t i = 0; !rc && i < m; i++)
        predicted[i] = best;
    if (!rc)
        rc = cross_write(j,
                         &(struct cross_said){ .method = "majority",
                                               .variant = "clean",
                                               .seed = j->o->seed,
                                               .predicted = predicted },
                         e);
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
        rc = cross_write(j,
                         &(struct cross_said){ .method = "logistic-1to1",
                                               .variant = "clean",
                                               .seed = j->o->seed,
                                               .predicted = predicted },
                         e);
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
