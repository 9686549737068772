/* The tables of dose evaluate. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/dose_parts.h"
#include "lib/base/log.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/metrics_spread.h"

enum rc dose_row_add(struct dose_job *j, const struct dose_row *r, struct err *e)
{
    if (j->n_rows == j->room) {
        const size_t room = 2 * j->room + 256;
        struct dose_row *more = realloc(j->row, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu scores", room);
        j->row = more;
        j->room = room;
    }
    j->row[j->n_rows++] = *r;
    return RC_OK;
}

static const char *variant(const struct dose_job *j, size_t method)
{
    return j->released[method] ? "as-released" : "clean";
}

static void put_conditions(const struct dose_job *j, FILE *f)
{
    const struct dose_set *s = &j->in.set;
    fputs("dataset\tmethod\tvariant\tseed\tsplit\tcell_type\tdrug\tdose\tn_cells", f);
    for (int m = 0; m < DOSE_N_METRICS; m++)
        fprintf(f, "\t%s", dose_metric_name[m]);
    putc('\n', f);
    for (size_t i = 0; i < j->n_rows; i++) {
        const struct dose_row *r = &j->row[i];
        const struct dose_condition *c = &s->condition[r->condition];
        field_put(j->o->dataset, f);
        fprintf(f, "\t%s\t%s\t%" PRIu64 "\t%s\t", j->method[r->method], variant(j, r->method),
                j->o->seed + r->seed, dose_scored_name[r->scored]);
        field_put(s->type[c->type], f);
        putc('\t', f);
        field_put(s->drug[c->drug], f);
        fprintf(f, "\t%.9g\t%zu", c->dose, r->n_cells);
        for (int m = 0; m < DOSE_N_METRICS; m++) {
            char text[32];
            metric_text(r->score[m], text);
            fprintf(f, "\t%s", text);
        }
        putc('\n', f);
    }
}

/* Mean over the conditions of a seed; NaN without any. */
static double on_seed(const struct dose_job *j, size_t method, size_t scored, size_t seed,
                      int metric, size_t *n)
{
    double sum = 0;
    *n = 0;
    for (size_t i = 0; i < j->n_rows; i++) {
        const struct dose_row *r = &j->row[i];
        if (r->method != method || r->scored != scored || r->seed != seed)
            continue;
        sum += r->score[metric];
        (*n)++;
    }
    return *n ? sum / (double)*n : NAN;
}

static bool has(const struct dose_job *j, int metric)
{
    return metric != DOSE_PEARSON_TRUTH || j->in.truth.n;
}

static void put_metrics(const struct dose_job *j, struct outfile *o)
{
    for (size_t k = 0; k < j->n_methods; k++)
        for (size_t scored = 0; scored < DOSE_SCORED; scored++)
            for (int m = 0; m < DOSE_N_METRICS; m++)
                for (size_t seed = 0; has(j, m) && seed < (size_t)j->o->n_seeds; seed++) {
                    size_t n;
                    const double x = on_seed(j, k, scored, seed, m, &n);
                    if (n)
                        metrics_tsv_add(o, &(struct metric_row){
                                               "dose", j->o->dataset, j->method[k], variant(j, k),
                                               dose_scored_name[scored], j->o->seed + seed,
                                               dose_metric_name[m], x, n });
                }
}

static enum rc put_comparisons(const struct dose_job *j, FILE *f, struct err *e)
{
    double *off = malloc(((size_t)j->o->n_seeds + 1) * sizeof *off);
    if (!off)
        return err_set(e, RC_FAIL, "no memory for comparisons");
    fputs("dataset\tsplit\tmetric\tmethod\tvariant\tagainst\tagainst_variant\tn_seeds\tmean_"
          "difference\tci95\n",
          f);
    for (size_t a = 1; a < j->n_methods; a++)
        for (size_t b = 0; b < a; b++)
            for (size_t scored = 0; scored < DOSE_SCORED; scored++)
                for (int m = 0; m < DOSE_N_METRICS; m++) {
                    char mean[32], width[32];
                    size_t n = 0, n_a, n_b;
                    for (size_t seed = 0; has(j, m) && seed < (size_t)j->o->n_seeds; seed++) {
                        const double x = on_seed(j, a, scored, seed, m, &n_a),
                                     y = on_seed(j, b, scored, seed, m, &n_b);
                        if (n_a && n_b)
                            off[n++] = x - y;
                    }
                    if (!n)
                        continue;
                    metric_text(mean_of(off, n), mean);
                    metric_text(mean_ci95(off, n), width);
                    field_put(j->o->dataset, f);
                    fprintf(f, "\t%s\t%s\t%s\t%s\t%s\t%s\t%zu\t%s\t%s\n", dose_scored_name[scored],
                            dose_metric_name[m], j->method[a], variant(j, a), j->method[b],
                            variant(j, b), n, mean, width);
                }
    free(off);
    return RC_OK;
}

/* ---- spread ---- */

