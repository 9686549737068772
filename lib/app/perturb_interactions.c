#include "lib/app/perturb_interactions.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/io/lines.h"
#include "lib/io/metrics_tsv.h"
#include "lib/io/number.h"
#include "lib/io/pair_table.h"
#include "lib/nn/metrics_stat.h"
#include "lib/nn/pair_effects.h"

enum class { ALL, SYNERGISTIC, NEAR, BUFFERING, N_CLASSES };
static const char *const class_name[N_CLASSES] = { "test", "synergistic", "near-additive",
                                                   "buffering" };
enum { ADDITIVE, MEAN, WITH_ITSELF, SINGLES, N_METHODS };
static const char *const method_name[N_METHODS] = { "additive", "train-mean",
                                                    "genes-with-themselves", "additive-singles" };

enum { SUM, WEIGHTED, STRONGER, N_FITS };
static const char *const fit_name[N_FITS] = { "additive", "weighted-sum", "stronger-single" };

struct job {
    const struct interaction_options *o;
    struct pair_table pairs, scores;
    size_t *score_of;              /* [genes of pairs] gene of scores, SIZE_MAX: none */
    double limit;                  /* of a score */
    double *single;                /* [genes] NaN: none */
    double *said[N_METHODS];       /* [genes, genes]; NULL: the method is not asked */
    double fit[N_CLASSES][N_FITS]; /* sums over the pairs of a class */
    size_t n_fits[N_CLASSES];
    struct outfile predictions, metrics;
};

/* ---- inputs ---- */

/* The spread of all scores of two different genes. */
static double spread(const struct pair_table *t)
{
    double *x = malloc((t->gene.n * t->gene.n + 1) * sizeof *x);
    size_t n = 0;
    for (size_t a = 0; x && a < t->gene.n; a++)
        for (size_t b = 0; b < a; b++)
            if (!isnan(pair_table_get(t, a, b)))
                x[n++] = pair_table_get(t, a, b);
    const double sd = x ? sqrt(variance_of(x, n, 1)) : NAN;
    free(x);
    return sd;
}

static enum rc read_scores(struct job *j, struct err *e)
{
    const size_t n = j->pairs.gene.n;
    size_t found = 0;
    enum rc rc = pair_table_read(&j->scores, j->o->scores, e);
    if (rc)
        return rc;
    if (!(j->score_of = malloc((n + 1) * sizeof *j->score_of)))
        return err_set(e, RC_FAIL, "no memory for %zu genes", n);
    for (size_t i = 0; i < n; i++) {
        const uint64_t at = map_get(&j->scores.gene.map, j->pairs.gene.at[i]);
        j->score_of[i] = at == MAP_NONE ? SIZE_MAX : (size_t)at;
        found += at != MAP_NONE;
    }
    j->limit = j->o->strong * spread(&j->scores);
    if (found < 2 || !(j->limit > 0))
        return err_set(e, RC_INPUT, "'%s' scores no pair of these genes", j->o->scores);
    return RC_OK;
}

static const struct column *either(const struct table *t, const char *a, const char *b)
{
    const struct column *c = table_find(t, a);
    return c ? c : table_find(t, b);
}

/* Genes that the table of pairs lacks are passed over: negative controls stand there, too. */
static enum rc read_singles(struct job *j, struct err *e)
{
    const size_t n = j->pairs.gene.n;
    struct table t;
    size_t found = 0;
    enum rc rc = tsv_read(j->o->singles, 0, &t, e);
    if (rc)
        return rc;
    const struct column *gene = either(&t, "gene", "guide_target"),
                        *fitness = either(&t, "fitness", "chosen_guide_fitness");
    if (!gene || !fitness)
        rc = err_set(e, RC_INPUT, "'%s' has no columns gene, fitness", j->o->singles);
    if (!rc && !(j->single = malloc((n + 1) * sizeof *j->single)))
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", n);
    for (size_t i = 0; !rc && i < n; i++)
        j->single[i] = NAN;
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        const uint64_t at = gene->text[i] ? map_get(&j->pairs.gene.map, gene->text[i]) : MAP_NONE;
        const char *text = fitness->text[i];
        if (at == MAP_NONE || !text || !*text)
            continue;
        if (!isnan(j->single[at]))
            rc = err_set(e, RC_INPUT, "'%s': gene '%s' stands there twice", j->o->singles,
                         gene->text[i]);
        else if (!number_parse(text, &j->single[at]) || isinf(j->single[at]))
            rc = err_set(e, RC_INPUT, "'%s': fitness '%.40s' of gene '%s' is no number",
                         j->o->singles, text, gene->text[i]);
        found++;
    }
    if (!rc && found < 2)
        rc = err_set(e, RC_INPUT, "'%s' has no fitness of these genes", j->o->singles);
    table_release(&t);
    return rc;
}

/* ---- predictions ---- */

