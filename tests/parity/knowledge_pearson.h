/* coexpression/SET: masked Pearson on a real matrix, entry by entry, and the counts of pairs. */
#ifndef GC_TESTS_PARITY_KNOWLEDGE_PEARSON_H
#define GC_TESTS_PARITY_KNOWLEDGE_PEARSON_H

#include <dirent.h>
#include <jansson.h>

#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/cell/pearson.h"
#include "tests/parity/knowledge.h"
#include "tests/parity/mtx.h"

static enum pearson_scale scale_of(const char *name)
{
    return strstr(name, "log2cp10k") ? PEARSON_LOG2CP10K : PEARSON_COUNTS;
}

/* rows of row_x row_y gene_x gene_y n r: correlations of about 30 genes with each other. */
static void pearson_entries(const struct csr *c, const char *set, const struct grid *want)
{
    enum { MOST = 64 };
    struct pearson_options o = pearson_defaults();
    struct err e = { 0 };
    uint32_t x[MOST];
    size_t n = 0, n_off = 0, nan_off = 0;
    double off = 0;
    for (size_t i = 0; i < want->n_rows; i++) {
        const uint32_t gene = (uint32_t)strtoul(want->text[4 * i], NULL, 10);
        if ((!n || gene != x[n - 1]) && n < MOST)
            x[n++] = gene;
    }
    struct pearson_entry *row = calloc(n * c->n_cols + 1, sizeof *row);
    o.scale = PEARSON_LOG2CP10K;
    bool good = row && n && !pearson_rows(c, &o, x, n, row, &e);
    for (size_t i = 0, at = 0; good && i < want->n_rows; i++) {
        const double *num = want->num + 2 * i;
        const size_t y = strtoul(want->text[4 * i + 1], NULL, 10);
        at += strtoul(want->text[4 * i], NULL, 10) != x[at];
        good = at < n && y < c->n_cols;
        if (!good)
            break;
        const struct pearson_entry got = row[at * c->n_cols + y];
        n_off += !near(got.n, num[0], 0, 0);
        nan_off += isnan(got.r) != isnan(num[1]);
        if (!isnan(num[1]) && !(fabs(got.r - num[1]) <= off))
            off = fabs(got.r - num[1]);
    }
    ok(good && n_off == 0 && nan_off == 0 && off <= 1e-9,
       "coexpression/%s: %zu entries: off by %.1e; %zu joint cells differ, %zu undefined ones", set,
       want->n_rows, off, n_off, nan_off);
    free(row);
}

/* One object of expected.json's counts: pairs_gt_T for each T whose closest_to_T is no tie. */
static bool pearson_thresholds(const json_t *want, const struct pearson_options *o,
                               const struct pearson_counts *got, int *n)
{
    bool same = true;
    for (size_t i = 0; i < o->n_also; i++) {
        char key[2][64];
        snprintf(key[0], sizeof key[0], "closest_to_%g", o->also[i]);
        snprintf(key[1], sizeof key[1], "pairs_gt_%g", o->also[i]);
        const json_t *gap = json_object_get(want, key[0]), *is = json_object_get(want, key[1]);
        if (!is || !gap || json_number_value(gap) < 1e-12)
            continue;
        ++*n;
        if (got->also[i] == (uint64_t)json_integer_value(is))
            continue;
        same = false;
        note("above %g: %llu, wanted %lld", o->also[i], (unsigned long long)got->also[i],
             (long long)json_integer_value(is));
    }
    return same;
}

/* The first pairs of a set, row by row; first line: a remark that names the threshold. */
static void pearson_listed(const struct pairs *got, const char *set, const struct grid *want)
{
    bool same = want->n_rows > 1 && got->n >= want->n_rows - 1;
    for (size_t i = 1; same && i < want->n_rows; i++)
        same = got->at[i - 1].a == strtoul(want->text[4 * i], NULL, 10) &&
               got->at[i - 1].b == strtoul(want->text[4 * i + 1], NULL, 10);
    ok(same, "coexpression/%s: the first %zu pairs that pass, in order", set, want->n_rows - 1);
}

