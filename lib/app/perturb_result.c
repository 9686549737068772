#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_parts.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/io/metrics_tsv.h"
#include "lib/nn/metrics_stat.h"

size_t n_measures(const struct perturb_options *o)
{
    return MEASURE_TARGET + (size_t)o->targets.n;
}

void measure_name(const struct perturb_options *o, size_t m, char name[80])
{
    if (m < MEASURE_TARGET)
        snprintf(name, 80, "%s", m == MEASURE_CLS ? "cls_shift" : "gene_shift");
    else
        snprintf(name, 80, "towards_%.60s", o->targets.item[m - MEASURE_TARGET]);
}

/* ---- means and intervals ---- */

struct summing {
    const struct shifts *s;
    struct perturbations *p;
    const struct perturb_options *o;
    struct err *trouble; /* [threads] */
};

static void summarise(void *ctx, size_t i, int worker)
{
    struct summing *k = ctx;
    struct perturbation *x = &k->p->item[k->s->from + i];
    const struct cell_shifts *of = &k->s->of[i];
    x->n_cells = (uint32_t)of->n;
    for (size_t m = 0; m < n_measures(k->o); m++) {
        struct running r = { 0 };
        double *known = malloc((of->n + 1) * sizeof *known);
        for (size_t c = 0; known && c < of->n; c++)
            if (!isnan(of->value[m * of->room + c])) {
                known[r.n] = of->value[m * of->room + c];
                running_add(&r, known[r.n]);
            }
        if (!known) {
            err_set(&k->trouble[worker], RC_FAIL, "no memory for shifts of %zu cells", of->n);
            return;
        }
        x->mean[m] = r.n ? r.mean : NAN;
        x->sd[m] = running_sd(&r);
        bootstrap_mean(known, r.n, k->o->seed, hash_text(x->name), (size_t)k->o->n_draws,
                       &x->low[m], &x->high[m], &k->trouble[worker]);
        free(known);
    }
}

enum rc perturb_summarise(const struct shifts *s, struct perturbations *p,
                          const struct perturb_options *o, struct err *e)
{
    struct summing k = { s, p, o, calloc((size_t)threads_count(), sizeof *k.trouble) };
    enum rc rc = RC_OK;
    if (!k.trouble)
        return err_set(e, RC_FAIL, "no memory");
    threads_for(s->to - s->from, summarise, &k);
    for (int i = 0; !rc && i < threads_count(); i++)
        if (k.trouble[i].rc) {
            *e = k.trouble[i];
            rc = e->rc;
        }
    free(k.trouble);
    return rc;
}

/* Benjamini-Hochberg over the p that are numbers. */
static enum rc adjust(const double *p, size_t n, double *q, struct err *e)
{
    double *known = calloc(2 * n + 1, sizeof *known);
    size_t m = 0;
    if (!known)
        return err_set(e, RC_FAIL, "no memory for %zu p values", n);
    double *to = known + n;
    for (size_t i = 0; i < n; i++)
        if (!isnan(p[i]))
            known[m++] = p[i];
    enum rc rc = benjamini_hochberg(known, m, to, e);
    for (size_t i = 0, k = 0; !rc && i < n; i++)
        q[i] = isnan(p[i]) ? NAN : to[k++];
    free(known);
    return rc;
}

/* Mean, spread and p of a number beside those of its controls. */
static void against_controls(double x, const double *control, size_t n, double *mean, double *sd,
                             double *p)
{
    struct running r = { 0 };
    for (size_t i = 0; i < n; i++)
        if (!isnan(control[i]))
            running_add(&r, control[i]);
    *mean = r.n ? r.mean : NAN;
    *sd = running_sd(&r);
    *p = empirical_p(x, control, n);
}

/* ---- files ---- */

struct perturb_tables {
    const struct perturb_options *o;
    struct outfile effects, predictions, metrics, candidates;
    struct per_cell *per_cell; /* NULL without */
};