/* The mean of all pairs but the one. */
static void say_mean(const struct pair_table *t, double *to)
{
    const size_t n = t->gene.n;
    double sum = 0, n_pairs = 0;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < a; b++)
            if (!isnan(t->x[a * n + b])) {
                sum += t->x[a * n + b];
                n_pairs++;
            }
    for (size_t i = 0; i < n * n; i++)
        to[i] = n_pairs > 1 ? (sum - t->x[i]) / (n_pairs - 1) : NAN;
}

static enum rc say_all(struct job *j, struct err *e)
{
    const size_t n = j->pairs.gene.n;
    double *effect = malloc((n + 1) * sizeof *effect);
    enum rc rc = effect ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", n);
    for (int m = 0; !rc && m < N_METHODS; m++)
        if ((m != SINGLES || j->single) && !(j->said[m] = malloc((n * n + 1) * sizeof *j->said[m])))
            rc = err_set(e, RC_FAIL, "no memory for pairs of %zu genes", n);
    if (!rc && (rc = pair_effects(j->pairs.x, n, effect, j->said[ADDITIVE], e)))
        err_wrap(e, "'%s'", j->o->pairs);
    if (!rc)
        say_mean(&j->pairs, j->said[MEAN]);
    for (size_t a = 0; !rc && a < n; a++)
        for (size_t b = 0; b < n; b++) {
            j->said[WITH_ITSELF][a * n + b] =
                (pair_table_get(&j->pairs, a, a) + pair_table_get(&j->pairs, b, b)) / 2;
            if (j->single)
                j->said[SINGLES][a * n + b] = j->single[a] + j->single[b];
        }
    free(effect);
    return rc;
}

static enum class class_by(const struct job *j, double score) {
    return isnan(score)        ? ALL
           : score < -j->limit ? SYNERGISTIC
           : score > j->limit  ? BUFFERING
                               : NEAR;
}

/* NaN where there is none. */
static double score_of(const struct job *j, size_t a, size_t b)
{
    if (!j->score_of || j->score_of[a] == SIZE_MAX || j->score_of[b] == SIZE_MAX)
        return NAN;
    return pair_table_get(&j->scores, j->score_of[a], j->score_of[b]);
}

/* ---- tables ---- */

static void put_metric(struct job *j, const char *method, const char *split, const char *metric,
                       double value, size_t n)
{
    metrics_tsv_add(&j->metrics,
                    &(struct metric_row){ "perturb-predict", j->o->dataset, method, "clean", split,
                                          j->o->seed, metric, value, n });
}

/* Pairs of one class that the method says something of, and of which something is known. */
struct sample {
    double *truth, *said, *off, *score; /* [n] */
    size_t n, n_scored;                 /* off, score: of those with a score */
};

static void put_prediction(struct job *j, int m, size_t a, size_t b, double truth, double said)
{
    FILE *f = j->predictions.f;
    char x[32], y[32];
    metric_text(truth, x);
    metric_text(said, y);
    field_put(j->o->dataset, f);
    putc('\t', f);
    field_put(j->pairs.gene.at[a], f);
    putc('+', f);
    field_put(j->pairs.gene.at[b], f);
    fprintf(f, "\t%s\t%s\t%s\t%s\ttest\t%" PRIu64 "\n", class_name[class_by(j, score_of(j, a, b))],
            method_name[m], x, y, j->o->seed);
}

static void gather(struct job *j, int m, enum class class, struct sample *s)
{
    const size_t n = j->pairs.gene.n;
    s->n = s->n_scored = 0;
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++) {
            const double truth = pair_table_get(&j->pairs, a, b), said = j->said[m][a * n + b],
                         score = score_of(j, a, b);
            if (isnan(truth) || isnan(said) || (class != ALL && class_by(j, score) != class))
                continue;
            if (class == ALL)
                put_prediction(j, m, a, b, truth, said);
            s->truth[s->n] = truth;
            s->said[s->n++] = said;
            if (isnan(score))
                continue;
            s->off[s->n_scored] = truth - said;
            s->score[s->n_scored++] = score;
        }
}

static enum rc measure(struct job *j, int m, enum class class, struct sample *s, struct err *e)
{
    struct test_result rho = { 0 }, found = { 0 };
    gather(j, m, class, s);
    if (!s->n)
        return RC_OK;
    enum rc rc = spearman(s->said, s->truth, s->n, &rho, e);
    if (!rc && s->n_scored)
        rc = spearman(s->off, s->score, s->n_scored, &found, e);
    if (rc)
        return rc;
    const char *method = method_name[m], *split = class_name[class];
    const double r = m == MEAN ? NAN : pearson(s->said, s->truth, s->n).statistic,
                 rmse = sqrt(mean_squared_error(s->said, s->truth, s->n));
    /* The mean without the pair falls as the pair's number rises: -1, and says nothing. */
    if (m != MEAN) {
        put_metric(j, method, split, "pearson", r, s->n);
        put_metric(j, method, split, "spearman", rho.statistic, s->n);
    }
    put_metric(j, method, split, "rmse", rmse, s->n);
    put_metric(j, method, split, "bias", mean_of(s->said, s->n) - mean_of(s->truth, s->n), s->n);
    if (s->n_scored)
        put_metric(j, method, split, "spearman_of_rest_and_score", found.statistic, s->n_scored);
    if (class == ALL)
        log_say("%-22s pearson %.3f, rmse %.4f over %zu pairs", method, r, rmse, s->n);
    return RC_OK;
}