/* All pairs of a scale and a least number of cells, in one go. listed: for log2cp10k_min30. */
static void pearson_counted(const struct csr *c, const char *set, const char *name,
                            const json_t *want, const struct grid *listed,
                            struct pearson_counts *got)
{
    const char *min = strstr(name, "_min");
    struct pearson_options o = pearson_defaults();
    struct err e = { 0 };
    struct pairs p = { 0 };
    const bool is_listed = strcmp(name, "log2cp10k_min30") == 0 && listed->n_rows;
    o.scale = scale_of(name);
    o.least_cells = min ? (uint32_t)strtoul(min + 4, NULL, 10) : 30;
    for (o.n_also = 0; o.n_also < PEARSON_ALSO; o.n_also++)
        o.also[o.n_also] = (const double[]){ 0.6, 0.7, 0.8, 0.9 }[o.n_also];
    int n = 0;
    const double start = clock_s();
    bool same = !pearson_pairs(c, &o, is_listed ? &p : NULL, got, &e);
    const double end = clock_s();
    same = same && pearson_thresholds(want, &o, got, &n) && got->also[2] == got->above;
    const json_t *genes = json_object_get(want, "genes_in_min_cells"),
                 *defined = json_object_get(want, "pairs_defined");
    ok(same && got->genes == (size_t)json_integer_value(genes) &&
           got->defined == (uint64_t)json_integer_value(defined),
       "coexpression/%s %s: %zu genes, %llu pairs defined, %d thresholds, %llu above 0.8", set,
       name, got->genes, (unsigned long long)got->defined, n, (unsigned long long)got->above);
    note("coexpression/%s %s: %.1f s, %d threads", set, name, end - start, threads_count());
    if (is_listed)
        pearson_listed(&p, set, listed);
    pairs_release(&p);
}

/* The caution of the README: shuffled counts leave almost as many pairs. real: counts_min30. */
static void pearson_null(const struct csr *c, const char *set, const struct pearson_counts *real)
{
    struct pearson_options o = pearson_defaults();
    struct pearson_counts chance;
    struct err e = { 0 };
    o.shuffled = 1;
    const enum rc rc = pearson_pairs(c, &o, NULL, &chance, &e);
    ok(!rc && chance.above > 0 && chance.above < real->above && chance.genes == real->genes,
       "coexpression/%s: %llu pairs of counts pass, %llu after a shuffle", set,
       (unsigned long long)real->above, (unsigned long long)chance.above);
}

static void parity_coexpression_set(const char *dir, const char *set)
{
    char *sub = text_new("coexpression/%s", set), *mtx = NULL;
    static const char *const folder[] = { "sc_human", "sc_mouse", "sc_cross_species" };
    for (int i = 0; i < 3 && !mtx; i++) {
        char *place = text_new("%s/%s", folder[i], set);
        mtx = data_path(dir, sub, place, "matrix.mtx.gz");
        free(place);
    }
    char *p[3] = { path_in(dir, sub, "expected.json"), path_in(dir, sub, "entries.tsv"),
                   path_in(dir, sub, "pairs_above.tsv") };
    struct csr c = { 0 };
    struct grid g;
    json_t *want = json_load_file(p[0], 0, NULL);
    if (!mtx) {
        skip("coexpression/%s: its matrix is not here", set);
    } else if (ok(mtx_read(mtx, &c), "coexpression/%s: its matrix is read", set)) {
        note("coexpression/%s: %zu cells x %zu genes", set, c.n_rows, c.n_cols);
        if (grid_read(&g, p[1], 4, 2, true)) {
            pearson_entries(&c, set, &g);
            grid_release(&g);
        }
        const char *name;
        json_t *counts;
        struct pearson_counts got, real = { 0 };
        grid_read(&g, p[2], 4, 2, false);
        json_object_foreach(json_object_get(want, "counts"), name, counts)
        {
            pearson_counted(&c, set, name, counts, &g, &got);
            if (strcmp(name, "counts_min30") == 0)
                real = got;
        }
        if (real.genes)
            pearson_null(&c, set, &real);
        grid_release(&g);
    }
    json_decref(want);
    csr_release(&c);
    for (int i = 0; i < 3; i++)
        free(p[i]);
    free(mtx);
    free(sub);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void parity_coexpression(const char *dir)
{
    char *top = text_new("%s/coexpression", dir), *set[64];
    DIR *d = opendir(top);
    size_t n = 0;
    for (struct dirent *f; d && n < 64 && (f = readdir(d));) {
        char *p = path_in(top, f->d_name, "expected.json");
        if (*f->d_name != '.' && file_exists(p))
            set[n++] = text_new("%s", f->d_name);
        free(p);
    }
    if (d)
        closedir(d);
    qsort(set, n, sizeof *set, by_text);
    for (size_t i = 0; i < n; i++) {
        parity_coexpression_set(dir, set[i]);
        free(set[i]);
    }
    if (!n)
        skip("coexpression: not in this folder");
    free(top);
}

#endif
