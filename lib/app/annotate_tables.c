/* The four tables of a comparison. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/annotate_parts.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/metrics_class.h"
#include "lib/nn/metrics_stat.h"

static const char *const metric_name[N_METRICS] = { "accuracy",        "macro_f1",
                                                    "macro_precision", "macro_recall",
                                                    "weighted_f1",     "balanced_accuracy" };

enum rc compare_open_tables(struct compare_job *j, struct err *e)
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
        char *path = text_new("%s/%s", j->o->out, file[i].name);
        rc = path ? outfile_open(file[i].o, path, e) : err_set(e, RC_FAIL, "no memory for a path");
        if (!rc)
            fputs(file[i].header, file[i].o->f);
        free(path);
    }
    char *path = text_new("%s/metrics.tsv", j->o->out);
    if (!rc)
        rc = path ? metrics_tsv_open(&j->metrics, path, e)
                  : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    return rc;
}

enum rc compare_commit_tables(struct compare_job *j, struct err *e)
{
    struct outfile *o[] = { &j->predictions, &j->metrics, &j->summary, &j->comparisons };
    enum rc rc = RC_OK;
    for (int i = 0; i < 4; i++)
        rc = outfile_close(o[i], rc, e);
    return rc;
}

void compare_abort_tables(struct compare_job *j)
{
    outfile_abort(&j->predictions);
    outfile_abort(&j->metrics);
    outfile_abort(&j->summary);
    outfile_abort(&j->comparisons);
}

/* The cells of a split that are scored together: what metrics.tsv calls a split. */
enum scored { SCORED_VAL, SCORED_TEST, SCORED_UNSEEN, N_SCORED };
static const char *const scored_name[N_SCORED] = { "val", "test", "test-unseen" };

static bool is_scored(const struct compare_dataset *d, const enum part *part, size_t i,
                      enum scored s)
{
    return s == SCORED_VAL ? part[i] == PART_VAL
                           : part[i] == PART_TEST && (s == SCORED_TEST || d->unseen[i]);
}

