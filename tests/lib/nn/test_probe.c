/* Splits, features and simple classifiers on generated cells.
 *
 *   test_probe                      the tests
 *   test_probe --write DIR [N]      the same cells as files, for tests/bin-src/{annotate,map}.t.sh:
 *     counts.h5ad  two labelled samples (alpha, beta), one without labels (gamma), N cells each
 *     good.h5ad    an embedding that knows the types; noise.h5ad one that does not
 *     gap.h5ad     as good, but without the first third of the cells */
#include <linear.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/rng.h"
#include "lib/base/thread.h"
#include "lib/io/h5ad.h"
#include "lib/nn/hvg.h"
#include "lib/nn/knn.h"
#include "lib/nn/labelled.h"
#include "lib/nn/logistic.h"
#include "lib/nn/metrics_class.h"
#include "lib/nn/pca.h"
#include "lib/nn/probe.h"
#include "tests/tap.h"

enum { N_GENES = 120, N_TYPES = 3, DIM = 12 };
static const char *const type_name[N_TYPES] = { "acinar", "beta", "delta" };
static const char *const sample_name[] = { "alpha", "beta", "gamma" };

/* Cells of three types in shares 50, 30, 20 %; each type has twenty genes of its own. */
static size_t type_of(size_t i)
{
    return i % 10 < 5 ? 0 : i % 10 < 8 ? 1 : 2;
}

static uint32_t count_of(uint64_t id, size_t type, size_t gene)
{
    double u = rng_unit(7, RNG_TEST, id, gene);
    bool own = gene / 20 == type;
    return u < (own ? 0.35 : 0.75)
               ? 0
               : (uint32_t)(1 + u * (own ? 6 : 3) * rng_unit(7, RNG_TEST, id, 1000 + gene));
}

static void set_texts(struct cells *c, size_t i, size_t sample, size_t type)
{
    char name[32];
    snprintf(name, sizeof name, "%s-%zu", sample_name[sample], i);
    c->cell[i] = arena_text(&c->obs.text, name);
    table_set_text(&c->obs, table_find(&c->obs, "sample"), i, sample_name[sample], NULL);
    table_set_text(&c->obs, table_find(&c->obs, "species"), i, sample ? "mouse" : "human", NULL);
    table_set_text(&c->obs, table_find(&c->obs, "label"), i, sample == 2 ? NULL : type_name[type],
                   NULL);
    table_find(&c->obs, "cell_id")->i64[i] = (int64_t)cell_id_of(sample_name[sample], name);
}

static void fill_counts(struct cells *c, const size_t *type)
{
    size_t at = 0;
    for (size_t i = 0; i < c->count.n_rows; i++) {
        uint64_t id = (uint64_t)table_find(&c->obs, "cell_id")->i64[i];
        for (uint32_t g = 0; g < N_GENES; g++) {
            uint32_t k = count_of(id, type[i], g);
            if (k) {
                c->count.index[at] = g;
                c->count.value[at++] = k;
            }
        }
        c->count.indptr[i + 1] = at;
    }
}

/* n_samples samples of n cells each. */
static void make_cells(struct cells *c, size_t n, size_t n_samples)
{
    size_t all = n * n_samples, *type = calloc(all, sizeof *type);
    cells_init(c);
    table_init(&c->obs, all);
    table_init(&c->var, N_GENES);
    table_add(&c->obs, "cell_id", COLUMN_I64);
    table_add(&c->obs, "sample", COLUMN_TEXT);
    table_add(&c->obs, "species", COLUMN_TEXT);
    table_add(&c->obs, "label", COLUMN_TEXT);
    c->cell = calloc(all, sizeof *c->cell);
    c->gene = calloc(N_GENES, sizeof *c->gene);
    for (size_t g = 0; g < N_GENES; g++) {
        char name[32];
        snprintf(name, sizeof name, "GENE%zu", g);
        c->gene[g] = arena_text(&c->var.text, name);
    }
    for (size_t i = 0; i < all; i++) {
        type[i] = type_of(i % n);
        set_texts(c, i, i / n, type[i]);
    }
    csr_alloc(&c->count, all, N_GENES, all * N_GENES, NULL);
    fill_counts(c, type);
    free(type);
}

