/* annotate: how well cell types are told from an embedding, beside simple methods on raw counts,
 * all on the same splits. One data set per sample with labels; for each seed a stratified split;
 * for each method one setting chosen on the validation cells; scores on the test cells. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/io/h5ad.h"
#include "lib/io/leakage.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/labelled.h"
#include "lib/nn/metrics_class.h"
#include "lib/nn/metrics_stat.h"
#include "lib/nn/probe.h"

static struct opt_list counts, embeddings;
static int64_t n_seeds = 5, n_genes = 2000, n_pcs = 50;
static const char *label_column = "label", *matrix_name = "X_genecompass", *ledger_path;

static const struct opt opts[] = {
    OPT_LIST("counts", &counts, "CELLS.h5ad",
             "labelled cells with raw counts (from import or qc-filter)"),
    OPT_LIST("embedding", &embeddings, "NAME=FILE.h5ad",
             "an embedding of these cells, joined by obs cell_id"),
    OPT_STR("ledger", &ledger_path, "sets.tsv",
            "of the ledger: says how many cells of a sample the model was trained on"),
    OPT_STR("matrix", &matrix_name, "NAME", "the obsm matrix of the embedding files"),
    OPT_STR("label", &label_column, "NAME", "the obs column with the cell types"),
    OPT_I64("seeds", &n_seeds, "N", "splits per sample: seeds --seed, --seed + 1, ..."),
    OPT_I64("genes", &n_genes, "N", "most variable genes for the methods on counts"),
    OPT_I64("pcs", &n_pcs, "N", "principal components of these genes"),
    OPT_END,
};

static const struct tool tool = {
    "annotate",
    "",
    "Tell cell types from embeddings, beside simple baselines on the same splits",
    "Each sample with labels is a data set. For each seed its cells are split 60/20/20\n"
    "within each type; a method is fitted on the first part, its one setting (penalty c,\n"
    "neighbours k) is chosen by macro-F1 on the second, and the third is only scored.\n\n"
    "  on counts      majority, hvg+logistic, hvg+svm, pca+logistic, pca+knn\n"
    "  per embedding  NAME+logistic, NAME+knn\n\n"
    "  annotate --counts results/demo/qc-filter/*/cells.h5ad \\\n"
    "      --embedding genecompass=results/demo/embed/cells.h5ad \\\n"
    "      --embedding random-weights=results/demo/embed-random/cells.h5ad \\\n"
    "      --out results/demo/annotate\n\n"
    "--out is a folder: predictions.tsv (a line per validation and test cell, method and\n"
    "seed), metrics.tsv, summary.tsv (mean over seeds and half-width of the 95 % interval\n"
    "by Student's t) and comparisons.tsv (differences of two methods on equal splits).\n"
    "A cell that an embedding lacks is left out for every method, and counted. Seeds split\n"
    "the same cells anew, so an interval tells of the split, not of other donors. With\n"
    "--ledger the report and the log say how many cells of a sample are in the corpus.",
    opts,
    0,
    0
};

struct embedding {
    char *name; /* owned */
    const char *path;
    struct id_rows rows;
    float *x; /* [rows.n, d] */
    size_t d;
};

enum { N_METRICS = 6, N_COUNT_METHODS = 5 };
static const char *const metric_name[N_METRICS] = { "accuracy",        "macro_f1",
                                                    "macro_precision", "macro_recall",
                                                    "weighted_f1",     "balanced_accuracy" };
static const char *const count_method[N_COUNT_METHODS] = { "majority", "hvg+logistic", "hvg+svm",
                                                           "pca+logistic", "pca+knn" };

struct job {
    const struct tool_args *args;
    struct embedding *embedding;
    size_t n_embeddings, n_methods;
    char **method; /* [n_methods], owned */
    struct outfile predictions, metrics, summary, comparisons;
    struct leakage ledger; /* --ledger, else empty */
    json_t *datasets, *skipped;
    size_t n_datasets;
};