/* How many cells; 0 with e set when memory is short. */
static size_t score_part(const struct compare_dataset *d, const struct probe_result *r,
                         const enum part *part, enum scored s, double value[N_METRICS],
                         struct err *e)
{
    size_t k = d->cells.n_classes, n = 0;
    size_t *confusion = calloc(k * k + 1, sizeof *confusion);
    struct class_metrics m = { 0 };
    if (!confusion) {
        err_set(e, RC_FAIL, "no memory for %zu classes", k);
        return 0;
    }
    for (size_t i = 0; i < d->cells.n; i++)
        if (is_scored(d, part, i, s)) {
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

static void write_predictions(struct compare_job *j, const struct compare_dataset *d,
                              const struct probe_result *r, const enum part *part,
                              const char *method, uint64_t seed)
{
    FILE *f = j->predictions.f;
    char score[32];
    for (size_t i = 0; i < d->cells.n; i++) {
        if (part[i] == PART_TRAIN)
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
        fprintf(f, "\t%s\t%" PRIu64 "\n", part_name(part[i]), seed);
    }
}

void compare_write_leakage(struct compare_job *j, const struct compare_dataset *d)
{
    struct metric_row row = { "annotate", d->name,           "corpus", "clean",   "all",
                              j->o->seed, "share_in_corpus", 0,        d->cells.n };
    if (!d->unseen)
        return;
    row.value = (double)(d->cells.n - d->n_unseen) / (double)d->cells.n;
    metrics_tsv_add(&j->metrics, &row);
    row.split = scored_name[SCORED_TEST];
    for (size_t s = 0; s < (size_t)j->o->n_seeds; s++) {
        const struct probe_cells c = compare_split(d, s);
        size_t seen = 0;
        row.n = 0;
        for (size_t i = 0; i < c.n; i++) {
            row.n += c.part[i] == PART_TEST;
            seen += c.part[i] == PART_TEST && !d->unseen[i];
        }
        row.seed = j->o->seed + s;
        row.value = (double)seen / (double)row.n;
        metrics_tsv_add(&j->metrics, &row);
    }
}

enum rc compare_write_result(struct compare_job *j, struct compare_dataset *d, size_t method,
                             size_t seed_number, struct err *e)
{
    const struct probe_result *r = compare_result(j, d, method, seed_number);
    const enum part *part = compare_split(d, seed_number).part;
    uint64_t seed = j->o->seed + seed_number;
    char setting[32];
    size_t n_val = 0;
    struct metric_row row = { "annotate", d->name, j->method[method], "clean", "", seed, "", 0, 0 };
    for (int p = 0; p < N_SCORED; p++) {
        double value[N_METRICS];
        if (p == SCORED_UNSEEN && !d->unseen)
            continue;
        err_clear(e);
        row.n = score_part(d, r, part, (enum scored)p, value, e);
        if (!row.n && e->rc)
            return e->rc;
        if (!row.n && p == SCORED_UNSEEN)
            continue; /* all test cells are in the corpus */
        if (!row.n)
            return err_set(e, RC_CHECK, "a split without cells");
        n_val = p == SCORED_VAL ? row.n : n_val;
        row.split = scored_name[p];
        for (size_t m = 0; m < N_METRICS; m++) {
            row.metric = metric_name[m];
            row.value = value[m];
            metrics_tsv_add(&j->metrics, &row);
            if (p == SCORED_TEST)
                d->test[(method * N_METRICS + m) * (size_t)j->o->n_seeds + seed_number] = value[m];
        }
    }
    row.split = scored_name[SCORED_VAL];
    row.n = n_val;
    if (r->setting[0] != '-') {
        snprintf(setting, sizeof setting, "chosen_%s", r->setting);
        row.metric = setting;
        row.value = r->chosen;
        metrics_tsv_add(&j->metrics, &row);
    }
    if (r->rate > 0) {
        row.metric = "chosen_rate";
        row.value = r->rate;
        metrics_tsv_add(&j->metrics, &row);
    }
    write_predictions(j, d, r, part, j->method[method], seed);
    return RC_OK;
}

static void mean_and_width(const struct compare_job *j, const double *x, char mean[32],
                           char width[32])
{
    metric_text(mean_of(x, (size_t)j->o->n_seeds), mean);
    metric_text(mean_ci95(x, (size_t)j->o->n_seeds), width);
}

static void write_summary(struct compare_job *j, const struct compare_dataset *d)
{
    char mean[32], width[32];
    for (size_t m = 0; m < j->n_methods; m++)
        for (size_t k = 0; k < N_METRICS; k++) {
            mean_and_width(j, d->test + (m * N_METRICS + k) * (size_t)j->o->n_seeds, mean, width);
            field_put(d->name, j->summary.f);
            fputc('\t', j->summary.f);
            field_put(j->method[m], j->summary.f);
            fprintf(j->summary.f, "\t%s\t%" PRId64 "\t%s\t%s\n", metric_name[k], j->o->n_seeds,
                    mean, width);
        }
}

/* Accuracy and macro-F1 of every pair of methods, seed by seed. */
static enum rc write_comparisons(struct compare_job *j, const struct compare_dataset *d,
                                 struct err *e)
{
    double *off = malloc((size_t)j->o->n_seeds * sizeof *off);
    FILE *f = j->comparisons.f;
    char mean[32], width[32];
    if (!off)
        return err_set(e, RC_FAIL, "no memory for %" PRId64 " seeds", j->o->n_seeds);
    for (size_t k = 0; k < 2; k++)
        for (size_t a = 0; a < j->n_methods; a++)
            for (size_t b = 0; b < a; b++) {
                const double *x = d->test + (a * N_METRICS + k) * (size_t)j->o->n_seeds;
                const double *y = d->test + (b * N_METRICS + k) * (size_t)j->o->n_seeds;
                for (size_t s = 0; s < (size_t)j->o->n_seeds; s++)
                    off[s] = x[s] - y[s];
                mean_and_width(j, off, mean, width);
                field_put(d->name, f);
                fprintf(f, "\t%s\t", metric_name[k]);
                field_put(j->method[a], f);
                fputc('\t', f);
                field_put(j->method[b], f);
                fprintf(f, "\t%" PRId64 "\t%s\t%s\n", j->o->n_seeds, mean, width);
            }
    free(off);
    return RC_OK;
}

enum rc compare_write_summary(struct compare_job *j, const struct compare_dataset *d, struct err *e)
{
    write_summary(j, d);
    return write_comparisons(j, d, e);
}
