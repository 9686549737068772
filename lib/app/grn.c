/* grn -> prepare, grn_truths_read, grn_vectors_read; run_seeds: one_seed side by side, each scoring
 * every pass; then truth by truth: baselines, DeepSEM, and DeepSEM with vectors (grn_vectors.c). */
#include "lib/app/grn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/grn_expression.h"
#include "lib/app/grn_infer.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/deepsem_fit.h"
#include "lib/nn/metrics_stat.h"

/* ---- inputs ---- */

/* z of every gene by its population SD; a constant gene is 0 everywhere. Returns how many are. */
static size_t standardise(double *x, size_t n, size_t g)
{
    size_t n_constant = 0;
    for (size_t j = 0; j < g; j++) {
        double mean = 0, var = 0;
        bool constant = true;
        for (size_t i = 0; i < n; i++) {
            mean += x[i * g + j] / (double)n;
            constant = constant && x[i * g + j] == x[j];
        }
        for (size_t i = 0; i < n; i++)
            var += (x[i * g + j] - mean) * (x[i * g + j] - mean) / (double)n;
        for (size_t i = 0; i < n; i++)
            x[i * g + j] = constant ? 0 : (x[i * g + j] - mean) / sqrt(var);
        n_constant += constant;
    }
    return n_constant;
}

static enum rc prepare(struct grn_job *j, struct err *e)
{
    const size_t n = j->x.n_cells, g = j->x.gene.n;
    double *one = malloc(2 * n * sizeof *one);
    j->rank = malloc(n * g * sizeof *j->rank);
    enum rc rc = one && j->rank ? RC_OK : err_set(e, RC_FAIL, "no memory for ranks");
    if (!rc && (n < 3 || g < 2))
        rc = err_set(e, RC_INPUT, "'%s' has %zu cells of %zu genes: too few", j->o->expression, n,
                     g);
    for (size_t k = 0; !rc && k < g; k++) {
        for (size_t i = 0; i < n; i++)
            one[i] = j->x.x[i * g + k];
        rc = ranks_of(one, n, one + n, NULL, e);
        for (size_t i = 0; i < n; i++)
            j->rank[i * g + k] = one[n + i];
    }
    free(one);
    if (rc)
        return rc;
    standardise(j->rank, n, g);
    const size_t n_constant = standardise(j->x.x, n, g);
    if (n_constant)
        log_warn("%zu of %zu genes are the same in all cells: their correlations count as 0",
                 n_constant, g);
    return RC_OK;
}

/* ---- training ---- */

struct seed_run {
    const struct grn_job *j;
    struct grn_seed *s;
    struct err e;
    enum rc rc;
};

/* Scores of a pass; the better ones are kept, too. */
static enum rc mark_pass(struct seed_run *r, size_t k, bool first, const double *matrix,
                         double *score, struct err *e)
{
    const struct grn_job *j = r->j;
    const struct grn_truth *t = &j->truth[k];
    struct grn_mark m;
    grn_take_matrix(t, matrix, j->x.gene.n, score);
    enum rc rc = grn_mark(t, score, NULL, false, &r->s->last[k], e);
    if (!rc && (first || r->s->last[k].auprc > r->s->best[k].auprc))
        r->s->best[k] = r->s->last[k];
    for (size_t i = 0; !rc && i < j->n_vectors; i++) {
        struct grn_mark *best = &r->s->best_top[k * j->n_vectors + i];
        grn_rule(t, &j->vectors[i], NULL, j->vectors[i].top, score, score + t->n_pairs);
        rc = grn_mark(t, score + t->n_pairs, NULL, false, &m, e);
        if (!rc && (first || m.auprc > best->auprc))
            *best = m;
    }
    return rc;
}

static enum rc after_pass(void *ctx, size_t pass, double loss, const double *matrix, struct err *e)
{
    struct seed_run *r = ctx;
    const size_t g = r->j->x.gene.n;
    enum rc rc = RC_OK;
    (void)loss;
    for (size_t k = 0; !rc && k < r->j->n_truths; k++) {
        double *score = malloc(2 * r->j->truth[k].n_pairs * sizeof *score);
        rc = score ? mark_pass(r, k, pass == 1, matrix, score, e)
                   : err_set(e, RC_FAIL, "no memory for scores");
        free(score);
    }
    memcpy(r->s->matrix, matrix, g * g * sizeof *matrix);
    return rc;
}