/* One data set: the labelled cells of a sample, the counts of only these, their embeddings. */
struct dataset {
    const char *name;
    struct labelled cells;
    struct csr count;
    float **x; /* [n_embeddings] [n, d] */
    enum part *part;
    double *test; /* [n_methods, N_METRICS, n_seeds] */
};

/* ---- embeddings ---- */

static enum rc read_embedding(struct embedding *m, const char *arg, struct err *e)
{
    struct cells c;
    size_t n = 0;
    const char *eq = strchr(arg, '=');
    if (!eq || eq == arg || !eq[1])
        return err_set(e, RC_USAGE, "--embedding wants NAME=FILE.h5ad, not '%s'", arg);
    m->name = text_new("%.*s", (int)(eq - arg), arg);
    m->path = eq + 1;
    if (!m->name)
        return err_set(e, RC_FAIL, "no memory for a name");
    if (h5ad_read(m->path, &c, e))
        return e->rc;
    enum rc rc = id_rows_init(&c.obs, &m->rows, e);
    cells_release(&c);
    if (!rc)
        rc = h5ad_read_obsm(m->path, matrix_name, &m->x, &n, &m->d, e);
    if (!rc && (n != m->rows.n || !m->d))
        rc = err_set(e, RC_INPUT, "obsm '%s' is %zu x %zu for %zu cells", matrix_name, n, m->d,
                     m->rows.n);
    for (size_t i = 0; !rc && i < n * m->d; i++)
        if (!isfinite(m->x[i]))
            rc = err_set(e, RC_INPUT, "obsm '%s': row %zu column %zu is not a finite number",
                         matrix_name, i / m->d + 1, i % m->d + 1);
    return rc ? err_wrap(e, "embedding '%s'", m->path) : RC_OK;
}

static enum rc read_embeddings(struct job *j, struct err *e)
{
    size_t n = (size_t)embeddings.n;
    j->embedding = calloc(n + 1, sizeof *j->embedding);
    j->n_methods = N_COUNT_METHODS + 2 * n;
    j->method = calloc(j->n_methods + 1, sizeof *j->method);
    if (!j->embedding || !j->method)
        return err_set(e, RC_FAIL, "no memory for %zu embeddings", n);
    for (size_t i = 0; i < N_COUNT_METHODS; i++)
        j->method[i] = text_new("%s", count_method[i]);
    for (size_t i = 0; i < n; i++) {
        j->n_embeddings++;
        if (read_embedding(&j->embedding[i], embeddings.item[i], e))
            return e->rc;
        j->method[N_COUNT_METHODS + 2 * i] = text_new("%s+logistic", j->embedding[i].name);
        j->method[N_COUNT_METHODS + 2 * i + 1] = text_new("%s+knn", j->embedding[i].name);
    }
    for (size_t i = 0; i < j->n_methods; i++) {
        if (!j->method[i])
            return err_set(e, RC_FAIL, "no memory for names of methods");
        for (size_t k = 0; k < i; k++)
            if (strcmp(j->method[i], j->method[k]) == 0)
                return err_set(e, RC_USAGE, "two methods would be called '%s'", j->method[i]);
    }
    return RC_OK;
}

/* ---- data sets ---- */

static void dataset_release(struct dataset *d, size_t n_embeddings)
{
    for (size_t i = 0; d->x && i < n_embeddings; i++)
        free(d->x[i]);
    free(d->x);
    free(d->part);
    free(d->test);
    csr_release(&d->count);
    labelled_release(&d->cells);
}

/* Leaves only cells that every embedding has. *n_missing counts the others. */
static enum rc join_embeddings(struct job *j, struct dataset *d, size_t *n_missing, struct err *e)
{
    struct labelled *l = &d->cells;
    unsigned char *keep = malloc(l->n + 1);
    if (!keep)
        return err_set(e, RC_FAIL, "no memory for %zu cells", l->n);
    memset(keep, 1, l->n + 1);
    for (size_t m = 0; m < j->n_embeddings; m++)
        for (size_t i = 0; i < l->n; i++)
            if (id_rows_find(&j->embedding[m].rows, l->cell_id[i]) == SIZE_MAX)
                keep[i] = 0;
    size_t before = l->n;
    enum rc rc = labelled_keep(l, keep, e);
    *n_missing = before - l->n;
    free(keep);
    return rc;
}

