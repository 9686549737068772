#include "lib/nn/probe.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nn/forest.h"
#include "lib/nn/hvg.h"
#include "lib/nn/knn.h"
#include "lib/nn/logistic.h"
#include "lib/nn/metrics_class.h"
#include "lib/nn/pca.h"

#define CLIP 10.0

/* The cells of a split, and the two sides of the features: fitted on, and asked about. */
struct sides {
    const struct probe_cells *cells;
    struct mat fit, ask;
    uint32_t *fit_class;       /* [fit.n] */
    size_t *row, n_fit, n_ask; /* rows of fit, then of ask */
    uint32_t *said;            /* [n_ask] */
    double *score;             /* [n_ask] */
    size_t *confusion;
};

void probe_result_release(struct probe_result *r)
{
    free(r->predicted);
    free(r->score);
    *r = (struct probe_result){ 0 };
}

enum rc probe_result_alloc(struct probe_result *r, size_t n, const char *setting,
                           struct err *e)
{
    *r = (struct probe_result){ .setting = setting, .val_macro_f1 = -1 };
    r->predicted = calloc(n + 1, sizeof *r->predicted);
    r->score = calloc(n + 1, sizeof *r->score);
    if (r->predicted && r->score)
        return RC_OK;
    probe_result_release(r);
    return err_set(e, RC_FAIL, "no memory for %zu predictions", n);
}

static void sides_release(struct sides *s)
{
    mat_release(&s->fit);
    mat_release(&s->ask);
    free(s->fit_class);
    free(s->row);
    free(s->said);
    free(s->score);
    free(s->confusion);
    *s = (struct sides){ 0 };
}

static void list_rows(struct sides *s)
{
    const struct probe_cells *c = s->cells;
    for (size_t i = 0; i < c->n; i++)
        if (c->part[i] == PART_TRAIN) {
            s->fit_class[s->n_fit] = c->class_of[i];
            s->row[s->n_fit++] = i;
        }
    for (size_t i = 0; i < c->n; i++)
        if (c->part[i] != PART_TRAIN)
            s->row[s->n_fit + s->n_ask++] = i;
}

static enum rc sides_init(struct sides *s, const struct probe_cells *cells, struct err *e)
{
    size_t n = cells->n + 1, k = cells->n_classes;
    *s = (struct sides){ .cells = cells };
    s->fit_class = malloc(n * sizeof *s->fit_class);
    s->row = malloc(n * sizeof *s->row);
    s->said = malloc(n * sizeof *s->said);
    s->score = malloc(n * sizeof *s->score);
    s->confusion = malloc((k * k + 1) * sizeof *s->confusion);
    enum rc rc = RC_OK;
    if (!s->fit_class || !s->row || !s->said || !s->score || !s->confusion)
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", cells->n);
    if (!rc)
        list_rows(s);
    if (!rc && (!s->n_fit || !s->n_ask))
        rc = err_set(e, RC_INPUT, "a split with %zu cells to fit and %zu to ask", s->n_fit,
                     s->n_ask);
    if (rc)
        sides_release(s);
    return rc;
}

static enum rc sides_features(struct sides *s, const struct mat *x, struct err *e)
{
    assert(x->n == s->cells->n);
    enum rc rc = mat_take_rows(x, s->row, s->n_fit, &s->fit, e);
    return rc ? rc : mat_take_rows(x, s->row + s->n_fit, s->n_ask, &s->ask, e);
}

/* Judges said[] on the validation cells; keeps it when it is the best so far. */
static void keep_if_better(struct sides *s, double chosen, struct probe_result *r)
{
    const struct probe_cells *c = s->cells;
    const size_t *row = s->row + s->n_fit;
    struct class_metrics m;
    memset(s->confusion, 0, c->n_classes * c->n_classes * sizeof *s->confusion);
    for (size_t i = 0; i < s->n_ask; i++)
        if (c->part[row[i]] == PART_VAL)
            s->confusion[c->class_of[row[i]] * c->n_classes + s->said[i]]++;
    class_metrics_get(s->confusion, c->n_classes, &m, NULL);
    if (!(m.macro_f1 > r->val_macro_f1))
        return;
    r->val_macro_f1 = m.macro_f1;
    r->chosen = chosen;
    for (size_t i = 0; i < s->n_ask; i++) {
        r->predicted[row[i]] = s->said[i];
        r->score[row[i]] = s->score[i];
    }
}

static enum rc begin(struct sides *s, const struct probe_cells *cells, const struct mat *x,
                     const char *setting, struct probe_result *r, struct err *e)
{
    *r = (struct probe_result){ 0 };
    enum rc rc = sides_init(s, cells, e);
    if (!rc && x)
        rc = sides_features(s, x, e);
    return rc ? rc : probe_result_alloc(r, cells->n, setting, e);
}

static enum rc end(struct sides *s, struct probe_result *r, enum rc rc)
{
    sides_release(s);
    if (rc)
        probe_result_release(r);
    return rc;
}

/* Where the reference values stop (lib/nn/logistic.h says how much that matters). */
static const double logistic_tol = 1e-5;

/* Both linear methods. The support vector machine's c starts from the solution of the one before. */
static enum rc probe_linear(bool svm, const double *c, size_t n_c, const struct probe_cells *cells,
                            const struct mat *x, struct probe_result *r, struct err *e)
{
    struct sides s = { 0 };
    struct linear_model last = { 0 }, now = { 0 };
    enum rc rc = begin(&s, cells, x, "c", r, e);
    for (size_t i = 0; !rc && i < n_c; i++) {
        rc = svm ? svm_fit(&s.fit, s.fit_class, cells->n_classes, c[i], i ? &last : NULL, &now, e)
                 : logistic_fit_until(&s.fit, s.fit_class, cells->n_classes, c[i], logistic_tol,
                                      &now, e);
        if (!rc)
            rc = (svm ? svm_predict : logistic_predict)(&now, &s.ask, s.said, s.score, e);
        if (!rc)
            keep_if_better(&s, c[i], r);
        linear_model_release(&last);
        last = now;
        now = (struct linear_model){ 0 };
    }
    linear_model_release(&last);
    return end(&s, r, rc);
}