static void one_seed(void *ctx, size_t i, int worker)
{
    struct seed_run *r = (struct seed_run *)ctx + i;
    const struct grn_job *j = r->j;
    const size_t g = j->x.gene.n;
    const struct deepsem_config c = { g, (size_t)j->o->width, 100, 1 };
    struct deepsem_options o = deepsem_defaults();
    struct deepsem m;
    (void)worker;
    o.n_passes = (size_t)j->o->n_passes;
    o.seed = j->o->seed + i;
    o.after = after_pass;
    o.ctx = r;
    r->s->last = calloc(j->n_truths, sizeof *r->s->last);
    r->s->best = calloc(j->n_truths, sizeof *r->s->best);
    r->s->best_top = calloc(j->n_truths * j->n_vectors, sizeof *r->s->best_top);
    r->s->matrix = calloc(g * g, sizeof *r->s->matrix);
    r->rc = r->s->last && r->s->best && r->s->best_top && r->s->matrix
                ? deepsem_init(&m, &c, &backend_ref, true, &r->e)
                : err_set(&r->e, RC_FAIL, "no memory for a seed");
    if (r->rc)
        return;
    r->rc = deepsem_fit(&m, j->x.x, j->x.n_cells, &o, &r->e);
    deepsem_release(&m);
}

static enum rc run_seeds(struct grn_job *j, struct err *e)
{
    const size_t n = (size_t)j->o->n_seeds;
    struct seed_run *run = calloc(n + 1, sizeof *run);
    j->seed = calloc(n + 1, sizeof *j->seed);
    enum rc rc = run && j->seed ? RC_OK : err_set(e, RC_FAIL, "no memory for seeds");
    for (size_t i = 0; !rc && i < n; i++)
        run[i] = (struct seed_run){ .j = j, .s = &j->seed[i] };
    if (!rc)
        threads_for(n, one_seed, run);
    for (size_t i = 0; !rc && i < n; i++)
        if (run[i].rc) {
            *e = run[i].e;
            rc = err_wrap(e, "seed %zu", (size_t)j->o->seed + i);
        }
    free(run);
    return rc;
}

/* ---- the table ---- */

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

static enum rc one_truth(const struct grn_job *j, size_t truth, struct outfile *to, struct err *e)
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

static enum rc write_predictions(const struct grn_job *j, const char *path, struct err *e)
{
    struct outfile f;
    enum rc rc = outfile_open(&f, path, e);
    if (rc)
        return rc;
    fprintf(f.f, "dataset\ttf\tgene\tedge\tdeepsem\n");
    for (size_t k = 0; k < j->n_truths; k++) {
        const struct grn_truth *t = &j->truth[k];
        for (size_t i = 0; i < t->n_tfs * t->n_genes; i++)
            fprintf(f.f, "%s\t%s\t%s\t%d\t%.9g\n", t->name, j->x.gene.at[t->tf[i / t->n_genes]],
                    j->x.gene.at[t->gene[i % t->n_genes]], t->edge[i], t->mean[i]);
    }
    return outfile_commit(&f, e);
}

/* How alike each set of vectors is, which decides what the rules do. */
static void put_vectors(const struct grn_job *j, struct outfile *to)
{
    static const char *const name[] = { "genes",     "cosine_mean", "cosine_sd",   "cosine_least",
                                        "top_pairs", "top_cosine",  "share_cosine" };
    for (size_t k = 0; k < j->n_vectors; k++) {
        const struct grn_vectors *v = &j->vectors[k];
        const double value[] = { (double)v->n,     v->mean, v->sd,   v->least,
                                 (double)v->n_top, v->top,  v->share };
        for (size_t i = 0; i < sizeof name / sizeof *name; i++)
            metrics_tsv_add(to, &(struct metric_row){ "grn", "vectors", v->name, "clean", "vectors",
                                                      j->o->seed, name[i], value[i], v->n });
    }
}

static void release(struct grn_job *j)
{
    for (size_t k = 0; k < j->n_truths; k++)
        grn_truth_release(&j->truth[k]);
    for (size_t k = 0; k < j->n_vectors; k++)
        grn_vectors_release(&j->vectors[k]);
    for (int64_t i = 0; j->seed && i < j->o->n_seeds; i++) {
        free(j->seed[i].last);
        free(j->seed[i].best);
        free(j->seed[i].best_top);
        free(j->seed[i].matrix);
    }
    free(j->truth);
    free(j->vectors);
    free(j->seed);
    free(j->rank);
    expression_release(&j->x);
}

enum rc grn(const struct grn_options *o, struct err *e)
{
    struct grn_job j = { .o = o };
    struct outfile to = { 0 };
    char *metrics = text_new("%s/metrics.tsv", o->out),
         *predictions = text_new("%s/predictions.tsv", o->out);
    enum rc rc = metrics && predictions
                     ? grn_expression_read(o->expression, o->cells_in_rows, &o->truths, &j.x, e)
                     : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = prepare(&j, e);
    if (!rc)
        rc = grn_truths_read(&j, e);
    if (!rc)
        rc = grn_vectors_read(&j, e);
    if (!rc)
        rc = metrics_tsv_open(&to, metrics, e);
    if (!rc)
        rc = run_seeds(&j, e);
    for (size_t k = 0; !rc && k < j.n_truths; k++)
        rc = one_truth(&j, k, &to, e);
    if (!rc)
        put_vectors(&j, &to);
    if (!rc)
        rc = write_predictions(&j, predictions, e);
    rc = outfile_close(&to, rc, e);
    release(&j);
    free(metrics);
    free(predictions);
    return rc;
}
