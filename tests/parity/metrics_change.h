/* Section perturbation and de_expected.tsv: cell types of a real set stand in for perturbations.
 * The counts are those of the data set that the cells of embedding.tsv come from. */
#ifndef GC_TESTS_PARITY_METRICS_CHANGE_H
#define GC_TESTS_PARITY_METRICS_CHANGE_H

#include <glob.h>

#include "lib/nn/hvg.h"
#include "lib/nn/metrics_change.h"
#include "lib/nn/metrics_stat.h"
#include "tests/parity/metrics.h"
#include "tests/parity/mtx.h"

/* Log-normalised expression of the listed genes, and per cell type mean, variance and number. */
struct types {
    struct table label, gene;
    struct factor type;
    struct mat x;         /* cells x genes */
    struct mat mean, var; /* types x genes; var with n - 1 */
    size_t *n_cells;
    uint32_t *row_of_gene;
    double **score; /* per type: Welch t against the control */
    double **p;
    uint32_t **ranked; /* per type: genes by falling |t| */
};

static bool names_cell(const char *folder, const char *barcode)
{
    char *path = text_new("%s/labels.tsv", folder);
    struct lines l;
    bool more, found = false;
    if (path && file_exists(path) && !lines_open(&l, path, NULL)) {
        const size_t n = strlen(barcode);
        while (!found && !lines_next(&l, &more, NULL) && more)
            found = strncmp(l.text, barcode, n) == 0 && l.text[n] == '\t';
        lines_close(&l);
    }
    free(path);
    return found;
}

/* The folder whose labels.tsv names this cell: the golden one itself, or one of the data beside the
 * golden values or under $SHARED. NULL when it is not here; the caller frees. */
static char *folder_of_cell(const char *dir, const char *barcode)
{
    const char *shared = getenv("SHARED");
    char *pattern[3] = { text_new("%s", dir), text_new("%s/../../../data/*/*", dir),
                         text_new("%s/data/*/*", shared && *shared ? shared : "../shared") };
    char *found = NULL;
    for (int k = 0; k < 3; k++) {
        glob_t g;
        if (!found && !glob(pattern[k], 0, NULL, &g)) {
            for (size_t i = 0; !found && i < g.gl_pathc; i++)
                if (names_cell(g.gl_pathv[i], barcode))
                    found = text_new("%s", g.gl_pathv[i]);
            globfree(&g);
        }
        free(pattern[k]);
    }
    return found;
}

static void types_moments(struct types *t)
{
    const size_t d = t->x.d, k = t->type.n_levels;
    t->n_cells = room(k, sizeof *t->n_cells);
    if (mat_alloc(&t->mean, k, d, NULL) || mat_alloc(&t->var, k, d, NULL))
        dies("no memory");
    for (size_t i = 0; i < t->x.n; i++) {
        t->n_cells[t->type.of[i]]++;
        for (size_t j = 0; j < d; j++)
            mat_row(&t->mean, t->type.of[i])[j] += mat_row(&t->x, i)[j];
    }
    for (size_t c = 0; c < k; c++)
        for (size_t j = 0; j < d; j++)
            mat_row(&t->mean, c)[j] /= (double)t->n_cells[c];
    for (size_t i = 0; i < t->x.n; i++)
        for (size_t j = 0; j < d; j++) {
            const double off = mat_row(&t->x, i)[j] - mat_row(&t->mean, t->type.of[i])[j];
            mat_row(&t->var, t->type.of[i])[j] += off * off;
        }
    for (size_t c = 0; c < k; c++)
        for (size_t j = 0; j < d; j++)
            mat_row(&t->var, c)[j] /= (double)(t->n_cells[c] - 1);
}

static const double *rank_score; /* of qsort's comparison below */

static int by_size(const void *a, const void *b)
{
    const uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    /* scanpy keeps scores in float32 and sorts those. */
    const float x = fabsf((float)rank_score[i]), y = fabsf((float)rank_score[j]);
    if (x < y || x > y)
        return x > y ? -1 : 1;
    return (i > j) - (i < j);
}

static void types_rank(struct types *t, uint32_t control)
{
    const size_t d = t->x.d, k = t->type.n_levels;
    t->score = room(k, sizeof *t->score);
    t->p = room(k, sizeof *t->p);
    t->ranked = room(k, sizeof *t->ranked);
    for (size_t c = 0; c < k; c++) {
        t->score[c] = room(d, sizeof **t->score);
        t->p[c] = room(d, sizeof **t->p);
        t->ranked[c] = room(d, sizeof **t->ranked);
        for (uint32_t j = 0; j < d; j++) {
            const struct test_result r = welch_t_from(
                mat_row(&t->mean, c)[j], mat_row(&t->var, c)[j], t->n_cells[c],
                mat_row(&t->mean, control)[j], mat_row(&t->var, control)[j], t->n_cells[control]);
            const bool flat = isnan(r.statistic); /* no spread in either */
            t->score[c][j] = flat ? 0 : r.statistic;
            t->p[c][j] = flat ? 1 : r.p;
            t->ranked[c][j] = j;
        }
        rank_score = t->score[c];
        qsort(t->ranked[c], d, sizeof **t->ranked, by_size);
    }
}

