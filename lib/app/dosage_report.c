/* What the runs gave: by fold and seed, by seed, and over all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/dosage_parts.h"
#include "lib/base/log.h"
#include "lib/io/json.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/metrics_rank.h"
#include "lib/nn/metrics_stat.h"

enum { RUN = 100 }; /* run number of a fold: 100 seed + fold */

enum rc dosage_add(struct dosage_job *j, const char *method, const char *metric, uint64_t seed,
                   uint32_t fold, double value, size_t n, struct err *e)
{
    if (j->n_rows == j->room) {
        const size_t room = 2 * j->room + 64;
        struct dosage_row *more = realloc(j->row, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu scores", room);
        j->row = more;
        j->room = room;
    }
    struct dosage_row *r = &j->row[j->n_rows++];
    *r = (struct dosage_row){ .seed = seed, .fold = fold, .value = value, .n = n };
    snprintf(r->method, sizeof r->method, "%s", method);
    snprintf(r->metric, sizeof r->metric, "%s", metric);
    return RC_OK;
}

static bool same(const struct dosage_row *a, const struct dosage_row *b, bool seed)
{
    return strcmp(a->method, b->method) == 0 && strcmp(a->metric, b->metric) == 0 &&
           (!seed || a->seed == b->seed);
}

/* Is no row before it of its method and metric (and seed)? */
static bool is_first(const struct dosage_job *j, size_t i, bool seed)
{
    for (size_t k = 0; k < i; k++)
        if (same(&j->row[k], &j->row[i], seed))
            return false;
    return true;
}

/* Values of a method and metric (of a seed) to value [n_rows]; *n_behind: genes or occurrences of all. */
static size_t collect(const struct dosage_job *j, const struct dosage_row *like, bool seed,
                      double *value, size_t *n_behind)
{
    size_t n = 0;
    *n_behind = 0;
    for (size_t k = 0; k < j->n_rows; k++)
        if (same(&j->row[k], like, seed)) {
            value[n++] = j->row[k].value;
            *n_behind += j->row[k].n;
        }
    return n;
}

static void put_row(const struct dosage_job *j, struct outfile *o, const struct dosage_row *r,
                    const char *split, uint64_t seed, const char *metric, double value, size_t n)
{
    const struct metric_row row = { "dosage", j->o->dataset, r->method, j->variant, split,
                                    seed,     metric,        value,     n };
    metrics_tsv_add(o, &row);
}

/* Of the published protocol: AUCs of the folds weighed by the points of their curves. */
static void put_weighted(const struct dosage_job *j, struct outfile *o, const struct dosage_row *r,
                         const double *value, size_t n, double *weight)
{
    struct dosage_row points = *r;
    double mean, sd;
    size_t n_behind;
    snprintf(points.metric, sizeof points.metric, "roc_points");
    if (strcmp(r->metric, "auroc_occurrence") != 0 || collect(j, &points, true, weight, &n_behind) != n)
        return;
    weighted_mean_sd(value, weight, n, &mean, &sd);
    put_row(j, o, r, "test", r->seed, "auroc_occurrence_weighted", mean, n_behind);
    put_row(j, o, r, "test", r->seed, "auroc_occurrence_weighted_sd", sd, n_behind);
}

static enum rc write_metrics(const struct dosage_job *j, double *value, double *weight, struct err *e)
{
    struct outfile o;
    size_t n_behind;
    char *path = text_new("%s/metrics.tsv", j->o->out);
    enum rc rc = path ? metrics_tsv_open(&o, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    for (size_t i = 0; i < j->n_rows; i++)
        if (j->row[i].fold)
            put_row(j, &o, &j->row[i], "each-fold", RUN * j->row[i].seed + j->row[i].fold,
                    j->row[i].metric, j->row[i].value, j->row[i].n);
    for (size_t i = 0; i < j->n_rows; i++) {
        if (!is_first(j, i, true))
            continue;
        const size_t n = collect(j, &j->row[i], true, value, &n_behind);
        put_row(j, &o, &j->row[i], "test", j->row[i].seed, j->row[i].metric, mean_of(value, n), n_behind);
        put_weighted(j, &o, &j->row[i], value, n, weight);
    }
    return outfile_commit(&o, e);
}

static enum rc write_summary(const struct dosage_job *j, double *value, struct err *e)
{
    struct outfile o;
    char *path = text_new("%s/summary.tsv", j->o->out), number[3][32];
    enum rc rc = path ? outfile_open(&o, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    fputs("dataset\tmethod\tvariant\tmetric\tn_runs\tmean\tlow\thigh\n", o.f);
    for (size_t i = 0; i < j->n_rows; i++) {
        size_t n_behind;
        if (!is_first(j, i, false) || strcmp(j->row[i].metric, "roc_points") == 0)
            continue;
        const size_t n = collect(j, &j->row[i], false, value, &n_behind);
        const double mean = mean_of(value, n), width = mean_ci95(value, n);
        metric_text(mean, number[0]);
        metric_text(mean - width, number[1]);
        metric_text(mean + width, number[2]);
        field_put(j->o->dataset, o.f);
        fprintf(o.f, "\t%s\t%s\t%s\t%zu\t%s\t%s\t%s\n", j->row[i].method, j->variant,
                j->row[i].metric, n, number[0], number[1], number[2]);
        if (n > 1)
            log_say("%s: %s %.3f (%.3f to %.3f over %zu runs)", j->row[i].method, j->row[i].metric,
                    mean, mean - width, mean + width, n);
        else
            log_say("%s: %s %.3f", j->row[i].method, j->row[i].metric, mean);
    }
    return outfile_commit(&o, e);
}

/* ---- numbers that need no model, one by one ---- */

static enum rc put_feature(const struct dosage_job *j, FILE *f, const char *file, const char *name,
                           const double *score, const uint32_t *class_of, double *auc, struct err *e)
{
    const struct dosage_genes *g = &j->genes;
    enum rc rc = dosage_auc(score, class_of, NULL, g->n, auc, NULL, NULL, e);
    if (rc)
        return rc;
    field_put(file, f);
    fprintf(f, "\t%s\t%zu\t%zu\t%.6f\n", name, g->n_sensitive, g->n - g->n_sensitive, *auc);
    return RC_OK;
}

/* A file and its folder, so that no place of this machine stands in a result. */
static const char *short_name(const char *path)
{
    const char *at = path + strlen(path);
    for (int slashes = 0; at > path; at--)
        if (at[-1] == '/' && ++slashes == 2)
            break;
    return at;
}

static enum rc put_features(const struct dosage_job *j, FILE *f, double *score, uint32_t *class_of,
                            double *list_auc, struct err *e)
{
    const struct dosage_genes *g = &j->genes;
    const struct opt_list *files = j->o->expression.n ? &j->o->expression : &j->o->inputs;
    enum rc rc = RC_OK;
    double auc;
    fputs("file\tfeature\tn_sensitive\tn_insensitive\tauroc\n", f);
    for (size_t i = 0; i < g->n; i++)
        class_of[i] = g->gene[i].class_of;
    for (size_t k = 0; !rc && k < j->statistics.d; k++) {
        for (size_t i = 0; i < g->n; i++)
            score[i] = mat_row(&j->statistics, i)[k];
        rc = put_feature(j, f, short_name(files->item[k / DOSAGE_STATISTICS]),
                         dosage_statistic[k % DOSAGE_STATISTICS], score, class_of, &auc, e);
    }
    for (size_t i = 0; i < g->n; i++)
        score[i] = g->gene[i].length;
    if (!rc && g->has_lengths)
        rc = put_feature(j, f, "-", "gene length (bases)", score, class_of, &auc, e);
    for (size_t i = 0; i < g->n; i++)
        score[i] = g->gene[i].listed;
    if (!rc && g->has_list)
        rc = put_feature(j, f, "-", "in the list", score, class_of, list_auc, e);
    return rc;
}

static enum rc write_features(const struct dosage_job *j, double *list_auc, struct err *e)
{
    struct outfile o;
    const size_t n = j->genes.n;
    char *path = text_new("%s/features.tsv", j->o->out);
    double *score = malloc((n + 1) * sizeof *score);
    uint32_t *class_of = malloc((n + 1) * sizeof *class_of);
    enum rc rc = path && score && class_of ? outfile_open(&o, path, e)
                                           : err_set(e, RC_FAIL, "no memory for %zu genes", n);
    if (!rc)
        rc = outfile_close(&o, put_features(j, o.f, score, class_of, list_auc, e), e);
    free(path);
    free(score);
    free(class_of);
    return rc;
}

/* ---- the report ---- */

/* Do sensitive genes stand in the list, and no other? */
static json_t *finding(const struct dosage_genes *g, double auc)
{
    size_t in[2] = { 0, 0 };
    for (size_t i = 0; i < g->n; i++)
        in[g->gene[i].class_of] += g->gene[i].listed;
    const bool exact = in[1] == g->n_sensitive && !in[0];
    const char *says = exact ? "the labels are the list: a gene is called sensitive if and only if it stands there, so what "
                               "predicts the list predicts the labels, and the list must not be an input"
                             : "the labels are not the list";
    log_say("of %zu sensitive genes %zu stand in the list, of %zu others %zu: %s", g->n_sensitive,
            in[1], g->n - g->n_sensitive, in[0], says);
    return json_pack("{s:I, s:I, s:f, s:b, s:s}", "sensitive_in_list", (json_int_t)in[1],
                     "insensitive_in_list", (json_int_t)in[0], "auroc", auc,
                     "labels_follow_list_exactly", exact, "finding", says);
}

static json_t *names_of(const struct dosage_genes *g, bool unknown)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < g->n; i++) {
        const struct dosage_gene *x = &g->gene[i];
        if (unknown ? x->token < 0 : x->token >= 0 && !(x->n_train && x->n_test))
            json_array_append_new(a, json_sprintf("%s %s", x->id, x->name));
    }
    return a;
}

static enum rc write_report(struct dosage_job *j, double list_auc, struct err *e)
{
    const char *hash = embedder_sha256(&j->m, e);
    if (!hash)
        return RC_FAIL;
    const struct dosage_genes *g = &j->genes;
    char *path = j->o->report ? text_new("%s", j->o->report) : text_new("%s/report.json", j->o->out);
    json_t *r = json_pack(
        "{s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I, s:I}, s:o, s:o, s:s}", "genes",
        "labelled", (json_int_t)g->n, "sensitive", (json_int_t)g->n_sensitive, "without_class",
        (json_int_t)g->n_unlabelled, "twice", (json_int_t)g->n_twice, "without_length",
        (json_int_t)(g->has_lengths ? g->n_without_length : 0), "in_play", (json_int_t)j->play.n,
        "sensitive_in_play", (json_int_t)j->play.n_sensitive, "cells", "to_learn_from",
        (json_int_t)j->half[0].n, "to_judge_in", (json_int_t)j->half[1].n, "with_tokens",
        (json_int_t)j->tokens.n, "without_known_gene", (json_int_t)j->n_empty, "occurrences_judged",
        (json_int_t)j->half[1].n_rows, "genes_not_in_vocabulary", names_of(g, true),
        "genes_in_too_few_cells", names_of(g, false), "variant", j->variant);
    if (r) {
        json_object_set_new(r, "folds", json_integer((json_int_t)j->n_folds));
        json_object_set_new(r, "model_sha256", json_string(hash));
        if (g->has_list)
            json_object_set_new(r, "list", finding(g, list_auc));
    }
    enum rc rc = path ? json_write(path, r, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    return rc;
}

enum rc dosage_write(struct dosage_job *j, struct err *e)
{
    double *value = malloc((j->n_rows + 1) * sizeof *value);
    double *weight = malloc((j->n_rows + 1) * sizeof *weight), list_auc = NAN;
    enum rc rc = value && weight ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu scores", j->n_rows);
    if (!rc)
        rc = write_features(j, &list_auc, e);
    if (!rc)
        rc = write_report(j, list_auc, e);
    if (!rc)
        rc = write_summary(j, value, e);
    if (!rc)
        rc = write_metrics(j, value, weight, e);
    free(value);
    free(weight);
    return rc;
}