static enum rc copy_embeddings(struct job *j, struct dataset *d, struct err *e)
{
    d->x = calloc(j->n_embeddings + 1, sizeof *d->x);
    for (size_t m = 0; d->x && m < j->n_embeddings; m++) {
        const struct embedding *from = &j->embedding[m];
        d->x[m] = malloc((d->cells.n * from->d + 1) * sizeof(float));
        for (size_t i = 0; d->x[m] && i < d->cells.n; i++)
            memcpy(d->x[m] + i * from->d,
                   from->x + id_rows_find(&from->rows, d->cells.cell_id[i]) * from->d,
                   from->d * sizeof(float));
        if (!d->x[m])
            return err_set(e, RC_FAIL, "no memory for %zu embedded cells", d->cells.n);
    }
    return d->x ? RC_OK : err_set(e, RC_FAIL, "no memory for embeddings");
}

static enum rc take_counts(struct job *j, const struct cells *c, struct dataset *d, struct err *e)
{
    unsigned char *keep = calloc(c->count.n_rows + 1, 1);
    if (!keep)
        return err_set(e, RC_FAIL, "no memory for %zu cells", c->count.n_rows);
    for (size_t i = 0; i < d->cells.n; i++)
        keep[d->cells.row[i]] = 1;
    enum rc rc = csr_select(&c->count, keep, NULL, c->count.n_cols, &d->count, e);
    free(keep);
    d->part = calloc(d->cells.n + 1, sizeof *d->part);
    d->test = calloc(j->n_methods * N_METRICS * (size_t)n_seeds, sizeof *d->test);
    if (!rc && (!d->part || !d->test))
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", d->cells.n);
    return rc;
}

/* ---- one method on one split ---- */

static size_t score_part(const struct dataset *d, const struct probe_result *r, enum part part,
                         double value[N_METRICS], struct err *e)
{
    size_t k = d->cells.n_classes, n = 0;
    size_t *confusion = calloc(k * k + 1, sizeof *confusion);
    struct class_metrics m = { 0 };
    if (!confusion) {
        err_set(e, RC_FAIL, "no memory for %zu classes", k);
        return 0;
    }
    for (size_t i = 0; i < d->cells.n; i++)
        if (d->part[i] == part) {
            confusion[d->cells.class_of[i] * k + r->predicted[i]]++;
            n++;
        }
    class_metrics_get(confusion, k, &m, NULL);
    free(confusion);
    const double all[N_METRICS] = { m.accuracy,     m.macro_f1,    m.macro_precision,
                                    m.macro_recall, m.weighted_f1, m.balanced_accuracy };
    memcpy(value, all, sizeof all);
    return n;
}

static void write_predictions(struct job *j, const struct dataset *d, const struct probe_result *r,
                              const char *method, uint64_t seed)
{
    FILE *f = j->predictions.f;
    char score[32];
    for (size_t i = 0; i < d->cells.n; i++) {
        if (d->part[i] == PART_TRAIN)
            continue;
        metric_text(r->score[i], score);
        field_put(d->name, f);
        fprintf(f, "\t%016" PRIx64 "\t", d->cells.cell_id[i]);
        field_put(d->cells.barcode[i], f);
        fputc('\t', f);
        field_put(d->cells.class_name[d->cells.class_of[i]], f);
        fputc('\t', f);
        field_put(d->cells.class_name[r->predicted[i]], f);
        fprintf(f, "\t%s\t", score);
        field_put(method, f);
        fprintf(f, "\t%s\t%" PRIu64 "\n", part_name(d->part[i]), seed);
    }
}