enum rc probe_logistic(const struct probe_cells *cells, const struct mat *x, struct probe_result *r,
                       struct err *e)
{
    static const double c[] = { 0.001, 0.01, 0.1, 1, 10 };
    return probe_linear(false, c, sizeof c / sizeof *c, cells, x, r, e);
}

enum rc probe_svm(const struct probe_cells *cells, const struct mat *x, struct probe_result *r,
                  struct err *e)
{
    static const double c[] = { 1e-4, 1e-3, 1e-2, 1e-1 };
    return probe_linear(true, c, sizeof c / sizeof *c, cells, x, r, e);
}

enum rc probe_knn(const struct probe_cells *cells, const struct mat *x, struct probe_result *r,
                  struct err *e)
{
    static const size_t k[] = { 5, 15, 30 };
    enum { N = sizeof k / sizeof *k };
    struct sides s = { 0 };
    struct knn near = { 0 };
    enum rc rc = begin(&s, cells, x, "k", r, e);
    size_t most = s.n_fit < k[N - 1] ? s.n_fit : k[N - 1];
    if (!rc)
        rc = knn_find(&s.ask, &s.fit, most, DISTANCE_EUCLID, &near, e);
    for (size_t i = 0; !rc && i < N && (k[i] <= most || !i); i++) {
        size_t ki = k[i] < most ? k[i] : most; /* a training set of fewer than 5 cells */
        rc = knn_vote(&near, ki, s.fit_class, cells->n_classes, s.said, s.score, e);
        if (!rc)
            keep_if_better(&s, (double)ki, r);
    }
    knn_release(&near);
    return end(&s, r, rc);
}

enum rc probe_forest(const struct probe_cells *cells, const struct mat *x, size_t n_trees,
                     uint64_t seed, struct probe_result *r, struct err *e)
{
    struct sides s = { 0 };
    struct forest f = { 0 };
    const struct forest_options o = { .n_trees = n_trees, .min_leaf = 1, .seed = seed };
    enum rc rc = begin(&s, cells, x, "-", r, e);
    if (!rc)
        rc = forest_fit(&s.fit, s.fit_class, cells->n_classes, &o, &f, e);
    if (!rc)
        rc = forest_predict(&f, &s.ask, s.said, s.score, e);
    if (!rc)
        keep_if_better(&s, 0, r);
    forest_release(&f);
    return end(&s, r, rc);
}

enum rc probe_majority(const struct probe_cells *cells, struct probe_result *r, struct err *e)
{
    struct sides s = { 0 };
    enum rc rc = begin(&s, cells, NULL, "-", r, e);
    size_t *count = calloc(cells->n_classes + 1, sizeof *count), best = 0;
    if (!rc && !count)
        rc = err_set(e, RC_FAIL, "no memory for %zu classes", cells->n_classes);
    for (size_t i = 0; !rc && i < s.n_fit; i++)
        count[s.fit_class[i]]++;
    for (size_t c = 1; !rc && c < cells->n_classes; c++)
        if (count[c] > count[best])
            best = c;
    for (size_t i = 0; !rc && i < s.n_ask; i++) {
        s.said[i] = (uint32_t)best;
        s.score[i] = (double)count[best] / (double)s.n_fit;
    }
    if (!rc)
        keep_if_better(&s, 0, r);
    free(count);
    return end(&s, r, rc);
}

static enum rc first_components(const struct mat *x, const struct sides *s, size_t k,
                                struct mat *out, struct err *e)
{
    struct mat fit = { 0 };
    struct pca p = { 0 };
    enum rc rc = mat_take_rows(x, s->row, s->n_fit, &fit, e);
    if (!rc)
        rc = pca_fit(&fit, k, &p, e);
    if (!rc)
        rc = pca_apply(&p, x, out, e);
    pca_release(&p);
    mat_release(&fit);
    return rc;
}

enum rc probe_count_features(const struct csr *count, const struct probe_cells *cells,
                             size_t n_genes, size_t n_pcs, struct mat *genes, struct mat *pcs,
                             struct err *e)
{
    struct sides s = { 0 };
    uint32_t *gene = malloc((n_genes + 1) * sizeof *gene);
    size_t n_found = 0;
    *genes = (struct mat){ 0 };
    enum rc rc =
        gene ? sides_init(&s, cells, e) : err_set(e, RC_FAIL, "no memory for %zu genes", n_genes);
    if (!rc)
        rc = hvg_seurat(count, s.row, s.n_fit, n_genes, gene, &n_found, e);
    if (!rc)
        rc = lognorm_columns(count, gene, n_found, genes, e);
    if (!rc)
        rc = zscore_by(genes, s.row, s.n_fit, CLIP, e);
    if (!rc && pcs)
        rc = first_components(genes, &s, n_pcs, pcs, e);
    free(gene);
    sides_release(&s);
    if (rc)
        mat_release(genes);
    return rc;
}

enum rc probe_embedding_features(const float *x, size_t d, const struct probe_cells *cells,
                                 struct mat *out, struct err *e)
{
    struct sides s = { 0 };
    enum rc rc = sides_init(&s, cells, e);
    if (!rc)
        rc = mat_from_f32(x, cells->n, d, out, e);
    if (!rc)
        rc = zscore_by(out, s.row, s.n_fit, CLIP, e);
    sides_release(&s);
    return rc;
}
