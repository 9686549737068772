/* profile-drug evaluate: splits over drugs, methods, tables. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/profile_drug_training.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/io/json.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/metrics_stat.h"

enum { N_PRECISIONS = 4, N_METRICS = 3 + 2 * N_PRECISIONS, MAX_METHODS = 16, N_TABLES = 5 };

static const char *const metric_name[N_METRICS] = { "rmse",
                                                    "pearson",
                                                    "spearman",
                                                    "precision_low10",
                                                    "precision_low20",
                                                    "precision_low50",
                                                    "precision_low100",
                                                    "precision_high10",
                                                    "precision_high20",
                                                    "precision_high50",
                                                    "precision_high100" };
static const size_t precision_k[N_PRECISIONS] = { 10, 20, 50, 100 };
enum { PRECISION_OF = 100 }; /* of the lowest and highest labels */

/* Scores of one training (or one simple method) on one split; last: after the last epoch. */
struct value {
    const char *method;
    size_t split;
    bool last;
    double metric[N_METRICS];
    size_t n;
};

struct job {
    const struct profile_options *o;
    struct profile_inputs in;
    enum part *part; /* [signatures] of the split at hand */
    size_t split;
    struct value *value; /* owned */
    size_t n_values, room;
    char print[SHA256_HEX]; /* of the inputs and options */
    struct outfile metrics, runs, comparisons, predictions, splits;
};

static struct outfile *table(struct job *j, int i)
{
    struct outfile *const all[N_TABLES] = { &j->metrics, &j->runs, &j->comparisons, &j->predictions,
                                            &j->splits };
    return all[i];
}

static enum rc open_tables(struct job *j, struct err *e)
{
    static const struct {
        const char *name, *header;
    } t[N_TABLES] = {
        { "metrics", NULL },
        { "runs", "dataset\tmethod\tvariant\tsplit\tsplit_seed\trun\tepoch\tmetric\tvalue\tn\n" },
        { "comparisons", "dataset\tsplit\tmetric\tmethod\tbeside\tsplits\tdifference\tci95\n" },
        { "predictions",
          "sig_id\tdrug\tcell\tdose\tmethod\tvariant\tsplit_seed\trun\trmse\tpearson\n" },
        { "splits", PROFILE_SPLITS_HEADER }
    };
    enum rc rc = folder_make(j->o->out, e);
    for (int i = 0; !rc && i < N_TABLES; i++) {
        char *path = text_new("%s/%s.tsv", j->o->out, t[i].name);
        if (!path)
            rc = err_set(e, RC_FAIL, "no memory for a path");
        else
            rc = t[i].header ? outfile_open(table(j, i), path, e)
                             : metrics_tsv_open(table(j, i), path, e);
        if (!rc && t[i].header)
            fputs(t[i].header, table(j, i)->f);
        free(path);
    }
    return rc;
}

/* ---- scores ---- */

static enum rc score(const double *label, const double *predicted, size_t g, double to[N_METRICS],
                     struct err *e)
{
    struct test_result r = pearson(label, predicted, g);
    to[0] = mean_squared_error(predicted, label, g); /* its root is taken over all entries */
    to[1] = isnan(r.statistic) ? 0 : r.statistic;
    enum rc rc = spearman(label, predicted, g, &r, e);
    to[2] = isnan(r.statistic) ? 0 : r.statistic;
    for (int k = 0; !rc && k < 2 * N_PRECISIONS; k++) {
        to[3 + k] = NAN; /* a chance of more than a half tells nothing */
        if (g >= 2 * PRECISION_OF)
            rc = deepce_precision(label, predicted, g, precision_k[k % N_PRECISIONS], PRECISION_OF,
                                  k < N_PRECISIONS, &to[3 + k], e);
    }
    return rc;
}

static const char *variant(const struct job *j)
{
    return j->o->as_released ? "as-released" : "clean";
}