static enum rc write_result(struct job *j, struct dataset *d, const struct probe_result *r,
                            size_t method, size_t seed_number, struct err *e)
{
    static const enum part parts[] = { PART_VAL, PART_TEST };
    uint64_t seed = j->args->seed + seed_number;
    struct metric_row row = { "annotate", d->name, j->method[method], "clean", "", seed, "", 0, 0 };
    for (int p = 0; p < 2; p++) {
        double value[N_METRICS];
        row.n = score_part(d, r, parts[p], value, e);
        if (!row.n)
            return e->rc ? e->rc : err_set(e, RC_CHECK, "a split without cells");
        row.split = part_name(parts[p]);
        for (size_t m = 0; m < N_METRICS; m++) {
            row.metric = metric_name[m];
            row.value = value[m];
            metrics_tsv_add(&j->metrics, &row);
            if (parts[p] == PART_TEST)
                d->test[(method * N_METRICS + m) * (size_t)n_seeds + seed_number] = value[m];
        }
    }
    if (r->setting[0] != '-') {
        row.split = "val";
        row.metric = r->setting[0] == 'c' ? "chosen_c" : "chosen_k";
        row.value = r->chosen;
        metrics_tsv_add(&j->metrics, &row);
    }
    write_predictions(j, d, r, j->method[method], seed);
    return RC_OK;
}

/* The methods on counts, in the order of count_method[]. */
static enum rc count_methods(struct job *j, struct dataset *d, const struct probe_cells *cells,
                             size_t seed_number, struct err *e)
{
    struct mat genes = { 0 }, pcs = { 0 };
    enum rc rc =
        probe_count_features(&d->count, cells, (size_t)n_genes, (size_t)n_pcs, &genes, &pcs, e);
    for (size_t m = 0; !rc && m < N_COUNT_METHODS; m++) {
        struct probe_result r = { 0 };
        switch (m) {
        case 0:
            rc = probe_majority(cells, &r, e);
            break;
        case 1:
            rc = probe_logistic(cells, &genes, &r, e);
            break;
        case 2:
            rc = probe_svm(cells, &genes, &r, e);
            break;
        case 3:
            rc = probe_logistic(cells, &pcs, &r, e);
            break;
        default:
            rc = probe_knn(cells, &pcs, &r, e);
        }
        if (!rc)
            rc = write_result(j, d, &r, m, seed_number, e);
        probe_result_release(&r);
    }
    mat_release(&genes);
    mat_release(&pcs);
    return rc;
}

static enum rc embedding_methods(struct job *j, struct dataset *d, const struct probe_cells *cells,
                                 size_t seed_number, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t m = 0; !rc && m < j->n_embeddings; m++) {
        struct mat x = { 0 };
        struct probe_result line = { 0 }, near = { 0 };
        size_t at = N_COUNT_METHODS + 2 * m;
        rc = probe_embedding_features(d->x[m], j->embedding[m].d, cells, &x, e);
        if (!rc)
            rc = probe_logistic(cells, &x, &line, e);
        if (!rc)
            rc = write_result(j, d, &line, at, seed_number, e);
        if (!rc)
            rc = probe_knn(cells, &x, &near, e);
        if (!rc)
            rc = write_result(j, d, &near, at + 1, seed_number, e);
        probe_result_release(&line);
        probe_result_release(&near);
        mat_release(&x);
    }
    return rc;
}

/* ---- over the seeds ---- */

static void mean_and_width(const double *x, char mean[32], char width[32])
{
    metric_text(mean_of(x, (size_t)n_seeds), mean);
    metric_text(mean_ci95(x, (size_t)n_seeds), width);
}

static void write_summary(struct job *j, const struct dataset *d)
{
    char mean[32], width[32];
    for (size_t m = 0; m < j->n_methods; m++)
        for (size_t k = 0; k < N_METRICS; k++) {
            mean_and_width(d->test + (m * N_METRICS + k) * (size_t)n_seeds, mean, width);
            field_put(d->name, j->summary.f);
            fputc('\t', j->summary.f);
            field_put(j->method[m], j->summary.f);
            fprintf(j->summary.f, "\t%s\t%" PRId64 "\t%s\t%s\n", metric_name[k], n_seeds, mean,
                    width);
        }
}

