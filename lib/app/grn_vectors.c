/* What vectors of genes do to a network that was inferred without them (spec 05 section 7).
 *
 *   threshold  pairs of genes less alike than a threshold are deleted, the others keep their
 * weight; of 0.00, 0.01, ... 1.00 the one with the best AUPRC on the regulators held out top the
 * same, the threshold being the cosine of the published number of pairs, 500,000 share      the
 * same, of the published share: 500,000 of 1582^2 pairs soft       weight * (1 + w s), s the share
 * of pairs that are less alike (1/2 where a gene has no vector); w of 0, 1/4 ... 16 as threshold is
 * chosen cosine     the cosine alone, no network Each once more with the vectors dealt to other
 * genes (NAME-shuffled): what the rule does by itself, deleting pairs at random. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/gene_vectors.h"
#include "lib/app/grn_infer.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/nn/gene_cosines.h"
#include "lib/nn/metrics_rank.h"

#define PUBLISHED_SHARE (500000.0 / (1582.0 * 1582.0))

/* ---- vectors ---- */

void grn_vectors_release(struct grn_vectors *v)
{
    free(v->name);
    free(v->of);
    free(v->cos);
    free(v->standing);
    *v = (struct grn_vectors){ 0 };
}

/* x [n, d]: of the genes that v->of numbers. */
static enum rc fill(struct grn_vectors *v, const float *x, size_t d, size_t top, struct err *e)
{
    struct cosine_facts f;
    const size_t n_share = (size_t)fmax(1, round(PUBLISHED_SHARE * (double)v->n * (double)v->n));
    v->cos = malloc((v->n * v->n + 1) * sizeof *v->cos);
    v->standing = malloc((v->n * v->n + 1) * sizeof *v->standing);
    enum rc rc = v->cos && v->standing ? gene_cosines(x, v->n, d, v->cos, e)
                                       : err_set(e, RC_FAIL, "no memory for %zu genes", v->n);
    if (!rc)
        rc = cosine_facts_get(v->cos, v->n, n_share, 0, &f, NULL, e);
    v->share = f.at_top;
    if (!rc)
        rc = cosine_facts_get(v->cos, v->n, top, 0, &f, v->standing, e);
    if (rc)
        return rc;
    v->top = f.at_top;
    v->n_top = f.n_top;
    v->mean = f.mean;
    v->sd = f.sd;
    v->least = f.least;
    log_say("vectors '%s': cosines of %zu pairs %.3f ± %.3f, least %.3f; the largest %zu are from "
            "%.4f on (%.1f %% of all)",
            v->name, f.n_pairs, f.mean, f.sd, f.least, f.n_top, f.at_top, 100 * f.share_top);
    return RC_OK;
}

static enum rc take(const struct grn_job *j, const char *path, const struct gene_vectors *from,
                    struct grn_vectors *v, struct err *e)
{
    const size_t g = j->x.gene.n, d = from->d;
    float *x = malloc((g * d + 1) * sizeof *x);
    v->of = malloc((g + 1) * sizeof *v->of);
    if (!x || !v->of) {
        free(x);
        return err_set(e, RC_FAIL, "no memory for vectors of %zu genes", g);
    }
    for (size_t i = 0; i < g; i++) {
        const uint64_t row = map_get(&from->row_of, j->x.gene.at[i]);
        v->of[i] = row == MAP_NONE ? UINT32_MAX : (uint32_t)v->n;
        if (row != MAP_NONE)
            memcpy(x + d * v->n++, from->x + row * d, d * sizeof *x);
    }
    enum rc rc = RC_OK;
    log_say("vectors '%s': %zu of %zu genes have one, of %zu numbers", v->name, v->n, g, d);
    if (!v->n || (double)v->n < j->o->least_overlap * (double)g)
        rc = err_set(e, RC_INPUT,
                     "'%s' has vectors of %zu of the %zu genes of the expression, fewer than "
                     "--least-overlap %g",
                     path, v->n, g, j->o->least_overlap);
    if (!rc && j->o->centre)
        gene_vectors_centre(x, v->n, d);
    if (!rc)
        rc = fill(v, x, d, (size_t)j->o->n_top, e);
    free(x);
    return rc;
}

