/* grn -> prepare, grn_truths_read, grn_vectors_read; run_seeds: one_seed side by side, each scoring
 * every pass; then truth by truth grn_score_truth: baselines, DeepSEM, and DeepSEM with vectors
 * (grn_rules.c). */
#include "lib/app/grn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/grn_expression.h"
#include "lib/app/grn_infer.h"
#include "lib/base/log.h"
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
    if (n_constant == g)
        return err_set(e, RC_INPUT, "'%s': each of %zu genes is the same in all cells",
                       j->o->expression, g);
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

/* ---- the tables ---- */

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
        rc = grn_score_truth(&j, k, &to, e);
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