/* Accuracy and macro-F1 of every pair of methods, seed by seed. */
static enum rc write_comparisons(struct job *j, const struct dataset *d, struct err *e)
{
    double *off = malloc((size_t)n_seeds * sizeof *off);
    FILE *f = j->comparisons.f;
    char mean[32], width[32];
    if (!off)
        return err_set(e, RC_FAIL, "no memory for %" PRId64 " seeds", n_seeds);
    for (size_t k = 0; k < 2; k++)
        for (size_t a = 0; a < j->n_methods; a++)
            for (size_t b = 0; b < a; b++) {
                const double *x = d->test + (a * N_METRICS + k) * (size_t)n_seeds;
                const double *y = d->test + (b * N_METRICS + k) * (size_t)n_seeds;
                for (size_t s = 0; s < (size_t)n_seeds; s++)
                    off[s] = x[s] - y[s];
                mean_and_width(off, mean, width);
                field_put(d->name, f);
                fprintf(f, "\t%s\t", metric_name[k]);
                field_put(j->method[a], f);
                fputc('\t', f);
                field_put(j->method[b], f);
                fprintf(f, "\t%" PRId64 "\t%s\t%s\n", n_seeds, mean, width);
            }
    free(off);
    return RC_OK;
}

static enum rc run_seeds(struct job *j, struct dataset *d, struct progress *p, struct err *e)
{
    enum rc rc = RC_OK;
    struct probe_cells cells = { d->cells.n, d->cells.n_classes, d->cells.class_of, d->part };
    for (size_t s = 0; !rc && s < (size_t)n_seeds; s++) {
        rc = split_stratified(d->cells.class_of, d->cells.cell_id, d->cells.n, d->cells.n_classes,
                              j->args->seed + s, d->part, e);
        if (!rc)
            rc = count_methods(j, d, &cells, s, e);
        if (!rc)
            rc = embedding_methods(j, d, &cells, s, e);
        if (!rc)
            progress_at(p, s + 1);
    }
    if (!rc)
        write_summary(j, d);
    return rc ? rc : write_comparisons(j, d, e);
}

/* ---- one sample ---- */

static void skip_sample(struct job *j, const char *sample, const char *why)
{
    log_say("sample '%s' is skipped: %s", sample, why);
    json_array_append_new(j->skipped, json_pack("{s:s, s:s}", "sample", sample, "reason", why));
}

/* Cells that a split would put into test, of each class: round(n / 5). */
static bool can_be_split(const struct labelled *l)
{
    size_t n_test = 0;
    for (uint32_t c = 0; c < l->n_classes; c++) {
        size_t n = 0;
        for (size_t i = 0; i < l->n; i++)
            n += l->class_of[i] == c;
        n_test += (2 * n + 5) / 10;
    }
    return n_test > 0;
}

/* Scores on cells that the model has seen say less: how many of the sample's are in the corpus. */
static void note_leakage(struct job *j, const struct dataset *d)
{
    struct leakage_of of;
    json_t *last = json_array_get(j->datasets, json_array_size(j->datasets) - 1);
    if (!ledger_path)
        return;
    if (!leakage_find(&j->ledger, d->name, &of)) {
        log_warn("sample '%s': the ledger does not say how many of its cells are in the corpus",
                 d->name);
        json_object_set_new(last, "cells_in_corpus", json_null());
        return;
    }
    log_say("sample '%s': %" PRIu64 " of %" PRIu64 " labelled cells are in the pretraining corpus",
            d->name, of.in_corpus, of.cells);
    json_object_set_new(last, "cells_in_corpus", json_integer((json_int_t)of.in_corpus));
    json_object_set_new(last, "cells_of_the_ledger", json_integer((json_int_t)of.cells));
}