/* The genes' own z-scored expression: their cosine is Pearson's correlation. */
static enum rc take_own(const struct grn_job *j, struct grn_vectors *v, struct err *e)
{
    const size_t g = j->x.gene.n, n = j->x.n_cells;
    float *x = malloc((g * n + 1) * sizeof *x);
    v->of = malloc((g + 1) * sizeof *v->of);
    v->n = g;
    enum rc rc = x && v->of ? RC_OK : err_set(e, RC_FAIL, "no memory for vectors of %zu genes", g);
    for (uint32_t i = 0; !rc && i < g; i++) {
        v->of[i] = i;
        for (size_t k = 0; k < n; k++)
            x[i * n + k] = (float)j->x.x[k * g + i];
    }
    if (!rc)
        rc = fill(v, x, n, (size_t)j->o->n_top, e);
    free(x);
    return rc;
}

enum rc grn_vectors_read(struct grn_job *j, struct err *e)
{
    j->vectors = calloc((size_t)j->o->vectors.n + 1, sizeof *j->vectors);
    if (!j->vectors)
        return err_set(e, RC_FAIL, "no memory");
    for (int i = 0; i < j->o->vectors.n; i++) {
        const char *text = j->o->vectors.item[i], *eq = strchr(text, '=');
        struct grn_vectors *v = &j->vectors[j->n_vectors++];
        struct gene_vectors from;
        if (!eq || eq == text || !eq[1] || memchr(text, '+', (size_t)(eq - text)) || eq - text > 40)
            return err_set(e, RC_USAGE, "--vectors wants NAME=FILE, not '%s'", text);
        v->name = text_new("%.*s", (int)(eq - text), text);
        enum rc rc = v->name ? gene_vectors_read(eq + 1, &from, e)
                             : err_set(e, RC_FAIL, "no memory for a name");
        if (rc)
            return rc;
        rc = take(j, eq + 1, &from, v, e);
        gene_vectors_release(&from);
        if (rc)
            return rc;
    }
    struct grn_vectors *own = &j->vectors[j->n_vectors++];
    own->name = text_new("coexpression");
    return own->name ? take_own(j, own, e) : err_set(e, RC_FAIL, "no memory for a name");
}

/* ---- rules ---- */

/* Place in cos and standing of pair i, SIZE_MAX: a gene has no vector. */
static size_t place(const struct grn_truth *t, const struct grn_vectors *v, const uint32_t *shuffle,
                    size_t i)
{
    uint32_t a = v->of[t->tf[i / t->n_genes]], b = v->of[t->gene[i % t->n_genes]];
    if (a == UINT32_MAX || b == UINT32_MAX)
        return SIZE_MAX;
    if (shuffle) {
        a = shuffle[a];
        b = shuffle[b];
    }
    return a * v->n + b;
}

void grn_rule(const struct grn_truth *t, const struct grn_vectors *v, const uint32_t *shuffle,
              double at, const double *score, double *out)
{
    for (size_t i = 0; i < t->n_pairs; i++) {
        const size_t p = place(t, v, shuffle, i);
        out[i] = p != SIZE_MAX && !((double)v->cos[p] >= at) ? -1 : score[i];
    }
}

static void soft(const struct grn_truth *t, const struct grn_vectors *v, const uint32_t *shuffle,
                 double w, const double *score, double *out)
{
    for (size_t i = 0; i < t->n_pairs; i++) {
        const size_t p = place(t, v, shuffle, i);
        const double s = p == SIZE_MAX ? 0.5 : (double)v->standing[p];
        out[i] = score[i] < 0 ? score[i] : score[i] * (1 + w * s);
    }
}

static void cosine(const struct grn_truth *t, const struct grn_vectors *v, const uint32_t *shuffle,
                   double unused, const double *score, double *out)
{
    (void)unused;
    (void)score;
    for (size_t i = 0; i < t->n_pairs; i++) {
        const size_t p = place(t, v, shuffle, i);
        out[i] = p == SIZE_MAX || t->tf[i / t->n_genes] == t->gene[i % t->n_genes]
                     ? -1
                     : (double)v->cos[p];
    }
}

typedef void rule(const struct grn_truth *t, const struct grn_vectors *v, const uint32_t *shuffle,
                  double x, const double *score, double *out);