static enum rc keep(struct job *j, const struct value *v, struct err *e)
{
    if (j->n_values == j->room) {
        j->room = 2 * j->room + 64;
        struct value *more = realloc(j->value, j->room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu scores", j->room);
        j->value = more;
    }
    j->value[j->n_values++] = *v;
    return RC_OK;
}

static enum rc record(struct job *j, const char *method, size_t run, size_t epoch, bool last,
                      const struct mat *predicted, struct err *e)
{
    const struct profile_inputs *in = &j->in;
    struct value v = { .method = method, .split = j->split, .last = last };
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < in->value.n; i++) {
        double one[N_METRICS];
        char rmse[32], r[32];
        if (j->part[i] != PART_TEST)
            continue;
        rc = score(mat_row(&in->value, i), mat_row(predicted, i), in->value.d, one, e);
        for (int m = 0; !rc && m < N_METRICS; m++)
            v.metric[m] += one[m];
        v.n++;
        if (rc || last)
            continue;
        metric_text(sqrt(one[0]), rmse);
        metric_text(one[1], r);
        field_put(in->of[i].id, j->predictions.f);
        fprintf(j->predictions.f, "\t%s\t%s\t%s\t%s\t%s\t%" PRIu64 "\t%zu\t%s\t%s\n",
                in->drugs.id.at[in->of[i].drug], profile_cell[in->of[i].cell],
                profile_dose[in->of[i].dose], method, variant(j), j->o->seed + j->split, run, rmse,
                r);
    }
    for (int m = 0; !rc && m < N_METRICS; m++) {
        char text[32];
        v.metric[m] /= (double)v.n;
        if (m == 0)
            v.metric[m] = sqrt(v.metric[m]);
        metric_text(v.metric[m], text);
        field_put(j->o->dataset, j->runs.f);
        fprintf(j->runs.f, "\t%s\t%s\t%s\t%" PRIu64 "\t%zu\t%zu\t%s\t%s\t%zu\n", method, variant(j),
                last ? "test_last" : "test", j->o->seed + j->split, run, epoch, metric_name[m],
                text, v.n);
    }
    return rc ? rc : keep(j, &v, e);
}

/* ---- methods ---- */

static enum rc simple(struct job *j, struct err *e)
{
    static const char *const method[] = { "train-mean", "cell-dose-mean", "knn", "ridge" };
    enum rc rc = RC_OK;
    for (int k = 0; !rc && k < 4; k++) {
        struct mat x = { 0 };
        rc = k < 2    ? profile_train_mean(&j->in, j->part, k == 1, &x, e)
             : k == 2 ? profile_knn(&j->in, j->part, &x, e)
                      : profile_ridge(&j->in, j->part, &x, e);
        /* No epochs: the same stands for both, so that each split of the table has all methods. */
        for (int last = 0; !rc && last < 2; last++)
            rc = record(j, method[k], 0, 0, last, &x, e);
        mat_release(&x);
    }
    return rc;
}

static char *state_path(const struct job *j, enum profile_variant v, size_t split, size_t s)
{
    return text_new("%s/state-%d-%zu-%zu.safetensors", j->o->out, (int)v, split, s);
}

/* ---- trainings of a split, small ones side by side ---- */

static bool wanted(const struct profile_options *o, enum profile_variant v)
{
    return v == PROFILE_PLAIN || (o->vectors && (v == PROFILE_RELEASED) == o->as_released);
}

struct network {
    const struct job *j;
    enum profile_variant v;
    size_t run;
    struct mat predicted[2]; /* [signatures, genes] by the best epoch, by the last */
    size_t epoch[2];
    enum rc rc;
    struct err err;
};

static void train_one(void *ctx, size_t i, int worker)
{
    struct network *n = (struct network *)ctx + i;
    const struct job *j = n->j;
    struct profile_training t;
    char *path = state_path(j, n->v, j->split, n->run);
    enum rc rc =
        path ? profile_training_init(&t, &j->in, j->o, j->part, n->v, j->o->seed + n->run, &n->err)
             : err_set(&n->err, RC_FAIL, "no memory for a path");
    (void)worker;
    if (!rc) {
        rc = profile_training_run(&t, path, j->print, j->o->seed + j->split, &n->err);
        for (int last = 1; !rc && last >= 0; last--) {
            if (!last)
                profile_training_choose(&t);
            n->epoch[last] = last ? t.n_done : t.best + 1;
            rc = mat_alloc(&n->predicted[last], j->in.value.n, j->in.gene.n, &n->err);
            if (!rc)
                rc = profile_training_predict(&t, PART_TEST, &n->predicted[last], &n->err);
        }
        profile_training_release(&t);
    }
    free(path);
    n->rc = rc;
}