static float embedded(uint64_t id, size_t type, size_t k, bool good)
{
    double signal = good && k == type ? 3 : 0;
    return (float)(signal + rng_normal(8, RNG_TEST, id, k));
}

static enum rc write_embedding(const struct cells *c, const char *dir, const char *name, bool good,
                               size_t from, size_t n, struct err *e)
{
    struct cells part;
    cells_init(&part);
    unsigned char *keep = calloc(c->obs.n_rows, 1);
    float *x = calloc(c->obs.n_rows * DIM, sizeof *x);
    memset(keep + from, 1, c->obs.n_rows - from);
    enum rc rc = table_select(&c->obs, keep, &part.obs, e);
    part.cell = calloc(c->obs.n_rows, sizeof *part.cell);
    memcpy(part.cell, c->cell + from, (c->obs.n_rows - from) * sizeof *part.cell);
    table_init(&part.var, 0);
    for (size_t i = from; i < c->obs.n_rows; i++)
        for (size_t k = 0; k < DIM; k++)
            x[(i - from) * DIM + k] =
                embedded((uint64_t)table_find(&c->obs, "cell_id")->i64[i], type_of(i % n), k, good);
    struct h5ad_matrix m = { "X_genecompass", c->obs.n_rows - from, DIM, x };
    struct h5ad_extra extra = { .obsm = &m, .n_obsm = 1 };
    char *path = text_new("%s/%s", dir, name);
    if (!rc)
        rc = h5ad_write(path, &part, &extra, e);
    free(path);
    free(x);
    free(keep);
    cells_release(&part);
    return rc;
}

static int write_files(const char *dir, size_t n)
{
    struct cells c;
    struct err e = { 0 };
    make_cells(&c, n, 3);
    char *path = text_new("%s/counts.h5ad", dir);
    enum rc rc = h5ad_write(path, &c, NULL, &e);
    if (!rc)
        rc = write_embedding(&c, dir, "good.h5ad", true, 0, n, &e);
    if (!rc)
        rc = write_embedding(&c, dir, "noise.h5ad", false, 0, n, &e);
    if (!rc)
        rc = write_embedding(&c, dir, "gap.h5ad", true, n / 3, n, &e);
    if (rc)
        fprintf(stderr, "%s\n", e.text);
    free(path);
    cells_release(&c);
    return (int)rc;
}

/* ---- tests ---- */

static void test_splits(const struct labelled *l)
{
    enum part *a = calloc(l->n, sizeof *a), *b = calloc(l->n, sizeof *b);
    struct err e = { 0 };
    size_t count[3][N_TYPES] = { { 0 } };
    split_stratified(l->class_of, l->cell_id, l->n, l->n_classes, 3, a, &e);
    for (size_t i = 0; i < l->n; i++)
        count[a[i]][l->class_of[i]]++;
    bool shares = true;
    for (size_t c = 0; c < N_TYPES; c++) {
        size_t n = count[0][c] + count[1][c] + count[2][c];
        shares = shares && count[1][c] == (2 * n + 5) / 10 && count[2][c] == count[1][c];
    }
    ok(shares, "a fifth of each type is for validation, as many for test");
    split_stratified(l->class_of, l->cell_id, l->n, l->n_classes, 4, b, &e);
    ok(memcmp(a, b, l->n * sizeof *a) != 0, "another seed splits otherwise");

    /* The same cells in reverse order. */
    uint32_t *class_of = calloc(l->n, sizeof *class_of);
    uint64_t *id = calloc(l->n, sizeof *id);
    for (size_t i = 0; i < l->n; i++) {
        class_of[i] = l->class_of[l->n - 1 - i];
        id[i] = l->cell_id[l->n - 1 - i];
    }
    split_stratified(class_of, id, l->n, l->n_classes, 3, b, &e);
    bool same = true;
    for (size_t i = 0; i < l->n; i++)
        same = same && b[i] == a[l->n - 1 - i];
    ok(same, "a cell's part does not depend on the order of the cells");

    const uint32_t two[] = { 0, 0, 1, 1, 1 };
    const uint64_t ids[] = { 11, 12, 13, 14, 15 };
    split_stratified(two, ids, 5, 2, 0, a, &e);
    ok(a[0] == PART_TRAIN && a[1] == PART_TRAIN, "a class of two stays in training");
    ok((a[2] == PART_TEST) + (a[3] == PART_TEST) + (a[4] == PART_TEST) == 1,
       "a class of three gives one cell to test");
    free(a);
    free(b);
    free(class_of);
    free(id);
}

