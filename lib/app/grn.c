#include "lib/app/grn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/io/expression.h"
#include "lib/io/metrics_tsv.h"
#include "lib/io/network.h"
#include "lib/nn/deepsem_fit.h"
#include "lib/nn/metrics_rank.h"
#include "lib/nn/metrics_stat.h"

enum { NAMED = 5 }; /* genes that a warning names */

struct truth {
    char *name;                /* owned */
    uint32_t *tf, *gene;       /* columns of the expression, by name */
    size_t n_tfs, n_genes, n_edges;
    bool *edge;                /* [n_tfs, n_genes] */
    double *mean;              /* the same: |A| over seeds */
};

struct scores {
    double auprc, ratio, auroc, ep, epr;
};

struct job {
    const struct grn_options *o;
    struct expression x;
    double *rank; /* [cells, genes] z-scored ranks; x.x is z-scored too */
    struct truth *truth;
    size_t n_truths;
    struct seed_run *run;
    struct outfile metrics;
};

/* One seed; scores of the truths at the last pass and at the pass of the best AUPRC. */
struct seed_run {
    const struct job *j;
    struct scores *last, *best;
    double *matrix; /* |A| of the last pass */
    struct err e;
    enum rc rc;
};

/* ---- inputs ---- */

static const struct expression *sorted_by;
static int by_name(const void *a, const void *b)
{
    return strcmp(sorted_by->gene.at[*(const uint32_t *)a],
                  sorted_by->gene.at[*(const uint32_t *)b]);
}

static uint32_t place_in(const uint32_t *list, size_t n, uint32_t x)
{
    uint32_t i = 0;
    while (i < n && list[i] != x)
        i++;
    return i;
}

static void tell_missing(const char *name, const struct network *net, const uint64_t *column)
{
    char text[256] = "";
    size_t n = 0, used = 0;
    for (size_t i = 0; i < net->gene.n; i++)
        if (column[i] == MAP_NONE && n++ < NAMED) {
            const int k = snprintf(text + used, sizeof text - used, " %s", net->gene.at[i]);
            used = k > 0 && used + (size_t)k < sizeof text ? used + (size_t)k : used;
        }
    if (n)
        log_warn("truth '%s': %zu of %zu genes are not in the expression and are left out:%.*s%s",
                 name, n, net->gene.n, (int)used, text, n > NAMED ? " ..." : "");
}

static enum rc fill_truth(const struct job *j, const struct network *net, struct truth *t,
                          struct err *e)
{
    uint64_t *column = malloc((net->gene.n + 1) * sizeof *column);
    t->tf = malloc((net->gene.n + 1) * sizeof *t->tf);
    t->gene = malloc((net->gene.n + 1) * sizeof *t->gene);
    unsigned char *role = calloc(j->x.gene.n + 1, 1);
    enum rc rc = column && t->tf && t->gene && role ? RC_OK : err_set(e, RC_FAIL, "no memory");
    for (size_t i = 0; !rc && i < net->gene.n; i++)
        column[i] = map_get(&j->x.gene.map, net->gene.at[i]);
    if (!rc)
        tell_missing(t->name, net, column);
    for (size_t i = 0; !rc && i < net->n_directed; i++) {
        const uint64_t a = column[net->edge[i].from], b = column[net->edge[i].to];
        if (a == MAP_NONE || b == MAP_NONE || a == b)
            continue;
        role[a] |= 3;
        role[b] |= 2;
    }
    for (uint32_t i = 0; !rc && i < j->x.gene.n; i++) {
        if (role[i] & 1)
            t->tf[t->n_tfs++] = i;
        if (role[i])
            t->gene[t->n_genes++] = i;
    }
    sorted_by = &j->x;
    if (!rc && !t->n_tfs)
        rc = err_set(e, RC_INPUT, "truth '%s' has no edge between two measured genes", t->name);
    if (!rc) {
        qsort(t->tf, t->n_tfs, sizeof *t->tf, by_name);
        qsort(t->gene, t->n_genes, sizeof *t->gene, by_name);
        t->edge = calloc(t->n_tfs * t->n_genes, sizeof *t->edge);
        t->mean = calloc(t->n_tfs * t->n_genes, sizeof *t->mean);
        if (!t->edge || !t->mean)
            rc = err_set(e, RC_FAIL, "no memory for %zu pairs", t->n_tfs * t->n_genes);
    }
    for (size_t i = 0; !rc && i < net->n_directed; i++) {
        const uint64_t a = column[net->edge[i].from], b = column[net->edge[i].to];
        if (a == MAP_NONE || b == MAP_NONE || a == b)
            continue;
        t->edge[place_in(t->tf, t->n_tfs, (uint32_t)a) * t->n_genes +
                place_in(t->gene, t->n_genes, (uint32_t)b)] = true;
        t->n_edges++;
    }
    free(column);
    free(role);
    return rc;
}

