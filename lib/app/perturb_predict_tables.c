/* The tables of perturb-predict evaluate. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_predict_parts.h"
#include "lib/base/log.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/metrics_stat.h"

enum { N_TABLES = 5, OF_RUNS = 3 }; /* the first OF_RUNS are worked out of runs alone */

static int n_tables(const struct perturb_job *j)
{
    return j->o->input ? N_TABLES : OF_RUNS;
}

static struct outfile *table(struct perturb_job *j, int i)
{
    struct outfile *const all[N_TABLES] = { &j->metrics, &j->runs, &j->comparisons, &j->predictions,
                                            &j->splits };
    return all[i];
}

static const char runs_head[] =
    "dataset\tmethod\tvariant\tsplit\tsplit_seed\ttraining_seed\tmetric\tvalue\tn\n";
static const char comparisons_head[] =
    "dataset\tsplit\tmetric\tmethod\tagainst\tn_splits\tmean_difference\tci95\n";
static const char splits_head[] = "dataset\tsplit_seed\tcondition\tpart\tclass\tn_cells\n";

static const char *class_word(size_t class)
{
    return class ? gears_class_name((enum gears_class) class) : "test";
}

static const char *variant(const struct perturb_job *j)
{
    return j->o->as_released ? "as-released" : "clean";
}

enum rc predict_tables_open(struct perturb_job *j, struct err *e)
{
    static const char *const name[N_TABLES] = { "metrics", "runs", "comparisons", "predictions",
                                                "splits" };
    static const char *const head[N_TABLES] = { NULL, runs_head, comparisons_head, NULL,
                                                splits_head };
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < n_tables(j); i++) {
        char *path = text_new("%s/%s.tsv", j->o->out, name[i]);
        rc = !path ? err_set(e, RC_FAIL, "no memory for a path")
             : i   ? outfile_open(table(j, i), path, e)
                   : metrics_tsv_open(table(j, i), path, e);
        if (!rc && head[i])
            fputs(head[i], table(j, i)->f);
        free(path);
    }
    if (!rc && j->predictions.f) {
        fputs("dataset\tcondition\tclass\tn_cells\tmethod\tvariant\tsplit_seed\ttraining_seed",
              j->predictions.f);
        for (int m = 0; m < PERTURB_N_METRICS; m++)
            fprintf(j->predictions.f, "\t%s", perturb_metric_name[m]);
        putc('\n', j->predictions.f);
    }
    for (int i = 0; rc && i < n_tables(j); i++)
        outfile_abort(table(j, i));
    j->open = !rc;
    return rc;
}

void perturb_split_write(struct perturb_job *j)
{
    const struct perturb_set *s = &j->in.set;
    for (size_t c = 0; c < s->n_conditions; c++) {
        field_put(j->o->dataset, j->splits.f);
        fprintf(j->splits.f, "\t%" PRIu64 "\t", j->run.split_seed);
        field_put(s->condition[c].name, j->splits.f);
        fprintf(j->splits.f, "\t%s\t%s\t%zu\n",
                j->run.part[c] == PERTURB_NO_PART ? "-" : part_name(j->run.part[c]),
                c == s->control ? "control" : gears_class_name(j->run.class_of[c]),
                s->condition[c].n_cells);
    }
}

/* seed: of the training itself, SIZE_MAX for what draws nothing. */
static void seed_put(size_t seed, FILE *f)
{
    if (seed == SIZE_MAX)
        fputs("-", f);
    else
        fprintf(f, "%zu", seed);
}

static void write_prediction(struct perturb_job *j, const char *method, size_t seed, size_t c,
                             const double *score)
{
    FILE *f = j->predictions.f;
    const struct perturb_condition *k = &j->in.set.condition[c];
    char text[32];
    field_put(j->o->dataset, f);
    putc('\t', f);
    field_put(k->name, f);
    fprintf(f, "\t%s\t%zu\t%s\t%s\t%" PRIu64 "\t", gears_class_name(j->run.class_of[c]), k->n_cells,
            method, variant(j), j->run.split_seed);
    seed_put(seed, f);
    for (int m = 0; m < PERTURB_N_METRICS; m++) {
        metric_text(score[m], text);
        fprintf(f, "\t%s", text);
    }
    putc('\n', f);
}