static enum rc use_sample(struct job *j, const struct cells *c, struct dataset *d, size_t n_missing,
                          struct err *e)
{
    struct progress p;
    enum rc rc = take_counts(j, c, d, e);
    if (!rc)
        rc = copy_embeddings(j, d, e);
    if (rc)
        return rc;
    log_say("sample '%s': %zu cells of %zu types, %zu without a label, %zu not in every embedding",
            d->name, d->cells.n, d->cells.n_classes, d->cells.n_unlabelled, n_missing);
    progress_start(&p, "splits", (size_t)n_seeds);
    rc = run_seeds(j, d, &p, e);
    if (!rc)
        progress_end(&p);
    j->n_datasets++;
    json_array_append_new(
        j->datasets, json_pack("{s:s, s:I, s:I, s:I, s:I}", "dataset", d->name, "n_cells",
                               (json_int_t)d->cells.n, "n_classes", (json_int_t)d->cells.n_classes,
                               "n_unlabelled", (json_int_t)d->cells.n_unlabelled,
                               "n_not_in_every_embedding", (json_int_t)n_missing));
    note_leakage(j, d);
    return rc;
}

static enum rc try_sample(struct job *j, const struct cells *c, const char *sample, struct err *e)
{
    struct dataset d = { .name = sample };
    size_t n_missing = 0;
    enum rc rc = labelled_init(c, sample, label_column, &d.cells, e);
    size_t n_labelled = d.cells.n;
    if (!rc)
        rc = join_embeddings(j, &d, &n_missing, e);
    if (!rc && !n_labelled)
        skip_sample(j, sample, "no cell has a label");
    else if (!rc && !d.cells.n)
        skip_sample(j, sample, "no labelled cell is in every embedding");
    else if (!rc && d.cells.n_classes < 2)
        skip_sample(j, sample, "all its cells have one label");
    else if (!rc && !can_be_split(&d.cells))
        skip_sample(j, sample, "no type has three cells to split");
    else if (!rc)
        rc = use_sample(j, c, &d, n_missing, e);
    dataset_release(&d, j->n_embeddings);
    return rc ? err_wrap(e, "sample '%s'", sample) : RC_OK;
}

static bool seen_before(const struct job *j, const char *sample)
{
    size_t i;
    json_t *v;
    json_array_foreach(j->datasets, i,
                       v) if (strcmp(json_string_value(json_object_get(v, "dataset")), sample) ==
                              0) return true;
    return false;
}

static enum rc use_file(struct job *j, const char *path, struct err *e)
{
    struct cells c;
    struct id_rows ids = { 0 };
    const char **sample = NULL;
    size_t n = 0;
    if (h5ad_read(path, &c, e))
        return e->rc;
    enum rc rc = id_rows_init(&c.obs, &ids, e);
    if (!rc && !c.count.indptr)
        rc = err_set(e, RC_INPUT, "no counts in X");
    const bool labelled = table_find(&c.obs, label_column) != NULL;
    if (!rc)
        rc = column_names(&c.obs, "sample", &sample, &n, e);
    for (size_t i = 0; !rc && !labelled && i < n; i++)
        skip_sample(j, sample[i], "no column with labels");
    if (!labelled)
        n = 0;
    for (size_t i = 0; !rc && i < n; i++)
        rc = seen_before(j, sample[i])
                 ? err_set(e, RC_INPUT, "sample '%s' was in an earlier file", sample[i])
                 : try_sample(j, &c, sample[i], e);
    free(sample);
    id_rows_release(&ids);
    cells_release(&c);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}

/* ---- the whole ---- */

