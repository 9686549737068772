/* coexpression/SET: masked Pearson on a real matrix, entry by entry, and the counts of pairs. */
#ifndef GC_TESTS_PARITY_KNOWLEDGE_PEARSON_H
#define GC_TESTS_PARITY_KNOWLEDGE_PEARSON_H

#include <dirent.h>
#include <jansson.h>

#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/cell/pearson.h"
#include "tests/parity/knowledge.h"

/* A Matrix Market file of genes x cells, turned: cells x genes. */
static bool mtx_read(const char *path, struct csr *c)
{
    struct lines l;
    struct err e = { 0 };
    bool more = false;
    size_t seen = 0, nnz = 0, n_genes = 0, n_cells = 0;
    struct csr t = { 0 }; /* genes x cells, as coordinates first */
    uint32_t *gene = NULL;
    if (lines_open(&l, path, &e))
        goto bad;
    while (!lines_next(&l, &more, &e) && more) {
        char *end;
        if (*l.text == '%')
            continue;
        const unsigned long a = strtoul(l.text, &end, 10), b = strtoul(end, &end, 10),
                            v = strtoul(end, &end, 10);
        if (!gene) {
            n_genes = a, n_cells = b, nnz = v;
            gene = calloc(nnz + 1, sizeof *gene);
            if (!gene || csr_alloc(&t, n_cells, n_genes, nnz, &e))
                abort();
            continue;
        }
        if (seen == nnz || a < 1 || a > n_genes || b < 1 || b > n_cells) {
            err_set(&e, RC_INPUT, "'%s': line %zu", path, l.number);
            break;
        }
        /* The file goes column by column: cells rise. */
        t.indptr[b]++;
        t.index[seen] = (uint32_t)a - 1;
        t.value[seen++] = (uint32_t)v;
    }
    lines_close(&l);
    for (size_t r = 0; r < n_cells; r++)
        t.indptr[r + 1] += t.indptr[r];
    free(gene);
    if (!e.rc && seen == nnz && !csr_tidy(&t, &e)) {
        *c = t;
        return true;
    }
bad:
    note("%s", e.text);
    csr_release(&t);
    return false;
}

static enum pearson_scale scale_of(const char *name)
{
    return strstr(name, "log2cp10k") ? PEARSON_LOG2CP10K : PEARSON_COUNTS;
}

/* rows of row_x row_y gene_x gene_y n r: correlations of about 30 genes with each other. */
static void pearson_entries(const struct csr *c, const char *set, const struct grid *want)
{
    struct pearson_options o = pearson_defaults();
    struct err e = { 0 };
    struct pearson_entry *row = calloc(c->n_cols, sizeof *row);
    double off = 0;
    size_t n_off = 0, nan_off = 0;
    uint32_t have = UINT32_MAX;
    o.scale = PEARSON_LOG2CP10K;
    for (size_t i = 0; row && i < want->n_rows; i++) {
        const double *num = want->num + 2 * i;
        const uint32_t x = (uint32_t)strtoul(want->text[4 * i], NULL, 10),
                       y = (uint32_t)strtoul(want->text[4 * i + 1], NULL, 10);
        if (x >= c->n_cols || y >= c->n_cols || (x != have && pearson_row(c, &o, x, row, &e)))
            break;
        have = x;
        n_off += !near(row[y].n, num[0], 0, 0);
        nan_off += isnan(row[y].r) != isnan(num[1]);
        if (!isnan(num[1]) && !(fabs(row[y].r - num[1]) <= off))
            off = fabs(row[y].r - num[1]);
    }
    ok(row && !e.rc && want->n_rows && n_off == 0 && nan_off == 0 && off <= 1e-9,
       "coexpression/%s: %zu entries: off by %.1e; %zu joint cells differ, %zu undefined ones", set,
       want->n_rows, off, n_off, nan_off);
    free(row);
}