static double test_accuracy(const struct probe_cells *c, const struct probe_result *r)
{
    double right = 0, all = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->part[i] == PART_TEST) {
            right += c->class_of[i] == r->predicted[i];
            all++;
        }
    return right / all;
}

static void test_methods(const struct cells *c, const struct labelled *l)
{
    struct err e = { 0 };
    struct csr count;
    unsigned char *keep = calloc(c->count.n_rows, 1);
    enum part *part = calloc(l->n, sizeof *part);
    for (size_t i = 0; i < l->n; i++)
        keep[l->row[i]] = 1;
    csr_select(&c->count, keep, NULL, N_GENES, &count, &e);
    split_stratified(l->class_of, l->cell_id, l->n, l->n_classes, 0, part, &e);
    struct probe_cells cells = { l->n, l->n_classes, l->class_of, part };
    struct mat genes, pcs;
    ok(!probe_count_features(&count, &cells, 60, 10, &genes, &pcs, &e) && genes.d == 60 &&
           pcs.d == 10,
       "60 variable genes and 10 components: %s", e.text);
    struct probe_result r;
    ok(!probe_logistic(&cells, &genes, &r, &e) && test_accuracy(&cells, &r) > 0.9,
       "logistic regression tells the types");
    bool sane = true;
    for (size_t i = 0; i < l->n; i++)
        if (part[i] != PART_TRAIN)
            sane = sane && r.score[i] >= 1.0 / N_TYPES && r.score[i] <= 1;
    ok(sane, "the score of the winner is a probability");
    probe_result_release(&r);
    ok(!probe_svm(&cells, &genes, &r, &e) && test_accuracy(&cells, &r) > 0.9, "so does the SVM");
    probe_result_release(&r);
    ok(!probe_knn(&cells, &pcs, &r, &e) && test_accuracy(&cells, &r) > 0.9, "so do the neighbours");
    probe_result_release(&r);
    ok(!probe_majority(&cells, &r, &e) && near(test_accuracy(&cells, &r), 0.5, 0.02, 0),
       "the commonest class is half of the cells");
    probe_result_release(&r);
    for (size_t i = 0; i < l->n; i++)
        part[i] = PART_TRAIN;
    ok(probe_majority(&cells, &r, &e) == RC_INPUT, "a split without test cells is refused");
    free(keep);
    free(part);
    mat_release(&genes);
    mat_release(&pcs);
    csr_release(&count);
}

static void random_mat(struct mat *m, size_t n, size_t d, uint64_t id)
{
    mat_alloc(m, n, d, NULL);
    for (size_t i = 0; i < n * d; i++)
        m->x[i] = rng_normal(3, RNG_TEST, id, i);
}

/* The slope of the loss at the solution, computed the plain way, vanishes. */
static void test_logistic_optimum(void)
{
    struct mat x;
    struct linear_model m;
    uint32_t class_of[80];
    double worst = 0, c = 0.3;
    random_mat(&x, 80, 7, 1);
    for (size_t i = 0; i < 80; i++) {
        class_of[i] = (uint32_t)(i % 3);
        mat_row(&x, i)[class_of[i]] += 1;
        mat_row(&x, i)[6] *= 100; /* columns of very different spread */
    }
    logistic_fit(&x, class_of, 3, c, NULL, &m, NULL);
    for (size_t k = 0; k < 3; k++)
        for (size_t j = 0; j <= 7; j++) {
            double slope = j < 7 ? mat_row(&m.w, k)[j] / c : 0;
            for (size_t i = 0; i < 80; i++) {
                double z[3], sum = 0;
                for (size_t o = 0; o < 3; o++) {
                    z[o] = mat_row(&m.w, o)[7];
                    for (size_t q = 0; q < 7; q++)
                        z[o] += mat_row(&m.w, o)[q] * mat_row(&x, i)[q];
                    sum += exp(z[o]);
                }
                slope += (exp(z[k]) / sum - (class_of[i] == k)) * (j < 7 ? mat_row(&x, i)[j] : 1);
            }
            worst = fmax(worst, fabs(slope));
        }
    ok(worst < 2e-2, "logistic regression ends where the loss is flat: %g", worst);
    linear_model_release(&m);
    ok(logistic_fit(&x, class_of, 3, 0, NULL, &m, NULL) == RC_INPUT, "c = 0 is refused");
    mat_release(&x);
}