static enum rc read_truths(struct job *j, struct err *e)
{
    enum rc rc = RC_OK;
    j->truth = calloc((size_t)j->o->truths.n + 1, sizeof *j->truth);
    if (!j->truth)
        return err_set(e, RC_FAIL, "no memory");
    for (int i = 0; !rc && i < j->o->truths.n; i++) {
        const char *text = j->o->truths.item[i], *eq = strchr(text, '=');
        struct truth *t = &j->truth[j->n_truths++];
        struct network net;
        if (!eq || eq == text || !eq[1])
            return err_set(e, RC_USAGE, "--truth wants NAME=FILE, not '%s'", text);
        t->name = text_new("%.*s", (int)(eq - text), text);
        if (!t->name)
            return err_set(e, RC_FAIL, "no memory");
        rc = network_read(eq + 1, NULL, &net, e);
        if (rc)
            return rc;
        rc = fill_truth(j, &net, t, e);
        network_release(&net);
    }
    return rc;
}

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

static enum rc prepare(struct job *j, struct err *e)
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

/* ---- scores ---- */

static enum rc score_pairs(const struct truth *t, const double *score, struct scores *s,
                           struct err *e)
{
    const size_t n = t->n_tfs * t->n_genes;
    struct rank_metrics all, rest;
    double *kept = malloc(n * sizeof *kept);
    bool *edge = malloc(n * sizeof *edge);
    size_t m = 0;
    enum rc rc = kept && edge ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu pairs", n);
    for (size_t i = 0; !rc && i < n; i++)
        if (t->tf[i / t->n_genes] != t->gene[i % t->n_genes]) {
            kept[m] = score[i];
            edge[m++] = t->edge[i];
        }
    if (!rc)
        rc = rank_metrics_get(score, t->edge, n, &all, e);
    if (!rc)
        rc = rank_metrics_get(kept, edge, m, &rest, e);
    if (!rc)
        *s = (struct scores){ all.average_precision, all.auprc_ratio, all.auroc,
                              rest.early_precision, rest.early_precision_ratio };
    free(kept);
    free(edge);
    return rc;
}

/* |A[target, regulator]| of the pairs; -1 for a gene with itself and without an edge. */
static void take_matrix(const struct truth *t, const double *a, size_t g, double *score)
{
    for (size_t i = 0; i < t->n_tfs * t->n_genes; i++) {
        const double v = fabs(a[(size_t)t->gene[i % t->n_genes] * g + t->tf[i / t->n_genes]]);
        score[i] = v > 0 ? v : -1;
    }
}