static enum rc record_network(struct job *j, struct network *n, struct err *e)
{
    static const char *const method[] = { "deepce", "deepce+genecompass", "deepce+shuffled",
                                          "deepce+genecompass" };
    enum rc rc = n->rc;
    if (rc)
        *e = n->err;
    for (int last = 1; !rc && last >= 0; last--)
        rc = record(j, method[n->v], n->run, n->epoch[last], last, &n->predicted[last], e);
    if (rc)
        return rc;
    const struct value *now = &j->value[j->n_values - 1];
    log_say("split %zu, %s %zu: epoch %zu, test RMSE %.4g, Pearson %.4g", j->split, method[n->v],
            n->run, n->epoch[0], now->metric[0], now->metric[1]);
    return RC_OK;
}

static enum rc some_networks(struct job *j, struct network *n, size_t count, struct err *e)
{
    enum rc rc = RC_OK;
    if (count == 1)
        train_one(n, 0, 0); /* its own loops run on all workers */
    else
        threads_for(count, train_one, n);
    for (size_t i = 0; i < count; i++) {
        if (!rc)
            rc = record_network(j, &n[i], e);
        mat_release(&n[i].predicted[0]);
        mat_release(&n[i].predicted[1]);
    }
    return rc;
}

/* A large network keeps all workers busy, and has memory to match: one after the other. */
static size_t at_once(const struct job *j)
{
    enum { LARGE = 1 << 18 }; /* numbers of one activation: 2,000,000 in the published network */
    const size_t numbers = (size_t)j->o->batch * j->in.gene.n * (size_t)j->o->width;
    return numbers < LARGE ? (size_t)threads_count() : 1;
}

static enum rc networks(struct job *j, struct err *e)
{
    const size_t most = at_once(j), n_seeds = (size_t)j->o->n_seeds;
    struct network *n = calloc(most, sizeof *n);
    size_t count = 0;
    enum rc rc = n ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu trainings", most);
    for (enum profile_variant v = PROFILE_PLAIN; !rc && v <= PROFILE_RELEASED; v++)
        for (size_t s = 0; !rc && wanted(j->o, v) && s < n_seeds; s++) {
            n[count++] = (struct network){ .j = j, .v = v, .run = s };
            if (count == most) {
                rc = some_networks(j, n, count, e);
                count = 0;
            }
        }
    if (!rc && count)
        rc = some_networks(j, n, count, e);
    free(n);
    return rc;
}

/* Once all is written nothing has to be gone on with. */
static void remove_states(const struct job *j)
{
    for (enum profile_variant v = PROFILE_PLAIN; v <= PROFILE_RELEASED; v++)
        for (size_t i = 0; i < (size_t)(j->o->n_splits * j->o->n_seeds); i++) {
            char *path = state_path(j, v, i / (size_t)j->o->n_seeds, i % (size_t)j->o->n_seeds);
            if (path)
                remove(path);
            free(path);
        }
}

/* ---- over all runs ---- */

/* Mean over the trainings of a method on a split; NaN without one. */
static double on_split(const struct job *j, const char *method, size_t split, bool last, int metric,
                       size_t *n)
{
    double sum = 0;
    size_t times = 0;
    for (size_t i = 0; i < j->n_values; i++) {
        const struct value *v = &j->value[i];
        if (v->split != split || v->last != last || strcmp(v->method, method) != 0)
            continue;
        sum += v->metric[metric];
        times++;
        *n = v->n;
    }
    return times ? sum / (double)times : NAN;
}