/* Golden thresholds above 0.8 and the pairs themselves where a list is given. */
static void pearson_listed(const struct csr *c, const char *set, const struct grid *want)
{
    struct pearson_options o = pearson_defaults();
    struct pairs got = { 0 };
    struct err e = { 0 };
    o.scale = PEARSON_LOG2CP10K;
    bool same = !pearson_pairs(c, &o, &got, NULL, &e) && got.n >= want->n_rows;
    for (size_t i = 0; same && i < want->n_rows; i++)
        same = got.at[i].a == strtoul(want->text[4 * i], NULL, 10) &&
               got.at[i].b == strtoul(want->text[4 * i + 1], NULL, 10);
    ok(same, "coexpression/%s: the first %zu pairs that pass, in order%s", set, want->n_rows,
       e.text);
    pairs_release(&got);
}

/* One object of expected.json's counts: pairs_gt_T for each T whose closest_to_T is no tie. */
static void pearson_counted(const struct csr *c, const char *set, const char *name,
                            const json_t *want)
{
    const char *min = strstr(name, "_min");
    struct pearson_options o = pearson_defaults();
    struct err e = { 0 };
    o.scale = scale_of(name);
    o.least_cells = min ? (uint32_t)strtoul(min + 4, NULL, 10) : 30;
    const char *key;
    json_t *value;
    bool same = true;
    int n = 0;
    size_t above_08 = 0;
    struct pearson_counts got = { 0 };
    json_object_foreach((json_t *)want, key, value)
    {
        if (strncmp(key, "pairs_gt_", 9) != 0)
            continue;
        char closest[64];
        snprintf(closest, sizeof closest, "closest_to_%s", key + 9);
        const json_t *gap = json_object_get(want, closest);
        /* Without that word only 0.8 is run: the others cost as much and say no more. */
        const bool tie = gap && json_number_value(gap) < 1e-12;
        if (!gap || (tie && got.genes))
            continue;
        o.above = strtod(key + 9, NULL);
        if (pearson_pairs(c, &o, NULL, &got, &e)) {
            same = false;
            break;
        }
        above_08 = near(o.above, 0.8, 1e-9, 0) ? got.above : above_08;
        if (tie)
            continue;
        n++;
        same = same && got.above == (uint64_t)json_integer_value(value);
        if (!same)
            note("above %s: %llu, wanted %llu", key + 9, (unsigned long long)got.above,
                 (unsigned long long)json_integer_value(value));
    }
    const json_t *genes = json_object_get(want, "genes_in_min_cells"),
                 *defined = json_object_get(want, "pairs_defined");
    ok(same && !e.rc && got.genes == (size_t)json_integer_value(genes) &&
           got.defined == (uint64_t)json_integer_value(defined),
       "coexpression/%s %s: %zu genes, %llu pairs defined, %d thresholds, %zu above 0.8", set, name,
       got.genes, (unsigned long long)got.defined, n, above_08);
}

/* The caution of the README: shuffled counts leave almost as many pairs. */
static void pearson_null(const struct csr *c, const char *set)
{
    struct pearson_options o = pearson_defaults();
    struct pearson_counts real, chance;
    struct err e = { 0 };
    const double start = clock_s();
    enum rc rc = pearson_pairs(c, &o, NULL, &real, &e);
    const double end = clock_s();
    o.shuffled = 1;
    rc = rc ? rc : pearson_pairs(c, &o, NULL, &chance, &e);
    ok(!rc && chance.above > 0 && chance.above < real.above && chance.genes == real.genes,
       "coexpression/%s: %llu pairs of counts pass, %llu after a shuffle", set,
       (unsigned long long)real.above, (unsigned long long)chance.above);
    note("coexpression/%s: %zu genes in %.1f s, %d threads", set, real.genes, end - start,
         threads_count());
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
        /* Its first line is a remark, its second the header. */
        if (grid_read(&g, p[2], 4, 2, false)) {
            struct grid body = g;
            body.text += 4, body.num += 2, body.n_rows -= g.n_rows ? 1 : 0;
            pearson_listed(&c, set, &body);
            grid_release(&g);
        }
        const char *name;
        json_t *counts;
        json_object_foreach(json_object_get(want, "counts"), name, counts)
            pearson_counted(&c, set, name, counts);
        pearson_null(&c, set);
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