struct work {
    const struct grn_truth *t;
    const struct grn_vectors *v;
    const uint32_t *shuffle; /* NULL: not */
    const bool *tune;
    const double *score;
    double *out, *part; /* [pairs] */
    bool *label;        /* [pairs] */
};

/* The value with the best AUPRC on the regulators held out, the first of equals. */
static enum rc choose(const struct work *w, rule *apply, const double *value, size_t n,
                      double *best, struct err *e)
{
    double most = -1;
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < n; k++) {
        struct rank_metrics r;
        size_t m = 0;
        apply(w->t, w->v, w->shuffle, value[k], w->score, w->out);
        for (size_t i = 0; i < w->t->n_pairs; i++)
            if (w->tune[i / w->t->n_genes]) {
                w->part[m] = w->out[i];
                w->label[m++] = w->t->edge[i];
            }
        rc = rank_metrics_get(w->part, w->label, m, &r, e);
        if (!rc && r.average_precision > most) {
            most = r.average_precision;
            *best = value[k];
        }
    }
    return rc;
}

static enum rc add(const struct work *w, rule *apply, double x, const char *word, uint64_t seed,
                   bool chosen, struct grn_rows *rows, struct err *e)
{
    char method[96];
    struct grn_mark m;
    const char *shuffled = w->shuffle ? "-shuffled" : "";
    if (apply == cosine)
        snprintf(method, sizeof method, "%s%s+%s", w->v->name, shuffled, word);
    else
        snprintf(method, sizeof method, "deepsem+%s%s+%s", w->v->name, shuffled, word);
    apply(w->t, w->v, w->shuffle, x, w->score, w->out);
    enum rc rc = grn_mark(w->t, w->out, w->tune, false, &m, e);
    return rc ? rc : grn_rows_add(rows, method, "clean", "test", seed, &m, chosen ? x : NAN, e);
}

static enum rc all_rules(const struct work *w, uint64_t seed, struct grn_rows *rows, struct err *e)
{
    static const double weight[] = { 0, 0.25, 0.5, 1, 2, 4, 8, 16 };
    double threshold[101], best = 0;
    for (int k = 0; k <= 100; k++)
        threshold[k] = k / 100.0;
    enum rc rc = choose(w, grn_rule, threshold, 101, &best, e);
    if (!rc)
        rc = add(w, grn_rule, best, "threshold", seed, true, rows, e);
    if (!rc)
        rc = add(w, grn_rule, w->v->top, "top", seed, false, rows, e);
    if (!rc)
        rc = add(w, grn_rule, w->v->share, "share", seed, false, rows, e);
    if (!rc)
        rc = choose(w, soft, weight, sizeof weight / sizeof *weight, &best, e);
    if (!rc)
        rc = add(w, soft, best, "soft", seed, true, rows, e);
    if (!rc)
        rc = add(w, cosine, 0, "cosine", seed, false, rows, e);
    return rc;
}

enum rc grn_integrate(const struct grn_job *j, size_t truth, const struct grn_seed *s,
                      uint64_t seed, struct grn_rows *rows, struct err *e)
{
    const struct grn_truth *t = &j->truth[truth];
    const size_t n = t->n_pairs, g = j->x.gene.n;
    double *score = malloc(3 * n * sizeof *score);
    bool *label = malloc(n * sizeof *label), *tune = malloc(t->n_tfs * sizeof *tune);
    uint32_t *shuffle = malloc((g + 1) * sizeof *shuffle);
    enum rc rc = score && label && tune && shuffle
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu pairs", n);
    if (!rc && grn_hold_out(t, j->o->tune, seed, tune)) {
        grn_take_matrix(t, s->matrix, g, score);
        for (size_t k = 0; !rc && k < 2 * j->n_vectors; k++) {
            const struct grn_vectors *v = &j->vectors[k / 2];
            const struct work w = { t,     v,         k % 2 ? shuffle : NULL, tune,
                                    score, score + n, score + 2 * n,          label };
            for (uint32_t i = 0; i < v->n; i++)
                shuffle[i] = i;
            rng_shuffle(seed, RNG_SAMPLE, hash_text(v->name), shuffle, v->n);
            rc = all_rules(&w, seed, rows, e);
        }
    }
    free(score);
    free(label);
    free(tune);
    free(shuffle);
    return rc;
}