static enum rc keep_value(struct perturb_job *j, const struct perturb_value *v, struct err *e)
{
    if (j->n_values == j->room) {
        const size_t room = 2 * j->room + 256;
        struct perturb_value *more = realloc(j->value, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu scores", room);
        j->value = more;
        j->room = room;
    }
    j->value[j->n_values++] = *v;
    return RC_OK;
}

static void write_run(struct perturb_job *j, const struct perturb_value *v)
{
    for (int m = 0; m < PERTURB_N_METRICS; m++) {
        char text[32];
        metric_text(v->metric[m], text);
        field_put(j->o->dataset, j->runs.f);
        fprintf(j->runs.f, "\t%s\t%s\t%s\t%" PRIu64 "\t", v->method, variant(j),
                class_word(v->class), j->run.split_seed);
        seed_put(v->seed, j->runs.f);
        fprintf(j->runs.f, "\t%s\t%s\t%zu\n", perturb_metric_name[m], text, v->n);
    }
}

enum rc perturb_keep(struct perturb_job *j, const struct perturb_value *v, struct err *e)
{
    write_run(j, v);
    return keep_value(j, v, e);
}

enum rc perturb_record(struct perturb_job *j, const char *method, size_t seed,
                       const struct mat *predicted, struct err *e)
{
    struct perturb_value sum[PERTURB_CLASSES] = { { 0 } };
    enum rc rc = RC_OK;
    for (size_t c = 0; !rc && c < predicted->n; c++) {
        double score[PERTURB_N_METRICS];
        if (j->run.part[c] != PART_TEST)
            continue;
        rc = perturb_score(&j->in.facts, &j->run.reference, c, mat_row(predicted, c), score, e);
        if (rc)
            break;
        write_prediction(j, method, seed, c, score);
        const size_t into[] = { 0, (size_t)j->run.class_of[c] };
        for (int k = 0; k < 2; k++) {
            sum[into[k]].n++;
            for (int m = 0; m < PERTURB_N_METRICS; m++)
                sum[into[k]].metric[m] += score[m];
        }
    }
    for (size_t k = 0; !rc && k < PERTURB_CLASSES; k++) {
        struct perturb_value *v = &sum[k];
        if (!v->n)
            continue;
        v->method = method;
        v->split = j->run.split;
        v->seed = seed;
        v->class = k;
        for (int m = 0; m < PERTURB_N_METRICS; m++)
            v->metric[m] /= (double)v->n;
        rc = perturb_keep(j, v, e);
    }
    return rc;
}

/* ---- over all runs ---- */

/* Mean over the trainings of a method on a split; NaN without one. */
static double on_split(const struct perturb_job *j, const char *method, size_t split, size_t class,
                       int metric, size_t *n)
{
    double sum = 0;
    size_t times = 0;
    for (size_t i = 0; i < j->n_values; i++) {
        const struct perturb_value *v = &j->value[i];
        if (v->split != split || v->class != class || strcmp(v->method, method) != 0)
            continue;
        sum += v->metric[metric];
        times++;
        *n = v->n;
    }
    return times ? sum / (double)times : NAN;
}

static size_t methods_of(const struct perturb_job *j, const char *method[PERTURB_MAX_METHODS])
{
    size_t n = 0;
    for (size_t i = 0; i < j->n_values; i++) {
        size_t k = 0;
        while (k < n && strcmp(method[k], j->value[i].method) != 0)
            k++;
        if (k == n && n < PERTURB_MAX_METHODS)
            method[n++] = j->value[i].method;
    }
    return n;
}

static void write_metrics(struct perturb_job *j, const char *method)
{
    for (size_t class = 0; class < PERTURB_CLASSES; class ++)
        for (int m = 0; m < PERTURB_N_METRICS; m++)
            for (size_t s = 0; s < (size_t)j->o->n_splits; s++) {
                size_t n = 0;
                const double x = on_split(j, method, s, class, m, &n);
                if (n)
                    metrics_tsv_add(&j->metrics, &(struct metric_row){
                                                     "perturb-predict", j->o->dataset, method,
                                                     variant(j), class_word(class), j->o->seed + s,
                                                     perturb_metric_name[m], x, n });
            }
}

static void write_pair(struct perturb_job *j, const char *a, const char *b, double *off)
{
    for (size_t class = 0; class < PERTURB_CLASSES; class ++)
        for (int m = 0; m < PERTURB_N_METRICS; m++) {
            char mean[32], width[32];
            size_t n = 0, k = 0;
            for (size_t s = 0; s < (size_t)j->o->n_splits; s++) {
                const double x = on_split(j, a, s, class, m, &n),
                             y = on_split(j, b, s, class, m, &n);
                if (!isnan(x) && !isnan(y))
                    off[k++] = x - y;
            }
            if (!k)
                continue;
            metric_text(mean_of(off, k), mean);
            metric_text(mean_ci95(off, k), width);
            field_put(j->o->dataset, j->comparisons.f);
            fprintf(j->comparisons.f, "\t%s\t%s\t%s\t%s\t%zu\t%s\t%s\n", class_word(class),
                    perturb_metric_name[m], a, b, k, mean, width);
        }
}

static enum rc summarise(struct perturb_job *j, struct err *e)
{
    const char *method[PERTURB_MAX_METHODS];
    const size_t n = methods_of(j, method);
    double *off = malloc(((size_t)j->o->n_splits + 1) * sizeof *off);
    if (!off)
        return err_set(e, RC_FAIL, "no memory for comparisons");
    for (size_t k = 0; k < n; k++) {
        size_t cells = 0;
        double sum = 0, x;
        write_metrics(j, method[k]);
        for (size_t b = 0; b < k; b++)
            write_pair(j, method[k], method[b], off);
        for (size_t s = 0; s < (size_t)j->o->n_splits; s++)
            if (x = on_split(j, method[k], s, 0, PERTURB_MSE_TOP20, &cells), !isnan(x))
                sum += x;
        log_say("%-20s mse of the top 20 genes %.4g", method[k], sum / (double)j->o->n_splits);
    }
    free(off);
    return RC_OK;
}

enum rc predict_tables_close(struct perturb_job *j, enum rc rc, struct err *e)
{
    if (j->open && !rc)
        rc = summarise(j, e);
    for (int i = 0; j->open && i < n_tables(j); i++)
        rc = outfile_close(table(j, i), rc, e);
    return rc;
}