static enum rc open_outputs(struct job *j, struct err *e)
{
    struct {
        struct outfile *o;
        const char *name, *header;
    } file[] = {
        { &j->predictions, "predictions.tsv",
          "dataset\tcell_id\tbarcode\ttruth\tprediction\tscore\tmethod\tsplit\tseed\n" },
        { &j->summary, "summary.tsv", "dataset\tmethod\tmetric\tn_seeds\tmean\tci95\n" },
        { &j->comparisons, "comparisons.tsv",
          "dataset\tmetric\tmethod\tagainst\tn_seeds\tmean_difference\tci95\n" },
    };
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < 3; i++) {
        char *path = text_new("%s/%s", j->args->out, file[i].name);
        rc = path ? outfile_open(file[i].o, path, e) : err_set(e, RC_FAIL, "no memory for a path");
        if (!rc)
            fputs(file[i].header, file[i].o->f);
        free(path);
    }
    char *path = text_new("%s/metrics.tsv", j->args->out);
    if (!rc)
        rc = path ? metrics_tsv_open(&j->metrics, path, e)
                  : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    return rc;
}

static enum rc write_report(const struct job *j, struct err *e)
{
    struct outfile o;
    if (!j->args->report)
        return RC_OK;
    if (outfile_open(&o, j->args->report, e))
        return e->rc;
    json_t *r = json_pack("{s:s, s:I, s:I, s:O, s:O}", "tool", "annotate", "seeds",
                          (json_int_t)n_seeds, "methods", (json_int_t)j->n_methods, "datasets",
                          j->datasets, "skipped", j->skipped);
    bool good = r && json_dumpf(r, o.f, JSON_INDENT(1)) == 0 && fputc('\n', o.f) != EOF;
    json_decref(r);
    if (good)
        return outfile_commit(&o, e);
    outfile_abort(&o);
    return err_set(e, RC_FAIL, "cannot write '%s'", j->args->report);
}

static enum rc commit_all(struct job *j, struct err *e)
{
    struct outfile *o[] = { &j->predictions, &j->metrics, &j->summary, &j->comparisons };
    enum rc rc = RC_OK;
    for (int i = 0; i < 4; i++)
        if (rc)
            outfile_abort(o[i]);
        else
            rc = outfile_commit(o[i], e);
    return rc;
}

static void release(struct job *j)
{
    outfile_abort(&j->predictions);
    outfile_abort(&j->metrics);
    outfile_abort(&j->summary);
    outfile_abort(&j->comparisons);
    for (size_t i = 0; i < j->n_embeddings; i++) {
        free(j->embedding[i].name);
        free(j->embedding[i].x);
        id_rows_release(&j->embedding[i].rows);
    }
    for (size_t i = 0; j->method && i < j->n_methods; i++)
        free(j->method[i]);
    free(j->method);
    free(j->embedding);
    json_decref(j->datasets);
    json_decref(j->skipped);
    leakage_release(&j->ledger);
    free(counts.item);
    free(embeddings.item);
}

static enum rc check_options(const struct tool_args *a, struct err *e)
{
    if (!counts.n)
        return err_set(e, RC_USAGE, "--counts is missing");
    if (n_seeds < 1 || n_seeds > 1000)
        return err_set(e, RC_USAGE, "--seeds is 1 to 1000, not %" PRId64, n_seeds);
    if (n_genes < 2 || n_genes > 100000)
        return err_set(e, RC_USAGE, "--genes is 2 to 100000, not %" PRId64, n_genes);
    if (n_pcs < 1 || n_pcs > 10000)
        return err_set(e, RC_USAGE, "--pcs is 1 to 10000, not %" PRId64, n_pcs);
    return tool_need_out(a, e);
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct job j = { .args = a, .datasets = json_array(), .skipped = json_array() };
    enum rc rc = j.datasets && j.skipped ? check_options(a, e)
                                         : err_set(e, RC_FAIL, "no memory for a report");
    if (!rc && ledger_path)
        rc = leakage_read(&j.ledger, ledger_path, e);
    if (!rc)
        rc = read_embeddings(&j, e);
    if (!rc)
        rc = open_outputs(&j, e);
    for (int i = 0; !rc && i < counts.n; i++)
        rc = use_file(&j, counts.item[i], e);
    if (!rc && !j.n_datasets)
        rc = err_set(e, RC_INPUT, "no sample has labelled cells to work with");
    if (!rc)
        rc = commit_all(&j, e);
    if (!rc)
        rc = write_report(&j, e);
    release(&j);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