static void types_read(struct types *t, const char *dir, const char *folder)
{
    struct csr counts;
    struct err e = { 0 };
    char *mtx = text_new("%s/matrix.mtx.gz", folder);
    *t = (struct types){ .label = table_of(folder, "labels.tsv"),
                         .gene = table_of(dir, "de_genes.tsv") };
    t->type = factor_column(&t->label, "celltype");
    t->row_of_gene = indices_of(&t->gene, "row_of_features");
    if (!mtx_read(mtx, &counts) || counts.n_rows != t->label.n_rows ||
        lognorm_columns(&counts, t->row_of_gene, t->gene.n_rows, &t->x, &e))
        dies("the counts of the data set cannot be used");
    csr_release(&counts);
    free(mtx);
    types_moments(t);
}

static void types_release(struct types *t)
{
    for (size_t c = 0; t->score && c < t->type.n_levels; c++) {
        free(t->score[c]);
        free(t->p[c]);
        free(t->ranked[c]);
    }
    free(t->score);
    free(t->p);
    free(t->ranked);
    free(t->n_cells);
    free(t->row_of_gene);
    mat_release(&t->x);
    mat_release(&t->mean);
    mat_release(&t->var);
    factor_release(&t->type);
    table_release(&t->label);
    table_release(&t->gene);
}

/* Rows of de_expected.tsv: the gene of each rank, score, p, adjusted p. */
static void change_de(const struct types *t, const char *dir)
{
    struct table w = table_of(dir, "de_expected.tsv");
    struct factor c = factor_column(&w, "condition");
    uint32_t *rank = indices_of(&w, "rank"), *row = indices_of(&w, "row");
    double *score = numbers_of(&w, "score"), *p = numbers_of(&w, "p"),
           *adj = numbers_of(&w, "p_adj"), *ours = room(t->x.d, sizeof *ours);
    for (size_t k = 0; k < c.n_levels; k++) {
        const uint32_t type = level_of(&t->type, c.level[k]);
        if (!ok(type != UINT32_MAX, "'%s' is a cell type", c.level[k]))
            continue;
        double off[3] = { 0 };
        size_t n = 0, other = 0;
        if (benjamini_hochberg(t->p[type], t->x.d, ours, NULL))
            dies("no memory");
        for (size_t i = 0; i < w.n_rows; i++) {
            if (c.of[i] != k)
                continue;
            const uint32_t g = t->ranked[type][rank[i]];
            const double gap[3] = { fabs(t->score[type][g] / score[i] - 1),
                                    fabs(t->p[type][g] / p[i] - 1), fabs(ours[g] / adj[i] - 1) };
            for (int j = 0; j < 3; j++)
                off[j] = gap[j] <= off[j] ? off[j] : gap[j];
            other += t->row_of_gene[g] != row[i];
            n++;
        }
        ok(n && other == 0 && off[0] <= 1e-6 && off[1] <= 1e-6 && off[2] <= 1e-6,
           "de_expected.tsv %s: %zu genes, %zu differ; off by %.1e, p %.1e, adjusted %.1e",
           c.level[k], n, other, off[0], off[1], off[2]);
    }
    free(ours);
    free(adj);
    free(p);
    free(score);
    free(row);
    free(rank);
    factor_release(&c);
    table_release(&w);
}

static double r2_of_genes(const double *truth, const double *got, const uint32_t *gene, size_t n)
{
    double *a = room(n, sizeof *a), *b = room(n, sizeof *b);
    for (size_t i = 0; i < n; i++) {
        a[i] = truth[gene[i]];
        b[i] = got[gene[i]];
    }
    const double r = r2_score(a, b, n);
    free(a);
    free(b);
    return r;
}

/* Population variances: those of the tests divide by n - 1. */
static double r2_of_variances(const struct types *t, uint32_t truth, uint32_t got)
{
    const size_t d = t->x.d;
    double *a = room(d, sizeof *a), *b = room(d, sizeof *b);
    const double n_a = (double)t->n_cells[truth], n_b = (double)t->n_cells[got];
    for (size_t j = 0; j < d; j++) {
        a[j] = mat_row(&t->var, truth)[j] * (n_a - 1) / n_a;
        b[j] = mat_row(&t->var, got)[j] * (n_b - 1) / n_b;
    }
    const double r = r2_score(a, b, d);
    free(a);
    free(b);
    return r;
}

