/* What vectors of genes do to a network that was inferred without them (spec 05 section 7).
 *
 *   threshold  pairs of genes less alike than a threshold are deleted, the others keep their
 * weight; of 0.00, 0.01, ... 1.00 the one with the best AUPRC on the regulators held out top the
 * same, the threshold being the cosine of the published number of pairs, 500,000 share      the
 * same, of the published share: 500,000 of 1582^2 pairs soft       weight * (1 + w s), s the share
 * of pairs that are less alike (1/2 where a gene has no vector); w of 0, 1/4 ... 16 as threshold is
 * chosen cosine     the cosine alone, no network
 *
 * Each once more with the vectors dealt to other genes (NAME-shuffled): what the rule does by
 * itself, deleting pairs at random. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/grn_infer.h"
#include "lib/base/rng.h"
#include "lib/nn/metrics_rank.h"

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
    bool *label, *kept; /* [pairs] */
    size_t *at;         /* [pairs] */
};

/* The pairs of the regulators held out: scores, labels and places in cos; *n of them. */
static size_t held_out(const struct work *w, const double *score)
{
    size_t m = 0;
    for (size_t i = 0; i < w->t->n_pairs; i++)
        if (w->tune[i / w->t->n_genes]) {
            w->part[m] = score[i];
            w->label[m] = w->t->edge[i];
            w->at[m++] = place(w->t, w->v, w->shuffle, i);
        }
    return m;
}

/* The threshold with the best AUPRC on the regulators held out, the first of equals. A threshold
 * moves pairs to the end and no others, so one order serves for all. */
static enum rc choose_threshold(const struct work *w, const double *value, size_t n, double *best,
                                struct err *e)
{
    struct rank_order order;
    const size_t m = held_out(w, w->score);
    double most = -1;
    enum rc rc = rank_order_make(&order, w->part, w->label, m, e);
    for (size_t k = 0; !rc && k < n; k++) {
        for (size_t i = 0; i < m; i++)
            w->kept[i] = w->at[i] == SIZE_MAX || (double)w->v->cos[w->at[i]] >= value[k];
        const double ap = rank_order_average_precision(&order, w->kept, -1);
        if (ap > most) {
            most = ap;
            *best = value[k];
        }
    }
    rank_order_release(&order);
    return rc;
}

/* The weight of the soft rule, likewise; each has an order of its own. */
static enum rc choose_weight(const struct work *w, const double *value, size_t n, double *best,
                             struct err *e)
{
    double most = -1;
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < n; k++) {
        struct rank_metrics r;
        soft(w->t, w->v, w->shuffle, value[k], w->score, w->out);
        rc = rank_metrics_get(w->part, w->label, held_out(w, w->out), &r, e);
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
    enum rc rc = choose_threshold(w, threshold, 101, &best, e);
    if (!rc)
        rc = add(w, grn_rule, best, "threshold", seed, true, rows, e);
    if (!rc)
        rc = add(w, grn_rule, w->v->top, "top", seed, false, rows, e);
    if (!rc)
        rc = add(w, grn_rule, w->v->share, "share", seed, false, rows, e);
    if (!rc)
        rc = choose_weight(w, weight, sizeof weight / sizeof *weight, &best, e);
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
    size_t *at = malloc(n * sizeof *at);
    bool *label = malloc(2 * n * sizeof *label), *tune = malloc(t->n_tfs * sizeof *tune);
    uint32_t *shuffle = malloc((g + 1) * sizeof *shuffle);
    enum rc rc = score && at && label && tune && shuffle
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu pairs", n);
    if (!rc && grn_hold_out(t, j->o->tune, seed, tune)) {
        grn_take_matrix(t, s->matrix, g, score);
        for (size_t k = 0; !rc && k < 2 * j->n_vectors; k++) {
            const struct grn_vectors *v = &j->vectors[k / 2];
            const struct work w = { t,         v,         k % 2 ? shuffle : NULL, tune,
                                    score,     score + n, score + 2 * n,          label,
                                    label + n, at };
            for (uint32_t i = 0; i < v->n; i++)
                shuffle[i] = i;
            rng_shuffle(seed, RNG_SAMPLE, hash_text(v->name), shuffle, v->n);
            rc = all_rules(&w, seed, rows, e);
        }
    }
    free(score);
    free(at);
    free(label);
    free(tune);
    free(shuffle);
    return rc;
}