static enum rc after_pass(void *ctx, size_t pass, double loss, const double *matrix, struct err *e)
{
    struct seed_run *r = ctx;
    const struct job *j = r->j;
    const size_t g = j->x.gene.n;
    enum rc rc = RC_OK;
    (void)loss;
    for (size_t k = 0; !rc && k < j->n_truths; k++) {
        const struct truth *t = &j->truth[k];
        double *score = malloc(t->n_tfs * t->n_genes * sizeof *score);
        if (!score)
            return err_set(e, RC_FAIL, "no memory for scores");
        take_matrix(t, matrix, g, score);
        rc = score_pairs(t, score, &r->last[k], e);
        if (!rc && (pass == 1 || r->last[k].auprc > r->best[k].auprc))
            r->best[k] = r->last[k];
        free(score);
    }
    memcpy(r->matrix, matrix, g * g * sizeof *matrix);
    return rc;
}

static void one_seed(void *ctx, size_t i, int worker)
{
    struct job *j = ctx;
    struct seed_run *r = &j->run[i];
    const size_t g = j->x.gene.n;
    const struct deepsem_config c = { g, (size_t)j->o->width, 100, 1 };
    struct deepsem_options o = deepsem_defaults();
    struct deepsem m;
    (void)worker;
    o.n_passes = (size_t)j->o->n_passes;
    o.seed = j->o->seed + i;
    o.after = after_pass;
    o.ctx = r;
    r->j = j;
    r->last = calloc(j->n_truths, sizeof *r->last);
    r->best = calloc(j->n_truths, sizeof *r->best);
    r->matrix = calloc(g * g, sizeof *r->matrix);
    r->rc = r->last && r->best && r->matrix ? deepsem_init(&m, &c, &backend_ref, true, &r->e)
                                            : err_set(&r->e, RC_FAIL, "no memory for a seed");
    if (r->rc)
        return;
    r->rc = deepsem_fit(&m, j->x.x, j->x.n_cells, &o, &r->e);
    deepsem_release(&m);
}

/* ---- the table ---- */

static void put(struct job *j, const struct truth *t, const char *method, const char *variant,
                uint64_t seed, const struct scores *s)
{
    const char *const name[] = { "auprc", "auprc_ratio", "auroc", "early_precision",
                                 "early_precision_ratio" };
    const double value[] = { s->auprc, s->ratio, s->auroc, s->ep, s->epr };
    for (int k = 0; k < 5; k++)
        metrics_tsv_add(&j->metrics,
                        &(struct metric_row){ "grn", t->name, method, variant, "all", seed, name[k],
                                              value[k], t->n_tfs * t->n_genes });
}

static double correlation(const double *z, size_t n, size_t g, size_t a, size_t b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += z[i * g + a] * z[i * g + b];
    return fabs(sum) / (double)n;
}

static void fill_baseline(const struct job *j, const struct truth *t, int kind, uint64_t seed,
                          double *score)
{
    const size_t g = j->x.gene.n, n = j->x.n_cells;
    for (size_t i = 0; i < t->n_tfs; i++) {
        size_t degree = 0;
        for (size_t k = 0; k < t->n_genes; k++)
            degree += t->edge[i * t->n_genes + k];
        for (size_t k = 0; k < t->n_genes; k++) {
            double *s = &score[i * t->n_genes + k];
            if (t->tf[i] == t->gene[k])
                *s = -1;
            else if (kind < 2)
                *s = correlation(kind ? j->rank : j->x.x, n, g, t->tf[i], t->gene[k]);
            else
                *s = kind == 2 ? (double)degree
                               : rng_unit(seed, RNG_SAMPLE, t->tf[i], t->gene[k]);
        }
    }
}

static enum rc baselines(struct job *j, const struct truth *t, double *score, struct err *e)
{
    static const char *const name[] = { "pearson", "spearman", "outdegree", "random" };
    struct scores s;
    enum rc rc = RC_OK;
    for (int kind = 0; !rc && kind < 4; kind++)
        for (int64_t i = 0; !rc && i < (kind == 3 ? j->o->n_random : 1); i++) {
            const uint64_t seed = kind == 3 ? j->o->seed + (uint64_t)i : j->o->seed;
            fill_baseline(j, t, kind, seed, score);
            rc = score_pairs(t, score, &s, e);
            if (!rc)
                put(j, t, name[kind], "clean", seed, &s);
        }
    return rc;
}