static void compare(struct job *j, const char *a, const char *b, bool last, int metric, double *off)
{
    char mean[32], width[32];
    size_t k = 0, n;
    for (size_t s = 0; s < (size_t)j->o->n_splits; s++) {
        const double x = on_split(j, a, s, last, metric, &n),
                     y = on_split(j, b, s, last, metric, &n);
        if (!isnan(x) && !isnan(y))
            off[k++] = x - y;
    }
    if (!k)
        return;
    metric_text(mean_of(off, k), mean);
    metric_text(mean_ci95(off, k), width);
    field_put(j->o->dataset, j->comparisons.f);
    fprintf(j->comparisons.f, "\t%s\t%s\t%s\t%s\t%zu\t%s\t%s\n", last ? "test_last" : "test",
            metric_name[metric], a, b, k, mean, width);
}

static enum rc summarise(struct job *j, struct err *e)
{
    const char *method[MAX_METHODS];
    size_t n = 0, count = 0;
    double *off = malloc(((size_t)j->o->n_splits + 1) * sizeof *off);
    if (!off)
        return err_set(e, RC_FAIL, "no memory for comparisons");
    for (size_t i = 0; i < j->n_values; i++) {
        size_t k = 0;
        while (k < n && strcmp(method[k], j->value[i].method) != 0)
            k++;
        if (k == n && n < MAX_METHODS)
            method[n++] = j->value[i].method;
    }
    for (size_t k = 0; k < n; k++)
        for (int last = 0; last < 2; last++)
            for (int m = 0; m < N_METRICS; m++) {
                for (size_t s = 0; s < (size_t)j->o->n_splits; s++) {
                    const double x = on_split(j, method[k], s, last, m, &count);
                    metrics_tsv_add(&j->metrics, &(struct metric_row){
                                                     "profile-drug", j->o->dataset, method[k],
                                                     variant(j), last ? "test_last" : "test",
                                                     j->o->seed + s, metric_name[m], x, count });
                }
                for (size_t b = 0; b < k; b++)
                    compare(j, method[k], method[b], last, m, off);
            }
    free(off);
    return RC_OK;
}

static enum rc report(const struct job *j, struct err *e)
{
    const struct profile_inputs *in = &j->in;
    if (!j->o->report)
        return RC_OK;
    return json_write(
        j->o->report,
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "drugs",
                  (json_int_t)in->drugs.id.n, "bad_smiles", (json_int_t)in->drugs.n_bad, "rows",
                  (json_int_t)in->n_rows, "filtered", (json_int_t)in->n_filtered, "without_smiles",
                  (json_int_t)in->n_no_drug, "other_replicates", (json_int_t)in->n_replicates,
                  "signatures", (json_int_t)in->value.n, "genes", (json_int_t)in->gene.n,
                  "with_a_vector", (json_int_t)in->n_vectors),
        e);
}

enum rc profile_evaluate(const struct profile_options *o, struct err *e)
{
    struct job j = { .o = o };
    enum rc rc = profile_run_print(o, j.print, e);
    if (!rc)
        rc = profile_inputs_read(&j.in, o, e);
    if (rc)
        return rc;
    j.part = malloc((j.in.value.n + 1) * sizeof *j.part);
    rc = j.part ? open_tables(&j, e) : err_set(e, RC_FAIL, "no memory for a split");
    for (j.split = 0; !rc && j.split < (size_t)o->n_splits; j.split++) {
        rc = profile_split(&j.in, o->seed + j.split, true, j.part, j.splits.f, e);
        if (!rc)
            rc = simple(&j, e);
        if (!rc)
            rc = networks(&j, e);
    }
    if (!rc)
        rc = summarise(&j, e);
    for (int i = 0; i < N_TABLES; i++)
        if (table(&j, i)->f)
            rc = outfile_close(table(&j, i), rc, e);
    if (!rc)
        rc = report(&j, e);
    if (!rc)
        remove_states(&j);
    free(j.value);
    free(j.part);
    profile_inputs_release(&j.in);
    return rc;
}