struct change_sums {
    double mse_top20, mse_top20_non_dropout, pearson_delta, spearman_delta, deviation_top20,
        r2_mean;
    size_t wrong;
};

static void change_type(const struct types *t, uint32_t control, const char *name,
                        const json_t *want, struct change_sums *sum)
{
    const uint32_t type = level_of(&t->type, name);
    const char *from = json_string_value(json_object_get(want, "prediction"));
    const uint32_t next = from ? level_of(&t->type, from) : UINT32_MAX;
    if (!ok(type != UINT32_MAX && next != UINT32_MAX, "'%s' and its prediction are types", name))
        return;
    const size_t d = t->x.d;
    const double *truth = mat_row(&t->mean, type), *got = mat_row(&t->mean, next);
    const uint32_t *ranked = t->ranked[type];
    const struct change c = { d, got, truth, mat_row(&t->mean, control) },
                        still = { d, c.control, truth, c.control };
    struct change_metrics all, top, kept, none;
    uint32_t gene[20];
    const size_t n_kept = change_non_dropout(&c, ranked, d, 20, gene);
    if (change_metrics_get(&c, NULL, 0, &all, NULL) ||
        change_metrics_get(&c, ranked, 20, &top, NULL) ||
        change_metrics_get(&c, gene, n_kept, &kept, NULL) ||
        change_metrics_get(&still, ranked, 20, &none, NULL))
        dies("no memory");
    const double r2 = r2_score(truth, got, d);
    equals(want, name, "cells", (double)t->n_cells[type]);
    equals(want, name, "mse_all", all.mse);
    equals(want, name, "mse_top20", top.mse);
    equals(want, name, "mse_top20_non_dropout", kept.mse);
    equals(want, name, "pearson_all", pearson(got, truth, d).statistic);
    equals(want, name, "pearson_delta", all.pearson);
    equals(want, name, "spearman_delta", all.spearman);
    equals(want, name, "pearson_delta_top20", top.pearson);
    equals(want, name, "spearman_delta_top20", top.spearman);
    /* This folder counts a change of 0 against another as wrong (gears_tiny does not). */
    equals(want, name, "wrong_direction_top20", (double)top.other_sign);
    equals(want, name, "deviation_top20", top.deviation);
    equals(want, name, "r2_mean", r2);
    equals(want, name, "r2_mean_top50", r2_of_genes(truth, got, ranked, 50));
    equals(want, name, "r2_var", r2_of_variances(t, type, next));
    const json_t *no = json_object_get(want, "no_change");
    equals(no, name, "mse_top20", none.mse);
    equals(no, name, "r2_mean", r2_score(truth, c.control, d));
    sum->mse_top20 += top.mse;
    sum->mse_top20_non_dropout += kept.mse;
    sum->pearson_delta += all.pearson;
    sum->spearman_delta += all.spearman;
    sum->deviation_top20 += top.deviation;
    sum->r2_mean += r2;
    sum->wrong += top.other_sign;
}

static void change_all(const struct types *t, uint32_t control, const json_t *want)
{
    const json_t *per = json_object_get(want, "per_condition"),
                 *mean = json_object_get(want, "averages");
    const double n = (double)json_object_size(per);
    struct change_sums s = { 0 };
    const char *name;
    json_t *o;
    json_object_foreach((json_t *)per, name, o) change_type(t, control, name, o, &s);
    equals(want, "perturbation", "control_cells", (double)t->n_cells[control]);
    equals(want, "perturbation", "genes", (double)t->x.d);
    equals(mean, "averages", "mse_top20", s.mse_top20 / n);
    equals(mean, "averages", "mse_top20_non_dropout", s.mse_top20_non_dropout / n);
    equals(mean, "averages", "pearson_delta", s.pearson_delta / n);
    equals(mean, "averages", "spearman_delta", s.spearman_delta / n);
    equals(mean, "averages", "deviation_top20", s.deviation_top20 / n);
    equals(mean, "averages", "r2_mean", s.r2_mean / n);
    equals(want, "perturbation", "wrong_direction_total", (double)s.wrong);
}

static void parity_change(const char *dir, const json_t *want)
{
    struct table cells = table_of(dir, "embedding.tsv");
    char *folder = cells.n_rows ? folder_of_cell(dir, texts(&cells, "barcode")[0]) : NULL;
    const char *control = json_string_value(json_object_get(want, "control"));
    struct types t;
    if (!folder) {
        skip("perturbation: the counts of the cells of embedding.tsv are not here");
    } else {
        types_read(&t, dir, folder);
        const uint32_t c = control ? level_of(&t.type, control) : UINT32_MAX;
        if (ok(c != UINT32_MAX, "the control is a cell type")) {
            types_rank(&t, c);
            change_de(&t, dir);
            change_all(&t, c, want);
        }
        types_release(&t);
    }
    free(folder);
    table_release(&cells);
}

#endif