static enum rc measure_all(struct job *j, struct err *e)
{
    const size_t room = j->pairs.gene.n * j->pairs.gene.n + 1;
    double *x = malloc(4 * room * sizeof *x);
    struct sample s = { x, x + room, x + 2 * room, x + 3 * room, 0, 0 };
    enum rc rc = x ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu pairs", room);
    for (int m = 0; !rc && m < N_METHODS; m++)
        for (int c = 0; !rc && j->said[m] && c < (j->scores.x ? N_CLASSES : 1); c++)
            rc = measure(j, m, (enum class)c, &s, e);
    free(x);
    return rc;
}

/* ---- fits of expression ---- */

/* The class of a pair named A_B. */
static enum class class_of_name(const struct job *j, const char *name) {
    const char *cut = strchr(name, '_'); char a[256];
    if (!j->scores.x || !cut || (size_t)(cut - name) >= sizeof a) return ALL;
    memcpy(a, name, (size_t)(cut - name));
    a[cut - name] = '\0';
    const uint64_t x = map_get(&j->scores.gene.map, a), y = map_get(&j->scores.gene.map, cut + 1);
    return x == MAP_NONE || y == MAP_NONE ? ALL : class_by(j, pair_table_get(&j->scores, x, y));
}

static enum rc fit_numbers(const struct table *t, size_t row, double to[N_FITS], struct err *e)
{
    static const char *const column[] = { "corr_sum", "corr_fit", "corr_first", "corr_second" };
    double x[4];
    for (int k = 0; k < 4; k++) {
        const char *text = table_find(t, column[k])->text[row];
        if (!text || !number_parse(text, &x[k]) || !(fabs(x[k]) <= 1 + 1e-9))
            return err_set(e, RC_INPUT, "row %zu: %s '%.40s' is no correlation", row + 1, column[k],
                           text ? text : "");
    }
    to[SUM] = x[0];
    to[WEIGHTED] = x[1];
    to[STRONGER] = fmax(x[2], x[3]);
    return RC_OK;
}

static enum rc read_fits(struct job *j, struct err *e)
{
    double x[N_FITS];
    struct table t;
    enum rc rc = tsv_read_need(j->o->fits, "name,corr_sum,corr_fit,corr_first,corr_second", &t, e);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        const char *name = table_find(&t, "name")->text[i];
        const enum class of = class_of_name(j, name ? name : "");
        rc = fit_numbers(&t, i, x, e);
        for (int k = 0; !rc && k < N_FITS; k++) {
            j->fit[ALL][k] += x[k];
            j->fit[of][k] += of != ALL ? x[k] : 0;
        }
        j->n_fits[ALL]++;
        j->n_fits[of] += of != ALL;
    }
    table_release(&t);
    return rc ? err_wrap(e, "'%s'", j->o->fits) : RC_OK;
}

/* Correlation of a pair's change of expression with sums of those of its genes, as the authors give
 * it: means over pairs. */
static void put_fits(struct job *j)
{
    for (int c = 0; c < N_CLASSES; c++)
        for (int k = 0; j->n_fits[c] && k < N_FITS; k++)
            put_metric(j, fit_name[k], class_name[c], "pearson_of_expression",
                       j->fit[c][k] / (double)j->n_fits[c], j->n_fits[c]);
}

/* ---- all of it ---- */

static enum rc run(struct job *j, struct err *e)
{
    enum rc rc = pair_table_read(&j->pairs, j->o->pairs, e);
    if (!rc && j->o->scores)
        rc = read_scores(j, e);
    if (!rc && j->o->singles)
        rc = read_singles(j, e);
    if (!rc && j->o->fits)
        rc = read_fits(j, e);
    if (!rc)
        rc = say_all(j, e);
    if (!rc)
        rc = metrics_tsv_open_beside(&j->predictions, &j->metrics, j->o->out, e);
    if (rc)
        return rc;
    fputs("dataset\tcondition\tclass\tmethod\ttruth\tprediction\tsplit\tseed\n", j->predictions.f);
    rc = measure_all(j, e);
    put_fits(j);
    rc = outfile_close(&j->predictions, rc, e);
    return outfile_close(&j->metrics, rc, e);
}

enum rc perturb_interactions(const struct interaction_options *o, struct err *e)
{
    struct job j = { .o = o };
    const enum rc rc = run(&j, e);
    pair_table_release(&j.pairs);
    pair_table_release(&j.scores);
    free(j.score_of);
    free(j.single);
    for (int m = 0; m < N_METHODS; m++)
        free(j.said[m]);
    return rc;
}