static void silent(const char *text)
{
    (void)text;
}

/* Weights of class k against the rest from liblinear, an independent program. */
static double svm_difference(const struct mat *x, const uint32_t *class_of, double c,
                             const struct linear_model *m, uint32_t k)
{
    size_t n = x->n, d = x->d;
    struct feature_node *room = calloc(n * (d + 2), sizeof *room), **row = calloc(n, sizeof *row);
    double *y = calloc(n, sizeof *y), worst = 0;
    for (size_t i = 0; i < n; i++) {
        row[i] = room + i * (d + 2);
        for (size_t j = 0; j <= d; j++)
            row[i][j] = (struct feature_node){ (int)j + 1, j < d ? mat_row(x, i)[j] : 1 };
        row[i][d + 1].index = -1;
        y[i] = class_of[i] == k ? 1 : -1;
    }
    struct problem p = { .l = (int)n, .n = (int)d + 1, .y = y, .x = row, .bias = 1 };
    struct parameter how = { .solver_type = L2R_L2LOSS_SVC, .eps = 1e-9, .C = c };
    set_print_string_function(silent);
    struct model *other = train(&p, &how);
    double sign = other->label[0] == 1 ? 1 : -1;
    for (size_t j = 0; j <= d; j++)
        worst = fmax(worst, fabs(sign * other->w[j] - mat_row(&m->w, k)[j]));
    free_and_destroy_model(&other);
    free(room);
    free(row);
    free(y);
    return worst;
}

static void test_svm_optimum(void)
{
    struct mat x;
    struct linear_model m;
    uint32_t class_of[90];
    double worst = 0;
    random_mat(&x, 90, 8, 2);
    for (size_t i = 0; i < 90; i++) {
        class_of[i] = (uint32_t)(i % 3);
        mat_row(&x, i)[class_of[i]] += 1;
    }
    svm_fit(&x, class_of, 3, 0.05, NULL, &m, NULL);
    for (uint32_t k = 0; k < 3; k++)
        worst = fmax(worst, svm_difference(&x, class_of, 0.05, &m, k));
    ok(worst < 1e-4, "the SVM ends where liblinear ends: %g", worst);
    linear_model_release(&m);
    mat_release(&x);
}

static void test_pca(void)
{
    static const size_t shape[][2] = { { 40, 9 }, { 9, 40 } };
    for (int s = 0; s < 2; s++) {
        struct mat x, at;
        struct pca p;
        struct err e = { 0 };
        random_mat(&x, shape[s][0], shape[s][1], 5);
        for (size_t i = 0; i < x.n; i++)
            mat_row(&x, i)[2] *= 30; /* the first component, all but alone */
        bool good = !pca_fit(&x, 5, &p, &e) && !pca_apply(&p, &x, &at, &e);
        double off = 0, mean = 0, var = 0, across = 0;
        for (size_t a = 0; a < 5; a++)
            for (size_t b = 0; b < 5; b++) {
                double dot = 0;
                for (size_t j = 0; j < x.d; j++)
                    dot += mat_row(&p.axis, a)[j] * mat_row(&p.axis, b)[j];
                off = fmax(off, fabs(dot - (a == b)));
            }
        for (size_t i = 0; i < x.n; i++) {
            mean += mat_row(&at, i)[1] / (double)x.n;
            var += mat_row(&at, i)[1] * mat_row(&at, i)[1] / (double)(x.n - 1);
            across += mat_row(&at, i)[0] * mat_row(&at, i)[1];
        }
        ok(good && off < 1e-12, "%zu x %zu: axes are orthonormal", x.n, x.d);
        ok(fabs(mean) < 1e-12 && near(var, p.variance[1], 0, 1e-10) && fabs(across) < 1e-8,
           "coordinates are centred, uncorrelated and as wide as said");
        ok(mat_row(&p.axis, 0)[2] > 0.9, "the widest column leads, with a positive sign");
        pca_release(&p);
        mat_release(&x);
        mat_release(&at);
    }
    struct mat flat;
    struct pca p;
    struct err e = { 0 };
    mat_alloc(&flat, 5, 3, &e);
    ok(pca_fit(&flat, 2, &p, &e) == RC_INPUT, "equal cells have no components: %s", e.text);
    mat_release(&flat);
}