void dose_spread_head(const char *lead, FILE *f)
{
    fprintf(f,
            "%s\tn\tsd\tsd_against\tvariance_ratio\tf_p\tbrown_forsythe\tbrown_forsythe_p\t"
            "pitman_morgan_r\tpitman_morgan_p\tmean_difference\tpaired_t_p\n",
            lead);
}

enum rc dose_spread_put(const double *a, const double *b, size_t n, FILE *f, struct err *e)
{
    struct test_result levene, pairs;
    const struct test_result ratio = variance_ratio(a, n, b, n), t = paired_t(a, b, n);
    enum rc rc = brown_forsythe(a, n, b, n, &levene, e);
    if (!rc)
        rc = pitman_morgan(a, b, n, &pairs, e);
    if (rc)
        return rc;
    const double number[] = { sqrt(variance_of(a, n, 1)),
                              sqrt(variance_of(b, n, 1)),
                              ratio.statistic,
                              ratio.p,
                              levene.statistic,
                              levene.p,
                              pairs.statistic,
                              pairs.p,
                              mean_of(a, n) - mean_of(b, n),
                              t.p };
    fprintf(f, "\t%zu", n);
    for (size_t k = 0; k < sizeof number / sizeof *number; k++) {
        char text[32];
        metric_text(number[k], text);
        fprintf(f, "\t%s", text);
    }
    putc('\n', f);
    return RC_OK;
}

/* Of every condition the mean over seeds; to [n_conditions], returns how many. */
static size_t over_seeds(const struct dose_job *j, size_t method, size_t scored, int metric,
                         double *to)
{
    size_t n = 0;
    for (size_t c = 0; c < j->in.set.n_conditions; c++) {
        double sum = 0;
        size_t times = 0;
        for (size_t i = 0; i < j->n_rows; i++) {
            const struct dose_row *r = &j->row[i];
            if (r->method != method || r->scored != scored || r->condition != c)
                continue;
            sum += r->score[metric];
            times++;
        }
        if (times)
            to[n++] = sum / (double)times;
    }
    return n;
}

static enum rc put_spread(const struct dose_job *j, FILE *f, struct err *e)
{
    const size_t room = j->in.set.n_conditions;
    double *a = malloc((2 * room + 1) * sizeof *a), *b = a ? a + room : NULL;
    enum rc rc = a ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu conditions", room);
    dose_spread_head("dataset\tsplit\tmetric\tmethod\tvariant\tagainst\tagainst_variant", f);
    for (size_t k = 1; !rc && k < j->n_methods; k++)
        for (size_t l = 0; !rc && l < k; l++)
            for (size_t scored = 0; !rc && scored < DOSE_SCORED; scored++)
                for (int m = 0; !rc && m <= DOSE_R2_VAR_DE; m++) {
                    const size_t n = over_seeds(j, k, scored, m, a);
                    if (!n)
                        continue;
                    over_seeds(j, l, scored, m, b);
                    field_put(j->o->dataset, f);
                    fprintf(f, "\t%s\t%s\t%s\t%s\t%s\t%s", dose_scored_name[scored],
                            dose_metric_name[m], j->method[k], variant(j, k), j->method[l],
                            variant(j, l));
                    rc = dose_spread_put(a, b, n, f, e);
                }
    free(a);
    return rc;
}

static void tell(const struct dose_job *j)
{
    for (size_t k = 0; k < j->n_methods; k++) {
        double sum[2] = { 0 };
        size_t n;
        for (size_t seed = 0; seed < (size_t)j->o->n_seeds; seed++) {
            sum[0] += on_seed(j, k, 2, seed, DOSE_R2_MEAN_DE, &n) / (double)j->o->n_seeds;
            sum[1] += on_seed(j, k, 2, seed, DOSE_PEARSON_CHANGE_DE, &n) / (double)j->o->n_seeds;
        }
        log_say("%-16s %-11s held-out dose: R2 of the changed genes %.4f, of their changes r %.4f",
                j->method[k], variant(j, k), sum[0], sum[1]);
    }
}

enum rc dose_tables_write(const struct dose_job *j, struct err *e)
{
    static const char *const name[] = { "metrics", "conditions", "comparisons", "spread" };
    struct outfile f[4] = { { 0 } };
    enum rc rc = RC_OK;
    for (int k = 0; !rc && k < 4; k++) {
        char *path = text_new("%s/%s.tsv", j->o->out, name[k]);
        rc = !path ? err_set(e, RC_FAIL, "no memory for a path")
             : k   ? outfile_open(&f[k], path, e)
                   : metrics_tsv_open(&f[k], path, e);
        free(path);
    }
    if (!rc) {
        put_metrics(j, &f[0]);
        put_conditions(j, f[1].f);
        rc = put_comparisons(j, f[2].f, e);
    }
    if (!rc)
        rc = put_spread(j, f[3].f, e);
    if (!rc)
        tell(j);
    for (int k = 0; k < 4; k++)
        if (f[k].f)
            rc = outfile_close(&f[k], rc, e);
    return rc;
}
