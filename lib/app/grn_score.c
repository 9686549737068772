/* The rows of one truth: simple methods, DeepSEM, DeepSEM with vectors (grn_rules.c, seeds side by
 * side). */
#include <math.h>
#include <stdlib.h>

#include "lib/app/grn_infer.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/io/metrics_tsv.h"

enum rc grn_rows_add(struct grn_rows *rows, const char *method, const char *variant,
                     const char *split, uint64_t seed, const struct grn_mark *m, double chosen,
                     struct err *e)
{
    if (rows->n == rows->room) {
        const size_t room = 2 * rows->room + 64;
        struct grn_row *more = realloc(rows->row, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu rows", room);
        rows->row = more;
        rows->room = room;
    }
    struct grn_row *r = &rows->row[rows->n++];
    *r = (struct grn_row){
        .variant = variant, .split = split, .seed = seed, .mark = *m, .chosen = chosen
    };
    snprintf(r->method, sizeof r->method, "%s", method);
    return RC_OK;
}

static void put(struct outfile *to, const struct grn_truth *t, const struct grn_row *r)
{
    const char *const name[] = { "auprc",           "auprc_ratio",           "auroc",
                                 "early_precision", "early_precision_ratio", "chosen" };
    const double value[] = { r->mark.auprc, r->mark.ratio, r->mark.auroc,
                             r->mark.ep,    r->mark.epr,   r->chosen };
    for (int k = 0; k < 5 + !isnan(r->chosen); k++)
        metrics_tsv_add(to, &(struct metric_row){ "grn", t->name, r->method, r->variant, r->split,
                                                  r->seed, name[k], value[k], r->mark.n });
}

static double correlation(const double *z, size_t n, size_t g, size_t a, size_t b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += z[i * g + a] * z[i * g + b];
    return fabs(sum) / (double)n;
}

enum baseline { PEARSON, SPEARMAN, TREES, OUTDEGREE, RANDOM, N_BASELINES };
static const char *const baseline_name[] = { "pearson", "spearman", "trees", "outdegree",
                                             "random" };

static enum rc fill_baseline(const struct grn_job *j, const struct grn_truth *t, enum baseline kind,
                             uint64_t seed, double *score, struct err *e)
{
    const size_t g = j->x.gene.n, n = j->x.n_cells;
    if (kind == TREES)
        return grn_trees(j, t, seed, score, e);
    for (size_t i = 0; i < t->n_tfs; i++) {
        size_t degree = 0;
        for (size_t k = 0; k < t->n_genes; k++)
            degree += t->edge[i * t->n_genes + k];
        for (size_t k = 0; k < t->n_genes; k++) {
            double *s = &score[i * t->n_genes + k];
            if (t->tf[i] == t->gene[k])
                *s = -1;
            else if (kind == OUTDEGREE)
                *s = (double)degree;
            else if (kind == RANDOM)
                *s = rng_unit(seed, RNG_SAMPLE, t->tf[i], t->gene[k]);
            else
                *s = correlation(kind == SPEARMAN ? j->rank : j->x.x, n, g, t->tf[i], t->gene[k]);
        }
    }
    return RC_OK;
}

/* On all pairs, and on those of the regulators that choose no threshold for a seed. */
static enum rc mark_both(const struct grn_job *j, const struct grn_truth *t, const char *method,
                         const double *score, uint64_t seed, bool all, bool test,
                         struct grn_rows *rows, struct err *e)
{
    struct grn_mark m;
    bool *tune = malloc(t->n_tfs * sizeof *tune);
    enum rc rc = tune ? RC_OK : err_set(e, RC_FAIL, "no memory for regulators");
    if (!rc && all && !(rc = grn_mark(t, score, NULL, false, &m, e)))
        rc = grn_rows_add(rows, method, "clean", "all", seed, &m, NAN, e);
    if (!rc && test && grn_hold_out(t, j->o->tune, seed, tune) &&
        !(rc = grn_mark(t, score, tune, false, &m, e)))
        rc = grn_rows_add(rows, method, "clean", "test", seed, &m, NAN, e);
    free(tune);
    return rc;
}

/* What draws nothing stands once among the rows of all pairs. */
static enum rc baselines(const struct grn_job *j, const struct grn_truth *t, double *score,
                         struct grn_rows *rows, struct err *e)
{
    enum rc rc = RC_OK;
    for (enum baseline kind = 0; !rc && kind < N_BASELINES; kind++) {
        const bool draws = kind == TREES || kind == RANDOM;
        const int64_t n =
            kind == RANDOM && j->o->n_random > j->o->n_seeds ? j->o->n_random : j->o->n_seeds;
        if (kind == TREES && !j->o->n_trees)
            continue;
        for (int64_t i = 0; !rc && i < n; i++) {
            const uint64_t seed = j->o->seed + (uint64_t)i;
            if (!i || draws)
                rc = fill_baseline(j, t, kind, seed, score, e);
            if (!rc)
                rc = mark_both(j, t, baseline_name[kind], score, seed,
                               kind == RANDOM ? i < j->o->n_random : !i || draws, i < j->o->n_seeds,
                               rows, e);
        }
    }
    return rc;
}

/* DeepSEM of one seed, and what the published procedure says of it with vectors. */
static enum rc networks(const struct grn_job *j, size_t truth, size_t i, double *score,
                        struct grn_rows *rows, struct err *e)
{
    const struct grn_truth *t = &j->truth[truth];
    const struct grn_seed *s = &j->seed[i];
    const uint64_t seed = j->o->seed + i;
    grn_take_matrix(t, s->matrix, j->x.gene.n, score);
    for (size_t p = 0; p < t->n_pairs; p++)
        t->mean[p] += score[p] / (double)j->o->n_seeds;
    enum rc rc = mark_both(j, t, "deepsem", score, seed, true, true, rows, e);
    if (!rc)
        rc = grn_rows_add(rows, "deepsem", "as-released", "all", seed, &s->best[truth], NAN, e);
    for (size_t k = 0; !rc && k < j->n_vectors; k++) {
        char method[96];
        snprintf(method, sizeof method, "deepsem+%s+top", j->vectors[k].name);
        rc = grn_rows_add(rows, method, "as-released", "all", seed,
                          &s->best_top[truth * j->n_vectors + k], NAN, e);
    }
    return rc;
}

struct truth_run {
    const struct grn_job *j;
    size_t truth;
    double *score;         /* [pairs] */
    struct grn_rows *rows; /* [seeds] */
    struct err *e;         /* [seeds] */
};

static void integrate_seed(void *ctx, size_t i, int worker)
{
    const struct truth_run *r = ctx;
    (void)worker;
    grn_integrate(r->j, r->truth, &r->j->seed[i], r->j->o->seed + i, &r->rows[i], &r->e[i]);
}

enum rc grn_score_truth(const struct grn_job *j, size_t truth, struct outfile *to, struct err *e)
{
    const struct grn_truth *t = &j->truth[truth];
    const size_t n = (size_t)j->o->n_seeds;
    struct grn_rows first = { 0 };
    struct truth_run r = { .j = j, .truth = truth };
    r.score = malloc(t->n_pairs * sizeof *r.score);
    r.rows = calloc(n + 1, sizeof *r.rows);
    r.e = calloc(n + 1, sizeof *r.e);
    enum rc rc = r.score && r.rows && r.e ? RC_OK : err_set(e, RC_FAIL, "no memory for scores");
    if (!rc)
        rc = baselines(j, t, r.score, &first, e);
    for (size_t i = 0; !rc && i < n; i++)
        rc = networks(j, truth, i, r.score, &first, e);
    if (!rc)
        threads_for(n, integrate_seed, &r);
    for (size_t i = 0; !rc && i < n; i++)
        if (r.e[i].rc) {
            *e = r.e[i];
            rc = e->rc;
        }
    for (size_t i = 0; !rc && i < first.n; i++)
        put(to, t, &first.row[i]);
    for (size_t i = 0; r.rows && i < n; i++) {
        for (size_t k = 0; !rc && k < r.rows[i].n; k++)
            put(to, t, &r.rows[i].row[k]);
        free(r.rows[i].row);
    }
    free(first.row);
    free(r.score);
    free(r.rows);
    free(r.e);
    return rc;
}