static void test_knn(void)
{
    struct mat x;
    struct knn k;
    struct err e = { 0 };
    mat_alloc(&x, 5, 1, &e);
    static const double at[] = { 0, 1, 2, 1, 10 };
    memcpy(x.x, at, sizeof at);
    ok(!knn_find(&x, NULL, 2, DISTANCE_EUCLID, &k, &e) && k.index[0] == 1 && k.index[1] == 3 &&
           k.index[2] == 3 && k.index[3] == 0,
       "equal distances go by rising row");
    uint32_t said[5];
    double share[5];
    static const uint32_t class_of[] = { 0, 1, 0, 1, 1 };
    knn_vote(&k, 2, class_of, 2, said, share, &e);
    ok(said[2] == 1 && near(share[2], 1, 0, 0), "both neighbours of 2 say 1");
    ok(said[1] == 0 && near(share[1], 0.5, 0, 0), "equal votes go to the smaller class");
    knn_release(&k);
    ok(knn_find(&x, NULL, 5, DISTANCE_EUCLID, &k, &e) == RC_INPUT,
       "more neighbours than other cells are refused");
    x.x[3] = NAN;
    ok(knn_find(&x, NULL, 2, DISTANCE_EUCLID, &k, &e) == RC_INPUT, "NaN is refused: %s", e.text);
    mat_release(&x);
}

static void test_labels(struct cells *c)
{
    struct labelled l;
    struct err e = { 0 };
    ok(!labelled_init(c, "gamma", "label", &l, &e) && l.n == 0 && l.n_unlabelled == 40,
       "a sample without labels has none");
    labelled_release(&l);
    ok(labelled_init(c, "alpha", "celltype", &l, &e) == RC_INPUT && strstr(e.text, "celltype"),
       "a missing column is named: %s", e.text);
    labelled_init(c, "alpha", "label", &l, &e);
    unsigned char keep[40] = { 0 };
    for (size_t i = 0; i < 40; i++)
        keep[i] = l.class_of[i] != 1;
    labelled_keep(&l, keep, &e);
    ok(l.n_classes == 2 && strcmp(l.class_name[1], "delta") == 0 && l.class_of[l.n - 1] == 1,
       "a class without cells is taken out of the numbers");
    labelled_release(&l);
    struct id_rows r;
    ok(!id_rows_init(&c->obs, &r, &e) &&
           id_rows_find(&r, (uint64_t)table_find(&c->obs, "cell_id")->i64[77]) == 77 &&
           id_rows_find(&r, 1) == SIZE_MAX,
       "cells are found by their id, and others are not");
    id_rows_release(&r);
    table_find(&c->obs, "cell_id")->i64[3] = table_find(&c->obs, "cell_id")->i64[90];
    ok(id_rows_init(&c->obs, &r, &e) == RC_INPUT, "an id that comes twice is refused: %s", e.text);
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "--write") == 0)
        return write_files(argv[2], argc > 3 ? strtoul(argv[3], NULL, 10) : 90);
    struct cells c;
    struct labelled l;
    struct err e = { 0 };
    threads_init(2);
    make_cells(&c, 200, 1);
    ok(!labelled_init(&c, "alpha", "label", &l, &e) && l.n == 200 && l.n_classes == N_TYPES,
       "200 labelled cells of three types");
    test_splits(&l);
    test_methods(&c, &l);
    labelled_release(&l);
    cells_release(&c);
    make_cells(&c, 40, 3);
    test_labels(&c);
    cells_release(&c);
    test_logistic_optimum();
    test_svm_optimum();
    test_pca();
    test_knn();
    threads_stop();
    return tap_end();
}