static enum rc write_predictions(const struct job *j, const char *path, struct err *e)
{
    struct outfile f;
    enum rc rc = outfile_open(&f, path, e);
    if (rc)
        return rc;
    fprintf(f.f, "dataset\ttf\tgene\tedge\tdeepsem\n");
    for (size_t k = 0; k < j->n_truths; k++) {
        const struct truth *t = &j->truth[k];
        for (size_t i = 0; i < t->n_tfs * t->n_genes; i++)
            fprintf(f.f, "%s\t%s\t%s\t%d\t%.9g\n", t->name, j->x.gene.at[t->tf[i / t->n_genes]],
                    j->x.gene.at[t->gene[i % t->n_genes]], t->edge[i], t->mean[i]);
    }
    return outfile_commit(&f, e);
}

static enum rc run_all(struct job *j, struct err *e)
{
    const size_t n_seeds = (size_t)j->o->n_seeds, g = j->x.gene.n;
    enum rc rc = RC_OK;
    j->run = calloc(n_seeds + 1, sizeof *j->run);
    if (!j->run)
        return err_set(e, RC_FAIL, "no memory for seeds");
    threads_for(n_seeds, one_seed, j);
    for (size_t i = 0; i < n_seeds; i++)
        if (j->run[i].rc) {
            *e = j->run[i].e;
            return err_wrap(e, "seed %zu", (size_t)j->o->seed + i);
        }
    for (size_t k = 0; !rc && k < j->n_truths; k++) {
        struct truth *t = &j->truth[k];
        double *score = malloc(t->n_tfs * t->n_genes * sizeof *score);
        if (!score)
            return err_set(e, RC_FAIL, "no memory for scores");
        rc = baselines(j, t, score, e);
        for (size_t i = 0; !rc && i < n_seeds; i++) {
            put(j, t, "deepsem", "clean", j->o->seed + i, &j->run[i].last[k]);
            put(j, t, "deepsem", "as-released", j->o->seed + i, &j->run[i].best[k]);
            take_matrix(t, j->run[i].matrix, g, score);
            for (size_t p = 0; p < t->n_tfs * t->n_genes; p++)
                t->mean[p] += score[p] / (double)n_seeds;
        }
        free(score);
    }
    return rc;
}

static void release(struct job *j)
{
    for (size_t k = 0; k < j->n_truths; k++) {
        free(j->truth[k].name);
        free(j->truth[k].tf);
        free(j->truth[k].gene);
        free(j->truth[k].edge);
        free(j->truth[k].mean);
    }
    for (int64_t i = 0; j->run && i < j->o->n_seeds; i++) {
        free(j->run[i].last);
        free(j->run[i].best);
        free(j->run[i].matrix);
    }
    free(j->truth);
    free(j->run);
    free(j->rank);
    expression_release(&j->x);
    outfile_abort(&j->metrics);
}

enum rc grn(const struct grn_options *o, struct err *e)
{
    struct job j = { .o = o };
    char *metrics = text_new("%s/metrics.tsv", o->out),
         *predictions = text_new("%s/predictions.tsv", o->out);
    enum rc rc = metrics && predictions
                     ? expression_read(o->expression, o->cells_in_rows, &j.x, e)
                     : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = prepare(&j, e);
    if (!rc)
        rc = read_truths(&j, e);
    if (!rc)
        rc = metrics_tsv_open(&j.metrics, metrics, e);
    if (!rc)
        rc = run_all(&j, e);
    if (!rc)
        rc = write_predictions(&j, predictions, e);
    if (!rc)
        rc = outfile_commit(&j.metrics, e);
    release(&j);
    free(metrics);
    free(predictions);
    return rc;
}