static enum rc open_in(struct outfile *f, const char *folder, const char *name, const char *head,
                       struct err *e)
{
    char *path = text_new("%s/%s", folder, name);
    enum rc rc = path ? outfile_open(f, path, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (!rc && head)
        fprintf(f->f, "%s\n", head);
    return rc;
}

void perturb_tables_abort(struct perturb_tables *t)
{
    if (!t)
        return;
    outfile_abort(&t->effects);
    outfile_abort(&t->predictions);
    outfile_abort(&t->metrics);
    outfile_abort(&t->candidates);
    per_cell_abort(t->per_cell);
    free(t);
}

enum rc perturb_tables_open(struct perturb_tables **t, const struct perturb_options *o,
                            const struct held_cells *c, const struct perturbations *p,
                            struct err *e)
{
    *t = calloc(1, sizeof **t);
    if (!*t)
        return err_set(e, RC_FAIL, "no memory for tables");
    (*t)->o = o;
    enum rc rc = open_in(&(*t)->effects, o->out, "effects.tsv",
                         "perturbation\tgene\tgene_name\tn_cells\tshift\tsd\tlow\thigh\tnull_mean\t"
                         "z\tp\tq",
                         e);
    if (!rc && o->per_cell)
        rc = per_cell_open(&(*t)->per_cell, o, c, p, e);
    if (!rc)
        rc = open_in(&(*t)->predictions, o->out, "predictions.tsv", NULL, e);
    if (!rc && o->targets.n)
        rc = open_in(
            &(*t)->candidates, o->out, "candidates.tsv",
            "target\trank\tperturbation\tgenes\tscore\ttowards\tcls_shift\tp\tin_every_list", e);
    if (!rc) {
        char *path = text_new("%s/metrics.tsv", o->out);
        rc = path ? metrics_tsv_open(&(*t)->metrics, path, e)
                  : err_set(e, RC_FAIL, "no memory for a path");
        free(path);
    }
    if (rc) {
        perturb_tables_abort(*t);
        *t = NULL;
    }
    return rc;
}

void perturb_put_number(FILE *f, double x)
{
    char text[32];
    metric_text(x, text);
    fprintf(f, "\t%s", text);
}

/* ---- effects.tsv ---- */

struct effect {
    const struct running *r;
    uint16_t token;
    double null_mean, null_sd, p, q;
};

static int by_shift(const void *a, const void *b)
{
    const struct effect *x = a, *y = b;
    if (x->r->mean != y->r->mean)
        return x->r->mean < y->r->mean ? 1 : -1;
    return x->token - y->token;
}

static void put_effect(FILE *f, const struct perturbation *x, const struct effect *k,
                       const struct vocab_entry *v)
{
    const double sd = running_sd(k->r);
    const double half = k->r->n < 2 ? NAN : t_quantile(0.975, k->r->n - 1.0) * sd / sqrt(k->r->n);
    field_put(x->name, f);
    fprintf(f, "\t%s\t", v->id);
    field_put(v->name && *v->name ? v->name : "-", f);
    fprintf(f, "\t%u", k->r->n);
    perturb_put_number(f, k->r->mean);
    perturb_put_number(f, sd);
    perturb_put_number(f, k->r->mean - half);
    perturb_put_number(f, k->r->mean + half);
    perturb_put_number(f, k->null_mean);
    perturb_put_number(f, k->null_sd > 0 ? (k->r->mean - k->null_mean) / k->null_sd : NAN);
    perturb_put_number(f, k->p);
    perturb_put_number(f, k->q);
    fputc('\n', f);
}

/* room [n_genes] and p, q [n_genes], control [controls of one] are the caller's. */
static enum rc effects_of(struct perturb_tables *t, const struct shifts *s,
                          const struct perturbations *p, size_t i, const float *control_mean,
                          const struct vocab *v, struct effect *room, double *control, double *pq,
                          struct err *e)
{
    const struct perturbation *x = &p->item[s->from + i];
    size_t n = 0;
    for (size_t g = 0; g < s->n_genes; g++) {
        const struct running *r = &s->gene[i * s->n_genes + g];
        if (!r->n)
            continue;
        for (size_t k = 0; k < x->n_controls; k++)
            control[k] = (double)control_mean[(x->control[k] - p->n_named) * s->n_genes + g];
        struct effect *to = &room[n++];
        *to = (struct effect){ .r = r, .token = p->gene[g].token };
        against_controls(r->mean, control, x->n_controls, &to->null_mean, &to->null_sd, &to->p);
    }
    for (size_t k = 0; k < n; k++)
        pq[k] = room[k].p;
    enum rc rc = adjust(pq, n, pq + s->n_genes, e);
    if (rc)
        return rc;
    for (size_t k = 0; k < n; k++)
        room[k].q = pq[s->n_genes + k];
    qsort(room, n, sizeof *room, by_shift);
    const size_t keep = t->o->keep ? (size_t)t->o->keep : n;
    for (size_t k = 0; k < n && k < keep; k++)
        put_effect(t->effects.f, x, &room[k], &v->entry[room[k].token]);
    return RC_OK;
}

enum rc perturb_tables_add(struct perturb_tables *t, const struct shifts *s,
                           const struct perturbations *p, const float *control_mean,
                           const struct held_cells *c, const struct embedder *m, struct err *e)
{
    struct effect *room = malloc((s->n_genes + 1) * sizeof *room);
    double *control = malloc(((size_t)t->o->n_controls + 1) * sizeof *control);
    double *pq = malloc((2 * s->n_genes + 1) * sizeof *pq);
    enum rc rc =
        room && control && pq ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", s->n_genes);
    for (size_t i = 0; !rc && i < s->to - s->from; i++)
        rc = effects_of(t, s, p, i, control_mean, &m->vocab, room, control, pq, e);
    if (!rc && t->o->per_cell)
        rc = per_cell_add(t->per_cell, s, p, c, e);
    free(room);
    free(control);
    free(pq);
    return rc;
}

/* ---- predictions.tsv and metrics.tsv ---- */

/* p and q of each named perturbation among its controls. */
static enum rc rank_among_controls(struct perturbations *p, const struct perturb_options *o,
                                   struct err *e)
{
    const size_t n_controls = (size_t)o->n_controls;
    double *control = malloc((n_controls + 1) * sizeof *control);
    double *pq = malloc((2 * p->n_named + 1) * sizeof *pq);
    enum rc rc =
        control && pq ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu p values", p->n_named);
    for (size_t m = 0; !rc && m < n_measures(o); m++) {
        for (size_t i = 0; i < p->n_named; i++) {
            struct perturbation *x = &p->item[i];
            for (size_t k = 0; k < x->n_controls; k++)
                control[k] = p->item[x->control[k]].mean[m];
            against_controls(x->mean[m], control, x->n_controls, &x->null_mean[m], &x->null_sd[m],
                             &x->p[m]);
            pq[i] = x->p[m];
        }
        rc = adjust(pq, p->n_named, pq + p->n_named, e);
        for (size_t i = 0; !rc && i < p->n_named; i++)
            p->item[i].q[m] = pq[p->n_named + i];
    }
    free(control);
    free(pq);
    return rc;
}

/* Is the model's shift no more than what ranks without a meaning, or nothing at all, do to it? */
static bool within_noise(const struct perturbation *x, const struct noise *n)
{
    const double a = n->nothing[MEASURE_GENE].mean, b = n->ties[MEASURE_GENE].mean;
    return x->mean[MEASURE_GENE] <= (a > b ? a : b);
}

static void put_prediction(FILE *f, const struct perturb_options *o, const struct perturbation *x,
                           const struct noise *n, const struct vocab *v)
{
    field_put(x->name, f);
    fprintf(f, "\t%s\t", o->change_name);
    for (uint32_t i = 0; i < x->n_tokens; i++)
        fprintf(f, "%s%s", i ? "+" : "", v->entry[x->token[i]].id);
    fprintf(f, "\t-\t%s",
            !x->n_cells          ? "not seen"
            : within_noise(x, n) ? "within noise"
                                 : "beyond noise");
    perturb_put_number(f, x->mean[MEASURE_GENE]);
    fprintf(f, "\tall\t%llu\t%u\t%zu", (unsigned long long)o->seed, x->n_cells, x->n_controls);
    for (size_t m = 0; m < n_measures(o); m++) {
        perturb_put_number(f, x->mean[m]);
        perturb_put_number(f, x->sd[m]);
        perturb_put_number(f, x->low[m]);
        perturb_put_number(f, x->high[m]);
        perturb_put_number(f, x->null_mean[m]);
        perturb_put_number(f, x->null_sd[m] > 0 ? (x->mean[m] - x->null_mean[m]) / x->null_sd[m]
                                                : NAN);
        perturb_put_number(f, x->p[m]);
        perturb_put_number(f, x->q[m]);
    }
    fputc('\n', f);
}

static void put_metric(struct perturb_tables *t, const char *dataset, const char *split,
                       const char *metric, double value, size_t n)
{
    const struct metric_row row = { "perturb",
                                    dataset,
                                    t->o->random_weights ? "genecompass-random" : "genecompass",
                                    t->o->as_released ? "as-released" : "clean",
                                    split,
                                    t->o->seed,
                                    metric,
                                    value,
                                    n };
    metrics_tsv_add(&t->metrics, &row);
}

static void put_metrics(struct perturb_tables *t, const struct perturbations *p,
                        const struct noise *n, const char *dataset)
{
    static const char *const what[] = { "", "_null", "_p", "_q" };
    char name[100], first[80];
    for (size_t m = 0; m < n_measures(t->o); m++) {
        measure_name(t->o, m, first);
        put_metric(t, dataset, "nothing", first, n->nothing[m].mean, n->nothing[m].n);
        if (!t->o->as_released)
            put_metric(t, dataset, "ties", first, n->ties[m].mean, n->ties[m].n);
    }
    for (size_t i = 0; i < p->n_named; i++)
        for (size_t m = 0; m < n_measures(t->o); m++) {
            const struct perturbation *x = &p->item[i];
            const double value[] = { x->mean[m], x->null_mean[m], x->p[m], x->q[m] };
            measure_name(t->o, m, first);
            for (size_t k = 0; k < 4; k++) {
                snprintf(name, sizeof name, "%s%s", first, what[k]);
                put_metric(t, dataset, x->name, name, value[k], x->n_cells);
            }
        }
}

static void warn_noise(const struct perturbations *p, const struct noise *n)
{
    size_t within = 0, seen = 0;
    for (size_t i = 0; i < p->n_named; i++) {
        seen += p->item[i].n_cells > 0;
        within += p->item[i].n_cells && within_noise(&p->item[i], n);
    }
    if (within)
        log_warn("%zu of %zu perturbations shift genes no further than the model's own noise "
                 "(perturbing "
                 "nothing %.3g, reordering genes of equal count / median %.3g)",
                 within, seen, n->nothing[MEASURE_GENE].mean, n->ties[MEASURE_GENE].mean);
}

/* ---- the end ---- */

enum rc perturb_tables_close(struct perturb_tables *t, struct perturbations *p,
                             const struct noise *noise, const struct held_cells *c,
                             struct embedder *m, struct err *e)
{
    FILE *f = t->predictions.f;
    const char *dataset = c->cell[0].sample;
    for (size_t i = 1; i < c->n; i++)
        if (strcmp(c->cell[i].sample, dataset) != 0)
            dataset = "several";
    enum rc rc = rank_among_controls(p, t->o, e);
    if (rc)
        return rc;
    fputs("perturbation\tchange\tgenes\ttruth\tprediction\tscore\tsplit\tseed\tn_cells\tn_controls",
          f);
    for (size_t k = 0; k < n_measures(t->o); k++) {
        char x[80];
        measure_name(t->o, k, x);
        fprintf(f, "\t%s\t%s_sd\t%s_low\t%s_high\t%s_null\t%s_z\t%s_p\t%s_q", x, x, x, x, x, x, x,
                x);
    }
    fputc('\n', f);
    for (size_t i = 0; i < p->n_named; i++)
        put_prediction(f, t->o, &p->item[i], noise, &m->vocab);
    put_metrics(t, p, noise, dataset);
    if (t->o->targets.n)
        rc = candidates_put(t->candidates.f, t->o, p, &m->vocab, e);
    warn_noise(p, noise);
    if (!rc)
        rc = outfile_commit(&t->effects, e);
    if (!rc && t->o->targets.n)
        rc = outfile_commit(&t->candidates, e);
    if (!rc && t->per_cell) {
        rc = per_cell_close(t->per_cell, c, p, m, e);
        t->per_cell = NULL;
    }
    if (!rc)
        rc = outfile_commit(&t->predictions, e);
    return rc ? rc : outfile_commit(&t->metrics, e);
}
